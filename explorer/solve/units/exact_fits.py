"""The set of exact fits F = 0 of a network without regularizer, in a box: a point that is proved on it, or a proof that it misses the box.

f(theta) = y are N equations in d parameters. Krawczyk's test in N of the parameters, with the others fixed at rational numbers, proves a point with a regular Jacobian.
If none is found, boxes of incoming weights are excluded by hyperplanes that separate y from what the output weights in their box can fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, cast

import flint
import numpy as np
from flint import arb

from explorer.algebra.balls import ball
from explorer.algebra.krawczyk import KrawczykProof, prove_root
from explorer.algebra.systems import PolynomialSystem
from explorer.budget import Deadline
from explorer.model.jets import Where
from explorer.point import EnclosedPoint, Inertia
from explorer.problem import DenseNetwork, Problem
from explorer.solve.boxes.arrays import Range
from explorer.solve.boxes.balls import BallRing
from explorer.solve.boxes.interval_batch import Batch, floats, sum_of
from explorer.solve.boxes.ring import derivative_range
from explorer.solve.results import Component, Evidence, Kind, Value

STARTS, TRIED, STEPS = 2_048, 16, 30  #: random incoming weights, the best of which are refined
MOST_BOXES, BATCH = 200_000, 4_096
DESCENT = 100  #: steps of the proposal for a separating hyperplane
NARROW = Fraction(1, 2**64)  #: the half-width that a fixed coordinate gets beside enclosed ones


@dataclass(frozen=True)
class Residuals:
    """f(theta) - y at all samples, for units with one incoming weight, as a system in the parameters ``free``; the others are fixed at ``at``."""

    problem: Problem
    free: tuple[int, ...]
    at: tuple[Fraction, ...]
    is_square = True

    def _everything(self, x: Sequence[Any]) -> list[Any]:
        out = [ball(v) for v in self.at]
        for k, v in zip(self.free, x, strict=True):
            out[k] = v
        return out

    def at_balls(self, x: Sequence[Any]) -> list[Any]:
        return outputs(self.problem, self._everything(x), order=0)[0]

    def jacobian_at_balls(self, x: Sequence[Any]) -> list[list[Any]]:
        rows = outputs(self.problem, self._everything(x), order=1)[1]
        return [[row[k] for k in self.free] for row in rows]


def outputs(problem: Problem, theta: Sequence[Any], *, order: int) -> tuple[list[Any], list[list[Any]]]:
    """f(theta) - y at all samples in balls, and (order 1) its Jacobian."""
    net, data = problem.network, problem.data
    assert isinstance(net, DenseNetwork)
    assert data is not None
    n, ring, where = net.widths[1], BallRing(), Where("exact fits")
    values, rows = [], []
    for (x,), (y,) in zip(data.inputs, data.targets, strict=True):
        jets = [ring.derivatives(net.activations[0], theta[j] * ball(x), order, where) for j in range(n)]
        values.append(sum((theta[n + j] * jets[j][0] for j in range(n)), -ball(y)))
        if order:
            rows.append([theta[n + j] * jets[j][1] * ball(x) for j in range(n)] + [jets[j][0] for j in range(n)])
    return values, rows


def fits(problem: Problem, box: EnclosedPoint, deadline: Deadline) -> tuple[list[Component], str]:
    """The family F = 0 inside the box as one component, if there is one, and the doubt that is left."""
    data = problem.data
    assert data is not None
    point = _point(problem, box, deadline)
    if point is not None:
        return [_component(problem, point, len(data))], ""
    return [], "" if _missed(problem, box, deadline) else "whether the box holds exact fits is not decided"


def is_fit(problem: Problem, box: EnclosedPoint) -> bool:
    """Whether the only critical point in the box is an exact fit, with as many samples as parameters: there is one in it (Krawczyk's test on f = y)."""
    d = len(box.lower)
    if problem.data is None or len(problem.data) != d:
        return False
    proof = prove_root(cast(PolynomialSystem, Residuals(problem, tuple(range(d)), box.lower)), box.centre)
    if not isinstance(proof, KrawczykProof):
        return False
    inner = zip(box.lower, proof.point.lower, proof.point.upper, box.upper, strict=True)
    return all(a <= u and v <= b for a, u, v, b in inner)


def _point(problem: Problem, box: EnclosedPoint, deadline: Deadline) -> EnclosedPoint | None:
    """By Gauss and Newton's method from random starts in the box, and Krawczyk's test."""
    data = problem.data
    assert data is not None
    d, samples = len(box.lower), len(data)
    lo, hi = floats(box.lower), floats(box.upper)
    random = np.random.default_rng(0)
    w = lo[: d // 2, None] + (hi - lo)[: d // 2, None] * random.random((d // 2, STARTS))
    y = floats(row[0] for row in data.targets)
    with np.errstate(all="ignore"):
        phi = np.array([[_unit(problem, v, w[j], w[j]).mid for j in range(d // 2)] for (v,) in data.inputs])
        v = _best(phi, y, lo[d // 2 :], hi[d // 2 :])
        distance = np.linalg.norm(np.einsum("ijm,jm->im", phi, v) - y[:, None], axis=0)
    for k in np.argsort(distance)[:TRIED].tolist():
        deadline.check("looking for an exact fit")
        x: Any = np.concatenate([w[:, k], v[:, k]])
        for _ in range(STEPS):
            r, jacobian = _floats(problem, x)
            step = np.linalg.lstsq(jacobian, r, rcond=None)[0] if np.isfinite(jacobian).all() else np.zeros(d)
            x = np.clip(x - step, lo, hi)
        r, jacobian = _floats(problem, x)
        if not np.abs(r).max() < np.ldexp(1, -30):
            continue
        free = _columns(jacobian, samples)
        at = tuple(Fraction(v).limit_denominator(2**16) for v in x.tolist())
        proof = prove_root(cast(PolynomialSystem, Residuals(problem, free, at)), [Fraction(x[k]) for k in free])
        if not isinstance(proof, KrawczykProof):
            continue
        lower, upper = [v - NARROW for v in at], [v + NARROW for v in at]
        for k, a, b in zip(free, proof.point.lower, proof.point.upper, strict=True):
            lower[k], upper[k] = a, b
        inside = zip(box.lower, lower, upper, box.upper, strict=True)
        if all(a <= u and v <= b for a, u, v, b in inside):
            return EnclosedPoint(tuple(lower), tuple(upper))
    return None


def _floats(problem: Problem, x: Any) -> tuple[Any, Any]:
    with flint.ctx.workprec(64):
        values, rows = outputs(problem, [arb(v) for v in x.tolist()], order=1)
        return floats(values), np.stack([floats(row) for row in rows])


def _columns(jacobian: Any, count: int) -> tuple[int, ...]:
    """Columns that span the image well (pivoted Gram and Schmidt)."""
    rest, chosen = jacobian.copy(), []
    for _ in range(count):
        k = int(np.argmax((rest**2).sum(axis=0)))
        chosen.append(k)
        q = rest[:, k] / np.linalg.norm(rest[:, k])
        rest = rest - np.outer(q, q @ rest)
    return tuple(sorted(chosen))


def _missed(problem: Problem, box: EnclosedPoint, deadline: Deadline) -> bool:
    """Whether no part of the box of incoming weights has output weights in their box that fit: for each part there is a combination of the samples with
    sum_i a_i y_i > sum_i a_i f_i for all of them (a separating hyperplane; floats propose it: the residual of the best fit)."""
    net, data = problem.network, problem.data
    assert isinstance(net, DenseNetwork)
    assert data is not None
    n = net.widths[1]
    x, y = [row[0] for row in data.inputs], [row[0] for row in data.targets]
    sides = [Range.of(v) for v in box.lower], [Range.of(v) for v in box.upper]
    low, high = np.array([r.lo for r in sides[0]]), np.array([r.hi for r in sides[1]])
    outer = [Batch(np.array([[a], [b]])) for a, b in zip(low[n:], high[n:], strict=True)]
    stack, count = [(low[:n, None], high[:n, None])], 0
    while stack:
        deadline.check("excluding exact fits")
        lo, hi = stack.pop()
        if lo.shape[1] > BATCH:
            stack.append((lo[:, BATCH:], hi[:, BATCH:]))
            lo, hi = lo[:, :BATCH], hi[:, :BATCH]
        count += lo.shape[1]
        with np.errstate(all="ignore"):
            phi = [[_unit(problem, v, lo[j], hi[j]) for j in range(n)] for v in x]
            a = _separating(np.array([[p.mid for p in line] for line in phi]), floats(y), low[n:], high[n:])
            parts = [Batch.numbers(v) for v in a]
            total = sum_of(c * Batch.constant(v) for c, v in zip(parts, y, strict=True))
            for j in range(n):
                total = total - sum_of(c * line[j] for c, line in zip(parts, phi, strict=True)) * outer[j]
        left = ~(total.v[0] > 0)
        lo, hi = lo[:, left], hi[:, left]
        if count > MOST_BOXES:
            return False
        if lo.shape[1]:
            pick = ((hi - lo).argmax(axis=0), np.arange(lo.shape[1]))
            first, second = hi.copy(), lo.copy()
            first[pick] = second[pick] = (lo[pick] + hi[pick]) / 2
            stack.append((np.concatenate([lo, second], axis=1), np.concatenate([first, hi], axis=1)))
    return True


def _unit(problem: Problem, x: Fraction, lo: Any, hi: Any) -> Batch:
    assert isinstance(problem.network, DenseNetwork)
    activation = problem.network.activations[0]
    z = (Batch.constant(x) * Batch(np.stack([lo, hi]))).v
    found = derivative_range(activation, Range(z[0], z[1]), 0, lambda k: Range(z[0], z[1]), {})
    return Batch(np.stack([found.lo, found.hi]))


def _separating(phi: Any, y: Any, low: Any, high: Any) -> Any:
    """y minus its best fit by the columns of phi (shape (samples, units, M)) with weights in their box."""
    return np.nan_to_num(y[:, None] - np.einsum("ijm,jm->im", phi, _best(phi, y, low, high)))


def _best(phi: Any, y: Any, low: Any, high: Any) -> Any:
    """The output weights in their box that fit best, shape (units, M), by projected gradients."""
    v = np.zeros((phi.shape[1], phi.shape[2])) + ((low + high) / 2)[:, None]
    step = 1 / (phi**2).sum(axis=(0, 1))
    for _ in range(DESCENT):
        r = np.einsum("ijm,jm->im", phi, v) - y[:, None]
        v = np.clip(v - step * np.einsum("ijm,im->jm", phi, r), low[:, None], high[:, None])
    return v


def _component(problem: Problem, point: EnclosedPoint, samples: int) -> Component:
    data = problem.data
    assert data is not None
    d = len(problem.parameters)
    pairs = zip(data.inputs, data.targets, strict=True)
    return Component(
        dimension=d - samples,
        sample=point,
        value=Value.rational(Fraction(0)),
        inertia=Inertia(samples, d - samples, 0),
        kind=Kind.MINIMUM,
        is_global=True,
        because="F = 0 here and F >= 0 everywhere: the loss is a sum of nonnegative terms",
        equations=tuple(f"f({x[0]}) = {y[0]}" for x, y in pairs),
        description=f"the set of all networks in the box that fit the data (not claimed connected), of dimension {d - samples} "
        "near the sample, which is a box around one point of it",
        evidence=Evidence(at_floor=True),
    )
