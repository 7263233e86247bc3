"""Paths to infinity on which a loss falls: searched among theta_k(t) = c_k t^(a_k) with integer exponents.

Along such a path a polynomial loss is a Laurent polynomial sum_e G_e(c) t^e, e running over the values a . m at the exponent
vectors m of F. So the search is tropical first (directions a with a . m <= 0 for every m, pointing to infinity) and then about
signs: the largest negative exponent needs a positive coefficient, and G_0 is the limit. A separable logistic loss needs only
a network that classifies every sample: scaling its last layer sends every margin to infinity.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, product
from math import lcm

import numpy as np

from explorer.budget import Budget, Deadline
from explorer.errors import NotCertifiable, Unsupported
from explorer.model.pieces import roots_in
from explorer.model.polynomial import LossPolynomial, evaluate, loss_polynomial
from explorer.paths.curves import EscapeCurve, powers
from explorer.point import Point, RationalField
from explorer.problem import DenseNetwork, Problem

REACH = 2  #: largest absolute exponent that is tried
FREE = 6  #: with more parameters, those of one layer share their exponent
TRIALS = 200  #: coefficient vectors per direction
LARGEST_START = 64


@dataclass(frozen=True)
class Escape:
    """A curve to infinity, and a point with a value below its limit (None where none was found)."""

    curve: EscapeCurve
    better: Point | None


def scaling_escape(problem: Problem, *, seed: int = 0, budget: Budget | None = None) -> Escape:
    """The first path c t^a, in order of the size of a, on which a polynomial loss falls to a limit above its least value.

    A path whose limit is no larger than every value that was found comes last, without a better point. Raises `Unsupported`
    when F is no polynomial, `NotCertifiable` when the search ends without a path.
    """
    deadline = (budget or Budget()).start()
    loss = loss_polynomial(problem)
    sparse = _Sparse.of(loss)
    low, where = _lowest(sparse, len(loss.names), seed, deadline)
    fallback: EscapeCurve | None = None
    for curve in _curves(problem, loss, sparse, seed, deadline):
        if curve.limit <= low:
            low, where = min((low, where), *_mirrored(problem, loss, curve), key=lambda found: found[0])
        if curve.limit > low:
            return Escape(curve, where)
        fallback = fallback or curve
    if fallback is not None:
        return Escape(fallback, None)
    raise NotCertifiable(
        "escape",
        expected=f"a path c t^a with integer exponents up to {REACH} along which F falls",
        got="none in this family",
        remedy="paths of other shapes may exist",
    )


def _curves(
    problem: Problem, loss: LossPolynomial, sparse: _Sparse, seed: int, deadline: Deadline
) -> Iterator[EscapeCurve]:
    groups = _groups(problem)
    d = len(loss.names)
    exponents = np.array(list(loss.terms), dtype=np.int64).reshape(len(loss.terms), d)
    grouped = np.stack([exponents[:, g].sum(axis=1) for g in groups], axis=1)
    for direction in _directions(len(groups)):
        deadline.check("looking for a path to infinity")
        if (grouped @ np.array(direction, dtype=np.int64)).max(initial=0) > 0:
            continue
        a = [0] * d
        for g, e in zip(groups, direction, strict=True):
            for k in g:
                a[k] = e
        for c in islice(_coefficients(d, seed), TRIALS):
            found = falling(sparse.along(a, c)) if any(x > 0 and y for x, y in zip(a, c, strict=True)) else None
            if found is not None:
                since, limit = found
                because = "theta_k = c_k t^a_k with a = (" + ", ".join(map(str, a)) + ")"
                yield EscapeCurve(RationalField(), powers([Fraction(v) for v in c], a), since, limit, because)
                break


@dataclass(frozen=True)
class _Sparse:
    """A polynomial as integers: scale * F = sum of coefficient * product of the listed powers."""

    scale: int
    terms: tuple[tuple[int, tuple[tuple[int, int], ...]], ...]

    @classmethod
    def of(cls, loss: LossPolynomial) -> _Sparse:
        scale = lcm(*(c.denominator for c in loss.terms.values()))
        rows = [(int(c * scale), tuple((k, e) for k, e in enumerate(m) if e)) for m, c in loss.terms.items()]
        return cls(scale, tuple(rows))

    def along(self, a: Sequence[int], c: Sequence[int]) -> dict[int, Fraction]:
        """F(c t^a) as exponent -> coefficient."""
        series: dict[int, int] = {}
        for value, powers_ in self.terms:
            exponent = 0
            for k, e in powers_:
                value *= c[k] ** e
                exponent += a[k] * e
            series[exponent] = series.get(exponent, 0) + value
        return {e: Fraction(g, self.scale) for e, g in series.items()}

    def at(self, point: Sequence[int]) -> Fraction:
        """F at an integer point."""
        return sum(self.along([0] * len(point), point).values(), Fraction(0))


def falling(series: Mapping[int, Fraction]) -> tuple[Fraction, Fraction] | None:
    """(since, limit) if sum_e g_e t^e decreases strictly to ``limit`` for t >= since, a power of 2 up to `LARGEST_START`."""
    moving = {e: g for e, g in series.items() if e and g}
    if not moving or max(moving) > 0 or moving[max(moving)] < 0:
        return None
    shift = 1 - min(moving)
    slope = [Fraction(0)] * (max(moving) + shift)
    for e, g in moving.items():
        slope[e - 1 + shift] = e * g
    since = 1
    while since <= LARGEST_START:  # the slope is negative for large t, so it is so wherever no root follows
        if not roots_in(tuple(slope), Fraction(since), None):
            return Fraction(since), series.get(0, Fraction(0))
        since *= 2
    return None


def _directions(size: int) -> list[tuple[int, ...]]:
    """Primitive integer vectors with a positive entry, the shortest first."""
    every = product(range(-REACH, REACH + 1), repeat=size)
    good = [v for v in every if max(v) > 0 and np.gcd.reduce(v) == 1]
    return sorted(good, key=lambda v: (sum(map(abs, v)), v))


def _groups(problem: Problem) -> list[list[int]]:
    """Parameters that share an exponent: each alone, or (many) those of one layer."""
    d, net = len(problem.parameters), problem.network
    if d <= FREE or not isinstance(net, DenseNetwork):
        return [[k] for k in range(d)]
    by_layer: dict[str, list[int]] = {}
    for k, name in enumerate(problem.parameters):
        by_layer.setdefault(name.split("_")[0], []).append(k)
    return list(by_layer.values())


def _coefficients(d: int, seed: int) -> Iterator[list[int]]:
    """Signs first where there are few, then small integers at random."""
    if d <= FREE:
        for signs in product((1, -1), repeat=d):
            yield list(signs)
    pick = random.Random(seed)
    while True:
        yield [pick.choice((-3, -2, -1, 1, 2, 3)) for _ in range(d)]


def _lowest(sparse: _Sparse, d: int, seed: int, deadline: Deadline) -> tuple[Fraction, Point]:
    """The lowest value on a small grid (or a random sample of it), and where; the first among equals."""
    pick = random.Random(seed)
    values = (0, 1, -1, 2, -2)
    many = len(values) ** d > 700
    points = ([pick.choice(values) for _ in range(d)] for _ in range(300)) if many else product(values, repeat=d)
    best: tuple[Fraction, Point] | None = None
    for p in points:
        deadline.check("looking for a lower point")
        value = sparse.at(p)
        if best is None or value < best[0]:
            best = value, Point.rational(p)
    assert best is not None  # the grid is not empty
    return best


def _mirrored(problem: Problem, loss: LossPolynomial, curve: EscapeCurve) -> Iterator[tuple[Fraction, Point]]:
    """Values on the curve with its last layer negated: where F falls to the limit, it rises from below on the mirror image."""
    net = problem.network
    last = str(net.depth) if isinstance(net, DenseNetwork) else ""
    for k in range(7 if last else 0):
        at = []
        for name, terms in zip(problem.parameters, curve.curve, strict=True):
            value = sum((c[0] * Fraction(2) ** (k * e[0]) for c, e in terms), Fraction(0))
            at.append(-value if name.split("_")[0][1:] == last else value)
        yield evaluate(loss.terms, at), Point.rational(at)


# -- logistic losses ----------------------------------------------------------------------------------------------------


def separating_escape(problem: Problem, *, seed: int = 0, budget: Budget | None = None) -> EscapeCurve:
    """The last layer of a network that classifies every sample, multiplied by t: a logistic loss falls to 0, its infimum.

    Raises `Unsupported` for other losses, `NotCertifiable` when no classifying network was found.
    """
    from explorer.paths.separate import classifiers

    net = problem.network
    if (
        not isinstance(net, DenseNetwork)
        or problem.loss is None
        or problem.loss.kind != "logistic"
        or problem.regularizer
    ):
        raise Unsupported("the loss", expected="the logistic loss without a regularizer", got="another one")
    if net.output.kind != "linear":
        raise Unsupported("the network", expected="a linear output", got=net.output.kind)
    deadline = (budget or Budget()).start()
    found = next(classifiers(problem, seed=seed, deadline=deadline), None)
    if found is None:
        raise NotCertifiable("escape", expected="a network that classifies every sample", got="none in the search")
    field, prefix, last = found
    constant = tuple((((c, (0, 0)),) if any(c) else ()) for c in prefix)
    scaled = tuple(((((v,), (1, 0)),) if v else ()) for v in last)
    because = "the last layer of a network that classifies every sample, times t"
    return EscapeCurve(field, (*constant, *scaled), Fraction(1), Fraction(0), because)
