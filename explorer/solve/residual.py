"""Ridge networks with one hidden layer of linear units: the gradient by the product of the weights as the unknown.

With W2 W1 = P, half the data term's gradient by P is G = P C - D (C, D: second moments of the data). A living unit with incoming
weights a and outgoing weights b is critical exactly when diag(lambda) a + G' b = 0 and G a + diag(mu) b = 0, that is when
v = (a, b) is in the kernel of the symmetric matrix N(G) = [[diag(lambda), G'], [G, diag(mu)]]. Where that kernel is a line,
adj N = k v v', so the units enter P as multiples t of the lower left block of adj N(G):

    det N_i(G) = 0 for every unit i,   (sum_i t_i (adj N_i)_21) C - G - D = 0.

The multipliers t_i have twice as many digits as G. Two units between two inputs and two outputs do without them: with b_i = (1, r_i),
a_i = -diag(lambda_i)^-1 G' b_i and S_i = diag(mu_i) - G diag(lambda_i)^-1 G' the equations are

    S_1 b_1 = 0,   S_2 b_2 = 0,   b_1^ P a_2^ = 0,   b_2^ P a_1^ = 0   with P = (G + D) C^-1 and (x, y)^ = (y, -x).

Where r_1 != r_2, P = b_1 c_1' + b_2 c_2' for exactly one pair c with c_1 = b_2^ P / (b_2^ b_1), and the last two equations say that c_i is a
multiple t_i of a_i. These are six unknowns instead of eight, too, but msolve needs a third fewer primes.

These are fewer unknowns than weights, and msolve needs half of the time. Points where a kernel is larger, or where the first entry of
b_i is 0, are missed, so the caller counts the solutions of the system in the weights modulo a prime. Why that is enough: where t_i and the first
entry of the vector v_i that spans the kernel differ from 0 (and r_1 from r_2), different solutions here give different solutions (U, m)
there: m is v_i divided by its first entry and tells r_i, all of them together tell P and G. The number there, with multiplicity, is therefore
at least the number here; if both are equal, every solution there comes from one here, is simple, and has U != 0. The number here is exact
as far as msolve's lifting is; the number there is that modulo a prime, which differs from the number over C for finitely many primes
only: strong evidence, no proof, as for every count by msolve.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import gcd, lcm
from typing import Any

import flint
from flint import nmod_poly

from explorer.algebra.balls import ball, bounds
from explorer.algebra.exactify import enclose_root, modular_values
from explorer.algebra.msolve import propose
from explorer.algebra.parametrization import PRIMES, Dimension, Parametrization, coprime
from explorer.algebra.roots import Interval
from explorer.algebra.solver import isolated_twice
from explorer.algebra.systems import PolynomialSystem
from explorer.budget import Deadline
from explorer.problem import DenseNetwork, Problem
from explorer.solve.polynomials import Poly, context, to_terms

LARGEST = 4  #: inputs and outputs together; beyond it the determinants are longer than what they replace
BITS = 400


@dataclass(frozen=True)
class Residual:
    """One of the systems above; ``columns``: for every unit ``size`` polynomials, x, y and the entries of a vector v that spans the kernel
    of N_i, with U = v_1 x / y. All of them are polynomials in the unknowns of ``system``."""

    system: PolynomialSystem
    columns: PolynomialSystem
    units: int
    size: int


def residual_system(problem: Problem, units: Sequence[int]) -> Residual | None:
    """The system for the hidden ``units`` as the living ones; None where it is not of use."""
    net, data, loss, ridge = problem.network, problem.data, problem.loss, problem.regularizer
    if not isinstance(net, DenseNetwork) or data is None or loss is None or ridge is None:
        return None
    if net.depth != 2 or net.activations[0].kind != "linear" or any(net.bias) or loss.kind != "squared":
        return None
    n, h, m = net.widths
    if n + m > LARGEST:
        return None
    rows = list(zip(data.inputs, data.targets, loss.weights, strict=True))
    c = [[sum((w * x[i] * x[j] for x, _, w in rows), Fraction(0)) for j in range(n)] for i in range(n)]
    d = [[sum((w * y[k] * x[j] for x, y, w in rows), Fraction(0)) for j in range(n)] for k in range(m)]
    # everything times one number: msolve's time grows with the integers
    used = [*ridge.weights, *(v for row in (*c, *d) for v in row if v)]
    scale = Fraction(lcm(*(v.denominator for v in used)), gcd(*(v.numerator for v in used)))
    into = [[scale * ridge.weights[u * n + j] for j in range(n)] for u in units]
    out = [[scale * ridge.weights[h * n + k * h + u] for k in range(m)] for u in units]
    moments = _Moments([[scale * v for v in row] for row in c], [[scale * v for v in row] for row in d], into, out)
    two = n == m == len(units) == 2 and c[0][0] * c[1][1] != c[0][1] * c[1][0]
    return _by_directions(moments) if two else _by_multipliers(moments)


@dataclass(frozen=True)
class _Moments:
    """C, D and every living unit's ridge weights, incoming (lambda) and outgoing (mu), all times one number."""

    c: list[list[Fraction]]
    d: list[list[Fraction]]
    into: list[list[Fraction]]
    out: list[list[Fraction]]


def _by_multipliers(given: _Moments) -> Residual:
    """The unknowns are t_i and G, row by row; v is the first column of adj N_i."""
    m, n, units = len(given.d), len(given.c), len(given.into)
    names = (*(f"t{u}" for u in range(units)), *(f"g{k}_{j}" for k in range(m) for j in range(n)))
    ring = context(names)
    t, g = ring.gens()[:units], [ring.gens()[units + k * n :][:n] for k in range(m)]
    equations, columns = [], []
    total = [[ring.constant(0)] * n for _ in range(m)]
    for into, out, multiple in zip(given.into, given.out, t, strict=True):
        matrix = [[ring.constant(0)] * (n + m) for _ in range(n + m)]
        for i, weight in enumerate([*into, *out]):
            matrix[i][i] = _constant(ring, weight)
        for k, j in product(range(m), range(n)):
            matrix[n + k][j] = matrix[j][n + k] = g[k][j]
        adjugate = [[_cofactor(matrix, i, j, ring) for j in range(n)] for i in range(n + m)]
        equations.append(sum((matrix[i][0] * adjugate[i][0] for i in range(n + m)), ring.constant(0)))
        columns += [multiple, ring.constant(1), *(row[0] for row in adjugate)]
        for k, j in product(range(m), range(n)):
            total[k][j] = total[k][j] + multiple * adjugate[n + k][j]
    for k, j in product(range(m), range(n)):
        image = sum((total[k][i] * _constant(ring, given.c[i][j]) for i in range(n)), ring.constant(0))
        equations.append(image - g[k][j] - _constant(ring, given.d[k][j]))
    system, vectors = (PolynomialSystem.of(names, [to_terms(p) for p in ps]) for ps in (equations, columns))
    return Residual(system, vectors, units, n + m + 2)


def _by_directions(given: _Moments) -> Residual:
    """The unknowns are G, column by column, and r_1, r_2; two inputs, outputs and units, C invertible."""
    names = ("g0_0", "g1_0", "g0_1", "g1_1", "r0", "r1")
    ring = context(names)
    g00, g10, g01, g11, *r = ring.gens()
    g, one = [[g00, g01], [g10, g11]], ring.constant(1)
    (c00, c01), (_, c11) = given.c
    det = c00 * c11 - c01 * c01
    inverse = [[c11, -c01], [-c01, c00]]  # times det
    moved = [[g[k][j] + _constant(ring, given.d[k][j]) for j in range(2)] for k in range(2)]
    p = [
        [sum((moved[k][i] * _constant(ring, inverse[i][j]) for i in range(2)), one * 0) for j in range(2)]
        for k in range(2)
    ]
    equations, a = [], []
    for (l0, l1), mu, ratio in zip(given.into, given.out, r, strict=True):
        image = [g[0][j] + g[1][j] * ratio for j in range(2)]  # G' b
        a.append([_constant(ring, -1 / weight) * x for weight, x in zip((l0, l1), image, strict=True)])
        b, other = (one, ratio), (_constant(ring, l1), _constant(ring, l0))
        for k in range(2):  # the row of S_i b_i times l0 l1
            pulled = sum((g[k][j] * other[j] * image[j] for j in range(2)), one * 0)
            equations.append(_constant(ring, l0 * l1 * mu[k]) * b[k] - pulled)
    turned = [[r[u] * p[0][j] - p[1][j] for j in range(2)] for u in range(2)]  # b_u^ P det
    equations += [turned[u][0] * a[1 - u][1] - turned[u][1] * a[1 - u][0] for u in range(2)]
    columns = []
    for u in range(2):
        below = _constant(ring, det) * (r[1 - u] - r[u])
        # t = x' / (y v_1) by the first entry of c = t a, and U = t v_1^2
        columns += [turned[1 - u][0], below, *a[u], one, r[u]]
    system, vectors = (PolynomialSystem.of(names, [to_terms(e) for e in ps]) for ps in (equations, columns))
    return Residual(system, vectors, 2, 6)


def _constant(ring: Any, value: Fraction | int) -> Poly:
    value = Fraction(value)
    return ring.constant(flint.fmpq(value.numerator, value.denominator))


def _cofactor(matrix: Sequence[Sequence[Poly]], i: int, j: int, ring: Any) -> Poly:
    minor = [[x for b, x in enumerate(row) if b != j] for a, row in enumerate(matrix) if a != i]
    return _determinant(minor, ring) * (-1) ** (i + j)


def _determinant(matrix: Sequence[Sequence[Poly]], ring: Any) -> Poly:
    if not matrix:
        return ring.constant(1)
    total = ring.constant(0)
    for j, entry in enumerate(matrix[0]):
        if entry != 0:
            total = total + (-1) ** j * entry * _determinant([[*row[:j], *row[j + 1 :]] for row in matrix[1:]], ring)
    return total


def real_points(
    r: Residual, count: int, binary: str, deadline: Deadline, notes: list[str], *, bits: int
) -> list[list[list[Interval]]] | None:
    """For every real solution and every unit: enclosures of U = (first incoming weight)^2 and of the other weights divided by the first one,
    incoming before outgoing, of width 2^-bits. None unless there are exactly ``count`` complex solutions, all of them with x, y and the
    first entry of v different from 0 for every unit: then each of them is another solution of the system in the weights, and
    all of that system's if it has ``count``.
    """
    proposal = propose(r.system, binary, deadline, expected=count)
    found = proposal.parametrization
    if proposal.dimension is not Dimension.FINITE or proposal.reason or found is None:
        return None
    w = found.eliminating
    if not proposal.multiplicity == w.degree() == count or not coprime(found.denominator, w):
        return None
    if not _holds_modulo_a_prime(r, found):
        return None
    intervals, agree = isolated_twice(w, deadline, notes)
    if not agree:
        return None
    points = []
    for interval in intervals:
        deadline.check("lifting solutions without signs")
        near = enclose_root(found, w, interval, bits=bits + 64)
        point = None if near is None else _weights(r, near)
        if point is None or any(b - a > Fraction(1, 2**bits) for row in point for a, b in row):
            return None
        points.append(point)
    return points


def _holds_modulo_a_prime(r: Residual, found: Parametrization) -> bool:
    """Whether x, y and the first entry of v are prime to the eliminating polynomial for every unit, which a prime proves where it shows it (False may
    be only bad luck), and whether all parametrised points, not only the real ones, solve the system modulo that prime, which is none of msolve's.
    """
    nonzero = [p for k in range(3) for p in r.columns.equations[k :: r.size]]
    chosen = PolynomialSystem(r.columns.names, (*nonzero, *r.system.equations))
    for prime in PRIMES:
        values = modular_values(chosen, found, prime)
        if values is not None:
            w = nmod_poly(found.eliminating, prime)
            units, zero = values[: len(nonzero)], values[len(nonzero) :]
            return all(v.gcd(w).degree() == 0 for v in units) and not any(v.degree() >= 0 for v in zero)
    return False


def _weights(r: Residual, near: Sequence[Interval]) -> list[list[Interval]] | None:
    with flint.ctx.workprec(BITS):
        columns = r.columns.at_balls([ball(*x) for x in near])
        out = []
        for i in range(r.units):
            x, y, first, *rest = columns[i * r.size : (i + 1) * r.size]
            values = [first * x / y, *(v / first for v in rest)]
            if not all(v.is_finite() for v in values):
                return None
            out.append([bounds(v) for v in values])
    return out
