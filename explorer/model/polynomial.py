"""The loss as a polynomial over Q, where it is one (globally, or on one activation cell).

Why python-flint's fmpq_mpoly: expanding sum_i (f(x_i) - y_i)^2 is multiplication of sparse polynomials, which it does
hundreds of times faster than SymPy's expand; the jet engine runs in it as in any other ring.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import TypeAlias

from flint import Ordering, fmpq, fmpq_mpoly, fmpq_mpoly_ctx

from explorer.errors import Invalid, Unsupported
from explorer.model import activations
from explorer.model.jets import Where, loss_jet
from explorer.model.kinds import is_piecewise_polynomial, is_polynomial
from explorer.model.rings import taylor_of_polynomial
from explorer.point import Point
from explorer.problem import Activation, Problem

#: exponent vector -> coefficient; no zero coefficients
Terms: TypeAlias = dict[tuple[int, ...], Fraction]

#: products with more pairs of terms than this are not attempted
MAX_PAIRS = 50_000_000


@dataclass(frozen=True)
class LossPolynomial:
    """F as a polynomial in the parameters ``names`` (problem order). ``terms`` maps exponent vectors to coefficients,
    sorted by exponent vector."""

    names: tuple[str, ...]
    terms: Terms

    @cached_property
    def gradient(self) -> tuple[Terms, ...]:
        """The d partial derivatives."""
        return tuple(differentiate(self.terms, k) for k in range(len(self.names)))

    @cached_property
    def hessian(self) -> tuple[tuple[Terms, ...], ...]:
        """The d x d second derivatives."""
        d = len(self.names)
        upper = {(i, j): differentiate(self.gradient[i], j) for i in range(d) for j in range(i, d)}
        return tuple(tuple(upper[min(i, j), max(i, j)] for j in range(d)) for i in range(d))

    @property
    def degree(self) -> int:
        """Total degree (0 for the zero polynomial)."""
        return max((sum(e) for e in self.terms), default=0)

    def at(self, point: Sequence[Fraction]) -> Fraction:
        """F at a rational point."""
        return evaluate(self.terms, point)


@dataclass(frozen=True)
class Inequality:
    """``terms`` > 0: the pre-activation named by ``where`` lies strictly on one side of one break of its activation."""

    where: str
    terms: Terms


@dataclass(frozen=True)
class CellPolynomial:
    """F on the open activation cell of a point: equal to ``polynomial`` where all ``inequalities`` hold strictly.

    ``pattern`` has one entry per unit and sample whose activation has breaks: (place, number of the piece from 0).
    """

    polynomial: LossPolynomial
    inequalities: tuple[Inequality, ...]
    pattern: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class _Cell:
    """Which piece each unit is on, found at a base point and recorded on the way."""

    base: tuple[Fraction, ...]
    inequalities: list[Inequality] = field(default_factory=list)
    pattern: list[tuple[str, int]] = field(default_factory=list)


class PolynomialRing:
    """Polynomials over Q in the parameters (only values, no derivatives: ``order`` is 0)."""

    def __init__(self, names: Sequence[str], *, max_terms: int, cell: _Cell | None = None) -> None:
        self.context = fmpq_mpoly_ctx.get(list(names), Ordering.lex)
        self.max_terms = max_terms
        self.cell = cell

    def constant(self, value: Fraction) -> fmpq_mpoly:
        return self.context.constant(fmpq(value.numerator, value.denominator))

    def mul(self, a: fmpq_mpoly, b: fmpq_mpoly) -> fmpq_mpoly:
        if len(a) * len(b) > MAX_PAIRS:
            raise self._too_big(f"a product of {len(a)} by {len(b)} terms")
        product = a * b
        if len(product) > self.max_terms:
            raise self._too_big(f"{len(product)} terms")
        return product

    def total(self, summands: Sequence[fmpq_mpoly]) -> fmpq_mpoly:
        out = self.context.constant(0)
        for s in summands:
            out += s
        if len(out) > self.max_terms:
            raise self._too_big(f"{len(out)} terms")
        return out

    def is_zero(self, a: fmpq_mpoly) -> bool:
        return bool(a == 0)

    def derivatives(self, activation: Activation, z: fmpq_mpoly, order: int, where: Where) -> list[fmpq_mpoly]:
        p = activations.pieces_of(activation)
        if p is None or order > 0:
            raise Unsupported(str(where), expected="a polynomial activation", got=activation.kind)
        index = 0
        if p.breaks:
            if self.cell is None:
                raise Unsupported(
                    str(where),
                    expected="a polynomial",
                    got=f"{activation.kind}, which has breaks",
                    remedy="use cell_polynomial at a point",
                )
            index = self._piece(activation, p.breaks, z, where, self.cell)
        return taylor_of_polynomial(self, p.polynomials[index], z, 0)

    def norm_cubed(self, square: fmpq_mpoly, where: Where) -> None:
        raise Unsupported(str(where), expected="a polynomial", got="the cube of a norm")

    def _piece(
        self, activation: Activation, breaks: Sequence[Fraction], z: fmpq_mpoly, where: Where, cell: _Cell
    ) -> int:
        terms = terms_of(z)
        at = evaluate(terms, cell.base)
        constant = (0,) * len(cell.base)
        if set(terms) <= {constant}:  # the same near the point: no condition, and no kink even on a break
            return sum(at > b for b in breaks)
        if at in breaks:
            raise Unsupported(
                str(where),
                expected="a point strictly inside an activation cell",
                got=f"a pre-activation on the break {at} of {activation.kind}",
                remedy="move the point off the kink",
            )
        index = sum(at > b for b in breaks)
        cell.pattern.append((str(where), index))
        for b, sign in [(b, 1) for b in breaks[max(index - 1, 0) : index]] + [
            (b, -1) for b in breaks[index : index + 1]
        ]:
            shifted = dict(terms)
            shifted[constant] = shifted.get(constant, Fraction(0)) - b
            signed = {e: sign * c for e, c in sorted(shifted.items()) if c}
            cell.inequalities.append(Inequality(f"{where}: pre-activation {'>' if sign > 0 else '<'} {b}", signed))
        return index

    def _too_big(self, got: str) -> Unsupported:
        return Unsupported(
            "the loss polynomial",
            expected=f"at most {self.max_terms} terms",
            got=got,
            remedy="use Landscape.at, which never expands, or raise max_terms",
        )


def loss_polynomial(problem: Problem, *, max_terms: int = 200_000) -> LossPolynomial:
    """F as a polynomial over Q. Raises `Unsupported` when F is not a polynomial or has more than ``max_terms`` terms."""
    holds, reason = is_polynomial(problem)
    if not holds:
        raise Unsupported(
            "the loss", expected="a polynomial of the parameters", got=reason, remedy="cells: use cell_polynomial"
        )
    return _expand(problem, PolynomialRing(problem.parameters, max_terms=max_terms))


def cell_polynomial(problem: Problem, point: Point | Sequence[Fraction], *, max_terms: int = 200_000) -> CellPolynomial:
    """The polynomial that equals F near a rational point strictly inside an activation cell (piecewise polynomial F).

    Raises `Unsupported` when the point lies on a break (naming the unit and the sample), when it is not rational, or when
    F is not piecewise polynomial.
    """
    holds, reason = is_piecewise_polynomial(problem)
    if not holds:
        raise Unsupported("the loss", expected="a piecewise polynomial", got=reason)
    base = _rational_coordinates(point, len(problem.parameters))
    cell = _Cell(base)
    polynomial = _expand(problem, PolynomialRing(problem.parameters, max_terms=max_terms, cell=cell))
    return CellPolynomial(polynomial, tuple(cell.inequalities), tuple(cell.pattern))


def _expand(problem: Problem, ring: PolynomialRing) -> LossPolynomial:
    jet = loss_jet(problem, ring, ring.context.gens(), order=0)
    return LossPolynomial(problem.parameters, {} if jet.value is None else terms_of(jet.value))


def _rational_coordinates(point: Point | Sequence[Fraction], d: int) -> tuple[Fraction, ...]:
    if isinstance(point, Point):
        if not point.is_rational:
            raise Unsupported("point", expected="rational coordinates", got="another field", remedy="use Landscape.at")
        point = tuple(c[0] for c in point.coordinates)
    if len(point) != d:
        raise Invalid("point", expected=f"{d} coordinates", got=f"{len(point)}")
    return tuple(point)


# -- polynomials as dictionaries ---------------------------------------------------------------------------------------


def terms_of(p: fmpq_mpoly) -> Terms:
    """The terms of a python-flint polynomial, sorted by exponent vector."""
    return {
        tuple(int(x) for x in e): Fraction(int(c.p), int(c.q))
        for e, c in sorted(p.to_dict().items(), key=lambda t: t[0])
    }


def differentiate(terms: Mapping[tuple[int, ...], Fraction], k: int) -> Terms:
    """The partial derivative with respect to the variable with index k."""
    return {(*e[:k], e[k] - 1, *e[k + 1 :]): c * e[k] for e, c in terms.items() if e[k]}


def evaluate(terms: Mapping[tuple[int, ...], Fraction], point: Sequence[Fraction]) -> Fraction:
    """The value at a rational point."""
    out = Fraction(0)
    for e, c in terms.items():
        for x, k in zip(point, e, strict=True):
            if k:
                c = c * x**k
        out += c
    return out


__all__ = [
    "CellPolynomial",
    "Inequality",
    "LossPolynomial",
    "Terms",
    "cell_polynomial",
    "differentiate",
    "evaluate",
    "is_piecewise_polynomial",
    "is_polynomial",
    "loss_polynomial",
    "terms_of",
]
