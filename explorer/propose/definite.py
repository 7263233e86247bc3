"""Hints that a symmetric matrix is positive definite: a triangular factor of integers, from a floating-point Cholesky."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

#: shares of the least eigenvalue: what the factor leaves to rounding, and what is claimed
GAP, CLAIM = 0.15, 0.75


@dataclass(frozen=True)
class Factor:
    """A lower triangle L of integers in units of 2^-bits with H - L L^T close to (modulus + a gap) I."""

    modulus: Fraction
    bits: int
    rows: tuple[tuple[int, ...], ...]


def symmetric(triangle: Sequence[Sequence[int]], unit: int) -> NDArray[np.float64]:
    """The symmetric float matrix of a lower triangle of integers in units of 1/unit."""
    out = np.zeros((len(triangle), len(triangle)))
    for i, row in enumerate(triangle):
        out[i, : i + 1] = out[: i + 1, i] = [v / unit for v in row]
    return out


def least_eigenvalue(h: NDArray[np.float64]) -> float:
    """The least eigenvalue from below, by Cholesky with shifts (eigenvalues themselves would take ten times as long)."""
    low, high = 0.0, float(h.diagonal().min())
    identity = np.eye(len(h))
    for _ in range(9):
        shift = (low + high) / 2
        try:
            np.linalg.cholesky(h - shift * identity)
            low = shift
        except np.linalg.LinAlgError:
            high = shift
    return low


def factor(h: NDArray[np.float64]) -> Factor | None:
    """A hint for ``h``, or None if ``h`` is not positive definite as far as floats can tell."""
    if len(h) <= 400:
        least = float(np.linalg.eigvalsh(h)[0])
    else:
        least = least_eigenvalue(h)
    if not least > 0:
        return None
    modulus = Fraction(max(int(CLAIM * least * 2**40), 1), 2**40).limit_denominator(10**9)
    lower = np.linalg.cholesky(h - (float(modulus) + GAP * least) * np.eye(len(h)))
    # every entry of the residual is off by at most 2^-bits |row|_1, and Gershgorin's circles add them up
    rough = len(h) * float(np.abs(lower).sum(axis=1).max())
    bits = int(min(max(np.ceil(np.log2(rough / (GAP * least))) - 2, 12), 44))
    scaled = np.rint(lower * 2.0**bits).astype(np.int64)
    return Factor(modulus, bits, tuple(tuple(row[: i + 1]) for i, row in enumerate(scaled.tolist())))


def newton(triangle: Sequence[Sequence[int]], unit: int, gradient: Sequence[Fraction]) -> list[Fraction] | None:
    """The Newton step -H^-1 g as dyadic numbers; None where H is singular. Scaled first, so tiny gradients keep their digits."""
    largest = max(map(abs, gradient))
    if not largest:
        return [Fraction(0)] * len(gradient)
    scaled = np.array([float(g / largest) for g in gradient])
    try:
        step = np.linalg.solve(symmetric(triangle, unit), -scaled)
    except np.linalg.LinAlgError:
        return None
    if not np.all(np.isfinite(step)):
        return None
    return [Fraction(float(s)) * largest for s in step]
