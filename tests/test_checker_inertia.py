"""Inertia and ranks in the checker against exact characteristic polynomials and ranks by SymPy."""

from __future__ import annotations

import itertools
import random
from fractions import Fraction

import pytest
import sympy
from checker_numerics import Patient

from explorer import checker


def true_inertia(matrix):
    """By Descartes' rule on the characteristic polynomial (all of its roots are real, so the rule is exact)."""
    coefficients = sympy.Matrix(matrix).charpoly().all_coeffs()
    zero = 0
    while coefficients[-1] == 0:
        coefficients.pop()
        zero += 1
    signs = [c > 0 for c in coefficients if c != 0]
    positive = sum(a != b for a, b in itertools.pairwise(signs))
    return positive, zero, len(matrix) - positive - zero


def sparse(matrix, of):
    """A list of dicts; zeros are left out except on some diagonals, as the checker may meet them."""
    return [{j: of(v) for j, v in enumerate(row) if v or (i + j) % 5 == 0} for i, row in enumerate(matrix)]


def symmetric(pick, size, kind):
    m = [[0] * size for _ in range(size)]
    for i in range(size):
        for j in range(i, size):
            m[i][j] = m[j][i] = Fraction(pick.randint(-4, 4), pick.randint(1, 2)) if pick.random() < 0.7 else 0
    if kind == "zero diagonal":
        for i in range(size):
            m[i][i] = 0
    elif kind == "singular":
        rank = pick.randint(0, size - 1)
        b = [[pick.randint(-3, 3) for _ in range(size)] for _ in range(rank)]
        s = [pick.choice([-1, 1]) for _ in range(rank)]
        m = [
            [Fraction(sum(e * r[i] * r[j] for e, r in zip(s, b, strict=True))) for j in range(size)]
            for i in range(size)
        ]
    elif kind == "blocks":  # zero diagonal blocks, as Hessians of products have
        half = size // 2
        m = [[0 if (i < half) == (j < half) else m[i][j] for j in range(size)] for i in range(size)]
    return m


@pytest.mark.parametrize("kind", ["dense", "zero diagonal", "singular", "blocks"])
def test_inertia_against_characteristic_polynomials(kind):
    pick, seen, ring = random.Random(kind), set(), checker.Rationals(Patient())
    for _ in range(60):
        m = symmetric(pick, pick.randint(1, 6), kind)
        expected = true_inertia(m)
        seen.add(expected)
        assert checker.inertia_of(ring, sparse(m, Fraction)) == expected
        assert checker.is_definite(ring, sparse(m, Fraction), 1) == (expected[0] == len(m))
        assert checker.is_definite(ring, sparse(m, Fraction), -1) == (expected[2] == len(m))
    assert len(seen) > 8


@pytest.mark.parametrize("field", ["sqrt 2", "-sqrt 2", "reducible", "ln 2"])
def test_inertia_over_fields(field):
    """P^T D P with P unit triangular times a permutation has the inertia of D (Sylvester), whatever the generator is."""
    pick, generator = random.Random(field), None
    if field == "ln 2":
        ring = checker.Ln2Ring(Patient())  # no inverses: the method must keep track of the signs of its pivots
    else:
        modulus = (6, -2, -3, 1) if field == "reducible" else (-2, 0, 1)  # (x^2 - 2)(x - 3)
        low, high = (-2, 0) if field == "-sqrt 2" else (1, 2)
        ring = checker.NumberField(Patient(), tuple(map(Fraction, modulus)), Fraction(low), Fraction(high), "test")
    generator = (Fraction(0), Fraction(1))

    def entry():
        return ring.add(ring.of(Fraction(pick.randint(-2, 2))), ring.scale(generator, pick.randint(-2, 2)))

    for _ in range(30):
        size = pick.randint(1, 3 if field == "ln 2" else 4)
        d = [pick.choice([-2, -1, 0, 0, 1, 3]) for _ in range(size)]
        order = pick.sample(range(size), size)
        p = [[ring.one if i == j else entry() if i < j else ring.zero for j in range(size)] for i in range(size)]
        m = [
            [ring.total(ring.scale(ring.mul(p[k][i], p[k][j]), d[k]) for k in range(size)) for j in range(size)]
            for i in range(size)
        ]
        m = [[m[order[i]][order[j]] for j in range(size)] for i in range(size)]
        expected = (sum(v > 0 for v in d), d.count(0), sum(v < 0 for v in d))
        assert checker.inertia_of(ring, [dict(enumerate(row)) for row in m]) == expected


def test_independent_rows_against_sympy():
    pick = random.Random(23)
    for _ in range(100):
        cols = pick.randint(1, 4)
        rows = [
            [Fraction(pick.randint(-2, 2), pick.randint(1, 2)) for _ in range(cols)] for _ in range(pick.randint(1, 5))
        ]
        if pick.random() < 0.4:
            rows.append([2 * v for v in rows[0]])
        basis = checker.independent_rows(rows, Patient())
        assert len(basis) == sympy.Matrix(rows).rank()
        assert not basis or len(basis) == sympy.Matrix(basis).rank()
        assert all(row in rows for row in basis)
