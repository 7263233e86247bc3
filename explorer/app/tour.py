"""``explorer tour``: the main job on every built-in case. Solve, classify, certify, check each certificate apart, one table.

Every certificate is written to a folder and checked there by ``python -I checker.py`` in a process of its own; only
what that process calls VERIFIED is counted. Results are compared with the case's expected.json, which is derived by
hand or by an independent method; a difference is an error (exit code 3). All output but the seconds is deterministic.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explorer.app.cases import Case, cases
from explorer.app.checking import Line, check_apart
from explorer.app.expectations import differences, left_open
from explorer.app.itinerary import Claim, box_of, claims_of
from explorer.app.output import emit, note, show, working
from explorer.app.sheets import by_index, value
from explorer.budget import Budget, Deadline
from explorer.certify import Certificate, certify
from explorer.errors import BudgetExceeded, ExplorerError, Invalid, NotCertifiable, Unsupported, named
from explorer.reading import write_problem
from explorer.solve.results import CriticalSet

NO_ANSWER = (NotCertifiable, Unsupported, BudgetExceeded)
#: processes of the checker at once
CHECKERS = 2
#: names of facts that one line of the report lists one by one
NAMES_SHOWN = 3


@dataclass(frozen=True)
class Stop:
    """What the tour did at one case.

    ``unproved``: facts that are computed and have no certificate, with the reason. ``undecided``: what is expected, but
    was not decided within the budget. ``differs``: what is not as expected.
    """

    slug: str
    folder: Path
    found: CriticalSet
    lines: tuple[tuple[str, Line], ...]
    unproved: tuple[str, ...]
    undecided: tuple[str, ...]
    differs: tuple[str, ...]
    seconds: float

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
            "critical_set": self.found.to_json(),
            "certificates": [{"name": n, "status": x.status, "fact": x.text} for n, x in self.lines],
            "unproved": list(self.unproved),
            "undecided": list(self.undecided),
            "differs": list(self.differs),
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True)
class Tour:
    """All stops, the processor time of the whole tour (this process and its children), and the cases that it left out."""

    stops: tuple[Stop, ...]
    cpu_seconds: float
    left_out: tuple[str, ...] = ()

    @property
    def failures(self) -> tuple[str, ...]:
        """What must not happen: rejected certificates of our own, and differences from what is expected."""
        return tuple(f"{s.slug}: {said}" for s in self.stops for said in (*s.rejected, *s.differs))


def run_tour(out: Path, *, only: tuple[str, ...] = (), budget: Budget, seed: int = 0) -> Tour:
    """Visit the cases (those named, or all that are not long) and write their certificates below ``out``."""
    before = _cpu()
    left_out = () if only else tuple(case.slug for case in cases() if case.is_long)
    chosen = tuple(cases(slug) for slug in only) or tuple(case for case in cases() if not case.is_long)
    for case in chosen:
        if (out / case.slug).resolve() == case.folder.resolve():  # a tour clears the folder of each case that it visits
            raise Invalid(
                f"--out {named(out)}",
                expected="a folder of its own",
                got="that of the built-in cases",
                remedy="choose another folder",
            )
    with ThreadPoolExecutor(max_workers=CHECKERS) as checkers:
        stops = tuple(_visit(case, out / case.slug, budget, checkers) for case in chosen)
    return Tour(stops, _cpu() - before, left_out)


def _visit(case: Case, folder: Path, budget: Budget, checkers: ThreadPoolExecutor) -> Stop:
    from explorer.solve.critical import critical_set

    started = time.monotonic()
    with working(f"{case.slug}: solving"):
        found = critical_set(case.problem, budget=_share(budget), box=box_of(case))
    deadline = budget.start()
    with working(f"{case.slug}: certifying"):
        written, missing = _written(case, claims_of(case, found), deadline)
    _fresh(folder)
    write_problem(case.problem, folder / "problem.json")
    paths = [certificate.save(folder / f"{claim.name}.certificate.json") for claim, certificate in written]
    with working(f"{case.slug}: checking {len(paths)} certificates"):
        verdicts = list(checkers.map(lambda path: check_apart(folder / "problem.json", path), paths))
    differs = list(differences(case.expected, found))
    differs += [f"{x.name}: expected, not proved: {why}" for x, why in missing if x.required and not _late(why)]
    differs += [f"{claim.name}: expected {claim.stated}" for claim, c in written if not claim.states(c)]
    return Stop(
        slug=case.slug,
        folder=folder,
        found=found,
        lines=tuple((claim.name, line) for (claim, _), line in zip(written, verdicts, strict=True)),
        unproved=tuple(f"{x.name}: {why}" for x, why in missing if not x.required),
        undecided=(
            *left_open(case.expected, found),
            *(f"{x.name}: {why}" for x, why in missing if x.required and _late(why)),
        ),
        differs=tuple(differs),
        seconds=time.monotonic() - started,
    )


def _written(
    case: Case, claims: tuple[Claim, ...], deadline: Deadline
) -> tuple[list[tuple[Claim, Certificate]], list[tuple[Claim, ExplorerError]]]:
    """The certificates that could be written, and the claims without one, with the reason."""
    written: list[tuple[Claim, Certificate]] = []
    missing: list[tuple[Claim, ExplorerError]] = []
    for claim in claims:
        try:
            deadline.check(f"certifying {claim.name}")
            left = Budget(deadline.remaining)
            proof = claim.shipped or certify(case.problem, claim.goal, budget=left, **claim.options)
            written.append((claim, proof))
        except NO_ANSWER as error:
            missing.append((claim, error))
    return written, missing


def _share(budget: Budget) -> Budget:
    """A third of the budget goes to solving, so that a system that is too hard leaves time to certify the rest."""
    return budget if budget.seconds is None else Budget(budget.seconds / 3)


def _late(why: ExplorerError) -> bool:
    return isinstance(why, BudgetExceeded)


def _fresh(folder: Path) -> None:
    """Make ``folder``, and drop certificates of an earlier tour, so that what lies there is what was checked now."""
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob("*.certificate.json"):
        stale.unlink()


def _cpu() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


# -- the report -------------------------------------------------------------------------------------------------


def report(tour: Tour, *, as_json: bool) -> int:
    """Print the table (or the JSON document).

    The exit code: 3 if a certificate was rejected or a result differs, 2 if something that is expected was not decided
    within the budget, else 0.
    """
    undecided = [f"{s.slug}: {said}" for s in tour.stops for said in s.undecided]
    if as_json:
        emit(
            {
                "format": "explorer.tour/1",
                "cases": [stop.to_json() for stop in tour.stops],
                "left_out": list(tour.left_out),
                "verified": sum(s.verified for s in tour.stops),
                "undecided": undecided,
                "failures": list(tour.failures),
                "cpu_seconds": round(tour.cpu_seconds, 3),
            }
        )
    else:
        show(_table(tour))
        for stop in tour.stops:
            if not stop.found.coverage.complete:
                print(f"{_coverage(stop)}, {stop.slug}: {stop.found.coverage.reason}")
            for why, names in _by_reason(stop.unproved).items():
                print(f"computed only, {stop.slug}, {_listed(names)}: {why}")
        for slug in tour.left_out:
            print(f"left out because it takes long, run 'explorer tour --case {slug}'")
        total = sum(s.verified for s in tour.stops)
        print(f"{total} facts verified by the independent checker, each in a process of its own")
        note(f"{tour.cpu_seconds:.1f} s of processor time")
    for said in tour.failures:
        note(f"explorer: WRONG: {said}")
    for said in undecided:
        note(f"explorer: NOT DECIDED: {said}")
    return 3 if tour.failures else 2 if undecided else 0


def _by_reason(unproved: tuple[str, ...]) -> dict[str, list[str]]:
    """The names of the facts without a certificate, under the reason that they share, each in order of appearance."""
    grouped: dict[str, list[str]] = {}
    for said in unproved:
        name, _, why = said.partition(": ")
        grouped.setdefault(why, []).append(name)
    return grouped


def _listed(names: list[str]) -> str:
    """All names while they are few; the document of ``--json`` has every one."""
    return ", ".join(names) if len(names) <= NAMES_SHOWN else f"{len(names)} facts ({names[0]}, ..., {names[-1]})"


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
    """Isolated points by index, then the strata of families: ``2 x dimension 1: minimum, F = 0``."""
    c = stop.found
    strata = Counter(
        f"{f'dimension {x.dimension}' if x.dimension else 'point where families meet'}: {x.kind.value}, F = {value(x.value)}"
        for x in c.components
        if x.orbit is None
    )
    parts = [by_index(c)] if c.real_points else []
    parts += [f"{n} x {what}" if n > 1 else what for what, n in strata.items()]
    return "\n".join(parts) or ("none" if c.coverage.complete else "unknown")


def _coverage(stop: Stop) -> str:
    sure = stop.found.coverage
    if sure.complete:
        return f"complete ({sure.trust.word}; {sure.method})"
    return "not solved" if not stop.found.components else f"not complete ({sure.method})"


__all__ = ["Stop", "Tour", "report", "run_tour"]
