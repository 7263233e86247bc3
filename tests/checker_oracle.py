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
from typing import Any

import checker_oracle_canonical as canonical
import checker_oracle_complete as complete
import checker_oracle_features as features
import checker_oracle_gram as gram
import checker_oracle_induced as induced
import checker_oracle_more as more
import checker_oracle_sets as sets
from checker_oracle_landscape import MP, SMALL, Landscape, Reduced, number, polynomial

KNOWN: dict[tuple[Any, ...], Any] = {}  # what was already found at a point: mutants mostly leave p alone


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


def in_pi(c: Any) -> Any:
    """A coefficient: a number, or pairs [e, q] for the sum of q pi^e."""
    return number(c) if isinstance(c, str) else sum(number(q) * MP.pi**e for e, q in c)


def uniform(problem: dict[str, Any], certificate: dict[str, Any]) -> bool:
    """At the first and the last k (or 100 times the first): a critical point near the stated centre, lowest among the symmetric matrices, with F > 0.
    The centre is compared with the critical point only to a part of its leading terms; it is a hint in the statement."""
    point, step = certificate["points"]["p"], certificate["steps"][0]
    if point["classes"] != [[1, -1], [0, 1]] or not (point["rows"] == point["columns"] == [0, 1]):
        return False
    first, last = problem["network"]["from"], problem["network"]["to"]
    for k in (first, 100 * first if last == "infinity" else last):
        s = 1 / MP.sqrt(k)
        scale = [s, s * s, s, s, 1]
        start = [sum(in_pi(c) * s**n for n, c in enumerate(row)) for row in point["centre"]]
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
