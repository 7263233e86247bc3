"""The table of regularizers: each is a sum of functions of single parameters and of cubes of Euclidean norms.

|t|^k is t^k for even k and a piecewise polynomial with one break (C^(k-1) at 0) for odd k, so its derivatives come from
the table of activations. Only |(w_j, b_j)|^3 couples parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from explorer.errors import Unsupported
from explorer.problem import Activation, AddedExponential, DenseNetwork, Problem, Regularizer


@dataclass(frozen=True)
class Separable:
    """weight * function(theta_k), k = ``parameter``."""

    parameter: int
    weight: Fraction
    function: Activation


@dataclass(frozen=True)
class NormCubed:
    """weight * (sum of theta_k^2 over ``parameters``)^(3/2): C^2 everywhere, no smoother where all of them are 0."""

    parameters: tuple[int, ...]
    weight: Fraction


RegularizerTerm = Separable | NormCubed


@dataclass(frozen=True)
class RegularizerRow:
    """One regularizer kind (also the checker's name). ``smoothness`` is the C^k order at theta = 0 (None: smooth)."""

    kind: str
    formula: str
    terms: Callable[[Regularizer, DenseNetwork], tuple[RegularizerTerm, ...]]
    smoothness: Callable[[Regularizer], int | None]


def absolute_power(exponent: int) -> Activation:
    """t -> |t|^exponent."""
    monomial = (Fraction(0),) * exponent + (Fraction(1),)
    if exponent % 2 == 0:
        return Activation("polynomial", coefficients=monomial)
    return Activation("piecewise-polynomial", breaks=(Fraction(0),), pieces=(tuple(-c for c in monomial), monomial))


def _l2(r: Regularizer, net: DenseNetwork) -> tuple[RegularizerTerm, ...]:
    return tuple(Separable(k, c, Activation("square")) for k, c in enumerate(r.weights) if c)


def _power(r: Regularizer, net: DenseNetwork) -> tuple[RegularizerTerm, ...]:
    if r.exponent is None:
        raise Unsupported("regularizer", expected="an exponent", got="none")
    return tuple(Separable(k, c, absolute_power(r.exponent)) for k, c in enumerate(r.weights) if c)


def _neuron_cubic(r: Regularizer, net: DenseNetwork) -> tuple[RegularizerTerm, ...]:
    d, m, bias = net.widths[0], net.widths[1], net.bias[0]
    out: list[RegularizerTerm] = []
    for j, c in enumerate(r.weights):
        if c == 0:
            continue
        incoming = tuple(range(j * d, (j + 1) * d)) + ((m * d + j,) if bias else ())
        outgoing = m * d + (m if bias else 0) + j
        out.append(Separable(outgoing, c / 3, absolute_power(3)))
        if len(incoming) == 1:  # |w|^3 needs no square root
            out.append(Separable(incoming[0], 2 * c / 3, absolute_power(3)))
        else:
            out.append(NormCubed(incoming, 2 * c / 3))
    return tuple(out)


REGULARIZERS: tuple[RegularizerRow, ...] = (
    RegularizerRow("l2", "sum_k lambda_k theta_k^2", _l2, lambda r: None),
    RegularizerRow(
        "power",
        "sum_k lambda_k |theta_k|^p",
        _power,
        lambda r: None if r.exponent is None or r.exponent % 2 == 0 else r.exponent - 1,
    ),
    RegularizerRow("neuron-cubic", "(1/3) sum_j lambda_j (|a_j|^3 + 2 |(w_j, b_j)|^3)", _neuron_cubic, lambda r: 2),
)

_ROWS = {r.kind: r for r in REGULARIZERS}


def row(regularizer: Regularizer) -> RegularizerRow:
    return _ROWS[regularizer.kind]


def terms(problem: Problem) -> tuple[RegularizerTerm, ...]:
    """The terms of the problem's regularizer (none without one)."""
    net = problem.network
    dense = net.base if isinstance(net, AddedExponential) else net
    if problem.regularizer is None or not isinstance(dense, DenseNetwork):
        return ()
    return row(problem.regularizer).terms(problem.regularizer, dense)
