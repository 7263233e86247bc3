"""Floating-point proposals of balanced critical points of linear networks with one ridge weight; the caller proves them.

F = sum_i c_i |y_i - W_H ... W_1 x_i|^2 + lambda sum_h |W_h|^2. All products of layers are brought to upper triangular form in chosen columns
of the inputs, so that the rotations of the hidden layers are used up (docs/linear.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = Any
ROUNDS = 400  #: Newton steps; the last ones converge quadratically
ENOUGH = 1e-9  #: the relative size of the gradient at which the iteration ends: the proof has its own Newton steps
ROUNDING = 1e-14  #: a rise of F by this share is taken for rounding
FLAT = 1e-9  #: eigenvalues below this share of the largest one are taken for it: those along the orbit vanish
SHORT = 40  #: at most so many halvings of a step


@dataclass(frozen=True)
class Layers:
    """W_1, ..., W_H of a point, row by row; ``pivots[k]``: the input whose column of W_1 ends in row k."""

    tables: tuple[tuple[tuple[Fraction, ...], ...], ...]
    pivots: tuple[int, ...]


def minimiser(
    sxx: Sequence[Sequence[Fraction]], syx: Sequence[Sequence[Fraction]], weight: Fraction, rank: int
) -> Layers | None:
    """A minimum of the network with two layers and ``rank`` hidden units, by Newton's method with |Hessian| and shorter steps; None
    where that does not end."""
    try:
        with np.errstate(all="ignore"):
            return _descended(np.array(sxx, float), np.array(syx, float), float(weight), rank)
    except np.linalg.LinAlgError:
        return None


def _descended(c: Array, b: Array, ridge: float, rank: int) -> Layers | None:
    u, s, vt = np.linalg.svd(b, full_matrices=False)
    size = np.sqrt(np.maximum(s[:rank] - ridge, s[:rank] / 10) / np.linalg.norm(c, 2))
    tilt = 1 + np.arange(rank * c.shape[0]).reshape(rank, -1) / (7 * rank * c.shape[0])  # away from symmetric subspaces
    first, last = (size[:, None] * vt[:rank]) * tilt, u[:, :rank] * size

    def value(x: Array, y: Array) -> float:
        p = y @ x
        return float(np.sum(p * (p @ c - 2 * b)) + ridge * (np.sum(x * x) + np.sum(y * y)))

    scale = 1 + np.linalg.norm(b)
    for _ in range(ROUNDS):
        e = last @ first @ c - b
        slope = np.concatenate([(last.T @ e + ridge * first).ravel(), (e @ first.T + ridge * last).ravel()])
        if np.linalg.norm(slope) < ENOUGH * scale:
            return _sliced([first, last])
        values, frame = np.linalg.eigh(_hessian(first, last, e, c, ridge))
        step = frame @ ((frame.T @ slope) / np.maximum(np.abs(values), FLAT * np.abs(values).max()))
        here, length = value(first, last), 1.0
        for _ in range(SHORT):
            x = first - length * step[: first.size].reshape(first.shape)
            y = last - length * step[first.size :].reshape(last.shape)
            if value(x, y) <= here + ROUNDING * (1 + abs(here)):
                break
            length /= 2
        first, last = x, y
    return None


def _hessian(first: Array, last: Array, e: Array, c: Array, ridge: float) -> Array:
    """Half the Hessian, in the entries of W_1 and then W_2, row by row."""
    (r, d), m = first.shape, last.shape[0]
    upper = np.kron(last.T @ last, c) + ridge * np.eye(r * d)
    lower = np.kron(np.eye(m), first @ c @ first.T) + ridge * np.eye(m * r)
    # the derivative of last^T (last first c - b) in the entry (i, k) of last
    mixed = np.einsum("ia,kj->ajik", last, first @ c) + np.einsum("ij,ak->ajik", e, np.eye(r))
    block = mixed.reshape(r * d, m * r)
    return np.block([[upper, block], [block.T, lower]])


def from_gram(
    gram: Sequence[Sequence[Fraction]],
    sxx: Sequence[Sequence[Fraction]],
    syx: Sequence[Sequence[Fraction]],
    weight: Fraction,
    *,
    depth: int,
    rank: int,
) -> Layers | None:
    """The layers with W_1^T W_1 = ``gram``, a positive semidefinite matrix of this rank that satisfies the matrix equation of docs/linear.md."""
    c, b = np.array(sxx, float), np.array(syx, float)
    try:
        values, frame = np.linalg.eigh(np.array(gram, float))
        values, v = values[-rank:], frame[:, -rank:]
        if values[0] <= 0:
            return None
        s = np.sqrt(values)
        middle = s[:, None] ** depth * (v.T @ c @ v) + float(weight) * np.diag(s ** (2 - depth))
        u = b @ v @ np.linalg.inv(middle)
        return _sliced([s[:, None] * v.T, *(np.diag(s) for _ in range(depth - 2)), u * s])
    except np.linalg.LinAlgError:
        return None


def _sliced(layers: list[Array]) -> Layers | None:
    """The layers turned so that W_1 has zeros below the diagonal in its pivot columns, and W_2, ..., W_(H-1) below their diagonals."""
    first, pivots = layers[0], list[int]()
    rank, turn = first.shape[0], np.eye(first.shape[0])
    for k in range(rank):  # Gram-Schmidt with the longest remaining column
        rest = turn[:, k:].T @ first
        pivots.append(int(np.argmax(np.linalg.norm(rest, axis=0))))
        turn = np.linalg.qr(first[:, pivots], mode="complete")[0]
    out, before = list[Array](), np.eye(first.shape[1])
    for k, w in enumerate(layers[:-1]):
        here = turn if k == 0 else np.linalg.qr(w @ before, mode="complete")[0]
        table = here.T @ w @ before
        signs = np.sign(np.diagonal(table[:, pivots] if k == 0 else table))
        before = here * signs
        out.append(signs[:, None] * table)
    out.append(layers[-1] @ before)
    if not all(np.isfinite(w).all() for w in out):
        return None
    tables = tuple(tuple(tuple(Fraction(float(x)) for x in row) for row in w) for w in out)
    return Layers(tables, tuple(pivots))
