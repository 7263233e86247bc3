"""Descent from p to q, and the segment between them (Conjecture V.1): runs whose end points are exact.

Gradient descent is followed step by step. Gradient flow of (1 - w_1 ... w_L)^2 keeps all differences w_j^2 - w_k^2; for two factors, or three with
two of them equal, the orbit is the hyperbola x + y = t, x - y = A/t, and the flow runs along it until the product is 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from explorer.certify.certificate import Certificate, Instance, accepted
from explorer.certify.encode import Step, assemble, number
from explorer.certify.paths import piece_json
from explorer.paths.curves import Piece
from explorer.point import Point, RationalField
from explorer.problem import Problem

F = Fraction


def descent(
    problem: Problem, a: Point, b: Point, motion: Sequence[Step], *, at: tuple[Fraction, Fraction] | None = None
) -> Certificate:
    """``interpolation-rises`` between the fractions ``at`` of the segment from ``a`` to ``b``, or ``interpolation-falls``."""
    ends = {"point": "p", "to": "q"}
    steps: list[Step] = [dict(step) if step["rule"] == "stationary" else {**step, **ends} for step in motion]
    steps.append({"rule": "chord", **ends} | ({"at": [number(s) for s in at]} if at else {}))
    goal = {"kind": "interpolation-rises" if at else "interpolation-falls", **ends}
    return accepted(assemble(problem, goal, {"p": a, "q": b}, steps))


def overshoot(source: str) -> Instance:
    """(vw - 1)^2, step 1/4, from (2, 2): the gradient is 2 (4 - 1) (2, 2) = (12, 12), one step leads to (-1, -1), a minimum.

    On the segment F(1, 1) = 0 and F(0, 0) = 1: at the fractions 1/3 and 2/3.
    """
    problem = Problem.dense(widths=[1, 1, 1], inputs=[1], targets=[1], slug="chord-overshoot", source=source)
    a, b = Point.rational([2, 2]), Point.rational([-1, -1])
    motion: list[Step] = [{"rule": "gradient-step", "step": "1/4"}, {"rule": "stationary", "point": "q"}]
    made = descent(problem, a, b, motion, at=(F(1, 3), F(2, 3)))
    return Instance(problem.slug, problem, (("interpolation-rises", made),))


def chain_flow(source: str) -> Instance:
    """(1 - xyz)^2 with y = z: gradient flow from x = -6.9..., y = 6.9... ends at y = 41/40, x = 1/y^2, and before that the chord has
    left the minima again: F rises between 38/40 and 39/40 of the way."""
    problem = Problem.dense(widths=[1, 1, 1, 1], inputs=[1], targets=[1], slug="chord-chain-flow", source=source)
    y = F(41, 40)
    x = 1 / y**2
    constant = (x - y) * (x + y)
    made = _hyperbola(problem, constant, F(1, 96), x + y, (0, 1, 1), at=(F(38, 40), F(39, 40)))
    return Instance(problem.slug, problem, (("interpolation-rises", made),))


def two_layers(source: str) -> Instance:
    """(vw - 1)^2: gradient flow from (19/8, -11/8) to (2, 1/2), where v^2 - w^2 = 15/4 throughout; the chord falls all the way."""
    problem = Problem.dense(widths=[1, 1, 1], inputs=[1], targets=[1], slug="chord-two-layers", source=source)
    made = _hyperbola(problem, F(15, 4), F(1), F(5, 2), (0, 1), at=None)
    return Instance(problem.slug, problem, (("interpolation-falls", made),))


def _hyperbola(
    problem: Problem,
    constant: Fraction,
    start: Fraction,
    until: Fraction,
    roles: Sequence[int],
    *,
    at: tuple[Fraction, Fraction] | None,
) -> Certificate:
    """The flow along x = (t + A/t)/2, y = (t - A/t)/2 from t = start to t = until; ``roles`` says which parameter is x (0) or y (1)."""
    half = F(1, 2)
    pair = [(((sign * constant * half,), (-1,)), ((half,), (1,))) for sign in (1, -1)]
    curve: Piece = tuple(pair[r] for r in roles)
    a, b = (
        Point.rational([(t + sign * constant / t) / 2 for sign in ((1, -1)[r] for r in roles)]) for t in (start, until)
    )
    flow: Step = {
        "rule": "flow",
        "from": number(start),
        "until": number(until),
        "path": piece_json(curve, RationalField()),
    }
    return descent(problem, a, b, [flow], at=at)
