"""Sections of a landscape as data: F on lines and planes in parameter space, with the known points that lie on them.

Sources: Goodfellow, Vinyals and Saxe (2015) for interpolation; Li, Xu, Taylor, Studer and Goldstein (2018) for
filter-normalised slices. F is any function of batches (B, d), so the same geometry serves exact landscapes (`Floats`) and
the twin. Every section carries what is needed to make it again; its values are floats, for looking at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from explorer.errors import Invalid
from explorer.paths.floating import Array

Values: TypeAlias = Callable[[Array], Array]
FORMAT = "explorer.slice/1"


@dataclass(frozen=True)
class Mark:
    """A point of the section: its coordinates there, F, and what is known of it (``kind``, ``index``; empty and None: nothing)."""

    name: str
    at: tuple[float, ...]
    value: float
    kind: str = ""
    index: int | None = None

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "at": list(self.at)}


@dataclass(frozen=True, eq=False)
class Section:
    """``axes``: one or two vectors of coordinates; ``values``: F on their grid, (n,) or (n_0, n_1); ``origin`` and ``directions``
    (rows): where the grid lies; ``settings``: kind, seed and everything else that was chosen."""

    axes: tuple[Array, ...]
    values: Array
    origin: Array
    directions: Array
    marks: tuple[Mark, ...]
    settings: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "trust": "numerical",
            "settings": self.settings,
            "axes": [a.tolist() for a in self.axes],
            "values": _listed(self.values),
            "origin": self.origin.tolist(),
            "directions": self.directions.tolist(),
            "marks": [m.to_json() for m in self.marks],
        }

    def marked(self, points: Sequence[tuple[Array, Mark]]) -> Section:
        """This section with those of the ``points`` that lie on it and inside its window (their ``at`` is filled in)."""
        found = list(self.marks)
        for x, mark in points:
            at, *_ = np.linalg.lstsq(self.directions.T, x - self.origin, rcond=None)
            off = np.abs(self.origin + at @ self.directions - x).max()
            inside = all(a[0] <= t <= a[-1] for a, t in zip(self.axes, at, strict=True))
            if off <= 1e-7 * (1 + np.abs(x).max()) and inside:
                found.append(replace(mark, at=tuple(float(t) + 0.0 for t in at)))
        return replace(self, marks=tuple(found))


def segment(f: Values, a: Array, b: Array, *, count: int = 101, margin: float = 0.0) -> Section:
    """F((1 - t) a + t b) for t from -``margin`` to 1 + ``margin``. ``settings``: whether it never rises from a to b (the
    monotone-interpolation test) and its barrier above the higher end, both on an even grid of [0, 1]."""
    if not np.linalg.norm(b - a) > 0:
        raise Invalid("segment", expected="two different points", got="the same point twice")
    t = np.linspace(-margin, 1 + margin, count)
    inner = f(a + np.linspace(0, 1, count)[:, None] * (b - a))
    rises = np.diff(inner) > 1e-12 * (1 + np.abs(inner[1:]))
    settings = {
        "kind": "segment", "count": count, "margin": margin, "never_rises": not bool(rises.any()),
        "barrier": float(inner.max() - max(inner[0], inner[-1])),
    }  # fmt: skip
    values = f(a + t[:, None] * (b - a)) if margin else inner
    marks = (Mark("a", (0.0,), float(inner[0])), Mark("b", (1.0,), float(inner[-1])))
    return Section((t,), values, a, (b - a)[None], marks, settings)


def plane(f: Values, a: Array, b: Array, c: Array, *, count: int = 41, margin: float = 0.25) -> Section:
    """F on the plane through three points, in orthonormal coordinates with a at the origin and b on the first axis."""
    first = b - a
    e0 = first / max(float(np.linalg.norm(first)), 1e-300)
    second = (c - a) - ((c - a) @ e0) * e0
    if not min(np.linalg.norm(first), np.linalg.norm(second)) > 1e-12 * (1 + np.linalg.norm(c - a)):
        raise Invalid("plane", expected="three points that are not on a line", got="points on a line")
    e1 = second / np.linalg.norm(second)
    at = [(0.0, 0.0), (float(first @ e0), 0.0), (float((c - a) @ e0), float((c - a) @ e1))]
    axes = tuple(_stretched([p[k] for p in at], count, margin) for k in (0, 1))
    settings = {"kind": "plane", "count": count, "margin": margin}
    marks = tuple(Mark(name, p, float(f(x[None])[0])) for name, p, x in zip("abc", at, (a, b, c), strict=True))
    return Section(axes, _grid(f, a, e0, e1, *axes), a, np.array([e0, e1]), marks, settings)


def coordinate_plane(
    f: Values, base: Array, i: int, j: int, window: tuple[tuple[float, float], tuple[float, float]], *, count: int = 81
) -> Section:
    """F as a function of the parameters i and j over ``window``, all others as in ``base``."""
    axes = tuple(np.linspace(*w, count) for w in window)
    directions = np.eye(len(base))[[i, j]]
    origin = base * (1 - directions.sum(0))
    settings = {"kind": "coordinates", "parameters": [i, j], "count": count, "window": [list(w) for w in window]}
    return Section(axes, _grid(f, origin, *directions, *axes), origin, directions, (), settings)


def random_slice(
    f: Values, theta: Array, blocks: Sequence[Sequence[int]], *, seed: int = 0, extent: float = 1.0, count: int = 41
) -> Section:
    """F(theta + s d_0 + t d_1) for |s|, |t| <= extent; d_0, d_1 random and filter-normalised (see `filter_normalised`)."""
    rng = np.random.default_rng(seed)
    d0, d1 = (filter_normalised(theta, rng.normal(size=len(theta)), blocks) for _ in range(2))
    if not np.linalg.norm(d0) * np.linalg.norm(d1) > 0:
        raise Invalid("slice", expected="a point with a filter that is not 0", got="0", remedy="choose another point")
    axis = np.linspace(-extent, extent, count)
    settings = {"kind": "filter-normalised slice", "seed": seed, "extent": extent, "count": count}
    mark = Mark("theta", (0.0, 0.0), float(f(theta[None])[0]))
    return Section((axis, axis), _grid(f, theta, d0, d1, axis, axis), theta, np.array([d0, d1]), (mark,), settings)


def filter_normalised(theta: Array, direction: Array, blocks: Sequence[Sequence[int]]) -> Array:
    """``direction`` with every block as long as that of ``theta``, so that units of different scale are disturbed alike."""
    out = direction.copy()
    for block in blocks:
        rows = list(block)
        out[rows] *= np.linalg.norm(theta[rows]) / max(float(np.linalg.norm(out[rows])), 1e-300)
    return out


def filters(widths: Sequence[int], bias: Sequence[bool]) -> Iterator[range]:
    """The blocks of a dense network: the incoming weights of every unit, and every bias alone."""
    at = 0
    for columns, rows, has_bias in zip(widths, widths[1:], bias, strict=False):
        for _ in range(rows):
            yield range(at, at + columns)
            at += columns
        for _ in range(rows if has_bias else 0):
            yield range(at, at + 1)
            at += 1


def _listed(values: Array) -> list[Any]:
    """Nested lists; what is no number (or infinite) becomes null in JSON."""
    if values.ndim > 1:
        return [_listed(row) for row in values]
    return [float(v) if np.isfinite(v) else None for v in values]


def _stretched(values: Sequence[float], count: int, margin: float) -> Array:
    low, high = min(values), max(values)
    room = margin * (high - low)
    return np.linspace(low - room, high + room, count)


def _grid(f: Values, origin: Array, e0: Array, e1: Array, s: Array, t: Array) -> Array:
    return np.stack([f(origin + x * e0 + t[:, None] * e1) for x in s])
