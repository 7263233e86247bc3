"""Certified solutions: Krawczyk's test in complex ball arithmetic, and the inertia of the Hessian at real ones.

For the box B = m + r [-1, 1]^d (1 + i) and a matrix C: if m - C g(m) + (I - C H(B)) (B - m) lies in the interior of B, then B
holds exactly one zero of g, and it is simple (R. Krawczyk 1969; for holomorphic systems S. M. Rump 1983, and P. Breiding, K.
Rose, S. Timme, ACM TOMS 49, 2023). A box around a real centre is its own conjugate, so its only zero is real.
The parameters are the exact ones of the problem; floating point proposes m and C only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

import flint
import numpy as np
from flint import acb, acb_mat, arb, arb_mat

from explorer.algebra.balls import to_fmpq
from explorer.budget import Deadline
from explorer.homotopy.model import Model
from explorer.homotopy.track import evaluate

Array: TypeAlias = Any
PRECISION = 100
FINE = 240
RADII = (1e-9, 1e-7, 1e-11)
FINE_RADII = (1e-14, 1e-18, 1e-24)


@dataclass(frozen=True)
class Certified:
    """Exactly one solution lies within ``radius`` of ``centre`` in the real and imaginary part of every coordinate.

    ``real`` None: not decided (never for radius 0). ``index``: negative eigenvalues of the Hessian at a real solution.
    """

    centre: tuple[complex, ...]
    radius: float
    real: bool | None
    index: int | None = None


class Certifier:
    """Tests for one model at one vector of exact parameters."""

    def __init__(self, model: Model, parameters: Sequence[Fraction]) -> None:
        self.model = model
        self.exact = [to_fmpq(v) for v in parameters]
        self.floats = np.array([complex(v) for v in parameters])[:, None]
        self.nothing = [acb(0)] * len(self.exact)

    def all(self, theta: Array, deadline: Deadline) -> list[Certified | None]:
        """One answer for each column: None where no radius and no precision was enough."""
        if not theta.size:
            return [Certified((), 0.0, True, 0)] * theta.shape[1]
        with np.errstate(all="ignore"):
            _, h, _ = evaluate(self.model, theta, self.floats, None)
        found: list[Certified | None] = []
        for k in range(theta.shape[1]):
            if k % 16 == 0:
                deadline.check("certifying solutions")
            try:
                inverse = np.linalg.inv(h[:, :, k])
            except np.linalg.LinAlgError:
                found.append(None)
                continue
            x = theta[:, k]
            small = np.abs(x.imag).max() <= 1e-9 * (1 + np.abs(x).max())
            found.append(self._one(x.real + 0j if small else x, inverse))
        return found

    def _one(self, x: Array, inverse: Array) -> Certified | None:
        c = acb_mat([[acb(complex(v)) for v in row] for row in inverse])
        with flint.ctx.workprec(PRECISION):
            centre = [acb(complex(v)) for v in x]
            for radius in RADII:
                h = self._test(centre, radius, c)
                if h is not None:
                    return self._answer(x, radius, h)
        with flint.ctx.workprec(FINE):
            moved = self._refined(centre, c)
            if moved is None:
                return None
            _, h = self._derivatives(moved)
            try:
                c = acb_mat(h).mid().inv().mid()
            except ZeroDivisionError:
                return None
            for radius in FINE_RADII:
                h = self._test(moved, radius, c)
                if h is not None:
                    # the exact centre is within 2^-40 relatively of its float, far more than rounding needs
                    return self._answer(
                        np.array([complex(v) for v in moved]), radius + 1e-12 * float(np.abs(x).max()), h
                    )
        return None

    def _answer(self, x: Array, radius: float, h: list[list[Any]]) -> Certified:
        apart = np.abs(x.imag).max()
        real = True if apart == 0 else False if apart > 2 * radius else None
        return Certified(tuple(complex(v) for v in x), radius, real, inertia_index(h) if real else None)

    def _run(self, program: Any, theta: Sequence[Any]) -> list[Any]:
        return program.on_numbers([*theta, *map(acb, self.exact), *self.nothing], lambda q: acb(to_fmpq(q)))

    def _test(self, centre: Sequence[Any], radius: float, c: Any) -> list[list[Any]] | None:
        """The Hessian over the box when Krawczyk's test holds, else None."""
        d = self.model.size
        ball = arb(0, radius)
        offset = acb(ball, ball)
        _, h = self._derivatives([m + offset for m in centre])
        residual = c * acb_mat([[v] for v in self._run(self.model.gradient, centre)])
        spread = acb_mat(d, d, [int(i == j) for i in range(d) for j in range(d)]) - c * acb_mat(h)
        shift = spread * acb_mat([[offset]] * d)
        limit = arb(radius)
        for i in range(d):
            moved = shift[i, 0] - residual[i, 0]
            if not (abs(moved.real) < limit and abs(moved.imag) < limit):
                return None
        return h

    def _derivatives(self, theta: Sequence[Any]) -> tuple[list[Any], list[list[Any]]]:
        """Gradient and Hessian over a box."""
        d = self.model.size
        out = self._run(self.model.newton, theta)
        h: list[list[Any]] = [[None] * d for _ in range(d)]
        for (i, j), v in zip(self.model.upper, out[d:], strict=True):
            h[i][j] = h[j][i] = v
        return out[:d], h

    def _refined(self, centre: Sequence[Any], c: Any) -> list[Any] | None:
        """Newton's iteration with a fixed matrix, on midpoints."""
        x = list(centre)
        for _ in range(30):
            step = c * acb_mat([[v] for v in self._run(self.model.gradient, x)])
            moves = [step[i, 0].mid() for i in range(len(x))]
            if not all(v.is_finite() for v in moves):
                return None
            x = [(a - b).mid() for a, b in zip(x, moves, strict=True)]
            if all(abs(v) < arb("1e-40") for v in moves):
                return x
        return None


def inertia_index(h: Sequence[Sequence[Any]]) -> int | None:
    """The number of negative eigenvalues, the same for every real symmetric matrix in the box, by Sylvester's law: with S the
    float eigenvectors, S'HS is strictly diagonally dominant, so S is invertible and the diagonal has the signs."""
    middle = np.array([[float(x.real.mid()) for x in row] for row in h])
    if not np.isfinite(middle).all():
        return None
    _, vectors = np.linalg.eigh(middle)
    s = arb_mat([[arb(float(v)) for v in row] for row in vectors])
    rows = (s.transpose() * arb_mat([[x.real for x in row] for row in h]) * s).tolist()
    negative = 0
    for i, row in enumerate(rows):
        off = sum((abs(v).abs_upper() for j, v in enumerate(row) if j != i), arb(0))
        if row[i] < -off:
            negative += 1
        elif not row[i] > off:
            return None
    return negative


def all_apart(found: Sequence[Certified]) -> bool:
    """Whether the boxes are pairwise disjoint: a sweep along one coordinate, with a margin far beyond rounding."""
    if len(found) < 2 or not found[0].centre:
        return len(found) < 2
    points = np.array([c.centre for c in found])
    radii = np.array([c.radius for c in found])
    parts = np.concatenate([points.real, points.imag], axis=1)
    margin = 1e-12 * (1 + np.abs(parts).max())
    axis = int(np.argmax([len(np.unique(np.round(parts[:, k], 6))) for k in range(parts.shape[1])]))
    order = np.argsort(parts[:, axis], kind="stable")
    widest = radii.max()
    for n, k in enumerate(order):
        for m in order[n + 1 :]:
            if parts[m, axis] - parts[k, axis] > 2 * widest + margin:
                break
            if (np.abs(parts[m] - parts[k]) <= radii[m] + radii[k] + margin).all():
                return False
    return True
