"""All critical points of regularised networks, by enclosures and by random starts; and their certificates: the tables of docs/enclosures.md.

python benchmarks/enclosures.py [--certify] [NAME ...]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from enclosure_tools import TABLE, found_by_chance

from explorer.budget import Budget
from explorer.certify.complete import complete_certificate
from explorer.solve.boxes.enclosure import Region, explore
from explorer.solve.boxes.points import search


def enumerated(name: str, budget: float) -> str:
    """One row: parameters, points and their Morse sum, points by chance, boxes, seconds and boxes per second of processor time."""
    problem = TABLE[name]
    deadline, start = Budget(budget).start(), time.process_time()
    where = Region.everywhere(problem)
    points = search(problem, where.lower, where.upper, deadline)
    middle = time.process_time()
    run = explore(problem, where, points, deadline)
    end = time.process_time()
    indices = [c.inertia.negative for c in points.found]
    by_index = ", ".join(f"{indices.count(k)} of index {k}" for k in sorted(set(indices)))
    left = f"{run.undecided} ({run.stopped})" if run.undecided else "0"
    rate = run.boxes / (end - middle)
    return (
        f"| {name} | {len(problem.parameters)} | {len(indices)}: {by_index} | {sum((-1) ** k for k in indices)} | {found_by_chance(problem, 2000)} | "
        f"{run.boxes:,} | {left} | {middle - start:.1f} + {end - middle:.1f} | {rate:,.0f} |"
    )


def certified(name: str, budget: float) -> str:
    """One row: nodes of the tree, bytes, seconds to write and to check, microseconds of checking for each leaf."""
    problem, start = TABLE[name], time.process_time()
    certificate = complete_certificate(problem, "critical-points-complete", budget=Budget(budget))
    middle = time.process_time()
    verdict = certificate.check()
    end = time.process_time()
    body = certificate.to_json()
    (tree,) = [step["tree"] for step in body["steps"] if step["rule"] == "complete-in-box"]
    leaves = len(tree) // 2 + 1
    return (
        f"| {name} | {len(tree):,} | {len(json.dumps(body)):,} | {middle - start:.1f} | {end - middle:.1f} | "
        f"{(end - middle) / leaves * 1e6:.0f} | {verdict.status} |"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--certify", action="store_true")
    parser.add_argument("--budget", type=float, default=600.0)
    arguments = parser.parse_args()
    for each in arguments.names or TABLE:
        print((certified if arguments.certify else enumerated)(each, arguments.budget), flush=True)
