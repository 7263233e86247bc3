"""`crosscheck`: exact results beside the twin. It can agree, complain, or report a numerical finding; it decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import torch

from explorer.budget import Budget, Deadline
from explorer.errors import Invalid, described
from explorer.numeric.backend import TorchBackend, generator, normal
from explorer.numeric.exact_points import Claim, claims_of, smooth
from explorer.numeric.limits import Sorted, classes, sort_limits
from explorer.numeric.newton import ESCAPED, LIMIT, STALLED, Ends, Settings, descend, polish
from explorer.numeric.points import compare
from explorer.numeric.report import Compared, CrossCheck, Discrepancy
from explorer.numeric.twin import Twin
from explorer.numeric.widths import widened
from explorer.problem import Problem
from explorer.solve.results import CriticalSet

Tensor: TypeAlias = torch.Tensor
#: standard deviations of the starting points: equal shares of the starts
SCALES = (0.3, 1.0, 3.0)


def crosscheck(
    problem: Problem,
    critical_set: CriticalSet,
    *,
    claims: Sequence[Claim] = (),
    width: int | None = None,
    device: str = "auto",
    starts: int = 4096,
    seed: int = 0,
    kink: float = 0.0,
    settings: Settings | None = None,
    budget: Budget | None = None,
) -> CrossCheck:
    """Compare ``critical_set`` (and further ``claims`` about exact points) with the float64 twin of ``problem``.

    At every exact point: value, gradient, Hessian, inertia. Then ``starts`` descents (damped Newton on F) and a quarter
    as many searches (on the gradient, any index) from normal starting points of three sizes drawn with ``seed``. A limit
    that lies on no component is a discrepancy where the coverage says *complete*, and a finding *beyond* the list
    elsewhere; starts that are on their way when ``budget`` is spent count as stalled. Limits of kinked problems are compared only where F is twice differentiable. ``width`` adds the same points
    split to that many hidden units (`explorer.numeric.widths`). Raises `Invalid` when the critical set is of another
    problem.
    """
    if critical_set.problem.digest != problem.digest:
        raise Invalid("critical_set", expected=problem.digest, got=critical_set.problem.digest, remedy="solve this one")
    if isinstance(starts, bool) or not isinstance(starts, int) or not 0 <= starts <= 10_000_000:
        raise Invalid("starts", expected="an integer from 0 to 10000000", got=described(starts), remedy="write 4096")
    clock = (budget or Budget(None)).start()
    backend = TorchBackend(device)
    twin = backend.compile(problem, kink=kink)
    everything = (*claims_of(critical_set), *claims)
    compared: list[Compared] = []
    wrong: list[Discrepancy] = []
    for claim in everything:
        said, complaints = compare(problem, twin, claim)
        compared.append(said)
        wrong += complaints
    names = [f"component {k + 1}" for k in range(len(critical_set.components))]
    first = start_points(twin, starts, seed)
    down = _run(twin, critical_set, first, "value", settings, clock)
    search = _run(twin, critical_set, first[: starts // 4], "gradient", settings, clock)
    beyond: list[str] = []
    for run in (down, search):
        _strangers(run, critical_set, wrong, beyond)
    notes = [] if everything else ["nothing exact was compared: the critical set is empty and no claims were given"]
    if clock.over:
        notes.append("the budget was spent: starts on their way then are counted as stalled")
    limits = classes(twin, down.limits, search.limits, names)
    larger = (
        None if width is None else widened(problem, everything, width=width, device=device, seed=seed, deadline=clock)
    )
    wrong += [Discrepancy(**d) for d in (larger or {}).get("discrepancies", [])]
    found, missed, not_visited = _visits(critical_set, names, down.limits, search.limits)
    return CrossCheck(
        problem=problem.to_json(),
        digest=problem.digest,
        backend=backend.description,
        seed=seed,
        settings={"starts": starts, "scales": list(SCALES), "kink": kink, **vars(settings or Settings())},
        compared=tuple(compared),
        limits=limits,
        found=found,
        missed=missed,
        not_visited=not_visited,
        starts={"descents": _counts(down.ends), "searches": _counts(search.ends)},
        discrepancies=tuple(wrong),
        beyond=tuple(beyond),
        notes=tuple(notes),
        larger=larger,
    )


def start_points(twin: Twin, count: int, seed: int) -> Tensor:
    """``count`` normal starting points (count, P); row k has the standard deviation SCALES[k mod 3]."""
    points = normal((count, twin.size), generator(seed), twin.device)
    scales = torch.tensor(SCALES, dtype=points.dtype, device=points.device)
    return points * scales[torch.arange(count, device=points.device) % len(SCALES), None]


class _Run:
    """The starts, ends and sorted limits of one merit."""

    def __init__(self, merit: str, first: Tensor, ends: Ends, at: Tensor, limits: Sorted) -> None:
        self.merit, self.first, self.ends, self.at, self.limits = merit, first, ends, at, limits


def _run(twin: Twin, found: CriticalSet, first: Tensor, merit: str, settings: Settings | None, clock: Deadline) -> _Run:
    if len(first):
        ends = descend(twin, first, merit=merit, settings=settings, deadline=clock)
    else:
        ends = _no_ends(first)
    at = torch.nonzero(ends.outcome == LIMIT)[:, 0]
    theta = polish(twin, ends.theta[at]) if len(at) else ends.theta[at]
    return _Run(merit, first, ends, at, sort_limits(twin, found, theta))


def _no_ends(first: Tensor) -> Ends:
    none, zero = torch.zeros(0, dtype=first.dtype, device=first.device), torch.zeros(0, dtype=torch.int64)
    return Ends(first, none, none, zero.to(first.device), zero.to(first.device))


def _strangers(run: _Run, found: CriticalSet, wrong: list[Discrepancy], beyond: list[str]) -> None:
    """Limits on no component, one complaint per class."""
    limits = run.limits
    away = limits.component < 0
    verb = "descents" if run.merit == "value" else "searches"
    if not found.coverage.complete:
        rounded = [float(f"{v:.6g}") if abs(v) > 1e-12 else 0.0 for v in limits.value[away].tolist()]
        for value in sorted(set(rounded)):
            beyond.append(
                f"numerical: {rounded.count(value)} {verb} end at F = {value:g}, on no listed component "
                "(the list does not claim to be complete)"
            )
        return
    for label in limits.label[away].unique().tolist():
        rows = torch.nonzero((limits.label == label) & away)[:, 0]
        k = int(rows[0])
        start = int(run.at[k])
        wrong.append(
            Discrepancy(
                "multi-start",
                f"{len(rows)} {verb} end at F = {float(limits.value[k]):.12g}, on no listed component",
                theta=tuple(limits.theta[k].tolist()),
                start=tuple(run.first[start].tolist()),
                start_index=start,
                merit=run.merit,
            )
        )


def _visits(
    found: CriticalSet, names: list[str], down: Sorted, search: Sorted
) -> tuple[tuple[dict[str, Any], ...], tuple[str, ...], tuple[str, ...]]:
    """Components that were reached, minima that were not, and other components that were not."""
    reached, missed, not_visited = [], [], []
    for k, c in enumerate(found.components):
        descents, searches = int((down.component == k).sum()), int((search.component == k).sum())
        said = f"{names[k]}: {c.kind.value}, dimension {c.dimension}, F = {c.value.approx}"
        if descents or searches:
            basin = descents / max(1, len(down.theta))
            reached.append(
                {"component": names[k], "kind": c.kind.value, "value": c.value.approx, "dimension": c.dimension,
                 "descents": descents, "searches": searches, "basin": basin, "trust": "numerical"}
            )  # fmt: skip
        elif c.kind.is_minimum and smooth(c):
            missed.append(said)
        else:
            not_visited.append(said if smooth(c) else f"{said} (a kink: limits are sought where F is smooth)")
    return tuple(reached), tuple(missed), tuple(not_visited)


def _counts(ends: Ends) -> dict[str, int]:
    return {
        "total": len(ends.theta),
        "limits": ends.count(LIMIT),
        "stalled": ends.count(STALLED),
        "escaped": ends.count(ESCAPED),
    }
