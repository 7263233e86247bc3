"""Deep linear networks in closed form, against matrices written out with Python integers and against exact Hessians.

The critical points are built here from their parametrisation (Achour, Malgouyres and Gerchinovitz 2024, Proposition 5):
W_h = D_h diag(I_r, Z_h) D_{h-1}^-1 with unimodular integer D, where two of the Z vanish; the gradient is then checked in
integers, the kind by the inertia of the whole Hessian where it is small, else by a second difference along a direction.
"""

from __future__ import annotations

import random
from fractions import Fraction as F
from itertools import pairwise

import pytest

from explorer.errors import Invalid, Unsupported
from explorer.model.landscape import landscape
from explorer.point import Point
from explorer.problem import Problem
from explorer.solve.critical import critical_set
from explorer.solve.linear.closed_form import GLOBAL, NON_STRICT, STRICT, deep_linear
from explorer.solve.results import Kind


def linear(widths, inputs, targets):
    return Problem.dense(widths=widths, inputs=inputs, targets=targets, activation="linear")


def diagonal(widths):
    """Inputs e_1..e_dx and targets (dy - i) e_i: Sxx = I and Sigma = diag(dy^2, ..., 1), eigenvectors e_i in order."""
    n, m = widths[0], widths[-1]
    inputs = [[int(i == j) for j in range(n)] for i in range(n)]
    targets = [[(m - i) * int(i == j) for j in range(m)] for i in range(n)]
    return linear(widths, inputs, targets)


def times(a, b):
    columns = list(zip(*b, strict=True))
    return [[sum(x * y for x, y in zip(row, c, strict=True) if x and y) for c in columns] for row in a]


def eye(n):
    return [[int(i == j) for j in range(n)] for i in range(n)]


def unimodular(n, rng):
    """An integer matrix of determinant 1 and its inverse, from a few row operations."""
    d, inverse = eye(n), eye(n)
    for _ in range(n):
        i, j = rng.randrange(n), rng.randrange(n)
        if i != j:
            c = rng.choice((-1, 1))
            d[i] = [a + c * b for a, b in zip(d[i], d[j], strict=True)]
            for row in inverse:
                row[j] -= c * row[i]
    return d, inverse


def critical_point(widths, subset, zero, rng):
    """Integer layers with product P_S Syx Sxx^-1 for `diagonal`; ``zero``: the layers (from 1) whose Z vanishes."""
    depth, r, m = len(widths) - 1, len(subset), widths[-1]
    others = [i for i in range(m) if i not in subset]
    layers = []
    left = [(eye(n), eye(n)) for n in widths]
    for h in range(1, depth):
        left[h] = unimodular(widths[h], rng)
    for h in range(1, depth + 1):
        rows, cols = widths[h], widths[h - 1]
        core = [[0] * cols for _ in range(rows)]
        for i in range(r):  # the first r coordinates carry the product
            if h == depth:
                core[subset[i]][i] = 1
            elif h == 1:
                core[i][subset[i]] = m - subset[i]
            else:
                core[i][i] = 1
        if h not in zero:
            targets = others if h == depth else range(r, rows)
            for i in targets:
                for j in range(0 if h == 1 else r, cols):
                    core[i][j] = rng.randint(-2, 2)
        layers.append(times(times(left[h][0], core), left[h - 1][1]))
    return layers


def flat(layers):
    return Point.rational([v for w in layers for row in w for v in row])


def product(layers, n):
    out = eye(n)
    for w in layers:
        out = times(w, out)
    return out


def gradient_vanishes(layers, widths):
    n, m = widths[0], widths[-1]
    error = product(layers, n)
    for i in range(m):
        error[i][i] -= m - i  # W Sxx - Syx
    for h in range(len(layers)):
        after = product(layers[h + 1 :], widths[h + 1])
        before = product(layers[:h], n)
        g = times(times(list(map(list, zip(*after, strict=True))), error), list(map(list, zip(*before, strict=True))))
        if any(v for row in g for v in row):
            return False
    return True


SMALL = [(2, 2, 2), (3, 2, 2), (1, 1, 1, 1), (2, 2, 2, 2), (2, 1, 2, 2), (3, 2, 2, 2), (2, 1, 1, 2, 1), (2, 3, 2)]


@pytest.mark.parametrize("widths", SMALL, ids=str)
def test_kinds_against_exact_hessians(widths):
    rng = random.Random(str(widths))
    p = diagonal(widths)
    found = deep_linear(p)
    geometry = landscape(p)
    top = min(widths)
    seen = set()
    for _ in range(14):
        r = rng.randint(0, top)
        subset = tuple(sorted(rng.sample(range(widths[-1]), r)))
        zero = rng.sample(range(1, len(widths)), 2)
        layers = critical_point(widths, subset, zero, rng)
        assert gradient_vanishes(layers, widths)
        point = flat(layers)
        local = geometry.at(point)
        assert local.is_critical
        said = found.classify(point)
        assert said.rank == r
        assert tuple(k - 1 for k in said.subset) == subset
        stratum = found.stratum(said.subset)
        assert local.value[0] == stratum.value.as_fraction
        assert said.kind in stratum.kinds
        seen.add(said.kind)
        if said.kind == STRICT:
            assert local.inertia.negative > 0
        else:
            assert local.inertia.negative == 0
            assert (local.value[0] == found.global_value.as_fraction) == (said.kind == GLOBAL)
        if stratum.dimension is not None:  # a stratum lies in the kernel of the Hessian
            assert local.inertia.zero >= stratum.dimension
    assert STRICT in seen or widths[-1] == 1


WIDE = [(5, 50, 5), (10, 4, 7, 3), (20, 10, 15, 12, 10), (12, 6, 9, 8, 7, 6), (8, 5, 6, 5, 7, 6, 5), (50, 12, 10)]


@pytest.mark.parametrize("widths", WIDE, ids=str)
def test_wide_and_deep_points(widths):
    """Gradient zero, rank and subset; and below the top subsets a direction along which F decreases to second order."""
    rng = random.Random(str(widths))
    found = deep_linear(diagonal(widths))
    m, depth = widths[-1], len(widths) - 1
    for _ in range(3):
        r = rng.randint(1, min(widths))
        subset = tuple(sorted(rng.sample(range(m), r)))
        layers = critical_point(widths, subset, rng.sample(range(1, depth + 1), 2), rng)
        assert gradient_vanishes(layers, widths)
        said = found.classify(flat(layers))
        assert (said.rank, tuple(k - 1 for k in said.subset)) == (r, subset)
        assert found.stratum(said.subset).value.as_fraction == sum((m - i) ** 2 for i in range(m) if i not in subset)
        if subset != tuple(range(r)):
            assert said.kind == STRICT
            out, into = next((i, j) for i in subset for j in range(i) if j not in subset)  # l_into > l_out
            assert curvature(layers, widths, subset, out, into) < 0
        elif r == min(widths):
            assert said.kind == GLOBAL


def curvature(layers, widths, subset, out, into):
    """Half the second derivative of F along the rotation of eigenvector ``out`` towards ``into``, in the outer layers."""
    m, n = widths[-1], widths[0]
    turned = [[0] * widths[-2] for _ in range(m)]
    turned[into] = layers[-1][out][:]
    # the unit that carries `out` through the network: layers[0] has the column of e_out; move it to e_into
    first = [[0] * n for _ in range(widths[1])]
    for i in range(widths[1]):
        first[i][into] = F((m - into), (m - out)) * layers[0][i][out]
    middle = product(layers[1:-1], widths[1])
    last, start = layers[-1], layers[0]
    base = times(last, times(middle, start))
    one = [
        [a + b for a, b in zip(x, y, strict=True)]
        for x, y in zip(times(turned, times(middle, start)), times(last, times(middle, first)), strict=True)
    ]
    two = times(turned, times(middle, first))
    for i in range(m):
        base[i][i] -= m - i
    # |E + s A + s^2 B|^2 at s^2
    return sum(a * a for row in one for a in row) + 2 * sum(
        x * y for r, t in zip(base, two, strict=True) for x, y in zip(r, t, strict=True)
    )


def test_the_strata_of_the_chains_agree_with_the_family_decomposition():
    for depth in (2, 3):
        p = linear([1] * (depth + 1), [1], [1])  # (1 - w_1 ... w_L)^2
        found, families = deep_linear(p), critical_set(p)
        zero, one = found.strata()
        assert (zero.rank, zero.value.as_fraction, one.value.as_fraction) == (0, 1, 0)
        assert one.kinds == (GLOBAL,)
        top = [c for c in families.components if c.value.as_fraction == 0]
        assert {c.dimension for c in top} == {one.dimension} == {depth - 1}
        rest = [c for c in families.components if c.value.as_fraction == 1]
        kinds = {STRICT if c.kind is Kind.STRICT_SADDLE else NON_STRICT for c in rest}
        assert kinds == set(zero.kinds)
        for c in rest:
            said = found.classify(c.sample)
            assert (said.kind == STRICT) == (c.kind is Kind.STRICT_SADDLE)


def test_irrational_eigenvalues_by_hand():
    # Sxx = I, Syx = [[1, 1], [0, 1]], Sigma = [[2, 1], [1, 1]]: eigenvalues (3 +- sqrt 5)/2, tr Syy = 3
    found = deep_linear(linear([2, 1, 2], [[1, 0], [0, 1]], [[1, 0], [1, 1]]))
    assert [s.subset for s in found.strata()] == [(), (1,), (2,)]
    low, high = found.global_value.lower, found.global_value.upper
    assert low < high < low + F(1, 10**15)
    assert (3 - 2 * low) ** 2 > 5 > (3 - 2 * high) ** 2  # the value is (3 - sqrt 5)/2
    whole = deep_linear(linear([2, 2, 2], [[1, 0], [0, 1]], [[1, 0], [1, 1]]))
    assert whole.global_value.as_fraction == 0
    assert whole.count == 4


def test_weights_and_counts():
    p = diagonal((50, 30, 40, 20))
    found = deep_linear(p)
    assert found.count == 2**20  # all subsets of 20 eigenvectors have rank at most 20
    assert found.global_value.as_fraction == 0
    assert found.stratum(range(1, 20)).value.as_fraction == 1
    assert found.stratum(range(1, 20)).kinds == (STRICT, NON_STRICT)
    assert found.coverage.complete


def test_dimension_of_the_global_minima_by_hand():
    # 2-2-2 at full rank: W_2 = P W_1^-1 over GL(2), dimension 4; 2-1-2 at rank 1: u a, (1/a) v, dimension 1
    assert deep_linear(diagonal((2, 2, 2))).stratum((1, 2)).dimension == 4
    assert deep_linear(diagonal((2, 1, 2))).stratum((1,)).dimension == 1
    # 2-2-2 at rank 0: W_2 = 0 and W_1 = 0 (Syx is regular)
    assert deep_linear(diagonal((2, 2, 2))).stratum(()).dimension == 0


@pytest.mark.parametrize(
    ("p", "why"),
    [
        (linear([2, 2, 2], [[1, 0], [0, 1]], [[1, 0], [0, 1]]), "multiple"),
        (linear([2, 2, 2], [[1, 0], [2, 0]], [[1, 0], [0, 1]]), "span"),
        (linear([2, 2, 2], [[1, 0], [0, 1]], [[1, 0], [0, 0]]), "eigenvalue 0"),
        (linear([1, 2, 2], [1, 2], [[1, 0], [0, 1]]), "d_y"),
        (Problem.dense(widths=[1, 1, 1], inputs=[1], targets=[1], activation="square"), "linear network"),
    ],
)
def test_assumptions_are_checked(p, why):
    with pytest.raises(Unsupported, match=why):
        deep_linear(p)


def test_a_point_that_is_not_critical():
    found = deep_linear(diagonal((2, 2, 2)))
    with pytest.raises(Invalid, match="gradient"):
        found.classify(Point.rational([1] * 8))
    assert sum(a * b for a, b in pairwise((2, 2, 2))) == 8


@pytest.mark.parametrize("widths", [(2, 2, 2), (3, 1, 2), (3, 2, 2), (4, 2, 3)], ids=str)
def test_two_layers_as_a_critical_set(widths):
    """Values by hand (Sigma = diag(m^2, ..., 1)); every point built from the parametrisation has a listed value and kind."""
    found = critical_set(diagonal(widths))
    m = widths[-1]
    assert found.coverage.complete
    assert found.global_value.as_fraction == sum(k * k for k in range(1, m - min(widths) + 1))
    by_value = {c.value.as_fraction: c for c in found.components}
    assert len(by_value) >= 3
    rng = random.Random(str(widths))
    for _ in range(6):
        subset = tuple(sorted(rng.sample(range(m), rng.randint(0, min(widths)))))
        layers = critical_point(widths, subset, [1, 2], rng)
        local = landscape(found.problem).at(flat(layers))
        c = by_value[local.value[0]]
        assert (c.kind is Kind.STRICT_SADDLE) == (local.inertia.negative > 0)
        # at generic points of these strata the kernel of the Hessian is the tangent space of the stratum
        assert c.inertia.zero == c.dimension


def test_two_layers_with_irrational_eigenvalues_and_singular_values():
    # tr Syy - l_1 = 3 - (3 + sqrt 5)/2; the sample lies in Q(sqrt 5) and both strata of rank 1 are lines
    found = critical_set(linear([2, 1, 2], [[1, 0], [0, 1]], [[1, 0], [1, 1]]))
    assert found.coverage.complete
    assert [(c.dimension, c.kind, c.is_global) for c in found.components] == [
        (1, Kind.MINIMUM, True),
        (1, Kind.STRICT_SADDLE, False),
        (0, Kind.STRICT_SADDLE, False),
    ]
