"""Many starts at once: batched damped Newton methods that find minima, or critical points of any index, of a twin.

Two merits share one loop. ``value``: the step solves (H + mu I) s = -g with mu large enough for Cholesky and is taken
when F falls (Levenberg 1944, Marquardt 1963; Nocedal and Wright, Numerical Optimization, section 10.3): limits are mostly
local minima. ``gradient``: the step solves (H^2 + mu I) s = -H g and is taken when |g| falls: critical points of every
index. Starts that are done leave the batch.

What counts as a limit: a small gradient is not enough, because 1/theta and e^-theta also have small gradients. The
Newton step must be small as well, in every direction in which the gradient exceeds its rounding error. A small
gradient with a large step is an escape; a loop that ends without either is a stall.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

import torch

from explorer.budget import Deadline
from explorer.errors import Invalid
from explorer.numeric.twin import Twin

Tensor: TypeAlias = torch.Tensor
EPSILON = torch.finfo(torch.float64).eps
#: doubles that the Hessians of one group of starts may hold
ROOM = 12_000_000


class Outcome(Enum):
    """How one start ended; the value is the word in JSON."""

    STALLED = "stalled"
    LIMIT = "limit"
    ESCAPED = "escaped"


#: the codes of `Ends.outcome`
STALLED, LIMIT, ESCAPED = range(3)


@dataclass(frozen=True)
class Settings:
    """``gradient``: relative size of a gradient that is tested; ``step``: relative Newton step of a limit; ``radius``: escape."""

    iterations: int = 150
    gradient: float = 1e-10
    step: float = 1e-5
    far_step: float = 0.05
    radius: float = 1e6


@dataclass(frozen=True, eq=False)
class Ends:
    """Where the starts ended: ``theta`` (B, P), F ``value`` (B,), largest gradient entry ``gradient`` (B,), ``outcome``
    codes (B,), and ``iterations`` (B,)."""

    theta: Tensor
    value: Tensor
    gradient: Tensor
    outcome: Tensor
    iterations: Tensor

    def count(self, code: int) -> int:
        return int((self.outcome == code).sum())


def descend(
    twin: Twin,
    starts: Tensor,
    *,
    merit: str = "value",
    settings: Settings | None = None,
    deadline: Deadline | None = None,
) -> Ends:
    """Run every row of ``starts`` (B, P) to its end. ``merit`` is ``value`` (minima) or ``gradient`` (any index).

    When ``deadline`` is over, the starts that are still on their way count as stalled.
    """
    if merit not in ("value", "gradient"):
        raise Invalid("merit", expected="'value' or 'gradient'", got=repr(merit))
    chosen, clock = settings or Settings(), deadline or Deadline(None)
    group = max(1, ROOM // twin.size**2)
    parts = [_descend(twin, part, merit == "value", chosen, clock) for part in starts.split(group)]
    ends = Ends(*(torch.cat([getattr(p, k) for p in parts]) for k in ("theta", "value", "gradient", "outcome", "iterations")))  # fmt: skip
    ends.outcome[_beyond_sight(twin, ends)] = ESCAPED
    return ends


def _beyond_sight(twin: Twin, ends: Ends) -> Tensor:
    """Numbers of limits that are none: a saturated unit and a flat direction. A long step led to where float64 sees no slope
    although the function goes on to fall; nothing here tells that from a limit, so it does not count as one."""
    at = torch.nonzero((ends.outcome == LIMIT) & twin.saturated(ends.theta))[:, 0]
    if len(at) == 0:
        return at
    spectrum = torch.linalg.eigvalsh(twin.hessians(ends.theta[at])).abs()
    return at[spectrum.amin(1) <= 1e-10 * (1e-30 + spectrum.amax(1))]


def _descend(twin: Twin, starts: Tensor, by_value: bool, s: Settings, clock: Deadline) -> Ends:
    b = len(starts)
    theta = starts.clone()
    outcome = torch.full((b,), STALLED, device=theta.device)
    spent = torch.full((b,), s.iterations, device=theta.device)
    value, gradient = theta.new_empty(b), theta.new_empty(b)
    alive = torch.arange(b, device=theta.device)
    x, (f, g, h) = theta.clone(), twin.quadratics(theta)
    mu = torch.full_like(f, 1e-3)
    for iteration in range(s.iterations + 1):
        size = g.abs().amax(1)
        verdict = _verdict(x, f, g, h, size, s)
        done = verdict >= 0
        if iteration == s.iterations or clock.over:
            verdict, done = torch.where(done, verdict, STALLED), torch.ones_like(done)
        if bool(done.any()):
            at = alive[done]
            theta[at], value[at], gradient[at] = x[done], f[done], size[done]
            outcome[at], spent[at] = verdict[done], iteration
            keep = ~done
            alive, x, f, g, h, mu = alive[keep], x[keep], f[keep], g[keep], h[keep], mu[keep]
        if len(alive) == 0:
            break
        step, mu = _step(g, h, mu, by_value)
        trial = x + step
        if by_value:
            better = twin.values(trial) <= f + _predicted(g, h, step) * 1e-4 + 4 * EPSILON * f.abs()
        else:
            better = twin.gradients(trial)[1].norm(dim=1) < g.norm(dim=1)
        mu = torch.where(better, mu * 0.15, mu * 5).clamp(1e-17, 1e17)
        if bool(better.any()):
            x = torch.where(better[:, None], trial, x)
            f[better], g[better], h[better] = twin.quadratics(x[better])
    return Ends(theta, value, gradient, outcome, spent)


def _step(g: Tensor, h: Tensor, mu: Tensor, by_value: bool) -> tuple[Tensor, Tensor]:
    """The damped step of every row; for the value merit mu is raised until Cholesky succeeds."""
    eye = torch.eye(g.shape[1], dtype=g.dtype, device=g.device)
    scale = h.abs().amax((1, 2)).clamp_min(1e-300)
    matrix, right = (h, g) if by_value else (h @ h, (h @ g[..., None])[..., 0])
    unit = scale if by_value else scale**2
    factor, failed = torch.linalg.cholesky_ex(matrix + (mu * unit)[:, None, None] * eye)
    for _ in range(40):
        bad = failed != 0
        if not bool(bad.any()):
            break
        mu = torch.where(bad, (mu * 10).clamp_min(1e-14), mu)
        again, failed_again = torch.linalg.cholesky_ex(matrix[bad] + (mu * unit)[bad][:, None, None] * eye)
        factor[bad], failed[bad] = again, failed_again
    return -torch.cholesky_solve(right[..., None], factor)[..., 0], mu


def _predicted(g: Tensor, h: Tensor, step: Tensor) -> Tensor:
    """The change of F that the quadratic model predicts (negative, or 0 by rounding)."""
    return ((g * step).sum(1) + 0.5 * (step * (h @ step[..., None])[..., 0]).sum(1)).clamp_max(0)


def _verdict(x: Tensor, f: Tensor, g: Tensor, h: Tensor, size: Tensor, s: Settings) -> Tensor:
    """LIMIT, ESCAPED or -1 (go on) for every row."""
    verdict = torch.full((len(x),), -1, device=x.device)
    largest = h.abs().amax((1, 2))
    verdict[(x.abs().amax(1) > s.radius) | ~torch.isfinite(f) | ~torch.isfinite(size)] = ESCAPED
    small = (size <= s.gradient * (1 + largest)) & (verdict < 0)
    if bool(small.any()):
        step, reach = newton_step(g[small], h[small], x[small]), 1 + x[small].abs().amax(1)
        verdict[small] = torch.where(step <= s.step * reach, LIMIT, torch.where(step > s.far_step, ESCAPED, -1))
    return verdict


def newton_step(g: Tensor, h: Tensor, x: Tensor) -> Tensor:
    """Length (B,) of the Newton step in the directions where the gradient exceeds its rounding error."""
    eigenvalues, vectors = torch.linalg.eigh(h)
    part = (vectors.mT @ g[..., None])[..., 0]
    scale = h.abs().amax((1, 2)) * (1 + x.abs().amax(1)) + g.abs().amax(1)
    felt = part.abs() > 256 * EPSILON * scale[:, None]
    moved = torch.where(felt, part.abs() / eigenvalues.abs().clamp_min(1e-300), torch.zeros_like(part))
    return moved.norm(dim=1)


def polish(twin: Twin, points: Tensor, *, rounds: int = 6) -> Tensor:
    """Newton's method on the gradient, ignoring flat directions; a step is kept where |g| falls."""
    x = points.clone()
    for _ in range(rounds):
        _, g, h = twin.quadratics(x)
        eigenvalues, vectors = torch.linalg.eigh(h)
        flat = eigenvalues.abs() <= 1e-10 * eigenvalues.abs().amax(1, keepdim=True)
        inverse = torch.where(flat, torch.zeros_like(eigenvalues), 1 / torch.where(flat, 1.0, eigenvalues))
        trial = x - (vectors @ (inverse * (vectors.mT @ g[..., None])[..., 0])[..., None])[..., 0]
        better = twin.gradients(trial)[1].norm(dim=1) < g.norm(dim=1)
        x = torch.where(better[:, None], trial, x)
    return x
