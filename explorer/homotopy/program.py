"""Straight-line programs: polynomial expressions as a graph without repetitions, run over arrays, balls or fractions.

Why not monomials: the gradient of a network in expanded form has thousands of terms; as a program of shared products it
has a few hundred operations, and one numpy call per operation moves all paths at once. The same list of operations runs
over `flint.acb` (certification) and over Fractions (comparison with the exact gradient).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = Any  #: a numpy array of complex128
Node: TypeAlias = int
ADD, SUB, MUL = 0, 1, 2
NARROW = 160  #: up to this many columns operations are grouped (measured)
UFUNCS: tuple[Callable[..., Any], ...] = (np.add, np.subtract, np.multiply)


@dataclass
class Graph:
    """Expressions built so far; equal expressions are one node. Inputs have numbers of their own."""

    nodes: list[tuple[str, Any, Any]] = field(default_factory=list)
    index: dict[tuple[str, Any, Any], Node] = field(default_factory=dict)
    derivatives: dict[tuple[Node, Node], Node] = field(default_factory=dict)

    def _node(self, kind: str, a: Any, b: Any = None) -> Node:
        key = (kind, a, b)
        found = self.index.get(key)
        if found is None:
            found = self.index[key] = len(self.nodes)
            self.nodes.append(key)
        return found

    def input(self, number: int) -> Node:
        return self._node("input", number)

    def constant(self, value: Fraction | int) -> Node:
        return self._node("constant", Fraction(value))

    def value(self, a: Node) -> Fraction | None:
        """The number when the node is a constant."""
        kind, value, _ = self.nodes[a]
        return value if kind == "constant" else None

    def add(self, a: Node, b: Node) -> Node:
        x, y = self.value(a), self.value(b)
        if x is not None and y is not None:
            return self.constant(x + y)
        if x == 0:
            return b
        if y == 0:
            return a
        return self._node("add", min(a, b), max(a, b))

    def mul(self, a: Node, b: Node) -> Node:
        x, y = self.value(a), self.value(b)
        if x is not None and y is not None:
            return self.constant(x * y)
        if x == 0 or y == 0:
            return self.constant(0)
        if x == 1:
            return b
        if y == 1:
            return a
        return self._node("mul", min(a, b), max(a, b))

    def sub(self, a: Node, b: Node) -> Node:
        x, y = self.value(a), self.value(b)
        if x is not None and y is not None:
            return self.constant(x - y)
        if y == 0:
            return a
        if a == b:
            return self.constant(0)
        return self._node("sub", a, b)

    def total(self, terms: Iterable[Node]) -> Node:
        out = self.constant(0)
        for t in terms:
            out = self.add(out, t)
        return out

    def dot(self, left: Sequence[Node], right: Sequence[Node]) -> Node:
        return self.total(self.mul(a, b) for a, b in zip(left, right, strict=True))

    def derivative(self, a: Node, by: Node) -> Node:
        """The partial derivative by the input node ``by``."""
        key = (a, by)
        if (found := self.derivatives.get(key)) is not None:
            return found
        kind, x, y = self.nodes[a]
        if kind in ("input", "constant"):
            out = self.constant(int(a == by))
        elif kind == "add":
            out = self.add(self.derivative(x, by), self.derivative(y, by))
        elif kind == "sub":
            out = self.sub(self.derivative(x, by), self.derivative(y, by))
        else:
            out = self.add(self.mul(self.derivative(x, by), y), self.mul(x, self.derivative(y, by)))
        self.derivatives[key] = out
        return out

    def compiled(self, outputs: Sequence[Node], inputs: int) -> Program:
        """The operations that compute ``outputs`` from ``inputs`` inputs, nothing else, with few intermediate arrays."""
        needed: set[Node] = set()
        pending = list(outputs)
        while pending:
            a = pending.pop()
            if a not in needed:
                needed.add(a)
                kind, x, y = self.nodes[a]
                if kind in ("add", "sub", "mul"):
                    pending += [x, y]
        constants: list[Fraction] = []
        places: dict[Node, int] = {}
        operations: list[tuple[int, int, int, int]] = []
        order = sorted(needed)
        for a in order:
            kind, x, _ = self.nodes[a]
            if kind == "input":
                places[a] = x
            elif kind == "constant":
                places[a] = inputs + len(constants)
                constants.append(x)
        last: dict[Node, int] = {}
        for step, a in enumerate(order):
            kind, x, y = self.nodes[a]
            if kind in ("add", "sub", "mul"):
                last[x] = last[y] = step
        for a in outputs:
            last[a] = len(order)
        free: list[int] = []
        size = inputs + len(constants)
        for step, a in enumerate(order):
            kind, x, y = self.nodes[a]
            if kind not in ("add", "sub", "mul"):
                continue
            code = {"add": ADD, "sub": SUB, "mul": MUL}[kind]
            left, right = places[x], places[y]
            for b in {x, y}:
                if last[b] == step and self.nodes[b][0] in ("add", "sub", "mul"):
                    free.append(places[b])
            if free:
                places[a] = free.pop()
            else:
                places[a] = size
                size += 1
            operations.append((code, left, right, places[a]))
        return Program(inputs, tuple(constants), tuple(operations), tuple(places[a] for a in outputs), size)


@dataclass(frozen=True)
class Program:
    """Operations (code, left, right, target) on registers: inputs first, then constants, then intermediate values."""

    inputs: int
    constants: tuple[Fraction, ...]
    operations: tuple[tuple[int, int, int, int], ...]
    outputs: tuple[int, ...]
    size: int

    def on_arrays(self, inputs: Sequence[Array], columns: int, kind: Any = np.complex128) -> Array:
        """All outputs over arrays that broadcast to (columns,): an array of shape (outputs, columns) of the type ``kind``."""
        if columns <= NARROW:
            return self._by_levels(inputs, columns, kind)
        base = self.inputs + len(self.constants)
        work = np.empty((self.size - base, columns), dtype=kind)
        constants = (np.array([c.numerator], dtype=kind) / c.denominator for c in self.constants)
        registers = [*inputs, *constants, *work]
        ufuncs = UFUNCS
        for code, a, b, out in self.operations:
            ufuncs[code](registers[a], registers[b], registers[out])
        result = np.empty((len(self.outputs), columns), dtype=kind)
        for k, place in enumerate(self.outputs):
            result[k] = registers[place]
        return result

    @cached_property
    def levels(self) -> tuple[tuple[tuple[int, Array, Array, int], ...], tuple[int, ...], int]:
        """The same operations on registers that are written once, grouped by depth and code: (code, lefts, rights, first
        target), then the registers of the outputs and their number. One call does a whole group."""
        base = self.inputs + len(self.constants)
        value = list(range(base)) + [-1] * (self.size - base)  #: register -> value that it holds now
        depth = [0] * base
        flat: list[tuple[int, int, int]] = []
        for code, a, b, out in self.operations:
            left, right = value[a], value[b]
            value[out] = base + len(flat)
            depth.append(1 + max(depth[left], depth[right]))
            flat.append((code, left, right))
        order = sorted(range(len(flat)), key=lambda k: (depth[base + k], flat[k][0], k))
        place = list(range(base)) + [0] * len(flat)
        for position, k in enumerate(order):
            place[base + k] = base + position
        groups = []
        start = 0
        while start < len(order):
            first = order[start]
            key = (depth[base + first], flat[first][0])
            stop = start
            while stop < len(order) and (depth[base + order[stop]], flat[order[stop]][0]) == key:
                stop += 1
            members = order[start:stop]
            lefts, rights = (np.array([place[flat[k][side]] for k in members]) for side in (1, 2))
            groups.append((key[1], lefts, rights, base + start))
            start = stop
        return tuple(groups), tuple(place[value[k]] for k in self.outputs), base + len(flat)

    def _by_levels(self, inputs: Sequence[Array], columns: int, kind: Any) -> Array:
        """`on_arrays` for few columns, where the number of calls counts."""
        groups, outputs, size = self.levels
        registers = np.empty((size, columns), dtype=kind)
        for k, values in enumerate(inputs):
            registers[k] = values
        for k, c in enumerate(self.constants, self.inputs):
            registers[k] = np.array([c.numerator], dtype=kind)[0] / c.denominator
        for code, left, right, at in groups:
            UFUNCS[code](registers[left], registers[right], out=registers[at : at + len(left)])
        return registers[list(outputs)]

    def on_numbers(self, inputs: Sequence[Any], constant: Callable[[Fraction], Any]) -> list[Any]:
        """All outputs over any numbers that have +, - and *."""
        registers = [*inputs, *(constant(c) for c in self.constants)]
        registers += [None] * (self.size - len(registers))
        for code, a, b, out in self.operations:
            x, y = registers[a], registers[b]
            registers[out] = x * y if code == MUL else x + y if code == ADD else x - y
        return [registers[k] for k in self.outputs]
