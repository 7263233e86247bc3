"""A chain of homogeneous units as losses in one weight, one on each half of a line: exponents, inputs, critical numbers, signs at 0."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import pairwise

import flint
from flint import arb

from explorer.algebra.balls import ball, sign_of
from explorer.algebra.fields import arithmetic
from explorer.budget import Deadline
from explorer.errors import Unsupported
from explorer.exact import text
from explorer.model.activations import pieces_of
from explorer.model.pieces import value
from explorer.point import AnyPoint, EnclosedPoint, Point
from explorer.problem import Dataset, DenseNetwork, Problem
from explorer.solve.one_weight.line import limits_of, tails_of
from explorer.solve.one_weight.terms import FINER, ONE, PRECISION, ZERO, Line, slope_at_zero, value_on_line
from explorer.solve.radius import homogeneity
from explorer.solve.results import Component, CriticalSet, Value
from explorer.solve.scalars import enclosure

Signs = tuple[int, ...]
Solver = Callable[[Problem, Deadline], CriticalSet]


@dataclass(frozen=True)
class Chain:
    """The exponents e_k, the weights lambda_k and the exponent q of the regularizer."""

    problem: Problem
    exponents: tuple[int, ...]
    weights: tuple[Fraction, ...]
    power: int

    @classmethod
    def of(cls, problem: Problem) -> Chain:
        net, r = problem.network, problem.regularizer
        assert isinstance(net, DenseNetwork)
        exponents = [1]
        for a in reversed(net.activations):
            exponents.insert(0, exponents[0] * (homogeneity(a) or 1))
        return cls(problem, tuple(exponents), r.weights if r else (ZERO,) * net.depth, (r.exponent or 2) if r else 2)

    @property
    def size(self) -> int:
        return len(self.exponents)

    def inputs(self, signs: Signs) -> tuple[Fraction, ...]:
        """a_s(x_i)."""
        net, data = self.problem.network, self.problem.data
        assert isinstance(net, DenseNetwork)
        assert data is not None
        found = []
        for (x,) in data.inputs:
            for s, a in zip(signs, net.activations, strict=False):
                p = pieces_of(a)
                assert p is not None
                x = value(p.polynomials[p.index(s * x)[0]], s * x)
            found.append(signs[-1] * x)
        return tuple(found)

    def product(self) -> str:
        """p in words, for positive weights."""
        return "*".join(
            name if e == 1 else f"{name}^{e}" for name, e in zip(self.problem.parameters, self.exponents, strict=True)
        )


@dataclass(frozen=True)
class Side:
    """One half of a loss in one weight t: F on the orthant is the loss at t = side p."""

    line: Reduced
    side: int

    def rise(self) -> int:
        """The sign of H_s(p) - H_s(0) for small p > 0."""
        return self.line.rises[self.side]

    def slope(self) -> int | None:
        """The sign of H_s'(0+); None: not decided."""
        found = slope_at_zero(self.line.line, self.side)
        if found is None:
            with flint.ctx.workprec(PRECISION):
                found = sign_of(self.line.line.derivatives(arb(0), self.line.beside(self.side))[0]) or None
        return None if found is None else self.side * found


class Reduced:
    """The loss of one weight on the inputs a, and its critical numbers."""

    def __init__(self, problem: Problem, inputs: tuple[Fraction, ...]) -> None:
        assert isinstance(problem.network, DenseNetwork)
        assert problem.data is not None
        neuron = DenseNetwork((1, 1), (), (False,), problem.network.output)
        data = Dataset(tuple((a,) for a in inputs), problem.data.targets)
        self.problem = replace(problem, network=neuron, data=data, regularizer=None)
        self.line = Line.of(self.problem)
        self.found: CriticalSet | None = None

    def solve(self, solver: Solver, deadline: Deadline) -> None:
        found = solver(self.problem, deadline)
        if not found.coverage.complete:
            raise Unsupported(
                "a chain of units", expected="all critical points of its loss in one weight", got=found.coverage.reason
            )
        if any(c.dimension for c in found.components) and not self.flats:
            raise Unsupported("a chain of units", expected="intervals on which F is constant by pieces", got="others")
        self.found = found

    @cached_property
    def flats(self) -> list[tuple[Fraction | None, Fraction | None]]:
        """The intervals between kinks and 0 on which the loss is constant."""
        ends: list[Fraction | None] = [None, *sorted(self.line.kinks | {ZERO}), None]
        return [(a, b) for a, b in pairwise(ends) if self.line.flat(inside_of(a, b))]

    @cached_property
    def points(self) -> list[tuple[int, Fraction, Component, AnyPoint]]:
        """The critical numbers that are not 0: their sign, and a lower bound of their modulus."""
        assert self.found is not None
        out = []
        for c in self.found.components:
            for at in (c.points or (c.sample,)) if not c.dimension else ():
                low, high = (
                    (at.lower[0], at.upper[0])
                    if isinstance(at, EnclosedPoint)
                    else enclosure(at.coordinates[0], at.field)
                )
                sign = (low > 0) - (high < 0)
                if not sign and isinstance(at, Point) and (sign := arithmetic(at.field).sign(at.coordinates[0])):
                    raise Unsupported("a critical number", expected="an enclosure without 0", got="one with it")
                if not sign and isinstance(at, EnclosedPoint):
                    raise Unsupported("a critical number", expected="an enclosure without 0", got="one with it")
                if sign:
                    out.append((sign, low if sign > 0 else -high, c, at))
        return out

    @property
    def plateaus(self) -> list[Value]:
        """The values on intervals on which the loss is constant, without those that end at 0."""
        inside = [inside_of(a, b) for a, b in self.flats if a != 0 and b != 0]
        return [value_on_line(self.problem, Point.rational([t])) for t in inside]

    @cached_property
    def rises(self) -> dict[int, int]:
        """For t > 0 and t < 0 the sign of the loss minus its value at 0, for small |t|."""
        return {side: self._rise(side) for side in (1, -1)}

    def beside(self, side: int) -> Fraction:
        """A number on this side of 0, before all critical numbers and kinks."""
        near = [ONE, *(low for sign, low, *_ in self.points if sign == side)]
        near += [side * k for k in self.line.kinks if side * k > 0]
        return side * min(near) / 2

    def _rise(self, side: int) -> int:
        if any((a if side > 0 else b) == 0 for a, b in self.flats):
            return 0
        t = self.beside(side)
        for bits in (PRECISION, *FINER):
            with flint.ctx.workprec(bits):
                if found := sign_of(self.line.derivatives(ball(t), t)[0]):
                    return side * found
        raise Unsupported("a chain of units", expected=f"the sign of a derivative at {text(t)}", got="none")

    @cached_property
    def limits(self) -> list[Value] | None:
        """The limits to which the loss falls far out; None: not known."""
        try:
            return limits_of(self.problem, tails_of(self.problem, self.line)) if self.line.samples else []
        except Unsupported:
            return None


def inside_of(a: Fraction | None, b: Fraction | None) -> Fraction:
    if a is None:
        return ZERO if b is None else b - 1
    return a + 1 if b is None else (a + b) / 2
