"""Dead, silent and duplicated units. *Dead*: inactive for every input in the unit cube; *silent*: for every input of the data.

Inactive means: the pre-activation lies strictly inside a piece of the activation that is 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from explorer.canonical.cells import rational_coordinates
from explorer.errors import Unsupported
from explorer.model import activations
from explorer.model.pieces import Pieces, value
from explorer.point import AnyPoint
from explorer.problem import DenseNetwork, Problem

Unit = tuple[int, int]  # layer and unit, from 1
Bounds = tuple[Fraction, Fraction]


def _network(problem: Problem) -> DenseNetwork:
    if not isinstance(problem.network, DenseNetwork):
        raise Unsupported("network", expected="a dense network", got="a polynomial loss")
    return problem.network


def _weights(problem: Problem, point: AnyPoint) -> list[tuple[list[list[Fraction]], list[Fraction]]]:
    """(weight rows, biases) per layer."""
    net, theta, at, out = _network(problem), rational_coordinates(point), 0, []
    for layer, (cols, rows) in enumerate(zip(net.widths, net.widths[1:], strict=False)):
        matrix = [list(theta[at + i * cols : at + (i + 1) * cols]) for i in range(rows)]
        at += rows * cols
        shift = list(theta[at : at + rows]) if net.bias[layer] else [Fraction(0)] * rows
        at += rows if net.bias[layer] else 0
        out.append((matrix, shift))
    return out


def _pieces(net: DenseNetwork, layer: int) -> Pieces:
    found = activations.pieces_of(net.activations[layer])
    if found is None:
        raise Unsupported("activation", expected="a piecewise polynomial one", got=net.activations[layer].kind)
    return found


def _strictly_zero(p: Pieces, bounds: Bounds) -> bool:
    """Whether the interval lies strictly inside one piece, and that piece is 0."""
    low, high = bounds
    if any(low <= b <= high for b in p.breaks):
        return False
    return not any(p.polynomials[p.index(low)[0]])


def _range(p: Pieces, bounds: Bounds) -> Bounds:
    """Bounds of phi over an interval, from its monotone increasing form; `Unsupported` for other activations."""
    if not p.nondecreasing:
        raise Unsupported("activation", expected="a nondecreasing one in front of deeper layers", got="another")
    return tuple(value(p.polynomials[p.index(z)[0]], z) for z in bounds)  # type: ignore[return-value]


def _inactive(problem: Problem, point: AnyPoint, inputs: Sequence[Bounds]) -> set[Unit]:
    net, signal, out = _network(problem), list(inputs), set()
    for layer, (matrix, shift) in enumerate(_weights(problem, point)[:-1]):
        p = _pieces(net, layer)
        ranges = []
        for j, (row, b) in enumerate(zip(matrix, shift, strict=True)):
            ends = [sorted((w * lo, w * hi)) for w, (lo, hi) in zip(row, signal, strict=True)]
            bounds = (b + sum(e[0] for e in ends), b + sum(e[1] for e in ends))
            ranges.append(bounds)
            if _strictly_zero(p, bounds):
                out.add((layer + 1, j + 1))
        if layer + 1 < len(net.activations):
            signal = [_range(p, r) for r in ranges]
    return out


def dead_units(problem: Problem, point: AnyPoint) -> tuple[Unit, ...]:
    """Hidden units that interval bounds show to be inactive on the whole unit cube (exact in the first layer)."""
    cube = [(Fraction(0), Fraction(1))] * _network(problem).widths[0]
    return tuple(sorted(_inactive(problem, point, cube)))


def silent_units(problem: Problem, point: AnyPoint) -> tuple[Unit, ...]:
    """Hidden units that are inactive at every input of the data."""
    assert problem.data is not None
    each = [_inactive(problem, point, [(v, v) for v in x]) for x in problem.data.inputs]
    return tuple(sorted(set.intersection(*each)))


def active_units(problem: Problem, point: AnyPoint) -> tuple[Unit, ...]:
    """Hidden units that are active at some input of the data (strictly inside a piece that is not 0)."""
    net = _network(problem)
    assert problem.data is not None
    found = set()
    for x in problem.data.inputs:
        signal = list(x)
        for layer, (matrix, shift) in enumerate(_weights(problem, point)[:-1]):
            p = _pieces(net, layer)
            z = [b + sum(w * s for w, s in zip(row, signal, strict=True)) for row, b in zip(matrix, shift, strict=True)]
            for j, v in enumerate(z):
                index, at_break = p.index(v)
                if at_break is None and any(p.polynomials[index]):
                    found.add((layer + 1, j + 1))
            signal = [value(p.polynomials[p.index(v)[0]], v) for v in z]
    return tuple(sorted(found))


def duplicates(problem: Problem, point: AnyPoint) -> tuple[tuple[Unit, Unit], ...]:
    """Pairs of units of one hidden layer with the same incoming weights, biases and outgoing weights."""
    layers, out = _weights(problem, point), []
    for layer, ((matrix, shift), (after, _)) in enumerate(pairwise(layers)):
        ports = [(tuple(row), b, tuple(r[j] for r in after)) for j, (row, b) in enumerate(zip(matrix, shift, strict=True))]  # fmt: skip
        out += [
            ((layer + 1, i + 1), (layer + 1, j + 1))
            for i in range(len(ports))
            for j in range(i + 1, len(ports))
            if ports[i] == ports[j]
        ]
    return tuple(out)
