"""The evaluation matrix E_{t,k} = e^(2 pi i k.x_t) on a box of frequencies: its exact rank, and what no such series can fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod

from flint import fmpq, fmpq_mat

from explorer.canonical.fourier import frequencies
from explorer.canonical.waves import Wave, WaveRing
from explorer.errors import Unsupported
from explorer.problem import Dataset

MAX_FREQUENCIES = 2_000


@dataclass(frozen=True)
class Misfit:
    """A rational relation nu with nu E = 0, and the loss (nu.y)^2 / sum nu_t^2/c_t that it forces on every such series."""

    relation: tuple[Fraction, ...]
    loss: Fraction


def smallest_box(data: Dataset) -> tuple[int, ...]:
    """The cube of frequencies |k_i| <= n with the smallest n such that N = (2n + 1)^K >= T."""
    dimension, n = len(data.inputs[0]), 0
    while (2 * n + 1) ** dimension < len(data):
        n += 1
    return (n,) * dimension


def evaluation(data: Dataset, top: Sequence[int]) -> tuple[WaveRing, list[list[Wave]]]:
    """E, one row per sample."""
    if prod(2 * n + 1 for n in top) > MAX_FREQUENCIES:
        raise Unsupported("frequencies", expected=f"at most {MAX_FREQUENCIES}", got="more")
    ring = WaveRing.for_points([v for x in data.inputs for v in x])
    waves = frequencies(top)
    return ring, [[ring.root(sum((k * v for k, v in zip(wave, x, strict=True)), Fraction(0))) for wave in waves] for x in data.inputs]  # fmt: skip


def evaluation_rank(data: Dataset, top: Sequence[int]) -> int:
    """The exact rank of E: T means that every target vector is fitted by a series with these frequencies."""
    ring, rows = evaluation(data, top)
    return ring.rank(rows)


def misfit(data: Dataset, weights: Sequence[Fraction], top: Sequence[int]) -> Misfit | None:
    """The rational relation that forces the largest loss, or None where no rational relation forces one."""
    ring, rows = evaluation(data, top)
    size = ring.modulus.degree()
    flat = [[c for entry in row for c in _coordinates(entry, size)] for row in rows]
    basis = _left_kernel(flat)
    targets = [row[0] for row in data.targets]
    moments = [sum((v * y for v, y in zip(nu, targets, strict=True)), Fraction(0)) for nu in basis]
    if not any(moments):
        return None
    gram = [
        [sum((a * b / c for a, b, c in zip(u, v, weights, strict=True)), Fraction(0)) for v in basis] for u in basis
    ]
    solved = _solve(gram, moments)
    relation = [sum((s * nu[t] for s, nu in zip(solved, basis, strict=True)), Fraction(0)) for t in range(len(targets))]
    gap = sum((v * y for v, y in zip(relation, targets, strict=True)), Fraction(0))
    return Misfit(tuple(relation), gap**2 / sum((v * v / c for v, c in zip(relation, weights, strict=True)), Fraction(0)))  # fmt: skip


def _coordinates(entry: Wave, size: int) -> list[fmpq]:
    parts = list(entry[0].coeffs()) if entry else []
    return parts + [fmpq(0)] * (size - len(parts))


def _left_kernel(rows: Sequence[Sequence[fmpq]]) -> list[list[Fraction]]:
    """A basis of the rational vectors nu with nu M = 0, from the reduced echelon form of the transpose."""
    transposed = fmpq_mat(len(rows[0]), len(rows), [rows[t][c] for c in range(len(rows[0])) for t in range(len(rows))])
    reduced, rank = transposed.rref()
    pivots = [next(c for c in range(len(rows)) if reduced[r, c] != 0) for r in range(rank)]
    out = []
    for free in (c for c in range(len(rows)) if c not in pivots):
        vector = [Fraction(0)] * len(rows)
        vector[free] = Fraction(1)
        for r, c in enumerate(pivots):
            vector[c] = -Fraction(int(reduced[r, free].p), int(reduced[r, free].q))
        out.append(vector)
    return out


def _solve(matrix: Sequence[Sequence[Fraction]], right: Sequence[Fraction]) -> list[Fraction]:
    n = len(right)
    left = fmpq_mat(n, n, [fmpq(v.numerator, v.denominator) for row in matrix for v in row])
    found = left.solve(fmpq_mat(n, 1, [fmpq(v.numerator, v.denominator) for v in right]))
    return [Fraction(int(found[k, 0].p), int(found[k, 0].q)) for k in range(n)]
