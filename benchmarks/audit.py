"""Random audit of certificates in floating point: certified minima have no lower neighbours, descent curves descend.

    python benchmarks/audit.py [--problems 1000] [--tries 10000] [--seed 0]

Random requests to the recipes (activation, samples, width, depth, inputs, seed) until that many certificates of local minimality
were issued; for each, ``tries`` random points on spheres of several radii around p, evaluated by tests/independent/floating.py,
which reads the problem file itself. A neighbour counts as lower if F(q) < F(p) - 1e-11 (1 + |F(p)|): F is a sum of at most a few
dozen squares in double precision. At the minimum F grows at least like |step|^2, or not at all along flat directions, so a
wrong certificate shows at the larger radii. For "not a local minimum" by a curve, F is evaluated along the curve.
Networks of up to 12 units, so that the arrays stay small.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from independent import floating

from explorer.certify import exhibit, refute
from explorer.errors import ExplorerError

RADII = (1e-2, 1e-3, 1e-4)
MINIMA = ("spurious-local-minimum", "local-minimum", "strict-local-minimum")
SMOOTH = ("sigmoid", "tanh", "swish", "exp", "square", "cubic", "gelu", "requ")


def requests(seed: int) -> Any:
    """Endless random (verb, statement, options)."""
    draw = random.Random(seed)
    while True:
        n, width, s = draw.randint(3, 8), draw.randint(1, 6), draw.randint(0, 10_000)
        yield draw.choice(
            [
                (exhibit, "sun2020.quote-IV-ding", {"activation": draw.choice(SMOOTH), "samples": n, "width": width, "seed": s}),
                (exhibit, "sun2020.quote-IV-ding", {"activation": draw.choice(SMOOTH), "width": 2, "depth": draw.randint(3, 4), "seed": s}),
                (exhibit, "sun2020.quote-IV-ding", {"activation": "sigmoid", "inputs": plane(draw), "width": width, "seed": s}),
                (exhibit, "sun2020.quote-IV-ding", {"activation": draw.choice(("sigmoid", "exp", "swish")), "bias": False, "samples": n, "seed": s}),
                (exhibit, "explorer.bad-minimum-logistic", {"samples": n, "width": width, "seed": s}),
                (exhibit, "explorer.bad-minimum-outputs", {"activation": "tanh", "samples": n, "seed": s}),
                (exhibit, "yun2019.thm-1", {"samples": n, "width": max(2, width), "seed": s}),
                (exhibit, "sun2020.quote-IV-relu", {"samples": n, "inputs": plane(draw, n), "seed": s}),
                (exhibit, "sun2020.prop-IV.1", {"activation": cubic(draw), "seed": s % 5}),
                (exhibit, "sun2020.prop-IV.3", {"samples": draw.randint(2, 4), "seed": s % 7}),
                (refute, "sun2020.claim-IV.1", {"samples": n, "width": n, "seed": s}),
            ]
        )  # fmt: skip


def plane(draw: random.Random, n: int = 5) -> list[list[int]]:
    return [[draw.randint(-4, 4), draw.randint(-4, 4)] for _ in range(n)]


def cubic(draw: random.Random) -> dict[str, Any]:
    """(z - a)^k (z - b) with small a, b."""
    a, b, k = draw.randint(-2, 2), draw.randint(-2, 2), draw.randint(1, 4)
    coefficients = [1]
    for root in [a] * k + [b]:
        coefficients = [
            (coefficients[j - 1] if j else 0) - root * (coefficients[j] if j < len(coefficients) else 0)
            for j in range(len(coefficients) + 1)
        ]
    return {"kind": "polynomial", "coefficients": [str(c) for c in coefficients]}


def lower_neighbour(problem: dict[str, Any], p: np.ndarray, tries: int, seed: int) -> float:
    """How far below F(p) - tolerance the lowest neighbour lies; <= 0 if none does."""
    worst = -np.inf
    for start in range(0, tries, 2_000):
        here, least = floating.lowest_nearby(
            problem, p, tries=min(2_000, tries - start), seed=seed + start, radii=RADII
        )
        worst = max(worst, here - 1e-11 * (1 + abs(here)) - least)
    return worst


def descends(problem: dict[str, Any], body: dict[str, Any], p: np.ndarray) -> bool:
    """F(p + c_1 s + ...) < F(p) for s = 1/8, 1/16, ... somewhere before rounding takes over; none where there is no curve."""
    (step,) = [s for s in body["steps"] if s["rule"] == "descent-curve"]
    field = body["points"]["p"]["field"]
    rows = [[floating.vector({"field": field, "coordinates": [c]})[0] for c in row] for row in step["curve"]]
    here = floating.loss(problem, p[None, :])[0]
    ahead = [p + [sum(c * s ** (k + 1) for k, c in enumerate(row)) for row in rows] for s in 2.0 ** -np.arange(3, 8)]
    return bool((floating.loss(problem, np.array(ahead)) < here).all())


def audit(problems: int, tries: int, seed: int) -> Counter[str]:
    """Counts; raises AssertionError at the first certificate that the floating numbers contradict."""
    counts: Counter[str] = Counter()
    seen: set[str] = set()
    for k, (verb, statement, options) in enumerate(requests(seed)):
        if counts["minima"] >= problems:
            return counts
        try:
            instances = verb(statement, **options)
        except ExplorerError:
            counts["refused"] += 1
            continue
        for instance in instances:
            if instance.problem.digest in seen:
                continue
            seen.add(instance.problem.digest)
            problem = instance.problem.to_json()
            for name, certificate in instance.certificates:
                body = certificate.to_json()
                p = floating.vector(body["points"]["p"])
                if body["goal"]["kind"] in MINIMA:
                    assert lower_neighbour(problem, p, tries, k) <= 0, (statement, options, name)
                    counts["minima"] += 1
                elif "descent-curve" in certificate.rules:
                    assert descends(problem, body, p), (statement, options, name)
                    counts["curves"] += 1
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", type=int, default=1_000)
    parser.add_argument("--tries", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    start = time.process_time()
    counts = audit(given.problems, given.tries, given.seed)
    seconds = time.process_time() - start
    print(f"{dict(counts)}: no contradiction; {given.tries} neighbours each, radii {RADII}, {seconds:.0f} s of CPU")
    assert Fraction(counts["minima"]) >= given.problems


if __name__ == "__main__":
    main()
