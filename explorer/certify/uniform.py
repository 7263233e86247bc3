"""One certificate for every number of units in a range: rule ``uniform-minimum``."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from explorer.certify.certificate import Certificate
from explorer.certify.encode import assemble, number
from explorer.certify.goals import accepted
from explorer.errors import NotCertifiable
from explorer.point import UniformPoint
from explorer.problem import Problem, StudentTeacherFamily
from explorer.propose.expansion import Family
from explorer.propose.tied import Shape

ORDER = 16  #: of the expansions in the checker
TERMS = 18  #: coefficients of an entry
PLACES = 360  #: binary places of a coefficient
MODULUS = Fraction(1, 16)


def uniform_minimum(first: int, last: int, *, units: int = 30, rest: int = 1, source: str = "") -> Certificate:
    """For every integer k from ``first`` to ``last``: a strict local minimum with F_k > 0, symmetric under the permutations of all units
    but ``rest`` (which are permuted among themselves). Raises `NotCertifiable` where the expansion does not reach down to
    ``first``, or no minimum with ``units`` units is found to start from."""
    shape = Shape((units - rest, rest), (0, 1), (0, 1))
    family = Family(shape)
    start = next(shape.minima(), None)
    if start is None:
        raise NotCertifiable("uniform minimum", expected=f"a minimum with {units} units to start from", got="none")
    try:
        series = family.series(start, units - rest)
    except ArithmeticError as error:
        raise NotCertifiable("uniform minimum", expected="a power series in k^(-1/2)", got=str(error)) from None
    problem = Problem(StudentTeacherFamily(first, last), None, None, None, f"students-every-k-from-{first}", source)
    reason = None
    for exponent in (8, 5, 11):
        try:
            return accepted(certificate(problem, family, series, Fraction(1, 2**exponent)))
        except NotCertifiable as error:
            reason = error
    assert reason is not None
    raise reason


def certificate(
    problem: Problem, family: Family, series: Sequence[Sequence[Fraction]], radius: Fraction
) -> Certificate:
    """Not yet checked: ellipsoids of radius c s^4 in units of s^e, e the power of sqrt k in the size of an orbit of entries."""
    point = UniformPoint(
        tuple(family.pairs),
        family.shape.rows,
        family.shape.columns,
        tuple(tuple(Fraction(round(c * 2**PLACES), 2**PLACES) for c in row[:TERMS]) for row in series),
        tuple((e, Fraction(1)) for e in family.exponents()),
        (4, radius),
    )
    goal = {"kind": "uniform-spurious-minimum", "point": "p"}
    step = {"rule": "uniform-minimum", "point": "p", "modulus": number(MODULUS), "order": ORDER}
    return assemble(problem, goal, {"p": point}, [step])
