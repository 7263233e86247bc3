"""How often training succeeds from random starts, with confidence intervals (Sun et al. 2020, Conjecture VII.1).

The toy with a known answer: F = (1 - sum_j v_j relu(w_j))^2, (v_j, w_j) independent and rotation-invariant, gradient flow.
On w > 0 the flow multiplies v + w and w - v by positive factors, so a unit can grow exactly if w > 0 and v > -w, a sector
of angle 3 pi / 4; one such unit suffices, and without one all units die. So the probability is 1 - (5/8)^m.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from explorer.numeric.backend import compiled, generator, normal
from explorer.numeric.dynamics import gradient_descent
from explorer.problem import Problem


@dataclass(frozen=True)
class Proportion:
    """``successes`` of ``runs`` and Wilson's score interval at ``confidence`` (Wilson 1927)."""

    successes: int
    runs: int
    confidence: float
    low: float
    high: float
    seed: int

    @property
    def estimate(self) -> float:
        return self.successes / self.runs

    def contains(self, probability: float | Fraction) -> bool:
        return self.low <= float(probability) <= self.high


def wilson(successes: int, runs: int, *, confidence: float = 0.99, seed: int = 0) -> Proportion:
    """Wilson's score interval for a binomial proportion."""
    z = _normal_quantile((1 + confidence) / 2)
    p, n = successes / runs, runs
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return Proportion(successes, runs, confidence, centre - half, centre + half, seed)


def _normal_quantile(q: float) -> float:
    low, high = -10.0, 10.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if 0.5 * math.erfc(-middle / math.sqrt(2)) < q else (low, middle)
    return (low + high) / 2


def one_sample_relu(width: int) -> Problem:
    """F = (1 - sum_j v_j relu(w_j))^2."""
    return Problem.dense(widths=[1, width, 1], inputs=[1], targets=[1], activation="relu")


def exact_probability(width: int) -> Fraction:
    """1 - (5/8)^m, see above."""
    return 1 - Fraction(5, 8) ** width


def success_probability(
    problem: Problem, *, runs: int = 2000, rate: float = 0.02, steps: int = 1000, threshold: float = 0.1,
    scale: float = 1.0, seed: int = 0, device: str = "auto", confidence: float = 0.99,
) -> Proportion:  # fmt: skip
    """The share of normal starts from which gradient descent brings F below ``threshold``."""
    twin = compiled(problem, device=device)
    start = normal((runs, twin.size), generator(seed), twin.device, scale=scale)
    losses = gradient_descent(twin, start, steps=steps, rate=rate).losses[-1]
    return wilson(int((losses < threshold).sum()), runs, confidence=confidence, seed=seed)
