"""Gradient descent on student-teacher losses from many starts at once, in floats. Limits are guesses until they are certified."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Runs:
    """Where descents came to: ``points`` (starts, students, units), their values and gradient norms; ``low`` where the value fell
    below the floor, ``stalled`` where it did not and the norm was still above the tolerance after the last step."""

    points: Array
    values: Array
    norms: Array
    low: NDArray[np.bool_]
    stalled: NDArray[np.bool_]
    steps: int


def value_and_gradient(w: Array) -> tuple[Array, Array]:
    """F and its gradient for a batch w of shape (s, m, n), with the teacher e_1, ..., e_n (docs/certificate.md)."""
    m, n = w.shape[1:]
    size = np.linalg.norm(w, axis=2)
    unit = w / size[:, :, None]
    own, own_sine, own_rest = _angles(unit @ unit.transpose(0, 2, 1))
    _, sine, rest = _angles(unit)  # the teacher is the standard basis, so cosines are coordinates
    own_sine[:, range(m), range(m)] = own_rest[:, range(m), range(m)] = 0
    pair = size[:, :, None] * size[:, None, :] * (own_sine + own_rest * own)
    taught = size[:, :, None] * (sine + rest * unit)
    constant = n / 4 + n * (n - 1) / (4 * np.pi)
    value = (size**2).sum(1) / 4 + (pair.sum((1, 2)) / 2 - taught.sum((1, 2))) / (2 * np.pi) + constant
    along = (own_sine @ size[:, :, None])[:, :, 0] - sine.sum(2)
    gradient = w / 2 + (along[:, :, None] * unit + own_rest @ w - rest) / (2 * np.pi)
    return value, gradient


def _angles(cosine: Array) -> tuple[Array, Array, Array]:
    cosine = np.clip(cosine, -1, 1)
    return cosine, np.sqrt(1 - cosine * cosine), np.pi - np.arccos(cosine)


def xavier(students: int, units: int, *, starts: int = 1000, seed: int = 0) -> Array:
    """Normal starts of variance 2/(students + inputs)."""
    rng = np.random.default_rng([seed, students, units])
    return rng.normal(size=(starts, students, units)) * np.sqrt(2 / (students + units))


def descend(starts: Array, *, steps: int = 20_000, tolerance: float = 1e-6, floor: float = 0.0) -> Runs:
    """Gradient descent from a batch of starts with steps 5/units, as Safran and Shamir (2018) did.

    A run ends when its gradient is shorter than ``tolerance`` or its value below ``floor``: where global minima are not
    isolated (more students than units), gradients near them shrink too slowly to wait for."""
    count, students, units = starts.shape
    points, values, norms = starts.copy(), np.full(count, np.inf), np.full(count, np.inf)
    active, done, rate = np.arange(count), 0, 5 / max(units, 6)
    together = max(1, 2**15 // (students * (students + units)))  # runs whose arrays stay in the processor's cache
    while len(active) and done < steps:
        for part in np.split(active, range(together, len(active), together)):
            w = points[part]
            for _ in range(50):
                w = w - rate * value_and_gradient(w)[1]
            value, gradient = value_and_gradient(w)
            points[part], values[part] = w, value
            norms[part] = np.sqrt((gradient**2).sum((1, 2)))
        done += 50
        active = active[(norms[active] > tolerance) & (values[active] >= floor)]
    low = values < floor
    return Runs(points, values, norms, low, (norms > tolerance) & ~low, done)


def least_curvature(w: Array) -> tuple[float, Array]:
    """The least eigenvalue of the Hessian at one w, from differences of gradients, and a unit eigenvector in the shape of w."""
    step = 1e-5 * np.eye(w.size).reshape(w.size, *w.shape)
    rows = (value_and_gradient(w + step)[1] - value_and_gradient(w - step)[1]).reshape(w.size, w.size) / 2e-5
    values, vectors = np.linalg.eigh((rows + rows.T) / 2)
    return float(values[0]), vectors[:, 0].reshape(w.shape)


def pushed(w: Array, *, length: float = 0.05) -> Array:
    """w moved along the eigenvector of the least eigenvalue, to the side of the smaller value."""
    move = length * least_curvature(w)[1]
    sides = np.stack([w - move, w + move])
    return np.asarray(sides[np.argmin(value_and_gradient(sides)[0])])


def clusters(runs: Runs, *, width: float = 1e-6) -> list[tuple[float, NDArray[np.int_]]]:
    """Values of the limits that came to rest above the floor, each with the runs that reached it, by increasing value."""
    settled = np.flatnonzero(~(runs.stalled | runs.low))
    out: list[tuple[float, NDArray[np.int_]]] = []
    for k in settled[np.argsort(runs.values[settled], kind="stable")]:
        if out and runs.values[k] - out[-1][0] < width:
            out[-1] = (out[-1][0], np.append(out[-1][1], k))
        else:
            out.append((float(runs.values[k]), np.array([k])))
    return out
