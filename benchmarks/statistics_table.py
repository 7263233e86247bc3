"""How many real critical points random data have: 100 data sets for each architecture, one family solved for all of them.

    python benchmarks/statistics_table.py [--count 100] [--seed 0] [NAME ...] > table.md

Data: inputs and targets standard normal, rounded to one decimal; distinct ridge weights from {1/100, ..., 99/100}, one for
each parameter. Every real critical point is certified (Krawczyk's test in balls, inertia over the box); that there are no others
is numerical (docs/homotopy.md). Seconds are processor time, the family's generic solutions included.
"""

from __future__ import annotations

import argparse
import itertools
import platform
import random
import sys
import time
from collections import Counter
from fractions import Fraction

import numpy as np

from explorer.budget import Deadline
from explorer.homotopy.family import solve_family
from explorer.homotopy.solutions import Solutions, solutions
from explorer.model.polynomial import loss_polynomial
from explorer.problem import Problem

#: name -> widths, activation, samples, hidden bias
ARCHITECTURES = {
    "1-1-1": ((1, 1, 1), "linear", 5, False),
    "2-1-2": ((2, 1, 2), "linear", 5, False),
    "2-2-1": ((2, 2, 1), "linear", 5, False),
    "2-2-2": ((2, 2, 2), "linear", 5, False),
    "1-1-1-1": ((1, 1, 1, 1), "linear", 5, False),
    "2-1-1-2": ((2, 1, 1, 2), "linear", 5, False),
    "1-1-1-1-1": ((1, 1, 1, 1, 1), "linear", 5, False),
    "1-2-2-1": ((1, 2, 2, 1), "linear", 5, False),
    "2-2-2-1": ((2, 2, 2, 1), "linear", 5, False),
    "square 1-2-1": ((1, 2, 1), "square", 3, False),
    "square 2-2-1": ((2, 2, 1), "square", 3, False),
    "cubic 1-2-1": ((1, 2, 1), "cubic", 3, False),
    "cubic 1-1-1, bias": ((1, 1, 1), "cubic", 3, True),
}


def draw(name: str, seed: int) -> Problem:
    """The data set with this seed, the same in every process."""
    widths, activation, samples, bias = ARCHITECTURES[name]
    rng = random.Random(f"{name} {seed}")
    count = sum(a * b for a, b in itertools.pairwise(widths)) + (sum(widths[1:-1]) if bias else 0)

    def row(n: int) -> list[Fraction]:
        return [Fraction(round(10 * rng.gauss(0, 1)), 10) for _ in range(n)]

    return Problem.dense(
        widths=list(widths),
        activation=activation,
        inputs=[row(widths[0]) for _ in range(samples)],
        targets=[row(widths[-1]) for _ in range(samples)],
        bias=[bias] * (len(widths) - 2) + [False],
        regularizer={"kind": "l2", "weights": [Fraction(k, 100) for k in rng.sample(range(1, 100), count)]},
        slug=f"seed-{seed}",
    )


def values(problem: Problem, found: Solutions) -> list[tuple[float, int, int]]:
    """(value, index, copies) of every real orbit; the values are floats, for comparison only."""
    terms = loss_polynomial(problem).terms
    exponents = np.array(list(terms), dtype=float)
    weights = np.array([float(c) for c in terms.values()])
    out = []
    for o in found.real:
        x = np.array([v.real for v in o.theta])
        out.append((float(weights @ np.prod(x**exponents, axis=1)), o.index or 0, o.copies))
    return out


def line(name: str, count: int, first: int) -> str:
    """One row of the table."""
    began = time.process_time()
    problems = [draw(name, first + k) for k in range(count)]
    family = solve_family(problems[0], Deadline(600))
    found = solutions(family, problems, Deadline(600), real_only=True)
    spent = time.process_time() - began
    reals, minima, spurious, odd, troubles = [], [], [], 0, 0
    for problem, s in zip(problems, found, strict=True):
        points = values(problem, s)
        total = sum(n for _, _, n in points)
        low = min(v for v, _, _ in points)
        reals.append(total)
        odd += total % 2
        morse = sum((-1) ** k * n for _, k, n in points)
        troubles += bool(s.complaints) or morse != 1
        minima.append(sum(n for _, k, n in points if k == 0))
        spurious.append(sum(n for v, k, n in points if k == 0 and v > low + 1e-8 * (1 + abs(low))))
    common = ", ".join(f"{k}: {n}" for k, n in sorted(Counter(reals).items()))
    return (
        f"| {name} | {family.count} | {np.mean(reals):.1f} / {max(reals)} | {odd} of {count} | {np.mean(minima):.2f} / {max(minima)} | "
        f"{np.mean(spurious):.2f} / {max(spurious)} | {sum(k > 0 for k in spurious)} | {troubles} | {common} | {spent:.1f} |"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    print(f"{time.strftime('%Y-%m-%d')}, Python {platform.python_version()}, numpy {np.__version__}; ", end="")
    print(f"{arguments.count} data sets from seed {arguments.seed} on\n")
    print(
        "| architecture | complex | real, mean / max | odd | minima, mean / max | spurious, mean / max "
        "| data sets with spurious minima | not settled | real points: data sets | s |\n|---|---|---|---|---|---|---|---|---|---|",
        flush=True,
    )
    for name in arguments.names or ARCHITECTURES:
        print(line(name, arguments.count, arguments.seed), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
