"""Strict bad minima of networks with n - 1 units on n samples (moment construction), and what width n makes of them.

Choose scalar inputs and a residual r whose moments m_k = sum r_i x_i^k do not vanish, nodes w_1 ... w_(n-1) and
prod (w - w_j)^2 = sum p_k w^k. The activation phi(t) = sum (p_k/m_k) t^k then satisfies
    psi(w) = sum r_i phi(w x_i) = prod (w - w_j)^2 >= 0 with zeros exactly at the nodes,
so F >= |r|^2 where all output weights are >= 0, and the point (v_j = 1, w_j) with targets f - r is a local minimum. Its Hessian
is positive definite exactly if the n - 1 activation vectors are independent: with 2 psi''(w_j) v_j on the diagonal of the w_j and
2 J^T J added, a kernel vector would move no w_j and no output. The certificate proves it by the exact inertia, and a box
on which F is uniformly convex walls the minimum in (`basins`). At width n the same data has no such basin: with a unit split
in two the minimum lies on a plateau (`splitting`), from which a path leads down.
(Li, Ding, Sun 2018 for n - 1 neurons; survey of Sun et al. 2020, Proposition IV.3; this construction is the project's.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import chain, combinations, count

from explorer.certify.basins import strict_basin
from explorer.certify.certificate import Certificate, Instance, accepted
from explorer.certify.encode import assemble
from explorer.certify.extrema import merged, strict_steps
from explorer.certify.hypotheses import all_hypotheses, hypothesis_steps
from explorer.certify.located import Located
from explorer.certify.recipes.layers import separating_steps
from explorer.certify.recipes.linear import least_squares, rank
from explorer.certify.recipes.residual import dot
from explorer.certify.recipes.sigmoid import bad_minimum as sigmoid_minimum
from explorer.errors import NotCertifiable
from explorer.point import Ln2Ring, Point, RationalField
from explorer.problem import Activation, Problem

LARGEST = 6  #: samples: activations of degree 2 (n - 1) = 10


def strict_minimum(inputs: Sequence[Fraction], *, seed: int = 0, source: str) -> Instance:
    """A strict local minimum, not global, of a bias-free network with one unit less than samples (n = 2 to 6, x_i distinct).

    The activation is the polynomial of the construction; ``seed`` varies the nodes.
    """
    n = len(inputs)
    if not 2 <= n <= LARGEST or len(set(inputs)) != n:
        raise NotCertifiable("narrow network", expected=f"2 to {LARGEST} distinct scalar inputs", got=f"{n} samples")
    residual = _residual(inputs)
    for nodes in _nodes(n - 1, seed):
        square = _product(nodes)
        phi = [
            p / sum((r * x**k for r, x in zip(residual, inputs, strict=True)), Fraction(0))
            for k, p in enumerate(square)
        ]
        columns = [_activations(phi, inputs, w) for w in nodes]
        if rank(columns) == n - 1:
            break
    targets = [sum(row, Fraction(0)) - r for row, r in zip(zip(*columns, strict=True), residual, strict=True)]
    problem = Problem.dense(
        widths=[1, n - 1, 1],
        activation=Activation("polynomial", coefficients=tuple(phi)),
        inputs=list(inputs),
        targets=targets,
        slug=f"narrow-n{n}-w{n - 1}{f'-seed{seed}' if seed else ''}",
        source=source,
    )
    at = Point.rational([*nodes, *[1] * (n - 1)])
    better = _lower(phi, inputs, targets, nodes, dot(residual, residual))
    return Instance(
        problem.slug,
        problem,
        (
            ("spurious-local-minimum", spurious_strict(problem, at, better)),
            ("strict-local-minimum", strict(problem, at)),
            ("spurious-basin", strict_basin(problem, at, better)),
        ),
    )


def sigmoid_pair(*, seed: int = 0, source: str) -> Instance:
    """Two samples, one sigmoid unit: the strict bad minimum of `sigmoid.bad_minimum` at width 1, proved by its inertia.

    The activation matrix is one column of positive numbers, so it has full rank 1: a counterexample to "full rank of the last
    activations makes local minima global" (survey of Sun et al. 2020, Claim VI.1, which needs rank n).
    """
    made = sigmoid_minimum(2, 1, seed=seed, source=source)
    points = [read_point(made.certificates[0][1], name) for name in ("p", "q")]
    slug = f"sigmoid-n2-w1{f'-seed{seed}' if seed else ''}"
    return Instance(
        slug,
        made.problem,
        (
            ("spurious-local-minimum", spurious_strict(made.problem, *points)),
            ("strict-local-minimum", strict(made.problem, points[0])),
            ("spurious-basin", strict_basin(made.problem, *points)),
        ),
    )


def spurious_strict(problem: Problem, at: Point, better: Point) -> Certificate:
    """ "at is a strict local minimum (positive definite Hessian) and better is lower"."""
    names = all_hypotheses(problem)
    p, q = Located.of(problem, "p", at), Located.of(problem, "q", better)
    below = {"rule": "below", "lower": "q", "upper": "p"}
    steps = merged([*hypothesis_steps(problem, names), *separating_steps(p, q), *strict_steps(p, sign=1), below])
    goal = {"kind": "spurious-local-minimum", "point": "p", "better": "q", "hypotheses": names}
    return accepted(assemble(problem, goal, {"p": p.point, "q": q.point}, steps))


def strict(problem: Problem, at: Point) -> Certificate:
    """ "at is a strict local minimum"."""
    p = Located.of(problem, "p", at)
    return accepted(
        assemble(problem, {"kind": "strict-local-minimum", "point": "p"}, {"p": p.point}, strict_steps(p, sign=1))
    )


def read_point(certificate: Certificate, name: str) -> Point:
    """A point of a certificate with rational coordinates or coordinates in Q[ln 2]."""
    body = certificate.to_json()["points"][name]
    entries = [e if isinstance(e, list) else [e] for e in body["coordinates"]]
    field = Ln2Ring() if body["field"] == "ln2" else RationalField()
    return Point(field, tuple(tuple(map(Fraction, e)) for e in entries))


def _residual(inputs: Sequence[Fraction]) -> list[Fraction]:
    """Positive integers 1, 2^a, 3^a, ... no moment of which vanishes up to degree 2 (n - 1).

    It exists: for large a the last input that is not 0 dominates every moment of positive degree.
    """
    for a in count():
        r = [Fraction((i + 1) ** a) for i in range(len(inputs))]
        if all(
            sum((v * x**k for v, x in zip(r, inputs, strict=True)), Fraction(0)) for k in range(2 * len(inputs) - 1)
        ):
            return r
    raise AssertionError


def _nodes(number: int, seed: int) -> Iterator[tuple[Fraction, ...]]:
    """Distinct nonzero nodes, small ones first."""
    for top in count(number + seed):
        for chosen in combinations(range(1, top + 1), number):
            if chosen[-1] == top:
                yield tuple(map(Fraction, chosen))


def _product(nodes: Sequence[Fraction]) -> list[Fraction]:
    """The coefficients of prod (w - w_j)^2, low to high."""
    out = [Fraction(1)]
    for w in nodes:
        for _ in range(2):
            out = [
                (out[k - 1] if k else Fraction(0)) - (w * out[k] if k < len(out) else 0) for k in range(len(out) + 1)
            ]
    return out


def _activations(phi: Sequence[Fraction], inputs: Sequence[Fraction], w: Fraction) -> list[Fraction]:
    out = []
    for x in inputs:
        value = Fraction(0)
        for c in reversed(phi):
            value = value * w * x + c
        out.append(value)
    return out


def _lower(
    phi: Sequence[Fraction],
    inputs: Sequence[Fraction],
    targets: Sequence[Fraction],
    nodes: Sequence[Fraction],
    level: Fraction,
) -> Point:
    """Other input weights with their best output weights (rounded), below ``level``; first only one of the nodes is moved."""
    n = len(inputs)
    grid = [Fraction(k, 2) for k in range(-2 * n, 4 * n)]
    moved = ((*nodes[:j], w, *nodes[j + 1 :]) for w in grid for j in range(n - 1))
    for k, chosen in enumerate(chain(moved, combinations(grid, n - 1))):
        columns = [_activations(phi, inputs, w) for w in chosen]
        if rank(columns) < n - 1:
            continue
        exact = least_squares(columns, targets)
        for digits in (10, 100, 10_000, 10**8):
            v = [a.limit_denominator(digits) for a in exact]
            r = [dot(v, row) - y for row, y in zip(zip(*columns, strict=True), targets, strict=True)]
            if dot(r, r) < level:
                return Point.rational([*chosen, *v])
        if k > 2000:
            break
    raise NotCertifiable("lower point", expected="one among the tried input weights", remedy="use another seed")
