"""Plane slices through a global minimum (Conjecture V.2): one with a walled bad minimum, and networks none of whose slices has one."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from explorer.certify.certificate import Certificate, Instance, accepted
from explorer.certify.encode import Step, assemble, number
from explorer.certify.located import Located
from explorer.certify.recipes.segments import CENTRE, FIRST, SECOND, TARGETS
from explorer.point import Point
from explorer.problem import Problem

F = Fraction


def slice_basin(
    problem: Problem,
    centre: Point,
    directions: Sequence[Sequence[Fraction | int]],
    *,
    at: Sequence[Fraction],
    level: Fraction,
    lower: Sequence[Fraction],
    upper: Sequence[Fraction],
    cuts: Sequence[int],
) -> Certificate:
    """``slice-basin``: F(centre + sum_k z_k direction_k) has a walled component around z = ``at``, above F(centre)."""
    step: Step = {"rule": "slice-basin", "point": "p", "level": number(level), "cuts": list(cuts)}
    step["directions"] = [[number(F(v)) for v in row] for row in directions]
    step |= {key: [number(F(v)) for v in row] for key, row in (("at", at), ("lower", lower), ("upper", upper))}
    steps = [Located(problem, "p", centre).value_step(), step]
    return accepted(assemble(problem, {"kind": "slice-basin", "point": "p"}, {"p": centre}, steps))


def deltoid(width: int, source: str, *, relu: bool = False) -> Instance:
    """The slice |z^2 + 2 conj z + 13/4|^2 of a linear network of any width >= 3, or of a ReLU network of width >= 6.

    A linear unit v w.x is v relu(w.x) - v relu(-w.x): two ReLU units. The wall is at level 6 around z = -1.
    """
    rows = [
        [[F(v) for v in e] for e in zip(*triple, strict=True)] for triple in zip(CENTRE, FIRST, SECOND, strict=True)
    ]
    if relu:
        rows += [[[-v for v in e] for e in row] for row in rows]
    rows += [[[F(0)] * 3] * 3] * (width - len(rows))
    flat = [e for row in rows for e in row[1:]] + [row[0] for row in rows]
    problem = Problem.dense(
        widths=[2, width, 1], activation="relu" if relu else "linear", inputs=[[1, 0], [0, 1]], targets=list(TARGETS),
        slug=f"slice-deltoid-{'relu' if relu else 'linear'}-w{width}", source=source,
    )  # fmt: skip
    made = slice_basin(
        problem, Point.rational([e[0] for e in flat]), [[e[k] for e in flat] for k in (1, 2)],
        at=(F(-2), F(-5, 2)), level=F(6), lower=(F(-5, 2), F(-3)), upper=(F(-3, 2), F(-2)), cuts=(12, 12),
    )  # fmt: skip
    return Instance(problem.slug, problem, (("slice-basin", made),))


def without_bad_minima(source: str) -> tuple[Instance, ...]:
    """One sample and a linear network of one or two layers: f is a quadratic polynomial of the parameters, so no slice has a bad minimum."""
    out = []
    for widths, inputs in (([1, 1, 1], [1]), ([3, 50, 1], [[1, 2, -1]])):
        problem = Problem.dense(
            widths=widths, inputs=inputs, targets=[1], slug=f"slices-{'-'.join(map(str, widths))}", source=source
        )
        claim = assemble(problem, {"kind": "no-bad-slices"}, {}, [{"rule": "quadratic-output"}])
        out.append(Instance(problem.slug, problem, (("no-bad-slices", accepted(claim)),)))
    return tuple(out)
