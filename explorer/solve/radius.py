"""How far out critical points can be: an exact radius for regularised networks, so that a search in a box is a search everywhere.

Euler's identity, layer by layer. If f is homogeneous of degree D in the parameters of one layer (always so for the last layer of a
network with linear output, D = 1), the derivative of F along them vanishes at a critical point:
p sum lambda_k |theta_k|^p = -D sum_i (dloss_i/df) f_i <= D E, with E = sum c_i |y_i|^2 / 2 for the squared loss (2 (y - f) f <= y^2 / 2)
and E = sum c_i / 3 for the logistic loss (m / (1 + e^m) <= 1/3). Layers below an activation without homogeneity: with one hidden
layer and an l2 regularizer, 2 lambda_k |w_k| = |sum_i (dloss_i/df) . v_j phi'(z_i) x_ik| for bounded phi', and
2 sum_k lambda_k w_k^2 <= K |v_j| sum_i |dloss_i/df| where |z phi'(z)| <= K. The lemma with its proof: docs/certificate.md, rule radius.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

from explorer.errors import Unsupported
from explorer.model.activations import pieces_of
from explorer.problem import Activation, DenseNetwork, Problem

#: bounds of |phi'|, and of |z phi'(z)|
SLOPES = {
    "linear": Fraction(1), "tanh": Fraction(1), "softplus": Fraction(1), "sin": Fraction(1), "sigmoid": Fraction(1, 4),
    "swish": Fraction(5, 4), "gelu": Fraction(5, 4), "erf": Fraction(113, 100),
}  # fmt: skip
SPREADS = {"sigmoid": Fraction(1, 4), "tanh": Fraction(1, 2), "erf": Fraction(1, 2)}
BITS = 8  #: bounds are rounded up to multiples of 2^-BITS


@dataclass(frozen=True)
class Radius:
    """Every critical point has |theta_k| <= bounds[k], and sum over ``ball`` of lambda_k |theta_k|^p <= its limit."""

    bounds: tuple[Fraction, ...]
    balls: tuple[tuple[tuple[int, ...], Fraction], ...]
    #: (linear forms, Z): no critical point has all forms > Z, or all < -Z
    slabs: tuple[tuple[tuple[tuple[tuple[int, Fraction], ...], ...], Fraction], ...] = ()
    #: without a regularizer: whether F goes to infinity far out, else a number that no limit of F far out is below
    coercive: bool = False
    beneath: Fraction | None = None


def radius(problem: Problem) -> Radius:
    """The a-priori radius; `Unsupported` with the reason where the lemma does not reach."""
    net, loss, regularizer, data = problem.network, problem.loss, problem.regularizer, problem.data
    if not isinstance(net, DenseNetwork) or loss is None or data is None or net.output.kind != "linear":
        raise _refused("a network with a linear output", "another loss")
    if regularizer is None or regularizer.kind not in ("l2", "power") or not all(regularizer.weights):
        raise _refused("an l2 or power regularizer with positive weights", "none such")
    p = regularizer.exponent or 2
    if p < 2:
        raise _refused("a differentiable regularizer", f"exponent {p}")
    if loss.kind == "squared":
        energy = sum((c * v * v for c, y in zip(loss.weights, data.targets, strict=True) for v in y), Fraction(0)) / 2
    else:
        energy = sum(loss.weights, Fraction(0)) / 3
    first = starts(net)
    balls: list[tuple[tuple[int, ...], Fraction]] = []
    bounds: dict[int, Fraction] = {}
    degree = 1
    for layer in range(net.depth, 0, -1):
        inside = tuple(range(first[layer - 1], first[layer]))
        limit = degree * energy / p
        balls.append((inside, limit))
        bounds |= {k: root_above(limit / regularizer.weights[k], p) for k in inside}
        own = homogeneity(net.activations[layer - 2]) if layer > 1 else None
        if own is None or net.bias[layer - 1]:
            break
        degree *= own
    for k in range(first[1]):
        if k not in bounds:
            bounds[k] = _first_layer(problem, net, k, energy, regularizer.weights, p)
    missing = [problem.parameters[k] for k in range(len(problem.parameters)) if k not in bounds]
    if missing:
        raise _refused("bounds of all parameters", f"none for {', '.join(missing)[:80]}")
    return Radius(tuple(bounds[k] for k in range(len(problem.parameters))), tuple(balls))


def _refused(expected: str, got: str) -> Unsupported:
    return Unsupported("a-priori radius", expected=expected, got=got, remedy="give a box with --box")


def starts(net: DenseNetwork) -> list[int]:
    out = [0]
    for cols, rows, bias in zip(net.widths, net.widths[1:], net.bias, strict=False):
        out.append(out[-1] + rows * (cols + bool(bias)))
    return out


def homogeneity(activation: Activation) -> int | None:
    """D >= 1 with phi(tz) = t^D phi(z) for all t > 0."""
    p = pieces_of(activation)
    if p is None or set(p.breaks) - {Fraction(0)}:
        return None
    degrees = {k for c in p.polynomials for k, v in enumerate(c) if v}
    return degrees.pop() if len(degrees) == 1 and 0 not in degrees else None


def _first_layer(
    problem: Problem, net: DenseNetwork, k: int, energy: Fraction, weights: Sequence[Fraction], p: int
) -> Fraction:
    loss, data = problem.loss, problem.data
    assert loss is not None
    assert data is not None
    act, cols, rows = net.activations[0] if net.depth > 1 else Activation("linear"), net.widths[0], net.widths[1]
    slope = Fraction(1) if act.kind == "elu" and act.alpha == 1 else SLOPES.get(act.kind)
    spread = SPREADS.get(act.kind)
    if net.depth != 2 or p != 2 or (slope is None and spread is None):
        raise _refused("one hidden layer with a bounded slope and an l2 regularizer", f"{act.kind}, {net.depth} layers")
    unit, column = (k // cols, k % cols) if k < rows * cols else (k - rows * cols, None)
    first = rows * cols + (rows if net.bias[0] else 0)
    outgoing = energy / (2 * min(weights[first + i * rows + unit] for i in range(net.widths[2])))

    def flux(moments: Sequence[Fraction]) -> Fraction:
        if loss.kind == "squared":
            return 8 * energy * sum((c * t * t for c, t in zip(loss.weights, moments, strict=True)), Fraction(0))
        each = zip(loss.weights, moments, data.targets, strict=True)
        return sum((c * t * abs(y[0]) for c, t, y in each), Fraction(0)) ** 2

    found = []
    if slope is not None:
        moments = [Fraction(1) if column is None else abs(x[column]) for x in data.inputs]
        found.append(root_above(slope**2 * outgoing * flux(moments) / (2 * weights[k]) ** 2, 2))
    if spread is not None:
        ones = [Fraction(1)] * len(data.inputs)
        found.append(root_above(spread**2 * outgoing * flux(ones) / (2 * weights[k]) ** 2, 4))
    return min(found)


def root_above(x: Fraction, p: int) -> Fraction:
    """A short number r > 0 with r^p >= x."""
    scale = 2**BITS
    if p in (2, 4):
        n = isqrt(-(-x.numerator * scale**2 // x.denominator)) + 1
        r = Fraction(n, scale)
        return r if p == 2 else root_above(r, 2)
    n = 1
    while Fraction(n, scale) ** p < x:
        n *= 2
    low = n // 2
    while n - low > 1:
        middle = (low + n) // 2
        low, n = (middle, n) if Fraction(middle, scale) ** p < x else (low, middle)
    return Fraction(n, scale)
