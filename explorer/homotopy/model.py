"""Ridge networks as parametrised polynomial systems: half the gradient of F, linear in everything that data can change.

F = sum_o (q_o' M q_o - 2 b_o' q_o) + sum_k lambda_k theta_k^2 + const. Two forms:

- *moments*: q_o are the coefficients of the monomials x^alpha in output o, M[alpha, beta] = sum_i c_i x_i^(alpha + beta)
  and b_o[alpha] = sum_i c_i y_io x_i^alpha; the system is linear in the parameters p = (moments, b, lambda).
- *samples* (when there are too few samples for the moments to be free): q_o = (f_o(x_1), ..., f_o(x_n)), M = diag(c),
  b_o = c y_o; parameters p = (x, c, b, lambda), linear in all but x.

Both families are irreducible, and so is the incidence variety over each *pattern* of living units (docs/homotopy.md), so
the monodromy group acts transitively on the solutions of a pattern.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import combinations, product
from math import prod
from typing import Any

import numpy as np

from explorer.homotopy.program import Graph, Node, Program
from explorer.model.activations import pieces_of
from explorer.problem import DenseNetwork, Problem

Exponents = tuple[int, ...]
Unit = tuple[int, int]  #: (layer from 1, number from 0)
MAX_PARAMETERS = 40


def applies(problem: Problem) -> bool:
    """Dense, polynomial activations with value 0 at 0, linear output, squared loss, an l2 weight > 0 on every parameter."""
    net, reg = problem.network, problem.regularizer
    if not isinstance(net, DenseNetwork) or problem.loss is None or problem.loss.kind != "squared" or reg is None:
        return False
    return (
        reg.kind == "l2"
        and all(w > 0 for w in reg.weights)
        and net.output.kind == "linear"
        and net.depth >= 2
        and net.parameter_count <= MAX_PARAMETERS
        and all(c is not None and not c[0] for c in (coefficients(a) for a in net.activations))
    )


def coefficients(activation: object) -> tuple[Fraction, ...] | None:
    """The coefficients of a polynomial activation, low to high; None for another one."""
    p = pieces_of(activation)  # type: ignore[arg-type]
    if p is None or p.breaks:
        return None
    cs = tuple(Fraction(c) for c in p.polynomials[0])
    return cs or (Fraction(0),)


@dataclass(frozen=True)
class Shape:
    """A network of living units: widths (a layer may be empty), activations' coefficients, which layers have a bias."""

    widths: tuple[int, ...]
    activations: tuple[tuple[Fraction, ...], ...]
    bias: tuple[bool, ...]

    @cached_property
    def blocks(self) -> tuple[tuple[int, int, int], ...]:
        """For each layer its (start, rows, columns) in the parameter vector; biases follow the weights."""
        out, at = [], 0
        for rows, cols, bias in zip(self.widths[1:], self.widths[:-1], self.bias, strict=True):
            out.append((at, rows, cols))
            at += rows * (cols + bias)
        return tuple(out)

    @property
    def size(self) -> int:
        start, rows, cols = self.blocks[-1]
        return start + rows * (cols + self.bias[-1])

    @cached_property
    def flips(self) -> tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]:
        """For every hidden unit with an even or odd activation, layer by layer: (incoming, all parameters that change sign)."""
        out = []
        for layer, cs in enumerate(self.activations):
            parities = {k % 2 for k, c in enumerate(cs) if c}
            if len(parities) != 1:
                continue
            start, rows, cols = self.blocks[layer]
            after, beyond, columns = self.blocks[layer + 1]
            for i in range(rows):
                incoming = [start + i * cols + j for j in range(cols)] + [start + rows * cols + i] * self.bias[layer]
                outgoing = [after + k * columns + i for k in range(beyond)] if parities == {1} else []
                out.append((tuple(incoming), (*incoming, *outgoing)))
        return tuple(out)


@dataclass(frozen=True)
class Pattern:
    """Living units of a network: the shape that they form and where its parameters sit in the whole network."""

    shape: Shape
    places: tuple[int, ...]


def shape_of(net: DenseNetwork) -> Shape:
    found = tuple(coefficients(a) for a in net.activations)
    assert all(c is not None for c in found)
    return Shape(net.widths, found, net.bias)  # type: ignore[arg-type]


def patterns(net: DenseNetwork) -> Iterator[Pattern]:
    """All patterns of living units that generic critical points can have.

    A weight from u to t must vanish with its whole row or column exactly when u's output or t's sensitivity vanish
    identically. So the living units of a layer feed only from living units or a bias, and all later layers live too;
    the layers before may be dead as a whole if a bias starts afresh.
    """
    whole = shape_of(net)
    hidden = range(1, net.depth)
    choices = [
        [c for k in range(1, net.widths[at] + 1) for c in combinations(range(net.widths[at]), k)] for at in hidden
    ]
    for first in range(1, net.depth + 1):  # the first living hidden layer; depth: none
        if 1 < first < net.depth and not net.bias[first - 1]:
            continue
        for picked in product(*choices[first - 1 :]):
            alive = [tuple(range(net.widths[0])) if first == 1 else ()]
            alive += [() for _ in range(1, first)] + list(picked) + [tuple(range(net.widths[-1]))]
            yield _pattern(whole, alive)


def _pattern(whole: Shape, alive: Sequence[tuple[int, ...]]) -> Pattern:
    places: list[int] = []
    widths = [len(row) for row in alive]
    for layer, (start, rows, cols) in enumerate(whole.blocks):
        if not widths[layer] and not (whole.bias[layer]):
            continue
        places += [start + i * cols + j for i in alive[layer + 1] for j in alive[layer]]
        if whole.bias[layer]:
            places += [start + rows * cols + i for i in alive[layer + 1]]
    return Pattern(Shape(tuple(widths), whole.activations, whole.bias), tuple(places))


# -- the system ------------------------------------------------------------------------------------------------------

Poly = dict[Exponents, Node]


@dataclass(frozen=True)
class Model:
    """Half the gradient of F for one shape, with inputs (theta, p, dp): dp is the velocity of the parameters.

    ``move`` computes gradient, upper half of the Hessian and the derivative of the gradient along dp; ``newton`` the
    first two; ``keys`` names the parameters p: ("moment", alpha), ("b", o, alpha), ("x", i, k), ("c", i), ("y", i, o),
    ("ridge", k). ``scaled`` marks those in which the system is linear.
    """

    shape: Shape
    keys: tuple[tuple[Any, ...], ...]
    move: Program
    newton: Program
    gradient: Program

    @property
    def size(self) -> int:
        return self.shape.size

    @cached_property
    def scaled(self) -> tuple[bool, ...]:
        return tuple(k[0] != "x" for k in self.keys)

    @cached_property
    def upper(self) -> tuple[tuple[int, int], ...]:
        return tuple((i, j) for i in range(self.size) for j in range(i, self.size))

    @cached_property
    def square(self) -> Any:
        """(d, d) numbers of the entries of the upper half, for a symmetric matrix from them."""
        out = np.empty((self.size, self.size), dtype=np.int64)
        for k, (i, j) in enumerate(self.upper):
            out[i, j] = out[j, i] = k
        return out

    def parameters(self, problem: Problem, places: Sequence[int]) -> list[Fraction]:
        """The exact parameters of ``problem`` for the pattern whose parameters sit at ``places``."""
        data, loss, reg = problem.data, problem.loss, problem.regularizer
        assert data is not None and loss is not None and reg is not None  # noqa: PT018
        rows = list(zip(data.inputs, data.targets, loss.weights, strict=True))
        powers = {
            key[-1]: [c * _power(x, key[-1]) for x, _, c in rows] for key in self.keys if key[0] in ("moment", "b")
        }
        out = []
        for key in self.keys:
            match key:
                case ("moment", alpha):
                    out.append(sum(powers[alpha], Fraction(0)))
                case ("b", o, alpha):
                    out.append(sum((y[o] * v for (_, y, _), v in zip(rows, powers[alpha], strict=True)), Fraction(0)))
                case ("x", i, k):
                    out.append(rows[i][0][k])
                case ("c", i):
                    out.append(rows[i][2])
                case ("y", i, o):
                    out.append(rows[i][2] * rows[i][1][o])
                case ("ridge", k):
                    out.append(reg.weights[places[k]])
                case _:
                    raise AssertionError(key)
        return out


def _power(x: Sequence[Fraction], alpha: Exponents) -> Fraction:
    return prod((v**k if k > 1 else v for v, k in zip(x, alpha, strict=True) if k), start=Fraction(1))


def moments_are_free(problem: Problem) -> bool:
    """Whether the samples are many enough for the moments of the full network to be independent numbers."""
    net = problem.network
    assert isinstance(net, DenseNetwork)
    assert problem.data is not None
    graph = Graph()
    features = _features(graph, shape_of(net), net.widths[0])
    monomials = sorted({e for row in features for e in row})
    moments = {_sum(a, b) for a in monomials for b in monomials}
    n = len(set(problem.data.inputs))
    return len(monomials) <= n and len(moments) <= n * (net.widths[0] + 1)


def build(shape: Shape, *, inputs: int, samples: int | None) -> Model:
    """The system of ``shape`` in the moment form (``samples`` None) or for that many samples of ``inputs`` numbers."""
    g, d = Graph(), shape.size
    theta = [g.input(k) for k in range(d)]
    keys: list[tuple[Any, ...]] = []

    def parameter(*key: Any) -> Node:
        keys.append(key)
        return g.input(d + len(keys) - 1)

    if samples is None:
        rows = _features(g, shape, inputs)
        monomials = sorted({e for row in rows for e in row})
        zero = g.constant(0)
        q = [[row.get(e, zero) for e in monomials] for row in rows]
        known = {e: parameter("moment", e) for e in sorted({_sum(a, b) for a in monomials for b in monomials})}
        form = [[known[_sum(a, b)] for b in monomials] for a in monomials]
        b = [[parameter("b", o, e) for e in monomials] for o in range(len(rows))]
    else:
        x = [[parameter("x", i, k) for k in range(inputs)] for i in range(samples)]
        c = [parameter("c", i) for i in range(samples)]
        b_rows = [[parameter("y", i, o) for o in range(shape.widths[-1])] for i in range(samples)]
        outputs = [_forward(g, shape, row) for row in x]
        q = [[outputs[i][o] for i in range(samples)] for o in range(shape.widths[-1])]
        form = [[c[i] if i == j else g.constant(0) for j in range(samples)] for i in range(samples)]
        b = [[b_rows[i][o] for i in range(samples)] for o in range(shape.widths[-1])]
    ridge = [parameter("ridge", k) for k in range(d)]

    residual = [[g.sub(g.dot(form[i], row), b[o][i]) for i in range(len(row))] for o, row in enumerate(q)]
    first = [[[g.derivative(v, t) for v in row] for row in q] for t in theta]
    gradient = [
        g.add(g.total(g.dot(r, v) for r, v in zip(residual, first[k], strict=True)), g.mul(ridge[k], theta[k]))
        for k in range(d)
    ]
    carried = [[[g.dot(line, row) for line in form] for row in first[k]] for k in range(d)]
    hessian = []
    for i in range(d):
        for j in range(i, d):
            entry = g.total(g.dot(a, v) for a, v in zip(first[i], carried[j], strict=True))
            second = [[g.derivative(v, theta[j]) for v in row] for row in first[i]]
            entry = g.add(entry, g.total(g.dot(r, v) for r, v in zip(residual, second, strict=True)))
            hessian.append(g.add(entry, ridge[i]) if i == j else entry)
    count = len(keys)
    velocity = []
    for k in range(d):
        moved = g.constant(0)
        for p in range(count):
            slope = g.derivative(gradient[k], g.input(d + p))
            moved = g.add(moved, g.mul(slope, g.input(d + count + p)))
        velocity.append(moved)
    total = d + 2 * count
    return Model(
        shape,
        tuple(keys),
        g.compiled([*gradient, *hessian, *velocity], total),
        g.compiled([*gradient, *hessian], total),
        g.compiled(gradient, total),
    )


def _sum(a: Exponents, b: Exponents) -> Exponents:
    return tuple(x + y for x, y in zip(a, b, strict=True))


def _features(g: Graph, shape: Shape, inputs: int) -> list[Poly]:
    """The outputs as polynomials in x with coefficients that are expressions in theta."""
    unit = [tuple(int(i == k) for i in range(inputs)) for k in range(inputs)]
    layer: list[Poly] = [{e: g.constant(1)} for e in unit] if shape.widths[0] else []
    one = (0,) * inputs
    for depth, (start, rows, cols) in enumerate(shape.blocks):
        z: list[Poly] = []
        for i in range(rows):
            out: Poly = {}
            for j in range(cols):
                w = g.input(start + i * cols + j)
                for e, v in layer[j].items():
                    out[e] = g.add(out.get(e, g.constant(0)), g.mul(w, v))
            if shape.bias[depth]:
                out[one] = g.add(out.get(one, g.constant(0)), g.input(start + rows * cols + i))
            z.append(out)
        last = depth == len(shape.blocks) - 1
        layer = z if last else [_composed(g, shape.activations[depth], p, one) for p in z]
    return layer


def _composed(g: Graph, cs: Sequence[Fraction], z: Poly, one: Exponents) -> Poly:
    out: Poly = {}
    power: Poly = {one: g.constant(1)}
    for k, c in enumerate(cs):
        if k:
            power = _product(g, power, z)
        if c:
            for e, v in power.items():
                out[e] = g.add(out.get(e, g.constant(0)), g.mul(g.constant(c), v))
    return out


def _product(g: Graph, p: Poly, q: Poly) -> Poly:
    out: Poly = {}
    for (a, v), (b, w) in product(p.items(), q.items()):
        e = _sum(a, b)
        out[e] = g.add(out.get(e, g.constant(0)), g.mul(v, w))
    return out


def _forward(g: Graph, shape: Shape, x: Sequence[Node]) -> list[Node]:
    layer = list(x) if shape.widths[0] else []
    for depth, (start, rows, cols) in enumerate(shape.blocks):
        z = []
        for i in range(rows):
            value = g.dot([g.input(start + i * cols + j) for j in range(cols)], layer)
            z.append(g.add(value, g.input(start + rows * cols + i)) if shape.bias[depth] else value)
        if depth == len(shape.blocks) - 1:
            return z
        layer = [_power_sum(g, shape.activations[depth], v) for v in z]
    raise AssertionError("a network has layers")


def _power_sum(g: Graph, cs: Sequence[Fraction], z: Node) -> Node:
    out, power = g.constant(0), g.constant(1)
    for k, c in enumerate(cs):
        power = g.mul(power, z) if k else power
        out = g.add(out, g.mul(g.constant(c), power)) if c else out
    return out
