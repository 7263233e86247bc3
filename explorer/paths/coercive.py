"""Coercivity: explicit radii where the regularizer holds every parameter, and a ray on which F stands still where it does not."""

from __future__ import annotations

from fractions import Fraction

from explorer.errors import Unsupported
from explorer.model.activations import pieces_of
from explorer.paths.curves import EscapeCurve, Piece
from explorer.point import Field, Ln2Ring, RationalField
from explorer.problem import DenseNetwork, Problem, Regularizer

GRAIN = 4  #: radii are multiples of 1/GRAIN


def penalties(problem: Problem) -> tuple[tuple[Fraction, ...], int]:
    """(w, e) with sum_k w_k |theta_k|^e <= regularizer (zeros without one)."""
    net, r = problem.network, problem.regularizer
    if problem.loss is None:
        raise Unsupported("coercivity", expected="a network loss, which is nonnegative", got="a loss without data")
    if r is None:
        return (Fraction(0),) * net.parameter_count, 1
    if r.kind != "neuron-cubic" or not isinstance(net, DenseNetwork):
        return r.weights, _exponent(r)
    inner = [2 * w / 3 for w in r.weights for _ in range(net.widths[0])]
    inner += [2 * w / 3 for w in r.weights] if net.bias[0] else []
    return (*inner, *(w / 3 for w in r.weights)), 3


def radii(problem: Problem, level: Fraction) -> tuple[Fraction, ...] | None:
    """r with: F <= level implies |theta_k| <= r_k; None where some parameter is not penalised."""
    weights, exponent = penalties(problem)
    if not all(weights):
        return None
    return tuple(_radius(level / w, exponent) for w in weights)


def flat_ray(problem: Problem) -> EscapeCurve:
    """A ray to infinity on which F does not change: a weight into a silent unit, or two opposite output weights.

    Raises `Unsupported` where no such ray is seen (F may still be coercive or not).
    """
    weights, _ = penalties(problem)
    net, names = problem.network, problem.parameters
    assert problem.data is not None
    assert problem.loss is not None
    if (
        isinstance(net, DenseNetwork)
        and problem.loss.kind == "squared"
        and net.output.kind == "linear"
        and net.depth >= 2
    ):
        limit = sum(
            (c * y * y for c, row in zip(problem.loss.weights, problem.data.targets, strict=True) for y in row),
            Fraction(0),
        )
        field: Field = RationalField() if all(pieces_of(a) for a in net.activations) else Ln2Ring()
        free = [k for k, w in enumerate(weights) if w == 0]
        silent = next((k for k in free if names[k].startswith(("w1_", "b1_"))), None)
        if silent is not None:
            because = f"{names[silent]} = t, everything else 0: the unit is silent"
            return EscapeCurve(field, _ray(len(names), {silent: 1}), Fraction(1), limit, because)
        last = [k for k in free if names[k].startswith(f"w{net.depth}_1_")]
        if net.depth == 2 and len(last) >= 2:
            because = f"{names[last[0]]} = t, {names[last[1]]} = -t, everything else 0: two equal units cancel"
            return EscapeCurve(field, _ray(len(names), {last[0]: 1, last[1]: -1}), Fraction(1), limit, because)
    raise Unsupported(
        "coercivity",
        expected="a regularizer on every parameter, or a parameter that F does not see",
        got="neither",
        remedy="explorer paths --kind escape looks for a path to infinity",
    )


def _ray(size: int, slopes: dict[int, int]) -> Piece:
    return tuple((((Fraction(slopes[k]),), (1, 0)),) if k in slopes else () for k in range(size))


def _radius(target: Fraction, exponent: int) -> Fraction:
    """The smallest positive multiple r of 1/GRAIN with r^exponent >= target."""
    low, high = 0, 1
    while Fraction(high, GRAIN) ** exponent < target:
        high *= 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if Fraction(middle, GRAIN) ** exponent < target else (low, middle)
    return Fraction(high, GRAIN)


def _exponent(r: Regularizer) -> int:
    return 2 if r.kind == "l2" else int(r.exponent or 0)
