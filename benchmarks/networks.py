"""Ordinary networks: strict minima that are not global, found by descent, certified on a ball, timed.

    python benchmarks/networks.py [--sizes 10,50,200,400] [--activations tanh,sigmoid,softplus,gelu] [--seed 1] [--keep DIR]

One hidden layer (or two) with biases, rational data from a seeded generator, squared loss, l2 with weight 1/50 on every parameter. Per problem:
parameters, samples, bytes of the certificate (goal spurious-local-minimum), CPU seconds of `certify` in all (descents, polishing and
its own check), and of two processes that check it, their start included (medians of five): as `explorer` runs it, from the
compiled form, and the bare file, `python -I explorer/checker.py`, which is compiled each time.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy: its threads spin while they wait

from explorer.app.checking import apart, checker_path
from explorer.budget import Budget
from explorer.certify import certify
from explorer.problem import Problem

#: parameters -> (widths, samples); 201 and 358 have two hidden layers
SIZES = {
    10: ([1, 3, 1], 6), 50: ([2, 12, 1], 12), 200: ([3, 40, 1], 20), 400: ([4, 66, 1], 24), 500: ([4, 83, 1], 24),
    201: ([3, 11, 12, 1], 16), 358: ([4, 14, 18, 1], 10),
}  # fmt: skip


def network(size: int, activation: str, seed: int) -> Problem:
    """Inputs and targets are multiples of 1/8 in [-2, 2]."""
    (widths, samples), rng = SIZES[size], random.Random(seed)
    inputs = [[Fraction(rng.randint(-16, 16), 8) for _ in range(widths[0])] for _ in range(samples)]
    targets = [[Fraction(rng.randint(-16, 16), 8)] for _ in range(samples)]
    return Problem.dense(
        widths=widths, activation=activation, bias=True, inputs=inputs, targets=targets,
        regularizer={"kind": "l2", "weights": "1/50"}, slug=f"{activation}-{size}",
    )  # fmt: skip


def spent_by(command: list[str], *, runs: int = 5) -> tuple[str, float]:
    """What the command prints, and the median of the CPU seconds of its process."""
    line, seconds = "", []
    for _ in range(runs):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        line = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return line, statistics.median(seconds)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", default="10,50,200,400")
    parser.add_argument("--activations", default="tanh,sigmoid,softplus,gelu")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    print(
        "| activation | parameters | samples | bytes | found and written (CPU s) | checked (CPU s) | bare file (CPU s) | verdict |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for size in map(int, given.sizes.split(",")):
        for activation in given.activations.split(","):
            problem = network(size, activation, given.seed)
            begun = time.process_time()
            try:
                certificate = certify(problem, "spurious-local-minimum", budget=Budget(600))
            except Exception as error:
                print(
                    f"| {activation} | {len(problem.parameters)} | {len(problem.data)} | - | - | - | - | {error} |",
                    flush=True,
                )
                continue
            spent = time.process_time() - begun
            with tempfile.TemporaryDirectory() as scratch:
                folder = given.keep / problem.slug if given.keep else Path(scratch)
                folder.mkdir(parents=True, exist_ok=True)
                (folder / "problem.json").write_text(json.dumps(problem.to_json()) + "\n")
                certificate.save(folder / "certificate.json")
                files = folder / "problem.json", folder / "certificate.json"
                line, seconds = spent_by(apart(*files))
                bare_line, bare = spent_by([sys.executable, "-I", str(checker_path()), *map(str, files)])
            verdict = line.split()[0] if line == bare_line else "THE TWO DIFFER"
            cells = [activation, len(problem.parameters), len(problem.data), len(certificate.to_bytes())]
            print(
                "| " + " | ".join(map(str, [*cells, f"{spent:.1f}", f"{seconds:.3f}", f"{bare:.2f}", verdict])) + " |",
                flush=True,
            )


if __name__ == "__main__":
    main()
