"""All paths at once: predictor-corrector continuation of H(theta, t) = g(theta; p(t)), p(t) = (1 - t) p0 + t p1.

Predictor: Hermite extrapolation through the last (up to) three points with their tangents, order 6, with an adaptive step
for every path. Corrector: Newton; its last linear solve also gives the tangent, so that a step costs two evaluations
where Runge-Kutta 4 needs four more. Linear systems: symmetric elimination without pivots over the whole batch (complex
pivots are rarely small, and Newton corrects itself); a path that fails is tried again with pivots and smaller steps.
Nothing here is believed: end points are certified, and a jump between paths shows as a conflict in the monodromy graph.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from explorer.budget import Deadline
from explorer.homotopy.model import Model
from explorer.homotopy.program import NARROW

Array: TypeAlias = Any
DONE, FAILED, DIVERGED = 0, 1, 2
CHUNK = 2048  #: paths that move together
LATE, GROWTH = 0.999, 0.1  #: a path that gets stuck after LATE and grows like (1 - t)^-GROWTH is on its way to infinity


@dataclass(frozen=True)
class Settings:
    """``aim``: relative size of the first Newton correction; ``limit``: largest one that is accepted; ``floor``: corrections
    below this are rounding; ``smallest``, ``largest``, ``first``: steps; ``rounds``: steps at most; ``kind``: of numbers;
    ``pivots``: whether the linear solver exchanges rows."""

    aim: float = 2e-3
    limit: float = 0.05
    first: float = 0.01
    smallest: float = 1e-6
    largest: float = 0.25
    rounds: int = 400
    far: float = 1e7
    floor: float = 1e-9
    kind: Any = np.complex128
    pivots: bool = False


NORMAL = Settings()
#: shorter steps and very short ones near the end, where solutions of special data run far away
PATIENT = Settings(aim=1e-3, limit=0.02, first=1e-3, smallest=1e-11, largest=0.1, rounds=600, far=1e9, pivots=True)
#: the same in 64 bits of mantissa where the machine has them, for paths on which rounding keeps the steps short
LONG = Settings(aim=1e-4, limit=0.02, first=1e-3, smallest=1e-11, largest=0.1, rounds=1000, far=1e9, floor=1e-11, kind=np.clongdouble, pivots=True)  # fmt: skip
#: the smallest steps, for paths that jumped
CAREFUL = Settings(
    aim=1e-5,
    limit=1e-3,
    first=1e-3,
    smallest=1e-11,
    largest=0.05,
    rounds=3000,
    far=1e9,
    floor=1e-11,
    kind=np.clongdouble,
    pivots=True,
)


@dataclass(frozen=True)
class Ends:
    """End points (columns), what became of each path, and the size of the last Newton correction."""

    theta: Array
    status: Array
    error: Array


def track(model: Model, start: Array, p0: Array, p1: Array, deadline: Deadline, *, settings: Settings = NORMAL) -> Ends:
    """Follow the columns of ``start`` (d, P) from parameters p0 to p1, each (parameters, P) or (parameters, 1)."""
    count = start.shape[1]
    p0, p1 = (np.broadcast_to(p, (len(model.keys), count)) for p in (p0, p1))
    ends = Ends(start.astype(settings.kind), np.full(count, FAILED), np.full(count, np.inf))
    with np.errstate(all="ignore"):
        _follow(model, ends, p0, p1, deadline, settings)
        done = np.flatnonzero(ends.status == DONE)
        for low in range(0, len(done), CHUNK):
            _polish(model, ends, done[low : low + CHUNK], p1.astype(settings.kind, copy=False), settings)
    return Ends(ends.theta.astype(np.complex128), ends.status, ends.error)


def evaluate(model: Model, theta: Array, p: Array, dp: Array | None) -> tuple[Array, Array, Array]:
    """Gradient (d, P), Hessian (d, d, P) and the gradient's derivative along dp (None without dp)."""
    d, columns = theta.shape
    if dp is None:
        zero = np.zeros(1)
        out = model.newton.on_arrays([*theta, *p, *(zero for _ in range(len(model.keys)))], columns, theta.dtype)
    else:
        out = model.move.on_arrays([*theta, *p, *dp], columns, theta.dtype)
    half = d * (d + 1) // 2
    return out[:d], out[d : d + half][model.square], None if dp is None else out[d + half :]


def solve(h: Array, sides: list[Array]) -> list[Array]:
    """The solutions of h x = side for symmetric matrices (d, d, P), of which the upper half is read; ``h`` is overwritten."""
    d = h.shape[0]
    sides = [b.copy() for b in sides]
    inverse = np.empty_like(h[0])
    narrow = h.shape[2] <= NARROW
    for k in range(d):
        np.divide(1.0, h[k, k], out=inverse[k])
        if k + 1 == d:
            break
        row = h[k, k + 1 :]
        scaled = row * inverse[k]
        for b in sides:
            b[k + 1 :] -= scaled * b[k]
        if narrow:
            h[k + 1 :, k + 1 :] -= scaled[:, None] * row
            continue
        for i in range(d - k - 1):  # the upper half only
            h[k + 1 + i, k + 1 + i :] -= scaled[i] * row[i:]
    for b in sides:
        for k in reversed(range(d)):
            if k + 1 < d:
                b[k] -= (h[k, k + 1 :] * b[k + 1 :]).sum(axis=0)
            b[k] *= inverse[k]
    return sides


def solve_pivoted(h: Array, sides: list[Array]) -> list[Array]:
    """The same for any matrices, with exchanges of rows: without them a path that comes near a zero of a leading minor (far
    solutions, nearly singular ones) loses digits that no shorter step brings back."""
    d, columns = h.shape[0], np.arange(h.shape[2])
    a = np.concatenate([h, *(b[:, None] for b in sides)], axis=1)
    for k in range(d):
        best = k + np.argmax(np.abs(a[k:, k]), axis=0)
        row = a[best, :, columns].T
        a[best, :, columns] = a[k].T
        a[k] = row / row[k]
        a[k + 1 :, k + 1 :] -= a[k + 1 :, k, None] * a[k, k + 1 :]
    out = a[:, d:]
    for k in reversed(range(d - 1)):
        out[k] -= (a[k, k + 1 : d, None] * out[k + 1 :]).sum(axis=0)
    return [out[:, m] for m in range(len(sides))]


def _size(x: Array) -> Array:
    return np.abs(x).max(axis=0)


@dataclass
class _Moving:
    """The paths that move together; in every array the last axis is that of the paths. ``at``: their numbers; ``age``: rounds so
    far; ``times``, ``points``, ``slopes``: the last three nodes, ``nodes`` of which are set."""

    at: Array
    age: Array
    step: Array
    nodes: Array
    times: Array
    points: Array
    slopes: Array
    p0: Array
    p1: Array
    dp: Array

    @classmethod
    def of(cls, model: Model, x: Array, p0: Array, p1: Array, at: Array, s: Settings) -> _Moving:
        d, count = x.shape
        _, h, v = evaluate(model, x, p0, p1 - p0)
        (slope,) = _solver(s)(h, [-v])
        points, slopes = np.zeros((3, d, count), dtype=s.kind), np.zeros((3, d, count), dtype=s.kind)
        points[2], slopes[2] = x, slope
        none = np.zeros(count, dtype=np.int64)
        return cls(at, none, np.full(count, s.first), none + 1, np.zeros((3, count)), points, slopes, p0, p1, p1 - p0)

    def joined(self, other: _Moving) -> _Moving:
        return _Moving(*(np.concatenate([a, b], axis=-1) for a, b in zip(_arrays(self), _arrays(other), strict=True)))

    def only(self, chosen: Array) -> _Moving:
        return _Moving(*(a[..., chosen] for a in _arrays(self)))


def _arrays(m: _Moving) -> list[Array]:
    return [m.at, m.age, m.step, m.nodes, m.times, m.points, m.slopes, m.p0, m.p1, m.dp]


def _follow(model: Model, ends: Ends, p0: Array, p1: Array, deadline: Deadline, s: Settings) -> None:
    """Fill in ``ends``, which holds the starts: up to `CHUNK` paths at a time, new ones as soon as half of them have ended."""
    count, entered, solver = ends.theta.shape[1], 0, _solver(s)
    m: _Moving | None = None
    while True:
        if entered < count and (m is None or len(m.at) <= CHUNK // 2):
            at = np.arange(entered, min(count, entered + CHUNK - (0 if m is None else len(m.at))))
            a, b = (p[:, at].astype(s.kind) for p in (p0, p1))
            fresh = _Moving.of(model, ends.theta[:, at], a, b, at, s)
            m, entered = fresh if m is None else m.joined(fresh), int(at[-1]) + 1
        if m is None or not len(m.at):
            return
        deadline.check("following paths of a homotopy")
        t, points, slopes = m.times[2], m.points, m.slopes
        goal = np.minimum(t + m.step, 1.0)
        guess = _predict(m.times, points, slopes, m.nodes, goal)
        p = (1 - goal) * m.p0 + goal * m.p1
        g, h, _ = evaluate(model, guess, p, None)
        (move,) = solver(h, [g])
        x = guess - move
        size = _size(x) + 1e-3
        first = _size(move) / size
        g, h, v = evaluate(model, x, p, m.dp)
        move, slope = solver(h, [g, -v])
        x = x - move
        second = _size(move) / size
        good = (first < s.limit) & (second < np.maximum(0.1 * first, s.floor)) & (second < 1e-3)
        order = 2.0 * m.nodes
        ratio = np.where(np.isfinite(first) & (first > 0), s.aim / np.maximum(first, 1e-300), 0.0)
        factor = np.clip(0.9 * ratio ** (1 / order), 0.2, np.where(m.nodes < 3, 6.0, 2.0))
        m.step = np.where(good, np.minimum((goal - t) * factor, s.largest), 0.5 * m.step * np.minimum(1.0, factor))
        for k in range(2):
            np.copyto(m.times[k], m.times[k + 1], where=good)
            np.copyto(points[k], points[k + 1], where=good)
            np.copyto(slopes[k], slopes[k + 1], where=good)
        np.copyto(m.times[2], goal, where=good)
        np.copyto(points[2], x, where=good)
        np.copyto(slopes[2], slope, where=good)
        m.nodes = np.where(good, np.minimum(m.nodes + 1, 3), m.nodes)
        m.age = m.age + 1
        arrived = good & (goal >= 1.0)
        stuck = ~arrived & (m.step < s.smallest)
        old = ~arrived & ~stuck & (m.age >= s.rounds)
        # theta ~ (1 - t)^(-a) has |slope| (1 - t) / |theta| -> a; towards a finite point that quotient goes to 0
        growth = _size(slopes[2]) * (1 - m.times[2]) / _size(points[2])
        growing = (m.times[2] > LATE) & (growth > GROWTH)
        diverged = ~arrived & ((_size(points[2]) > s.far) | ((stuck | old) & growing))
        ended = arrived | diverged | stuck | old
        if ended.any():
            ends.theta[:, m.at[ended]] = points[2][:, ended]
            ends.error[m.at[arrived]] = second[arrived]
            ends.status[m.at[arrived]] = DONE
            ends.status[m.at[diverged]] = DIVERGED
            m = m.only(~ended)


def _solver(s: Settings) -> Callable[[Array, list[Array]], list[Array]]:
    return solve_pivoted if s.pivots else solve


def _polish(model: Model, ends: Ends, done: Array, p1: Array, s: Settings) -> None:
    """Two Newton steps at t = 1 for the paths with these numbers."""
    x, p = ends.theta[:, done], p1[:, done]
    for _ in range(2):
        g, h, _ = evaluate(model, x, p, None)
        (move,) = _solver(s)(h, [g])
        x = x - move
        ends.error[done] = _size(move) / (_size(x) + 1e-3)
    ends.theta[:, done] = x
    ends.status[done[~(ends.error[done] < 1e-8)]] = FAILED


def _predict(times: Array, points: Array, slopes: Array, nodes: Array, goal: Array) -> Array:
    """Hermite extrapolation to ``goal`` through the last ``nodes`` points with their slopes (divided differences)."""
    h = goal - times[2]
    straight = points[2] + h * slopes[2]
    if (nodes == 1).all():
        return straight
    a = times[2] - times[1]
    # f[2,2,1], f[2,2,1,1]
    chord = (points[2] - points[1]) / a
    second = (slopes[2] - chord) / a
    third = (slopes[2] - 2 * chord + slopes[1]) / a**2
    w = goal - times[1]
    cubic = straight + h * h * (second + w * third)
    if (nodes >= 3).any():
        b, c = times[2] - times[0], times[1] - times[0]
        older = (points[1] - points[0]) / c
        # divided differences with nodes 2, 2, 1, 1, 0, 0
        f110 = (slopes[1] - older) / c
        f100 = (older - slopes[0]) / c
        f211 = (chord - slopes[1]) / a
        f2110 = (f211 - f110) / b
        f1100 = (f110 - f100) / c
        f22110 = (third - f2110) / b
        f21100 = (f2110 - f1100) / b
        f221100 = (f22110 - f21100) / b
        quintic = cubic + h * h * w * w * (f22110 + (goal - times[0]) * f221100)
        cubic = np.where(nodes >= 3, quintic, cubic)
    return np.where(nodes == 1, straight, cubic)
