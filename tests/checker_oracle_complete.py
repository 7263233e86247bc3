"""The second opinion on complete lists of critical points: Newton's method in mpmath from many starts, no boxes, no trees."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

RULES = ("radius", "complete-in-box", "complete")
GOALS = ("critical-points-in-box", "critical-points-complete", "minimum-value", "lower-bound")
STARTS = 24


def limits(opinion: Any, low: list[Fraction], high: list[Fraction], mp: Any) -> list[list[Any]]:
    """The different limits of Newton's method from starts in the box."""
    rng, found = random.Random(7), []
    for _ in range(STARTS):
        start = [a + (b - a) * Fraction(rng.randrange(10**4), 10**4) for a, b in zip(low, high, strict=True)]
        limit = opinion.f.newton([mp.mpf(v.numerator) / v.denominator for v in start])
        if limit is not None and not any(mp.norm(mp.matrix(limit) - mp.matrix(o)) < 1e-12 for o in found):
            found.append(limit)
    return found


def step_holds(opinion: Any, step: dict[str, Any], mp: Any) -> bool:
    if step["rule"] == "floor":  # the lowest of random walks downhill
        value = mp.mpf(Fraction(step["value"]).numerator) / Fraction(step["value"]).denominator
        rng = random.Random(9)
        for _ in range(6):
            theta = [mp.mpf(rng.uniform(-2, 2)) for _ in range(opinion.f.size)]
            lowest = opinion.f(theta)
            for k in range(80):
                tried = [t + rng.gauss(0, 1) * 0.95**k for t in theta]
                theta, lowest = min((theta, lowest), (tried, opinion.f(tried)), key=lambda pair: pair[1])
            if lowest < value:
                return False
        return True
    if step["rule"] == "complete":
        return True
    if step["rule"] == "radius":
        bounds = [Fraction(v) for v in step["bounds"]]
        found = limits(opinion, [-2 * b for b in bounds], [2 * b for b in bounds], mp)
        return all(abs(t) <= float(b) + 1e-12 for limit in found for t, b in zip(limit, bounds, strict=True))
    low, high = ([Fraction(v) for v in step[key]] for key in ("lower", "upper"))
    listed = [opinion.points[name] for name in step["points"]]
    listed += [[mp.mpf(0)] * len(low)] if "origin" in step["tree"] else []
    return all(
        any(mp.norm(mp.matrix(limit) - mp.matrix(p)) < 1e-12 for p in listed)
        for limit in limits(opinion, low, high, mp)
        if all(float(a) <= t <= float(b) for a, t, b in zip(low, limit, high, strict=True))
    )
