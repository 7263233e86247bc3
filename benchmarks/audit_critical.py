"""A hostile audit of critical_set on random small problems; the questions are those of tests/audit_checks.py.

    python benchmarks/audit_critical.py [--count N] [--first SEED] [--budget SECONDS] [--limit SECONDS] [--certify] [CLASS ...]

Prints one line per finding and a table at the end; exit code 1 when there is a finding. ``--limit`` stops a class early
(the table says how many problems were asked). The class ``kinks`` is also asked where gradient descent ends. ``--certify`` also certifies the kind of every component.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
import traceback
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import audit_checks
import audit_descents
import audit_problems
from audit_surface import Surface

from explorer.budget import Budget
from explorer.certify import certify
from explorer.errors import ExplorerError
from explorer.problem import Problem
from explorer.solve.critical import critical_set
from explorer.solve.results import CriticalSet, Kind

GOALS = {
    Kind.STRICT_MINIMUM: "strict-local-minimum",
    Kind.MINIMUM: "local-minimum",
    Kind.STRICT_SADDLE: "strict-saddle",
    Kind.SADDLE: "saddle",
    Kind.MAXIMUM: "local-maximum",
    Kind.STRICT_MAXIMUM: "strict-local-maximum",
}
NUMBER = re.compile(r"-?[0-9]+(/[0-9]+)?")


def certified(problem: Problem, found: CriticalSet, refused: Counter[str], verified: Counter[str]) -> list[str]:
    """Certify the kind of every component: crashes and rejections are findings, refusals are counted by reason."""
    out = []
    for c in found.components:
        goal = GOALS.get(c.kind)
        if goal is None:
            continue
        where = f"{'family' if c.dimension else 'point'} {goal}"
        try:
            verdict = certify(problem, goal, at=c.sample, evidence=c).check()
        except ExplorerError as refusal:
            refused[f"{where}: {NUMBER.sub('#', refusal.sentence())[:200]}"] += 1
            continue
        except Exception:
            out.append(f"certify {goal} crashed: {traceback.format_exc()[-600:]}")
            continue
        if verdict.status == "verified":
            verified[where] += 1
        else:
            out.append(f"certificate of {goal} is {verdict.status}: {verdict.why}")
    return out


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("classes", nargs="*")
    parser.add_argument("--count", type=int, default=70)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--budget", type=float, default=10.0)
    parser.add_argument("--limit", type=float, default=1e9)
    parser.add_argument("--starts", type=int, default=200)
    parser.add_argument("--certify", action="store_true")
    args = parser.parse_args()
    refused: Counter[str] = Counter()
    verified: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    rows, findings, unconfirmed, descended = [], 0, 0, 0
    for name in args.classes or list(audit_problems.CLASSES):
        asked = complete = misses = crashes = 0
        slowest, opened = (0.0, -1), time.monotonic()
        for seed in range(args.first, args.first + args.count):
            if time.monotonic() - opened > args.limit:
                break
            problem = audit_problems.make(name, seed)
            asked += 1
            began = time.monotonic()
            try:
                found = critical_set(problem, budget=Budget(args.budget))
            except Exception:
                crashes += 1
                findings += 1
                print(f"{name} {seed}: CRASH {traceback.format_exc()[-900:]}", flush=True)
                continue
            took = time.monotonic() - began
            slowest = max(slowest, (took, seed))
            complaints = [f"took {took:.1f} s of a budget of {args.budget} s"] if took > args.budget + 1.5 else []
            complete += found.coverage.complete
            if not found.coverage.complete:
                reasons[f"{name}: {NUMBER.sub('#', found.coverage.reason)[:130]}"] += 1
            complaints += audit_checks.audit(problem, found, starts=args.starts)
            if name == "kinks":
                limits, lost = audit_descents.missed(problem, found, starts=args.starts, seed=seed)
                descended += limits
                complaints += lost if found.coverage.complete else []
            if args.certify:
                complaints += certified(problem, found, refused, verified)
            serious = [c for c in complaints if "unconfirmed" not in c]
            unconfirmed += len(complaints) - len(serious)
            misses += any("MISSED" in c for c in serious)
            findings += len(serious)
            for c in complaints:
                print(f"{name} {seed}: {c}   F = {_shown(problem)}", flush=True)
        rows.append((name, asked, complete, misses, crashes, slowest))
        print(f"{name}: {asked} asked, {complete} complete, {misses} with a miss, {crashes} crashes", flush=True)
    print("\n| class | problems | complete | with a miss | crashes | slowest (seed) |\n|---|---|---|---|---|---|")
    for name, asked, complete, misses, crashes, (took, seed) in rows:
        print(f"| {name} | {asked} | {complete} | {misses} | {crashes} | {took:.2f} s ({seed}) |")
    print(f"\nlimits of descents across kinks {descended}")
    print(f"findings {findings}, saddles that sampling did not confirm {unconfirmed}")
    for title, counter in (("incomplete", reasons), ("verified", verified), ("refused", refused)):
        for reason, count in counter.most_common():
            print(f"{title} {count}: {reason}")
    sys.exit(findings > 0)


def _shown(problem: Problem) -> str:
    terms = Surface(problem).terms
    if terms is None:
        return str(problem.content())[:400]
    return " + ".join(f"{c}*{e}" for e, c in terms.items())[:300]


if __name__ == "__main__":
    main()
