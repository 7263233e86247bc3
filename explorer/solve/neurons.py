"""Single neurons: separated samples, and how far out critical points can be without a regularizer.

*Separation (any number of parameters).* psi' > 0, and h_i(z) = d/dz of the summand i has one sign t_i for all z: the logistic loss, or a target outside the
range of psi. If u is 0 at the regularized parameters, t_i x_i . u <= 0 for all i and < 0 for some i, then F falls along u everywhere, so nothing is
critical. Whether there is such a u: Stiemke's lemma and linear programming (`convex`).

*Two parameters, no regularizer.* F(theta) = sum_i c_i l(psi(z_i), y_i), z_i = x_i . theta (a bias is an input 1). Beyond some Z the sign of every h_i is known
(`growth.ahead`). Sort theta by the set I of samples with |z_i| <= Z and the signs s of the other z_i. If some direction a has
a . x_i = 0 on I, and h_i a . x_i >= 0 for the others, > 0 for one, F grows along a: no critical point. A sample with one sign of h for all z need not be in I.
The other sets {|z_I| <= Z, s_i z_i >= Z} must be bounded, that is, no r != 0 has r . x_I = 0 and s_i r . x_i >= 0: then they lie in the hull of
their vertices, where two of the z are +-Z. The r to be tried are those orthogonal to one x_i and sums of two of these: the faces of the arrangement.
*The infimum.* On a sequence that goes to infinity some subsequence has every z_i bounded (I) or going to +-infinity, with the signs of a
face: F tends to at least the sum of the limits of the summands outside I. If a critical value is smaller, the minimum is attained.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import combinations, product
from math import floor

import flint
from flint import arb

from explorer.algebra.balls import ball, bounds
from explorer.algebra.feasible import strictly_feasible
from explorer.errors import Unsupported
from explorer.model.activations import row
from explorer.problem import Activation, DenseNetwork, Problem
from explorer.solve.convex import LARGEST, Model, bounded_below_tightly
from explorer.solve.growth import Term, ahead, limit_of, terms_of
from explorer.solve.radius import Radius
from explorer.solve.results import Coverage, CriticalSet, Trust, nearby

ZERO, ONE = Fraction(0), Fraction(1)
SAMPLES = 40
BITS = 64
#: psi' > 0 everywhere
STEEP = ("linear", "sigmoid", "tanh", "erf", "softplus", "exp", "elu")
Vector = tuple[Fraction, Fraction]
Signs = tuple[int, ...]


def by_separation(problem: Problem) -> CriticalSet | None:
    """The empty critical set of separated samples; None where they are not, or where the signs are not known."""
    net, r = problem.network, problem.regularizer
    if not isinstance(net, DenseNetwork) or problem.loss is None or net.depth != 1 or net.widths[1] != 1:
        return None
    if net.parameter_count == 1:  # `line` knows more about the infimum
        return None
    if net.output.kind not in STEEP or not smooth(net.output) or (r is not None and r.kind not in ("l2", "power")):
        return None
    model, terms = Model.of(problem), [summands[0] for summands in terms_of(problem)]
    moved = [
        (row, t) for row, t in zip(model.rows, terms, strict=True) if any(row[1]) and (t.kind == "squared" or t.target)
    ]
    ways = [one_sign(t) for _, t in moved]
    if not moved or not all(ways) or model.size > LARGEST:
        return None
    model = replace(model, rows=tuple((c, a, Fraction(-way)) for ((c, a, _), _), way in zip(moved, ways, strict=True)))
    if bounded_below_tightly(model):
        return None
    why = (
        "F falls for ever along a direction (the slope of every sample has one sign, and one direction moves all samples that it moves downhill), "
        "so it has no critical point"
    )
    free = [k for k, w in enumerate(model.weights) if not w]
    because = "the infimum is not attained: F is differentiable and has no critical point"
    apart = strictly_feasible(len(free), [], [(*(a[k] for k in free), ZERO) for a in model.signed])
    limit = _limit([t for _, t in moved], tuple(-way for way in ways)) if apart is not None and free else None
    if limit is not None and len(moved) == len(terms):
        because = f"the infimum is about {nearby(limit):.6g}, approached along a direction that moves all samples downhill, and not attained"
    return CriticalSet(problem, (), Coverage(True, "separated samples", Trust.COMPUTED, why), None, because)


def smooth(psi: Activation) -> bool:
    """Whether psi is once differentiable with a continuous derivative, and nowhere constant."""
    return not row(psi).breaks(psi) or (psi.kind == "elu" and psi.alpha == 1)


def is_plain_neuron(problem: Problem) -> bool:
    """One layer, one output, two parameters, no regularizer."""
    net, r = problem.network, problem.regularizer
    plain = isinstance(net, DenseNetwork) and net.depth == 1 and net.parameter_count == 2 and net.widths[1] == 1
    return plain and not (r is not None and any(r.weights))


def neuron_radius(problem: Problem) -> Radius:
    """The a-priori radius of this module; `Unsupported` with the reason where it does not reach."""
    net, data = problem.network, problem.data
    assert isinstance(net, DenseNetwork)
    assert data is not None
    if not smooth(net.output):
        raise _no("an output without kinks or flat pieces", net.output.kind)
    rows: list[Vector] = [(x[0], ONE) if net.bias[0] else (x[0], x[1]) for x in data.inputs]
    terms = [summands[0] for summands in terms_of(problem)]
    moved = [(x, t) for x, t in zip(rows, terms, strict=True) if any(x) and (t.kind == "squared" or t.target)]
    rows, terms = [x for x, _ in moved], [t for _, t in moved]
    if all(_cross(x, y) == 0 for x, y in combinations(rows, 2)):
        raise _no("inputs that span the plane", "inputs on one line, along which F is constant")
    if len(rows) > SAMPLES:
        raise _no(f"at most {SAMPLES} samples", f"{len(rows)}")
    signs = {}
    reach = ONE
    for i, t in enumerate(terms):
        for side in (1, -1):
            found = ahead(t, side)
            if found is None:
                raise _no("an output whose slope keeps its sign far out", t.psi.kind)
            signs[i, side] = found[0]
            reach = max(reach, found[1])
    faces = list(_faces(rows))
    always = {i for i, t in enumerate(terms) if one_sign(t)}
    lowest: Fraction | None = None
    for face in faces:
        flat = [i for i, s in enumerate(face) if not s]
        for own in product((0, 1, -1), repeat=len(flat)):
            there = dict(zip(flat, own, strict=True))
            sides = tuple(s or there[i] for i, s in enumerate(face))
            if not _pulled(sides, signs, faces, always):
                raise _no(
                    "a direction along which all samples pull one way far out",
                    "samples that pull both ways with forces that vanish or grow together",
                )
            if (below := _limit(terms, sides)) is not None:
                lowest = below if lowest is None else min(lowest, below)
    corners = [ZERO, ZERO]
    for x, y in combinations(rows, 2):
        if (det := _cross(x, y)) != 0:
            for p, q in product((reach, -reach), repeat=2):
                corner = (p * y[1] - q * x[1]) / det, (q * x[0] - p * y[0]) / det
                corners = [max(c, abs(v)) for c, v in zip(corners, corner, strict=True)]
    return Radius((corners[0], corners[1]), (), beneath=lowest, coercive=lowest is None)


def _no(expected: str, got: str) -> Unsupported:
    return Unsupported("a-priori radius", expected=expected, got=got, remedy="give a box with --box")


def _cross(x: Vector, y: Vector) -> Fraction:
    return x[0] * y[1] - x[1] * y[0]


def _dot(x: Vector, y: Vector) -> Fraction:
    return x[0] * y[0] + x[1] * y[1]


def _directions(rows: Sequence[Vector]) -> list[Vector]:
    """A vector in every face of the arrangement of the lines x_i . r = 0, r != 0."""
    rays = [(s * -x[1], s * x[0]) for x in rows for s in (1, -1)]
    inner = [(a[0] + b[0], a[1] + b[1]) for a, b in combinations(rays, 2)]
    return [r for r in (*rays, *inner) if any(r)]


def _faces(rows: Sequence[Vector]) -> Iterator[Signs]:
    seen = set()
    for r in _directions(rows):
        face = tuple((v > 0) - (v < 0) for v in (_dot(x, r) for x in rows))
        if face not in seen:
            seen.add(face)
            yield face


def one_sign(t: Term) -> int:
    """The sign of h where it is the same for all z, else 0."""
    if t.psi.kind not in STEEP:
        return 0
    found = [ahead(t, side) for side in (1, -1)]
    ways = {f[0] if f is not None and not f[1] else 0 for f in found}
    return ways.pop() if len(ways) == 1 else 0


def _pulled(sides: Signs, signs: dict[tuple[int, int], int], faces: Sequence[Signs], always: set[int]) -> bool:
    """Whether the derivative of F has one sign along some direction, orthogonal to the samples with side 0, on this set."""
    for face in faces:
        if any(f for i, (f, s) in enumerate(zip(face, sides, strict=True)) if not s and i not in always):
            continue
        ways = {f * signs[i, s or 1] for i, (f, s) in enumerate(zip(face, sides, strict=True)) if s or i in always} - {
            0
        }
        if len(ways) == 1:
            return True
    return False


def _limit(terms: Sequence[Term], sides: Signs) -> Fraction | None:
    """At least this is the limit of the summands outside I; None: infinite."""
    total = arb(0)
    with flint.ctx.workprec(2 * BITS):
        for t, s in zip(terms, sides, strict=True):
            if not s:
                continue
            end = limit_of(t.psi, s)
            if end is None:
                way = ahead(t, s)
                assert way is not None
                if t.kind == "squared" or way[0] * s > 0:  # the summand grows without bound
                    return None
            elif t.kind == "squared":
                total += ball(t.weight * (end - t.target) ** 2)
            else:
                total += ball(t.weight) * ball(-t.target * end).exp().log1p()
        return Fraction(floor(bounds(total)[0] * 2**BITS), 2**BITS)
