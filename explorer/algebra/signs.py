"""Sign changes of the unknowns under which polynomials stay the same up to sign, by linear algebra over the field with two elements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def even_sets(vectors: Iterable[Iterable[int]], size: int) -> Iterator[tuple[int, ...]]:
    """A basis of all sets of places k in which every integer vector has an even sum, each set as its places."""
    rows: dict[int, int] = {}  # pivot bit -> reduced row
    for e in vectors:
        v = sum((k & 1) << i for i, k in enumerate(e))
        for pivot, row in rows.items():
            v ^= row if v >> pivot & 1 else 0
        if v:
            pivot = v.bit_length() - 1
            for other in rows:
                rows[other] ^= v if rows[other] >> pivot & 1 else 0
            rows[pivot] = v
    for free in range(size):
        if free not in rows:
            yield (free, *(pivot for pivot, row in rows.items() if row >> free & 1))
