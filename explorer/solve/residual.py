"""Ridge networks with one hidden layer of linear units: the gradient by the product of the weights as the unknown.

With W2 W1 = P, half the data term's gradient by P is G = P C - D (C, D: second moments of the data). A living unit with incoming
weights a and outgoing weights b is critical exactly when diag(lambda) a + G' b = 0 and G a + diag(mu) b = 0, that is when
v = (a, b) is in the kernel of the symmetric matrix N(G) = [[diag(lambda), G'], [G, diag(mu)]]. Where that kernel is a line,
adj N = k v v', so the units enter P as multiples t of the lower left block of adj N(G):

    det N_i(G) = 0 for every unit i,   (sum_i t_i (adj N_i)_21) C - G - D = 0.

These are fewer unknowns than weights, and msolve needs about two thirds of the time. Points where a kernel is larger are missed, so
the caller counts the solutions of the system in the weights modulo a prime. Why that is enough: where all t_i and (adj N_i)_11 differ
from 0, adj N_i has rank 1 and its first column spans the kernel, so different solutions here give different solutions (U, m)
there. The number there, with multiplicity, is therefore at least the number here; if both are equal, every solution there comes from one
here, is simple, and has U != 0. The number here is exact as far as msolve's lifting is; the number there is that modulo a prime,
which differs from the number over C for finitely many primes only: strong evidence, no proof, as for every count by msolve.
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
    """The system above in t_i and G (row by row); ``columns``: for every unit the first column of adj N_i, ``size`` entries."""

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
    names = (*(f"t{u}" for u in units), *(f"g{k}_{j}" for k in range(m) for j in range(n)))
    ring = context(names)
    t, g = ring.gens()[: len(units)], [ring.gens()[len(units) + k * n :][:n] for k in range(m)]
    equations, columns = [], []
    total = [[ring.constant(0)] * n for _ in range(m)]
    for unit, multiple in zip(units, t, strict=True):
        into = [scale * ridge.weights[unit * n + j] for j in range(n)]
        out = [scale * ridge.weights[h * n + k * h + unit] for k in range(m)]
        matrix = [[ring.constant(0)] * (n + m) for _ in range(n + m)]
        for i, weight in enumerate([*into, *out]):
            matrix[i][i] = _constant(ring, weight)
        for k, j in product(range(m), range(n)):
            matrix[n + k][j] = matrix[j][n + k] = g[k][j]
        adjugate = [[_cofactor(matrix, i, j, ring) for j in range(n)] for i in range(n + m)]
        equations.append(sum((matrix[i][0] * adjugate[i][0] for i in range(n + m)), ring.constant(0)))
        columns += [row[0] for row in adjugate]
        for k, j in product(range(m), range(n)):
            total[k][j] = total[k][j] + multiple * adjugate[n + k][j]
    for k, j in product(range(m), range(n)):
        image = sum((total[k][i] * _constant(ring, scale * c[i][j]) for i in range(n)), ring.constant(0))
        equations.append(image - g[k][j] - _constant(ring, scale * d[k][j]))
    system, first = (PolynomialSystem.of(names, [to_terms(p) for p in ps]) for ps in (equations, columns))
    return Residual(system, first, len(units), n + m)


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
    incoming before outgoing, of width 2^-bits. None unless there are exactly ``count`` complex solutions, all of them with all
    t_i and first entries of the columns different from 0: then each of them is another solution of the system in the weights, and
    all of that system's if it has ``count``.
    """
    proposal = propose(r.system, binary, deadline, expected=count)
    found = proposal.parametrization
    if proposal.dimension is not Dimension.FINITE or proposal.reason or found is None:
        return None
    w = found.eliminating
    if not proposal.multiplicity == w.degree() == count or not coprime(found.denominator, w):
        return None
    if not all(coprime(found.numerators[k], w) for k in range(r.units)) or not _holds_modulo_a_prime(r, found):
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
    """Whether the first entry of every column is prime to the eliminating polynomial, which a prime proves where it shows it (False may
    be only bad luck), and whether all parametrised points, not only the real ones, solve the system modulo that prime, which is none of msolve's.
    """
    chosen = PolynomialSystem(r.columns.names, (*r.columns.equations[:: r.size], *r.system.equations))
    for prime in PRIMES:
        values = modular_values(chosen, found, prime)
        if values is not None:
            w = nmod_poly(found.eliminating, prime)
            first, zero = values[: r.units], values[r.units :]
            return all(v.gcd(w).degree() == 0 for v in first) and not any(v.degree() >= 0 for v in zero)
    return False


def _weights(r: Residual, near: Sequence[Interval]) -> list[list[Interval]] | None:
    with flint.ctx.workprec(BITS):
        box = [ball(*x) for x in near]
        columns = r.columns.at_balls(box)
        out = []
        for i in range(r.units):
            first, *rest = columns[i * r.size : (i + 1) * r.size]
            values = [box[i] * first, *(x / first for x in rest)]
            if not all(x.is_finite() for x in values):
                return None
            out.append([bounds(x) for x in values])
    return out
