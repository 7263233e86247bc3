"""Enclosures of activation functions and their derivatives over many intervals at a time, and which problems they serve."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np

from explorer.model import activations
from explorer.model.activations import pieces_of
from explorer.model.kinds import used_activations
from explorer.model.regularizers import NormCubed, terms
from explorer.problem import Activation, Problem
from explorer.solve import enclosure_arrays as ia
from explorer.solve.enclosure_arrays import Array, Range

#: the derivatives of smaller orders over the same intervals, and what else was computed there
Known = Callable[[int], Range]
Shared = dict[str, Range]

HALF, QUARTER = Fraction(1, 2), Fraction(1, 4)
#: (3 -+ sqrt 3)/6 and the height sqrt(3)/18 of s (1 - s)(1 - 2s) there; 1/sqrt 3 and 4/(3 sqrt 3) for 2t(1 - t^2)
SIGMOID_TURN, SIGMOID_HEIGHT = Fraction(2113248654, 10**10), Fraction(9622504487, 10**11)
TANH_TURN, TANH_HEIGHT = Fraction(5773502692, 10**10), Fraction(7698003590, 10**10)


def _of(p: int, q: int = 1) -> Range:
    return Range.of(Fraction(p, q))


def _outer(value: Fraction) -> float:
    """A turning value that is known up to 1e-9, moved away from 0."""
    ends = ia.around(value, SLACK)
    return ends.hi if value > 0 else ends.lo


SLACK = Fraction(1, 10**9)
HALFWAY = [(Range.of(HALF), Range.of(QUARTER).hi, 1)]
SIGMOID_TURNS = [
    (ia.around(SIGMOID_TURN, SLACK), _outer(SIGMOID_HEIGHT), 1), (ia.around(1 - SIGMOID_TURN, SLACK), _outer(-SIGMOID_HEIGHT), -1)
]  # fmt: skip
TANH_TURNS = [
    (ia.around(-TANH_TURN, SLACK), _outer(TANH_HEIGHT), 1), (ia.around(TANH_TURN, SLACK), _outer(-TANH_HEIGHT), -1)
]  # fmt: skip
MIDDLE = [(Range.of(Fraction(0)), Range.of(Fraction(1)).hi, 1)]


def _sigmoid(a: Activation, z: Range, order: int, known: Known, shared: Shared) -> Range:
    if order == 0:
        return ia.sigmoid(z)
    if order == 1:
        return ia.between(known(0), ia.logistic_slope, HALFWAY)
    return ia.between(known(0), ia.logistic_bend, SIGMOID_TURNS)


def _tanh(a: Activation, z: Range, order: int, known: Known, shared: Shared) -> Range:
    if order == 0:
        return ia.hyperbolic_tangent(z)
    if order == 1:
        return ia.between(known(0), ia.tangent_slope, MIDDLE)
    return ia.between(known(0), ia.tangent_bend, TANH_TURNS)


def _softplus(a: Activation, z: Range, order: int, known: Known, shared: Shared) -> Range:
    """From the slope on it is the sigmoid's business."""
    if order == 0:
        return ia.softplus(z)
    return _sigmoid(a, z, order - 1, lambda k: known(k + 1), shared)


def _swish(a: Activation, z: Range, order: int, known: Known, shared: Shared) -> Range:
    if "sigmoid" not in shared:
        shared["sigmoid"] = ia.sigmoid(z)
    s = [shared["sigmoid"]]
    s += [_sigmoid(a, z, k, lambda _: s[0], shared) for k in range(max(order - 1, 1), order + 1)]
    if order == 0:
        return ia.mul(z, s[0])
    return ia.add(ia.mul(_of(order), s[0 if order == 1 else 1]), ia.mul(z, s[-1]))


def _exp(a: Activation, z: Range, order: int, known: Known, shared: Shared) -> Range:
    return known(0) if order else ia.exp(z)


def _sine(a: Activation, z: Range, order: int, known: Known, shared: Shared) -> Range:
    return ia.negative(known(0)) if order == 2 else ia.cosine(z) if order else ia.sine(z)


def _erf(a: Activation, z: Range, order: int, known: Known, shared: Shared) -> Range:
    if order == 0:
        return ia.erf(z)
    if order == 1:
        return ia.mul(ia.TWO_OVER_ROOT_PI, ia.exp(ia.negative(ia.square(z))))
    return ia.mul(ia.mul(_of(-2), z), known(1))


def _gelu(a: Activation, z: Range, order: int, known: Known, shared: Shared) -> Range:
    if "below" not in shared:
        shared["below"] = ia.mul(HALF_RANGE, ia.add(_of(1), ia.erf(ia.mul(ia.ROOT_HALF, z))))
    if order == 0:
        return ia.mul(z, shared["below"])
    if "density" not in shared:  # e^(-z^2/2)/sqrt(2 pi)
        factor = ia.mul(ia.mul(HALF_RANGE, ia.ROOT_HALF), ia.TWO_OVER_ROOT_PI)
        shared["density"] = ia.mul(factor, ia.exp(ia.negative(ia.square(ia.mul(ia.ROOT_HALF, z)))))
    if order == 1:
        return ia.add(shared["below"], ia.mul(z, shared["density"]))
    return ia.mul(ia.sub(_of(2), ia.square(z)), shared["density"])


def _elu(a: Activation, z: Range, order: int, known: Known, shared: Shared) -> Range:
    alpha, zero = Range.of(a.alpha or Fraction(0)), np.zeros_like(z.lo)
    left = Range(np.minimum(z.lo, zero), np.minimum(z.hi, zero))
    power = ia.mul(alpha, ia.exp(left))
    lower = power if order else ia.sub(power, alpha)
    upper = _of(1 if order == 1 else 0) if order else Range(np.maximum(z.lo, zero), np.maximum(z.hi, zero))
    smooth = 1 if a.alpha == 1 else 0
    return _join([lower, upper], [z.lo <= 0, z.hi >= 0], order > smooth + 1)


HALF_RANGE = Range.of(HALF)
_ANALYTIC: dict[str, Callable[[Activation, Range, int, Known, Shared], Range]] = {
    "sigmoid": _sigmoid, "tanh": _tanh, "softplus": _softplus, "swish": _swish, "exp": _exp, "sin": _sine, "erf": _erf,
    "gelu": _gelu, "elu": _elu,
}  # fmt: skip
#: orders of the derivatives that are nowhere negative
_NONNEGATIVE = {"sigmoid": (0, 1), "tanh": (1,), "softplus": (0, 1, 2), "exp": (0, 1, 2), "erf": (1,)}


def nonnegative(activation: Activation, order: int) -> bool:
    """Whether that derivative is known to be nowhere negative."""
    return order in _NONNEGATIVE.get(activation.kind, ())


def derivative_range(activation: Activation, z: Range, order: int, known: Known, shared: Shared) -> Range:
    """An enclosure of phi^(order), order 0 to 2, over the intervals z.

    A break of an activation inside an interval gives the hull of both sides (Clarke's derivative) one order beyond its
    smoothness, and nan, which proves nothing, beyond that."""
    if pieces_of(activation) is not None:
        found = _piece_range(activation, z, order)
    else:
        found = _ANALYTIC[activation.kind](activation, z, order, known, shared)
    return Range(np.maximum(found.lo, 0), found.hi) if nonnegative(activation, order) else found


def _join(parts: Sequence[Range], meets: Sequence[Array], refuse: bool) -> Range:
    """The hull of the parts that an interval meets; nan where it meets several and that is too rough."""
    lo, hi = np.full(np.shape(meets[0]), np.inf), np.full(np.shape(meets[0]), -np.inf)
    count = 0
    for part, meet in zip(parts, meets, strict=True):
        lo, hi = np.where(meet, np.minimum(lo, part.lo), lo), np.where(meet, np.maximum(hi, part.hi), hi)
        count = count + meet
    bad = (count != 1) if refuse else (count == 0)
    return Range(np.where(bad, np.nan, lo), np.where(bad, np.nan, hi))


def _piece_range(activation: Activation, z: Range, order: int) -> Range:
    """The range of the order-th derivative of a piecewise polynomial."""
    p = pieces_of(activation)
    assert p is not None
    values = [_polynomial_range(c, z) for c in p.derivative_pieces(order)]
    if not p.breaks:
        return values[0]
    smooth = min(b.smoothness for b in breaks) if (breaks := activations.row(activation).breaks(activation)) else order
    ends = [Range.of(b) for b in p.breaks]
    meets = []
    for k in range(len(values)):
        above = z.hi >= ends[k - 1].lo if k else np.ones_like(z.hi, dtype=bool)
        meets.append(above & (z.lo <= ends[k].hi) if k < len(ends) else above)
    return _join(values, meets, order > smooth + 1)


def _polynomial_range(c: Sequence[Fraction], z: Range) -> Range:
    """Horner's rule in z, or in z^2 for even and odd polynomials, whose ranges are sharper then."""
    if not any(c):
        return _of(0)
    parity = {k % 2 for k, v in enumerate(c) if v}
    x, factor = z, None
    if len(parity) == 1 and len(c) > 2:
        (odd,) = parity
        x, factor, c = ia.square(z), z if odd else None, tuple(c)[odd::2]
    value = Range.of(c[-1])
    for v in reversed(c[:-1]):
        value = ia.mul(value, x)
        value = ia.add(value, Range.of(v)) if v else value
    return value if factor is None else ia.mul(value, factor)


def first_order_smooth(problem: Problem) -> bool:
    """Whether F is C^1 (so that its critical points are the zeros of a continuous gradient)."""
    found = [a for _, a in used_activations(problem)]
    found += [t.function for t in terms(problem) if not isinstance(t, NormCubed)]
    return all(b.smoothness >= 1 for a in found for b in activations.row(a).breaks(a))


def applies(problem: Problem) -> str:
    """Why boxes of the problem cannot be enclosed, or the empty string."""
    if any(isinstance(t, NormCubed) for t in terms(problem)):
        return "the neuron-cubic regularizer of several inputs has no enclosure here"
    return ""
