"""The number systems that the jet engine runs in: SymPy expressions, and the exact fields of `explorer.point`.

Exact elements live in python-flint (fmpq, fmpq_poly) while the engine works and leave as tuples of Fractions.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import factorial, isqrt
from typing import Any

import sympy as sp
from flint import fmpq, fmpq_poly

from explorer.algebra.fields import arithmetic
from explorer.errors import Unsupported
from explorer.model import activations
from explorer.model.activations import rational
from explorer.model.jets import Where
from explorer.model.pieces import Pieces
from explorer.point import Element, Field, Ln2Ring, NumberField, RationalField
from explorer.problem import Activation


class SymPyRing:
    """SymPy expressions, never expanded. At kinks derivatives are nan; `is_zero` is structural."""

    def constant(self, value: Fraction) -> sp.Expr:
        return rational(value)

    def mul(self, a: sp.Expr, b: sp.Expr) -> sp.Expr:
        return a * b

    def total(self, summands: Sequence[sp.Expr]) -> sp.Expr:
        return sp.Add(*summands)

    def is_zero(self, a: sp.Expr) -> bool:
        return a is sp.S.Zero

    def derivatives(self, activation: Activation, z: sp.Expr, order: int, where: Where) -> list[sp.Expr]:
        row = activations.row(activation)
        return [row.expression(activation, z), *(row.derivatives(activation, z)[:order] if order else ())]

    def locally_constant(self, activation: Activation, z: sp.Expr) -> bool:
        p = activations.pieces_of(activation)
        return p is not None and not p.breaks and len(p.polynomials[0]) == 1

    def norm_cubed(self, square: sp.Expr, where: Where) -> tuple[sp.Expr, sp.Expr, sp.Expr]:
        r = sp.sqrt(square)
        return r**3, 3 * r, sp.Piecewise((3 / r, square > 0), (sp.S.Zero, True))


class ExactRing:
    """The rationals, Q(alpha) or Q[ln 2]. Elements are fmpq (rationals) or fmpq_poly in the generator."""

    def __init__(self, field: Field) -> None:
        self.field = field
        self.arithmetic = arithmetic(field)
        self.rational = isinstance(field, RationalField)
        self.modulus = fmpq_poly([_fmpq(c) for c in field.polynomial]) if isinstance(field, NumberField) else None

    # -- in and out

    def from_element(self, element: Element) -> Any:
        if self.rational:
            return _fmpq(element[0])
        p = fmpq_poly([_fmpq(c) for c in element])
        return p if self.modulus is None else p % self.modulus

    def to_element(self, a: Any) -> Element:
        """Canonical: never empty, no trailing zero unless it is (0,)."""
        if self.rational:
            return (_fraction(a),)
        return tuple(_fraction(c) for c in a.coeffs()) or (Fraction(0),)

    def sign(self, a: Any) -> int:
        """The decided sign of ``a``."""
        return self.arithmetic.sign(self.to_element(a))

    # -- Ring

    def constant(self, value: Fraction) -> Any:
        return _fmpq(value) if self.rational else fmpq_poly([_fmpq(value)])

    def mul(self, a: Any, b: Any) -> Any:
        return a * b if self.modulus is None else (a * b) % self.modulus

    def total(self, summands: Sequence[Any]) -> Any:
        if not summands:
            return self.constant(Fraction(0))
        out = summands[0]
        for s in summands[1:]:
            out = out + s
        return out

    def is_zero(self, a: Any) -> bool:
        return bool(a == 0)

    def derivatives(self, activation: Activation, z: Any, order: int, where: Where) -> list[Any | None]:
        taylor = self.taylor(activation, z, order, where)
        return [None if c is None else c * factorial(n) if n > 1 else c for n, c in enumerate(taylor)]

    def taylor(self, activation: Activation, z: Any, order: int, where: Where) -> list[Any | None]:
        """The coefficients c_0 ... c_order of phi(z + h); None for those outside the ring."""
        if (p := activations.pieces_of(activation)) is not None:
            return self._pieces_taylor(activation, p, z, order, where)
        if activation.kind == "elu":
            sign = self.sign(z)
            if sign == 0:
                self._smooth_enough(activation, Fraction(0), order, where)
            if sign >= 0:
                return [z, self.constant(Fraction(1)), *[self.constant(Fraction(0))] * order][: order + 1]
        k = self._multiple_of_ln2(z)
        row = activations.row(activation)
        if k is None or row.exact is None or (found := row.exact(activation, k, order))[-1:] == () or _hopeless(found):
            raise Unsupported(
                str(where),
                expected=f"a pre-activation {row.exact_where}, where {activation.kind} is exact",
                got=self._shown(z),
                remedy="choose such a point, or enclose the value in an interval",
            )
        return [None if c is None else self._from_ln2(c) for c in found]

    def locally_constant(self, activation: Activation, z: Any) -> bool:
        p = activations.pieces_of(activation)
        if p is None or all(len(c) > 1 for c in p.polynomials):
            return False
        signs = [self.sign(z - self.constant(b)) for b in p.breaks]
        return 0 not in signs and len(p.polynomials[signs.count(1)]) == 1

    def norm_cubed(self, square: Any, where: Where) -> tuple[Any, Any, Any] | None:
        value = self.to_element(square)
        if self.arithmetic.is_zero(value):
            return None
        root = _rational_root(value[0]) if len(value) == 1 else None
        if root is None:
            raise Unsupported(
                str(where),
                expected="a norm in the field of the point",
                got=f"the square root of {self._shown(square)}",
                remedy="choose weights whose squares add up to a rational square, or use an enclosure",
            )
        return self.constant(root**3), self.constant(3 * root), self.constant(3 / root)

    # -- helpers

    def _pieces_taylor(self, activation: Activation, p: Pieces, z: Any, order: int, where: Where) -> list[Any]:
        index = 0
        for b in p.breaks:
            sign = self.sign(z - self.constant(b))
            if sign == 0:
                self._smooth_enough(activation, b, order, where)
            index += sign > 0
        return taylor_of_polynomial(self, p.polynomials[index], z, order)

    def _smooth_enough(self, activation: Activation, at: Fraction, order: int, where: Where) -> None:
        k = activations.smoothness(activation, at)
        if k is not None and k < order:
            raise Unsupported(
                str(where),
                expected=f"a pre-activation off the kink of {activation.kind}",
                got=f"exactly {at}, where it is C^{k} only and order {order} was asked for",
                remedy="move the point, ask for a lower order, or use a one-sided argument",
            )

    def _multiple_of_ln2(self, z: Any) -> Fraction | None:
        """k when z = k ln 2 with rational k."""
        element = self.to_element(z)
        if self.arithmetic.is_zero(element):
            return Fraction(0)
        if isinstance(self.field, Ln2Ring) and len(element) == 2 and element[0] == 0:
            return element[1]
        return None

    def _from_ln2(self, c: tuple[Fraction, ...]) -> Any | None:
        if len(c) == 1:
            return self.constant(c[0])
        return self.from_element(c) if isinstance(self.field, Ln2Ring) else None

    def _shown(self, z: Any) -> str:
        name = "ln2" if isinstance(self.field, Ln2Ring) else "alpha"
        parts = [f"{c}*{name}^{k}" if k else str(c) for k, c in enumerate(self.to_element(z)) if c]
        shown = " + ".join(parts) or "0"
        return shown if len(shown) <= 80 else shown[:77] + "..."


def taylor_of_polynomial(ring: Any, c: Sequence[Fraction], z: Any, order: int) -> list[Any]:
    """The coefficients of p(z + h) in h up to ``order``, by repeated synthetic division (Horner)."""
    work = [ring.constant(a) for a in c]
    out = []
    for n in range(order + 1):
        if n >= len(work):
            out.append(ring.constant(Fraction(0)))
            continue
        for k in range(len(work) - 2, n - 1, -1):
            work[k] = work[k] + ring.mul(work[k + 1], z)
        out.append(work[n])
    return out


def _hopeless(taylor: Sequence[object]) -> bool:
    return all(c is None for c in taylor)


def _rational_root(q: Fraction) -> Fraction | None:
    if q < 0:
        return None
    a, b = isqrt(q.numerator), isqrt(q.denominator)
    return Fraction(a, b) if a * a == q.numerator and b * b == q.denominator else None


def _fmpq(value: Fraction) -> fmpq:
    return fmpq(value.numerator, value.denominator)


def _fraction(value: fmpq) -> Fraction:
    return Fraction(int(value.p), int(value.q))
