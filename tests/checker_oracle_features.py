"""The second opinion on relations among features: random parameters in mpmath."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

FEATURE_RULES = ("feature-null", "feature-null-near", "positive")


def step_holds(opinion: Any, step: dict[str, Any], mp: Any) -> bool:
    body = opinion.f.body
    if step["rule"] == "positive":
        return bool(body["network"]["kind"] == "dense" and body["loss"]["kind"] == "logistic")
    c = [mp.mpf(Fraction(v).numerator) / Fraction(v).denominator for v in step["vector"]]
    if body["network"]["kind"] != "dense" or not any(c):
        return False
    rng, base = random.Random(5), opinion.points.get(step.get("point"))
    for _ in range(30):
        theta = [mp.mpf(rng.randrange(-300, 300)) / 100 for _ in range(opinion.f.size)]
        if base is not None:
            theta = [b + t / 10**9 for b, t in zip(base, theta, strict=True)]
        rows = [hidden(opinion.f, theta, x, mp) for x in body["data"]["inputs"]]
        for unit in zip(*rows, strict=True):
            if abs(mp.fdot(c, unit)) > mp.mpf(10) ** -35 * (1 + max(map(abs, unit))):
                return False
    return True


def hidden(f: Any, theta: list[Any], x: list[Any], mp: Any) -> list[Any]:
    """The outputs of the last hidden layer."""
    widths, at, signal = f.net["widths"], 0, [mp.mpf(Fraction(v).numerator) / Fraction(v).denominator for v in x]
    for k in range(len(widths) - 2):
        rows, cols = widths[k + 1], widths[k]
        matrix = [theta[at + i * cols : at + (i + 1) * cols] for i in range(rows)]
        at += rows * cols
        shift = theta[at : at + rows] if f.bias[k] else [mp.mpf(0)] * rows
        at += rows * f.bias[k]
        signal = [f.activations[k](mp.fdot(w, signal) + b) for w, b in zip(matrix, shift, strict=True)]
    return signal
