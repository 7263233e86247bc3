"""Consequences of grad F = 0 that are sharp on large boxes, and what they say about single parameters.

Dense network, linear output, squared loss, l2 ridge or none, smooth units. With delta_lij = dL/dz_lij for the loss L without the ridge (unit j of layer l, sample i)
and s_lij = sum_o W_oj delta_(l+1)io, so delta = phi'(z) s, a critical point satisfies for every hidden unit

1. sum_i delta_lij a_ik + 2 lambda_k theta_k = 0 for every incoming parameter theta_k (a: the incoming signals, 1 for a bias): the gradient itself;
2. in the first layer, where the signals a_i are numbers, sum_i (n . a_i) delta_ij + 2 sum_k n_k lambda_k theta_k = 0 for every n. With n orthogonal to all a_i this is a linear
   equation for the incoming parameters alone (they lie in a space of at most as many dimensions as there are samples: the representer theorem); with n orthogonal to all but
   some samples, it says what these samples do. Both cancellations are exact here and no enclosure of single components shows them;
3. Euler's identity over the last layer, sum c (f - y/2)^2 + sum lambda theta^2 = sum c y^2 / 4; so |f_i - y_i/2| <= |y| / (2 sqrt c_i), which is used in all the others (`Node` clip);
4. sum_i s_lij (z phi'(z) - phi(z)) + 2 sum_in lambda theta^2 - 2 sum_out lambda W^2 = 0 (theta . F_theta over what comes in less that over what goes out): far out, where
   units are nearly homogeneous, z phi' - phi is small, and the weights of a unit balance.

An equation rest + c theta_k^p = 0 (p = 1, 2; c a positive or negative number) bounds theta_k over a box by the enclosure of the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, islice

import numpy as np
from flint import fmpq_mat

from explorer.algebra.balls import to_fmpq, to_fraction
from explorer.model import activations
from explorer.model.jets import Where
from explorer.problem import DenseNetwork, Problem
from explorer.solve.boxes import arrays as ia
from explorer.solve.boxes.arrays import Array, Range
from explorer.solve.boxes.tape import Form, Run, Tape, Writer
from explorer.solve.radius import root_above, starts

MOST = 12  #: combinations of samples for each unit
Vector = tuple[Fraction, ...]


@dataclass(frozen=True)
class Equation:
    """The value of ``rest`` plus ``factor`` theta_k^power is 0; a test of the rest alone where k is None."""

    rest: int
    k: int | None = None
    factor: Range | None = None
    power: int = 1


def with_equations(problem: Problem) -> tuple[Tape, tuple[Equation, ...]]:
    """The program of the problem with the rests of its equations in the first part; none where the problem is of another kind."""
    net, loss, ridge, data = problem.network, problem.loss, problem.regularizer, problem.data
    if not isinstance(net, DenseNetwork) or net.depth < 2 or net.output.kind != "linear" or data is None:
        return Tape.of(problem), ()
    if loss is None or loss.kind != "squared" or (ridge is not None and ridge.kind != "l2"):
        return Tape.of(problem), ()
    if any(activations.pieces_of(a) is not None for a in net.activations):
        return Tape.of(problem), ()
    found: list[Equation] = []

    def further(writer: Writer) -> set[int]:
        found.extend(_Author(problem, net, writer).equations())
        return {e.rest for e in found}

    return Tape.of(problem, further), tuple(found)


def solved(equations: Sequence[Equation], run: Run, lo: Array, hi: Array) -> tuple[Array, Array, Array]:
    """The boxes over which the rests were computed, narrower, with the same critical points, and which hold none."""
    low, high = lo.copy(), hi.copy()
    empty = np.zeros(lo.shape[1], dtype=bool)
    for e in equations:
        rest = run.values[e.rest]
        if e.k is None or e.factor is None:
            empty |= (rest[0] > 0) | (rest[1] < 0)
            continue
        found = ia.mul(Range(-rest[1], -rest[0]), e.factor)
        if e.power == 2:  # |theta| <= top, and >= bottom on the side where the box lies
            top = np.sqrt(np.maximum(found.hi, 0)) * (1 + ia.UNIT) + ia.TINY
            bottom = np.sqrt(np.maximum(found.lo, 0)) * (1 - ia.UNIT)
            empty |= found.hi < 0
            found = Range(np.where(lo[e.k] > -bottom, bottom, -top), np.where(hi[e.k] < bottom, -bottom, top))
        np.fmax(low[e.k], found.lo, out=low[e.k])
        np.fmin(high[e.k], found.hi, out=high[e.k])
    empty |= (low > high).any(axis=0)
    return np.where(empty, lo, low), np.where(empty, hi, high), empty


class _Author:
    """Writes the equations down as forms."""

    def __init__(self, problem: Problem, net: DenseNetwork, ring: Writer) -> None:
        self.problem, self.net, self.ring = problem, net, ring
        self.first = starts(net)
        ridge = problem.regularizer
        self.ridge = ridge.weights if ridge is not None else (Fraction(0),) * net.parameter_count
        self.parameters = [self.ring.parameter(k) for k in range(net.parameter_count)]

    def place(self, layer: int, row: int, column: int) -> int:
        """The number of a weight, layers from 0; the bias of a row has the column after the last."""
        cols, rows = self.net.widths[layer], self.net.widths[layer + 1]
        return self.first[layer] + (row * cols + column if column < cols else rows * cols + row)

    def incoming(self, layer: int, unit: int) -> list[int]:
        count = self.net.widths[layer] + bool(self.net.bias[layer])
        return [self.place(layer, unit, k) for k in range(count)]

    def equations(self) -> Iterator[Equation]:
        net, data, loss, ring = self.net, self.problem.data, self.problem.loss, self.ring
        assert data is not None
        assert loss is not None
        one = ring.constant(Fraction(1))
        signals: list[list[list[Form]]] = []  # layer, sample, signal (with a 1 for the bias)
        z: list[list[list[Form]]] = []
        slopes: list[list[list[Form]]] = []
        level = [[ring.constant(v) for v in x] for x in data.inputs]
        for layer in range(net.depth):
            level = [row + [one] * bool(net.bias[layer]) for row in level]
            signals.append(level)
            z.append([[self._dot(self.incoming(layer, j), row) for j in range(net.widths[layer + 1])] for row in level])
            if layer + 1 < net.depth:
                act = net.activations[layer]
                jets = [[ring.derivatives(act, v, 1, Where("")) for v in row] for row in z[layer]]
                level, now = [[j[0] for j in row] for row in jets], [[j[1] for j in row] for row in jets]
                slopes.append(now)
        energy = sum((c * t * t for c, y in zip(loss.weights, data.targets, strict=True) for t in y), Fraction(0)) / 4
        delta, squares, positive = [], [], all(c > 0 for c in loss.weights)
        for row, y, c in zip(z[-1], data.targets, loss.weights, strict=True):
            middles = [ring.total([f, ring.constant(-t / 2)]) for f, t in zip(row, y, strict=True)]
            squares += [ring.scale(ring.mul(h, h), c) for h in middles]
            if positive:
                middles = [ring.clip(h, root_above(energy / c, 2)) for h in middles]
            delta.append(
                [ring.scale(ring.total([h, ring.constant(-t / 2)]), 2 * c) for h, t in zip(middles, y, strict=True)]
            )
        if positive:
            last = range(self.first[-2], self.first[-1])
            yield from self._quadratic([*squares, ring.constant(-energy)], [(k, self.ridge[k]) for k in last])
        for layer in range(net.depth - 2, -1, -1):
            units, above = net.widths[layer + 1], net.widths[layer + 2]
            out = [[self.place(layer + 1, o, j) for o in range(above)] for j in range(units)]
            s = [[self._dot(out[j], row) for j in range(units)] for row in delta]
            delta = [
                [ring.mul(a, b) for a, b in zip(*rows, strict=True)] for rows in zip(slopes[layer], s, strict=True)
            ]
            for j in range(units):
                yield from self._unit(layer, j, [row[j] for row in delta], signals[layer])
                yield from self._balance(layer, j, [row[j] for row in s], [row[j] for row in z[layer]], out[j])

    def _dot(self, places: Sequence[int], row: Sequence[Form]) -> Form:
        return self.ring.total([self.ring.mul(self.parameters[k], v) for k, v in zip(places, row, strict=True)])

    def _unit(
        self, layer: int, unit: int, delta: Sequence[Form], signals: Sequence[Sequence[Form]]
    ) -> Iterator[Equation]:
        ring, into = self.ring, self.incoming(layer, unit)
        for column, k in enumerate(into):
            data = ring.total([ring.mul(d, row[column]) for d, row in zip(delta, signals, strict=True)])
            yield from self._solved(data, [(k, 2 * self.ridge[k])])
        if layer or len(into) < 2:
            return
        rows = [tuple(v.constant for v in row) for row in signals]
        for n in combined(rows, len(into)):
            shares = [sum((a * b for a, b in zip(n, row, strict=True)), Fraction(0)) for row in rows]
            data = ring.total([ring.scale(d, c) for d, c in zip(delta, shares, strict=True)])
            yield from self._solved(data, [(k, 2 * self.ridge[k] * c) for k, c in zip(into, n, strict=True)])

    def _solved(self, data: Form, linear: Sequence[tuple[int, Fraction]]) -> Iterator[Equation]:
        """The equation data + sum c theta_k = 0, for every k with c != 0."""
        linear = [(k, c) for k, c in linear if c]
        if not linear:
            yield Equation(self.ring.written(data))
        for k, c in linear:
            others = [self.ring.scale(self.parameters[m], a) for m, a in linear if m != k]
            yield Equation(self.ring.written(self.ring.total([data, *others])), k, Range.of(1 / c))

    def _balance(
        self, layer: int, unit: int, s: Sequence[Form], z: Sequence[Form], out: Sequence[int]
    ) -> Iterator[Equation]:
        ring, into = self.ring, self.incoming(layer, unit)
        act = self.net.activations[layer]
        data = [ring.mul(a, ring.balance(act, v)) for a, v in zip(s, z, strict=True)]
        yield from self._quadratic(
            data, [(k, 2 * self.ridge[k]) for k in into] + [(k, -2 * self.ridge[k]) for k in out]
        )

    def _quadratic(self, data: Sequence[Form], squares: Sequence[tuple[int, Fraction]]) -> Iterator[Equation]:
        """The equation data + sum c theta_k^2 = 0, for every k with c != 0."""
        ring, squares = self.ring, [(k, c) for k, c in squares if c]
        if not squares:
            yield Equation(ring.written(ring.total(data)))
        terms = {k: ring.scale(ring.mul(self.parameters[k], self.parameters[k]), c) for k, c in squares}
        for k, c in squares:
            rest = ring.total([*data, *(t for m, t in terms.items() if m != k)])
            yield Equation(ring.written(rest), k, Range.of(1 / c), 2)


def combined(rows: Sequence[Vector], size: int) -> Iterator[Vector]:
    """Vectors n orthogonal to all rows, a basis of them; and such that n is orthogonal to these and to as many rows as possible, but not to all."""
    kernel = nullspace(rows, size)
    yield from kernel
    rank = size - len(kernel)
    seen: set[Vector] = set()
    for chosen in islice(combinations(rows, rank - 1), 4 * MOST) if rank else ():
        found = nullspace([*chosen, *kernel], size)
        if len(found) == 1 and found[0] not in seen and len(seen) < MOST:
            seen.add(found[0])
            yield found[0]


def nullspace(rows: Sequence[Vector], size: int) -> list[Vector]:
    """A basis of the vectors that are orthogonal to all rows."""
    if not rows:
        return [tuple(Fraction(int(i == j)) for j in range(size)) for i in range(size)]
    reduced, rank = fmpq_mat(len(rows), size, [to_fmpq(v) for row in rows for v in row]).rref()
    pivots = [next(j for j in range(size) if reduced[i, j] != 0) for i in range(rank)]
    out = []
    for free in (j for j in range(size) if j not in pivots):
        n = [Fraction(int(j == free)) for j in range(size)]
        for i, p in enumerate(pivots):
            n[p] = -to_fraction(reduced[i, free])
        out.append(tuple(n))
    return out
