"""The second opinion on slices, lines of critical points, descent and chords: mpmath, difference quotients, sampling."""

from __future__ import annotations

import itertools
import json
import random
from fractions import Fraction
from typing import Any


def real(text: Any, mp: Any) -> Any:
    return mp.mpf(Fraction(text).numerator) / Fraction(text).denominator


def slice_basin(opinion: Any, step: dict[str, Any], mp: Any) -> bool:
    rng, base = random.Random(6), opinion.points[step["point"]]
    rows = [[real(v, mp) for v in row] for row in step["directions"]]
    at, low, high = ([real(v, mp) for v in step[key]] for key in ("at", "lower", "upper"))
    level, centre = real(step["level"], mp), opinion.f(base)

    def sliced(z: list[Any]) -> Any:
        moved = [sum((c * r[k] for c, r in zip(z, rows, strict=True)), b) for k, b in enumerate(base)]
        return opinion.f(moved)

    if not all(a < c < b for a, c, b in zip(low, at, high, strict=True)) or sliced(at) > level:
        return False
    for _ in range(200):
        z = [a + (b - a) * mp.mpf(rng.random()) for a, b in zip(low, high, strict=True)]
        if sliced(z) <= centre:
            return False
        k = rng.randrange(len(z))
        z[k] = rng.choice((low[k], high[k]))
        if sliced(z) <= level:
            return False
    return True


def quadratic_output(opinion: Any, step: dict[str, Any], mp: Any) -> bool:
    """One sample, one output, and F has degree 4 at most on random lines (fifth differences vanish)."""
    body, rng = json.loads(opinion.text), random.Random(7)
    if body.get("regularizer") or body["loss"]["kind"] != "squared" or len(body["data"]["targets"]) != 1:
        return False
    if len(body["data"]["targets"][0]) != 1 or body["network"]["kind"] != "dense":
        return False
    signs = (-1, 5, -10, 10, -5, 1)
    for _ in range(5):
        a, b = ([mp.mpf(rng.uniform(-1, 1)) for _ in range(opinion.f.size)] for _ in range(2))
        values = [opinion.f([u + k * v for u, v in zip(a, b, strict=True)]) for k in range(6)]
        if abs(sum(s * v for s, v in zip(signs, values, strict=True))) > mp.mpf(10) ** -35:
            return False
    return True


def line(opinion: Any, step: dict[str, Any], mp: Any) -> bool:
    """Critical with that inertia at some points of the interval."""
    base = opinion.points[step["point"]]
    generator = opinion.generator(opinion.certificate["points"][step["point"]]["field"])
    direction = [opinion.element(c, generator) for c in step["direction"]]
    low, high = (None if step[k] is None else real(step[k], mp) for k in ("above", "below"))
    for part in ("0.1", "0.35", "0.5", "0.85", "0.98"):
        share = mp.mpf(part)
        far = share / (1 - share)
        s = low + far if high is None else high - far if low is None else low + (high - low) * share
        theta = [b + s * d for b, d in zip(base, direction, strict=True)]
        if not opinion.critical(theta) or list(opinion.inertia(theta)) != list(step["inertia"]):
            return False
    return True


def gradient_step(opinion: Any, step: dict[str, Any], mp: Any) -> bool:
    base, end, size = opinion.points[step["point"]], opinion.points[step["to"]], real(step["step"], mp)
    moved = [b - size * g for b, g in zip(base, opinion.f.gradient(base), strict=True)]
    return size > 0 and all(abs(a - b) < mp.mpf(10) ** -12 for a, b in zip(moved, end, strict=True))


def flow(opinion: Any, step: dict[str, Any], mp: Any) -> bool:
    """Difference quotients along the curve: the gradient is a negative multiple of the velocity."""
    start, until, h = real(step["from"], mp), real(step["until"], mp), mp.mpf(10) ** -15

    def at(t: Any) -> list[Any]:
        return [
            sum((real(c if isinstance(c, str) else c[0], mp) * t ** e[0] for c, e in row), mp.mpf(0))
            for row in step["path"]
        ]

    for name, t in (("point", start), ("to", until)):
        if any(abs(a - b) > mp.mpf(10) ** -30 for a, b in zip(at(t), opinion.points[step[name]], strict=True)):
            return False
    for k in range(20):
        t = start + (until - start) * k / 20
        velocity = [(b - a) / h for a, b in zip(at(t), at(t + h), strict=True)]
        slope = opinion.f.gradient(at(t))
        inner = sum((a * b for a, b in zip(velocity, slope, strict=True)), mp.mpf(0))
        sizes = [mp.sqrt(sum((a * a for a in v), mp.mpf(0))) for v in (velocity, slope)]
        size = sizes[0] * sizes[1]
        if abs(inner + size) > mp.mpf(10) ** -9 * (1 + size) or sizes[1] < mp.mpf(10) ** -9:
            return False
    return bool(opinion.critical(at(until)))


def chord(opinion: Any, step: dict[str, Any], mp: Any) -> bool:
    base, end = opinion.points[step["point"]], opinion.points[step["to"]]
    marks = [real(s, mp) for s in step.get("at", [])] or [mp.mpf(k) / 64 for k in range(65)]
    values = [opinion.f([a + s * (b - a) for a, b in zip(base, end, strict=True)]) for s in marks]
    if "at" in step:
        return bool(0 <= marks[0] < marks[1] <= 1 and values[1] > values[0])
    return all(b < a for a, b in itertools.pairwise(values))


RULES = {
    "slice-basin": slice_basin,
    "quadratic-output": quadratic_output,
    "line": line,
    "gradient-step": gradient_step,
    "flow": flow,
    "chord": chord,
}
GOALS = (
    "slice-basin",
    "no-bad-slices",
    "interpolation-rises",
    "interpolation-falls",
    "line-of-minima",
    "line-of-saddles",
)
