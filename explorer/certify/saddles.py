"""Steps that prove saddles and points that are not extrema: eigenvalues of a sign, or curves along which F falls or rises."""

from __future__ import annotations

from explorer.algebra.fields import arithmetic
from explorer.budget import Budget
from explorer.certify.encode import Step, element_json
from explorer.certify.extrema import merged
from explorer.certify.located import Located
from explorer.errors import NotCertifiable, Unsupported
from explorer.point import Element, Field
from explorer.solve.results import Curve


def strict_saddle_steps(p: Located) -> list[Step]:
    """Gradient zero, eigenvalues of both signs."""
    stationary = p.stationary_steps()
    found, steps = p.inertia_steps()
    if not found.positive or not found.negative:
        raise NotCertifiable(
            f"point {p.name}",
            expected="eigenvalues of both signs",
            got=f"{found.positive} positive and {found.negative} negative",
        )
    return merged([*stationary, *steps, {"rule": "strict-saddle", "point": p.name}])


def saddle_steps(p: Located, budget: Budget | None) -> list[Step]:
    """Gradient zero, neither a local minimum nor a local maximum."""
    return merged([*p.stationary_steps(), *side_steps(p, -1, budget), *side_steps(p, 1, budget)])


def side_steps(p: Located, sign: int, budget: Budget | None) -> list[Step]:
    """F takes lower (sign -1) or higher (sign 1) values near p: a slope, an eigenvalue of that sign, or a curve."""
    if not p.is_boxed and (line := _along_slope(p, sign)) is not None:
        return [curve_step(p.name, line, p.field, sign)]
    stationary = p.stationary_steps()
    found, steps = p.inertia_steps()
    if (found.negative if sign < 0 else found.positive) > 0:
        return merged([*stationary, *steps])
    word = "descent" if sign < 0 else "ascent"
    if p.is_boxed:
        raise NotCertifiable(f"point {p.name}", expected=f"an eigenvalue for {word}", got="none over the box")
    curve = (p.evidence.descent if sign < 0 else p.evidence.ascent) or _found(p, sign, budget)
    if curve is None:
        raise NotCertifiable(
            f"point {p.name}",
            expected=f"a {word} curve",
            got="none found",
            remedy="the point may be an extremum, or the curve may be beyond the search",
        )
    return [curve_step(p.name, curve, p.field, sign)]


def curve_step(name: str, curve: Curve, field: Field, sign: int) -> Step:
    """A descent (sign -1) or ascent (sign 1) curve as the format writes it."""
    return {
        "rule": "descent-curve" if sign < 0 else "ascent-curve",
        "point": name,
        "order": curve.order,
        "coefficient": element_json(curve.coefficient, field),
        "curve": [[element_json(c, field) for c in row] for row in curve.coefficients],
    }


def _along_slope(p: Located, sign: int) -> Curve | None:
    """Where the gradient is not zero, the line along one parameter with a slope; None at a critical point."""
    a = arithmetic(p.field)
    for k, slope in enumerate(p.slope.gradient):
        if not a.is_zero(slope):
            up = a.sign(slope)
            rows: list[tuple[Element, ...]] = [() for _ in p.slope.gradient]
            rows[k] = (a.from_fraction(sign * up),)
            return Curve(1, slope if sign * up > 0 else a.neg(slope), tuple(rows))
    return None


def _found(p: Located, sign: int, budget: Budget | None) -> Curve | None:
    """The solver's search for a curve, for polynomial losses."""
    from explorer.model.polynomial import loss_polynomial
    from explorer.solve.curves import curves_at

    try:
        terms = loss_polynomial(p.problem).terms
    except Unsupported:
        return None
    return curves_at(terms, p.exact, (budget or Budget()).start(), want=frozenset({sign})).get(sign)
