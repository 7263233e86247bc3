"""Exact points and what is known at them, as plain data (no SymPy, no arithmetic beyond the standard library).

Coordinates live in one *field* per point. Every element is a tuple of Fractions, the coefficients (low to high) of a
polynomial in the field's generator: nothing for the rationals (length 1), alpha for a number field Q(alpha), ln 2 for
the ring Q[ln 2] (ln 2 is transcendental, so equality there is equality of coefficients).
A point that is known only by a box that contains exactly one critical point is an `EnclosedPoint`.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from explorer.exact import exact

Element: TypeAlias = tuple[Fraction, ...]
InPi: TypeAlias = tuple[tuple[int, Fraction], ...]


@dataclass(frozen=True)
class RationalField:
    """The rational numbers."""


@dataclass(frozen=True)
class Ln2Ring:
    """The ring Q[ln 2]: elements are polynomials in T = ln 2."""


@dataclass(frozen=True)
class NumberField:
    """Q(alpha): alpha is the only root of ``polynomial`` (coefficients low to high, squarefree) in the open ``interval``."""

    polynomial: tuple[Fraction, ...]
    interval: tuple[Fraction, Fraction]

    @property
    def degree(self) -> int:
        return len(self.polynomial) - 1


Field: TypeAlias = RationalField | Ln2Ring | NumberField


@dataclass(frozen=True)
class Point:
    """One real vector with exact coordinates in one field, in the problem's parameter order."""

    field: Field
    coordinates: tuple[Element, ...]

    @classmethod
    def rational(cls, values: object) -> Point:
        """A rational point from any iterable of int, Fraction or "p/q" strings."""
        return cls(RationalField(), tuple((exact(v, f"coordinate {i}"),) for i, v in enumerate(values)))  # type: ignore[arg-type, var-annotated]

    @property
    def is_rational(self) -> bool:
        return all(not any(c[1:]) for c in self.coordinates)


@dataclass(frozen=True)
class EnclosedPoint:
    """The unique critical point in the box prod [lower_k, upper_k]; the box itself was re-proved by Krawczyk's test."""

    lower: tuple[Fraction, ...]
    upper: tuple[Fraction, ...]

    @property
    def centre(self) -> tuple[Fraction, ...]:
        return tuple((a + b) / 2 for a, b in zip(self.lower, self.upper, strict=True))


@dataclass(frozen=True)
class BallPoint(EnclosedPoint):
    """The only critical point in the closed Euclidean ball around `centre`; ``lower`` and ``upper`` are the box around the ball."""

    @classmethod
    def around(cls, centre: tuple[Fraction, ...], radius: Fraction) -> BallPoint:
        return cls(tuple(c - radius for c in centre), tuple(c + radius for c in centre))

    @property
    def radius(self) -> Fraction:
        return (self.upper[0] - self.lower[0]) / 2


@dataclass(frozen=True)
class TiedPoint:
    """The only critical point of a student-teacher loss in an ellipsoid of symmetric matrices (docs/certificate.md, POINT):
    ``sizes`` of the index classes, the class of every orbit of rows and of columns, and per orbit of entries a centre and a scale."""

    sizes: tuple[int, ...]
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    centre: tuple[Fraction, ...]
    scale: tuple[Fraction, ...]
    radius: Fraction


@dataclass(frozen=True)
class UniformPoint:
    """A `TiedPoint` for every number k of units: sizes a k + b as pairs (a, b), entries as polynomials in s = k^(-1/2) (coefficients
    low to high, each the sum of q pi^e over pairs (e, q)), scales and radius as (e, c) for c s^e."""

    sizes: tuple[tuple[int, int], ...]
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    centre: tuple[tuple[InPi, ...], ...]
    scale: tuple[tuple[int, Fraction], ...]
    radius: tuple[int, Fraction]


@dataclass(frozen=True)
class TaughtPoint:
    """The teacher's vectors, then rows 0: where a student-teacher loss vanishes."""


AnyPoint: TypeAlias = Point | EnclosedPoint


@dataclass(frozen=True)
class FittedPoint:
    """Rational coordinates, but one (of the last layer, index ``fitted``) is the real number that makes every output equal ``output``.

    For networks whose first weights are 0, so that the output is the same at all samples. ``coordinates[fitted]`` is 0.
    """

    coordinates: tuple[Fraction, ...]
    fitted: int
    output: Fraction


@dataclass(frozen=True)
class Inertia:
    """Numbers of positive, zero and negative eigenvalues of a Hessian; ``index`` (Morse) is the number of negative ones."""

    positive: int
    zero: int
    negative: int

    @property
    def index(self) -> int:
        return self.negative

    @property
    def nullity(self) -> int:
        return self.zero
