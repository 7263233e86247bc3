"""The loss of a `StudentTeacher` problem as a SymPy expression in closed form.

With f(w, v) = E relu(w.x) relu(v.x) = |w||v| (sin t + (pi - t) cos t) / (2 pi), t the angle between w and v (Cho, Saul 2009,
arc-cosine kernel of degree 1): F = 1/2 sum f(w_i, w_j) - sum f(w_i, v_j) + 1/2 sum f(v_i, v_j).
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from explorer.errors import Unsupported
from explorer.students import StudentTeacher

MAX_SYMBOLIC = 64  #: parameters, for an expression that people or SymPy can still handle


def closed_form(net: StudentTeacher, symbols: Sequence[sp.Expr]) -> sp.Expr:
    """F with ``symbols`` as the entries of W, row by row; every row is meant to be nonzero."""
    if net.parameter_count > MAX_SYMBOLIC:
        raise Unsupported(
            "landscape", expected=f"at most {MAX_SYMBOLIC} parameters", got=f"{net.parameter_count} parameters"
        )
    n = net.inputs
    students = [tuple(symbols[k : k + n]) for k in range(0, len(symbols), n)]
    teacher = [tuple(sp.Rational(v.numerator, v.denominator) for v in row) for row in net.vectors()]
    rows = [(1, w) for w in students] + [(-1, v) for v in teacher]
    total: sp.Expr = sp.S.Zero
    for i, (s, z) in enumerate(rows):
        total += _dot(z, z) / 4
        for t, y in rows[:i]:
            total += s * t * _kernel(z, y)
    return total


def _kernel(z: Sequence[sp.Expr], y: Sequence[sp.Expr]) -> sp.Expr:
    """E relu(z.x) relu(y.x) for x ~ N(0, I)."""
    inner, size = _dot(z, y), sp.sqrt(_dot(z, z) * _dot(y, y))
    angle = sp.acos(inner / size)
    return (sp.sqrt(size**2 - inner**2) + (sp.pi - angle) * inner) / (2 * sp.pi)


def _dot(z: Sequence[sp.Expr], y: Sequence[sp.Expr]) -> sp.Expr:
    return sp.Add(*(a * b for a, b in zip(z, y, strict=True)))
