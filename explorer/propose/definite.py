"""How positive definite a symmetric matrix of integers is, and Newton steps with it, in floating point: guesses."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

#: the share of the least eigenvalue that is claimed; the checker's elimination loses up to half of the claim to rounding
CLAIM = Fraction(3, 5)
DENSE, STEPS = 400, 80  #: order up to which all eigenvalues are computed; Lanczos steps beyond


def symmetric(triangle: Sequence[Sequence[int]], unit: int) -> NDArray[np.float64]:
    """The symmetric float matrix of a lower triangle of integers in units of 1/unit."""
    out = np.zeros((len(triangle), len(triangle)))
    for i, row in enumerate(triangle):
        out[i, : i + 1] = out[: i + 1, i] = [v / unit for v in row]
    return out


def least_eigenvalue(h: NDArray[np.float64]) -> float:
    """The least eigenvalue: by LAPACK, or for large matrices from above by Lanczos' method with reorthogonalisation."""
    size = len(h)
    if size <= DENSE:
        return float(np.linalg.eigvalsh(h)[0])
    basis = np.zeros((STEPS, size))
    basis[0] = np.random.default_rng(0).normal(size=size)
    basis[0] /= np.linalg.norm(basis[0])
    for k in range(STEPS - 1):
        new = h @ basis[k]
        for _ in range(2):
            new -= basis[: k + 1].T @ (basis[: k + 1] @ new)
        basis[k + 1] = new / np.linalg.norm(new)
    return float(np.linalg.eigvalsh(basis @ h @ basis.T)[0])


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
