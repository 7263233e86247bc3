"""One certificate for every number of units from a first one on: rule ``uniform-minimum``."""

from __future__ import annotations

from fractions import Fraction

from explorer.budget import Deadline
from explorer.certify.certificate import Certificate, accepted
from explorer.certify.encode import assemble, number
from explorer.certify.limit import CLASSES, POWERS, SIZES, FormalSeries, formal, in_pi
from explorer.errors import NotCertifiable
from explorer.point import InPi, UniformPoint
from explorer.problem import Problem, StudentTeacherFamily

EXACT = 1  #: coefficients of zeta that the certificate holds exactly; later ones are rounded
PLACES = 32  #: binary places of a rounded coefficient
MODULUS = Fraction(1, 64)


def uniform_minimum(
    first: int, last: int | None = None, *, source: str = "", deadline: Deadline | None = None
) -> Certificate:
    """For every integer k from ``first`` (to ``last``): a strict local minimum with F_k > 0, symmetric under the permutations of all
    units but one. Raises `NotCertifiable` where the expansion does not reach down to ``first``."""
    problem = Problem(StudentTeacherFamily(first, last), None, None, None, f"students-every-k-from-{first}", source)
    reason = None
    for order, length, exponent in ((8, 10, 4), (10, 14, 5)):  # of zeta, of the checker's expansions, of the radius
        series = formal(order, deadline=deadline)
        try:
            return accepted(certificate(problem, series, length, Fraction(1, 2**exponent)))
        except NotCertifiable as error:
            reason = error
    assert reason is not None
    raise reason


def certificate(problem: Problem, series: FormalSeries, length: int, radius: Fraction) -> Certificate:
    """Not yet checked: ellipsoids of radius c s^3 in units of s^(m_o - 1), in which the Hessian has a limit."""

    def written(index: int, power: int, c: object) -> InPi:
        if index <= power + EXACT:
            return in_pi(c) or ((0, Fraction(0)),)  # type: ignore[arg-type]
        return ((0, c.at_pi(PLACES)),)  # type: ignore[attr-defined]

    centre = tuple(
        tuple(written(i, m, c) for i, c in enumerate(row)) for row, m in zip(series.entries, POWERS, strict=True)
    )
    scale = tuple((m - 1, Fraction(1)) for m in POWERS)
    point = UniformPoint(SIZES, CLASSES, CLASSES, centre, scale, (3, radius))
    goal = {"kind": "uniform-spurious-minimum", "point": "p"}
    step = {"rule": "uniform-minimum", "point": "p", "modulus": number(MODULUS), "order": length}
    return assemble(problem, goal, {"p": point}, [step])
