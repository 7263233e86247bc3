"""Walled basins around strict minima: a box on which F is uniformly convex is a wall by itself.

Let p be critical with a positive definite Hessian H. If mu_k > 0 satisfy sum_k mu_k (H^-1)_kk < 1, then H - diag(mu) is positive
definite (the trace of H^(-1/2) diag(mu) H^(-1/2) bounds its largest eigenvalue), and so it is on a small box around p; there
F(q) >= F(p) + sum_k mu_k (q_k - p_k)^2 / 2. The box is shrunk until the independent checker accepts it.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor, isqrt

import flint
from flint import arb

from explorer.algebra.balls import ball, dyadic_value
from explorer.algebra.fields import arithmetic
from explorer.algebra.inertia import PRECISION, Undecided, inertia_in_box
from explorer.certify.boxes import matrix_json, system_of
from explorer.certify.certificate import Certificate
from explorer.certify.encode import Step, assemble, number
from explorer.certify.extrema import merged
from explorer.certify.located import Located
from explorer.errors import NotCertifiable
from explorer.point import AnyPoint, EnclosedPoint
from explorer.problem import Problem

HALVINGS = 60
Balls = list[list[arb]]


def strict_basin(problem: Problem, at: AnyPoint, better: AnyPoint) -> Certificate:
    """``spurious-basin`` for a strict minimum: the component of ``at`` in some {F <= level} stays in a box, F(better) is lower.

    Raises `NotCertifiable` where the Hessian is not positive definite, where ``better`` is not lower, or where no box
    is small enough within the number of attempts.
    """
    p, q = Located.of(problem, "p", at), Located.of(problem, "q", better)
    goal = {"kind": "spurious-basin", "point": "p", "better": "q"}
    if q.bounds[1] >= p.bounds[0]:
        raise NotCertifiable("lower point", expected="F(q) < F(p)", got="a value that is not smaller")
    return _walled(p, q, goal, [*p.stationary_steps(), p.value_step(), q.value_step()])


def strict_barrier(problem: Problem, at: AnyPoint, to: AnyPoint) -> Certificate:
    """``barrier`` around a strict minimum: ``to`` lies outside a box with higher values on its boundary. Errors as above."""
    p, q = Located.of(problem, "p", at), Located.of(problem, "q", to)
    return _walled(p, q, {"kind": "barrier", "point": "p", "to": "q"}, [*p.stationary_steps(), p.value_step()])


def _walled(p: Located, q: Located, goal: dict[str, str], steps: list[Step]) -> Certificate:
    """The box is shrunk until the goal is accepted."""
    hessian = _hessian(p)
    moduli = _moduli(hessian)
    shifted = [[h - ball(mu) if i == j else h for j, h in enumerate(row)] for i, (row, mu) in enumerate(zip(hessian, moduli, strict=True))]  # fmt: skip
    congruence = matrix_json(_congruence(shifted))
    said = "nothing"
    for k in range(HALVINGS):
        wall = _wall(p, moduli, Fraction(1, 4**k)) | {"congruence": congruence}
        verdict = (found := assemble(p.problem, goal, {"p": p.point, "q": q.point}, merged([*steps, wall]))).check()
        if verdict.status == "verified":
            return found
        said = f"{verdict.where}: {verdict.why}"
        if verdict.where not in ("basin", "inertia", "smoothness", "limit", "goal"):
            break
    raise NotCertifiable("basin", expected="a box on which F is uniformly convex", got=said)


def _wall(p: Located, moduli: list[Fraction], square: Fraction) -> Step:
    """The box with mu_k gap_k^2 >= ``square`` on every face, and the level F(p) + square/4."""
    low, high = _corners(p)
    gaps = [_root_above(square / mu) for mu in moduli]
    exact = p.value if p.value is not None and not any(p.value[1:]) else None
    level = (exact[0] if exact else p.bounds[1]) + square / 4
    return {
        "rule": "basin",
        "point": "p",
        "level": number(_short(level, square)),
        "lower": [number(_floor(a - g, g)) for a, g in zip(low, gaps, strict=True)],
        "upper": [number(-_floor(-b - g, g)) for b, g in zip(high, gaps, strict=True)],
        "moduli": [number(mu) for mu in moduli],
    }


def _corners(p: Located) -> tuple[list[Fraction], list[Fraction]]:
    if isinstance(p.point, EnclosedPoint):
        return list(p.point.lower), list(p.point.upper)
    a = arithmetic(p.field)
    ends = [a.enclose(c, 80) for c in p.exact.coordinates]
    return [e[0] for e in ends], [e[1] for e in ends]


def _hessian(p: Located) -> Balls:
    with flint.ctx.workprec(PRECISION):
        if isinstance(p.point, EnclosedPoint):
            rows = system_of(p).jacobian_at_balls([ball(c) for c in p.point.centre])
            return [[rows[i][j] for j in range(len(p.point.centre))] for i in range(len(p.point.centre))]
        a, found = arithmetic(p.geometry.field), p.geometry.hessian
        assert found is not None
        return [[ball(*a.enclose(v, 128)) for v in row] for row in found]


def _moduli(hessian: Balls) -> list[Fraction]:
    """mu_k near 1/(2 d (H^-1)_kk), from H^-1 = S D^-1 S^T with S^T H S = D."""
    d, s = len(hessian), _congruence(hessian)
    with flint.ctx.workprec(PRECISION):
        columns = list(zip(*s, strict=True))
        pivots = [_quadratic(hessian, [ball(v) for v in c]) for c in columns]
        spread = [sum((ball(columns[j][k]) ** 2 / pivots[j] for j in range(d)), arb(0)) for k in range(d)]
        return [_power_below(dyadic_value((1 / (2 * d * v)).mid())) for v in spread]


def _quadratic(hessian: Balls, v: list[arb]) -> arb:
    return sum((a * h * b for a, row in zip(v, hessian, strict=True) for h, b in zip(row, v, strict=True)), arb(0))


def _congruence(matrix: Balls) -> tuple[tuple[Fraction, ...], ...]:
    found = inertia_in_box(matrix)
    if isinstance(found, Undecided) or found.inertia.positive != len(matrix):
        raise NotCertifiable("basin", expected="a positive definite Hessian", got="another one, or a singular one")
    return found.congruence


def _power_below(value: Fraction) -> Fraction:
    """The largest power of 2 that is not above a positive number."""
    k = value.numerator.bit_length() - value.denominator.bit_length()
    power = Fraction(2) ** k
    return power if power <= value else power / 2


def _root_above(value: Fraction) -> Fraction:
    """A short number a little above the square root."""
    scale = _power_below(value) ** -1 * 2**20
    scaled = isqrt(ceil(value * scale * scale)) + 1
    return Fraction(scaled) / scale


def _short(value: Fraction, size: Fraction) -> Fraction:
    """``value`` up to size/16, with few digits."""
    grain = _power_below(size) / 16
    return Fraction(round(value / grain)) * grain


def _floor(value: Fraction, size: Fraction) -> Fraction:
    grain = _power_below(size) / 1024
    return Fraction(floor(value / grain)) * grain
