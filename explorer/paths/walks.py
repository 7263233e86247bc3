"""Walks in a one-hidden-layer network that never raise the loss: shift output weights, move silent units, then go straight.

Three moves (after Venturi, Bandeira, Bruna, JMLR 2019, and Nguyen, ICML 2019, in exact form):
*shift*: if the features of unit j are a combination of those of other units, its output weight moves to these and no output
changes; *move*: a unit whose output weights are 0 may take any hidden parameters, no output changes; *line*: with the hidden
layer at rest the squared loss is convex in the output weights, so on a straight line it stays below its larger end, and it
falls all the way to a least-squares solution.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from math import lcm

from explorer.budget import Deadline
from explorer.model.activations import pieces_of
from explorer.paths.curves import Leg, PiecewisePath, line
from explorer.paths.features import Layer, Row, columns, least_squares
from explorer.point import Element, Ln2Ring

SHIFT = "constant: the output weights of dependent units move to the others"
MOVE = "constant: units with output weight 0 change their hidden parameters"
LINE = "straight in the output weights, where the loss is convex"
MAX_CANDIDATES = 4_000


@dataclass(frozen=True)
class Walk:
    """Legs walked so far and the layer now reached."""

    here: Layer
    legs: tuple[Leg, ...] = ()

    def to(self, there: Layer, because: str) -> Walk:
        """Straight on to ``there`` (nothing if that is here)."""
        if there == self.here:
            return self
        piece = line(self.here.point().coordinates, there.point().coordinates, there.field)
        return Walk(there, (*self.legs, Leg(piece, because)))

    def path(self, start: Layer, level: Fraction | None = None) -> PiecewisePath:
        return PiecewisePath(start.point(), self.here.point(), self.legs, level)


def concentrated(layer: Layer, prefer: Sequence[int] = ()) -> tuple[Layer, list[int]]:
    """The same outputs with all output weight on a basis of the units' features; the basis (units only)."""
    rows = _rows(layer)
    m, order = layer.units, [*prefer, *(j for j in range(layer.units) if j not in prefer)]
    basis, found = columns(rows, order=[*range(m, len(rows)), *order])
    outputs, biases = [list(row) for row in layer.outputs], list(layer.biases)
    for j in set(range(m)) - set(basis):
        for k, row in enumerate(outputs):
            weight, row[j] = row[j], Fraction(0)
            for s, c in zip(basis, found[j], strict=True):
                if s == m:
                    biases[k] += weight * c
                else:
                    row[s] += weight * c
    there = replace(layer, outputs=tuple(map(tuple, outputs)), biases=tuple(biases))
    return there, [s for s in basis if s < m]


def enriched(layer: Layer, basis: Sequence[int], deadline: Deadline) -> tuple[Layer, list[int]]:
    """Silent units moved to hidden parameters that raise the rank of the features, until it is n or no unit is left."""
    assert layer.problem.data is not None
    n, used = len(layer.problem.data), list(basis)
    free = [j for j in range(layer.units) if j not in used]
    rows = [r for r in (layer.features(layer.hidden[j]) for j in used) if r is not None] + _ones(layer)
    for parameters in candidates(layer):
        deadline.check("looking for features")
        if not free or len(rows) == n:
            break
        row = layer.features(parameters)
        if row is None or len(columns([*rows, row], order=range(len(rows) + 1))[0]) == len(rows):
            continue
        layer, rows = layer.with_unit(free[0], parameters), [*rows, row]
        used.append(free.pop(0))
    return layer, used


def solved(layer: Layer, basis: Sequence[int]) -> Layer:
    """The least-squares output weights on the units of ``basis`` (and the output bias); all others stay silent."""
    assert layer.problem.data is not None
    assert layer.problem.loss is not None
    rows, targets, weights = _rows(layer), layer.problem.data.targets, layer.problem.loss.weights
    where = [*basis, *range(layer.units, len(rows))]
    outputs, biases = [[Fraction(0)] * layer.units for _ in layer.outputs], list(layer.biases)
    for k, row in enumerate(outputs):
        found = least_squares([rows[j] for j in where], tuple(y[k] for y in targets), weights)
        for j, v in zip(where, found, strict=True):
            if j == layer.units:
                biases[k] = v
            else:
                row[j] = v
    return replace(layer, outputs=tuple(map(tuple, outputs)), biases=tuple(biases))


def candidates(layer: Layer) -> Iterator[tuple[Element, ...]]:
    """Hidden parameters to try, the smallest first: multiples of ln 2 where only these are exact, else small rationals."""
    data, net = layer.problem.data, layer.network
    assert data is not None
    scales = [lcm(*(row[c].denominator for row in data.inputs)) for c in range(net.widths[0])]
    scales += [1] * (len(layer.hidden[0]) - net.widths[0])
    in_ln2 = pieces_of(net.activations[0]) is None and isinstance(layer.field, Ln2Ring)
    reach = len(data) + 3 if len(scales) == 1 else 3
    steps = sorted(range(-reach, reach + 1), key=lambda v: (abs(v), v < 0))
    shapes = sorted(product(steps, repeat=len(scales)), key=lambda s: sum(map(abs, s))) if len(scales) <= 4 else _axes(steps, len(scales))  # fmt: skip
    for shape in list(shapes)[:MAX_CANDIDATES]:
        values = [Fraction(v * s) for v, s in zip(shape, scales, strict=True)]
        yield tuple((Fraction(0), v) if in_ln2 and v else (v,) for v in values)
    if not in_ln2:
        for shape in list(product((-1, 1), repeat=net.widths[0]))[:64]:  # kinks between the samples, with biases
            for x in data.inputs if net.bias[0] else ():
                z = sum((s * v for s, v in zip(shape, x, strict=True)), Fraction(0))
                yield (*((Fraction(s),) for s in shape), (-z,))


def _axes(steps: Sequence[int], size: int) -> list[tuple[int, ...]]:
    """Vectors with at most two nonzero entries."""
    out = {(0,) * size}
    for i, j in product(range(size), repeat=2):
        for a, b in product(steps, repeat=2):
            v = [0] * size
            v[i], v[j] = a, b
            out.add(tuple(v))
    return sorted(out, key=lambda s: (sum(map(abs, s)), s))


def _rows(layer: Layer) -> list[Row]:
    return [*layer.table(), *_ones(layer)]


def _ones(layer: Layer) -> list[Row]:
    """The feature that an output bias adds."""
    assert layer.problem.data is not None
    return [(Fraction(1),) * len(layer.problem.data)] if layer.biases else []


def silent(layer: Layer, units: Iterable[int]) -> bool:
    """Whether all ``units`` have output weight 0."""
    return all(row[j] == 0 for j in units for row in layer.outputs)
