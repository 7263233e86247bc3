"""F in float64 arrays, many points at once, for drawings and for the lines that join critical points. Nothing here decides.

The calculus is that of `explorer.model.jets`, run in one more ring; activations are the SymPy rows of the table, walked
once into NumPy functions (nothing is evaluated as text). At kinks derivatives are nan, as there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any, TypeAlias

import numpy as np
import sympy as sp

from explorer.errors import Unsupported
from explorer.model.activations import row
from explorer.model.jets import Where, loss_jet
from explorer.point import AnyPoint, EnclosedPoint
from explorer.problem import Activation, Problem
from explorer.solve.scalars import enclosure

Array: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"
Function: TypeAlias = Callable[[Array], Array]


class FloatRing:
    """Arrays of float64 (one entry per point of the batch), and scalars for constants."""

    def constant(self, value: Fraction) -> Any:
        return float(value)

    def mul(self, a: Any, b: Any) -> Any:
        return a * b

    def total(self, summands: Sequence[Any]) -> Any:
        out = summands[0] if summands else 0.0
        for s in summands[1:]:
            out = out + s
        return out

    def is_zero(self, a: Any) -> bool:
        return isinstance(a, float) and a == 0

    def derivatives(self, activation: Activation, z: Any, order: int, where: Where) -> list[Any]:
        return [f(np.asarray(z, dtype=np.float64)) for f in _functions(activation)[: order + 1]]

    def norm_cubed(self, square: Any, where: Where) -> tuple[Any, Any, Any]:
        r = np.sqrt(square)
        return r**3, 3 * r, np.divide(3.0, r, out=np.zeros_like(r), where=r > 0)


@dataclass(frozen=True)
class Floats:
    """F of one problem on batches of points (B, d)."""

    problem: Problem

    def values(self, batch: Array) -> Array:
        """F, (B,)."""
        return self._jet(batch, 0)[0]

    def quadratics(self, batch: Array) -> tuple[Array, Array, Array]:
        """F (B,), the gradient (B, d) and the Hessian (B, d, d); nan where a kink leaves them undefined."""
        return self._jet(batch, 2)

    def _jet(self, batch: Array, order: int) -> tuple[Array, Array, Array]:
        b, d = batch.shape
        with np.errstate(all="ignore"):
            jet = loss_jet(self.problem, FloatRing(), [batch[:, k] for k in range(d)], order=order)
            f = np.empty(b)
            f[:] = 0.0 if jet.value is None else jet.value
            g, h = np.zeros((b, d)), np.zeros((b, d, d))
            for i, entry in jet.gradient.items():
                g[:, i] = entry
            for (i, j), entry in jet.hessian.items():
                h[:, i, j] = h[:, j, i] = entry
        return f, g, h


def coordinates(point: AnyPoint) -> Array:
    """The floats nearest to the coordinates of an exact point, or to the centre of a box."""
    if isinstance(point, EnclosedPoint):
        return np.array([float(x) for x in point.centre])
    bounds = [enclosure(e, point.field, bits=80) for e in point.coordinates]
    return np.array([float((lo + hi) / 2) for lo, hi in bounds])


@cache
def _functions(activation: Activation) -> tuple[Function, ...]:
    z, table = sp.Symbol("z", real=True), row(activation)
    return tuple(_walk(e, z) for e in (table.expression(activation, z), *table.derivatives(activation, z)))


_error_function = np.vectorize(math.erf, otypes=[np.float64])
_NAMED: dict[Any, Function] = {sp.exp: np.exp, sp.log: np.log, sp.tanh: np.tanh, sp.sin: np.sin, sp.cos: np.cos, sp.erf: _error_function}  # fmt: skip


def _walk(e: sp.Basic, z: sp.Symbol) -> Function:
    """The function z -> e as nested NumPy calls."""
    if e == z:
        return lambda x: x
    if e.is_number:
        c = math.nan if e is sp.nan else float(e)
        return lambda x: np.full_like(x, c)
    if isinstance(e, sp.Piecewise):
        branches = [(_walk(value, z), _mask(condition, z)) for value, condition in e.args]
        return lambda x: np.select([m(x) for _, m in branches], [f(x) for f, _ in branches], default=math.nan)
    parts = [_walk(a, z) for a in e.args]
    if isinstance(e, sp.Add | sp.Mul):
        fold = np.add if isinstance(e, sp.Add) else np.multiply
        return lambda x: fold.reduce([f(x) for f in parts])
    if isinstance(e, sp.Pow) and e.exp.is_number:
        power, base = (int(e.exp) if e.exp.is_Integer else float(e.exp)), parts[0]
        return lambda x: base(x) ** power
    if e.func in _NAMED:
        named, inner = _NAMED[e.func], parts[0]
        return lambda x: named(inner(x))
    raise Unsupported(f"{e.func}", expected="a function that arrays have", got="none")


def _mask(condition: sp.Basic, z: sp.Symbol) -> Callable[[Array], Any]:
    if condition in (sp.true, sp.false):
        return lambda x: np.full(x.shape, condition == sp.true)
    if isinstance(condition, sp.And | sp.Or):
        parts = [_mask(c, z) for c in condition.args]
        fold = np.logical_and if isinstance(condition, sp.And) else np.logical_or
        return lambda x: fold.reduce([m(x) for m in parts])
    left, right = (_walk(a, z) for a in condition.args)
    compare = {sp.Gt: np.greater, sp.Ge: np.greater_equal, sp.Lt: np.less, sp.Le: np.less_equal}[condition.func]
    return lambda x: compare(left(x), right(x))
