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
from flint import arb, arb_mat

from explorer.algebra.balls import ball, bounds, dyadic_value, round_dyadic
from explorer.algebra.inertia import Undecided
from explorer.algebra.systems import PolynomialSystem
from explorer.errors import Invalid
from explorer.point import EnclosedPoint

PRECISION = 256  #: working bits of the proof; the independent checker's fixed-point intervals have as many
RADII = (40, 50, 60, 80, 100)  #: box radii 2^-k that are tried, the most comfortable first
NEWTON_STEPS = 40


@dataclass(frozen=True)
class KrawczykProof:
    """Krawczyk's test holds: the box of ``point`` holds exactly one root, a simple one. The preconditioner is dyadic."""

    point: EnclosedPoint
    preconditioner: tuple[tuple[Fraction, ...], ...]


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
        middle, whole = box.centre, [ball(a, b) for a, b in zip(box.lower, box.upper, strict=True)]
        jacobian = system.jacobian_at_balls([ball(x) for x in middle])
        preconditioner = _inverse(jacobian, bits)
        if preconditioner is None:
            return Undecided("the Jacobian at the centre of the box is singular or nearly so")
        c = arb_mat([[ball(x) for x in row] for row in preconditioner])
        n = len(middle)
        residual = c * arb_mat([[x] for x in system.at_balls([ball(x) for x in middle])])
        spread = arb_mat(n, n, [arb(int(i == j)) for i in range(n) for j in range(n)]) - c * arb_mat(
            system.jacobian_at_balls(whole)
        )
        offset = spread * arb_mat([[x - ball(m)] for x, m in zip(whole, middle, strict=True)])
        for i, m in enumerate(middle):
            image = ball(m) - residual[i, 0] + offset[i, 0]
            if not image.is_finite():
                return Undecided("the Krawczyk operator has no finite enclosure")
            low, high = bounds(image)
            if not box.lower[i] < low <= high < box.upper[i]:
                return Undecided("the Krawczyk operator does not map the box into its interior")
    return KrawczykProof(box, preconditioner)


def _check_square(system: PolynomialSystem) -> None:
    if not system.is_square:
        raise Invalid(
            "Krawczyk's test",
            expected="as many equations as unknowns",
            got=f"{len(system.equations)} equations in {len(system.names)} unknowns",
        )


def _newton(system: PolynomialSystem, near: Sequence[Fraction]) -> list[Fraction] | Undecided:
    """Newton's method on exact midpoints until the step is below 2^-150; a proposal, so no enclosure is kept."""
    with flint.ctx.workprec(PRECISION):
        x = [round_dyadic(v, PRECISION) for v in near]
        for _ in range(NEWTON_STEPS):
            at = [ball(v) for v in x]
            try:
                step = (
                    arb_mat(system.jacobian_at_balls(at)).mid().solve(arb_mat([[v] for v in system.at_balls(at)]).mid())
                )
            except ZeroDivisionError:
                return Undecided("the Jacobian is singular along Newton's iteration")
            moves = [step[i, 0] for i in range(len(x))]
            if not all(v.is_finite() and abs(v) < 2**PRECISION for v in moves):
                return Undecided("Newton's iteration left the numbers")
            sizes = [dyadic_value(v.mid()) for v in moves]
            x = [round_dyadic(v - s, PRECISION) for v, s in zip(x, sizes, strict=True)]
            if all(abs(s) < Fraction(1, 2**150) for s in sizes):
                return x
    return Undecided("Newton's iteration did not converge")


def _inverse(jacobian: list[list[arb]], bits: int) -> tuple[tuple[Fraction, ...], ...] | None:
    """The inverse of the midpoint, rounded to dyadics of about ``bits`` bits below its largest entry."""
    try:
        entries = arb_mat(jacobian).mid().inv().tolist()
    except ZeroDivisionError:
        return None
    if not all(x.is_finite() for row in entries for x in row):
        return None
    values = [[dyadic_value(x.mid()) for x in row] for row in entries]
    largest = max((abs(x) for row in values for x in row), default=Fraction(0))
    if largest == 0:
        return None
    size = largest.numerator.bit_length() - largest.denominator.bit_length()
    return tuple(tuple(round_dyadic(x, bits - size) for x in row) for row in values)
