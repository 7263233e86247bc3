"""A loss as a float function of many points at once, the critical points that iterations find, and membership in a list.

Independent of the package's algebra: polynomial losses come from `audit_problems.expanded`, piecewise ones from a forward
pass. Floats only look for counterexamples here; every tolerance says what it means.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction as Q
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from audit_problems import Poly, expanded
from scipy.special import erf

from explorer.point import EnclosedPoint
from explorer.problem import Problem
from explorer.solve.scalars import enclosure

Array = Any


@lru_cache(maxsize=4096)
def coordinates(point: Any, bits: int = 220) -> list[Q]:
    """Rational coordinates within 2^-bits of an exact point, or the centre of a box."""
    if isinstance(point, EnclosedPoint):
        return list(point.centre)
    return [sum(enclosure(c, point.field, bits=bits), Q(0)) / 2 for c in point.coordinates]


def derivative(p: Poly, k: int) -> Poly:
    return {(*e[:k], e[k] - 1, *e[k + 1 :]): c * e[k] for e, c in p.items() if e[k]}


def evaluate(p: Poly, x: Array) -> Array:
    """p at the rows of x."""
    out = np.zeros(len(x))
    for e, c in p.items():
        term = np.full(len(x), float(c))
        for k, n in enumerate(e):
            if n:
                term = term * x[:, k] ** n
        out = out + term
    return out


@dataclass(frozen=True)
class Surface:
    problem: Problem

    @property
    def d(self) -> int:
        return len(self.problem.parameters)

    @cached_property
    def terms(self) -> Poly | None:
        return expanded(self.problem)

    @cached_property
    def analytic(self) -> bool:
        """Networks whose activations are analytic, run in floats."""
        net = self.problem.network
        known = (*ANALYTIC, "linear", "square", "cubic")
        r = self.problem.regularizer
        smooth = r is None or r.kind == "l2" or r.exponent % 2 == 0
        return self.terms is None and smooth and all(a.kind in known for a in (*net.activations, net.output))

    @cached_property
    def _derivatives(self) -> tuple[list[Poly], list[list[Poly]]]:
        assert self.terms is not None
        first = [derivative(self.terms, k) for k in range(self.d)]
        return first, [[derivative(p, j) for j in range(self.d)] for p in first]

    def value(self, x: Array) -> Array:
        with np.errstate(all="ignore"):
            return forward(self.problem, x) if self.terms is None else evaluate(self.terms, x)

    def gradient(self, x: Array) -> Array:
        with np.errstate(all="ignore"):
            if self.terms is not None:
                return np.stack([evaluate(p, x) for p in self._derivatives[0]], axis=1)
            if self.analytic:  # the complex step: no cancellation
                step = np.eye(self.d) * 1e-40j
                return np.stack([self.value(x + s).imag / 1e-40 for s in step], axis=1)
            h = 1e-5
            step = np.eye(self.d) * h
            return np.stack([(self.value(x + s) - self.value(x - s)) / (2 * h) for s in step], axis=1)

    def hessian(self, x: Array) -> Array:
        with np.errstate(all="ignore"):
            if self.terms is not None:
                rows = [np.stack([evaluate(p, x) for p in row], axis=1) for row in self._derivatives[1]]
                return np.stack(rows, axis=1)
            h = 1e-4
            step = np.eye(self.d) * h
            return np.stack([(self.gradient(x + s) - self.gradient(x - s)) / (2 * h) for s in step], axis=1)


def forward(problem: Problem, theta: Array) -> Array:
    """F at the rows of ``theta``, by running the network."""
    net = problem.network
    total = np.zeros(len(theta))
    for x, y, c in zip(problem.data.inputs, problem.data.targets, problem.loss.weights, strict=True):
        layer, at = [np.full(len(theta), float(v)) for v in x], 0
        for depth, activation in enumerate((*net.activations, net.output)):
            rows, cols, bias = net.widths[depth + 1], net.widths[depth], net.bias[depth]
            z = []
            for r in range(rows):
                value = np.zeros(len(theta))
                for k in range(cols):
                    value = value + theta[:, at + r * cols + k] * layer[k]
                z.append(value + theta[:, at + rows * cols + r] if bias else value)
            at += rows * (cols + bias)
            layer = [_activate(activation, v) for v in z]
        for output, target in zip(layer, y, strict=True):
            error = output - float(target)
            if problem.loss.kind == "logistic":
                total = total + float(c) * _softplus(-float(target) * output)
            else:
                total = total + float(c) * error**2
    r = problem.regularizer
    if r is not None:
        power = 2 if r.kind == "l2" else r.exponent
        for k, w in enumerate(r.weights):
            base = theta[:, k] if power % 2 == 0 else np.abs(theta[:, k])
            total = total + float(w) * base**power
    return total


def _softplus(z: Array) -> Array:
    """log(1 + e^z), without overflow, for complex z too."""
    return np.where(z.real > 0, z, 0) + np.log1p(np.exp(np.where(z.real > 0, -z, z)))


ANALYTIC = {
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "exp": np.exp,
    "softplus": _softplus,
    "swish": lambda z: z / (1 + np.exp(-z)),
    "erf": erf,
    "gelu": lambda z: z * (1 + erf(z / np.sqrt(2))) / 2,
}


def _activate(activation: Any, z: Array) -> Array:
    kind = activation.kind
    if kind in ANALYTIC:
        return ANALYTIC[kind](z)
    if kind in ("linear", "square", "cubic"):
        return z ** {"linear": 1, "square": 2, "cubic": 3}[kind]
    if kind in ("relu", "requ"):
        return np.maximum(z, 0) ** (1 if kind == "relu" else 2)
    if kind == "leaky_relu":
        return np.where(z > 0, z, float(activation.slope) * z)
    if kind == "elu":
        return np.where(z > 0, z, float(activation.alpha) * np.expm1(np.minimum(z, 0)))
    data = activation.to_json()
    pieces = [np.polyval([float(Q(c)) for c in reversed(p)], z) for p in data["pieces"]]
    out = pieces[0]
    for b, piece in zip(data["breaks"], pieces[1:], strict=True):
        out = np.where(z > float(Q(b)), piece, out)
    return out


def limits(surface: Surface, starts: int, rng: Any) -> tuple[Array, Array]:
    """(critical points, points of lowest value): limits of Levenberg-Marquardt on the gradient from random starts, kept
    where the gradient is tiny and every Hessian eigenvalue is clearly zero or clearly not (so the limit is accurate)."""
    x = rng.normal(size=(starts, surface.d)) * rng.choice([0.3, 1.0, 3.0], size=(starts, 1))
    damping = np.full(starts, 1e-2)
    eye = np.eye(surface.d)
    with np.errstate(all="ignore"):
        size = np.linalg.norm(surface.gradient(x), axis=1)
    with np.errstate(all="ignore"):
        for _ in range(60):
            g, h = surface.gradient(x), surface.hessian(x)
            good = np.isfinite(g).all(axis=1) & np.isfinite(h).all(axis=(1, 2))
            g, h = np.where(good[:, None], g, 0), np.where(good[:, None, None], h, eye)
            values, vectors = np.linalg.eigh(h)
            shrink = values / (values**2 + (damping * (1e-12 + np.minimum(size, 1)))[:, None] + 1e-14)
            y = x - np.einsum("nij,nj,nkj,nk->ni", vectors, shrink, vectors, g)
            new = np.linalg.norm(surface.gradient(y), axis=1)
            better = np.isfinite(new) & (new < size)
            x, size = np.where(better[:, None], y, x), np.where(better, new, size)
            damping = np.clip(np.where(better, damping / 5, damping * 4), 1e-12, 1e6)
    sharp = surface.terms is not None or surface.analytic
    tiny = 1e-10 if sharp else 1e-6
    keep = (size < tiny) & (np.abs(x).max(axis=1) < 50)
    low = x[np.isfinite(surface.value(x))]
    x = x[keep]
    if not len(x):
        return x, low
    eigenvalues = np.linalg.eigvalsh(surface.hessian(x))
    zero, one = (1e-7, 1e-2) if sharp else (1e-5, 1e-1)
    clear = ((np.abs(eigenvalues) < zero) | (np.abs(eigenvalues) > one)).all(axis=1)
    # a limit with a zero eigenvalue is trusted on a smooth family only; at isolated degenerate points it is inaccurate,
    # and the membership test below forgives by 1e-3 times a root of the eigenvalue's order
    return x[clear], low


ROOT = re.compile(r"\(the root of .*? near (-?[0-9.e+-]+)\)")


def on_component(component: Any, names: tuple[str, ...], x: Array, tol: float) -> bool:
    """Whether the float point lies within ``tol`` of a listed point, or satisfies the listed (in)equalities to ``tol``."""
    if component.dimension == 0:
        points = component.points or (component.sample,)
        return any(
            max(abs(a - float(b)) for a, b in zip(x, coordinates(p, 60), strict=True)) < tol * (1 + max(map(abs, x)))
            for p in points
        )
    env = {name: float(v) for name, v in zip(names, x, strict=True)}
    # ranks (deep linear networks) are not looked at: near a limit they are not sharp, so there the value alone is compared
    return all(_holds(text, env, tol) for text in component.equations if not text.startswith("rank("))


def _holds(text: str, env: dict[str, float], tol: float) -> bool:
    text = ROOT.sub(r"(\1)", text).replace("^", "**").replace("...", "")
    if "!=" in text:
        return True
    parts = re.split(r"\s*(<=|>=|<|>|=)\s*", text)
    try:
        values = [float(eval(p, {"__builtins__": {}}, dict(env))) for p in parts[::2]]
    except (NameError, SyntaxError):  # an equation about the network function, not an expression in the parameters
        return True
    scale = 1 + max(map(abs, env.values())) ** 3
    for sign, a, b in zip(parts[1::2], values, values[1:], strict=False):
        if sign == "=" and abs(a - b) > tol * scale:
            return False
        if sign.startswith("<") and a > b + tol * scale:
            return False
        if sign.startswith(">") and a < b - tol * scale:
            return False
    return True
