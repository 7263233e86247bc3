"""The real solutions of a polynomial system as a disjoint union of explicit cells, by case splits only.

Each step is one of: a product is zero iff its first factor is, or the first is not and a later one is; a x + b = 0 is
x = -b/a where a is nonzero; a sum of even terms of one sign is zero iff each term is; a remaining system with finitely
many solutions is solved. So the union of the cells *is* the solution set by construction, and the cells are disjoint.
This covers toy losses, whose gradients factor; it is no general decomposition (no Groebner basis, no resultant), and
what it cannot split further it hands back as an `Implicit` cell.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from explorer.budget import Deadline
from explorer.errors import Unsupported
from explorer.solve.polynomials import (
    Poly,
    coefficients_in,
    contains,
    factors,
    sign_on,
    substitute,
    sum_of_even_terms,
    variables,
)

MAX_CELLS = 2_000
MAX_TERMS = 5_000


@dataclass(frozen=True)
class Cell:
    """{x : x_i = numerator_i / denominator_i for solved i, equations = 0, nonzero != 0}.

    ``solved`` maps the index i to polynomials in the free variables; denominators are nonzero on the cell. Without
    ``equations`` the cell is the graph over {nonzero != 0} in the space of the ``free`` variables.
    """

    ring: Any
    solved: tuple[tuple[int, Poly, Poly], ...] = ()
    equations: tuple[Poly, ...] = ()
    nonzero: tuple[Poly, ...] = ()

    @property
    def free(self) -> tuple[int, ...]:
        done = {i for i, _, _ in self.solved}
        return tuple(i for i in range(self.ring.nvars()) if i not in done)

    @property
    def is_graph(self) -> bool:
        return not self.equations

    def coordinates(self) -> list[tuple[Poly, Poly]]:
        """Numerator and denominator of every coordinate in the free variables."""
        one = self.ring.constant(1)
        out = [(self.ring.gen(i), one) for i in range(self.ring.nvars())]
        for i, numerator, denominator in self.solved:
            out[i] = (numerator, denominator)
        return out

    def pull_back(self, p: Poly) -> tuple[Poly, Poly]:
        """Numerator and denominator of the polynomial p in all variables, restricted to the cell."""
        numerator, denominator = p, self.ring.constant(1)
        for i, n, d in self.solved:
            degree = numerator.degrees()[i] if not numerator.is_zero() else 0
            numerator = substitute(numerator, i, n, d) if degree else numerator
            denominator = denominator * d**degree
        common = numerator.gcd(denominator) if not numerator.is_zero() else denominator
        return divmod(numerator, common)[0], divmod(denominator, common)[0]


#: tells of a system in the unknowns ``free`` whether it has finitely many solutions
Finite = Callable[[Sequence[Poly], Sequence[int]], bool]


def decompose(
    ring: Any,
    equations: Sequence[Poly],
    deadline: Deadline,
    *,
    start: Cell | None = None,
    finite: Finite | None = None,
) -> list[Cell]:
    """Disjoint cells whose union is {equations = 0} (within the cell ``start``), in a fixed order.

    Cells with equations are those that no split applies to: finite ones (as ``finite`` tells) and implicit ones.
    Raises `BudgetExceeded` with the deadline and `Unsupported` past `MAX_CELLS` cells or `MAX_TERMS` terms.
    """
    first = start or Cell(ring)
    todo = [replace(first, equations=(*first.equations, *(first.pull_back(e)[0] for e in equations)))]
    done: list[Cell] = []
    while todo:
        deadline.check("splitting the critical equations into cells")
        if len(todo) + len(done) > MAX_CELLS:
            raise Unsupported("the critical set", expected=f"at most {MAX_CELLS} cells", got="more cases")
        cell = todo.pop()
        branches = _step(cell, finite)
        if branches is None:
            done.append(cell)
        else:
            todo += reversed(branches)
    return done


def tidied(cells: Sequence[Cell], deadline: Deadline) -> list[Cell]:
    """The same union of disjoint cells with fewer artefacts of the order of the splits.

    A graph cell whose condition q != 0 only excludes pieces that are cells of their own takes these pieces back.
    """
    out = list(cells)
    for cell in cells:
        if not (cell.is_graph and cell.free):
            continue
        here = cell
        for q in cell.nonzero:
            if any(contains(factors(d), q) for _, _, d in here.solved):
                continue
            wider = replace(here, nonzero=tuple(f for f in here.nonzero if f is not q))
            pieces = [_shape(piece) for piece in decompose(cell.ring, [q], deadline, start=wider)]
            shapes = {_shape(c) for c in out if c is not here}
            if all(piece in shapes for piece in pieces):
                out = [wider if c is here else c for c in out if c is here or _shape(c) not in pieces]
                here = wider
    return out


def _shape(cell: Cell) -> tuple[object, ...]:
    """What two cells must have in common to be the same set by inspection (denominators and signs normalised)."""
    solved = tuple((i, str(n / d.leading_coefficient()), str(d / d.leading_coefficient())) for i, n, d in cell.solved)
    return (
        solved,
        tuple(sorted(str(e / e.leading_coefficient()) for e in cell.equations)),
        tuple(sorted(str(q / q.leading_coefficient()) for q in cell.nonzero)),
    )


def nonvanishing(cell: Cell, p: Poly) -> bool:
    """Whether the irreducible p is nonzero on the whole cell, as far as is seen at once."""
    return contains(cell.nonzero, p) or sign_on(p, {}) in (1, -1)


def _step(cell: Cell, finite: Finite | None) -> list[Cell] | None:
    """The branches of one case split of ``cell`` (none: it is empty), or None when no split applies."""
    split: list[list[Poly]] = []
    for e in cell.equations:
        if e.is_zero():
            continue
        if len(e) > MAX_TERMS:
            raise Unsupported("the critical equations", expected=f"at most {MAX_TERMS} terms", got=f"{len(e)}")
        live = [f for f in factors(e) if not nonvanishing(cell, f)]
        if not live:
            return []
        split.append(live)
    certain = [f for fs in split if len(fs) == 1 for f in fs]
    open_products = [fs for fs in split if len(fs) > 1 and not any(contains(certain, f) for f in fs)]
    kept: list[Poly] = []
    for f in certain:
        if not contains(kept, f):
            kept.append(f)
    for f in kept:
        terms = sum_of_even_terms(f)
        if terms is not None:
            rest = [g for g in kept if g is not f]
            return [_with(cell, [*rest, *terms, *map(_product, open_products)])]
    if open_products:
        chosen = min(open_products, key=lambda fs: (len(fs), sum(map(len, fs)), str(fs)))
        others = [*kept, *(_product(fs) for fs in open_products if fs is not chosen)]
        return [_with(cell, [*others, f], nonzero=tuple(chosen[:k])) for k, f in enumerate(chosen)]
    if not kept:
        return None if cell.equations == () else [_with(cell, [])]
    return _solve_linear(cell, kept, finite)


def _solve_linear(cell: Cell, equations: list[Poly], finite: Finite | None) -> list[Cell] | None:
    candidates = []
    for number, f in enumerate(equations):
        for i in variables(f):
            if f.degrees()[i] != 1:
                continue
            b, a = coefficients_in(f, i)
            doubtful = [g for g in factors(a) if not nonvanishing(cell, g)]
            rank = 0 if a.is_constant() else 1 if not doubtful else 2
            candidates.append((rank, len(f), f.total_degree(), number, i, a, b, doubtful))
    candidates.sort(key=lambda c: c[:5])
    if candidates and candidates[0][0] < 2:
        _, _, _, number, i, a, b, _ = candidates[0]
        return _substituted(cell, [f for k, f in enumerate(equations) if k != number], i, -b, a)
    if finite is not None and finite(equations, cell.free):
        return None if cell.equations == tuple(equations) else [_with(cell, equations)]
    if candidates:
        g = candidates[0][7][0]
        return [_with(cell, [*equations, g]), _with(cell, equations, nonzero=(g,))]
    return None if cell.equations == tuple(equations) else [_with(cell, equations)]


def _substituted(cell: Cell, equations: list[Poly], i: int, numerator: Poly, denominator: Poly) -> list[Cell]:
    solved = []
    for j, n, d in cell.solved:
        degree_n, degree_d = (q.degrees()[i] if not q.is_zero() else 0 for q in (n, d))
        top = (substitute(n, i, numerator, denominator) if degree_n else n) * denominator**degree_d
        bottom = (substitute(d, i, numerator, denominator) if degree_d else d) * denominator**degree_n
        solved.append((j, *_lowest(top, bottom)))
    solved.append((i, *_lowest(numerator, denominator)))
    nonzero: list[Poly] = []
    for q in (*cell.nonzero, denominator):
        image = substitute(q, i, numerator, denominator) if q.degrees()[i] else q
        if image.is_zero():
            return []
        nonzero += [f for f in factors(image) if not contains(nonzero, f)]
    images = tuple(substitute(e, i, numerator, denominator) if e.degrees()[i] else e for e in equations)
    nonzero = [f for f in nonzero if sign_on(f, {}) is None]
    return [Cell(cell.ring, tuple(sorted(solved, key=lambda s: s[0])), images, tuple(nonzero))]


def _with(cell: Cell, equations: Sequence[Poly], nonzero: tuple[Poly, ...] = ()) -> Cell:
    fresh = tuple(f for f in nonzero if not contains(cell.nonzero, f))
    return replace(cell, equations=tuple(equations), nonzero=(*cell.nonzero, *fresh))


def _product(fs: Sequence[Poly]) -> Poly:
    out = fs[0]
    for f in fs[1:]:
        out = out * f
    return out


def _lowest(numerator: Poly, denominator: Poly) -> tuple[Poly, Poly]:
    if numerator.is_zero():
        return numerator, numerator.context().constant(1)
    common = numerator.gcd(denominator)
    return divmod(numerator, common)[0], divmod(denominator, common)[0]
