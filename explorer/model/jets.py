"""Sparse second-order jets of the loss over any ring: value, gradient, Hessian in one forward pass.

Why forward mode and sparse: a weight of a one-hidden-layer network meets two other parameters inside the network and
all others only in the loss, so the jets of units stay tiny. One engine serves SymPy expressions, exact fields, polynomials
and truncated power series: the rings differ, the calculus does not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from explorer.errors import Unsupported
from explorer.model import losses, regularizers
from explorer.problem import (
    Activation,
    AddedExponential,
    DenseNetwork,
    MonomialLoss,
    Problem,
    StudentTeacher,
    StudentTeacherFamily,
)

T = TypeVar("T")


class Ring(Protocol[T]):
    """What the engine asks of a number system. ``None`` among derivatives means: not in this ring."""

    def constant(self, value: Fraction) -> T: ...
    def mul(self, a: T, b: T) -> T: ...
    def total(self, summands: Sequence[T]) -> T: ...
    def is_zero(self, a: T) -> bool:
        """Whether ``a`` may be dropped (True only if it is zero)."""
        ...

    def derivatives(self, activation: Activation, z: T, order: int, where: Where) -> Sequence[T | None]:
        """phi(z), phi'(z), ... up to ``order``; `Unsupported` where the ring or the smoothness does not allow it."""
        ...

    def norm_cubed(self, square: T, where: Where) -> tuple[T, T, T] | None:
        """(r^3, 3 r, 3/r) for r = sqrt(square); None for r = 0 (where r^3 and its first two derivatives vanish)."""
        ...


@runtime_checkable
class SeesDeadUnits(Protocol):
    """A ring that can tell where a unit is dead; without it, breaks behind dead units are treated like all others."""

    def locally_constant(self, activation: Activation, z: Any) -> bool:
        """Whether phi is constant near z."""
        ...


@dataclass(frozen=True)
class Where:
    """The place in the problem that an error message names: layer, unit and sample count from 1."""

    what: str
    layer: int = 0
    unit: int = 0
    sample: int = 0

    def __str__(self) -> str:
        if self.layer:
            return f"{self.what} of layer {self.layer}, unit {self.unit}, sample {self.sample}"
        return f"{self.what}, sample {self.sample}" if self.sample else self.what


@dataclass
class Jet(Generic[T]):
    """Value, gradient (index -> entry) and Hessian (i <= j -> entry); absent entries are zero.

    ``constant``: the function is constant near the point, not only flat in it, so breaks of what follows do not matter.
    """

    value: T
    gradient: dict[int, T]
    hessian: dict[tuple[int, int], T]
    constant: bool = False


@dataclass(frozen=True)
class LossJet(Generic[T]):
    """The jet of F; ``value`` is None when only the derivatives are in the ring."""

    value: T | None
    gradient: dict[int, T]
    hessian: dict[tuple[int, int], T]


class _Sum(Generic[T]):
    """A jet under construction: summands are collected, and added up once."""

    def __init__(self, ring: Ring[T]) -> None:
        self.ring = ring
        self.value: list[T] = []
        self.gradient: dict[int, list[T]] = defaultdict(list)
        self.hessian: dict[tuple[int, int], list[T]] = defaultdict(list)

    def add_scaled(self, c: T, jet: Jet[T], *, value: bool = True) -> None:
        """Add c * jet, for a constant c."""
        mul = self.ring.mul
        if value:
            self.value.append(mul(c, jet.value))
        for i, g in jet.gradient.items():
            self.gradient[i].append(mul(c, g))
        for ij, h in jet.hessian.items():
            self.hessian[ij].append(mul(c, h))

    def add_product_with_parameter(self, k: int, theta: T, jet: Jet[T], order: int) -> None:
        """Add theta_k * jet, for a jet in which theta_k does not occur (each weight acts once)."""
        mul = self.ring.mul
        self.value.append(mul(theta, jet.value))
        if order >= 1:
            self.gradient[k].append(jet.value)
            for i, g in jet.gradient.items():
                self.gradient[i].append(mul(theta, g))
        if order >= 2:
            for i, g in jet.gradient.items():
                self.hessian[(i, k) if i < k else (k, i)].append(g)
            for ij, h in jet.hessian.items():
                self.hessian[ij].append(mul(theta, h))

    def jet(self) -> Jet[T]:
        return Jet(self.ring.total(self.value), self._kept(self.gradient), self._kept(self.hessian))

    def _kept(self, parts: dict[Any, list[T]]) -> dict[Any, T]:
        summed = ((key, self.ring.total(parts[key])) for key in sorted(parts))
        return {key: v for key, v in summed if not self.ring.is_zero(v)}


def _chain(
    ring: Ring[T], d: Sequence[T | None], z: Jet[T], order: int, where: Where, scale: T | None = None
) -> LossJet[T]:
    """The jet of scale * phi(z) from the derivatives ``d`` of phi at z."""
    if any(v is None for v in d[1:]):
        raise Unsupported(
            str(where),
            expected="derivatives in the field of the point",
            got="a number outside it",
            remedy="choose a point whose pre-activations are integer multiples of ln 2, or use an enclosure",
        )
    mul = ring.mul

    def scaled(v: T) -> T:
        return v if scale is None else mul(scale, v)

    value = None if d[0] is None else scaled(d[0])
    gradient: dict[int, T] = {}
    hessian: dict[tuple[int, int], T] = {}
    if order >= 1 and d[1] is not None and not ring.is_zero(first := scaled(d[1])):
        gradient = {i: mul(first, g) for i, g in z.gradient.items()}
        if order >= 2:
            hessian = {ij: mul(first, h) for ij, h in z.hessian.items()}
    if order >= 2 and d[2] is not None and not ring.is_zero(second := scaled(d[2])):
        items = sorted(z.gradient.items())
        for a, (i, gi) in enumerate(items):
            bent = mul(second, gi)
            for j, gj in items[a:]:
                h = mul(bent, gj)
                hessian[i, j] = ring.total([hessian[i, j], h]) if (i, j) in hessian else h
    return LossJet(value, gradient, hessian)


def _unit(ring: Ring[T], activation: Activation, z: Jet[T], order: int, where: Where) -> Jet[T]:
    if activation.kind == "linear":
        return z
    if z.constant:
        order = 0
    out = _chain(ring, ring.derivatives(activation, z.value, order, where), z, order, where)
    if out.value is None:
        raise Unsupported(
            str(where),
            expected="a value in the field of the point",
            got=f"a value of {activation.kind} outside it",
            remedy="choose another point, or use an enclosure",
        )
    constant = z.constant or (isinstance(ring, SeesDeadUnits) and ring.locally_constant(activation, z.value))
    return Jet(out.value, out.gradient, out.hessian, constant)


def outputs(problem: Problem, ring: Ring[T], theta: Sequence[T], sample: int, order: int) -> list[Jet[T]]:
    """The jets of the network's outputs f_k(x) at the sample with this index (from 0)."""
    whole, data = problem.network, problem.data
    net = whole.base if isinstance(whole, AddedExponential) else whole
    if not isinstance(net, DenseNetwork) or data is None:
        raise Unsupported("network", expected="a dense network", got="a monomial loss")
    signal = [Jet(ring.constant(x), {}, {}, constant=True) for x in data.inputs[sample]]
    start = 0
    for layer, rows in enumerate(net.widths[1:], start=1):
        cols = len(signal)
        activation = net.activations[layer - 1] if layer < net.depth else net.output
        bias = start + rows * cols
        units: list[Jet[T]] = []
        for i in range(rows):
            z = _Sum(ring)
            constant = not net.bias[layer - 1]
            for j, a in enumerate(signal):
                k = start + i * cols + j
                if not (a.constant and ring.is_zero(a.value)):
                    constant = False
                    z.add_product_with_parameter(k, theta[k], a, order)
            if net.bias[layer - 1]:
                z.value.append(theta[bias + i])
                if order >= 1:
                    z.gradient[bias + i].append(ring.constant(Fraction(1)))
            jet = z.jet()
            jet.constant = constant
            units.append(_unit(ring, activation, jet, order, Where(activation.kind, layer, i + 1, sample + 1)))
        signal = units
        start = bias + (rows if net.bias[layer - 1] else 0)
    if net is not whole:
        signal = [_with_exponential(ring, theta, start, data.inputs[sample], signal[0], order, sample)]
    return signal


def _with_exponential(
    ring: Ring[T], theta: Sequence[T], start: int, x: Sequence[Fraction], f: Jet[T], order: int, sample: int
) -> Jet[T]:
    """f + a exp(w.x + b), a = theta[start] and then w, b."""
    if not order and ring.is_zero(theta[start]):
        return f  # the value of the exponential does not matter, and may lie in no exact ring
    one, out, z = ring.constant(Fraction(1)), _Sum(ring), _Sum(ring)
    for k, v in enumerate((*x, Fraction(1)), start=start + 1):
        z.add_product_with_parameter(k, theta[k], Jet(ring.constant(v), {}, {}, constant=True), order)
    unit = _unit(ring, Activation("exp"), z.jet(), order, Where("exp", sample=sample + 1))
    out.add_scaled(one, f)
    out.add_product_with_parameter(start, theta[start], unit, order)
    return out.jet()


def loss_jet(problem: Problem, ring: Ring[T], theta: Sequence[T], *, order: int) -> LossJet[T]:
    """Value and derivatives up to ``order`` (0, 1 or 2) of F at the point ``theta`` of ring elements."""
    total = _Total(ring)
    if isinstance(problem.network, MonomialLoss):
        _monomials(problem.network, ring, theta, order, total)
        return total.jet()
    if isinstance(problem.network, StudentTeacher | StudentTeacherFamily):
        raise Unsupported(
            "exact value",
            expected="a loss whose values at exact points are exact",
            got="a student-teacher loss, which holds angles",
            remedy="certify it with a ball around a point",
        )
    data, loss = problem.data, problem.loss
    if data is None or loss is None:
        raise Unsupported("problem", expected="data and a loss", got="none")
    row = losses.row(loss)
    for i, weight in enumerate(loss.weights):
        f = outputs(problem, ring, theta, i, order)
        for fk, y in zip(f, data.targets[i], strict=True):
            scale, shift = row.argument(y)
            z = _Sum(ring)
            z.add_scaled(ring.constant(scale), fk)
            z.value.append(ring.constant(shift))
            where = Where(f"{loss.kind} loss", sample=i + 1)
            argument = z.jet()
            d = ring.derivatives(row.outer, argument.value, order, where)
            total.add(_chain(ring, d, argument, order, where, ring.constant(weight)))
    for term in regularizers.terms(problem):
        total.add(_regularizer(problem, term, ring, theta, order))
    return total.jet()


class _Total(Generic[T]):
    """The sum of loss terms; its value is None as soon as one summand's is."""

    def __init__(self, ring: Ring[T]) -> None:
        self.sum = _Sum(ring)
        self.has_value = True

    def add(self, term: LossJet[T]) -> None:
        if term.value is None:
            self.has_value = False
        else:
            self.sum.value.append(term.value)
        for i, g in term.gradient.items():
            self.sum.gradient[i].append(g)
        for ij, h in term.hessian.items():
            self.sum.hessian[ij].append(h)

    def jet(self) -> LossJet[T]:
        jet = self.sum.jet()
        return LossJet(jet.value if self.has_value else None, jet.gradient, jet.hessian)


def _regularizer(
    problem: Problem, term: regularizers.RegularizerTerm, ring: Ring[T], theta: Sequence[T], order: int
) -> LossJet[T]:
    names = problem.parameters
    one = ring.constant(Fraction(1))
    if isinstance(term, regularizers.Separable):
        where = Where(f"regularizer on {names[term.parameter]}")
        z = Jet(theta[term.parameter], {term.parameter: one}, {})
        d = ring.derivatives(term.function, z.value, order, where)
        return _chain(ring, d, z, order, where, ring.constant(term.weight))
    where = Where(f"regularizer on ({', '.join(names[k] for k in term.parameters)})")
    square = ring.total([ring.mul(theta[k], theta[k]) for k in term.parameters])
    cube = ring.norm_cubed(square, where)
    if cube is None:
        return LossJet(ring.constant(Fraction(0)), {}, {})
    value, slope, bend = (ring.mul(ring.constant(term.weight), v) for v in cube)
    gradient = {k: ring.mul(slope, theta[k]) for k in term.parameters} if order >= 1 else {}
    hessian: dict[tuple[int, int], T] = {}
    if order >= 2:
        for a, i in enumerate(term.parameters):
            for j in term.parameters[a:]:
                h = ring.mul(bend, ring.mul(theta[i], theta[j]))
                hessian[i, j] = ring.total([h, slope]) if i == j else h
    return LossJet(value, gradient, hessian)


def _monomials(net: MonomialLoss, ring: Ring[T], theta: Sequence[T], order: int, total: _Total[T]) -> None:
    powers = [[ring.constant(Fraction(1))] for _ in theta]
    for k, t in enumerate(theta):
        for _ in range(max((e[k] for _, e in net.terms), default=0)):
            powers[k].append(ring.mul(powers[k][-1], t))

    def monomial(c: Fraction, exponents: Sequence[int]) -> T:
        out = ring.constant(c)
        for k, e in enumerate(exponents):
            out = ring.mul(out, powers[k][e]) if e else out
        return out

    for c, e in net.terms:
        total.sum.value.append(monomial(c, e))
        support = [k for k, power in enumerate(e) if power] if order >= 1 else []
        for i in support:
            total.sum.gradient[i].append(monomial(c * e[i], _lowered(e, (i,))))
            for j in support if order >= 2 else ():
                if i < j or (i == j and e[i] > 1):
                    factor = e[i] * (e[i] - 1) if i == j else e[i] * e[j]
                    total.sum.hessian[i, j].append(monomial(c * factor, _lowered(e, (i, j))))


def _lowered(exponents: Sequence[int], indices: Iterable[int]) -> list[int]:
    out = list(exponents)
    for k in indices:
        out[k] -= 1
    return out
