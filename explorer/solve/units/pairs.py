"""Two different units at a critical point with a residual: finitely many candidates, excluded or proved one by one.

The residual (weighted: c_i r_i) is orthogonal to phi(u_g) and to phi'(u_g) x at every unit. With up to three samples that
leaves one line for it, so the condition on the weights does not involve the targets; they only fix the output weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import flint
from flint import arb, arb_mat, fmpq_poly

from explorer.algebra.balls import bounds, to_fmpq
from explorer.budget import Deadline
from explorer.problem import Problem
from explorer.solve.boxes.balls import inertia_at, prove_critical, value_at
from explorer.solve.polynomials import Poly, context, variables
from explorer.solve.units.effective import Effective, Found, narrowed, targets
from explorer.solve.units.substitution import Substitution, univariate
from explorer.solve.univariate import BITS, PositiveRoot, middle, positive_roots, up_to_sign


def several_units(problem: Problem, sub: Substitution, deadline: Deadline) -> Found:
    """All effective networks with two or more units and residual r != 0 (r != 0 and one sample exclude each other)."""
    assert problem.data is not None
    samples, found = len(problem.data), Found()
    if samples == 1:
        return found
    n = [row[0] for row in sub.exponents]
    values = [univariate(v) for v in sub.values]
    tangents = [univariate(v * k) for v, k in zip(sub.slopes, n, strict=True)]
    if samples == 2:
        return _two_samples(values, tangents, found, odd=sub.odd)
    if samples == 3:
        return _three_samples(problem, sub, values, tangents, deadline, found)
    found.doubts.append("two or more different units with residuals are excluded for up to three samples only")
    return found


def _two_samples(p: Sequence[fmpq_poly], q: Sequence[fmpq_poly], found: Found, *, odd: bool) -> Found:
    """Both units sit at roots of det[phi, phi' x], and their phi are parallel."""
    determinant = p[0] * q[1] - p[1] * q[0]
    if determinant == 0:
        found.doubts.append("phi and its derivative are parallel for every unit: units are not decomposed")
        return found
    roots = up_to_sign(positive_roots(determinant), odd=odd)
    with flint.ctx.workprec(BITS):
        for a, b in combinations([(r.at(p[0]), r.at(p[1])) for r in roots], 2):
            if (a[0] * b[1] - a[1] * b[0]).contains(0):
                found.doubts.append("two different units may have parallel outputs on the data")
    return found


def _three_samples(
    problem: Problem,
    sub: Substitution,
    p: Sequence[fmpq_poly],
    q: Sequence[fmpq_poly],
    deadline: Deadline,
    found: Found,
) -> Found:
    """nu(a) = phi(a) x phi'(a) x spans the line; nu(a) . phi(b) = (a - b)^2 h(a, b), and h(a, .) has a double zero at b.

    For an odd activation phi(1/b) = -phi(b): then h has the factors b - 1 and (a b - 1)^2 too, which say nothing.
    """
    nu = [p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0]]
    common = nu[0].gcd(nu[1]).gcd(nu[2])
    if common == 0 or up_to_sign(positive_roots(common), odd=sub.odd):
        found.doubts.append("phi and its derivative are parallel at some unit: two units are not excluded there")
        return found
    nu = [v // common for v in nu]
    ring = context(["a", "b"])
    a, b = ring.gen(0), ring.gen(1)
    form = sum((_in(v, a) * _in(w, b) for v, w in zip(nu, p, strict=True)), ring.constant(0))
    h, rest = divmod(form, (a - b) ** 2 * ((b - 1) * (a * b - 1) ** 2 if sub.odd else 1))
    if rest != 0 or h == 0:
        found.doubts.append("the outputs of all units lie in one plane of the data space")
        return found
    candidates = up_to_sign(_candidates(h, found), odd=sub.odd)
    deadline.check("comparing pairs of units")
    pairs = []
    for left, right in combinations(candidates, 2):
        with flint.ctx.workprec(BITS):
            at = (left.ball, right.ball)
            if all(_at(f, x).contains(0) for f in (h, h.derivative(1)) for x in (at, at[::-1])):
                pairs.append((left, right))
    if len({id(r) for pair in pairs for r in pair}) < 2 * len(pairs):
        found.doubts.append("three different units may share a residual")
    for left, right in pairs:
        _prove(problem, sub, p, nu, (left, right), found)
    return found


def _candidates(h: Poly, found: Found) -> list[PositiveRoot]:
    """Where h(a, .) may have a multiple zero: roots of discriminants of its factors and of their resultants."""
    factors = [f for f, _ in h.factor()[1] if variables(f) == (0, 1) and len({c > 0 for c in f.coeffs()}) == 2]
    product = fmpq_poly([1])
    for f, m in h.factor()[1]:
        if m > 1 and f in factors:
            found.doubts.append("a curve of pairs of different units is not excluded")
    for f in factors:
        if f.degrees()[1] > 1:
            product *= univariate_in(f.discriminant(1))
    for f, g in combinations(factors, 2):
        product *= univariate_in(f.resultant(g, 1))
    for f, _ in h.factor()[1]:
        if variables(f) == (0,):
            product *= univariate_in(f)
    if product == 0:
        found.doubts.append("a curve of pairs of different units is not excluded")
        return []
    seen, out = set(), []
    for r in positive_roots(product):
        if (r.interval) not in seen:
            seen.add(r.interval)
            out.append(r)
    return out


def univariate_in(p: Poly) -> fmpq_poly:
    """A polynomial in which only the first unknown occurs, as ``fmpq_poly``."""
    coefficients = [flint.fmpq(0)] * (p.degrees()[0] + 1) if p != 0 else []
    for e, c in p.to_dict().items():
        coefficients[int(e[0])] = c
    return fmpq_poly(coefficients)


def _prove(
    problem: Problem,
    sub: Substitution,
    p: Sequence[fmpq_poly],
    nu: Sequence[fmpq_poly],
    pair: tuple[PositiveRoot, PositiveRoot],
    found: Found,
) -> None:
    """The output weights from the targets, then Krawczyk's test on the gradient of the network with two units."""
    y, c = targets(problem)
    narrow = narrowed(problem, 2)
    with flint.ctx.workprec(BITS):
        d = univariate(sub.denominator)
        phi = [[r.at(v) / r.at(d) for v in p] for r in pair]
        line = [pair[0].at(v) for v in nu]
        rows = [[phi[0][i], phi[1][i], -line[i] / arb(to_fmpq(c[i]))] for i in range(3)]
        try:
            solved = arb_mat(rows).solve(arb_mat([[arb(to_fmpq(v))] for v in y]))
        except ZeroDivisionError:
            found.doubts.append("the output weights of two units are not determined")
            return
        outputs, factor = (solved[0, 0], solved[1, 0]), solved[2, 0]
        if any(v.contains(0) for v in (*outputs, factor)):
            found.doubts.append("whether two units have a residual and nonzero output weights is not decided")
            return
        weights = tuple(factor * v for v in line)
        near = []
        for r in pair:
            near.append(middle(bounds(sub.parameter(0, *r.interval))))
        near += [middle(bounds(v)) for v in outputs]
        curved = []
        for r in pair:
            bend = sum(
                (
                    w * k[0] ** 2 * r.at(univariate(v))
                    for w, k, v in zip(weights, sub.exponents, sub.bends, strict=True)
                ),
                arb(0),
            )
            curved.append((bend > 0) - (bend < 0))
        ts = tuple(r.ball for r in pair)
    box = prove_critical(narrow, near)
    if box is None or any(lo <= 0 <= hi for lo, hi in zip(box.lower[2:], box.upper[2:], strict=True)):
        found.doubts.append("a candidate for two different units was neither proved nor excluded")
        return
    found.effective.append(
        Effective(box, value_at(narrow, box), weights, None, ts, tuple(curved), inertia_at(narrow, box))
    )


def _at(p: Poly, x: Sequence[arb]) -> arb:
    total = arb(0)
    for (i, j), c in p.to_dict().items():
        total += arb(c) * x[0] ** int(i) * x[1] ** int(j)
    return total


def _in(p: fmpq_poly, x: Poly) -> Poly:
    total = x * 0
    for c in reversed(p.coeffs()):
        total = total * x + c
    return total
