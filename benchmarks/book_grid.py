"""Every statement of the theorem book on at least 50 problems: outcomes, crashes, contradictions, seconds of CPU.

    python benchmarks/book_grid.py [--seconds 5] [--paper P]

A row per problem; at the end the totals. Exit code 1 if anything happened that must not happen.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

from explorer.app.cases import cases
from explorer.certify.grid import grid, violations
from explorer.problem import Problem
from explorer.statements.book import statements


def problems() -> list[Problem]:
    """The built-in cases, and small networks of every activation, with and without biases, deep ones and regularized ones."""
    out = [case.problem for case in cases()]
    kinds = [
        "linear",
        "relu",
        "requ",
        "square",
        "cubic",
        "sigmoid",
        "tanh",
        "softplus",
        "swish",
        "exp",
        "sin",
        "erf",
        "gelu",
    ]
    kinds += [{"kind": "leaky_relu", "slope": "1/10"}, {"kind": "elu", "alpha": 1}]  # type: ignore[list-item]

    def add(slug: str, **given: object) -> None:
        out.append(Problem.dense(slug=slug, **given))  # type: ignore[arg-type]

    for k, kind in enumerate(kinds):
        name = kind if isinstance(kind, str) else kind["kind"]  # type: ignore[index]
        add(f"grid-one-{name}", widths=[1, 1, 1], activation=kind, inputs=[1], targets=[-1 if k % 2 else 1])
        add(
            f"grid-two-{name}",
            widths=[1, 2, 1],
            activation=kind,
            inputs=[0, "1/2", 1],
            targets=[1, 0, 2],
            bias=k % 2 == 0,
        )
    add("grid-deep-linear", widths=[1, 1, 1, 1], inputs=[1], targets=[1])
    add("grid-linear-2-1-2", widths=[2, 1, 2], inputs=[[1, 0], [0, 1]], targets=[[2, 0], [0, 1]])
    add("grid-linear-rank-one", widths=[2, 2, 2], inputs=[[1, 0], [0, 1]], targets=[[1, 0], [0, 0]])
    add("grid-regression", widths=[1, 1], activation=[], inputs=[0, 1, 2], targets=[0, 1, 3], bias=[True])
    add("grid-logistic", widths=[1, 1, 1], activation="relu", inputs=[1, -1], targets=[1, -1], loss="logistic")
    add("grid-relu-wide", widths=[1, 4, 1], activation="relu", inputs=[1, 2], targets=[1, 3], bias=True)
    add(
        "grid-unit-inputs",
        widths=[2, 3, 1],
        activation="relu",
        inputs=[[1, 0], [0, 1], ["3/5", "4/5"]],
        targets=[5, -7, 11],
        bias=True,
    )
    add(
        "grid-ridge-square",
        widths=[1, 1, 1],
        activation="square",
        inputs=[1],
        targets=[1],
        regularizer={"kind": "l2", "weights": "1/8"},
    )
    add(
        "grid-requ-cubic",
        widths=[1, 1, 1],
        activation="requ",
        inputs=[1],
        targets=[1],
        loss="logistic",
        bias=True,
        regularizer={"kind": "neuron-cubic", "weights": "1/10"},
    )
    add("grid-antipodal", widths=[2, 4, 1], activation="relu", inputs=[[1, 0], [-1, 0], [0, 1]], targets=[1, 1, 0])
    return out


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", type=float, default=5.0, help="budget of each critical set")
    options.add_argument("--paper", default=None)
    asked = options.parse_args()
    chosen, given, totals, bad, slow = statements(paper=asked.paper), problems(), Counter[str](), [], []
    start = time.process_time()
    for row in grid(given, chosen, seconds=asked.seconds):
        counts = Counter("crash" if c.finding is None else c.finding.outcome.value for c in row)
        trusted = sum(c.finding is not None and c.finding.trust.word == "verified" for c in row)
        spent = sum(c.seconds for c in row)
        slow += [(c.seconds, c.statement.id, c.problem.slug) for c in row]
        totals.update(counts)
        bad += violations(row)
        print(
            f"{row[0].problem.slug:28} {dict(sorted(counts.items()))} verified {trusted}, {spent:.1f} s CPU", flush=True
        )
    print(
        f"\n{len(given)} problems x {len(chosen)} statements: {dict(sorted(totals.items()))}, {time.process_time() - start:.0f} s CPU"
    )
    for seconds, statement, problem in sorted(slow, reverse=True)[:10]:
        print(f"  slowest: {seconds:.1f} s {statement} on {problem}")
    print("\n".join(["VIOLATIONS", *bad]) if bad else "no crash, no refutation without certificate, no contradiction")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
