"""A second opinion on certificates, from mpmath at 50 digits: is what this certificate says true?

It shares no code and no method with the checker: F is evaluated in multi-precision floating point straight from the
problem file, derivatives are difference quotients, critical points in boxes come from Newton's method. It therefore
proves nothing; it is here to catch a false statement that the checker accepts.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any

import checker_oracle_canonical as canonical
import checker_oracle_complete as complete
import checker_oracle_features as features
import checker_oracle_gram as gram
import checker_oracle_induced as induced
import checker_oracle_more as more
import checker_oracle_sets as sets
import mpmath

MP = mpmath.MPContext()  # a context of our own: nothing global changes
MP.dps = 50
STEP = MP.mpf(10) ** -16  # of difference quotients; their error is about its square
SMALL = MP.mpf(10) ** -15  # what counts as 0 for a quantity that is either 0 or "of order 1" in these examples


KNOWN: dict[tuple[Any, ...], Any] = {}  # what was already found at a point: mutants mostly leave p alone


@cache
def number(text: str | int | Fraction) -> Any:
    """Kept once read: the numbers of a problem file are asked for at every evaluation of F."""
    value = Fraction(text)
    return MP.mpf(value.numerator) / value.denominator


def sigmoid(z: Any) -> Any:
    return 1 / (1 + MP.exp(-z))


def polynomial(coefficients: list[Any], z: Any) -> Any:
    return sum((number(c) * z**k for k, c in enumerate(coefficients)), MP.mpf(0))


def activation(body: Any, beside: dict[str, Any]) -> Any:
    """The function of one variable that an activation entry of a problem file denotes."""
    if isinstance(body, str):
        body = {"kind": body, **beside}
    kind = body["kind"]
    if kind == "piecewise-polynomial":
        breaks = [number(b) for b in body["breaks"]]
        return lambda z: polynomial(body["pieces"][sum(z > b for b in breaks)], z)
    if kind == "polynomial":
        return lambda z: polynomial(body["coefficients"], z)
    return {
        "linear": lambda z: z,
        "relu": lambda z: max(z, MP.mpf(0)),
        "leaky_relu": lambda z: z if z > 0 else number(body["slope"]) * z,
        "requ": lambda z: max(z, MP.mpf(0)) ** 2,
        "square": lambda z: z**2,
        "cubic": lambda z: z**3,
        "sigmoid": sigmoid,
        "tanh": MP.tanh,
        "softplus": lambda z: MP.log(1 + MP.exp(z)),
        "swish": lambda z: z * sigmoid(z),
        "exp": MP.exp,
        "sin": MP.sin,
        "erf": MP.erf,
        "gelu": lambda z: z * (1 + MP.erf(z / MP.sqrt(2))) / 2,
        "elu": lambda z: z if z > 0 else number(body["alpha"]) * (MP.exp(z) - 1),
    }[kind]


class Landscape:
    """F of a problem file as a function of a list of numbers."""

    def __init__(self, body: dict[str, Any]) -> None:
        self.body, net = body, body["network"]
        self.net = net
        if net["kind"] == "monomial":
            self.size = len(net["parameters"])
            return
        if net["kind"] == "student-teacher-relu-family":
            self.size = 0
            return
        if net["kind"] == "student-teacher-relu":
            self.size = net["students"] * net["inputs"]
            return
        widths = net["widths"]
        layers = len(widths) - 1
        given = net.get("activation", "linear")
        beside = {k: net[k] for k in ("coefficients", "slope", "alpha", "breaks", "pieces") if k in net}
        kinds = given if isinstance(given, list) else [given] * (layers - 1)
        self.activations = [activation(a, beside) for a in kinds]
        self.activations.append(activation(net.get("output_activation", "linear"), {}))
        bias = net.get("bias", False)
        self.bias = [bias] * (layers - 1) + [False] if isinstance(bias, bool) else bias
        self.size = sum(widths[k + 1] * (widths[k] + self.bias[k]) for k in range(layers))
        self.added = net["kind"] == "dense+exp"
        self.size += self.added * (widths[0] + 2)
        count = len(body["data"]["inputs"])
        weights = body["loss"].get("weights", 1)
        self.weights = [number(c) for c in (weights if isinstance(weights, list) else [weights] * count)]

    def features(self, theta: list[Any], x: list[Any]) -> list[Any]:
        """The outputs of the last hidden layer."""
        return self.outputs(theta, x, len(self.net["widths"]) - 2)

    def outputs(self, theta: list[Any], x: list[Any], layers: int | None = None) -> list[Any]:
        widths, at, signal = self.net["widths"], 0, [number(v) for v in x]
        for k in range(len(widths) - 1 if layers is None else layers):
            rows, cols = widths[k + 1], widths[k]
            matrix = [theta[at + i * cols : at + (i + 1) * cols] for i in range(rows)]
            at += rows * cols
            shift = theta[at : at + rows] if self.bias[k] else [MP.mpf(0)] * rows
            at += rows * self.bias[k]
            phi = self.activations[k]
            signal = [phi(MP.fdot(row, signal) + b) for row, b in zip(matrix, shift, strict=True)]
        if self.added and layers is None:
            a, *w, b = theta[at:]
            signal[0] += a * MP.exp(sum((u * number(v) for u, v in zip(w, x, strict=True)), b))
        return signal

    def __call__(self, theta: list[Any]) -> Any:
        if self.net["kind"] == "monomial":
            total = MP.mpf(0)
            for term in self.net["terms"]:
                value = number(term["coefficient"])
                for t, e in zip(theta, term["exponents"], strict=True):
                    value *= t**e
                total += value
            return total
        if self.net["kind"] == "student-teacher-relu":
            return self.students(theta)
        data, total = self.body["data"], MP.mpf(0)
        for x, y, c in zip(data["inputs"], data["targets"], self.weights, strict=True):
            for f, target in zip(self.outputs(theta, x), y, strict=True):
                goal = number(target)
                squared = self.body["loss"]["kind"] == "squared"
                total += c * ((goal - f) ** 2 if squared else MP.log(1 + MP.exp(-goal * f)))
        return total + self.penalty(theta)

    def teacher(self) -> list[Any]:
        """The vectors of the teacher and rows 0."""
        n, teacher = self.net["inputs"], self.net["teacher"]
        rows = teacher.get("vectors") or [[int(i == j) for j in range(n)] for i in range(teacher["orthonormal"])]
        flat = [number(v) for row in rows for v in row]
        return flat + [MP.mpf(0)] * (self.size - len(flat))

    def students(self, theta: list[Any]) -> Any:
        """1/2 sum s_i s_j E relu(z_i.x) relu(z_j.x); in the plane of two vectors the expectation is an integral over angles:
        E = |z||y| (1/2 pi) 2 int cos(a) cos(a - t) da over |a| <= pi/2, |a - t| <= pi/2, since E r^2 = 2."""
        n, teacher = self.net["inputs"], self.net["teacher"]
        rows = [theta[k : k + n] for k in range(0, len(theta), n)]
        vectors = teacher.get("vectors") or [[int(i == j) for j in range(n)] for i in range(teacher["orthonormal"])]
        signed = [(1, row) for row in rows] + [(-1, [number(v) for v in row]) for row in vectors]
        sized = [(s, z, MP.sqrt(sum(v * v for v in z))) for s, z in signed]
        total = MP.mpf(0)
        for k, (s, z, long) in enumerate(sized):
            for u, y, wide in sized[: k + 1]:  # the pair (z, y) stands for (y, z) too
                if long and wide:
                    inner = sum(a * b for a, b in zip(z, y, strict=True)) / long / wide
                    t = MP.acos(max(min(inner, MP.one), -MP.one))
                    # int cos(a) cos(a - t) = a cos(t)/2 + sin(2a - t)/4 between t - pi/2 and pi/2
                    inside = (MP.pi - t) * MP.cos(t) / 2 + (MP.sin(MP.pi - t) - MP.sin(t - MP.pi)) / 4
                    total += (1 if y is z else 2) * s * u * long * wide * inside / MP.pi
        return total / 2

    def penalty(self, theta: list[Any]) -> Any:
        body = self.body.get("regularizer")
        if body is None:
            return MP.mpf(0)
        kind, given = body["kind"], body["weights"]
        units = self.net["widths"][1]
        count = units if kind == "neuron-cubic" else self.size
        weights = [number(c) for c in (given if isinstance(given, list) else [given] * count)]
        if kind != "neuron-cubic":
            power = 2 if kind == "l2" else body["exponent"]
            return sum((w * abs(t) ** power for w, t in zip(weights, theta, strict=True)), MP.mpf(0))
        cols, total = self.net["widths"][0], MP.mpf(0)
        for j, w in enumerate(weights):
            own = theta[j * cols : (j + 1) * cols] + ([theta[units * cols + j]] if self.bias[0] else [])
            out = theta[units * cols + (units if self.bias[0] else 0) + j]
            total += w / 3 * (abs(out) ** 3 + 2 * sum(v**2 for v in own) ** MP.mpf("1.5"))
        return total

    # -- derivatives ----------------------------------------------------------------------------------------------

    def moved(self, theta: list[Any], *moves: tuple[int, Any]) -> Any:
        point = list(theta)
        for k, h in moves:
            point[k] += h
        return self(point)

    def gradient(self, theta: list[Any]) -> list[Any]:
        return [(self.moved(theta, (k, STEP)) - self.moved(theta, (k, -STEP))) / (2 * STEP) for k in range(self.size)]

    def hessian(self, theta: list[Any]) -> Any:
        out, h = MP.matrix(self.size, self.size), STEP
        for i in range(self.size):
            for j in range(i + 1):
                corners = [a * b * self.moved(theta, (i, a * h), (j, b * h)) for a in (1, -1) for b in (1, -1)]
                out[i, j] = out[j, i] = sum(corners) / (4 * h * h)
        return out

    def inertia(self, theta: list[Any]) -> list[int]:
        values = list(MP.eigsy(self.hessian(theta), eigvals_only=True))
        return [
            sum(v > 10**-9 for v in values),
            sum(abs(v) <= 10**-9 for v in values),
            sum(v < -(10**-9) for v in values),
        ]

    def newton(self, start: list[Any]) -> list[Any] | None:
        point = MP.matrix(start)
        for _ in range(60):
            slope = MP.matrix(self.gradient(list(point)))
            try:
                change = MP.lu_solve(self.hessian(list(point)), slope)
            except (ZeroDivisionError, ValueError):
                return None
            point -= change
            # relative to the point: with entries of size k the noise of the quotients is above any fixed small number
            if MP.norm(change) < MP.mpf(10) ** -22 * max(1, MP.norm(point)):
                return list(point)
            if MP.norm(point) > 10**6:
                return None
        return None


class Reduced(Landscape):
    """F as a function of the entries of a symmetric matrix."""

    def __init__(self, f: Landscape, size: int, full: Any) -> None:
        self.f, self.size, self.full = f, size, full

    def __call__(self, theta: list[Any]) -> Any:
        return self.f(self.full(theta))


class Opinion:
    """What mpmath says about the statements of one certificate."""

    def __init__(self, problem: dict[str, Any], certificate: dict[str, Any]) -> None:
        self.f, self.certificate, self.text = Landscape(problem), certificate, json.dumps(problem)
        self.points = {name: self.point(body) for name, body in certificate["points"].items()}

    def generator(self, body: Any) -> Any:
        """ln 2, or the root of the field polynomial in its interval, by bisection."""
        if body == "rational":
            return MP.mpf(0)
        if body == "ln2":
            return MP.log(2)
        low, high = (Fraction(v) for v in body["interval"])

        def at(x: Fraction) -> Fraction:
            value = Fraction(0)
            for c in reversed(body["polynomial"]):
                value = value * x + Fraction(c)
            return value

        rising = at(high) > 0
        for _ in range(220):
            middle = (low + high) / 2
            if at(middle) == 0:
                return number(middle)
            low, high = (low, middle) if (at(middle) > 0) == rising else (middle, high)
        return number((low + high) / 2)

    def element(self, body: Any, generator: Any) -> Any:
        return number(body) if isinstance(body, str) else polynomial(body, generator)

    def fitted(self, body: dict[str, Any]) -> list[Any] | None:
        """The output is affine in the fitted coordinate: two evaluations; it must then be the same at all samples."""
        theta, k, inputs = [number(c) for c in body["coordinates"]], body["fitted"] - 1, self.f.body["data"]["inputs"]
        ends = [self.f.outputs([*theta[:k], MP.mpf(v), *theta[k + 1 :]], inputs[0])[0] for v in (0, 1)]
        if abs(ends[1] - ends[0]) < SMALL:
            return None
        theta[k] = (number(body["output"]) - ends[0]) / (ends[1] - ends[0])
        same = all(abs(self.f.outputs(theta, x)[0] - number(body["output"])) < SMALL for x in inputs)
        return theta if same else None

    def point(self, body: dict[str, Any]) -> list[Any] | None:
        if "teacher" in body:
            return self.f.teacher()
        if "classes" in body:
            return self.symmetric(body)
        if "centre" in body:
            centre = [number(c) for c in body["centre"]]
            found = self.f.newton(centre)
            if found is None or MP.norm(MP.matrix(found) - MP.matrix(centre)) > number(body["radius"]):
                return None
            return found
        if "fitted" in body:
            return self.fitted(body)
        if "lower" not in body:
            generator = self.generator(body["field"])
            return [self.element(c, generator) for c in body["coordinates"]]
        low, high = ([number(v) for v in body[key]] for key in ("lower", "upper"))
        found = self.f.newton([(a + b) / 2 for a, b in zip(low, high, strict=True)])
        corners = [self.f.newton(corner) for corner in (low, high)]
        if found is None or not all(a < t < b for a, t, b in zip(low, found, high, strict=True)):
            return None
        for other in corners:  # Newton from two corners finds no second critical point inside
            inside = other is not None and all(a <= t <= b for a, t, b in zip(low, other, high, strict=True))
            if inside and other is not None and max(abs(a - b) for a, b in zip(found, other, strict=True)) > SMALL:
                return None
        return found

    def symmetric(self, body: dict[str, Any]) -> list[Any] | None:
        """Newton's method in the few entries of a symmetric matrix; the full W, row by row."""
        rows = [(r, a, x) for r, a in enumerate(body["rows"]) for x in range(body["classes"][a])]
        columns = [(c, b, x) for c, b in enumerate(body["columns"]) for x in range(body["classes"][b])]
        place = [(r, c, a == b and x == y) for r, a, x in rows for c, b, y in columns]
        orbits = sorted(
            set(place), key=lambda o: (o[0], o[1], not o[2])
        )  # the diagonal of a square before its other entries

        def full(entries: list[Any]) -> list[Any]:
            known = dict(zip(orbits, entries, strict=True))
            return [known[o] for o in place]

        reduced = Reduced(self.f, len(orbits), full)
        centre = [number(v) for v in body["centre"]]
        found = reduced.newton(centre)
        if found is None:
            return None
        away = sum(((t - c) / number(s)) ** 2 for t, c, s in zip(found, centre, body["scale"], strict=True))
        return full(found) if away <= number(body["radius"]) ** 2 else None

    def known(self, what: Any, theta: list[Any], find: Callable[[], Any]) -> Any:
        """What ``find`` answers about this problem at this point (to all digits), asked once."""
        key = (self.text, what, *(t._mpf_ for t in map(MP.mpf, theta)))
        if key not in KNOWN:
            KNOWN[key] = find()
        return KNOWN[key]

    def critical(self, theta: list[Any]) -> bool:
        return bool(self.known("critical", theta, lambda: all(abs(g) < SMALL for g in self.f.gradient(theta))))

    def inertia(self, theta: list[Any]) -> list[int]:
        return list(self.known("inertia", theta, lambda: self.f.inertia(theta)))

    def minimum(self, theta: list[Any], sign: int = 1) -> bool:
        return self.critical(theta) and bool(self.known(sign, theta, lambda: self.lowest(theta, sign)))

    def lowest(self, theta: list[Any], sign: int) -> bool:
        """Nothing lower (higher) among random neighbours, at three distances and with unequal scales per parameter."""
        rng, value = random.Random(1), self.f(theta)
        for radius in ("0.03", "0.003", "0.0003"):
            for _ in range(60 if len(theta) < 16 else 15):
                step = [number(radius) ** rng.choice((1, 1, 2, 3)) * (2 * MP.mpf(rng.random()) - 1) for _ in theta]
                there = self.f([t + s for t, s in zip(theta, step, strict=True)])
                if sign * (there - value) < -(MP.mpf(10) ** -40):
                    return False
        return True

    def step(self, step: dict[str, Any]) -> bool:
        """Whether one step states a truth (steps that only point at others are judged by the goal)."""
        rule, theta = step["rule"], self.points.get(step.get("point"))
        if "point" in step and theta is None:
            return False
        if rule == "value":
            value = self.f(theta)
            if "value" not in step:
                return bool(number(step["lower"]) <= value <= number(step["upper"]))
            field = self.certificate["points"][step["point"]].get("field", "rational")  # the teacher's point has none
            return bool(
                abs(value - self.element(step["value"], self.generator(field))) < MP.mpf(10) ** -40 * (1 + abs(value))
            )
        if rule in ("stationary", "stationary-in-box"):
            return self.critical(theta)
        if rule == "symmetric-inertia":
            return self.critical(theta) and self.inertia(theta) == step["inertia"]
        if rule == "inertia":
            return self.inertia(theta) == step["inertia"]
        if rule in ("strict-minimum", "maximum", "strict-saddle"):
            pos, zero, neg = self.inertia(theta)
            fits = {"strict-minimum": zero == neg == 0, "maximum": zero == pos == 0, "strict-saddle": pos and neg}
            return self.critical(theta) and bool(fits[rule])
        if rule in ("flat-minimum", "morse-bott-minimum", "minimum-in-ball"):
            return self.minimum(theta)
        if rule == "morse-bott-maximum":
            return self.minimum(theta, -1)
        if rule in ("descent-curve", "ascent-curve"):
            return self.curve(step, theta, 1 if rule == "ascent-curve" else -1)
        if rule == "below":
            low, high = self.points[step["lower"]], self.points[step["upper"]]
            return low is not None and high is not None and bool(self.f(low) < self.f(high))
        if rule == "global":
            floors = [number(s["value"]) for s in self.certificate["steps"] if s["rule"] == "floor"]
            return bool(floors) and abs(self.f(theta) - floors[0]) < MP.mpf(10) ** -40
        if rule == "floor" and "squares" in step:
            return more.squares(self, step, MP)
        if rule in canonical.CANONICAL_RULES:
            return canonical.step_holds(self, step)
        if rule in more.RULES:
            return bool(more.RULES[rule](self, step, MP))
        if rule in features.FEATURE_RULES:
            return features.step_holds(self, step, MP)
        if rule in induced.INDUCED_RULES:
            return induced.step_holds(self, step, MP)
        if rule in gram.GRAM_RULES:
            return gram.step_holds(self, step, MP)
        if rule in complete.RULES or (rule == "floor" and Fraction(step["value"]) != 0):
            return complete.step_holds(self, step, MP)
        if rule in sets.SET_RULES:
            return sets.step_holds(self, step, MP)
        return rule in ("hypothesis", "floor")  # never the subject of a different fact: compared as text

    def curve(self, step: dict[str, Any], theta: list[Any], sign: int) -> bool:
        """(F(p + c(s)) - F(p)) / s^order is close to the coefficient, which has the right sign."""
        generator = self.generator(self.certificate["points"][step["point"]]["field"])
        claimed, s = self.element(step["coefficient"], generator), MP.mpf(10) ** -6
        moved = [
            t + sum((self.element(c, generator) * s ** (k + 1) for k, c in enumerate(row)), MP.mpf(0))
            for t, row in zip(theta, step["curve"], strict=True)
        ]
        slope = (self.f(moved) - self.f(theta)) / s ** step["order"]
        return bool(sign * claimed > 0 and abs(slope - claimed) < MP.mpf("0.001") * (1 + abs(claimed)))

    def holds(self) -> bool:
        """All steps true, and the goal among what they say."""
        if any(p is None for p in self.points.values()) or not all(self.step(s) for s in self.certificate["steps"]):
            return False
        goal = self.certificate["goal"]
        if goal["kind"] in complete.GOALS:
            return True  # all of it is in the steps
        kind, better = goal["kind"], self.points.get(goal.get("better"))
        theta = self.points.get(goal.get("point"))
        if kind in canonical.CANONICAL_GOALS:
            return canonical.goal_holds(self)
        if kind in more.GOALS:
            return True
        if kind in (*gram.GRAM_RULES, *features.FEATURE_RULES, *induced.INDUCED_RULES):
            return True  # the goal repeats its one step
        if kind in sets.SET_GOALS and kind != "descending-path":
            return sets.goal_holds(self, MP)
        if better is not None and not self.f(better) < self.f(theta):
            return False
        if kind == "descending-path":
            return sets.goal_holds(self, MP)
        if kind in ("value", "not-global", "not-local-minimum", "not-local-maximum"):
            if kind.startswith("not-local"):
                return not self.minimum(theta, 1 if kind == "not-local-minimum" else -1) or self.by_curve(kind)
            return True
        if kind in ("critical-point", "critical-inertia"):
            return self.critical(theta)
        if kind in ("strict-saddle", "saddle"):
            return self.critical(theta) and not self.strict(theta)
        sign = -1 if "maximum" in kind else 1
        return self.minimum(theta, sign)

    def strict(self, theta: list[Any]) -> bool:
        pos, zero, neg = self.inertia(theta)
        return zero == 0 and (pos == 0 or neg == 0)

    def by_curve(self, kind: str) -> bool:
        rule = "descent-curve" if kind == "not-local-minimum" else "ascent-curve"
        return any(s["rule"] == rule for s in self.certificate["steps"])


class AllButOne:
    """F_k as a function of (d, e, b, g, a): all units but one alike, k a number; written out by hand for this symmetry."""

    def __init__(self, k: Any) -> None:
        self.k, self.size = k, 5

    def __call__(self, theta: list[Any]) -> Any:
        (d, e, b, g, a), m = theta, self.k - 1
        p, q = MP.sqrt(d * d + (m - 1) * e * e + b * b), MP.sqrt(m * g * g + a * a)

        def f(inner: Any, size: Any) -> Any:
            t = MP.acos(inner / size)
            return size * (MP.sin(t) + (MP.pi - t) * MP.cos(t)) / (2 * MP.pi)

        students = m * (m - 1) / 2 * f(2 * d * e + (m - 2) * e * e + b * b, p * p)
        students += m * f(d * g + (m - 1) * e * g + b * a, p * q)
        taught = m * (f(d, p) + (m - 1) * f(e, p) + f(b, p)) + m * f(g, q) + f(a, q)
        constant = self.k / 4 + self.k * (self.k - 1) / (4 * MP.pi)
        return (m * p * p + q * q) / 4 + students - taught + constant

    moved, gradient, hessian, newton = Landscape.moved, Landscape.gradient, Landscape.hessian, Landscape.newton


def uniform(problem: dict[str, Any], certificate: dict[str, Any]) -> bool:
    """At the first and the last k: a critical point near the stated centre, lowest among the symmetric matrices, with F > 0.
    The centre is compared with the critical point only to a part of its leading terms; it is a hint in the statement."""
    point, step = certificate["points"]["p"], certificate["steps"][0]
    if point["classes"] != [[1, -1], [0, 1]] or not (point["rows"] == point["columns"] == [0, 1]):
        return False
    for k in (problem["network"]["from"], problem["network"]["to"]):
        s = 1 / MP.sqrt(k)
        scale = [s, s * s, s, s, 1]
        start = [sum(number(c) * s**n for n, c in enumerate(row)) for row in point["centre"]]
        f = AllButOne(MP.mpf(k))
        scaled = Reduced(f, 5, lambda eta, scale=scale: [x * t for x, t in zip(eta, scale, strict=True)])  # type: ignore[arg-type, misc]
        found = scaled.newton([x / t for x, t in zip(start, scale, strict=True)])
        if found is None or f([x * t for x, t in zip(found, scale, strict=True)]) <= 0:
            return False
        away = sum(
            ((x * t - c) / (number(z[1]) * s ** z[0])) ** 2
            for x, t, c, z in zip(found, scale, start, point["scale"], strict=True)
        )
        if away > (number(point["radius"][1]) * s ** point["radius"][0]) ** 2:
            return False
        if min(MP.eigsy(scaled.hessian(found), eigvals_only=True)) <= 0:
            return False
    return certificate["goal"]["kind"] == "uniform-spurious-minimum" and step["rule"] == "uniform-minimum"


def holds(problem: dict[str, Any], certificate: dict[str, Any]) -> bool:
    """Whether mpmath agrees with everything that the certificate says."""
    if problem["network"]["kind"] == "student-teacher-relu-family":
        return uniform(problem, certificate)
    return Opinion(problem, certificate).holds()
