"""The table of activation functions: one row per kind, and everything that explorer knows about the kind.

Piecewise polynomial kinds are given by their pieces; formula, derivatives, smoothness and facts follow from these.
The others state formula and first two derivatives (tests compare both with the checker and with mpmath), the exact
values in `explorer.model.exact_values`, and the facts. No derivative is ever taken of a ``Max``: at a break it has the
value that both sides agree on, and is undefined (nan) where they do not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import sympy as sp

from explorer.model import exact_values
from explorer.model.exact_values import Taylor
from explorer.model.pieces import Pieces, pieces, value
from explorer.problem import Activation

ZERO, ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True)
class Facts:
    """What holds on the whole real line. ``homogeneous`` = k: phi(c z) = c^k phi(z) for c > 0."""

    parity: str | None = None
    nondecreasing: bool = False
    convex: bool = False
    homogeneous: int | None = None
    positive: bool = False
    bounded: bool = False


@dataclass(frozen=True)
class Break:
    """A point where the function is C^smoothness and no smoother."""

    at: Fraction
    smoothness: int


@dataclass(frozen=True)
class ActivationRow:
    """One activation kind (``kind`` is also the checker's name for it).

    ``family`` is ``polynomial``, ``piecewise polynomial``, ``analytic`` or ``piecewise analytic`` (of a typical member:
    special parameters may be smoother, see `breaks`). ``pieces`` is None for the analytic families; ``exact`` maps a
    rational k and an order to the Taylor coefficients at k ln 2 (None for piecewise polynomials, which are exact
    everywhere).
    """

    kind: str
    family: str
    formula: str
    pieces: Callable[[Activation], Pieces | None]
    expression: Callable[[Activation, sp.Expr], sp.Expr]
    derivatives: Callable[[Activation, sp.Expr], tuple[sp.Expr, sp.Expr]]
    breaks: Callable[[Activation], tuple[Break, ...]]
    facts: Callable[[Activation], Facts]
    exact: Callable[[Activation, Fraction, int], Taylor] | None
    exact_where: str


# -- piecewise polynomials ---------------------------------------------------------------------------------------------


def _polynomial(c: tuple[Fraction, ...], z: sp.Expr) -> sp.Expr:
    return sp.Add(*(rational(a) * z**k for k, a in enumerate(c) if a))


def _glue(p: Pieces, order: int, z: sp.Expr) -> sp.Expr:
    """The order-th derivative as a Piecewise; nan at the breaks where it does not exist."""
    branches = [_polynomial(c, z) for c in p.derivative_pieces(order)]
    if not p.breaks:
        return branches[0]
    pairs: list[tuple[sp.Expr, sp.Basic]] = []
    for k, branch in enumerate(branches):
        conditions = []
        low, high = p.interval(k)
        if low is not None:
            conditions.append(z > rational(low))
        if high is not None:
            conditions.append(z <= rational(high) if p.smoothness[k] >= order else z < rational(high))
        pairs.append((branch, sp.And(*conditions)))
    return (
        sp.Piecewise(*pairs, (sp.nan, True))
        if min(p.smoothness) < order
        else sp.Piecewise(*pairs[:-1], (branches[-1], True))
    )


def _by_pieces(kind: str, family: str, formula: str, build: Callable[[Activation], Pieces]) -> ActivationRow:
    def facts(a: Activation) -> Facts:
        p = build(a)
        return Facts(p.parity, p.nondecreasing, p.convex, p.homogeneous, p.positive, p.bounded)

    return ActivationRow(
        kind=kind,
        family=family,
        formula=formula,
        pieces=build,
        expression=lambda a, z: _glue(build(a), 0, z),
        derivatives=lambda a, z: (_glue(build(a), 1, z), _glue(build(a), 2, z)),
        breaks=lambda a: _breaks(build(a)),
        facts=facts,
        exact=None,
        exact_where="everywhere",
    )


def _breaks(p: Pieces) -> tuple[Break, ...]:
    return tuple(Break(b, k) for b, k in zip(p.breaks, p.smoothness, strict=True))


def _monomial(degree: int) -> tuple[Fraction, ...]:
    return (ZERO,) * degree + (ONE,)


def _at_zero(left: tuple[Fraction, ...], right: tuple[Fraction, ...]) -> Pieces:
    return pieces((ZERO,), (left, right))


# -- the others --------------------------------------------------------------------------------------------------------


def sigmoid(z: sp.Expr) -> sp.Expr:
    """1/(1 + e^-z) as SymPy writes it."""
    return 1 / (1 + sp.exp(-z))


def _sigmoid(a: Activation, z: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    s = sigmoid(z)
    return s * (1 - s), s * (1 - s) * (1 - 2 * s)


def _tanh(a: Activation, z: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    t = sp.tanh(z)
    return 1 - t**2, -2 * t * (1 - t**2)


def _softplus(a: Activation, z: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    s = sigmoid(z)
    return s, s * (1 - s)


def _swish(a: Activation, z: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    s = sigmoid(z)
    return s + z * s * (1 - s), s * (1 - s) * (2 + z * (1 - 2 * s))


def _erf(a: Activation, z: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    d = 2 / sp.sqrt(sp.pi) * sp.exp(-(z**2))
    return d, -2 * z * d


def _gelu(a: Activation, z: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    density = sp.exp(-(z**2) / 2) / sp.sqrt(2 * sp.pi)
    return (1 + sp.erf(z / sp.sqrt(2))) / 2 + z * density, (2 - z**2) * density


def _elu_branches(a: Activation, z: sp.Expr, order: int) -> sp.Expr:
    alpha = rational(a.alpha or ZERO)
    left = alpha * (sp.exp(z) - 1) if order == 0 else alpha * sp.exp(z)
    right = z if order == 0 else sp.Integer(1 if order == 1 else 0)
    if order <= (1 if a.alpha == 1 else 0):
        return sp.Piecewise((left, z < 0), (right, True))
    return sp.Piecewise((left, z < 0), (right, z > 0), (sp.nan, True))


def _elu_facts(a: Activation) -> Facts:
    alpha = a.alpha or ZERO
    return Facts(nondecreasing=alpha >= 0, convex=0 <= alpha <= 1, homogeneous=1 if alpha == 0 else None)


def _analytic(
    kind: str,
    formula: str,
    expression: Callable[[sp.Expr], sp.Expr],
    derivatives: Callable[[Activation, sp.Expr], tuple[sp.Expr, sp.Expr]],
    facts: Facts,
    exact: Callable[[Activation, Fraction, int], Taylor],
    exact_where: str,
) -> ActivationRow:
    return ActivationRow(
        kind=kind,
        family="analytic",
        formula=formula,
        pieces=lambda a: None,
        expression=lambda a, z: expression(z),
        derivatives=derivatives,
        breaks=lambda a: (),
        facts=lambda a: facts,
        exact=exact,
        exact_where=exact_where,
    )


LN2 = "at k ln 2 for integers k"

ACTIVATIONS: tuple[ActivationRow, ...] = (
    _by_pieces("linear", "polynomial", "z", lambda a: pieces((), (_monomial(1),))),
    _by_pieces("relu", "piecewise polynomial", "max(z, 0)", lambda a: _at_zero((ZERO,), _monomial(1))),
    _by_pieces(
        "leaky_relu",
        "piecewise polynomial",
        "z for z >= 0, slope z for z < 0",
        lambda a: _at_zero((ZERO, a.slope or ZERO), _monomial(1)),
    ),
    _by_pieces("requ", "piecewise polynomial", "max(z, 0)^2", lambda a: _at_zero((ZERO,), _monomial(2))),
    _by_pieces("square", "polynomial", "z^2", lambda a: pieces((), (_monomial(2),))),
    _by_pieces("cubic", "polynomial", "z^3", lambda a: pieces((), (_monomial(3),))),
    _by_pieces("polynomial", "polynomial", "c0 + c1 z + c2 z^2 + ...", lambda a: pieces((), (a.coefficients,))),
    _analytic(
        "sigmoid",
        "1/(1 + e^-z)",
        sigmoid,
        _sigmoid,
        Facts(nondecreasing=True, positive=True, bounded=True),
        exact_values.sigmoid,
        LN2,
    ),
    _analytic(
        "tanh",
        "(e^z - e^-z)/(e^z + e^-z)",
        sp.tanh,
        _tanh,
        Facts(parity="odd", nondecreasing=True, bounded=True),
        exact_values.tanh,
        "at k ln 2 for half-integers k",
    ),
    _analytic(
        "softplus",
        "ln(1 + e^z)",
        lambda z: sp.log(1 + sp.exp(z)),
        _softplus,
        Facts(nondecreasing=True, convex=True, positive=True),
        exact_values.softplus,
        "derivatives at k ln 2 for integers k; the value at 0 only",
    ),
    _analytic("swish", "z/(1 + e^-z)", lambda z: z * sigmoid(z), _swish, Facts(), exact_values.swish, LN2),
    _analytic(
        "exp",
        "e^z",
        sp.exp,
        lambda a, z: (sp.exp(z), sp.exp(z)),
        Facts(nondecreasing=True, convex=True, positive=True),
        exact_values.exp,
        LN2,
    ),
    _analytic(
        "sin",
        "sin z",
        sp.sin,
        lambda a, z: (sp.cos(z), -sp.sin(z)),
        Facts(parity="odd", bounded=True),
        exact_values.sin,
        "at 0",
    ),
    _analytic(
        "erf",
        "(2/sqrt(pi)) int_0^z e^(-t^2) dt",
        sp.erf,
        _erf,
        Facts(parity="odd", nondecreasing=True, bounded=True),
        exact_values.erf,
        "the value and the even derivatives at 0",
    ),
    _analytic(
        "gelu",
        "z (1 + erf(z/sqrt 2))/2",
        lambda z: z * (1 + sp.erf(z / sp.sqrt(2))) / 2,
        _gelu,
        Facts(),
        exact_values.gelu,
        "the value and the first derivative at 0",
    ),
    ActivationRow(
        kind="elu",
        family="piecewise analytic",
        formula="z for z >= 0, alpha (e^z - 1) for z < 0",
        pieces=lambda a: _at_zero((ZERO,), _monomial(1)) if a.alpha == 0 else None,
        expression=lambda a, z: _elu_branches(a, z, 0),
        derivatives=lambda a, z: (_elu_branches(a, z, 1), _elu_branches(a, z, 2)),
        breaks=lambda a: (Break(ZERO, 1 if a.alpha == 1 else 0),),
        facts=_elu_facts,
        exact=exact_values.elu,
        exact_where="for z > 0 everywhere, for z < 0 at k ln 2 for integers k",
    ),
    _by_pieces(
        "piecewise-polynomial",
        "piecewise polynomial",
        "polynomials between breaks",
        lambda a: pieces(a.breaks, a.pieces),
    ),
)

_ROWS = {r.kind: r for r in ACTIVATIONS}


def row(activation: Activation) -> ActivationRow:
    """The row of the table for ``activation``."""
    return _ROWS[activation.kind]


def facts(activation: Activation) -> Facts:
    """Global facts of ``activation``, for its parameters."""
    return row(activation).facts(activation)


def pieces_of(activation: Activation) -> Pieces | None:
    """The piecewise polynomial that ``activation`` is, or None."""
    return row(activation).pieces(activation)


def smoothness(activation: Activation, z: Fraction) -> int | None:
    """The k such that ``activation`` is C^k and no smoother at ``z``; None: smooth there."""
    return next((b.smoothness for b in row(activation).breaks(activation) if b.at == z), None)


def rational(value: Fraction) -> sp.Rational:
    return sp.Rational(value.numerator, value.denominator)


__all__ = [
    "ACTIVATIONS",
    "ActivationRow",
    "Break",
    "Facts",
    "facts",
    "pieces_of",
    "rational",
    "row",
    "smoothness",
    "value",
]
