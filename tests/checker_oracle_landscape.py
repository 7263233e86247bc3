"""F of a problem file in mpmath at 50 digits, for the second opinion: evaluated straight from the file, derivatives by
difference quotients. It shares no code and no method with the checker."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import Any

import mpmath

MP = mpmath.MPContext()  # a context of our own: nothing global changes
MP.dps = 50
STEP = MP.mpf(10) ** -16  # of difference quotients; their error is about its square
SMALL = MP.mpf(10) ** -15  # what counts as 0 for a quantity that is either 0 or "of order 1" in these examples


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
