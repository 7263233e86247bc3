"""The closed form of deep linear networks against counting, Singular, and random critical points with exact Hessians.

Random critical points are built here from the parametrisation of docs/linear.md (random unimodular changes of basis, random
chains), independent of explorer/solve/linear/cyclic.py except that it draws the type.
"""

from __future__ import annotations

import random
from collections import Counter
from fractions import Fraction as F
from itertools import combinations, pairwise
from math import comb

import pytest

from explorer.budget import Budget, Deadline
from explorer.errors import Unsupported
from explorer.model.landscape import landscape
from explorer.point import Point
from explorer.problem import Problem
from explorer.solve.critical import critical_set
from explorer.solve.linear.cyclic import Chain, chains
from explorer.solve.linear.unregularised import any_depth
from explorer.solve.results import Kind


def linear(widths, inputs, targets):
    return Problem.dense(widths=widths, inputs=inputs, targets=targets, activation="linear")


def eye(n):
    return [[F(int(i == j)) for j in range(n)] for i in range(n)]


def diagonal(widths, values):
    """Inputs e_1, ..., targets values[i] e_i: Sxx = 1, Sigma = diag(values^2)."""
    n, m = widths[0], widths[-1]
    targets = [[values[i] * int(i == j) if i < len(values) else 0 for j in range(m)] for i in range(n)]
    return linear(widths, [[int(i == j) for j in range(n)] for i in range(n)], targets)


def whole(problem):
    return any_depth(problem, Deadline(60))


def times(a, b):
    columns = list(zip(*b, strict=True))
    return [[sum((x * y for x, y in zip(row, c, strict=True)), F(0)) for c in columns] for row in a]


def product(matrices, size):
    """matrices[-1] ... matrices[0], of inputs of this size."""
    out = eye(size)
    for m in matrices:
        out = times(m, out) if m and out else [[F(0)] * len(out[0] if out else ()) for _ in m]
    return out


def rank(rows):
    rows, found = [list(r) for r in rows], 0
    for j in range(len(rows[0]) if rows else 0):
        k = next((i for i in range(found, len(rows)) if rows[i][j]), None)
        if k is None:
            continue
        rows[found], rows[k] = rows[k], rows[found]
        for i in range(found + 1, len(rows)):
            c = rows[i][j] / rows[found][j]
            rows[i] = [x - c * y for x, y in zip(rows[i], rows[found], strict=True)]
        found += 1
    return found


def unimodular(n, rng):
    d, inverse = eye(n), eye(n)
    for _ in range(2 * n):
        i, j = rng.randrange(n), rng.randrange(n)
        if i != j:
            c = rng.choice((-1, 1))
            d[i] = [a + c * b for a, b in zip(d[i], d[j], strict=True)]
            for row in inverse:
                row[j] -= c * row[i]
    return d, inverse


def shape(c):
    return c.dimension, (c.inertia.positive, c.inertia.zero, c.inertia.negative), c.kind


@pytest.mark.parametrize("depth", [2, 3, 4, 5, 6])
def test_chains_of_single_units_by_counting(depth):
    """(w_1 ... w_H - 1)^2: the hypersurface F = 0, and for k <= H - 2 the C(H, k) sets with exactly k weights not 0, of dimension k.

    The Hessian has entries -2 times the product of the other weights: one pair of eigenvalues +-2 |..| for k = H - 2, else 0.
    """
    found = whole(linear([1] * (depth + 1), [1], [1]))
    by_hand = Counter({(depth - 1, (1, depth - 1, 0), Kind.MINIMUM): 1})
    for k in range(depth - 1):
        strict = k == depth - 2
        inertia = (1, depth - 2, 1) if strict else (0, depth, 0)
        by_hand[k, inertia, Kind.STRICT_SADDLE if strict else Kind.SADDLE] += comb(depth, k)
    assert Counter(map(shape, found.components)) == by_hand


@pytest.mark.parametrize("depth", [3, 4])
def test_the_general_decomposition_has_the_same_pieces_of_chains(depth):
    """The decomposition cuts by signs of weights; the kinds and inertias that occur in each dimension are the same."""
    p = linear([1] * (depth + 1), [1], [1])
    cut, closed = critical_set(p, budget=Budget(20)), whole(p)
    assert cut.coverage.complete
    assert "closed form" not in cut.coverage.method
    low = {shape(c) for c in closed.components if c.value.as_fraction == 1}
    assert {shape(c) for c in cut.components if c.value.as_fraction == 1} == low


def maximal(found):
    """The strata that lie in the closure of no other one: within a value, types are ordered by their ranks."""
    keyed = [(c, [int(e.split(" = ")[1]) for e in c.equations]) for c in found.components]

    def below(x, y):
        return len(x) == len(y) and x != y and all(a <= b for a, b in zip(x, y, strict=True))

    return [
        c
        for c, ranks in keyed
        if not any(c.value.as_fraction == d.value.as_fraction and below(ranks, other) for d, other in keyed)
    ]


@pytest.mark.parametrize(
    ("widths", "dimensions"),
    [
        ([2, 1, 1, 2], {3: 1, 2: 2, 1: 1}),  # Singular 4.3, minAssGTZ of the gradient ideal over Q
        ([2, 2, 2, 2], {8: 1, 7: 6, 6: 1, 4: 3}),  # the same over Z/32003
    ],
    ids=str,
)
def test_irreducible_components_as_singular_finds_them(widths, dimensions):
    found = whole(diagonal(widths, [2, 1]))
    assert Counter(c.dimension for c in maximal(found)) == Counter(dimensions)


CASES = [
    ([2, 2, 2, 2], [2, 1]),
    ([2, 1, 1, 2], [2, 1]),
    ([3, 2, 2, 3], [3, 2, 1]),
    ([3, 2, 2, 2], [2, 1]),  # one input direction that no output needs
    ([2, 2, 3, 3], [2, 1]),  # one output that no input explains
    ([2, 3, 2], [2, 1]),
    ([1, 2, 2, 1], [1]),
    ([1, 1, 2, 2, 1], [1]),
    ([2, 2, 2, 2, 2], [2, 1]),
]


def drawn(widths, values, rng):
    """A random critical point: the set of directions, the ranks around the cycle, and the layers."""
    depth, q_all = len(widths) - 1, len(values)
    r = rng.randint(0, min(widths))
    used = sorted(rng.sample(range(q_all), r))
    left = [i for i in range(q_all) if i not in used]
    sizes = (len(left), *(w - r for w in widths[1:-1]))
    types = list(chains(sizes))
    changes = [unimodular(s, rng) for s in sizes]
    z = []
    for h, m in enumerate(rng.choice(types).matrices):
        m = [[F(x) for x in row] for row in m]
        target = (h + 1) % depth
        z.append(product([changes[h][1], m, changes[target][0]], sizes[h]) if m and sizes[h] else m)
    if r == min(widths):  # no condition on the rest
        z = [[[F(rng.randint(-1, 1)) for _ in row] for row in m] for m in z]
    layers = []
    for h, (cols, rows) in enumerate(pairwise(widths)):
        table = [[F(0)] * cols for _ in range(rows)]
        for k, i in enumerate(used):
            table[i if h == depth - 1 else k][i if h == 0 else k] = F(values[i]) if h == 0 else F(1)
        for i, row in enumerate(z[h]):
            for j, v in enumerate(row):
                # Sxy C = diag(values): G divides by them
                at = left[i] if h == depth - 1 else r + i, left[j] if h == 0 else r + j
                table[at[0]][at[1]] += v / values[left[j]] if h == 0 else v
        if h == 0:
            for j in range(q_all, cols):
                for i in range(r, rows):
                    table[i][j] = F(rng.randint(-1, 1))
        if h == depth - 1:
            for i in range(q_all, rows):
                for j in range(r, cols):
                    table[i][j] = F(rng.randint(-1, 1))
        layers.append(table)
    for h in range(1, depth):
        g, inverse = unimodular(widths[h], rng)
        layers[h - 1], layers[h] = times(g, layers[h - 1]), times(layers[h], inverse)
    return used, layers


def ranks_around(layers, values, widths):
    """The ranks of the products of fewer than H - 1 layers around the cycle, shorter ones first, and that of all layers."""
    depth = len(layers)
    sxy = [
        [F(values[i] * int(i == j)) if i < len(values) else F(0) for j in range(widths[-1])] for i in range(widths[0])
    ]
    out = [rank(product(layers, widths[0]))]
    for steps in range(1, depth - 1):
        for start in range(depth):
            chain = [sxy] if start == 0 else []
            for k in range(steps):
                h = (start + k) % depth
                if h == 0 and k:
                    chain.append(sxy)
                chain.append(layers[h])
            if (start + steps) % depth == 0:
                chain.append(sxy)
            out.append(rank(product(chain, len(chain[0][0]))))
    return out


@pytest.mark.parametrize(("widths", "values"), CASES, ids=lambda x: "-".join(map(str, x)))
def test_random_critical_points_are_on_the_list(widths, values):
    rng = random.Random(str(widths))
    p = diagonal(widths, values)
    found = critical_set(p, budget=Budget(60))
    assert found.coverage.complete
    if len(widths) > 3 and max(widths) > 1:
        assert found.coverage.method == "closed form for deep linear networks"
    closed = whole(p).components
    geometry = landscape(p)
    for _ in range(10):
        used, layers = drawn(widths, values, rng)
        local = geometry.at(Point.rational([v for w in layers for row in w for v in row]))
        assert local.is_critical
        value = sum(values[i] ** 2 for i in range(len(values)) if i not in used)
        assert local.value[0] == value
        listed = [c for c in closed if c.value.as_fraction == value]
        ranks = ranks_around(layers, values, widths)
        on = [c for c in listed if [int(e.split(" = ")[1]) for e in c.equations] == ranks[: len(c.equations)]]
        assert len(on) == 1
        assert on[0].inertia == local.inertia
        assert (on[0].kind is Kind.STRICT_SADDLE) == (local.inertia.negative > 0)
        assert on[0].is_global == (used == list(range(min(widths))))
        assert local.inertia.zero >= on[0].dimension


def tangent_dimension(chain):
    """The dimension of the set of a type, as the rank of (X_h) -> (X_(h+1) Z_h - Z_h X_h): the tangent vectors of base changes."""
    n, sizes = chain.nodes, chain.sizes
    rows = []
    for h in range(n):
        for i in range(sizes[h]):
            for j in range(sizes[h]):
                moved = []
                for k, z in enumerate(chain.matrices):  # X_h = E_ij
                    after = (k + 1) % n == h
                    for a in range(sizes[(k + 1) % n]):
                        for b in range(sizes[k]):
                            v = F(z[j][b]) if after and a == i else F(0)
                            moved.append(v - (F(z[a][i]) if k == h and b == j else F(0)))
                rows.append(moved)
    return rank(rows)


@pytest.mark.parametrize("sizes", [(1, 1, 1), (2, 2, 2), (2, 1, 3), (1, 2, 1, 2), (0, 2, 1), (3, 2)], ids=str)
def test_dimensions_of_types_are_ranks_of_tangent_vectors(sizes):
    for chain in chains(sizes):
        assert chain.dimension == tangent_dimension(chain)
        assert all(sum(1 for s, n in chain.strings if (h - s) % len(sizes) < n) == sizes[h] for h in range(len(sizes)))


def test_types_by_hand():
    # three spaces of dimension 1: one arrow or none; three of dimension 2: ranks with r_h + r_(h+1) <= 2: 0; 1 3x; 1,1 3x; 1,1,1; 2 3x
    assert len(list(chains((1, 1, 1)))) == 4
    assert len(list(chains((2, 2, 2)))) == 11
    # -x y: one eigenvalue of each sign; three arrows 0 in a cycle of three: no second-order part
    assert Chain((1, 1), ((0, 1), (1, 1))).curvature.negative == 1
    assert Chain((1, 1, 1), ((0, 1), (1, 1), (2, 1))).curvature.zero == 3


def test_equal_eigenvalues_inputs_on_a_plane_and_irrational_ones():
    """2-2-2-2 with the identity; inputs that span a plane of R^3; eigenvalues (3 +- sqrt 5)/2."""
    same = whole(diagonal([2, 2, 2, 2], [1, 1]))
    assert sorted({c.value.as_fraction for c in same.components}) == [0, 1, 2]  # 2 - r
    # r = 1: the 8-dimensional types of the distinct case lose one and win the circle of directions: 7 - 0 + 1
    assert max(c.dimension for c in same.components if c.value.as_fraction == 1) == 8
    plane = whole(linear([3, 1, 1, 1], [[1, 0, 0], [1, 0, 0]], [1, 3]))
    # F = (a - 1)^2 + (a - 3)^2 with a the product: 2 at best, 10 at a = 0; two entries of the first layer are free
    assert {(c.value.as_fraction, c.dimension) for c in plane.components if c.kind is Kind.MINIMUM} == {(2, 4)}
    assert {c.value.as_fraction for c in plane.components} == {2, 10}
    assert sorted(c.dimension for c in plane.components) == [2, 3, 3, 3, 4]
    golden = whole(linear([2, 1, 1, 2], [[1, 0], [0, 1]], [[1, 0], [1, 1]]))
    (least,) = (c for c in golden.components if c.is_global)
    assert (3 - 2 * least.value.lower) ** 2 >= 5 >= (3 - 2 * least.value.upper) ** 2  # (3 - sqrt 5)/2
    assert least.value.exact is not None


def test_two_of_three_conjugate_eigenvalues():
    """Y = [[1, 1, 0], [0, 1, 1], [0, 0, 1]] with an irreducible cubic: sets of one and of two eigenvectors have samples in Q(l)."""
    found = whole(linear([3, 2, 3], [[1, 0, 0], [0, 1, 0], [0, 0, 1]], [[1, 0, 0], [1, 1, 0], [0, 1, 1]]))
    assert len(found.components) == 1 + 3 + 3
    assert sum(c.is_global for c in found.components) == 1
    total = 5  # tr Y Y^T
    values = {len(s): 0.0 for s in combinations(range(3), 2)}
    values[1] = sum(total - c.value.approx for c in found.components if c.equations[0].endswith("= 1"))
    values[2] = sum(total - c.value.approx for c in found.components if c.equations[0].endswith("= 2"))
    assert values[1] == pytest.approx(5)  # the trace
    assert values[2] == pytest.approx(10)  # each eigenvalue twice


@pytest.mark.parametrize(
    ("p", "why"),
    [
        (linear([2, 2, 2, 2], [[1, 0], [0, 1]], [[1, 0], [0, 0]]), "2 positive eigenvalues"),
        (linear([1, 1, 1, 1], [0], [1]), "an input that is not 0"),
    ],
)
def test_assumptions_on_the_data_are_named(p, why):
    with pytest.raises(Unsupported, match=why):
        whole(p)


def test_the_refusal_reaches_the_coverage():
    found = critical_set(linear([2, 1, 1, 2], [[1, 0], [0, 1]], [[1, 0], [0, 0]]), budget=Budget(20))
    assert not found.coverage.complete
    assert "2 positive eigenvalues" in found.coverage.reason


def test_the_rank_of_a_product_is_meant_on_the_inputs_where_they_do_not_span():
    """One sample (1, 0) through 2-1-2 with the targets (1, 0): at W2 = 0, W1 = (0, 1) and even at W2 = (0, 1), W1 = (0, 1),
    whose product has rank 1, F = |W2 W1 x - y|^2 = 1 and the gradient is 2 (W2^T E x^T, E x^T W1^T) with E = -(1, 0), so 0."""
    found = whole(linear([2, 1, 2], [[1, 0]], [[1, 0]]))
    assert {c.equations[0] for c in found.components} == {"rank(W2...W1 Sxx) = 0", "rank(W2...W1 Sxx) = 1"}
    spanned = whole(linear([2, 1, 2], [[1, 0], [0, 1]], [[1, 0], [0, 2]]))
    assert {c.equations[0] for c in spanned.components} == {"rank(W2...W1) = 0", "rank(W2...W1) = 1"}
