"""Existence and uniqueness of a root in a box: Krawczyk's test in ball arithmetic.

With m the centre of the box B, C a preconditioner and J the Jacobian: if K = m - C F(m) + (I - C J(B)) (B - m) lies in the
interior of B, then B holds exactly one root of F, and it is simple.
Source: R. Krawczyk, Computing 4 (1969) 187-201; R. E. Moore, SIAM J. Numer. Anal. 14 (1977) 611-615.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import flint
from flint import arb, arb_mat, fmpz_mat

from explorer.algebra.balls import ball, dyadic_value, magnitude, nearest, round_dyadic
from explorer.algebra.inertia import Undecided
from explorer.algebra.systems import PolynomialSystem
from explorer.errors import Invalid
from explorer.point import EnclosedPoint

PRECISION = 256  #: working bits of the proof; the independent checker's fixed-point intervals have as many
RADII = (40, 50, 60, 80, 100)  #: box radii 2^-k that are tried, the most comfortable first
NEWTON_STEPS = 40
CLOSE = 75  #: a step of 2^-CLOSE is the last one: Newton's method converges quadratically


@dataclass(frozen=True)
class KrawczykProof:
    """Krawczyk's test holds: the box of ``point`` holds exactly one root, a simple one. The preconditioner is dyadic: ``scaled`` times
    2^-``bits``."""

    point: EnclosedPoint
    scaled: tuple[tuple[int, ...], ...]
    bits: int

    @property
    def preconditioner(self) -> tuple[tuple[Fraction, ...], ...]:
        unit = Fraction(1, 2**self.bits) if self.bits >= 0 else Fraction(2**-self.bits)
        return tuple(tuple(c * unit for c in row) for row in self.scaled)


def prove_root(
    system: PolynomialSystem, near: Sequence[Fraction], *, radii: Sequence[int] = RADII
) -> KrawczykProof | Undecided:
    """A proof that the square ``system`` has exactly one root in a small dyadic box around ``near`` (refined by Newton).

    ``near`` is only a proposal; the box says where the root is, and the caller compares it with where it should be.
    """
    _check_square(system)
    refined = _newton(system, near)
    if isinstance(refined, Undecided):
        return refined
    outcome: KrawczykProof | Undecided = Undecided("no radius was tried")
    for k in radii:
        centre = [round_dyadic(x, k + 40) for x in refined]
        radius = Fraction(1, 2**k)
        box = EnclosedPoint(tuple(x - radius for x in centre), tuple(x + radius for x in centre))
        outcome = prove_box(system, box)
        if isinstance(outcome, KrawczykProof):
            return outcome
    return outcome


def prove_box(system: PolynomialSystem, box: EnclosedPoint, *, bits: int = 64) -> KrawczykProof | Undecided:
    """Krawczyk's test for a given box; the preconditioner has about ``bits`` significant bits."""
    _check_square(system)
    if any(a >= b for a, b in zip(box.lower, box.upper, strict=True)):
        raise Invalid("box", expected="lower < upper in every coordinate", got="an empty or flat box")
    with flint.ctx.workprec(PRECISION):
        middle = [ball(x) for x in box.centre]
        radii = [ball((b - a) / 2) for a, b in zip(box.lower, box.upper, strict=True)]
        inverse = _inverse(arb_mat(system.jacobian_at_balls(middle)), bits)
        if inverse is None:
            return Undecided("the Jacobian at the centre of the box is singular or nearly so")
        scaled, bits = inverse
        n = len(middle)
        # the entries are exact: integers times a power of two
        c = arb_mat(fmpz_mat([list(row) for row in scaled])) * arb((1, -bits))
        residual = c * arb_mat([[x] for x in system.at_balls(middle)])
        whole = arb_mat(system.jacobian_at_balls([arb(m, r) for m, r in zip(middle, radii, strict=True)]))
        spread = arb_mat(n, n, [int(i == j) for i in range(n) for j in range(n)]) - c * whole
        # the operator's image minus the centre, to be compared with the radius
        moved = (spread * arb_mat([[arb(0, r)] for r in radii]) - residual).tolist()
        for (shift,), radius in zip(moved, radii, strict=True):
            if not shift.is_finite():
                return Undecided("the Krawczyk operator has no finite enclosure")
            if not abs(shift) < radius:
                return Undecided("the Krawczyk operator does not map the box into its interior")
    return KrawczykProof(box, scaled, bits)


def _check_square(system: PolynomialSystem) -> None:
    if not system.is_square:
        raise Invalid(
            "Krawczyk's test",
            expected="as many equations as unknowns",
            got=f"{len(system.equations)} equations in {len(system.names)} unknowns",
        )


def _newton(system: PolynomialSystem, near: Sequence[Fraction]) -> list[Fraction] | Undecided:
    """Newton's method on exact midpoints until a step is below 2^-CLOSE; a proposal, so no enclosure is kept."""
    with flint.ctx.workprec(PRECISION):
        x = [ball(v).mid() for v in near]
        close, far = arb((1, -CLOSE)), arb((1, PRECISION))
        for _ in range(NEWTON_STEPS):
            try:
                step = (
                    arb_mat(system.jacobian_at_balls(x)).mid().solve(arb_mat([[v] for v in system.at_balls(x)]).mid())
                )
            except ZeroDivisionError:
                return Undecided("the Jacobian is singular along Newton's iteration")
            moves = [v for (v,) in step.tolist()]
            if not all(v.is_finite() and abs(v) < far for v in moves):
                return Undecided("Newton's iteration left the numbers")
            moves = [v.mid() for v in moves]
            x = [(v - s).mid() for v, s in zip(x, moves, strict=True)]
            if all(abs(s) < close for s in moves):
                return [dyadic_value(v) for v in x]
    return Undecided("Newton's iteration did not converge")


def _inverse(jacobian: arb_mat, bits: int) -> tuple[tuple[tuple[int, ...], ...], int] | None:
    """The inverse of the midpoint as integers times a power 2^-k, rounded to about ``bits`` bits below its largest entry, and k."""
    try:
        entries = jacobian.mid().inv().mid().tolist()
    except ZeroDivisionError:
        return None
    values = [x for row in entries for x in row]
    if not all(x.is_finite() for x in values) or all(x.is_zero() for x in values):
        return None
    bits -= max(magnitude(x) for x in values if not x.is_zero())
    return tuple(tuple(nearest(x, bits) for x in row) for row in entries), bits
