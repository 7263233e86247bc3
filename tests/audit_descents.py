"""Where gradient descent ends on a loss with kinks, and whether that is on a listed component.

The descents run in float64 on the numerical twin, many starts at once, with rates that fall from 2^-5 to 2^-24 so that the
zigzag across a kink dies out. An end counts as a limit when 0 is nearly in the convex hull of the gradients around it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from audit_surface import on_component
from scipy.optimize import nnls

from explorer.numeric.backend import compiled
from explorer.numeric.dynamics import gradient_descent
from explorer.problem import Problem
from explorer.solve.results import CriticalSet

#: a limit may lie this far from the listed component (relative to the size of the point, see `on_component`)
NEAR = 1e-3


def ends(problem: Problem, starts: int, seed: int, steps: int = 100) -> Any:
    """The ends of descents from normal starting points of standard deviation 0.3 and 1, one row each."""
    twin = compiled(problem, device="cpu")
    rng = np.random.default_rng(seed)
    first = rng.normal(size=(starts, twin.size)) * rng.choice([0.3, 1.0], size=(starts, 1))
    x = torch.tensor(first)
    for halving in range(20):
        repeat = (24, 8, 4)[halving] if halving < 3 else 1
        x = gradient_descent(twin, x, steps=steps * repeat, rate=2.0 ** (-5 - halving)).theta
    return x[torch.isfinite(x).all(1) & (x.abs().amax(1) < 50)].numpy()


def settled(problem: Problem, x: Any, rng: Any) -> bool:
    """Whether the shortest vector in the convex hull of the gradients within 10^-4 of x is short (gradient sampling, Burke,
    Lewis and Overton 2005), by nonnegative least squares."""
    twin = compiled(problem, device="cpu")
    around = x + 1e-4 * rng.uniform(-1, 1, size=(12 * len(x), len(x)))
    g = twin.gradients(torch.tensor(around))[1].numpy()
    coefficients, _ = nnls(np.vstack([g.T, np.ones(len(g))]), np.append(np.zeros(len(x)), 1.0))
    return bool(abs(coefficients.sum() - 1) < 1e-3 and np.linalg.norm(g.T @ coefficients) < 1e-6)


def missed(
    problem: Problem, found: CriticalSet, *, starts: int = 200, seed: int = 0, steps: int = 100
) -> tuple[int, list[str]]:
    """(limits that were examined, complaints about limits on no listed component)."""
    rng = np.random.default_rng(seed)
    limits, out = 0, []
    for x in ends(problem, starts, seed, steps):
        if not settled(problem, x, rng):
            continue
        limits += 1
        if not any(on_component(c, found.parameters, x, NEAR) for c in found.components):
            out.append(f"MISSED the limit of a descent near {np.round(x, 5).tolist()}")
    return limits, out
