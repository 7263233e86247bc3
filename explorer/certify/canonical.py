"""Writers of certificates about the canonical space: Fourier limits, disparity ranks, silent units, aliased inputs.

Every writer takes the problem and the witness (its goal, points and options) and asks the independent checker.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from explorer.budget import Budget
from explorer.canonical.aliasing import misfit
from explorer.canonical.cells import cells
from explorer.canonical.disparity import disparity_on
from explorer.canonical.interpolation import forced_breaks
from explorer.canonical.slopes import gradient_step
from explorer.canonical.truncated import limit_value, truncated
from explorer.certify.certificate import Certificate, accepted
from explorer.certify.encode import Step, assemble, number
from explorer.certify.located import Located
from explorer.certify.points import located
from explorer.errors import NotCertifiable
from explorer.problem import Problem

if TYPE_CHECKING:
    from explorer.statements.nouns import Witness


def disparity_step(p: Located, top: int) -> Step:
    """The rank of H with the frequencies |k| <= top, from exact Fourier coefficients."""
    found = cells(p.problem, p.exact)
    rank = disparity_on(found, len(p.problem.parameters), top).rank
    return {
        "rule": "disparity",
        "point": p.name,
        "frequencies": top,
        "cells": [number(c.low) for c in found[1:]],
        "rank": rank,
    }


def _full_rank(p: Located, q: Located | None, options: dict[str, Any]) -> list[Step]:
    assert q is not None
    below: Step = {"rule": "below", "lower": "q", "upper": "p"}
    return [p.value_step(), q.value_step(), *p.stationary_steps(), below, disparity_step(p, options["top"])]


def _slope(p: Located, q: Located | None, options: dict[str, Any]) -> list[Step]:
    found = truncated(p.problem, p.exact, options["top"])
    sizes = [abs(found.ring.enclose(c)) for c in found.canonical_gradient]  # real and imaginary part: each at most this
    low = max(size.abs_lower() for size in sizes)
    man, exponent = low.mid().man_exp()
    bound = Fraction(int(man)) * Fraction(2) ** int(exponent) / 2
    if bound <= 0:
        raise NotCertifiable("slope", expected="a gradient in the coefficients that is not 0", got="no lower bound")
    short = Fraction(int(bound * 1024), 1024) or bound
    return [*p.stationary_steps(), disparity_step(p, options["top"]) | {"slope": number(short)}]


def _deficient(p: Located, q: Located | None, options: dict[str, Any]) -> list[Step]:
    return [disparity_step(p, options["top"])]


def _frozen(p: Located) -> Step:
    data, loss = p.problem.data, p.problem.loss
    assert data is not None
    assert loss is not None
    pairs = [(y[0], c) for y, c in zip(data.targets, loss.weights, strict=True)]
    centre = sum((c * y for y, c in pairs), Fraction(0)) / sum(loss.weights)
    net: Any = p.problem.network
    centre = centre if net.bias[-1] else Fraction(0)
    value = sum((c * (y - centre) ** 2 for y, c in pairs), Fraction(0))
    return {"rule": "frozen", "point": p.name, "value": number(value)}


def _trapped(p: Located, q: Located | None, options: dict[str, Any]) -> list[Step]:
    assert q is not None
    rank = [disparity_step(p, options["top"])] if "top" in options else []
    return [q.value_step(), *rank, _frozen(p)]


def _limit(p: Located, q: Located | None, options: dict[str, Any]) -> list[Step]:
    return [{"rule": "fourier-limit", "point": p.name, "value": number(limit_value(p.problem, p.exact))}]


def _gap(p: Located, q: Located | None, options: dict[str, Any]) -> list[Step]:
    return [p.value_step(), *_limit(p, q, options)]


def _revived(p: Located, q: Located | None, options: dict[str, Any]) -> list[Step]:
    layer, unit = options["unit"]
    return [{"rule": "revival", "point": "p", "to": "q", "step": number(options["step"]), "layer": layer, "unit": unit}]


#: goal -> the writer of its steps about p and q
AT_POINTS: dict[str, Callable[[Located, Located | None, dict[str, Any]], list[Step]]] = {
    "full-rank-not-global": _full_rank,
    "full-rank-slope": _slope,
    "rank-deficient": _deficient,
    "trapped": _trapped,
    "trapped-at-full-rank": _trapped,
    "fourier-gap": _limit,
    "truncated-loss-gap": _gap,
    "truncation-unbounded": _limit,
    "revived-unit": _revived,
}


def at_points(problem: Problem, witness: Witness, budget: Budget) -> Certificate:
    """The goals about a point, perhaps with a lower one or with the next iterate of gradient descent."""
    if witness.at is None:
        raise NotCertifiable(witness.goal, expected="a point", got="none", remedy="give it")
    p, options = located(problem, "p", witness.at, None), dict(witness.options)
    goal: dict[str, Any] = {"kind": witness.goal, "point": "p"}
    points, q = {"p": p.point}, None
    if witness.goal == "revived-unit":
        points["q"], goal["to"] = gradient_step(problem, p.exact, options["step"]), "q"
    elif witness.better is not None:
        q = located(problem, "q", witness.better, None)
        points["q"], goal["better"] = q.point, "q"
    steps = AT_POINTS[witness.goal](p, q, options)
    return accepted(assemble(problem, goal, points, steps))


def no_trigonometric_fit(problem: Problem, witness: Witness, budget: Budget) -> Certificate:
    """A rational relation between the waves at the inputs, and the loss that it forces; option ``top``: the box."""
    data, loss = problem.data, problem.loss
    if data is None or loss is None:
        raise NotCertifiable(witness.goal, expected="a network on data", got="another problem")
    top = witness.options["top"]
    found = misfit(data, loss.weights, top)
    if found is None:
        raise NotCertifiable(witness.goal, expected="a rational relation that the targets break", got="none")
    relation = [number(v) for v in found.relation]
    step = {"rule": "aliased", "frequencies": list(top), "relation": relation, "value": number(found.loss)}
    return accepted(assemble(problem, {"kind": witness.goal}, {}, [step]))


def not_interpolable(problem: Problem, witness: Witness, budget: Budget) -> Certificate:
    """More breakpoints are forced by the targets than the network has."""
    forced, most = forced_breaks(problem)
    if forced <= most:
        raise NotCertifiable(witness.goal, expected=f"more than {most} forced breakpoints", got=f"{forced}")
    return accepted(assemble(problem, {"kind": witness.goal}, {}, [{"rule": "too-few-breaks"}]))


CANONICAL_WRITERS: dict[str, Callable[[Problem, Witness, Budget], Certificate]] = {
    **dict.fromkeys(AT_POINTS, at_points),
    "no-trigonometric-fit": no_trigonometric_fit,
    "not-interpolable": not_interpolable,
}
