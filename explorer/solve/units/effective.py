"""Effective networks: the distinct units with a nonzero sum of output weights that make up f at a critical point.

At a critical point of a one-hidden-layer network with residual r, psi(u) = sum_i c_i r_i phi(u . x_i) vanishes at every
unit, and its gradient too where the output weight is not 0. So the distinct weights u_g with V_g = sum of their output
weights != 0 form a critical point of a narrower network with all V_g != 0; this module lists those with r != 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import flint
from flint import arb, fmpq_poly

from explorer.algebra.balls import bounds, to_fmpq
from explorer.point import AnyPoint, Inertia, Ln2Ring, Point
from explorer.problem import DenseNetwork, Problem
from explorer.solve.boxes.balls import inertia_at, prove_critical, rounded
from explorer.solve.results import Value
from explorer.solve.units.substitution import Substitution, dot, univariate
from explorer.solve.univariate import BITS, PositiveRoot, positive_roots, up_to_sign


@dataclass(frozen=True)
class Effective:
    """A critical point (u_1..u_k; V_1..V_k), V_g != 0, of the network with k units, with residual r != 0.

    ``weights`` = c_i r_i as balls, ``exact_weights`` where rational; ``ts`` encloses t_g; ``curvature`` is the sign of
    psi''(u_g). ``inertia`` is that of the narrow network. ``at_zero`` marks a point with r = 0 (only of one unit).
    """

    point: AnyPoint | None
    value: Value
    weights: tuple[arb, ...]
    exact_weights: tuple[Fraction, ...] | None
    ts: tuple[arb, ...]
    curvature: tuple[int, ...]
    inertia: Inertia | None
    at_zero: bool = False

    @property
    def units(self) -> int:
        return len(self.ts)


@dataclass
class Found:
    """What was found, and what could not be decided."""

    effective: list[Effective] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def narrowed(problem: Problem, units: int) -> Problem:
    """The same data and loss with ``units`` hidden units."""
    net, data, loss = problem.network, problem.data, problem.loss
    assert isinstance(net, DenseNetwork)
    assert data is not None
    assert loss is not None
    small = DenseNetwork((net.widths[0], units, 1), net.activations, net.bias, net.output)
    return Problem(small, data, loss)


def targets(problem: Problem) -> tuple[tuple[Fraction, ...], tuple[Fraction, ...]]:
    """The targets y_i and the sample weights c_i of a problem with scalar output."""
    assert problem.data is not None
    assert problem.loss is not None
    return tuple(row[0] for row in problem.data.targets), problem.loss.weights


def one_unit(problem: Problem, sub: Substitution) -> Found:
    """All effective networks with one unit and one incoming weight: V = <y, phi>/<phi, phi>, then a polynomial in t.

    Of two opposite units of an odd activation only the one with w > 0.
    """
    y, c = targets(problem)
    n = [row[0] for row in sub.exponents]
    cy = [a * b for a, b in zip(c, y, strict=True)]
    cn = [a * b for a, b in zip(c, n, strict=True)]
    cyn = [a * b for a, b in zip(cy, n, strict=True)]
    top, norm = univariate(dot(cy, sub.values)), univariate(dot(c, sub.values, sub.values))
    equation = top * univariate(dot(cn, sub.values, sub.slopes)) - norm * univariate(dot(cyn, sub.slopes))
    values, d = [univariate(p) for p in sub.values], univariate(sub.denominator)
    residuals = [top * p - norm * to_fmpq(v) for p, v in zip(values, y, strict=True)]  # <P, P> (V phi_i - y_i)
    found = Found()
    if equation == 0:
        if any(r != 0 for r in residuals):
            found.doubts.append("one unit has critical points with residuals for every incoming weight")
        elif len(y) > 1:  # (a single sample is fitted by every unit, and listed as such)
            found.doubts.append("one unit fits all samples with every incoming weight, a curve that is not decomposed")
        return found
    bend = sum(
        (r * univariate(p) * to_fmpq(a * k) for r, p, a, k in zip(residuals, sub.bends, cn, n, strict=True)),
        fmpq_poly([]),
    )
    narrow = narrowed(problem, 1)
    for root in positive_roots(equation):
        if root.vanishes(norm):
            if sum(cyn) == 0:  # tanh at w = 0: any output weight is critical
                found.doubts.append("w = 0 is critical for every output weight, a line that is not decomposed here")
            continue
        if root.vanishes(top):
            found.doubts.append("a unit with output weight 0 sits at a double zero: higher order decides")
            continue
        if not up_to_sign([root], odd=sub.odd):
            continue
        at_zero = all(root.vanishes(r) for r in residuals)
        with flint.ctx.workprec(BITS):
            below = root.at(norm)
            output = root.at(top) * root.at(d) / below
            r = [root.at(p) / below for p in residuals]
            value = sum((arb(to_fmpq(a)) * b * b for a, b in zip(c, r, strict=True)), arb(0))
            weights = tuple(arb(to_fmpq(a)) * b for a, b in zip(c, r, strict=True))
            curved = root.at(bend)
        exact = _rational(root, residuals, norm, c)
        known = (
            Value.rational(Fraction(0))
            if at_zero
            else Value.rational(sum((w * w / a for w, a in zip(exact, c, strict=True)), Fraction(0)))
            if exact is not None
            else rounded(value)
        )
        point = _point(sub, root, narrow, top * d, norm, output)
        if point is None:
            found.doubts.append("a critical point of one unit could not be enclosed (its Hessian may be singular)")
            continue
        found.effective.append(
            Effective(
                point,
                known,
                weights,
                exact,
                (root.ball,),
                ((curved > 0) - (curved < 0),),
                inertia_at(narrow, point),
                at_zero,
            )
        )
    return found


def _rational(
    root: PositiveRoot, residuals: Sequence[fmpq_poly], norm: fmpq_poly, c: Sequence[Fraction]
) -> tuple[Fraction, ...] | None:
    if (t := root.rational) is None:
        return None
    x = to_fmpq(t)
    out = [p(x) / norm(x) for p in residuals]
    return tuple(Fraction(int(v.p), int(v.q)) * a for v, a in zip(out, c, strict=True))


def _point(
    sub: Substitution, root: PositiveRoot, narrow: Problem, top: fmpq_poly, norm: fmpq_poly, output: arb
) -> AnyPoint | None:
    if (t := root.rational) is not None and (w := sub.exact_parameter(0, t)) is not None:
        v = top(to_fmpq(t)) / norm(to_fmpq(t))
        return Point(Ln2Ring(), (w, (Fraction(int(v.p), int(v.q)),)))
    w_lo, w_hi = bounds(sub.parameter(0, *root.interval))
    v_lo, v_hi = bounds(output)
    box = prove_critical(narrow, [(w_lo + w_hi) / 2, (v_lo + v_hi) / 2])
    if box is None or not (
        box.lower[0] <= w_lo and w_hi <= box.upper[0] and box.lower[1] <= v_lo and v_hi <= box.upper[1]
    ):
        return None
    return box
