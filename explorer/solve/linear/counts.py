"""Audits of a list of orbits: Euler characteristics, of the parameters' space and of its quotients by the hidden rotations.

The first sum is Bott's: sum (-1)^index chi(orbit) = 1 for a coercive F whose critical orbits are nondegenerate. It does not see orbits of Euler
characteristic 0, which most are; so the second one is made in the quotient by the rotations, for the network with k units in
every hidden layer, k = 1, 2, ...: sum (-1)^i e(k - r, q) over the orbits of rank r <= k = 1, where a point has i negative eigenvalues with
r units per hidden layer and q more for each further one. Proof: docs/linear.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, prod

from explorer.point import Inertia


@dataclass(frozen=True)
class Counted:
    """What the audits use of an orbit. ``inner``: numbers of negative and zero eigenvalues in the network with ``rank`` units per hidden
    layer (None: not known); ``inertia`` in the network itself."""

    rank: int
    dimension: int
    inner: tuple[int, int] | None
    inertia: Inertia | None


def complaint(orbits: Sequence[Counted], hidden: Sequence[int]) -> str:
    """What an audit found, or the empty string: nothing wrong, or an orbit is degenerate, so that it says nothing."""
    if any(c.inertia is None or c.inertia.zero > c.dimension for c in orbits):
        return ""
    total = sum((-1) ** c.inertia.negative * prod(frames(n, c.rank) for n in hidden) for c in orbits if c.inertia)
    if total != 1:
        return f"the sum of (-1)^index times the Euler characteristics of the orbits is {total}, and it should be 1"
    for k in range(1, min(hidden) + 1):
        total = 0
        for c in orbits:
            if c.inner is None or c.inertia is None:
                return ""
            if c.rank <= k:
                total += (-1) ** c.inner[0] * cone(k - c.rank, _spare(c, hidden))
        if total != 1:
            return f"the Euler characteristic of the quotient for {k} hidden units comes out as {total}, and it should be 1"
    return ""


def _spare(c: Counted, hidden: Sequence[int]) -> int:
    """The negative eigenvalues for each spare unit: none for three and more layers."""
    assert c.inner is not None
    assert c.inertia is not None
    further, spare = c.inertia.negative - c.inner[0], hidden[0] - c.rank
    return further // spare if len(hidden) == 1 and spare else 0


def frames(n: int, r: int) -> int:
    """The Euler characteristic of the orthonormal r-frames in R^n, which are spheres over spheres: S^(n-1), ..., S^(n-r)."""
    return prod(1 + (-1) ** (n - 1 - k) for k in range(r))


def planes(j: int, q: int) -> int:
    """The Euler characteristic of the Grassmannian of j-planes in R^q (Schubert cells, mod 2)."""
    return 0 if j * (q - j) % 2 else comb(q // 2, j // 2)


def cone(k: int, q: int) -> int:
    """The Euler characteristic with compact supports of the positive semidefinite q x q matrices of rank at most k, by their kernels."""
    return sum((-1) ** (j * (j + 1) // 2) * planes(j, q) for j in range(min(k, q) + 1))
