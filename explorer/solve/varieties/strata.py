"""Pieces of a graph cell on which given polynomials keep their sign: products of intervals, with a rational sample each.

A cell is the graph of rational functions over {nonzero != 0} in the space of its free parameters. Polynomials of one
parameter cut the axis of that parameter at their real roots; the products of the intervals between are connected. What
involves several parameters and has no obvious sign there is met by trying samples; such pieces are not known to be
connected, and a sign that no sample shows is handed back as a doubt.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property, cmp_to_key
from itertools import islice, pairwise, product

from explorer.algebra.fields import arithmetic
from explorer.algebra.roots import AlgebraicNumber, real_roots
from explorer.budget import Deadline
from explorer.exact import text
from explorer.point import NumberField, Point, RationalField
from explorer.solve.polynomials import (
    Poly,
    at_rationals,
    contains,
    factors,
    fraction,
    sign_on,
    sum_of_even_terms,
    univariate,
    variables,
)
from explorer.solve.scalars import compare, enclosure, root_text
from explorer.solve.varieties.decompose import Cell

MAX_STRATA = 256
MAX_TRIALS = 500

End = AlgebraicNumber | None


@dataclass(frozen=True)
class Interval:
    """The open interval (lower, upper) of one free parameter; None is infinity."""

    lower: End
    upper: End

    def samples(self) -> Iterator[Fraction]:
        """Rational numbers strictly inside, simple ones first, without end."""
        bits = 8
        while True:
            lo = None if self.lower is None else _outside(self.lower, 1, bits)
            hi = None if self.upper is None else _outside(self.upper, -1, bits)
            if lo is None or hi is None or lo < hi:
                break
            bits *= 2  # the enclosures of the ends are still too wide to show the gap
        yield from _between(lo, hi)

    @property
    def sign(self) -> int | None:
        """The sign of all its numbers, if they have one."""
        if self.lower is not None and _compare(self.lower, ZERO) >= 0:
            return 1
        return -1 if self.upper is not None and _compare(self.upper, ZERO) <= 0 else None

    def holds(self, root: AlgebraicNumber) -> bool:
        """Whether the number lies strictly inside."""
        return (self.lower is None or _compare(self.lower, root) < 0) and (
            self.upper is None or _compare(root, self.upper) < 0
        )

    def text(self, name: str) -> str:
        if self.lower is None and self.upper is None:
            return ""
        if self.lower is None:
            assert self.upper is not None
            return f"{name} < {_end_text(self.upper)}"
        if self.upper is None:
            return f"{name} > {_end_text(self.lower)}"
        return f"{_end_text(self.lower)} < {name} < {_end_text(self.upper)}"


@dataclass(frozen=True)
class Stratum:
    """The part of a graph cell over ``intervals`` (one per free parameter) where each of ``conditions`` has its sign."""

    cell: Cell
    intervals: tuple[Interval, ...]
    conditions: tuple[tuple[Poly, int], ...]
    values: tuple[Fraction, ...]

    @property
    def dimension(self) -> int:
        return len(self.intervals)

    @property
    def connected(self) -> bool:
        """Whether it is known to be connected (a graph over a box)."""
        return not self.conditions

    @property
    def sample(self) -> Point:
        at = dict(zip(self.cell.free, self.values, strict=True))
        coordinates = []
        for numerator, denominator in self.cell.coordinates():
            n, d = (_constant(at_rationals(p, at)) for p in (numerator, denominator))
            coordinates.append((n / d,))
        return Point(RationalField(), tuple(coordinates))

    @cached_property
    def _signs(self) -> dict[int, int]:
        return {i: s for i, interval in zip(self.cell.free, self.intervals, strict=True) if (s := interval.sign)}

    def sign(self, p: Poly) -> int | None:
        """The sign of a polynomial in the free parameters, when it is one and the same on the stratum."""
        if p.is_zero():
            return 0
        at = dict(zip(self.cell.free, self.values, strict=True))
        here = _constant(at_rationals(p, at))
        if here == 0:
            return None
        known = [q for q, _ in self.conditions]
        for q in factors(p):
            if contains(known, q) or sign_on(q, self._signs) is not None:
                continue
            if contains(self.cell.nonzero, q) and sum_of_even_terms(q) is not None:
                continue
            used = variables(q)
            if len(used) != 1:
                return None
            interval = self.intervals[self.cell.free.index(used[0])]
            if any(interval.holds(r) for r in real_roots(univariate(q, used[0]))):
                return None
        return 1 if here > 0 else -1

    def resampled(self, trials: int) -> Iterator[Stratum]:
        """The same stratum, first with its own sample, then with about ``trials`` other ones."""
        yield self
        for values in _grid(self.intervals, trials):
            at = dict(zip(self.cell.free, values, strict=True))
            if all(_sign(_constant(at_rationals(q, at))) == s for q, s in self.conditions) and not any(
                at_rationals(q, at).is_zero() for q in self.cell.nonzero
            ):
                yield replace(self, values=values)

    def texts(self) -> tuple[str, ...]:
        """Equations and inequalities in the parameters' names."""
        names = self.cell.ring.names()
        out = cell_texts(self.cell)
        out += [s for i, v in zip(self.cell.free, self.intervals, strict=True) if (s := v.text(names[i]))]
        out += [f"{q} {'>' if s > 0 else '<'} 0" for q, s in self.conditions]
        out += [f"{q} != 0" for q in self.cell.nonzero if len(variables(q)) > 1 and sum_of_even_terms(q) is not None]
        return tuple(out)


def cell_texts(cell: Cell) -> list[str]:
    """The equations of a cell."""
    names = cell.ring.names()
    out = [
        f"{d * cell.ring.gen(i) - n} = 0" if not d.is_constant() else f"{names[i]} = {n / d.leading_coefficient()}"
        for i, n, d in cell.solved
    ]
    return out + [f"{e} = 0" for e in cell.equations]


def cut(cell: Cell, polys: Sequence[Poly], deadline: Deadline) -> tuple[list[Stratum], list[str]]:
    """The strata of the part of ``cell`` where no polynomial of ``polys`` vanishes, and doubts about what was not found."""
    marks: list[Poly] = []
    for p in (*cell.nonzero, *polys):
        marks += [f for f in factors(p) if not contains(marks, f) and sign_on(f, {}) is None]
    cell = replace(cell, nonzero=tuple(marks))
    axes = []
    for i in cell.free:
        roots = [r for f in marks if variables(f) == (i,) for r in real_roots(univariate(f, i))]
        ends: list[End] = [None, *sorted(roots, key=cmp_to_key(_compare)), None]
        axes.append([Interval(a, b) for a, b in pairwise(ends)])
    mixed = [f for f in marks if len(variables(f)) > 1]
    strata: list[Stratum] = []
    doubts: list[str] = []
    for box in product(*axes):
        deadline.check("cutting a family of critical points into strata")
        signs = {i: s for i, interval in zip(cell.free, box, strict=True) if (s := interval.sign)}
        open_signs = [f for f in mixed if sign_on(f, signs) is None]
        # x^2 + y^2 has one sign wherever it is not 0, and that part of a box is connected (it lacks codimension 2)
        even = [f for f in open_signs if sum_of_even_terms(f) is not None]
        unclear = [f for f in open_signs if f not in even]
        found: dict[tuple[int, ...], tuple[Fraction, ...]] = {}
        for values in _grid(box, MAX_TRIALS if open_signs else 1):
            at = dict(zip(cell.free, values, strict=True))
            if any(at_rationals(f, at).is_zero() for f in even):
                continue
            pattern = tuple(_sign(_constant(at_rationals(f, at))) for f in unclear)
            if 0 not in pattern:
                found.setdefault(pattern, values)
            if found and not unclear:
                break
        for pattern, values in sorted(found.items()):
            strata.append(Stratum(cell, box, tuple(zip(unclear, pattern, strict=True)), values))
        missing = [p for p in product((-1, 1), repeat=len(unclear)) if p not in found]
        if missing:
            shown = ", ".join(str(f) for f in unclear or even)
            doubts.append(f"it is not decided which signs ({shown}) occur on a family of dimension {len(cell.free)}")
        if len(strata) > MAX_STRATA:
            return strata, [*doubts, f"a family of critical points has more than {MAX_STRATA} strata"]
    return strata, doubts


def _grid(box: Sequence[Interval], trials: int) -> Iterator[tuple[Fraction, ...]]:
    if trials == 1:
        yield tuple(next(i.samples()) for i in box)
        return
    per_axis = max(2, round(trials ** (1 / max(1, len(box)))))
    yield from islice(product(*(list(islice(i.samples(), per_axis)) for i in box)), trials)


# -- ends and samples -------------------------------------------------------------------------------------------


ZERO = AlgebraicNumber((0, 1), (Fraction(-1), Fraction(1)))


def _field(r: AlgebraicNumber) -> NumberField:
    return NumberField(tuple(Fraction(c) for c in r.polynomial), r.interval)


def _compare(a: AlgebraicNumber, b: AlgebraicNumber) -> int:
    if a.rational is not None and b.rational is not None:
        return (a.rational > b.rational) - (a.rational < b.rational)
    alpha = (Fraction(0), Fraction(1))
    x = ((a.rational,), RationalField()) if a.rational is not None else (alpha, _field(a))
    y = ((b.rational,), RationalField()) if b.rational is not None else (alpha, _field(b))
    return compare(x[0], x[1], y[0], y[1])


def _outside(r: AlgebraicNumber, side: int, bits: int) -> Fraction:
    """A rational number at r (if r is rational) or within 2^-bits of it on the given side."""
    if r.rational is not None:
        return r.rational
    lo, hi = enclosure((Fraction(0), Fraction(1)), _field(r), bits=bits)
    return hi if side > 0 else lo


def _between(lo: Fraction | None, hi: Fraction | None) -> Iterator[Fraction]:
    """Rational numbers in the open interval, simple ones first."""
    if lo is None and hi is None:
        yield from (Fraction(v) for v in (1, 2, -1, -2))
        lo, hi = Fraction(2), None
    if lo is not None and hi is not None:
        first = _simplest(lo, hi)
        yield first
        denominator = 2
        while True:
            for k in range(1, denominator):
                yield lo + (hi - lo) * Fraction(k, denominator)
            denominator *= 3
    base, side = (lo, 1) if lo is not None else (hi, -1)
    assert base is not None
    start = Fraction(
        base.numerator // base.denominator + 1 if side > 0 else -((-base.numerator) // base.denominator) - 1
    )
    step = 0
    while True:
        yield start + side * step
        yield base + side * Fraction(1, step + 2)
        step += 1


def _simplest(lo: Fraction, hi: Fraction) -> Fraction:
    """The number of smallest denominator (then size) strictly between lo and hi."""
    if lo < 0 < hi:
        return Fraction(0)
    if hi <= 0:
        return -_simplest(-hi, -lo)
    whole = lo.numerator // lo.denominator
    if whole + 1 < hi:
        return Fraction(whole + 1)
    if lo == whole:  # hi <= whole + 1: whole + 1/n with the smallest n
        n = (1 / (hi - whole)).__floor__() + 1
        return whole + Fraction(1, n)
    inner = _simplest(1 / (hi - whole), 1 / (lo - whole))
    return whole + 1 / inner


def _constant(p: Poly) -> Fraction:
    return Fraction(0) if p.is_zero() else fraction(p.leading_coefficient())


def _sign(v: Fraction) -> int:
    return (v > 0) - (v < 0)


def _end_text(r: AlgebraicNumber) -> str:
    if r.rational is not None:
        return text(r.rational)
    near = arithmetic(_field(r)).approximate((Fraction(0), Fraction(1)))
    return root_text(r.polynomial, near)
