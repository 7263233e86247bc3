"""Orbits of exact points and of boxes under signed permutations, without duplicates and in increasing order."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from fractions import Fraction
from functools import cmp_to_key
from typing import TypeAlias, TypeVar

from explorer.algebra.fields import arithmetic
from explorer.errors import BudgetExceeded, Invalid, Unsupported
from explorer.model.signed import SignedPermutation
from explorer.point import AnyPoint, Element, EnclosedPoint, Point

Interval: TypeAlias = tuple[Fraction, Fraction]
V = TypeVar("V", bound=Hashable)


def orbit(point: AnyPoint, generators: Sequence[SignedPermutation], *, limit: int = 10_000) -> tuple[AnyPoint, ...]:
    """The orbit of an exact point or of a box, each image once, sorted coordinate by coordinate (boxes: by lower end).

    More than ``limit`` images: `BudgetExceeded`. Two images of a box that overlap without being equal: `Unsupported`,
    since nobody can tell from the boxes whether they hold the same critical point.
    """
    size = len(point.coordinates) if isinstance(point, Point) else len(point.lower)
    if any(len(g.images) != size for g in generators):
        raise Invalid("generators", expected=f"signed permutations of {size} parameters", got="another size")
    if isinstance(point, Point):
        values, negative, start = _ranked_elements(point)
        images = _images(start, negative, generators, limit)
        return tuple(Point(point.field, tuple(values[k] for k in image)) for image in images)
    boxes, negative, start = _ranked_intervals(point)
    images = _images(start, negative, generators, limit)
    _refuse_overlaps([tuple(boxes[k] for k in image) for image in images])
    return tuple(
        EnclosedPoint(tuple(boxes[k][0] for k in image), tuple(boxes[k][1] for k in image)) for image in images
    )


def orbit_size(point: AnyPoint, generators: Sequence[SignedPermutation], *, limit: int = 10_000) -> int:
    """The number of different points in the orbit, under the conditions of `orbit`."""
    return len(orbit(point, generators, limit=limit))


def _images(
    start: tuple[int, ...], negative: Sequence[int], generators: Sequence[SignedPermutation], limit: int
) -> list[tuple[int, ...]]:
    """Breadth-first search on vectors of ranks: equal coordinates have equal ranks, ``negative`` maps rank of x to -x."""
    seen = {start}
    frontier = [start]
    while frontier:
        following = []
        for v in frontier:
            for g in generators:
                w = [0] * len(v)
                for k, (image, sign) in enumerate(zip(g.images, g.signs, strict=True)):
                    w[image] = v[k] if sign > 0 else negative[v[k]]
                image_vector = tuple(w)
                if image_vector not in seen:
                    if len(seen) == limit:
                        raise BudgetExceeded(
                            "orbit", expected=f"at most {limit} points", got="more", remedy="raise limit"
                        )
                    seen.add(image_vector)
                    following.append(image_vector)
        frontier = following
    return sorted(seen)


def _ranked_elements(point: Point) -> tuple[list[Element], list[int], tuple[int, ...]]:
    """The different values among +-coordinates in increasing order; ranks are decided in the field, not read off."""
    field = arithmetic(point.field)

    def compare(a: Element, b: Element) -> int:
        return field.sign(field.sub(a, b))

    values = [_canonical(c) for c in point.coordinates]
    return _ranked(values, field.neg, compare)


def _ranked_intervals(box: EnclosedPoint) -> tuple[list[Interval], list[int], tuple[int, ...]]:
    values = list(zip(box.lower, box.upper, strict=True))
    return _ranked(values, lambda i: (-i[1], -i[0]), lambda a, b: (a > b) - (a < b))


def _ranked(
    values: list[V], negate: Callable[[V], V], compare: Callable[[V, V], int]
) -> tuple[list[V], list[int], tuple[int, ...]]:
    distinct: list[V] = []
    for v in sorted(dict.fromkeys([*values, *map(negate, values)]), key=cmp_to_key(compare)):
        if not distinct or compare(distinct[-1], v) != 0:
            distinct.append(v)

    def rank(v: V) -> int:
        low, high = 0, len(distinct)
        while low < high:
            middle = (low + high) // 2
            if compare(distinct[middle], v) < 0:
                low = middle + 1
            else:
                high = middle
        return low

    return distinct, [rank(negate(v)) for v in distinct], tuple(rank(v) for v in values)


def _refuse_overlaps(boxes: Sequence[tuple[Interval, ...]]) -> None:
    by_first = sorted(boxes)
    for k, a in enumerate(by_first):
        for b in by_first[k + 1 :]:
            if b[0][0] > a[0][1]:
                break
            if all(x[0] <= y[1] and y[0] <= x[1] for x, y in zip(a, b, strict=True)):
                raise Unsupported(
                    "orbit of a box",
                    expected="images that are equal or disjoint",
                    got="two images that overlap",
                    remedy="shrink the box, or make it symmetric where a coordinate is its own mirror image",
                )


def _canonical(e: Element) -> Element:
    n = len(e)
    while n > 1 and e[n - 1] == 0:
        n -= 1
    return e[:n]
