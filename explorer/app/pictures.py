"""``explorer plot`` and ``explorer.plot``: which section of a landscape, which points on it, and a picture of both.

A picture is made from one JSON document (data with all settings), so the same document can be kept instead of the drawing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.app.given import read_point
from explorer.budget import Budget
from explorer.errors import Invalid, Unsupported, described
from explorer.paths.floating import Array, Floats, coordinates
from explorer.paths.merge import merge_tree
from explorer.paths.sections import (
    Mark,
    Section,
    coordinate_plane,
    filters,
    plane,
    random_slice,
    segment,
)  # fmt: skip
from explorer.problem import DenseNetwork, Problem
from explorer.solve.results import Component, CriticalSet

if TYPE_CHECKING:
    from explorer.point import AnyPoint

KINDS = ("slice", "surface", "tree")
CURVES = ("straight", "bezier", "polygonal")
THROUGH = ("points", "coordinates", "random")
SUFFIXES = (".png", ".svg", ".html", ".json")
#: points of a family that are drawn on a plane
SCATTER = 400


@dataclass(frozen=True, eq=False)
class Picture:
    """``document``: what is drawn, as JSON data (format, settings, values, marks). `save` and notebooks draw it."""

    document: dict[str, Any]

    def save(self, path: str | Path) -> Path:
        """Write a PNG, SVG, HTML (plotly, surfaces only) or JSON file, by its suffix. Raises `Invalid` for another suffix,
        `Unsupported` where the extra ``plot`` is not installed."""
        from explorer.certify.certificate import write_whole

        out = Path(path)
        suffix = out.suffix.lower()
        if suffix not in SUFFIXES:
            raise Invalid(
                str(out)[:200],
                expected=f"a file name that ends with {', '.join(SUFFIXES)}",
                got=described(suffix),
                remedy="the ending chooses the format",
            )
        write_whole(out, self.rendered(suffix))
        return out

    def rendered(self, suffix: str) -> bytes:
        """The bytes of a file with this suffix; the same document, the same bytes (for one version of the libraries)."""
        import json

        if suffix == ".json":
            return (json.dumps(self.document, indent=1, ensure_ascii=True, allow_nan=False) + "\n").encode("ascii")
        if suffix == ".html":
            from explorer.app.drawing_3d import html

            return html(self.document)
        from explorer.app.drawing import drawn

        return drawn(self.document, suffix[1:])

    def _repr_svg_(self) -> str:
        return self.rendered(".svg").decode("utf-8")


def plot(
    problem: Problem,
    kind: str = "slice",
    *,
    critical_set: CriticalSet | None = None,
    at: AnyPoint | str | None = None,
    to: AnyPoint | str | None = None,
    third: AnyPoint | str | None = None,
    curve: str = "straight",
    through: str | None = None,
    axes: Sequence[str] = (),
    extent: float | None = None,
    count: int | None = None,
    seed: int = 0,
    device: str = "auto",
    budget: Budget | None = None,
) -> Picture:
    """A ``slice`` (F on a line or curve), a ``surface`` (F on a plane) or the merge ``tree`` of ``problem``.

    ``at``, ``to``, ``third``: exact points, or components of the critical set by number ("3"; "3.2": the second point of its orbit).
    Without them: minima first, spurious ones before their mirror images. ``curve`` ``bezier`` or ``polygonal`` trains a path
    between two points and a ``random`` surface is filter-normalised; both take ``seed``. ``coordinates`` draws two parameters
    (``axes``), the others as at ``at``. ``extent``: half width of such a window; ``count``: points per axis.
    """
    if kind not in KINDS:
        raise Invalid(
            "kind", expected=f"one of {', '.join(KINDS)}", got=described(kind), remedy="leave it out for a slice"
        )
    for option, given, belongs in (
        ("curve", curve != "straight", ("slice",)), ("through", through is not None, ("surface",)),
        ("third", third is not None, ("surface",)), ("axes", bool(axes), ("surface",)),
        ("at", at is not None, ("slice", "surface")), ("to", to is not None, ("slice", "surface")),
    ):  # fmt: skip
        if given and kind not in belongs:
            raise Invalid(option, expected=f"a {' or '.join(belongs)}", got=f"a {kind}", remedy=f"leave out {option}")
    clock = (budget or Budget()).start()
    if critical_set is None:
        from explorer.solve.critical import critical_set as solve

        critical_set = solve(problem, budget=Budget(clock.remaining))
    if kind == "tree":
        tree = merge_tree(problem, critical_set, seed=seed, budget=Budget(clock.remaining))
        return Picture({**tree.to_json(), "title": f"Merge tree of {problem.slug}"})
    scene = _Scene(problem, critical_set, (at, to, third), count, extent, seed)
    if kind == "slice":
        document = scene.slice(curve, device)
    else:
        document = scene.surface(through, tuple(axes))
    return Picture({**document, "problem": problem.digest, "parameters": list(problem.parameters)})


class _Scene:
    """The points that may be chosen and marked, and F around them."""

    def __init__(
        self, problem: Problem, found: CriticalSet, chosen: tuple[AnyPoint | str | None, ...], count: int | None,
        extent: float | None, seed: int,
    ) -> None:  # fmt: skip
        if count is not None and not 2 <= count <= 2001:
            raise Invalid(
                "count",
                expected="from 2 to 2001 points per axis",
                got=str(count),
                remedy="leave it out for a fitting number",
            )
        if extent is not None and not 0 < extent < 1e6:
            raise Invalid(
                "extent",
                expected="a positive number",
                got=described(extent),
                remedy="leave it out for one that shows the points",
            )
        self.problem, self.found, self.count, self.extent, self.seed = problem, found, count, extent, seed
        self.f = Floats(problem).values
        self.d = len(problem.parameters)
        self.chosen = [None if c is None else self._point(c) for c in chosen]

    # -- points

    def _point(self, given: AnyPoint | str) -> Array:
        if not isinstance(given, str):
            return coordinates(given)
        number, _, which = given.partition(".")
        if not (number + which).isdigit():
            return coordinates(read_point(given, self.problem))
        k, i = int(number), int(which or "1")
        if not 1 <= k <= len(self.found.components):
            raise Invalid(
                f"component {given}", expected=f"a number from 1 to {len(self.found.components)}", got=number,
                remedy="'explorer solve' lists them",
            )  # fmt: skip
        points = _points(self.found.components[k - 1])
        if not 1 <= i <= len(points):
            raise Invalid(
                f"component {given}",
                expected=f"a point from 1 to {len(points)}",
                got=str(i),
                remedy="'explorer solve --json' lists the points",
            )
        return coordinates(points[i - 1])

    def _ranked(self) -> list[Array]:
        """Points worth looking at: global minima, spurious ones, mirror images, then saddles and the rest by value."""
        first = [
            (0 if c.kind.is_minimum else 2, i, float(c.value.lower), p)
            for c in self.found.components
            for i, p in enumerate(_points(c)[:4])
        ]
        order = sorted(first, key=lambda e: (e[0] + (e[1] > 0), e[2], e[1]))
        return [coordinates(p) for *_, p in order]

    def _some(self, wanted: int) -> list[Array]:
        """The chosen points, filled up with ranked ones until there are ``wanted`` that span a line or plane."""
        out = [c for c in self.chosen if c is not None]
        for p in self._ranked():
            if len(out) >= wanted:
                break
            if _rank([q - out[0] for q in (*out[1:], p)] if out else []) == len(out) or not out:
                out.append(p)
        if len(out) < wanted:
            raise Unsupported(
                "plot", expected=f"{wanted} points", got=f"{len(out)} that are not on one line" if wanted == 3 else f"{len(out)}",
                remedy="give points with --at, --to and --third, or write --through random",
            )  # fmt: skip
        return out

    def _marks(self) -> list[tuple[Array, Mark]]:
        out = []
        for k, c in enumerate(self.found.components, 1):
            index = None if c.inertia is None else c.inertia.index
            for i, p in enumerate(_points(c)[:200]):
                name = f"{k}.{i + 1}" if len(_points(c)) > 1 else f"{k}"
                x = coordinates(p)
                out.append((x, Mark(name, (), float(self.f(x[None])[0]), c.kind.value, index)))
        return out

    # -- sections

    def slice(self, curve: str, device: str) -> dict[str, Any]:
        if curve not in CURVES:
            raise Invalid(
                "curve",
                expected=f"one of {', '.join(CURVES)}",
                got=described(curve),
                remedy="see 'explorer plot --help'",
            )
        if self.d == 1 and curve == "straight" and self.chosen[:2] == [None, None]:
            return self._line()
        a, b = self._some(2)[:2]
        if curve != "straight":
            return self._trained(a, b, curve, device)
        section = segment(self.f, a, b, count=self.count or 201, margin=0.5 if self.extent is None else self.extent)
        section = replace(section, settings={**section.settings, "seed": self.seed}).marked(self._marks())
        return {**section.to_json(), "title": f"{self.problem.slug}: F from a to b", "labels": ["t (a at 0, b at 1)"]}

    def _line(self) -> dict[str, Any]:
        """One parameter: F itself, around all critical points."""
        known = [float(x[0]) for x, _ in self._marks()] or [0.0]
        low, high = _window(known, self.extent)
        t = np.linspace(low, high, self.count or 401)
        settings = {
            "kind": "coordinates",
            "parameters": [0],
            "count": len(t),
            "window": [[low, high]],
            "seed": self.seed,
        }
        section = Section((t,), self.f(t[:, None]), np.zeros(1), np.ones((1, 1)), (), settings).marked(self._marks())
        return {**section.to_json(), "title": f"F of {self.problem.slug}", "labels": [self.problem.parameters[0]]}

    def _trained(self, a: Array, b: Array, curve: str, device: str) -> dict[str, Any]:
        from explorer.numeric import connection

        document = connection(self.problem, a, b, kind=curve, seed=self.seed, count=self.count or 61, device=device)
        return {
            **document,
            "title": f"{self.problem.slug}: F along a {curve} curve from a to b",
            "labels": ["t (a at 0, b at 1)"],
        }

    def surface(self, through: str | None, axes: tuple[str, ...]) -> dict[str, Any]:
        if through is None:
            through = "coordinates" if self.d == 2 or axes else "points"
        if through not in THROUGH:
            raise Invalid(
                "through",
                expected=f"one of {', '.join(THROUGH)}",
                got=described(through),
                remedy="see 'explorer plot --help'",
            )
        if self.d == 1:
            raise Invalid("surface", expected="at least 2 parameters", got="1", remedy="draw a slice")
        if through == "points":
            a, b, c = self._some(3)[:3]
            section = plane(self.f, a, b, c, count=self.count or 81)
            labels = ["along b - a", "orthogonal to it"]
        elif through == "random":
            section = self._random()
            labels = ["d_0", "d_1"]
        else:
            i, j = self._axes(axes)
            section = self._coordinates(i, j)
            labels = [self.problem.parameters[i], self.problem.parameters[j]]
        section = replace(section, settings={**section.settings, "seed": self.seed}).marked(self._marks())
        return {
            **section.to_json(), "title": f"F of {self.problem.slug}", "labels": labels,
            "families": self._families(section) if self.d == 2 else [],
        }  # fmt: skip

    def _random(self) -> Section:
        net = self.problem.network
        blocks = (
            list(filters(net.widths, net.bias))
            if isinstance(net, DenseNetwork)
            else [range(k, k + 1) for k in range(self.d)]
        )
        theta = self._some(1)[0]
        return random_slice(self.f, theta, blocks, seed=self.seed, extent=self.extent or 1.0, count=self.count or 81)

    def _axes(self, axes: tuple[str, ...]) -> tuple[int, int]:
        names = self.problem.parameters
        if not axes:
            return 0, 1
        if len(axes) != 2 or axes[0] == axes[1] or not set(axes) <= set(names):
            raise Invalid(
                "axes",
                expected=f"two of {', '.join(names[:12])}",
                got=described(",".join(axes)),
                remedy="write them as NAME,NAME",
            )
        return names.index(axes[0]), names.index(axes[1])

    def _coordinates(self, i: int, j: int) -> Section:
        base = self._some(1)[0] if self.d > 2 else np.zeros(self.d)
        near = [x for x, _ in self._marks()] if self.d == 2 else [base]
        window = tuple(_window([float(x[k]) for x in near], self.extent) for k in (i, j))
        return coordinate_plane(self.f, base, i, j, (window[0], window[1]), count=self.count or 121)

    def _families(self, section: Section) -> list[dict[str, Any]]:
        """Points of families on the plane of two parameters: Newton's method from a grid of starting points (numerical)."""
        from explorer.paths.lines import projected

        rng = np.random.default_rng(self.seed)
        low, high = (np.array([a[end] for a in section.axes]) for end in (0, -1))
        x = projected(Floats(self.problem), rng.uniform(low, high, size=(SCATTER, 2)))
        value, g, h = Floats(self.problem).quadratics(x)
        spectrum = np.linalg.eigvalsh(np.nan_to_num(h))
        fine = (np.abs(g).max(1) < 1e-9 * (1 + np.abs(h).max((1, 2)))) & ((x >= low) & (x <= high)).all(1)
        out = []
        for k, c in enumerate(self.found.components, 1):
            if not c.dimension or c.inertia is None:
                continue
            small = 1e-6 * (1e-6 + np.abs(spectrum).max(1, keepdims=True))
            same = ((spectrum > small).sum(1) == c.inertia.positive) & (
                (spectrum < -small).sum(1) == c.inertia.negative
            )
            on = fine & same & (np.abs(value - float(c.value.lower)) <= 1e-8 * (1 + np.abs(value)))
            if on.any():
                out.append({"name": str(k), "kind": c.kind.value, "points": [[*map(float, p), float(v)] for p, v in zip(x[on], value[on], strict=True)]})  # fmt: skip
        return out


def _points(c: Component) -> tuple[AnyPoint, ...]:
    return c.points if c.dimension == 0 and c.points else (c.sample,)


def _rank(rows: list[Array]) -> int:
    return int(np.linalg.matrix_rank(np.array(rows), tol=1e-9)) if rows else 0


def _window(values: Sequence[float], extent: float | None) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = extent if extent is not None else max(1.0, 0.4 * (high - low))
    return low - room, high + room


__all__ = ["CURVES", "KINDS", "SUFFIXES", "THROUGH", "Picture", "plot"]
