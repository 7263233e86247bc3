"""Critical sets of linear networks with two layers, from the closed form: one component per set of singular directions.

The stratum of S consists of W_2 = U_S A, A of full rank r = |S|, and all W_1 with A W_1 = U_S^T Syx Sxx^-1 whose remaining rows
lie in the kernel of U_Q^T Syx (Q the complement; no condition for the largest rank). The sample is W_2 = [U_S, 0].
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from flint import fmpq_mat

from explorer.algebra.balls import to_fraction
from explorer.algebra.fields import arithmetic
from explorer.algebra.roots import AlgebraicNumber
from explorer.budget import Deadline
from explorer.errors import Unsupported
from explorer.point import Element, Field, NumberField, Point, RationalField
from explorer.solve.classify import Target
from explorer.solve.deep_linear import GLOBAL, DeepLinear, LinearStratum, deep_linear, is_deep_linear, moments
from explorer.solve.results import Component, CriticalSet, Evidence, Kind

MAX_STRATA = 512


def two_layers(t: Target, deadline: Deadline) -> CriticalSet | None:
    """The whole critical set, or None where the closed form does not apply or a sample has no small field."""
    if not is_deep_linear(t.problem):
        return None
    try:
        found = deep_linear(t.problem)
    except Unsupported:
        return None
    if found.depth != 2 or found.count > MAX_STRATA:
        return None
    components = []
    for stratum in found.strata():
        deadline.check("constructing critical points of a linear network")
        sample = _sample(found, stratum)
        if sample is None:
            return None
        inertia = t.hessian_inertia(sample)
        dimension = stratum.dimension
        assert dimension is not None
        kind = Kind.MINIMUM if stratum.kinds == (GLOBAL,) else Kind.STRICT_SADDLE
        expected = inertia is not None and (
            inertia.zero >= dimension and (inertia.negative == 0) == (kind is Kind.MINIMUM) and inertia.positive > 0
        )
        if not t.gradient.vanishes_at(sample) or not expected:
            return None
        components.append(component(found, stratum, sample, dimension, kind, t))
    components.sort(key=lambda c: (-c.dimension, c.value.lower, str(c.sample)))
    return CriticalSet(
        t.problem,
        tuple(components),
        found.coverage,
        found.global_value,
        "every local minimum of a linear network is global, and the infimum over matrices of bounded rank is attained",
    )


def component(
    found: DeepLinear, stratum: LinearStratum, sample: Point, dimension: int, kind: Kind, t: Target
) -> Component:
    """The component of one stratum with its sample."""
    top = kind is Kind.MINIMUM
    words = ", ".join(map(str, stratum.subset)) or "none"
    return Component(
        dimension=dimension,
        sample=sample,
        value=stratum.value,
        inertia=t.hessian_inertia(sample),
        kind=kind,
        is_global=top,
        because="the product projects onto the eigenvectors with the largest eigenvalues, as many as the width allows"
        if top
        else "not the largest eigenvalues, or fewer than the width allows: strict for two layers (Baldi and Hornik 1989)",
        orbit=1 if dimension == 0 else None,
        points=(sample,) if dimension == 0 else (),
        isolated=True if dimension == 0 else None,
        description=f"product of rank {stratum.rank} on the eigenvectors of Syx Sxx^-1 Sxy with the numbers {words} "
        f"(1 is the largest); dimension {dimension}, not claimed connected",
        evidence=Evidence(at_floor=top and stratum.value.as_fraction == 0),
    )


def _sample(found: DeepLinear, stratum: LinearStratum) -> Point | None:
    """W_2 = [U_S, 0] and W_1 = [U_S^+ Syx Sxx^-1; 0], eigenvectors scaled to have coordinates in the field."""
    numbers = [found.eigenvalues[k - 1] for k in stratum.subset]
    common = _field(numbers)
    if common is None:
        return None
    field, values = common
    a = arithmetic(field)
    sxx, syx, _ = moments(found.problem)
    fit = syx * sxx.inv()
    sigma = fit * syx.transpose()
    n, hidden, m = found.widths
    first = [[a.zero] * n for _ in range(hidden)]
    second = [[a.zero] * hidden for _ in range(m)]
    for k, value in enumerate(values):
        u = _eigenvector(sigma, value, field)
        if u is None:
            return None
        square = a.zero
        for x in u:
            square = a.add(square, a.mul(x, x))
        scale = a.inverse(square)
        for i in range(m):
            second[i][k] = u[i]
        for j in range(n):
            total = a.zero
            for i in range(m):
                total = a.add(total, a.mul(u[i], a.from_fraction(to_fraction(fit[i, j]))))
            first[k][j] = a.mul(scale, total)
    return Point(field, tuple(x for rows in (first, second) for row in rows for x in row))


def _field(numbers: Sequence[AlgebraicNumber]) -> tuple[Field, list[Element]] | None:
    """One field for all the numbers and the numbers in it: the rationals, or Q(alpha) with one irrational number or with
    the two conjugates of a quadratic one."""
    irrational = [n for n in numbers if n.rational is None]
    if not irrational:
        return RationalField(), [(n.rational,) for n in numbers if n.rational is not None]
    alpha = irrational[0]
    if any(n.polynomial != alpha.polynomial for n in irrational) or (len(irrational) > 1 and alpha.degree > 2):
        return None
    field = NumberField(tuple(Fraction(c) for c in alpha.polynomial), alpha.interval)
    conjugate = (Fraction(-alpha.polynomial[-2], alpha.polynomial[-1]), Fraction(-1))
    out: list[Element] = []
    for n in numbers:
        if n.rational is not None:
            out.append((n.rational,))
        else:
            out.append((Fraction(0), Fraction(1)) if n is alpha else conjugate)
    return field, out


def _eigenvector(sigma: fmpq_mat, value: Element, field: Field) -> list[Element] | None:
    """A nonzero column of q(sigma), where (t - value) q(t) is the characteristic polynomial: (sigma - value) q(sigma) = 0."""
    a = arithmetic(field)
    c = [to_fraction(x) for x in sigma.charpoly().coeffs()]
    size = sigma.nrows()
    quotient: list[Element] = []  # high to low, by Horner's scheme
    carry = a.zero
    for x in reversed(c[1:]):
        carry = a.add(a.mul(carry, value), a.from_fraction(x))
        quotient.append(carry)
    powers = [fmpq_mat(size, size, [int(i == j) for i in range(size) for j in range(size)])]
    for _ in range(size - 1):
        powers.append(powers[-1] * sigma)
    for column in range(size):
        u = []
        for i in range(size):
            total = a.zero
            for q, power in zip(reversed(quotient), powers, strict=True):
                total = a.add(total, a.mul(q, a.from_fraction(to_fraction(power[i, column]))))
            u.append(total)
        if not all(a.is_zero(x) for x in u):
            return u
    return None
