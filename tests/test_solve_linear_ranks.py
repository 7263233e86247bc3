"""Orbits of linear networks with one ridge weight, rank by rank: against Newton's method from random starts, and by hand.

The independent route: Levenberg's method on the gradient of F, from its definition, to 1e-12, from many starts of several sizes. Points are
compared by the product of the layers, which tells orbits apart (docs/linear.md), by their value and by their index.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction as F
from itertools import pairwise
from time import process_time

import numpy as np
import pytest

from explorer.budget import Budget
from explorer.point import Inertia
from explorer.problem import Problem
from explorer.solve.critical import critical_set
from explorer.solve.deep_linear import moments
from explorer.solve.linear_counts import Counted, complaint, cone, frames, planes
from explorer.solve.linear_orbits import BY_RANKS, METHOD
from explorer.solve.linear_ranks import by_ranks
from explorer.solve.results import Kind
from explorer.solve.scalars import enclosure

EYE = [[1, 0], [0, 1]]


def network(widths, inputs, targets, weight):
    return Problem.dense(
        widths=widths, inputs=inputs, targets=targets, regularizer={"kind": "l2", "weights": str(weight)}
    )


def solved(problem, seconds=60):
    found = critical_set(problem, budget=Budget(seconds))
    assert found.coverage.complete, found.coverage.reason
    assert found.coverage.method == BY_RANKS
    return found


def drawn(widths, seed):
    """A random problem: whole numbers, three to five samples, a ridge weight from rather small to rather large."""
    rng = np.random.default_rng([seed, *widths])
    samples = int(rng.integers(2, 6))
    inputs, targets = (rng.integers(-3, 4, size=(samples, n)).tolist() for n in (widths[0], widths[-1]))
    scale = [F(1, 100), F(1, 40), F(1, 10)] if len(widths) > 3 else [F(1, 10), F(1, 2), F(2), F(5), F(12)]
    return network(widths, inputs, targets, scale[int(rng.integers(len(scale)))])


class Floats:
    """F, half its gradient and half its Hessian at a batch of points (B, d) in floating point, with the sums over layers written out."""

    def __init__(self, problem):
        widths = problem.network.widths
        self.shapes = [(b, a) for a, b in pairwise(widths)]
        x, y = (np.array([[float(v) for v in r] for r in t]) for t in (problem.data.inputs, problem.data.targets))
        self.c, self.b, self.total = x.T @ x, y.T @ x, (y * y).sum()
        self.weight, self.size = float(problem.regularizer.weights[0]), len(problem.parameters)

    def layers(self, theta):
        ends = np.cumsum([a * b for a, b in self.shapes])[:-1]
        return [t.reshape(-1, *s) for t, s in zip(np.split(theta, ends, axis=1), self.shapes, strict=True)]

    def product(self, theta):
        out = np.eye(self.shapes[0][1])
        for w in self.layers(theta):
            out = w @ out
        return out

    def value(self, theta):
        p = self.product(theta)
        return self.total + np.sum(p * (p @ self.c - 2 * self.b), axis=(1, 2)) + self.weight * np.sum(theta**2, axis=1)

    def gradient(self, theta):
        ws = self.layers(theta)
        before, after = [np.eye(self.shapes[0][1])[None]], [np.eye(self.shapes[-1][0])[None]]
        for w in ws[:-1]:
            before.append(w @ before[-1])
        for w in ws[:0:-1]:
            after.append(after[-1] @ w)
        e = self.product(theta) @ self.c - self.b
        slopes = [a.swapaxes(1, 2) @ e @ b.swapaxes(1, 2) for a, b in zip(after[::-1], before, strict=True)]
        return np.concatenate([s.reshape(len(theta), -1) for s in slopes], axis=1) + self.weight * theta

    def hessian(self, theta):
        """By a complex step: exact to rounding, as every operation above is analytic."""
        step = 1e-30
        rows = [self.gradient(theta + 1j * step * e).imag / step for e in np.eye(self.size)]
        return (np.array(rows).transpose(1, 0, 2) + np.array(rows).transpose(1, 2, 0)) / 2

    def critical(self, theta, rounds=100):
        """The ends of Levenberg-Marquardt on the gradient that reach 1e-12; a start that does not move any more is given up."""
        done, goal = [], 1e-24 * (1 + self.total) ** 2
        g, damp = self.gradient(theta), np.full(len(theta), 1e-2)
        for _ in range(rounds):
            size = np.sum(g * g, axis=1)
            done.append(theta[size < goal])
            left = (size >= goal) & (damp < 1e9)
            if not left.any():
                break
            theta, g, damp, size = theta[left], g[left], damp[left], size[left]
            values, frame = np.linalg.eigh(self.hessian(theta))
            along = np.einsum("bij,bi->bj", frame, g) * values / (values**2 + damp[:, None])
            trial = theta - np.einsum("bij,bj->bi", frame, along)
            new = self.gradient(trial)
            better = np.sum(new * new, axis=1) < size
            theta, g = np.where(better[:, None], trial, theta), np.where(better[:, None], new, g)
            damp = np.clip(np.where(better, damp / 20, damp * 8), 1e-15, None)
        return np.concatenate(done)


def middles(component):
    sample = component.sample
    if hasattr(sample, "lower"):
        return np.array([float(x) for x in sample.centre])
    return np.array([float(sum(enclosure(x, sample.field)) / 2) for x in sample.coordinates])


def missed(problem, found, starts, seed=0):
    """The critical points from random starts whose product, value and index no listed orbit has, and how many were compared."""
    floats, rng, listed = Floats(problem), np.random.default_rng(seed), []
    for c in found.components:
        at = middles(c)[None]
        assert np.abs(floats.gradient(at)).max() < 1e-9 * (1 + floats.total)
        listed.append((floats.product(at)[0], float((c.value.lower + c.value.upper) / 2), c.inertia.negative))
    sizes = np.array([0.3, 0.7, 1.5, 3])[np.arange(starts) % 4]
    ends = floats.critical(rng.normal(size=(starts, floats.size)) * sizes[:, None])
    eigen = np.linalg.eigvalsh(floats.hessian(ends))
    indices = (eigen < -1e-6 * np.abs(eigen).max(axis=1, keepdims=True)).sum(axis=1)
    wrong = [
        (v, index)
        for p, v, index in zip(floats.product(ends), floats.value(ends), indices, strict=True)
        if not any(
            np.abs(p - q).max() < 1e-5 and abs(v - w) < 1e-6 * (1 + abs(v)) and index == i for q, w, i in listed
        )
    ]
    return wrong, len(ends)


SHAPES = [([2, 2, 2], 14), ([2, 3, 2], 8), ([2, 2, 3], 8), ([3, 2, 2], 8), ([2, 2, 2, 2], 4)]
DRAWN = [(widths, seed) for widths, count in SHAPES for seed in range(count)]


def shown(value):
    return "-".join(map(str, value)) if isinstance(value, list) else None


@pytest.mark.parametrize(("widths", "seed"), DRAWN, ids=shown)
def test_no_critical_point_is_missed(widths, seed):
    problem = drawn(widths, seed)
    found = critical_set(problem, budget=Budget(60))
    assert found.coverage.complete, found.coverage.reason
    assert found.coverage.method in (BY_RANKS, METHOD)  # two samples may be white by accident
    wrong, compared = missed(problem, found, 40)
    assert not wrong
    assert compared >= 10
    assert sum(c.is_global is True for c in found.components) == 1
