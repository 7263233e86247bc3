"""`certify`: from a goal and a point to the steps that prove it. One function per goal, one table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from explorer.budget import Budget
from explorer.certify.certificate import Certificate, accepted
from explorer.certify.encode import Step, assemble
from explorer.certify.extrema import floor_steps, maximum_steps, merged, minimum_steps, strict_steps
from explorer.certify.hypotheses import hypothesis_steps
from explorer.certify.induced import kinks_steps, tangent_optimal_steps
from explorer.certify.located import Located
from explorer.certify.points import choose, located, lower
from explorer.certify.ranks import rank_steps
from explorer.certify.saddles import saddle_steps, side_steps, strict_saddle_steps
from explorer.errors import Invalid, NotCertifiable, Unknown
from explorer.point import AnyPoint
from explorer.problem import Problem

Writer = Callable[[Located, Budget | None], list[Step]]


def _value(p: Located, budget: Budget | None) -> list[Step]:
    return [*(p.stationary_steps() if p.is_boxed else []), p.value_step()]


def _critical(p: Located, budget: Budget | None) -> list[Step]:
    return p.stationary_steps()


def _inertia(p: Located, budget: Budget | None) -> list[Step]:
    return merged([*p.stationary_steps(), *p.inertia_steps()[1]])


#: goal kind -> the writer of its steps about the point (the goals with a second point build on these)
GOALS: dict[str, Writer] = {
    "value": _value,
    "critical-point": _critical,
    "critical-inertia": _inertia,
    "strict-local-minimum": lambda p, budget: strict_steps(p, sign=1),
    "strict-local-maximum": lambda p, budget: strict_steps(p, sign=-1),
    "local-minimum": lambda p, budget: minimum_steps(p),
    "local-maximum": lambda p, budget: maximum_steps(p),
    "strict-saddle": lambda p, budget: strict_saddle_steps(p),
    "saddle": saddle_steps,
    "not-local-minimum": lambda p, budget: side_steps(p, -1, budget),
    "not-local-maximum": lambda p, budget: side_steps(p, 1, budget),
    "global-minimum": lambda p, budget: floor_steps(p),
    "not-global": lambda p, budget: [],
    "spurious-local-minimum": lambda p, budget: minimum_steps(p),
    "tangent-optimal": lambda p, budget: tangent_optimal_steps(p),
    "kinks-nearby": lambda p, budget: kinks_steps(p),
    "rank": lambda p, budget: [],
}
#: goals about all critical points (explorer.certify.complete)
COMPLETE_GOALS = ("critical-points-complete", "critical-points-in-box", "minimum-value")
WITH_BETTER = ("not-global", "spurious-local-minimum")


def certify(
    problem: Problem,
    goal: str,
    *,
    at: AnyPoint | Mapping[str, Any] | None = None,
    better: AnyPoint | Mapping[str, Any] | None = None,
    evidence: Any = None,
    hypotheses: Iterable[str] = (),
    ranks: Iterable[str] = (),
    budget: Budget | None = None,
) -> Certificate:
    """A certificate of ``goal`` (a goal kind of docs/certificate.md), accepted by the independent checker.

    ``at`` is a `Point`, an `EnclosedPoint` or a mapping from every parameter to an exact number; None takes a fitting
    point of the problem's critical set; for ``critical-points-in-box`` it is the box, an `EnclosedPoint`. ``better`` is the lower point of ``not-global`` and ``spurious-local-minimum``
    (None: looked for in the critical set). ``evidence`` is a solver's `Evidence`, or a `Component`, about ``at``;
    ``hypotheses`` are stated with ``spurious-local-minimum``; ``ranks`` names matrices (features, gradients, product,
    disparity) whose rank at the point is stated beside the goal, or by the goal ``rank`` (there: features). Raises `NotCertifiable` with the reason when the fact is
    false or no rule proves it, `BudgetExceeded` when the search for a point takes longer than ``budget``.
    """
    names, matrices = tuple(hypotheses), sorted(set(ranks)) or (["features"] if goal == "rank" else [])
    if goal in (*COMPLETE_GOALS, "lower-bound") and matrices:
        raise Invalid("ranks", got=f"some, but {goal} speaks of no point", remedy="leave them out")
    if goal in COMPLETE_GOALS:
        from explorer.certify.complete import complete_certificate

        if better is not None or names or evidence is not None:
            raise Invalid(goal, got="a lower point, hypotheses or evidence", remedy="leave them out")
        return accepted(complete_certificate(problem, goal, at=at, budget=budget))
    if goal == "lower-bound":
        from explorer.certify.floors import floor_step

        return accepted(assemble(problem, {"kind": goal}, {}, [floor_step(problem)]))
    if goal not in GOALS:
        raise Unknown(
            "goal",
            expected=f"one of {', '.join((*GOALS, *COMPLETE_GOALS, 'lower-bound'))}",
            got=repr(goal)[:60],
            remedy="docs/certificate.md says what each states",
        )
    if better is not None and goal not in WITH_BETTER:
        raise Invalid("better", got=f"a lower point, which {goal} does not use", remedy="leave it out")
    if names and goal != "spurious-local-minimum":
        raise Invalid("hypotheses", got=f"some, which {goal} does not state", remedy="leave them out")
    p = choose(problem, goal, budget) if at is None else located(problem, "p", at, evidence)
    steps = GOALS[goal](p, budget)
    claim: dict[str, Any] = {"kind": goal, "point": "p"}
    points: dict[str, AnyPoint] = {"p": p.point}
    if goal in WITH_BETTER:
        q = lower(p, budget) if better is None else located(problem, "q", better, None)
        steps = merged([*steps, *_below(p, q)])
        claim["better"], points["q"] = "q", q.point
    if goal == "spurious-local-minimum":
        chosen = sorted(set(names))
        claim["hypotheses"] = chosen
        steps = [*hypothesis_steps(problem, chosen), *steps]
    if matrices:
        claim["ranks"] = matrices
        steps = merged([*steps, *rank_steps(p, matrices)])
    return accepted(assemble(problem, claim, points, steps))


def _below(p: Located, q: Located) -> list[Step]:
    """F(q) < F(p), by exact values or by bounds."""
    if q.bounds[1] >= p.bounds[0]:
        raise NotCertifiable(
            "lower point",
            expected=f"F(q) < F(p), which is at least {_short(p.bounds[0])}",
            got=f"F(q) up to {_short(q.bounds[1])}",
            remedy="give a lower point",
        )
    boxed = [step for x in (p, q) if x.is_boxed for step in x.stationary_steps()]
    return [*boxed, p.value_step(), q.value_step(), {"rule": "below", "lower": q.name, "upper": p.name}]


def _short(value: Any) -> str:
    shown = str(value)
    return shown if len(shown) <= 40 else shown[:37] + "..."
