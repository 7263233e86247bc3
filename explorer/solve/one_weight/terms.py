"""F(w) = sum_i c_i l(psi(w x_i), y_i) + lambda |w|^p as a function of one weight: derivatives beside a number, exact signs at 0, values.

Between the breaks of psi every formula is analytic; `Line.derivatives` continues the one that holds around a given number, so that an
interval may end at a break. Whether F'(0+) or F'(0-) is 0 is decided exactly where psi(0), psi'(0) lie in Q + Q tau (`slope_at_zero`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import flint
from flint import arb

from explorer.algebra.balls import ball, sign_of
from explorer.errors import Unsupported
from explorer.model import activations
from explorer.model.activations import pieces_of
from explorer.model.jets import Where
from explorer.model.pieces import Pieces, derivative, trim
from explorer.model.pieces import value as polynomial_value
from explorer.point import AnyPoint, EnclosedPoint, Point
from explorer.problem import Activation, Problem
from explorer.solve.boxes.balls import BallRing, rounded
from explorer.solve.growth import Term, terms_of
from explorer.solve.results import Value

PRECISION, FINER = 128, (400, 3000)
ZERO, ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True)
class Line:
    """F as a function of w: the samples that it moves (x not 0, and for the logistic loss y not 0), and lambda |w|^p."""

    samples: tuple[tuple[Fraction, Term], ...]
    weight: Fraction
    exponent: int

    @classmethod
    def of(cls, problem: Problem) -> Line:
        assert problem.data is not None
        pairs = zip(problem.data.inputs, terms_of(problem), strict=True)
        r = problem.regularizer
        return cls(
            tuple((x[0], row[0]) for x, row in pairs if _sees(x[0], row[0])),
            r.weights[0] if r else ZERO,
            (r.exponent or 2) if r else 2,
        )

    @property
    def kinks(self) -> set[Fraction]:
        """Where F may not be twice differentiable (|w|^3 is)."""
        at = {b.at / x for x, t in self.samples for b in activations.row(t.psi).breaks(t.psi)}
        return at | ({ZERO} if self.weight and self.exponent == 1 else set())

    def silent(self, inside: Fraction) -> bool:
        """Whether the data term is constant between the cuts around this number."""
        return all(len(_piece(t.psi, x * inside) or (ONE, ONE)) == 1 for x, t in self.samples)

    def flat(self, inside: Fraction) -> bool:
        """Whether F is constant there."""
        return not self.weight and self.silent(inside)

    def derivatives(self, w: arb, inside: Fraction) -> tuple[arb, arb]:
        """F' and F'' over a ball, by the formulas that hold around ``inside``."""
        first, second = arb(0), arb(0)
        for x, t in self.samples:
            slope, bend = _summand(t, w * ball(x), x * inside)
            first += slope * ball(x)
            second += bend * ball(x * x)
        if self.weight:
            p, side = self.exponent, 1 if inside > 0 else -1
            scale = ball(self.weight * (side if p % 2 else 1) * p)
            first += scale * _power(w, p - 1)
            second += scale * (p - 1) * _power(w, p - 2) if p > 1 else arb(0)
        return first, second


def _power(w: arb, n: int) -> arb:
    out = arb(1)
    for _ in range(n):
        out = out * w
    return out


def _piece(psi: Activation, z: Fraction) -> tuple[Fraction, ...] | None:
    """The polynomial that psi is near z (off its breaks), or None."""
    p = pieces_of(psi)
    return None if p is None else trim(p.polynomials[p.index(z)[0]])


def _summand(t: Term, z: arb, near: Fraction) -> tuple[arb, arb]:
    """d/dz and d^2/dz^2 of c l(psi(z), y), psi continued from ``near``."""
    piece = _piece(t.psi, near)
    if piece is not None:
        values: list[arb] = []
        for _ in range(3):
            total = arb(0)
            for c in reversed(piece):
                total = total * z + ball(c)
            values.append(total)
            piece = derivative(piece)
    elif t.psi.kind == "elu":
        grown = ball(t.psi.alpha or ZERO) * z.exp()
        values = [z, arb(1), arb(0)] if near > 0 else [grown - ball(t.psi.alpha or ZERO), grown, grown]
    else:
        values = _sharp(t.psi.kind, z) or [
            v for v in BallRing().derivatives(t.psi, z, 2, Where("the line")) if v is not None
        ]
    f, up, bend = values
    c, y = ball(t.weight), ball(t.target)
    if t.kind == "squared":
        return 2 * c * (f - y) * up, 2 * c * (up * up + (f - y) * bend)
    share, rest = _sigmoid(-y * f), _sigmoid(y * f)
    return -c * y * share * up, c * y * share * (y * rest * up * up - bend)


def _monotone(f: Callable[[arb], arb], z: arb) -> arb:
    """f over a ball between its values at the ends, which is sharp also where the ball is wide."""
    low, high = f(z.lower()), f(z.upper())
    return low.union(high) if low.is_finite() and high.is_finite() else f(z)


def _sigmoid(z: arb) -> arb:
    return _monotone(lambda v: 1 / (1 + (-v).exp()), z)


def _fading(f: Callable[[arb], arb], z: arb) -> arb:
    """The same for even f that falls with |z|."""
    low, high = f(z.abs_lower()), f(z.abs_upper())
    return low.union(high) if low.is_finite() and high.is_finite() else f(z)


def _bell(u: arb) -> arb:
    """s(u)(1 - s(u)), without cancellation, for a number."""
    fall = (-abs(u)).exp()
    return fall / ((1 + fall) * (1 + fall))


def _sharp(kind: str, z: arb) -> list[arb] | None:
    """The value and two derivatives of some activations, sharp over wide balls too; None for the others."""
    if kind == "exp":
        return [_monotone(lambda v: v.exp(), z)] * 3
    if kind == "erf":
        up = 2 / arb.pi().sqrt() * _fading(lambda v: (-v * v).exp(), z)
        return [_monotone(lambda v: v.erf(), z), up, -2 * z * up]
    bent = _monotone(lambda v: (v / 2).tanh(), z)  # 2s - 1
    if kind == "tanh":
        t, up = _monotone(lambda v: v.tanh(), z), 4 * _fading(_bell, 2 * z)
        return [t, up, -2 * t * up]
    s, r = _sigmoid(z), _fading(_bell, z)
    if kind == "sigmoid":
        return [s, r, -r * bent]
    if kind == "softplus":
        return [_monotone(lambda v: (-abs(v)).exp().log1p() + arb.max(v, arb(0)), z), s, r]
    if kind == "swish":
        return [z * s, s + z * r, r * (2 - z * bent)]
    return None


def blind_part(problem: Problem) -> arb:
    """The summands that do not depend on w."""
    assert problem.data is not None
    total = arb(0)
    for x, row in zip(problem.data.inputs, terms_of(problem), strict=True):
        if not _sees(x[0], row[0]):
            total += _loss(row[0], _output(row[0].psi, arb(0), ZERO)[0])
    return total


def _sees(x: Fraction, t: Term) -> bool:
    """Whether the summand of a sample depends on w: log(1 + e^0) does not."""
    return bool(x) and (t.kind == "squared" or bool(t.target))


def _loss(t: Term, f: arb) -> arb:
    """c l(f, y)."""
    if t.kind == "squared":
        return ball(t.weight) * (f - ball(t.target)) * (f - ball(t.target))
    return ball(t.weight) * (-ball(t.target) * f).exp().log1p()


def value_on_line(problem: Problem, at: AnyPoint) -> Value:
    """F there: exact where the balls of all its terms are, else enclosed."""
    w = at.coordinates[0][0] if isinstance(at, Point) else None
    assert problem.data is not None
    with flint.ctx.workprec(FINER[0]):
        if w is None:
            assert isinstance(at, EnclosedPoint)
            there = ball(at.lower[0], at.upper[0])
        else:
            there = ball(w)
        total, exact = arb(0), ZERO if w is not None else None
        for x, row in zip(problem.data.inputs, terms_of(problem), strict=True):
            t = row[0]
            f, known = _output(t.psi, there * ball(x[0]), w * x[0] if w is not None else None if x[0] else ZERO)
            total += _loss(t, f)
            if exact is not None:
                off = None if known is None or t.kind != "squared" else known - t.target
                exact = None if off is None else exact + t.weight * off**2
        r = problem.regularizer
        if r is not None and r.weights[0]:
            p = r.exponent or 2
            total += ball(r.weights[0]) * _power(abs(there), p)
            exact = None if exact is None or w is None else exact + r.weights[0] * abs(w) ** p
        return Value.rational(exact) if exact is not None else rounded(total)


#: psi(0) where it is rational
AT_ZERO = {
    "sigmoid": Fraction(1, 2),
    "tanh": ZERO,
    "swish": ZERO,
    "exp": ONE,
    "sin": ZERO,
    "erf": ZERO,
    "gelu": ZERO,
    "elu": ZERO,
}
#: psi'(0) where that is
SLOPE_AT_ZERO = {
    "sigmoid": Fraction(1, 4), "tanh": ONE, "softplus": Fraction(1, 2), "swish": Fraction(1, 2), "exp": ONE, "sin": ONE,
    "gelu": Fraction(1, 2),
}  # fmt: skip


def _output(psi: Activation, z: arb, exact: Fraction | None) -> tuple[arb, Fraction | None]:
    """psi over a ball, and at an exact number where that is seen to be rational."""
    p = pieces_of(psi)
    if p is not None:
        known = None if exact is None else polynomial_value(p.polynomials[p.index(exact)[0]], exact)
        return (ball(known) if known is not None else _hull(p, z)), known
    known = AT_ZERO.get(psi.kind) if exact is not None and exact == 0 else None
    if known is not None:
        return ball(known), known
    if psi.kind == "elu":
        if not z < 0 and not z > 0:
            raise Unsupported("a value", expected="a ball on one side of the break", got="one across it")
        return (z if z > 0 else ball(psi.alpha or ZERO) * z.expm1()), exact if exact is not None and exact > 0 else None
    value = BallRing().derivatives(psi, z, 0, Where("the line"))[0]
    assert value is not None
    return value, None


def _hull(p: Pieces, z: arb) -> arb:
    found = None
    for k, piece in enumerate(p.polynomials):
        low, high = p.interval(k)
        if (low is not None and z < ball(low)) or (high is not None and z > ball(high)):
            continue
        total = arb(0)
        for c in reversed(piece):
            total = total * z + ball(c)
        found = total if found is None else found.union(total)
    assert found is not None
    return found


def slope_at_zero(line: Line, side: int) -> int | None:
    """The sign of F'(0 + side 0): exact, as r + s tau; None where the numbers at 0 are not of that form."""
    r, s = ZERO, ZERO
    for x, t in line.samples:
        kind, pieces = t.psi.kind, pieces_of(t.psi)
        value, slope = AT_ZERO.get(kind), SLOPE_AT_ZERO.get(kind)
        if pieces is not None:
            piece = _beside_zero(pieces, side if x > 0 else -side)
            value, slope = piece[0], piece[1] if len(piece) > 1 else ZERO
        elif kind == "elu":
            slope = ONE if side * x > 0 else t.psi.alpha or ZERO
        if t.kind == "squared" and kind == "softplus":  # 2 c (ln 2 - y) x/2
            r, s = r - t.weight * x * t.target, s + t.weight * x
        elif kind == "erf":  # 2 c (0 - y) x 2/sqrt pi, or -c y x (1/2) 2/sqrt pi
            s -= t.weight * t.target * x * (4 if t.kind == "squared" else 1)
        elif value is None or slope is None:
            return None
        elif kind == "softplus" and t.target.denominator == 1 and abs(t.target) <= 64:  # -c y (x/2)/(1 + 2^y)
            r -= t.weight * t.target * x / 2 / (1 + Fraction(2) ** int(t.target))
        elif t.kind == "squared":
            r += 2 * t.weight * (value - t.target) * slope * x
        elif value == 0 or slope == 0 or t.target == 0:
            r -= t.weight * t.target * slope * x / 2
        else:
            return None
    if line.weight and line.exponent == 1:
        r += side * line.weight
    if not s:
        return (r > 0) - (r < 0)
    softplus = any(t.psi.kind == "softplus" for _, t in line.samples)
    for bits in (PRECISION, *FINER):
        with flint.ctx.workprec(bits):
            tau = arb(2).log() if softplus else 1 / arb.pi().sqrt()
            if found := sign_of(ball(r) + ball(s) * tau):
                return found
    return None


def _beside_zero(p: Pieces, side: int) -> tuple[Fraction, ...]:
    """The piece on this side of 0."""
    right = sum(1 for b in p.breaks if b <= 0)
    left = sum(1 for b in p.breaks if b < 0)
    return trim(p.polynomials[right if side > 0 else left])
