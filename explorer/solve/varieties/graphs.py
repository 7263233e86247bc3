"""What is known along a graph cell as a whole: the value, the Hessian, where its inertia can change, larger families."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from explorer.errors import Unsupported
from explorer.solve.polynomials import (
    Poly,
    coefficients_in,
    determinant_sequence,
    even_power_factors,
    factors,
    fraction,
    variables,
)
from explorer.solve.varieties.decompose import Cell, nonvanishing


def value_on(loss: Poly, cell: Cell) -> Fraction:
    """The constant value of F on a graph cell (its gradient vanishes there, and the cell is dense in an irreducible set)."""
    numerator, denominator = cell.pull_back(loss)
    if numerator.is_zero():
        return Fraction(0)
    if not (numerator.is_constant() and denominator.is_constant()):
        raise Unsupported("a family of critical points", expected="a constant value of F", got=f"{numerator}")
    return fraction(numerator.leading_coefficient() / denominator.leading_coefficient())


def hessian_along(loss: Poly, cell: Cell) -> list[list[Poly]]:
    """The Hessian along a graph cell times a square that does not vanish there: polynomials with the same inertia."""
    n = cell.ring.nvars()
    entries = {(i, j): cell.pull_back(loss.derivative(i).derivative(j)) for i in range(n) for j in range(i, n)}
    common = cell.ring.constant(1)
    for _, d in entries.values():
        common = common * divmod(d, common.gcd(d))[0]
    scaled = {key: p * divmod(common, d)[0] * common for key, (p, d) in entries.items()}
    return [[scaled[min(i, j), max(i, j)] for j in range(n)] for i in range(n)]


def spectral_factors(loss: Poly, cell: Cell, *, everything: bool) -> list[Poly]:
    """Factors whose zeros are the only places where the inertia can change.

    Where the lowest nonzero coefficient of the characteristic polynomial does not vanish the rank is constant, so the
    inertia is constant on connected sets; ``everything`` takes all coefficients (then their signs fix the inertia).
    """
    matrix = hessian_along(loss, cell)
    cs = [c for c in determinant_sequence(matrix) if not c.is_zero()]
    if len(cs) == 1 and not everything and _one_of_squares_lives(cell, [matrix[i][i] for i in range(len(matrix))]):
        return []
    out: list[Poly] = []
    for c in cs if everything else cs[:1]:
        out += [f for f in factors(c) if not nonvanishing(cell, f) and f not in out]
    return out


def _one_of_squares_lives(cell: Cell, diagonal: Sequence[Poly]) -> bool:
    """Whether the trace of a matrix of rank at most one is nonzero on the cell: squares, one of which never vanishes."""
    nonzero = [p for p in diagonal if not p.is_zero()]
    same = all(even_power_factors(p) for p in nonzero) or all(even_power_factors(-p) for p in nonzero)
    return same and any(all(nonvanishing(cell, f) for f in factors(p)) for p in nonzero)


def larger_graph(top: Sequence[Cell], cell: Cell) -> Cell | None:
    """A graph of larger dimension inside the critical set that holds the whole cell, if one is seen.

    Either a graph whose denominators do not vanish on the cell, or the hypersurface p = 0 of a graph of codimension one,
    solved for another parameter in which it is linear: p is irreducible and divides the gradient.
    """
    if cell.equations:
        return None
    found: Cell | None = None
    for other in top:
        if not other.is_graph or len(other.free) <= len(found.free if found else cell.free):
            continue
        closure = [d * cell.ring.gen(i) - n for i, n, d in other.solved]
        if not all(cell.pull_back(p)[0].is_zero() for p in closure):
            continue
        if all(never_zero_on(cell, d) for _, _, d in other.solved):
            found = other
        elif len(closure) == 1:
            (p,) = closure
            for j in variables(p):
                if p.degrees()[j] == 1:
                    rest, slope = coefficients_in(p, j)
                    if never_zero_on(cell, slope):
                        found = Cell(cell.ring, ((j, -rest, slope),), (), tuple(factors(slope)))
                        break
    return found


def never_zero_on(cell: Cell, p: Poly) -> bool:
    top = cell.pull_back(p)[0]
    return not top.is_zero() and all(nonvanishing(cell, f) for f in factors(top))
