"""Steps about the rank of a matrix of the network at a point: last features, gradients of the outputs, product of the weights.

Where all entries lie in the field of the point the rank is exact; elsewhere (sigmoids at rational points, points known by
boxes) rows are proposed whose independence the checker proves by enclosures: a lower bound, exact if it is the largest
possible one. The disparity matrix has a rule of its own (`explorer.certify.canonical`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from explorer import checker
from explorer.algebra.fields import arithmetic
from explorer.certify.encode import Step, point_json
from explorer.certify.located import Located
from explorer.errors import Invalid, NotCertifiable, Unsupported
from explorer.induced.features import gradient_features, representation
from explorer.induced.linear import rank
from explorer.point import Point
from explorer.probes.linear import product
from explorer.problem import DenseNetwork

MATRICES = ("disparity", "features", "gradients", "product")


def rank_steps(p: Located, matrices: Iterable[str]) -> list[Step]:
    """One step per matrix, after those that say what p is where it is known by a box or a ball only."""
    steps = []
    for matrix in matrices:
        if matrix not in MATRICES:
            raise Invalid("ranks", expected=f"some of {', '.join(MATRICES)}", got=repr(matrix)[:40])
        steps.append(_disparity_step(p) if matrix == "disparity" else rank_step(p, matrix))
    return [*(p.stationary_steps() if p.is_boxed else []), *steps]


def rank_step(p: Located, matrix: str) -> Step:
    """The exact rank where the entries are in the point's field, else as many independent rows as enclosures show."""
    network = p.problem.network
    if not isinstance(network, DenseNetwork) or (matrix == "features" and network.depth < 2):
        raise NotCertifiable(
            f"rank of the {matrix}", expected="a dense network with that matrix", got="another problem"
        )
    step: Step = {"rule": "rank", "point": p.name, "matrix": matrix}
    if isinstance(p.point, Point):
        try:
            return step | {"rank": exact_rank(p, matrix)}
        except Unsupported:
            pass
    rows = independent_rows(p, matrix)
    if not rows:
        raise NotCertifiable(f"rank of the {matrix}", expected="a row that is proved not to be 0", got="none")
    return step | {"rank": len(rows), "rows": rows}


def exact_rank(p: Located, matrix: str) -> int:
    """The rank at an exact point; `Unsupported` where an entry or a quotient is not in its field."""
    if matrix == "gradients":
        return gradient_features(p.problem, p.exact).rank
    if matrix == "product":
        return int(product(p.problem, p.exact).rank())
    network: Any = p.problem.network
    return rank(arithmetic(p.field), representation(p.problem, p.exact, network.depth - 1))


def independent_rows(p: Located, matrix: str) -> list[int]:
    """Rows (from 1), chosen greedily, that elimination over the checker's own intervals shows to be independent."""
    meter = checker.Meter(10**9)
    problem = checker.Problem(p.problem.to_json())
    ring = checker.Intervals(meter)
    point = checker.Point(point_json(p.point), p.name, problem, meter)
    try:
        rows = checker.Proof(problem, {p.name: point}, meter).matrix_of_rank(ring, point.enclosed(ring), matrix)
    except checker.Rejected as error:
        raise NotCertifiable(f"rank of the {matrix}", expected="entries that can be enclosed", got=error.why) from None
    basis: list[tuple[int, list[Any]]] = []
    chosen = []
    for number, row in enumerate(rows, start=1):
        rest = list(row)
        for pivot, other in basis:
            factor = rest[pivot]
            rest = [ring.sub(a, ring.mul(factor, b)) for a, b in zip(rest, other, strict=True)]
        pivot = max(range(len(rest)), key=lambda k: ring.magnitude(rest[k])[0])
        if ring.magnitude(rest[pivot])[0] > 0:
            inverse = ring.inverse(rest[pivot])
            basis.append((pivot, [ring.mul(v, inverse) for v in rest]))
            chosen.append(number)
    return chosen


def _disparity_step(p: Located) -> Step:
    """With as many frequencies as it takes to have at least as many columns as samples."""
    from explorer.certify.canonical import disparity_step

    return disparity_step(p, len(p.problem.data or ()) // 2)
