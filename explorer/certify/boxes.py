"""Steps about a critical point that is known by a box: Krawczyk's test and inertia over the whole box.

The loss is a polynomial, or analytic with an enclosure of its Hessian; the checker evaluates the network itself, so a box that is wide for it may still be
rejected there. The preconditioner and the congruence are hints: rounding them is harmless, dominance decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import cast

import flint

from explorer.algebra.balls import ball
from explorer.algebra.inertia import PRECISION, Undecided, inertia_in_box
from explorer.algebra.krawczyk import prove_box
from explorer.algebra.systems import PolynomialSystem
from explorer.certify.encode import Step, number
from explorer.certify.located import Located
from explorer.errors import NotCertifiable
from explorer.model.kinds import is_polynomial
from explorer.model.polynomial import loss_polynomial
from explorer.point import EnclosedPoint, Inertia
from explorer.solve.boxes.balls import AnalyticGradient


def stationary_in_box(p: Located) -> Step:
    """The box holds exactly one critical point."""
    proof = prove_box(system_of(p), _box(p))
    if isinstance(proof, Undecided):
        raise NotCertifiable(f"box {p.name}", expected="exactly one critical point in it", got=proof.reason)
    return {"rule": "stationary-in-box", "point": p.name, "preconditioner": matrix_json(proof.preconditioner)}


def inertia_over_box(p: Located) -> tuple[Inertia, list[Step]]:
    """The inertia of the Hessian everywhere in the box, so also at the critical point; with both steps."""
    box = _box(p)
    with flint.ctx.workprec(PRECISION):
        x = [ball(a, b) for a, b in zip(box.lower, box.upper, strict=True)]
        hessian = system_of(p).jacobian_at_balls(x)
    found = inertia_in_box(hessian)
    if isinstance(found, Undecided):
        raise NotCertifiable(f"box {p.name}", expected="one inertia over the whole box", got=found.reason)
    step = {
        "rule": "inertia",
        "point": p.name,
        "inertia": [found.inertia.positive, found.inertia.zero, found.inertia.negative],
        "congruence": matrix_json(found.congruence),
    }
    return found.inertia, [stationary_in_box(p), step]


def _box(p: Located) -> EnclosedPoint:
    if not isinstance(p.point, EnclosedPoint):
        raise NotCertifiable(f"point {p.name}", expected="a box")
    return p.point


def system_of(p: Located) -> PolynomialSystem:
    if not is_polynomial(p.problem)[0]:  # the same evaluations with exponentials in balls
        return cast(PolynomialSystem, AnalyticGradient(p.problem))
    loss = loss_polynomial(p.problem)
    return PolynomialSystem.gradient(loss.names, loss.terms)


def matrix_json(rows: Sequence[Sequence[Fraction]]) -> list[list[str]]:
    return [[number(v) for v in row] for row in rows]
