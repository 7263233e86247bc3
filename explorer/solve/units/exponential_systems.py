"""One exponential unit with several incoming parameters: polynomial systems in t > 0, every solution re-proved.

With residual r and psi(u) = sum_i c_i r_i phi(u . x_i): an output weight V != 0 needs psi(u) = 0 and grad psi(u) = 0. With
as many samples as parameters the two cases r = 0 and r != 0 (then r spans the line orthogonal to all derivatives of phi)
are two small systems; otherwise V stays an unknown. V = 0 leaves the hypersurface psi(u) = 0 with r = -y.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product

import flint

from explorer.algebra.balls import bounds
from explorer.algebra.exactify import simplest_between
from explorer.algebra.msolve import find_msolve
from explorer.algebra.solver import Dimension, solve_zero_dimensional
from explorer.algebra.systems import PolynomialSystem
from explorer.budget import Deadline
from explorer.model.landscape import landscape
from explorer.point import EnclosedPoint, Inertia, Ln2Ring, Point
from explorer.problem import Problem
from explorer.solve.boxes.balls import inertia_at, prove_critical, value_at
from explorer.solve.polynomials import Poly, context, from_terms, to_terms
from explorer.solve.results import Component, Kind, Value
from explorer.solve.units.effective import targets
from explorer.solve.units.substitution import Substitution, dot, univariate
from explorer.solve.univariate import BITS, middle, positive_roots

Answer = tuple[list[Component], list[str]]
Ends = tuple[Fraction, Fraction]
Box = tuple[Ends, ...]


def one_neuron(problem: Problem, sub: Substitution, deadline: Deadline) -> Answer:
    """A neuron with output activation: sum_i c_i (phi_i - y_i) n_ik phi'_i = 0 for every parameter k."""
    y, c = targets(problem)
    errors = [p - sub.denominator * _rational(v) for p, v in zip(sub.values, y, strict=True)]
    equations = [
        dot([a * row[k] for a, row in zip(c, sub.exponents, strict=True)], errors, sub.slopes)
        for k in range(sub.unknowns)
    ]
    out: list[Component] = []
    doubts: list[str] = []
    for box in _positive(sub, equations, deadline, doubts):
        _add(problem, _parameters(sub, box), out, doubts)
    return out, doubts


def one_wide_unit(problem: Problem, sub: Substitution, deadline: Deadline) -> Answer:
    """One hidden unit with linear output and at least two incoming parameters (a bias counts)."""
    y, c = targets(problem)
    out, doubts = _switched_off(problem, sub, deadline)
    if not any(y):
        return [], ["all targets are 0: the set with output weight 0 is not decomposed"]
    if len(y) == sub.unknowns + 1 == 3:
        found = _square(problem, sub, deadline, doubts)
    else:
        errors = [
            p * _gen(sub, "v") - _lift(sub, sub.denominator) * _rational(t)
            for p, t in zip(_lifted(sub, sub.values), y, strict=True)
        ]
        slopes = _lifted(sub, sub.slopes)
        equations = [dot(c, errors, _lifted(sub, sub.values))]
        equations += [
            dot([a * row[k] for a, row in zip(c, sub.exponents, strict=True)], errors, slopes)
            for k in range(sub.unknowns)
        ]
        found = [(b[:-1], b[-1], False) for b in _positive(sub, equations, deadline, doubts, output=True)]
    for box, v, fits in found:
        _add(problem, [*_parameters(sub, box), v], out, doubts, fits=fits)
    return out, doubts


def _square(problem: Problem, sub: Substitution, deadline: Deadline, doubts: list[str]) -> list[tuple[Box, Ends, bool]]:
    """(t, V, whether r = 0) with r = 0, or with r != 0 orthogonal to phi and all its derivatives."""
    y, c = targets(problem)
    samples = len(y)
    values = _lifted(sub, sub.values)
    d = _lift(sub, sub.denominator)
    reduced = []
    for p, t in zip(values, y, strict=True):  # V phi_i = y_i over the denominator of this sample alone
        common = p.gcd(d)
        reduced.append(_gen(sub, "v") * (p // common) - (d // common) * _rational(t))
    found = [(b[:-1], b[-1], True) for b in _positive(sub, reduced, deadline, doubts, output=True)]
    columns = [[p * row[k] for p, row in zip(sub.slopes, sub.exponents, strict=True)] for k in range(sub.unknowns)]
    line = [_minor(columns, i) * (-1) ** i for i in range(samples)]  # orthogonal to all phi' x_k
    common = line[0]
    for v in line[1:]:
        common = common.gcd(v)
    if common == 0:
        doubts.append("the derivatives of phi are dependent for every unit: residuals are not excluded")
        return found
    line = [v // common for v in line]
    constant = sub.ring.constant  # type: ignore[attr-defined]
    first = dot([Fraction(1)] * samples, line, sub.values)
    if first == 0:
        doubts.append("residuals are orthogonal to every unit: not decomposed")
        return found
    ratio = _eliminated(sub, line, y, c)
    strata = [f for f, _ in first.factor()[1]]
    unit = [g for g in strata if _is_constant_unit(sub, g)]
    if unit:
        mean = sum((a * b for a, b in zip(c, y, strict=True)), Fraction(0)) / sum(c, Fraction(0))
        inputs = [row[:-1] for row in sub.exponents]
        slopes = [
            sum((a * (mean - b) * x[k] for a, b, x in zip(c, y, inputs, strict=True)), Fraction(0))
            for k in range(len(inputs[0]))
        ]
        if not any(slopes):
            doubts.append("the best fit is a constant: the family with incoming weights 0 is not decomposed")
    rest = constant(1)
    for g in strata:
        if g not in unit and len({x > 0 for x in g.coeffs()}) == 2:
            rest *= g
    if rest.is_constant():
        return found
    for box in _positive(sub, [rest, ratio], deadline, doubts):
        if sub.kind == "tanh" and all(lo <= 1 <= hi for lo, hi in box):
            # all pre-activations are 0 there and r = -y: critical for every V, or for no V != 0
            if not any(
                sum(a * b * row[k] for a, b, row in zip(c, y, sub.exponents, strict=True)) for k in range(sub.unknowns)
            ):
                doubts.append("the line over incoming weights 0 is critical and not decomposed")
            continue
        found.append((box, _best_output(sub, box, y, c), False))
    return found


def _best_output(
    sub: Substitution, box: Box, y: Sequence[Fraction], c: Sequence[Fraction]
) -> tuple[Fraction, Fraction]:
    """V = <y, phi> / <phi, phi> at a proposed t (Krawczyk's test decides)."""
    at = [middle(b) for b in box]
    d = _value(sub.denominator, at)
    phi = [_value(p, at) / d for p in sub.values]
    above = sum((a * b * v for a, b, v in zip(c, y, phi, strict=True)), Fraction(0))
    v = above / sum((a * v * v for a, v in zip(c, phi, strict=True)), Fraction(0))
    return v, v


def _value(p: Poly, at: Sequence[Fraction]) -> Fraction:
    total = Fraction(0)
    for e, x in to_terms(p).items():
        for k, t in zip(e, at, strict=True):
            x *= t**k
        total += x
    return total


def _eliminated(sub: Substitution, line: Sequence[Poly], y: Sequence[Fraction], c: Sequence[Fraction]) -> Poly:
    """det(phi, line / c, y) for three samples: V phi - y is a multiple of line / c for some V."""
    if len(y) != 3:
        raise ValueError("three samples")
    p, d = sub.values, sub.denominator
    total = d * 0
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        total += p[i] * (line[j] * _rational(y[k] / c[j]) - line[k] * _rational(y[j] / c[k]))
    return total


def _is_constant_unit(sub: Substitution, g: Poly) -> bool:
    """Whether g = 0 is t_1 = 1: no incoming weight but the bias (one input)."""
    t1 = sub.ring.gen(0)  # type: ignore[attr-defined]
    return sub.unknowns == 2 and all(row[1] == 1 for row in sub.exponents) and (g == t1 - 1 or g == 1 - t1)


def _minor(columns: Sequence[Sequence[Poly]], skip: int) -> Poly:
    """The determinant of the columns without row ``skip`` (Laplace)."""
    rows = [[column[i] for column in columns] for i in range(len(columns[0])) if i != skip]
    return _determinant(rows)


def _determinant(m: Sequence[Sequence[Poly]]) -> Poly:
    if len(m) == 1:
        return m[0][0]
    total = m[0][0] * 0
    for j, entry in enumerate(m[0]):
        total += entry * (-1) ** j * _determinant([[*row[:j], *row[j + 1 :]] for row in m[1:]])
    return total


def _switched_off(problem: Problem, sub: Substitution, deadline: Deadline) -> Answer:
    """Output weight 0: psi(u) = -sum c_i y_i phi_i = 0, a regular hypersurface of strict saddles, or empty."""
    y, c = targets(problem)
    cy = [a * b for a, b in zip(c, y, strict=True)]
    psi = dot(cy, sub.values)
    if psi == 0:
        return [], ["psi vanishes identically"]
    if len({x > 0 for x in psi.coeffs()}) == 1:
        return [], []  # coefficients of one sign: no zero with t > 0
    slopes = [
        dot([a * row[k] for a, row in zip(cy, sub.exponents, strict=True)], sub.slopes) for k in range(sub.unknowns)
    ]
    doubts: list[str] = []
    if _positive(sub, [psi, *slopes], deadline, doubts):
        return [], [*doubts, "the set with output weight 0 has singular points: it is not decomposed"]
    sample = _on_hypersurface(sub, psi)
    if sample is None:
        return [], [*doubts, "whether the set with output weight 0 is empty is not decided"]
    with flint.ctx.workprec(BITS):
        ends = [bounds(sub.parameter(k, *b)) for k, b in enumerate(sample)]
    zero = Fraction(0)
    value = sum((a * b * b for a, b in zip(c, y, strict=True)), zero)
    h = sub.unknowns
    component = Component(
        dimension=h - 1,
        sample=EnclosedPoint((*(a for a, _ in ends), zero), (*(b for _, b in ends), zero)),
        value=Value.rational(value),
        inertia=Inertia(1, h - 1, 1),
        kind=Kind.STRICT_SADDLE,
        is_global=None,
        because="output weight 0 at a unit where psi = 0 and grad psi != 0: eigenvalues of both signs",
        equations=(f"{problem.parameters[h]} = 0", f"sum_i c_i y_i {sub.kind}(z_i) = 0"),
        description=f"a regular hypersurface of dimension {h - 1} (not claimed connected); the sample is a box around one point",
    )
    return [component], doubts


def _on_hypersurface(sub: Substitution, psi: Poly) -> Box | None:
    """A point of psi = 0 with t > 0: powers of two for all but one unknown, a root for that one."""
    h = sub.unknowns
    for free in range(h - 1, -1, -1):
        for powers in product((0, 1, -1, 2, -2, 4, -4, 8, -8), repeat=h - 1):
            fixed = [Fraction(2) ** k for k in powers]
            fixed.insert(free, Fraction(1))
            terms: dict[tuple[int, ...], Fraction] = {}
            for e, x in to_terms(psi).items():
                weight = x
                for k, t in enumerate(fixed):
                    weight *= t ** e[k] if k != free else 1
                terms[(e[free],)] = terms.get((e[free],), Fraction(0)) + weight
            p = from_terms(context(["t"]), {e: v for e, v in terms.items() if v})
            roots = positive_roots(univariate(p)) if p != 0 else []
            if roots:
                box = [(t, t) for t in fixed]
                box[free] = roots[0].interval
                return tuple(box)
    return None


# -- solving for t > 0 ---------------------------------------------------------------------------------------------


def _positive(
    sub: Substitution, equations: Sequence[Poly], deadline: Deadline, doubts: list[str], *, output: bool = False
) -> list[Box]:
    """All solutions with t > 0 (and V != 0 where ``output``): one more unknown keeps t, V and the denominator off zero."""
    names = [*_names(sub), *(["v"] if output else []), "z"]
    ring = context(names)

    def lift(p: Poly) -> Poly:
        return ring.from_dict({tuple(e) + (0,) * (len(names) - len(e)): x for e, x in p.to_dict().items()})

    away = ring.gen(len(names) - 1)
    for k in range(len(names) - 1):
        away *= ring.gen(k)
    for f, _ in lift(sub.denominator).factor()[1]:
        if len(f) > 1:
            away *= f
    system = PolynomialSystem.of(names, [to_terms(lift(e)) for e in equations] + [to_terms(away - 1)])
    # one more exact computation of a basis would cost far more than msolve's modular lifting; the points are re-proved
    solution = solve_zero_dimensional(system, deadline, engine="msolve" if find_msolve() else "groebner")
    if solution.dimension not in (Dimension.FINITE, Dimension.EMPTY) or not solution.complete:
        doubts.append(f"the system in t = exp(w/q) was not solved: {solution.reason or solution.dimension.value}")
        return []
    kept = []
    for root in solution.roots:
        ends = root.enclosure[: sub.unknowns]
        if all(hi > 0 for _, hi in ends):
            if any(lo <= 0 for lo, _ in ends):
                doubts.append("the sign of an unknown is not decided")
            elif root.singular:
                doubts.append("a multiple solution is not classified")
            else:
                kept.append(root.enclosure[: len(names) - 1])
    return kept


def _names(sub: Substitution) -> list[str]:
    return [f"t{k}" for k in range(1, sub.unknowns + 1)]


def _gen(sub: Substitution, name: str) -> Poly:
    names = [*_names(sub), "v"]
    return context(names).gen(names.index(name))


def _lift(sub: Substitution, p: Poly) -> Poly:
    return context([*_names(sub), "v"]).from_dict({(*e, 0): x for e, x in p.to_dict().items()})


def _lifted(sub: Substitution, polys: Sequence[Poly]) -> list[Poly]:
    return [_lift(sub, p) for p in polys]


def _rational(x: Fraction) -> flint.fmpq:
    return flint.fmpq(x.numerator, x.denominator)


def _parameters(sub: Substitution, box: Box) -> list[Ends]:
    """Enclosures of w = ln(t) / (m g)."""
    return [bounds(sub.parameter(k, lo, hi)) for k, (lo, hi) in enumerate(box)]


def _add(
    problem: Problem, near: Sequence[Ends], out: list[Component], doubts: list[str], *, fits: bool = False
) -> None:
    """The critical point near these enclosures; ``fits``: they enclose a point with residual 0 (exact where it is a
    multiple of ln 2)."""
    exact = _exact(problem, near) if fits else None
    point = prove_critical(problem, [middle(b) for b in near])
    inside = point is not None and all(
        a <= lo and hi <= b for a, (lo, hi), b in zip(point.lower, near, point.upper, strict=True)
    )
    if point is None or any(c.sample == point for c in out) or (fits and not inside):
        doubts.append("a critical point could not be enclosed (its Hessian may be singular)")
        return
    found = inertia_at(problem, exact or point)
    if found is None:
        doubts.append("the inertia at a critical point is not decided")
        return
    kind = Kind.STRICT_SADDLE
    why = f"eigenvalues: {found.positive} positive, {found.zero} zero, {found.negative} negative"
    if not found.negative:
        kind, why = Kind.STRICT_MINIMUM, "the Hessian is positive definite"
    elif not found.positive:
        kind, why = Kind.STRICT_MAXIMUM, "the Hessian is negative definite"
    out.append(
        Component(
            dimension=0,
            sample=exact or point,
            value=Value.rational(Fraction(0)) if fits else value_at(problem, point),
            inertia=found,
            kind=kind,
            is_global=None,
            because=why,
            orbit=1,
            points=(exact or point,),
            isolated=True,
            description="an isolated point",
        )
    )


def _exact(problem: Problem, near: Sequence[Ends]) -> Point | None:
    """The point with integer multiples of ln 2 (a rational output weight) in these enclosures, if F = 0 there.

    It lies in the box of Krawczyk's test, which holds one critical point, so it is that one.
    """
    with flint.ctx.workprec(BITS):
        log2 = flint.arb(2).log()
        coordinates: list[tuple[Fraction, ...]] = []
        for lo, hi in near[:-1]:
            k = (flint.arb(_rational(lo)).union(flint.arb(_rational(hi))) / log2).unique_fmpz()
            if k is None:
                return None
            coordinates.append((Fraction(0), Fraction(int(k))) if k else (Fraction(0),))
    coordinates.append((simplest_between(*near[-1]),))
    point = Point(Ln2Ring(), tuple(coordinates))
    value, _ = landscape(problem).value_at(point)
    return point if value is not None and not any(value) else None
