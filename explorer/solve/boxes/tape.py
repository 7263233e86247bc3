"""F's gradient and Hessian as a straight-line program, written once per problem and run on many boxes at a time.

The jet engine runs over a ring of linear forms with rational coefficients in *atoms*: parameters, derivatives of activations, products.
What is the same is one atom: products are known by their factors, so v s and s v, or the residual in every entry of the gradient, are
computed once, equal terms are collected exactly, and even powers become squares. The program for the Hessian goes on where that for
the gradient ends, on those boxes that are left. Where an activation has a kink, an atom stands for one choice of the slope between both sides,
so the algebra holds for every choice; terms are then not dropped when their coefficients cancel, since nan (no enclosure) must not vanish.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from explorer.errors import Unsupported
from explorer.model import activations
from explorer.model.activations import pieces_of
from explorer.model.jets import Where, loss_jet
from explorer.model.kinds import used_activations
from explorer.model.regularizers import Separable, terms
from explorer.problem import Activation, Problem
from explorer.solve.boxes import arrays as ia
from explorer.solve.boxes.arrays import Array, Range
from explorer.solve.boxes.ring import balance_range, derivative_range, nonnegative

ONE = Fraction(1)
Node = tuple[
    Any, ...
]  # ("parameter", k), ("sum", parts, constant), ("product", a, b), ("square", a), ("phi", activation, order, z, lower orders), ("balance", activation, z, orders 0 and 1), ("clip", a, bound)


@dataclass(frozen=True)
class Form:
    """constant + sum of coefficient * atom, atoms in increasing order."""

    parts: tuple[tuple[int, Fraction], ...]
    constant: Fraction


class Writer:
    """Linear forms as a ring; every node is written down once, after those that it needs."""

    def __init__(self, *, keep_cancelled: bool) -> None:
        self.nodes: list[Node] = []
        self.numbers: dict[Node, int] = {}
        self.factors: list[Counter[int]] = []  # of every node
        self.products: dict[tuple[tuple[int, int], ...], int] = {}
        self.keep_cancelled = keep_cancelled

    def node(self, node: Node, factors: Counter[int] | None = None) -> int:
        if node not in self.numbers:
            self.numbers[node] = len(self.nodes)
            self.nodes.append(node)
            self.factors.append(Counter({self.numbers[node]: 1}) if factors is None else factors)
        return self.numbers[node]

    def parameter(self, k: int) -> Form:
        return Form(((self.node(("parameter", k)), ONE),), Fraction(0))

    def constant(self, value: Fraction) -> Form:
        return Form((), value)

    def is_zero(self, a: Form) -> bool:
        return not a.parts and not a.constant

    def scale(self, a: Form, c: Fraction) -> Form:
        if not c and not self.keep_cancelled:
            return Form((), Fraction(0))
        return Form(tuple((n, c * v) for n, v in a.parts), c * a.constant)

    def total(self, summands: Sequence[Form]) -> Form:
        parts: dict[int, Fraction] = {}
        for a in summands:
            for n, c in a.parts:
                parts[n] = parts.get(n, Fraction(0)) + c
        kept = ((n, c) for n, c in sorted(parts.items()) if c or self.keep_cancelled)
        return Form(tuple(kept), sum((a.constant for a in summands), Fraction(0)))

    def written(self, a: Form) -> int:
        """The node of the whole form."""
        if len(a.parts) == 1 and a.parts[0][1] == 1 and not a.constant:
            return a.parts[0][0]
        return self.node(("sum", a.parts, a.constant))

    def _split(self, a: Form) -> tuple[Fraction, int]:
        """A coefficient and a node whose product is the form."""
        c = next((c for _, c in a.parts if c), ONE)
        return c, self.written(Form(tuple((n, v / c) for n, v in a.parts), a.constant / c))

    def mul(self, a: Form, b: Form) -> Form:
        if not b.parts:
            a, b = b, a
        if not a.parts:
            return self.scale(b, a.constant)
        (c, x), (d, y) = self._split(a), self._split(b)
        return Form(((self.product(x, y), c * d),), Fraction(0))

    def product(self, x: int, y: int) -> int:
        factors = self.factors[x] + self.factors[y]
        key = tuple(sorted(factors.items()))
        if key not in self.products:
            if all(k % 2 == 0 for k in factors.values()):
                (first, times), *others = ((n, k // 2) for n, k in key)
                half = first
                for n, k in ((first, times - 1), *others):
                    for _ in range(k):
                        half = self.product(half, n)
                node: Node = ("square", half)
            else:
                node = ("product", x, y)
            self.products[key] = self.node(node, factors)
        return self.products[key]

    def derivatives(self, activation: Activation, z: Form, order: int, where: Where) -> list[Form]:
        p, place, out = pieces_of(activation), None, []
        lower: tuple[int, ...] = ()
        for k in range(order + 1):
            c = None if p is None or p.breaks else p.derivative_pieces(k)[0]
            if c is not None and sum(1 for v in c[1:] if v) <= 1:  # c_0 + c_n z^n
                power = self.constant(ONE)
                for _ in c[1:]:
                    power = self.mul(power, z)
                out.append(
                    self.total([self.scale(power, c[-1]), self.constant(c[0])]) if len(c) > 1 else self.constant(c[0])
                )
                continue
            place = self.written(z) if place is None else place
            found = self.node(("phi", activation, k, place, lower))
            lower += (found,) if p is None else ()
            out.append(Form(((found, ONE),), Fraction(0)))
        return out

    def balance(self, activation: Activation, z: Form) -> Form:
        """z phi'(z) - phi(z), for an activation without breaks whose derivatives are nodes."""
        value, slope = (f.parts[0][0] for f in self.derivatives(activation, z, 1, Where("balance")))
        return Form(((self.node(("balance", activation, self.written(z), (value, slope))), ONE),), Fraction(0))

    def clip(self, z: Form, bound: Fraction) -> Form:
        """z, of which |z| <= bound is known where it matters."""
        return Form(((self.node(("clip", self.written(z), Range.of(bound).hi)), ONE),), Fraction(0))

    def norm_cubed(self, square: Form, where: Where) -> tuple[Form, Form, Form] | None:
        raise Unsupported(str(where), expected="no neuron-cubic regularizer of several inputs", got="one")


@dataclass
class Run:
    """The values of the nodes on some boxes, shape (2, N)."""

    values: dict[int, Array]
    shared: dict[tuple[Activation, int], dict[str, Range]] = field(default_factory=dict)


@dataclass(frozen=True)
class Tape:
    """The program: nodes of the gradient (``first``), what the Hessian needs besides (``second``), and where the results are."""

    nodes: tuple[Node, ...]
    first: tuple[int, ...]
    second: tuple[int, ...]
    gradient: tuple[int, ...]
    hessian: tuple[tuple[int, int, int], ...]  # (i, j, node), i <= j; entries that are not there are 0
    carried: tuple[int, ...]  # nodes of the first part that the second needs
    signed: frozenset[int]  # nodes that are nowhere negative
    weights: dict[
        int, tuple[list[tuple[int, Any]], Any]
    ]  # of sums: the doubles next to their coefficients and constants

    @classmethod
    def of(cls, problem: Problem, further: Callable[[Writer], Iterable[int]] = lambda writer: ()) -> Tape:
        """``further`` may write more nodes, and says which of them belong to the first part."""
        used = [a for _, a in used_activations(problem)]
        used += [t.function for t in terms(problem) if isinstance(t, Separable)]
        kinked = any(activations.row(a).breaks(a) for a in used)
        writer = Writer(keep_cancelled=kinked)
        d = len(problem.parameters)
        jet = loss_jet(problem, writer, [writer.parameter(k) for k in range(d)], order=2)
        zero = writer.constant(Fraction(0))
        gradient = tuple(writer.written(jet.gradient.get(k, zero)) for k in range(d))
        hessian = tuple((i, j, writer.written(h)) for (i, j), h in sorted(jet.hessian.items()))
        first = _needed(writer.nodes, (*gradient, *further(writer)))
        ends = {n for *_, n in hessian}
        second = _needed(writer.nodes, ends) - first
        both = first & (ends | {m for n in second for m in _operands(writer.nodes[n])})
        signed = {
            n for n, node in enumerate(writer.nodes)
            if node[0] == "square" or (node[0] == "phi" and nonnegative(node[1], node[2]))
        }  # fmt: skip
        weights = {
            n: ([(m, ia.nearest(c)) for m, c in node[1]], ia.nearest(node[2]))
            for n, node in enumerate(writer.nodes) if node[0] == "sum"
        }  # fmt: skip
        return cls(
            tuple(writer.nodes),
            tuple(sorted(first)),
            tuple(sorted(second)),
            gradient,
            hessian,
            tuple(sorted(both)),
            frozenset(signed),
            weights,
        )

    def derivatives(self, lo: Array, hi: Array, *, order: int) -> tuple[Range, Range | None]:
        d, n = lo.shape
        with np.errstate(all="ignore"):
            run = self.begin(lo, hi)
            gradient = self.slopes(run)
            if order < 2:
                return gradient, None
            hessian = Range(np.zeros((d, d, n)), np.zeros((d, d, n)))
            for i, j, h in self.finish(run, np.arange(n), lo, hi):
                hessian.lo[i, j] = hessian.lo[j, i] = h[0]
                hessian.hi[i, j] = hessian.hi[j, i] = h[1]
            return gradient, hessian

    def begin(self, lo: Array, hi: Array, run: Run | None = None) -> Run:
        """The gradient over the boxes lo[:, n] <= theta <= hi[:, n]; what ``run`` holds already is not computed again."""
        run = Run({}) if run is None else run
        self.compute(run, [n for n in self.first if n not in run.values], lo, hi)
        return run

    def depending(self, parameters: Sequence[int]) -> set[int]:
        """The nodes that depend on these parameters."""
        found: set[int] = set()
        for n, node in enumerate(self.nodes):
            if (node[0] == "parameter" and node[1] in parameters) or not found.isdisjoint(_operands(node)):
                found.add(n)
        return found

    def needed(self, results: Iterable[int]) -> tuple[int, ...]:
        """The nodes that these results need, in the order in which they are computed."""
        return tuple(sorted(_needed(self.nodes, results)))

    def compute(self, run: Run, nodes: Iterable[int], lo: Array, hi: Array) -> None:
        """The values of these nodes over the boxes, those that they need being there or among them."""
        for n in nodes:
            self._compute(run, n, lo, hi)

    def slopes(self, run: Run) -> Range:
        """The gradient, shape (d, N)."""
        found = np.stack([run.values[n] for n in self.gradient])
        return Range(found[:, 0], found[:, 1])

    def finish(self, run: Run, keep: Array, lo: Array, hi: Array) -> list[tuple[int, int, Array]]:
        """The Hessian over those boxes that ``keep`` selects (whose ends are ``lo`` and ``hi``): entries (i, j, stacked interval), i <= j."""
        shared = {
            key: {name: Range(v.lo[keep], v.hi[keep]) for name, v in parts.items()} for key, parts in run.shared.items()
        }
        left = Run({n: run.values[n][:, keep] for n in self.carried}, shared)
        self.compute(left, self.second, lo, hi)
        return [(i, j, left.values[n]) for i, j, n in self.hessian]

    def _compute(self, run: Run, n: int, lo: Array, hi: Array) -> None:
        kind, *rest = self.nodes[n]
        values = run.values
        if kind == "parameter":
            values[n] = np.stack([lo[rest[0]], hi[rest[0]]])
        elif kind == "product":
            a, b = rest
            if b in self.signed:
                values[n] = ia.product_nonnegative(values[a], values[b])
            elif a in self.signed:
                values[n] = ia.product_nonnegative(values[b], values[a])
            else:
                values[n] = ia.product(values[a], values[b])
        elif kind == "square":
            values[n] = ia.squared(values[rest[0]])
        elif kind == "sum":
            parts, constant = self.weights[n]
            values[n] = ia.combined([(c, values[m]) for m, c in parts], constant, (2, lo.shape[1]))
        elif kind == "clip":
            z, bound = rest
            low, high = np.maximum(values[z][0], -bound), np.minimum(values[z][1], bound)
            values[n] = np.where(low <= high, np.stack([low, high]), np.nan)
        elif kind == "balance":
            activation, z, lower = rest
            found = balance_range(activation, Range(*values[z]), [Range(*values[m]) for m in lower])
            values[n] = np.stack(np.broadcast_arrays(found.lo, found.hi, lo[0])[:2])
        else:
            activation, order, z, lower = rest
            shared = run.shared.setdefault((activation, z), {})
            at = Range(*values[z])
            found = derivative_range(activation, at, order, lambda k: Range(*values[lower[k]]), shared)
            values[n] = np.stack(np.broadcast_arrays(found.lo, found.hi, at.lo)[:2])


def _operands(node: Node) -> tuple[int, ...]:
    kind, *rest = node
    if kind == "sum":
        return tuple(m for m, _ in rest[0])
    if kind == "phi":
        return (rest[2], *rest[3])
    if kind == "clip":
        return (rest[0],)
    if kind == "balance":
        return (rest[1], *rest[2])
    return tuple(rest) if kind != "parameter" else ()


def _needed(nodes: Sequence[Node], results: Iterable[int]) -> set[int]:
    found, left = set(), list(results)
    while left:
        n = left.pop()
        if n not in found:
            found.add(n)
            left += _operands(nodes[n])
    return found


def derivatives(problem: Problem, lo: Array, hi: Array, *, order: int) -> tuple[Range, Range | None]:
    """Enclosures over the boxes lo[:, n] <= theta <= hi[:, n]: the gradient, shape (d, N), and for order 2 the Hessian, (d, d, N)."""
    return Tape.of(problem).derivatives(lo, hi, order=order)
