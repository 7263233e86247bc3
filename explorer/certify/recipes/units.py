"""One-hidden-layer sigmoid networks on scalar inputs with weights that are multiples of ln 2: everything is rational.

sigma(k ln 2) = 2^k / (1 + 2^k) for an integer k, and sigma' = sigma (1 - sigma), sigma'' = sigma' (1 - 2 sigma).
A `Grid` fixes the unit of weight c ln 2 that makes every c x_i an integer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm

from explorer.certify.recipes.residual import dot
from explorer.errors import NotCertifiable
from explorer.point import Element, Ln2Ring, Point

#: largest integer k in sigma(k ln 2) that a recipe uses; 2^k has 603 digits then
MAX_MULTIPLE = 2_000
ZERO = (Fraction(0),)


def sigmoid(k: int) -> Fraction:
    """sigma(k ln 2)."""
    return Fraction(2**k, 1 + 2**k) if k >= 0 else Fraction(1, 1 + 2**-k)


@dataclass(frozen=True)
class Unit:
    """A hidden unit with input weight ``weight * c ln 2``, bias ``bias * ln 2`` and output weight ``output``."""

    weight: int
    bias: int
    output: Fraction


@dataclass(frozen=True)
class Grid:
    """Distinct scalar inputs x_i with ``scale`` c such that the ``integers`` c x_i have no common factor."""

    inputs: tuple[Fraction, ...]
    scale: Fraction
    integers: tuple[int, ...]

    @classmethod
    def of(cls, inputs: Sequence[Fraction]) -> Grid:
        common = lcm(*(x.denominator for x in inputs))
        whole = [int(x * common) for x in inputs]
        factor = gcd(*whole) or 1
        return cls(tuple(inputs), Fraction(common, factor), tuple(k // factor for k in whole))

    @property
    def largest(self) -> int:
        return max(abs(k) for k in self.integers)

    def is_small(self, multiple: int) -> bool:
        """Whether 2^(c x multiple) stays printable for all inputs x."""
        return self.largest * multiple <= MAX_MULTIPLE

    def require_small(self, multiple: int) -> None:
        """`NotCertifiable` when the inputs are so unlike that 2^(c x) becomes unprintably long."""
        if not self.is_small(multiple):
            raise NotCertifiable(
                "inputs",
                expected=f"inputs whose ratios are fractions with numbers up to {MAX_MULTIPLE // multiple}",
                got=f"{self.largest}",
                remedy="the exact recipe needs every pre-activation to be a modest integer multiple of ln 2",
            )

    def features(self, weight: int, bias: int = 0) -> tuple[Fraction, ...]:
        """The unit's activations on the inputs, sigma((weight c x_i + bias) ln 2)."""
        return tuple(sigmoid(weight * k + bias) for k in self.integers)

    def jets(self, weight: int) -> tuple[list[Fraction], list[Fraction], list[Fraction]]:
        """sigma(w x_i), x_i sigma'(w x_i), x_i^2 sigma''(w x_i) at w = weight c ln 2: derivatives in the weight."""
        s = self.features(weight)
        slope = [x * a * (1 - a) for x, a in zip(self.inputs, s, strict=True)]
        bend = [x * x * a * (1 - a) * (1 - 2 * a) for x, a in zip(self.inputs, s, strict=True)]
        return list(s), slope, bend

    def outputs(self, units: Sequence[Unit]) -> tuple[Fraction, ...]:
        """The network's outputs on the inputs; units of equal input weights are evaluated once."""
        gathered: dict[tuple[int, int], Fraction] = {}
        for u in units:
            gathered[u.weight, u.bias] = gathered.get((u.weight, u.bias), Fraction(0)) + u.output
        total = [Fraction(0)] * len(self.inputs)
        for (weight, bias), output in gathered.items():
            if output:
                total = [t + output * a for t, a in zip(total, self.features(weight, bias), strict=True)]
        return tuple(total)

    def loss(self, units: Sequence[Unit], targets: Sequence[Fraction]) -> Fraction:
        """sum_i (f(x_i) - y_i)^2, exactly."""
        r = [f - y for f, y in zip(self.outputs(units), targets, strict=True)]
        return dot(r, r)

    def point(self, units: Sequence[Unit], *, bias: bool) -> Point:
        """The parameter vector in Q[ln 2], in the problem's order: input weights, biases (if any), output weights."""
        coordinates: list[Element] = [_ln2(u.weight * self.scale) for u in units]
        coordinates += [_ln2(Fraction(u.bias)) for u in units] if bias else []
        return Point(Ln2Ring(), (*coordinates, *((u.output,) for u in units)))


def _ln2(coefficient: Fraction) -> Element:
    return (Fraction(0), coefficient) if coefficient else ZERO
