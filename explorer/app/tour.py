"""``explorer tour``: the main job on every built-in case. Solve, classify, certify, check each certificate apart, one table.

Every certificate is written to a folder and checked there by ``python -I checker.py`` in a process of its own; only
what that process calls VERIFIED is counted. Results are compared with the case's expected.json, which is derived by
hand or by an independent method; a difference is an error (exit code 3). All output but the seconds is deterministic.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from explorer.app.cases import Case, cases
from explorer.app.checking import Line, check_apart
from explorer.app.expectations import differences
from explorer.app.given import point_from_json
from explorer.app.output import emit, note, show, working
from explorer.app.sheets import by_index, value
from explorer.budget import Budget, Deadline
from explorer.certify import Certificate, certify
from explorer.errors import BudgetExceeded, Invalid, NotCertifiable, Unsupported
from explorer.reading import write_problem
from explorer.solve.results import CriticalSet, Kind

#: kind of a component -> the goal that says the same
GOAL_OF = {
    Kind.STRICT_MINIMUM: "strict-local-minimum",
    Kind.MINIMUM: "local-minimum",
    Kind.STRICT_SADDLE: "strict-saddle",
    Kind.SADDLE: "saddle",
    Kind.MAXIMUM: "local-maximum",
    Kind.STRICT_MAXIMUM: "strict-local-maximum",
    Kind.UNDECIDED: "critical-point",
}
NO_ANSWER = (NotCertifiable, Unsupported, BudgetExceeded)
#: processes of the checker at once
CHECKERS = 2


@dataclass(frozen=True)
class Stop:
    """What the tour did at one case. ``unproved`` lists facts without a certificate, with the reason."""

    slug: str
    folder: Path
    found: CriticalSet | None
    unsolved: str
    lines: tuple[tuple[str, Line], ...] = ()
    unproved: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def verified(self) -> int:
        return sum(line.verified for _, line in self.lines)

    @property
    def rejected(self) -> tuple[str, ...]:
        return tuple(f"{name}: {line.status} {line.text}" for name, line in self.lines if not line.verified)

    def to_json(self) -> dict[str, Any]:
        return {
            "case": self.slug,
            "folder": str(self.folder),
            "critical_set": None if self.found is None else self.found.to_json(),
            "unsolved": self.unsolved,
            "certificates": [{"name": n, "status": x.status, "fact": x.text} for n, x in self.lines],
            "unproved": list(self.unproved),
            "differs": list(self.differs),
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True)
class Tour:
    """All stops, and the processor time of the whole tour (this process and its children)."""

    stops: tuple[Stop, ...]
    cpu_seconds: float

    @property
    def failures(self) -> tuple[str, ...]:
        """What must not happen: rejected certificates of our own, and differences from what is expected."""
        return tuple(f"{s.slug}: {said}" for s in self.stops for said in (*s.rejected, *s.differs))


def run_tour(out: Path, *, only: tuple[str, ...] = (), budget: Budget, seed: int = 0) -> Tour:
    """Visit the cases (all, or those named) and write their certificates below ``out``."""
    before = _cpu()
    chosen = tuple(cases(slug) for slug in only) or cases()
    with ThreadPoolExecutor(max_workers=CHECKERS) as checkers:
        stops = tuple(_visit(case, out / case.slug, budget, checkers) for case in chosen)
    return Tour(stops, _cpu() - before)


def _visit(case: Case, folder: Path, budget: Budget, checkers: ThreadPoolExecutor) -> Stop:
    started = time.monotonic()
    deadline = budget.start()
    with working(f"{case.slug}: solving"):
        stop = _solve(case, folder, budget)
    with working(f"{case.slug}: certifying"):
        claims, unproved = _claims(case, stop.found, deadline)
    _fresh(folder)
    write_problem(case.problem, folder / "problem.json")
    paths = [certificate.save(folder / f"{name}.certificate.json") for name, certificate in claims]
    with working(f"{case.slug}: checking {len(paths)} certificates"):
        verdicts = list(checkers.map(lambda path: check_apart(folder / "problem.json", path), paths))
    lines = tuple((name, line) for (name, _), line in zip(claims, verdicts, strict=True))
    stop = replace(stop, lines=lines, unproved=tuple(unproved))
    verified = [c.to_json()["goal"] for (_, c), line in zip(claims, verdicts, strict=True) if line.verified]
    differs = differences(case.expected, stop.found, verified)
    return replace(stop, differs=tuple(differs), seconds=time.monotonic() - started)


def _solve(case: Case, folder: Path, budget: Budget) -> Stop:
    from explorer.solve.critical import critical_set

    try:
        return Stop(case.slug, folder, critical_set(case.problem, budget=budget), "")
    except (Unsupported, BudgetExceeded) as error:
        return Stop(case.slug, folder, None, error.sentence())


def _claims(
    case: Case, found: CriticalSet | None, deadline: Deadline
) -> tuple[list[tuple[str, Certificate]], list[str]]:
    """Named certificates: the kind of every component, global and spurious minima, and the claims that the case ships."""
    claims: list[tuple[str, Certificate]] = []
    unproved: list[str] = []
    for name, goal, options in (*_component_goals(found), *_shipped_goals(case)):
        try:
            claims.append((name, certify(case.problem, goal, budget=Budget(deadline.remaining), **options)))
        except NO_ANSWER as error:
            unproved.append(f"{name}: {error.sentence()}")
    return claims, unproved


def _component_goals(found: CriticalSet | None) -> Iterator[tuple[str, str, dict[str, Any]]]:
    if found is None:
        return
    lowest = next((c for c in found.components if c.is_global), None)
    for k, c in enumerate(found.components, 1):
        about: dict[str, Any] = {"at": c.sample, "evidence": c}
        yield f"component-{k:02d}-{_hyphens(GOAL_OF[c.kind])}", GOAL_OF[c.kind], about
        if c.is_global and c.value.as_fraction == 0 and c.evidence.at_floor:
            yield f"component-{k:02d}-global-minimum", "global-minimum", about
        if c.kind.is_minimum and c.is_global is False and lowest is not None:
            yield (
                f"component-{k:02d}-spurious-local-minimum",
                "spurious-local-minimum",
                about | {"better": lowest.sample},
            )


def _shipped_goals(case: Case) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The claims of the case's own certificate files, to be proved anew from their goals and points."""
    for path in case.certificates:
        body = json.loads(path.read_text(encoding="ascii"))
        goal, points = body["goal"], body["points"]
        options: dict[str, Any] = {"at": point_from_json(points[goal["point"]], case.problem)}
        if "better" in goal:
            options["better"] = point_from_json(points[goal["better"]], case.problem)
        if goal.get("hypotheses"):
            options["hypotheses"] = tuple(goal["hypotheses"])
        yield path.name.removesuffix(".certificate.json"), goal["kind"], options


def _fresh(folder: Path) -> None:
    """Make ``folder``, and drop certificates of an earlier tour, so that what lies there is what was checked now."""
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob("*.certificate.json"):
        stale.unlink()


def _hyphens(goal: str) -> str:
    return goal.replace(" ", "-")


def _cpu() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


# -- the report -------------------------------------------------------------------------------------------------


def report(tour: Tour, *, as_json: bool) -> int:
    """Print the table (or the JSON document); 3 if a certificate was rejected or a result differs, else 0."""
    if as_json:
        emit(
            {
                "format": "explorer.tour/1",
                "cases": [stop.to_json() for stop in tour.stops],
                "verified": sum(s.verified for s in tour.stops),
                "failures": list(tour.failures),
                "cpu_seconds": round(tour.cpu_seconds, 3),
            }
        )
    else:
        show(_table(tour))
        for stop in tour.stops:
            for said in stop.unproved:
                print(f"computed only, {stop.slug}, {said}")
        total = sum(s.verified for s in tour.stops)
        print(f"{total} facts verified by the independent checker, each in a process of its own")
        note(f"{tour.cpu_seconds:.1f} s of processor time")
    for said in tour.failures:
        note(f"explorer: WRONG: {said}")
    return 3 if tour.failures else 0


def _table(tour: Tour) -> Any:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("case", "critical points by index", "coverage", "facts verified", "seconds"):
        table.add_column(name, overflow="fold", justify="right" if name in ("facts verified", "seconds") else "left")
    for stop in tour.stops:
        facts = f"{stop.verified}/{len(stop.lines)}" + (f" (+{len(stop.unproved)} computed)" if stop.unproved else "")
        style = "bold red" if stop.rejected or stop.differs else ""
        table.add_row(stop.slug, _points(stop), _coverage(stop), facts, f"{stop.seconds:.1f}", style=style)
    return Text("no cases") if not tour.stops else table


def _points(stop: Stop) -> str:
    c = stop.found
    if c is None:
        return "not solved"
    parts = [by_index(c)] if c.real_points else []
    parts += [f"family of dimension {x.dimension}: {x.kind.value}, F = {value(x.value)}" for x in c.families]
    return "\n".join(parts) or "none"


def _coverage(stop: Stop) -> str:
    if stop.found is None:
        return stop.unsolved
    sure = stop.found.coverage
    return f"{'complete' if sure.complete else 'not complete'} ({sure.trust.word}; {sure.method})"


__all__ = ["Stop", "Tour", "report", "run_tour"]
