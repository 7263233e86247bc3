"""A polynomial loss as a constant plus squares, where one of two simple Gram matrices is positive semidefinite.

F - value = z^T G z with z the monomials of half the exponents. A coefficient of F that several entries of G could carry is put on the
diagonal, or off it; then G = L D L^T by elimination gives the squares. No search: other polynomials are not decided here.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import product

from explorer.certify.encode import Step, number
from explorer.errors import NotCertifiable
from explorer.problem import MonomialLoss, Problem

Exponents = tuple[int, ...]
LARGEST = 60  #: monomials in the basis


def squares_step(problem: Problem, value: Fraction) -> Step:
    """The step ``floor`` by ``squares``; `NotCertifiable` where neither Gram matrix is positive semidefinite."""
    net = problem.network
    assert isinstance(net, MonomialLoss)
    rest = {e: c for c, e in net.terms}
    zero = (0,) * len(net.names)
    rest[zero] = rest.get(zero, Fraction(0)) - value
    rest = {e: c for e, c in rest.items() if c}
    halves = [max((e[k] for e in rest), default=0) // 2 for k in range(len(net.names))]
    total = max((sum(e) for e in rest), default=0) // 2
    basis = [e for e in product(*(range(h + 1) for h in halves)) if sum(e) <= total]
    if len(basis) <= LARGEST:
        for diagonal in (False, True):
            gram = _gram(rest, basis, diagonal=diagonal)
            found = None if gram is None else _squares(gram)
            if found is not None:
                squares = [
                    [number(d), [[number(c), list(e)] for e, c in zip(basis, row, strict=True) if c]]
                    for d, row in found
                ]
                return {"rule": "floor", "proof": "squares", "value": number(value), "squares": squares}
    raise NotCertifiable("floor", expected=f"F - {value} as a sum of squares by a simple Gram matrix", got="none found")


def _gram(rest: Mapping[Exponents, Fraction], basis: list[Exponents], *, diagonal: bool) -> list[list[Fraction]] | None:
    size = len(basis)
    gram = [[Fraction(0)] * size for _ in basis]
    for e, c in rest.items():
        pairs = [(i, j) for i in range(size) for j in range(i + 1) if tuple(map(int.__add__, basis[i], basis[j])) == e]
        same = [p for p in pairs if p[0] == p[1]]
        other = [p for p in pairs if p[0] != p[1]]
        other.sort(key=lambda p: -sum(tuple(2 * v for v in basis[k]) in rest for k in p))  # where the diagonal is not 0
        first = c > 0 or diagonal or not other  # negative coefficients off the diagonal, if possible
        chosen = next(iter([*same, *other] if first else [*other, *same]), None)
        if chosen is None:
            return None
        i, j = chosen
        gram[i][j] += c if i == j else c / 2
        gram[j][i] = gram[i][j]
    return gram


def _squares(gram: list[list[Fraction]]) -> list[tuple[Fraction, list[Fraction]]] | None:
    """(d_k, row l_k) with G = sum_k d_k l_k l_k^T, all d_k > 0; None if G is not positive semidefinite."""
    rows, out = [row[:] for row in gram], []
    for k in range(len(rows)):
        pivot = rows[k][k]
        if pivot < 0 or (pivot == 0 and any(rows[k])):
            return None
        if pivot:
            vector = [v / pivot for v in rows[k]]
            out.append((pivot, vector))
            for row, v in zip(rows, [r * pivot for r in vector], strict=True):
                if v:
                    row[:] = [a - v * b for a, b in zip(row, vector, strict=True)]
    return out
