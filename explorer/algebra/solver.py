"""All solutions of a polynomial system with finitely many: propose, re-prove every real root, state what is complete.

The proposer (msolve, or an exact Groebner basis without it) yields a rational parametrisation of the complex solutions;
nothing in it is believed: each real root is verified exactly in a number field or by Krawczyk's test.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from typing import Literal

from explorer.algebra.systems import PolynomialSystem
from explorer.budget import Deadline
from explorer.point import AnyPoint


class Dimension(Enum):
    """What the solution set over the complex numbers is."""

    EMPTY = "there is no complex solution"
    FINITE = "there are finitely many complex solutions"
    POSITIVE = "there are infinitely many complex solutions"
    UNDECIDED = "the dimension is not known"


@dataclass(frozen=True)
class RealRoot:
    """One real solution. ``proof`` says how it was proved; ``singular`` whether the Jacobian is singular there.

    ``point`` is a `Point` when the coordinates are rational or in a number field of small degree, else an
    `EnclosedPoint`; ``enclosure`` is a box around it in either case; ``preconditioner`` belongs to ``proof == "krawczyk"``.
    """

    point: AnyPoint
    proof: Literal["exact", "krawczyk"]
    singular: bool
    enclosure: tuple[tuple[Fraction, Fraction], ...]
    preconditioner: tuple[tuple[Fraction, ...], ...] | None = None
    note: str = ""


@dataclass(frozen=True)
class SystemSolution:
    """The solutions of a system and how far the list can be trusted.

    ``complex_count`` counts distinct complex solutions, ``multiplicity`` counts them with multiplicity (the dimension of
    the quotient algebra); both are None unless ``dimension`` is FINITE or EMPTY. ``complex_count_is`` says whether the
    count comes from exact algebra or rests on modular lifting. ``complete``: ``roots`` are all real solutions
    (as far as ``complex_count_is`` goes); if not, ``reason`` says what is missing.
    """

    system: PolynomialSystem
    dimension: Dimension
    roots: tuple[RealRoot, ...]
    complex_count: int | None
    multiplicity: int | None
    complex_count_is: Literal["exact", "modular", "unknown"]
    method: str
    complete: bool
    reason: str = ""

    @property
    def real_points(self) -> tuple[AnyPoint, ...]:
        return tuple(root.point for root in self.roots)


def solve_zero_dimensional(
    system: PolynomialSystem,
    deadline: Deadline,
    *,
    engine: Literal["auto", "msolve", "groebner"] = "auto",
    seed: int = 0,
    max_field_degree: int = 12,
) -> SystemSolution:
    """All real solutions of ``system`` when there are finitely many complex ones.

    A positive-dimensional or empty system is a result (see ``dimension``), not an error. `BudgetExceeded` when the time
    is spent before the list of candidates exists; the engines run in subprocesses that are killed then.
    """
    raise NotImplementedError
