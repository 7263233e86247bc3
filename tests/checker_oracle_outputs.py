"""The second opinion on facts that go through the outputs: F as a function of free outputs, sampled in mpmath."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from typing import Any

GOALS = ("output-valley", "constant-loss")


def free_outputs(opinion: Any) -> tuple[Any, list[Any]] | None:
    """(L as a landscape whose parameters are all outputs of the last linear layer, these outputs at p), output by output."""
    body = json.loads(opinion.text)
    net, data = body["network"], body["data"]
    if net["kind"] != "dense" or body.get("regularizer"):
        return None
    n, m = len(data["inputs"]), net["widths"][-1]
    bare = type(opinion.f)(body | {"network": net | {"output_activation": "linear"}})
    per_sample = [bare.outputs(opinion.points[opinion.certificate["goal"]["point"]], x) for x in data["inputs"]]
    rows = [[str(int(i == j)) for j in range(n)] for i in range(n)]
    shape = {
        "kind": "dense",
        "widths": [n, m],
        "activation": [],
        "output_activation": net.get("output_activation", "linear"),
    }
    loss = type(opinion.f)(body | {"network": shape, "data": data | {"inputs": rows}})
    return loss, [per_sample[i][k] for k in range(m) for i in range(n)]


def output_basin(opinion: Any, step: dict[str, Any], mp: Any) -> bool:
    """p's outputs lie in the box, F(p) <= level, L > level on random points of the faces, L > F(q) on random points inside."""
    found = free_outputs(opinion)
    if found is None:
        return False
    loss, here = found
    low, high = ([Fraction(v) for v in step[key]] for key in ("lower", "upper"))
    level = mp.mpf(Fraction(step["level"]).numerator) / Fraction(step["level"]).denominator
    if len(here) != len(low) or not all(
        mp.mpf(float(a)) < u < mp.mpf(float(b)) for a, u, b in zip(low, here, high, strict=True)
    ):
        return False
    better = opinion.points.get(opinion.certificate["goal"].get("better"))
    rng = random.Random(11)
    for k in range(len(low)):
        for _ in range(60):
            u = [a + (b - a) * Fraction(rng.randrange(10**6), 10**6) for a, b in zip(low, high, strict=True)]
            inside = loss([mp.mpf(v.numerator) / v.denominator for v in u])
            u[k] = rng.choice((low[k], high[k]))
            if loss([mp.mpf(v.numerator) / v.denominator for v in u]) <= level:
                return False
            if better is not None and not opinion.f(better) < inside:
                return False
    return bool(loss(here) <= level + mp.mpf(10) ** -35)


def constant(opinion: Any, step: dict[str, Any], mp: Any) -> bool:
    """F at random points is F(p)."""
    here, rng = opinion.points[step["point"]], random.Random(12)
    for _ in range(40):
        there = [mp.mpf(rng.uniform(-5, 5)) for _ in here]
        if abs(opinion.f(there) - opinion.f(here)) > mp.mpf(10) ** -30:
            return False
    return True


RULES = {"output-basin": output_basin, "constant": constant}
