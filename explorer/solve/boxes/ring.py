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
from explorer.solve.boxes import arrays as ia
from explorer.solve.boxes.arrays import Array, Range

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


def _turn(place: str, height: str, sign: int) -> tuple[Range, float, int]:
    """A turning point and its value, both known up to 1e-9."""
    return ia.around(Fraction(place), SLACK), _outer(Fraction(height)), sign


SWISH_TURNS = [
    [_turn("-1.2784645428", "-0.2784645428", -1)],
    [_turn("2.3993572805", "1.0998393201", 1), _turn("-2.3993572805", "-0.0998393201", -1)],
    [_turn("0", "0.5", 1), _turn("3.4358409935", "-0.0369143734", -1), _turn("-3.4358409935", "-0.0369143734", -1)],
]  # fmt: skip
GELU_TURNS = [
    [_turn("-0.7517915247", "-0.1699712075", -1)],
    [_turn("1.4142135624", "1.1289041452", 1), _turn("-1.4142135624", "-0.1289041452", -1)],
    [_turn("0", "0.7978845608", 1), _turn("2", "-0.1079819330", -1), _turn("-2", "-0.1079819330", -1)],
]  # fmt: skip
#: of z phi' - phi: -ln 2 at 0; 0.4392288398 and 0.2935316 at the places where phi'' = 0, and 0 at 0
SOFTPLUS_TURNS = [_turn("0", "-0.6931471806", -1)]
SWISH_BALANCE = [
    _turn("2.3993572805", "0.4392288399", 1),
    _turn("-2.3993572805", "0.4392288399", 1),
    _turn("0", "0", -1),
]
GELU_BALANCE = [
    _turn("1.4142135624", "0.2935253264", 1),
    _turn("-1.4142135624", "0.2935253264", 1),
    _turn("0", "0", -1),
]
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


def _parts(z: Range, names: Sequence[str], compute: Callable[[Array], Sequence[Array]], shared: Shared) -> list[Array]:
    """Functions at both ends, stacked, which are kept for derivatives of other orders."""
    if names[0] not in shared:
        found = compute(np.stack(np.broadcast_arrays(z.lo, z.hi)))
        shared.update({name: Range(v[0], v[1]) for name, v in zip(names, found, strict=True)})
    return [np.stack([shared[name].lo, shared[name].hi]) for name in names]


def _swish(a: Activation, z: Range, order: int, known: Known, shared: Shared) -> Range:
    """z s, s + z r and r (2 - |z| t), r = s(1 - s), t = tanh |z/2|; monotone between the turns, since z tanh(z/2) = 2 and, for z > 0,
    z = 6t/(3t^2 - 1) have one solution each (left sides increase, right sides decrease)."""
    s, r, t = _parts(z, ("s", "r", "t"), ia.logistic_parts, shared)
    ends = np.stack(np.broadcast_arrays(z.lo, z.hi))
    if order == 0:
        return ia.turned(z, ends * s, np.abs(ends) * ia.SWISH_ERROR + ia.TINY, SWISH_TURNS[0])
    value = s + ends * r if order == 1 else r * (2 - np.abs(ends) * t)
    return ia.turned(z, value, ia.SWISH_ERROR, SWISH_TURNS[order])


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
    """z Phi, Phi + z phi and (2 - z^2) phi; the next derivative is (z^3 - 4z) phi, so the turns are 0 and +-2, +-sqrt 2, and the one zero
    of Phi + z phi, which lies where that increases."""
    below, density = _parts(z, ("below", "density"), ia.gaussian_parts, shared)
    ends = np.stack(np.broadcast_arrays(z.lo, z.hi))
    if order == 0:
        value = ends * below
    else:
        value = below + ends * density if order == 1 else (2 - ends * ends) * density
    return ia.turned(z, value, ia.gaussian_errors(ends, density, order), GELU_TURNS[order])


def _elu(a: Activation, z: Range, order: int, known: Known, shared: Shared) -> Range:
    alpha, zero = Range.of(a.alpha or Fraction(0)), np.zeros_like(z.lo)
    left = Range(np.minimum(z.lo, zero), np.minimum(z.hi, zero))
    power = ia.mul(alpha, ia.exp(left))
    lower = power if order else ia.sub(power, alpha)
    upper = _of(1 if order == 1 else 0) if order else Range(np.maximum(z.lo, zero), np.maximum(z.hi, zero))
    smooth = 1 if a.alpha == 1 else 0
    return _join([lower, upper], [z.lo <= 0, z.hi >= 0], order > smooth + 1)


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


def balance_range(activation: Activation, z: Range, known: Sequence[Range]) -> Range:
    """An enclosure of psi = z phi' - phi over the intervals z; ``known``: phi and phi' there. psi' = z phi'', so psi turns at 0 and where phi'' = 0.

    tanh, sigmoid: decreasing, since z phi'' <= 0; ends of phi are known up to 8e-14, and |dpsi/dphi| <= 2|z| + 1. softplus:
    -(|z| s(-|z|) + log(1 + e^-|z|)); swish: z^2 s(1 - s); gelu: z^2 phi; even, and of one sign."""
    value, slope = known
    kind, ends = activation.kind, np.stack(np.broadcast_arrays(z.lo, z.hi))
    if kind in ("tanh", "sigmoid"):
        t = np.stack(np.broadcast_arrays(value.lo, value.hi))
        rise = ia.tangent_slope(t) if kind == "tanh" else ia.logistic_slope(t)
        return ia.turned(z, ends * rise - t, (1 + np.abs(ends)) * ia.BALANCE_ERROR, [])
    if kind == "softplus":
        size = -np.abs(ends)
        rest, slack = ia.softplus_at(size)
        found = ia.turned(z, size * ia.logistic_parts(size)[0] - rest, slack + ia.BALANCE_ERROR, SOFTPLUS_TURNS)
        return Range(found.lo, np.minimum(found.hi, 0))
    if kind == "swish":
        found = ia.turned(z, ends * ends * ia.logistic_parts(ends)[1], ia.SWISH_ERROR, SWISH_BALANCE)
        return Range(np.maximum(found.lo, 0), found.hi)
    if kind == "gelu":
        density = ia.gaussian_parts(ends)[1]
        found = ia.turned(z, ends * ends * density, ia.gaussian_errors(ends, density, 2), GELU_BALANCE)
        return Range(np.maximum(found.lo, 0), found.hi)
    return ia.sub(ia.mul(z, slope), value)


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
