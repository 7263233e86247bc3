"""Gradient flow of the hidden weights at kinks: where it stops, where Filippov's inclusion rests, and one sample in closed form.

With relu'(0) = 1 a unit that runs into w.x = 0 may have nowhere to go: on the active side it is pushed across, on the
inactive side it does not move. The differential inclusion allows any number from [0, 1] there.
"""

from __future__ import annotations

from fractions import Fraction

from flint import fmpq_mat

from explorer.algebra.balls import to_fmpq, to_fraction
from explorer.gram.limit import Vector, dot
from explorer.gram.training import Hidden


def ends_at(at: Hidden) -> int | None:
    """A sample (from 0) at which the flow provably stops in finite time, or None.

    The sample is orthogonal to all others, so its residual e and its pre-activations z_r move by themselves: dz_r/dt is
    -v_r e |x|^2 on active units and 0 on the others, de/dt = -(sum of v_r^2) |x|^2 e. A unit with v_r e > 0 reaches 0
    before e does if z_r (sum of v_s^2) < v_r e. No absolutely continuous curve goes on from there: with z < 0 it would have
    had to move while inactive, with z >= 0 it is pushed below 0.
    """
    for i, x in enumerate(at.inputs):
        column = [row[i] for row in at.reach]
        if not all(column) or any(dot(x, other) for j, other in enumerate(at.inputs) if j != i):
            continue
        shared = sum((v * v for v, z in zip(at.outer, column, strict=True) if z > 0), Fraction(0))
        if any(z > 0 and z * shared < v * at.error[i] for v, z in zip(at.outer, column, strict=True)):
            return i
    return None


def resting(at: Hidden) -> tuple[Fraction, ...] | None:
    """Numbers from [0, 1], unit by unit and sample by sample at the ties, for which the hidden gradient vanishes; or None.

    Only where the samples at which one unit has w.x = 0 are linearly independent: then every choice is a convex combination
    of the gradients in the cells around the point.
    """
    out: list[Fraction] = []
    for v, row in zip(at.outer, at.reach, strict=True):
        tied = [i for i, z in enumerate(row) if z == 0]
        pulls = [tuple(at.error[i] * v * c for c in x) for i, x in enumerate(at.inputs)]
        fixed = [
            sum(column, Fraction(0)) for column in zip(*(pulls[i] for i, z in enumerate(row) if z > 0), strict=True)
        ]
        fixed = fixed or [Fraction(0)] * len(at.inputs[0])
        solved = _combination([at.inputs[i] for i in tied], [-c for c in fixed])
        if solved is None:
            return None
        for i, c in zip(tied, solved, strict=True):
            scale = at.error[i] * v
            if scale == 0 and c != 0:
                return None
            chosen = c / scale if scale else Fraction(0)
            if not 0 <= chosen <= 1:
                return None
            out.append(chosen)
    return tuple(out)


def _combination(vectors: list[Vector], target: list[Fraction]) -> list[Fraction] | None:
    """The coefficients with sum_k c_k vector_k = target, for linearly independent vectors; None otherwise."""
    if not vectors:
        return [] if not any(target) else None
    size, count = len(target), len(vectors)
    entries = [to_fmpq(c) for a in range(size) for c in (*(x[a] for x in vectors), target[a])]
    reduced, rank = fmpq_mat(size, count + 1, entries).rref()
    if rank != count or any(reduced[k, k] != 1 for k in range(min(count, size))) or count > size:
        return None
    return [to_fraction(reduced[k, count]) for k in range(count)]


def output_pushed(at: Hidden, time: Fraction) -> Fraction:
    """One sample of length 1: the output after the flow has pushed it down for the rescaled time s.

    Active units move as z_r - v_r s; those with v_r > 0 stop at 0, those with v_r < 0 grow without bound.
    """
    active = ((v, row[0]) for v, row in zip(at.outer, at.reach, strict=True) if row[0] > 0)
    return sum((v * max(z - v * time, Fraction(0)) for v, z in active), Fraction(0))
