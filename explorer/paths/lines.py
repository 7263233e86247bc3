"""Lines along which F falls, and paths on one level: what joins the critical points of a merge tree. Numerical.

A line starts at a critical point, leaves it where F falls, and is a polyline of damped Newton steps. A step counts only
if F, sampled on its segment, never rises, so the whole line stays in the sublevel set of its start (as far as samples
show): minima that two lines of one point reach are joined below that point's level.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.budget import Deadline
from explorer.paths.floating import Array, Floats

#: steps of one line; where a segment is sampled; how far is infinity
STEPS, SAMPLES, FAR = 400, np.array([0.2, 0.4, 0.6, 0.8, 1.0]), 1e6
LIMIT, ESCAPED, STALLED = "limit", "escaped", "stalled"
EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False)
class Ends:
    """Where lines end: points (B, d), F (B,), one of the three words for each, and the least eigenpair there."""

    points: Array
    values: Array
    outcome: tuple[str, ...]
    least: Array
    direction: Array


def descend(f: Floats, starts: Array, clock: Deadline) -> Ends:
    """Follow F down from every row of ``starts`` (B, d) to a limit, or until it escapes or stalls."""
    x = starts.copy()
    count, d = x.shape
    outcome = [STALLED] * count
    alive = np.arange(count)
    mu = np.full(count, 1e-2)
    value, g, h = f.quadratics(x)
    for _ in range(STEPS):
        small, far = _verdict(x[alive], g[alive], h[alive])
        for k, s, e in zip(alive, small, far, strict=True):
            outcome[k] = ESCAPED if e else LIMIT if s else STALLED
        alive = alive[~(small | far)]
        if len(alive) == 0 or clock.over:
            break
        step = _step(g[alive], h[alive], mu[alive])
        sampled = f.values((x[alive][:, None] + SAMPLES[:, None] * step[:, None]).reshape(-1, d)).reshape(
            -1, len(SAMPLES)
        )
        track = np.concatenate([value[alive][:, None], sampled], axis=1)
        slack = 4 * EPSILON * (1 + np.abs(value[alive]))
        falls = (np.diff(track, axis=1) <= slack[:, None]).all(1) & (track[:, -1] <= track[:, 0])
        good = alive[falls]
        mu[alive] = np.clip(np.where(falls, mu[alive] * 0.25, mu[alive] * 6), 1e-14, 1e14)
        stuck = alive[~falls & (mu[alive] >= 1e14)]
        alive = np.setdiff1d(alive, stuck)
        if len(good):
            x[good] += step[falls]
            value[good], g[good], h[good] = f.quadratics(x[good])
    stuck = np.array([k for k, said in enumerate(outcome) if said == STALLED], dtype=int)
    if len(stuck):  # rounding of F ended the line a little early
        small, far = _verdict(x[stuck], g[stuck], h[stuck], 1e-6)
        for k, s, e in zip(stuck, small, far, strict=True):
            outcome[k] = ESCAPED if e else LIMIT if s else STALLED
    least, vectors = np.linalg.eigh(np.nan_to_num(h))
    return Ends(x, value, tuple(outcome), least[:, 0], vectors[:, :, 0])


def _verdict(x: Array, g: Array, h: Array, least: float = 1e-9) -> tuple[Any, Any]:
    """Small gradient and small Newton step: a limit. Far away, not a number, or a small gradient with a large step: an escape."""
    size, largest = np.abs(g).max(1), np.abs(h).max((1, 2))
    lost = ~np.isfinite(size) | ~np.isfinite(largest) | (np.abs(x).max(1) > FAR)
    lost |= (largest == 0) & (np.abs(x).max(1) > 30)  # saturated: floats see no slope although there is one
    small = (size <= least * (1 + largest)) & ~lost
    step = np.zeros(len(x))
    if small.any():
        eigenvalues, vectors = np.linalg.eigh(h[small])
        part = np.einsum("bij,bi->bj", vectors, g[small])
        floor = 256 * EPSILON * (largest[small] * (1 + np.abs(x[small]).max(1)) + size[small])
        moved = np.where(np.abs(part) > floor[:, None], np.abs(part) / np.maximum(np.abs(eigenvalues), 1e-300), 0.0)
        step[small] = np.sqrt((moved**2).sum(1))
    reach = 1 + np.abs(x).max(1)
    return small & (step <= 1e-5 * reach), lost | (small & (step > 0.05))


def _step(g: Array, h: Array, mu: Array) -> Array:
    """-(|H| + mu |H|_max)^-1 g with |H| of the absolute eigenvalues: always a direction in which F falls."""
    eigenvalues, vectors = np.linalg.eigh(h)
    scale = np.maximum(np.abs(eigenvalues).max(1, keepdims=True), 1e-12)
    part = np.einsum("bij,bi->bj", vectors, g)
    step = -np.einsum("bij,bj->bi", vectors, part / (np.abs(eigenvalues) + mu[:, None] * scale))
    return np.asarray(step)


def departures(f: Floats, point: Array, directions: Array) -> Array:
    """Points near ``point`` with lower F, at most one per direction, each joined to it by a segment on which F never rises."""
    value = float(f.values(point[None])[0])
    found: list[Array] = []
    left = directions / np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), 1e-300)
    length = 2e-5 * (1 + float(np.abs(point).max()))
    t = np.linspace(0.1, 1.0, 10)
    for _ in range(9):  # the shortest step that is felt above rounding, so that no barrier is jumped
        if len(left) == 0:
            break
        track = f.values((point + length * t[:, None] * left[:, None]).reshape(-1, len(point))).reshape(-1, len(t))
        felt = track[:, -1] < value - 2e3 * EPSILON * (1 + abs(value))
        level = np.concatenate([np.full((len(left), 1), value), track], axis=1)
        falls = (np.diff(level, axis=1) <= 8 * EPSILON * (1 + abs(value))).all(1)
        found += list(point + length * left[felt & falls])
        left = left[~felt]
        length *= 3
    return np.array(found).reshape(-1, len(point))


def joined(f: Floats, a: Array, b: Array, low: float, high: float, rng: np.random.Generator, clock: Deadline) -> bool:
    """Whether a path below ``high`` from ``a`` to ``b`` was found, for two points with F near ``low``.

    With no critical value above ``low`` and up to ``high``, the components of {F <= high} are those of {F <= low} (the flow
    of -grad F retracts one onto the other), so ``high`` need not be near ``low``. Segments that rise above are bent: their midpoints
    go downhill and the halves are tried again. Sampled, so numerical; False also when no path was found.
    """
    aim = (low + high) / 2
    todo = [(a, b)]
    for _ in range(9):
        bad = [pair for pair, fine in zip(todo, straight(f, todo, high), strict=True) if not fine]
        if not bad:
            return True
        if len(bad) > 12 or clock.over:
            return False
        middle = np.array([(p + q) / 2 + 0.01 * np.linalg.norm(q - p) * rng.normal(size=len(a)) for p, q in bad])
        lowered = _lowered(f, middle, aim)
        if (f.values(lowered) > high).any():
            return False
        todo = [half for (p, q), m in zip(bad, lowered, strict=True) for half in ((p, m), (m, q))]
    return False


def straight(f: Floats, pairs: list[tuple[Array, Array]], high: float) -> Array:
    """Whether F, sampled on the segment between the two points of each pair, stays at or below ``high``."""
    t = np.linspace(0, 1, 12)[1:-1]
    tracks = np.array([p + t[:, None] * (q - p) for p, q in pairs])
    top = f.values(tracks.reshape(-1, tracks.shape[2])).reshape(len(pairs), -1).max(1)
    return np.asarray(top <= high)


def _lowered(f: Floats, x: Array, aim: float) -> Array:
    """Short steps downhill until F <= ``aim`` (at most 60)."""
    x, mu = x.copy(), np.full(len(x), 1e-1)
    value, g, h = f.quadratics(x)
    for _ in range(60):
        rows = np.nonzero((value > aim) & np.isfinite(g).all(1) & np.isfinite(h).all((1, 2)))[0]
        if len(rows) == 0:
            break
        trial = x[rows] + _step(g[rows], h[rows], mu[rows])
        better = f.values(trial) < value[rows]
        mu[rows] = np.where(better, mu[rows] * 0.5, mu[rows] * 4)
        good = rows[better]
        if len(good):
            x[good] = trial[better]
            value[good], g[good], h[good] = f.quadratics(x[good])
    return x


def projected(f: Floats, x: Array, rounds: int = 30) -> Array:
    """Newton steps towards the critical set, none along null directions: points near a family land on it (or leave)."""
    x = x.copy()
    for _ in range(rounds):
        _, g, h = f.quadratics(x)
        eigenvalues, vectors = np.linalg.eigh(np.nan_to_num(h))
        scale = np.abs(eigenvalues).max(1, keepdims=True)
        keep = np.abs(eigenvalues) > 1e-6 * np.maximum(scale, 1e-300)
        inverse = np.where(keep, 1 / np.where(keep, eigenvalues, 1.0), 0.0)
        step = np.einsum("bij,bj->bi", vectors, inverse * np.einsum("bij,bi->bj", vectors, np.nan_to_num(g)))
        x = x - np.clip(step, -1.0, 1.0)
    return x
