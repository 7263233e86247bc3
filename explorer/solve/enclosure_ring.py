"""Many boxes at a time as a ring of the jet engine: enclosures of F's gradient and Hessian over each of them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from explorer.errors import Unsupported
from explorer.model import activations, losses
from explorer.model.activations import pieces_of
from explorer.model.jets import Where, loss_jet
from explorer.model.kinds import used_activations
from explorer.model.regularizers import NormCubed, terms
from explorer.problem import Activation, DenseNetwork, Problem
from explorer.solve import enclosure_arrays as ia
from explorer.solve.enclosure_arrays import Array, Range

HALF, QUARTER = Fraction(1, 2), Fraction(1, 4)
#: (3 -+ sqrt 3)/6 and the height sqrt(3)/18 of s (1 - s)(1 - 2s) there; 1/sqrt 3 and 4/(3 sqrt 3) for 2t(1 - t^2)
SIGMOID_TURN, SIGMOID_HEIGHT = Fraction(2113248654, 10**10), Fraction(9622504487, 10**11)
TANH_TURN, TANH_HEIGHT = Fraction(5773502692, 10**10), Fraction(7698003590, 10**10)


class BoxRing:
    """`Range` arrays as a ring. A break of an activation inside an interval gives the hull of both sides (Clarke's derivative)
    one order beyond its smoothness, and nan, which proves nothing, beyond that."""

    def constant(self, value: Fraction) -> Range:
        return Range.of(value)

    def mul(self, a: Range, b: Range) -> Range:
        return ia.mul(a, b)

    def total(self, summands: Sequence[Range]) -> Range:
        return ia.total(summands) if summands else Range.of(Fraction(0))

    def is_zero(self, a: Range) -> bool:
        return a.is_zero

    def norm_cubed(self, square: Range, where: Where) -> tuple[Range, Range, Range] | None:
        raise Unsupported(str(where), expected="no neuron-cubic regularizer of several inputs", got="one")

    def derivatives(self, activation: Activation, z: Range, order: int, where: Where) -> list[Range | None]:
        if z.scalar:
            z = Range(np.asarray(z.lo), np.asarray(z.hi))
        if pieces_of(activation) is not None:
            return [_piece_range(activation, z, k) for k in range(order + 1)]
        return list(_ANALYTIC[activation.kind](activation, z, order))


def _of(p: int, q: int = 1) -> Range:
    return Range.of(Fraction(p, q))


def _flat(value: Fraction) -> Range:
    """A turning value, rounded to an enclosure that surely holds it."""
    slack = Fraction(1, 10**9)
    return Range(Range.of(value - slack).lo, Range.of(value + slack).hi)


def _sigmoid_slopes(s: Range, order: int) -> list[Range]:
    """s(1 - s) and s(1 - s)(1 - 2s) over an interval of values s."""

    def first(v: Range) -> Range:
        return ia.mul(v, ia.sub(_of(1), v))

    def second(v: Range) -> Range:
        return ia.mul(first(v), ia.sub(_of(1), ia.mul(_of(2), v)))

    out = [ia.polynomial(s, first, [(HALF, _of(1, 4))])]
    if order > 1:
        low, high = SIGMOID_TURN, 1 - SIGMOID_TURN
        out.append(ia.polynomial(s, second, [(low, _flat(SIGMOID_HEIGHT)), (high, _flat(-SIGMOID_HEIGHT))]))
    return out[:order]


def _sigmoid(a: Activation, z: Range, order: int) -> list[Range]:
    s = ia.sigmoid(z)
    return [s, *_sigmoid_slopes(s, order)]


def _tanh(a: Activation, z: Range, order: int) -> list[Range]:
    def first(v: Range) -> Range:
        return ia.sub(_of(1), ia.square(v))

    def second(v: Range) -> Range:
        return ia.mul(ia.mul(_of(-2), v), first(v))

    t = ia.sub(ia.mul(_of(2), ia.sigmoid(ia.mul(_of(2), z))), _of(1))
    out = [t]
    if order > 0:
        out.append(ia.polynomial(t, first, [(Fraction(0), _of(1))]))
    if order > 1:
        out.append(ia.polynomial(t, second, [(-TANH_TURN, _flat(TANH_HEIGHT)), (TANH_TURN, _flat(-TANH_HEIGHT))]))
    return out


def _softplus(a: Activation, z: Range, order: int) -> list[Range]:
    value = [ia.softplus(z)]
    return value if not order else [*value, *_sigmoid(a, z, order - 1)]


def _swish(a: Activation, z: Range, order: int) -> list[Range]:
    s = _sigmoid(a, z, order)
    out = [ia.mul(z, s[0])]
    if order > 0:
        out.append(ia.add(s[0], ia.mul(z, s[1])))
    if order > 1:
        out.append(ia.add(ia.mul(_of(2), s[1]), ia.mul(z, s[2])))
    return out


def _exp(a: Activation, z: Range, order: int) -> list[Range]:
    return [ia.exp(z)] * (order + 1)


def _sine(a: Activation, z: Range, order: int) -> list[Range]:
    s, c = ia.sine(z), ia.cosine(z)
    return [s, c, ia.negative(s)][: order + 1]


def _erf(a: Activation, z: Range, order: int) -> list[Range]:
    g = ia.mul(ia.TWO_OVER_ROOT_PI, ia.exp(ia.negative(ia.square(z))))
    return [ia.erf(z), g, ia.mul(ia.mul(_of(-2), z), g)][: order + 1]


def _gelu(a: Activation, z: Range, order: int) -> list[Range]:
    x = ia.mul(ia.ROOT_HALF, z)
    below = ia.mul(_of(1, 2), ia.add(_of(1), ia.erf(x)))
    g = ia.mul(ia.mul(ia.mul(_of(1, 2), ia.ROOT_HALF), ia.TWO_OVER_ROOT_PI), ia.exp(ia.negative(ia.square(x))))
    bend = ia.mul(ia.sub(_of(2), ia.square(z)), g)
    return [ia.mul(z, below), ia.add(below, ia.mul(z, g)), bend][: order + 1]


def _elu(a: Activation, z: Range, order: int) -> list[Range]:
    alpha, zero = Range.of(a.alpha or Fraction(0)), np.zeros_like(z.lo)
    left, right = (
        Range(np.minimum(z.lo, zero), np.minimum(z.hi, zero)),
        Range(np.maximum(z.lo, zero), np.maximum(z.hi, zero)),
    )
    power = ia.mul(alpha, ia.exp(left))
    lower = [ia.sub(power, alpha), power, power]
    upper = [right, _of(1), _of(0)]
    smooth = 1 if a.alpha == 1 else 0
    return [_join([lower[k], upper[k]], [z.lo <= 0, z.hi >= 0], k > smooth + 1) for k in range(order + 1)]


_ANALYTIC = {
    "sigmoid": _sigmoid, "tanh": _tanh, "softplus": _softplus, "swish": _swish, "exp": _exp, "sin": _sine, "erf": _erf,
    "gelu": _gelu, "elu": _elu,
}  # fmt: skip


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


def derivatives(problem: Problem, lo: Array, hi: Array, *, order: int) -> tuple[Range, Range | None]:
    """Enclosures over the boxes lo[:, n] <= theta <= hi[:, n]: the gradient, shape (d, N), and for order 2 the Hessian, (d, d, N)."""
    d, n = lo.shape
    with np.errstate(all="ignore"):
        jet = loss_jet(problem, BoxRing(), [Range(lo[k], hi[k]) for k in range(d)], order=order)
    gradient = Range(np.zeros((d, n)), np.zeros((d, n)))
    for i, g in jet.gradient.items():
        gradient.lo[i], gradient.hi[i] = g.lo, g.hi
    if order < 2:
        return gradient, None
    hessian = Range(np.zeros((d, d, n)), np.zeros((d, d, n)))
    for (i, j), h in jet.hessian.items():
        hessian.lo[i, j] = hessian.lo[j, i] = h.lo
        hessian.hi[i, j] = hessian.hi[j, i] = h.hi
    return gradient, hessian


def is_dense(problem: Problem) -> bool:
    return isinstance(problem.network, DenseNetwork) and problem.loss is not None and bool(losses.row(problem.loss))
