"""Descent and ascent curves through a critical point: polynomial, few terms, small coefficients, exact first coefficient.

First the *slaved* curves of the splitting lemma (Gromoll and Meyer 1969): some parameters move along monomials of s and
the others, on which the Hessian is nonsingular, follow so that their partial derivatives stay zero. With one moving
parameter they decide the point: the reduced function of one variable has a first nonzero coefficient or is flat up to
`MAX_ORDER`. Then plain monomial curves h_k = u_k s^(a_k). What is found is a proof; what is not found proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations, product

from explorer.algebra.fields import FieldArithmetic, arithmetic
from explorer.budget import Deadline
from explorer.model.polynomial import differentiate
from explorer.point import Element, Point
from explorer.solve.polynomials import Terms
from explorer.solve.results import Curve
from explorer.solve.taylor import MAX_ORDER, Expansion, Ring, along, expand, field_ring

Candidate = tuple[tuple[int, ...], tuple[Fraction, ...]]
MAX_CANDIDATES = 2_000
#: up to this many parameters all 2^d diagonal lines are tried
ALL_SIGNS = 8
ONE, TWO, HALF = Fraction(1), Fraction(2), Fraction(1, 2)
SIGNS, SMALL = (ONE, -ONE), (ONE, -ONE, TWO, -TWO, HALF, -HALF)
#: which powers of s with which coefficients, in the order in which they are tried
SHAPES = (((1,), SIGNS), ((1, 2), SIGNS), ((1,), SMALL), ((1, 2), SMALL), ((1, 2, 3), SIGNS))


def candidates(d: int) -> Iterator[Candidate]:
    """Monomial curves (weights, units), the simplest first; at most `MAX_CANDIDATES`."""
    count = 0
    for heights, units in SHAPES:
        sizes = [*range(1, min(d, 4 if len(units) == 2 else 2) + 1)]
        if heights == (1,) and units == SIGNS and 4 < d <= ALL_SIGNS:
            sizes.append(d)  # the diagonals: a product of all parameters moves only along these
        for size in sizes:
            for support in combinations(range(d), size):
                for ws in product(heights, repeat=size):
                    if heights[-1] not in ws or min(ws) > 1:
                        continue
                    for us in product(units, repeat=size):
                        if len(units) > 2 and all(abs(u) == 1 for u in us):
                            continue
                        count += 1
                        if count > MAX_CANDIDATES:
                            return
                        weights, values = [0] * d, [Fraction(0)] * d
                        for k, w, u in zip(support, ws, us, strict=True):
                            weights[k], values[k] = w, u
                        yield tuple(weights), tuple(values)


def search(
    expansion: Expansion, d: int, ring: Ring, deadline: Deadline, *, want: frozenset[int]
) -> dict[int, Candidate]:
    """For each sign in ``want`` a monomial curve whose first coefficient has that sign, where one is found.

    A first coefficient whose sign ``ring`` does not know counts as not found.
    """
    found: dict[int, Candidate] = {}
    for number, (weights, units) in enumerate(candidates(d)):
        if number % 64 == 0:
            deadline.check("looking for descent and ascent curves")
        hit = along(expansion, weights, units, ring)
        if hit is None:
            continue
        sign = ring.sign(hit[1])
        if sign in want and sign not in found:
            found[sign] = (weights, units)
            if len(found) == len(want):
                break
    return found


def curve_at(terms: Terms, point: Point, coefficients: Sequence[Sequence[Element]]) -> Curve | None:
    """What F does along p + sum_m c_m s^m, recomputed from F itself; None when nothing happens up to `MAX_ORDER`."""
    a = arithmetic(point.field)
    series = [_series((p, *c), a) for p, c in zip(point.coordinates, coefficients, strict=True)]
    total = _composed(terms, series, a)
    for m in range(1, MAX_ORDER + 1):
        if not a.is_zero(total[m]):
            return Curve(m, total[m], tuple(_trimmed(c, a) for c in coefficients))
    return None


def monomial_curve(terms: Terms, point: Point, candidate: Candidate) -> Curve | None:
    """`curve_at` for h_k = u_k s^(a_k)."""
    a = arithmetic(point.field)
    rows = [[a.zero] * (w - 1) + [a.from_fraction(u)] if w else [] for w, u in zip(*candidate, strict=True)]
    return curve_at(terms, point, rows)


def curves_at(terms: Terms, point: Point, deadline: Deadline, *, want: frozenset[int]) -> dict[int, Curve]:
    """Curves with the wanted signs of the first coefficient at an exact critical point."""
    ring = field_ring(point.field)
    d = len(point.coordinates)
    found: dict[int, Curve] = {}
    a = arithmetic(point.field)
    for slaved in slaved_curves(terms, point, deadline):
        if (sign := a.sign(slaved.coefficient)) in want and sign not in found:
            found[sign] = slaved
        if len(found) == len(want):
            return found
    rest = want - found.keys()
    if rest:
        expansion = expand(terms, point.coordinates, ring, deadline)
        for candidate in search(expansion, d, ring, deadline, want=rest).values():
            curve = monomial_curve(terms, point, candidate)
            if curve is not None:
                found[a.sign(curve.coefficient)] = curve
    return {s: c for s, c in found.items() if s in want}


def slaved_curves(terms: Terms, point: Point, deadline: Deadline) -> Iterator[Curve]:
    """Curves in which a maximal nonsingular block of parameters follows the others (a line each, or two lines summed)."""
    a = arithmetic(point.field)
    d = len(point.coordinates)
    free, block = nonsingular_block(terms, point)
    if not block:
        return
    gradient = [differentiate(terms, k) for k in range(d)]
    moves: list[dict[int, Fraction]] = [{k: Fraction(u)} for k in free for u in (1, -1)]
    moves += [{k: Fraction(u), m: Fraction(v)} for k, m in combinations(free, 2) for u in (1, -1) for v in (1, -1)]
    inverse = _inverse([[hessian_entry(terms, point, i, j) for j in block] for i in block], a)
    for move in moves:
        deadline.check("following a slaved curve")
        rows: list[list[Element]] = [[a.from_fraction(move[k])] if k in move else [] for k in range(d)]
        for k in block:
            rows[k] = [a.zero] * MAX_ORDER
        for m in range(1, MAX_ORDER):
            series = [_series((p, *c), a) for p, c in zip(point.coordinates, rows, strict=True)]
            residual = [_composed(gradient[k], series, a)[m] for k in block]
            for i, k in enumerate(block):
                step = a.zero
                for j, r in enumerate(residual):
                    step = a.add(step, a.mul(inverse[i][j], r))
                rows[k][m - 1] = a.sub(rows[k][m - 1], step)
        curve = curve_at(terms, point, rows)
        if curve is None:
            continue
        kept = tuple(_trimmed(c[: curve.order], a) for c in curve.coefficients)
        short = _shortest(terms, point, kept, curve)
        yield short


def reduced_order(terms: Terms, point: Point, deadline: Deadline) -> Curve | None:
    """For a Hessian of corank one: the slaved curve of the one free parameter, or None (flat up to `MAX_ORDER`)."""
    free, block = nonsingular_block(terms, point)
    if len(free) != 1 or not block:
        return None
    return next(iter(slaved_curves(terms, point, deadline)), None)


def nonsingular_block(terms: Terms, point: Point) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """(free, block): a principal block of the Hessian at ``point``, nonsingular and of full rank, for a semidefinite one."""
    a = arithmetic(point.field)
    d = len(point.coordinates)
    rows = [[hessian_entry(terms, point, i, j) for j in range(d)] for i in range(d)]
    block: list[int] = []
    for k in range(d):  # symmetric elimination: for a semidefinite matrix a zero pivot has a zero row
        if a.is_zero(rows[k][k]):
            continue
        block.append(k)
        inverse = a.inverse(rows[k][k])
        for i in range(k + 1, d):
            factor = a.mul(rows[i][k], inverse)
            for j in range(k + 1, d):
                rows[i][j] = a.sub(rows[i][j], a.mul(factor, rows[k][j]))
    return tuple(k for k in range(d) if k not in block), tuple(block)


def hessian_entry(terms: Terms, point: Point, i: int, j: int) -> Element:
    a = arithmetic(point.field)
    constant = [_series((p,), a) for p in point.coordinates]
    return _composed(differentiate(differentiate(terms, i), j), constant, a, order=0)[0]


def _shortest(terms: Terms, point: Point, rows: Sequence[tuple[Element, ...]], curve: Curve) -> Curve:
    """The same first coefficient from as few powers of s as possible."""
    for length in range(1, curve.order + 1):
        cut = [r[:length] for r in rows]
        again = curve_at(terms, point, cut)
        if again is not None and (again.order, again.coefficient) == (curve.order, curve.coefficient):
            return again
    return curve


def _series(coefficients: Sequence[Element], a: FieldArithmetic) -> list[Element]:
    return [*coefficients[: MAX_ORDER + 1], *[a.zero] * (MAX_ORDER + 1 - len(coefficients))]


def _composed(
    terms: Terms, series: Sequence[Sequence[Element]], a: FieldArithmetic, *, order: int = MAX_ORDER
) -> list[Element]:
    """The power series of F along the given power series, up to s^order."""

    def times(x: Sequence[Element], y: Sequence[Element]) -> list[Element]:
        out = [a.zero] * (order + 1)
        for i in range(order + 1):
            if a.is_zero(x[i]):
                continue
            for j in range(order + 1 - i):
                out[i + j] = a.add(out[i + j], a.mul(x[i], y[j]))
        return out

    one = [a.one, *[a.zero] * order]
    powers: dict[tuple[int, int], Sequence[Element]] = {}
    total = [a.zero] * (order + 1)
    for e, c in terms.items():
        value: Sequence[Element] = [a.from_fraction(c), *[a.zero] * order]
        for k, n in enumerate(e):
            for m in range(1, n + 1):
                if (k, m) not in powers:
                    powers[k, m] = times(powers.get((k, m - 1), one), series[k])
            if n:
                value = times(value, powers[k, n])
        total = [a.add(x, y) for x, y in zip(total, value, strict=True)]
    return total


def _inverse(matrix: list[list[Element]], a: FieldArithmetic) -> list[list[Element]]:
    n = len(matrix)
    rows = [[*row, *(a.one if i == j else a.zero for j in range(n))] for i, row in enumerate(matrix)]
    for k in range(n):
        pivot = next(i for i in range(k, n) if not a.is_zero(rows[i][k]))
        rows[k], rows[pivot] = rows[pivot], rows[k]
        factor = a.inverse(rows[k][k])
        rows[k] = [a.mul(factor, x) for x in rows[k]]
        for i in range(n):
            if i != k and not a.is_zero(rows[i][k]):
                f = rows[i][k]
                rows[i] = [a.sub(x, a.mul(f, y)) for x, y in zip(rows[i], rows[k], strict=True)]
    return [row[n:] for row in rows]


def _trimmed(coefficients: Sequence[Element], a: FieldArithmetic) -> tuple[Element, ...]:
    out = list(coefficients)
    while out and a.is_zero(out[-1]):
        out.pop()
    return tuple(out)
