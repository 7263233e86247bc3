"""When the limit Gram matrix of distinct unit inputs is singular: linearly dependent antipodal pairs, and nothing else.

c lies in the kernel exactly if F(w) = sum_i c_i x_i 1{w.x_i >= 0} vanishes almost everywhere. F jumps across w.x = 0 by c x (a
single input) or (c_+ + c_-) x (an antipodal pair), so single inputs have c = 0 and a pair leaves the constant c_+ x; the
constants must add up to 0. Hence dim ker H = number of antipodal pairs - rank of their directions. The same c makes
sum_i c_i relu(w.x_i) = w.F(w) vanish for every w: labels that are not orthogonal to c are out of reach at any width.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from flint import fmpq_mat

from explorer.algebra.balls import to_fmpq, to_fraction
from explorer.gram.limit import Vector


def pairs(inputs: Sequence[Vector]) -> tuple[tuple[int, int], ...]:
    """Positions (i, j), i < j, of inputs with x_j = -x_i."""
    where = {x: i for i, x in enumerate(inputs)}
    found = ((i, where.get(tuple(-v for v in x))) for i, x in enumerate(inputs))
    return tuple((i, j) for i, j in found if j is not None and i < j)


def duplicates(inputs: Sequence[Vector]) -> tuple[tuple[int, int], ...]:
    """Positions (first, again) of inputs that occur before."""
    seen: dict[Vector, int] = {}
    out = []
    for i, x in enumerate(inputs):
        if x in seen:
            out.append((seen[x], i))
        seen.setdefault(x, i)
    return tuple(out)


def parallel(inputs: Sequence[Vector]) -> bool:
    """Whether two unit inputs are equal or opposite."""
    return bool(pairs(inputs) or duplicates(inputs))


def _rank(rows: Sequence[Vector]) -> int:
    if not rows:
        return 0
    matrix = fmpq_mat(len(rows), len(rows[0]), [to_fmpq(v) for row in rows for v in row])
    return int(matrix.rref()[1])


def nullity(inputs: Sequence[Vector]) -> int:
    """dim ker H for distinct unit inputs, by the formula."""
    found = pairs(inputs)
    return len(found) - _rank([inputs[i] for i, _ in found])


def kernel(inputs: Sequence[Vector]) -> tuple[Vector, ...]:
    """Linearly independent vectors c with H c = 0: one per repeated input, and the relations among antipodal directions."""
    out = []
    zero = [Fraction(0)] * len(inputs)
    for first, again in duplicates(inputs):
        c = list(zero)
        c[first], c[again] = Fraction(1), Fraction(-1)
        out.append(tuple(c))
    unique = list(dict.fromkeys(inputs))
    position = [inputs.index(x) for x in unique]
    found = pairs(unique)
    for relation in _relations([unique[i] for i, _ in found]):
        c = list(zero)
        for weight, (i, j) in zip(relation, found, strict=True):
            c[position[i]], c[position[j]] = weight, -weight
        out.append(tuple(c))
    return tuple(out)


def _relations(rows: Sequence[Vector]) -> list[Vector]:
    """A basis of the vectors c with sum_k c_k row_k = 0."""
    if not rows:
        return []
    count, size = len(rows), len(rows[0])
    reduced, rank = fmpq_mat(size, count, [to_fmpq(rows[k][a]) for a in range(size) for k in range(count)]).rref()
    pivots = [next(k for k in range(count) if reduced[a, k] != 0) for a in range(rank)]
    out = []
    for free in (k for k in range(count) if k not in pivots):
        c = [Fraction(0)] * count
        c[free] = Fraction(1)
        for a, k in enumerate(pivots):
            c[k] = -to_fraction(reduced[a, free])
        out.append(tuple(c))
    return out
