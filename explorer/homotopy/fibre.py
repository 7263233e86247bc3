"""Solutions over one parameter value, one representative for each orbit of sign changes, without repetitions."""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from explorer.homotopy.model import Shape

Array: TypeAlias = Any
DEAD = 1e-9  #: relative size of the incoming weights of a unit that counts as dead
SAME = 1e-6  #: relative distance below which two floating-point solutions are the same one


def canonical(shape: Shape, theta: Array) -> Array:
    """The representative of each column's orbit under sign changes of units: a fixed linear form of the incoming weights has
    positive real part. Units are taken layer by layer, so one pass settles all."""
    out = theta.copy()
    for incoming, flipped in shape.flips:
        form = sum(np.exp(1j * (1.0 + 0.7 * k)) * out[i] for k, i in enumerate(incoming))
        sign = np.where(form.real < 0, -1.0, 1.0)
        for k in flipped:
            out[k] = out[k] * sign
    return out


def alive(shape: Shape, theta: Array) -> Array:
    """Whether all units live at each column: a path that ends where one is dead jumped to a smaller network."""
    out = np.ones(theta.shape[1], dtype=bool)
    tiny = DEAD * (np.abs(theta).max(axis=0) + 1e-3) if theta.size else 0.0
    for layer, (start, rows, cols) in enumerate(shape.blocks[:-1]):
        for i in range(rows):
            incoming = [start + i * cols + j for j in range(cols)] + [start + rows * cols + i] * shape.bias[layer]
            out &= np.abs(theta[incoming]).max(axis=0) > tiny
    return out


@dataclass
class Fibre:
    """Distinct solutions, found by a sorted projection: a repetition is within `SAME` of a known one."""

    points: list[Array] = field(default_factory=list)
    keys: list[float] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.points)

    def matrix(self, numbers: list[int] | None = None) -> Array:
        chosen = self.points if numbers is None else [self.points[k] for k in numbers]
        return np.array(chosen).T

    def add(self, theta: Array) -> list[int]:
        """The numbers of the columns, new ones appended."""
        d = theta.shape[0]
        weights = np.cos(1.0 + np.arange(2 * d) * 0.61)
        keys = weights @ np.concatenate([theta.real, theta.imag])
        scale = np.abs(theta).max(axis=0) + 1e-3
        order = np.argsort(np.array(self.keys)) if self.keys else np.empty(0, dtype=np.int64)
        ranked = np.array(self.keys)[order] if self.keys else np.empty(0)
        old, numbers = len(self.points), []
        fresh: list[tuple[float, int]] = []  # by key
        for k in range(theta.shape[1]):
            x, margin = theta[:, k], SAME * 2 * d * scale[k]
            low, high = np.searchsorted(ranked, [keys[k] - margin, keys[k] + margin])
            first, last = (bisect_left(fresh, (keys[k] + side, -1)) for side in (-margin, margin))
            near = [int(m) for m in order[low:high]] + sorted(m for _, m in fresh[first:last])
            found = next((m for m in near if np.abs(self.points[m] - x).max() <= SAME * scale[k]), None)
            if found is None:
                found = len(self.points)
                self.points.append(x.copy())
                self.keys.append(float(keys[k]))
                insort(fresh, (self.keys[-1], found))
            numbers.append(found)
        assert len(self.points) == old + len(fresh)
        return numbers
