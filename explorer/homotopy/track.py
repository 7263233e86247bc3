"""All paths at once: predictor-corrector continuation of H(theta, t) = g(theta; p(t)), p(t) = (1 - t) p0 + t p1.

Predictor: Hermite extrapolation through the last (up to) three points with their tangents, order 6, with an adaptive step
for every path. Corrector: Newton; its last linear solve also gives the tangent, so that a step costs two evaluations
where Runge-Kutta 4 needs four more. Linear systems: symmetric elimination without pivots over the whole batch (complex
pivots are rarely small, and Newton corrects itself); a path that fails is tried again with pivots and smaller steps.
Nothing here is believed: end points are certified, and a jump between paths shows as a conflict in the monodromy graph.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from explorer.budget import Deadline
from explorer.homotopy.model import Model
from explorer.homotopy.program import NARROW

Array: TypeAlias = Any
DONE, FAILED, DIVERGED = 0, 1, 2
CHUNK = 1024  #: paths that move together
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
    d, count = start.shape
    p0, p1 = (np.broadcast_to(p, (len(model.keys), count)) for p in (p0, p1))
    theta = np.empty((d, count), dtype=np.complex128)
    status = np.full(count, FAILED)
    error = np.full(count, np.inf)
    for low in range(0, count, CHUNK):
        part = slice(low, min(low + CHUNK, count))
        with np.errstate(all="ignore"):
            ends = _batch(model, start[:, part], p0[:, part], p1[:, part], deadline, settings)
        theta[:, part], status[part], error[part] = ends.theta, ends.status, ends.error
    return Ends(theta, status, error)


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


def _batch(model: Model, start: Array, p0: Array, p1: Array, deadline: Deadline, s: Settings) -> Ends:
    d, count = start.shape
    solver = solve_pivoted if s.pivots else solve
    theta, p0, p1 = (a.astype(s.kind) for a in (start, p0, p1))
    status = np.full(count, FAILED)
    error = np.full(count, np.inf)
    dp = p1 - p0
    at = np.arange(count)  # the numbers of the paths that still move
    out = theta.copy()
    x = theta
    _, h, v = evaluate(model, x, p0, dp)
    (slope,) = solver(h, [-v])
    t = np.zeros(count)
    step = np.full(count, s.first)
    nodes = np.ones(count, dtype=np.int64)
    times = np.zeros((3, count))
    points = np.zeros((3, d, count), dtype=s.kind)
    slopes = np.zeros((3, d, count), dtype=s.kind)
    points[2], slopes[2] = x, slope
    q0, q1, dq = p0, p1, dp
    for _ in range(s.rounds):
        deadline.check("following paths of a homotopy")
        t = times[2]
        goal = np.minimum(t + step, 1.0)
        guess = _predict(times, points, slopes, nodes, goal)
        p = (1 - goal) * q0 + goal * q1
        g, h, _ = evaluate(model, guess, p, None)
        (move,) = solver(h, [g])
        x = guess - move
        size = _size(x) + 1e-3
        first = _size(move) / size
        g, h, v = evaluate(model, x, p, dq)
        move, slope = solver(h, [g, -v])
        x = x - move
        second = _size(move) / size
        good = (first < s.limit) & (second < np.maximum(0.1 * first, s.floor)) & (second < 1e-3)
        order = 2.0 * nodes
        ratio = np.where(np.isfinite(first) & (first > 0), s.aim / np.maximum(first, 1e-300), 0.0)
        factor = np.clip(0.9 * ratio ** (1 / order), 0.2, np.where(nodes < 3, 6.0, 2.0))
        step = np.where(good, np.minimum((goal - t) * factor, s.largest), 0.5 * step * np.minimum(1.0, factor))
        for k in range(2):
            np.copyto(times[k], times[k + 1], where=good)
            np.copyto(points[k], points[k + 1], where=good)
            np.copyto(slopes[k], slopes[k + 1], where=good)
        np.copyto(times[2], goal, where=good)
        np.copyto(points[2], x, where=good)
        np.copyto(slopes[2], slope, where=good)
        nodes = np.where(good, np.minimum(nodes + 1, 3), nodes)
        arrived = good & (goal >= 1.0)
        stuck = ~arrived & (step < s.smallest)
        # theta ~ (1 - t)^(-a) has |slope| (1 - t) / |theta| -> a; towards a finite point that quotient goes to 0
        growth = _size(slopes[2]) * (1 - times[2]) / _size(points[2])
        diverged = ~arrived & ((_size(points[2]) > s.far) | (stuck & (times[2] > LATE) & (growth > GROWTH)))
        ended = arrived | diverged | stuck
        if ended.any():
            out[:, at[ended]] = points[2][:, ended]
            error[at[arrived]] = second[arrived]
            status[at[arrived]] = DONE
            status[at[diverged]] = DIVERGED
            stay = ~ended
            at, step, nodes, times = at[stay], step[stay], nodes[stay], times[:, stay]
            points, slopes = points[:, :, stay], slopes[:, :, stay]
            q0, q1, dq = q0[:, stay], q1[:, stay], dq[:, stay]
            if not len(at):
                break
    if len(at):  # out of rounds
        growth = _size(slopes[2]) * (1 - times[2]) / _size(points[2])
        status[at[(times[2] > LATE) & (growth > GROWTH)]] = DIVERGED
    done = np.flatnonzero(status == DONE)
    if len(done):  # polish at t = 1
        x, p = out[:, done], p1[:, done]
        for _ in range(2):
            g, h, _ = evaluate(model, x, p, None)
            (move,) = solver(h, [g])
            x = x - move
            error[done] = _size(move) / (_size(x) + 1e-3)
        out[:, done] = x
        status[done[~(error[done] < 1e-8)]] = FAILED
    return Ends(out, status, error)


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
