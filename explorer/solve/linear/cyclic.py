"""Chains of matrices around a cycle whose long products vanish: their isomorphism types, finitely many, by combinatorics.

Spaces of sizes a_0, ..., a_(H-1) sit around a cycle, Z_h : space h-1 -> space h for h = 1..H (space H is space 0), and every
product of H-1 consecutive matrices is zero. Up to a change of basis in every space such a chain is a direct sum of
*strings*: (s, l) has one basis vector in each of the spaces s, s+1, ..., s+l-1 (modulo H, l <= H-1), each mapped to the
next and the last one to 0 (T. Nakayama, On Frobeniusean algebras II, Ann. of Math. 42, 1941: modules over a serial algebra are sums of
uniserial ones). The type is what the ranks of all products say, too. Rational numbers only; nothing here knows of networks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from explorer.algebra.inertia import inertia
from explorer.point import Element, Inertia, RationalField

Matrix = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Chain:
    """One isomorphism type: the sizes of the spaces and its strings (start, length), with repetition, sorted."""

    sizes: tuple[int, ...]
    strings: tuple[tuple[int, int], ...]

    @property
    def nodes(self) -> int:
        return len(self.sizes)

    @property
    def endomorphisms(self) -> int:
        """The dimension of the algebra of endomorphisms; the type fills sum a_h^2 minus this many dimensions.

        Homomorphisms of strings: a quotient of the one (same start) onto a piece at the end of the other.
        """
        return sum(
            sum(1 for t in range(1, min(n, m) + 1) if (s - (e + m - t)) % self.nodes == 0)
            for s, n in self.strings
            for e, m in self.strings
        )

    @property
    def dimension(self) -> int:
        """The dimension of the set of matrices (Z_1, ..., Z_H) of this type."""
        return sum(a * a for a in self.sizes) - self.endomorphisms

    def rank(self, start: int, steps: int) -> int:
        """The rank of the product of ``steps`` matrices that starts in space ``start``."""
        return sum(1 for s, n in self.strings if (start - s) % self.nodes + steps < n)

    @cached_property
    def matrices(self) -> tuple[Matrix, ...]:
        """Z_1, ..., Z_H in a basis made of the strings: entries 0 and 1."""
        place = [0] * self.nodes
        tables = [[[0] * self.sizes[h] for _ in range(self.sizes[(h + 1) % self.nodes])] for h in range(self.nodes)]
        for s, n in self.strings:
            before = None
            for k in range(n):
                h = (s + k) % self.nodes
                if before is not None:
                    tables[h - 1][place[h]][before] = 1
                before = place[h]
                place[h] += 1
        return tuple(tuple(tuple(row) for row in table) for table in tables)

    @cached_property
    def curvature(self) -> Inertia:
        """The inertia of the second-order part of -trace(Z_H ... Z_1) in all the matrices, at a chain of this type."""
        places = [
            (h, i, j)
            for h in range(self.nodes)
            for i in range(self.sizes[(h + 1) % self.nodes])
            for j in range(self.sizes[h])
        ]
        table: list[list[Element]] = [[(Fraction(0),)] * len(places) for _ in places]
        for p, (h, i, j) in enumerate(places):  # arrows from space h to h + 1, numbered by their start
            for q, (k, m, n) in enumerate(places[:p]):
                if k < h:
                    value = self._path(k + 1, h - k - 1)[j][m] * self._path(h + 1, self.nodes - 1 - h + k)[n][i]
                    table[p][q] = table[q][p] = (Fraction(-value),)
        return inertia(table, RationalField())

    def _path(self, start: int, steps: int) -> Matrix:
        """The product of ``steps`` matrices from space ``start`` on."""
        key = (start % self.nodes, steps)
        if key not in self._paths:
            a = self.sizes[key[0]]
            out: Matrix = tuple(tuple(int(i == j) for j in range(a)) for i in range(a))
            if steps:
                before = self._path(start, steps - 1)
                z = self.matrices[(start + steps - 1) % self.nodes]
                columns = list(zip(*before, strict=True)) if before else [()] * a
                out = tuple(tuple(sum(x * y for x, y in zip(row, c, strict=True)) for c in columns) for row in z)
            self._paths[key] = out
        return self._paths[key]

    @cached_property
    def _paths(self) -> dict[tuple[int, int], Matrix]:
        return {}


def chains(sizes: Sequence[int]) -> Iterator[Chain]:
    """All types with these sizes, the one of zero matrices first; take what you need, there may be many."""
    n = len(sizes)
    longer = [(s, size) for size in range(2, n) for s in range(n)]

    def chosen(k: int, left: tuple[int, ...], strings: tuple[tuple[int, int], ...]) -> Iterator[Chain]:
        if k == len(longer):
            single = [(h, 1) for h in range(n) for _ in range(left[h])]
            yield Chain(tuple(sizes), tuple(sorted((*strings, *single))))
            return
        s, size = longer[k]
        covered = {(s + i) % n for i in range(size)}
        for count in range(min(left[h] for h in covered) + 1):
            rest = tuple(a - count * (h in covered) for h, a in enumerate(left))
            yield from chosen(k + 1, rest, strings + ((s, size),) * count)

    return chosen(0, tuple(sizes), ())
