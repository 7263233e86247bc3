"""The quotient algebra Q[x]/I of a finite system: Groebner basis, multiplication matrices, rational parametrisation.

Run as ``python -m explorer.algebra.quotient`` it reads one question as JSON from stdin and prints one answer (integers in
hexadecimal), so that `explorer.algebra.groebner` can kill it. Steps, all exact over Q:

1. FLINT's Buchberger in degree-reverse-lexicographic order; the ideal is finite when every unknown has a pure power
   among the leading monomials.
2. A linear form u whose characteristic polynomial w is squarefree proves the ideal radical and separates its points.
   Where there is none, the ideal is made radical by adding the squarefree part of each unknown's minimal polynomial
   (Seidenberg's lemma; Becker and Weispfenning, "Groebner Bases", 8.2), and its dimension then counts points.
3. Rouillier's rational univariate representation (AAECC 9 (1999)): the unknowns as polynomials in u, times w'.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Collection
from itertools import product
from typing import Any

from flint import Ordering, fmpq, fmpq_mat, fmpq_poly, fmpz_mpoly_ctx, fmpz_mpoly_vec, fmpz_poly, nmod_mat

Monomial = tuple[int, ...]
Terms = list[tuple[Monomial, int]]
MAX_MEMORY = 4 * 2**30  #: bytes of address space; FLINT ends the process beyond it
PRIME = 4611686018427387847  #: below 2^62; a denominator that it divides only costs one more try
Limits = tuple[
    int, int, int
]  #: generators, terms of a polynomial and bits of a coefficient at which FLINT's Buchberger stops


class NotFinite(Exception):
    """The ideal is the whole ring or has infinitely many zeros; the argument says which (a name of Dimension)."""


class TooLarge(Exception):
    """The limits were reached."""


class Vanishes(Exception):
    """An unknown that must not be 0 is 0 at a solution."""


class Quotient:
    """Q[x]/I by its standard monomials ``basis`` and the multiplication matrices of the unknowns (column = image).

    `NotFinite` for other ideals, `TooLarge` beyond ``limits`` of the basis or ``largest`` standard monomials.
    """

    def __init__(
        self, equations: list[Terms], unknowns: int, *, limits: Limits | None = None, largest: int | None = None
    ) -> None:
        self.unknowns = unknowns
        self.leading = _groebner(equations, unknowns, limits)
        self.basis = standard_monomials(list(self.leading), unknowns, largest)
        self.position = {m: k for k, m in enumerate(self.basis)}
        self._images: dict[Monomial, list[fmpq]] = {}
        self.matrices = [self._matrix(k) for k in range(unknowns)]

    def _matrix(self, unknown: int) -> fmpq_mat:
        columns = [self.normal_form(_times(m, unknown)) for m in self.basis]
        return fmpq_mat([[c[i] for c in columns] for i in range(len(self.basis))])

    def normal_form(self, monomial: Monomial) -> list[fmpq]:
        """Coordinates of a border monomial (unknown times standard monomial) in the basis."""
        if (known := self._images.get(monomial)) is not None:
            return known
        out = [fmpq(0)] * len(self.basis)
        if (k := self.position.get(monomial)) is not None:
            out[k] = fmpq(1)
        elif (tail := self.leading.get(monomial)) is not None:
            for m, c in tail:
                out[self.position[m]] = c
        else:
            # some x_j divides it with a nonstandard cofactor: x_j times the cofactor's normal form, all smaller monomials
            for j in range(self.unknowns):
                lower = _over(monomial, j)
                if lower is not None and lower not in self.position:
                    for c, m in zip(self.normal_form(lower), self.basis, strict=True):
                        if c != 0:
                            image = self.normal_form(_times(m, j))
                            for i, d in enumerate(image):
                                if d != 0:
                                    out[i] += c * d
                    break
        self._images[monomial] = out
        return out


def reduced_basis(equations: list[Terms], unknowns: int, limits: Limits | None = None) -> fmpz_mpoly_vec:
    """Reduced Groebner basis (grevlex) of integer polynomials, by FLINT; `TooLarge` beyond ``limits``."""
    ctx = _context(unknowns)
    return _basis(fmpz_mpoly_vec([ctx.from_dict(dict(p)) for p in equations], ctx), limits)


def _context(unknowns: int) -> fmpz_mpoly_ctx:
    return fmpz_mpoly_ctx.get([f"x{k}" for k in range(unknowns)], Ordering.degrevlex)


def _basis(ideal: fmpz_mpoly_vec, limits: Limits | None) -> fmpz_mpoly_vec:
    if limits is None:
        return ideal.buchberger_naive().autoreduction()
    basis, done = ideal.buchberger_naive(limits=limits)
    if not done:
        raise TooLarge
    return basis.autoreduction()


def dimension(
    equations: list[Terms], unknowns: int, limits: Limits | None = None, *, nonzero: Collection[int] = ()
) -> int:
    """The dimension of Q[x]/I as a vector space: the zeros of I over the complex numbers, counted with multiplicity. `NotFinite`, `TooLarge`,
    and `Vanishes` where one of the unknowns ``nonzero`` is 0 at one of them."""
    ctx = _context(unknowns)
    basis = reduced_basis(equations, unknowns, limits)
    leading = [tuple(int(e) for e in p.monoms()[0]) for p in basis if len(p)]
    _check_finite(leading, unknowns)
    # with a basis already there, one more polynomial is little work, but its coefficients grow
    wider = None if limits is None else (limits[0], 2 * limits[1], 8 * limits[2])
    for k in nonzero:
        if not any(p.is_constant() for p in _basis(fmpz_mpoly_vec([*basis, ctx.gen(k)], ctx), wider)):
            raise Vanishes
    return len(standard_monomials(leading, unknowns, None))


def _groebner(
    equations: list[Terms], unknowns: int, limits: Limits | None
) -> dict[Monomial, list[tuple[Monomial, fmpq]]]:
    """Reduced Groebner basis as leading monomial -> normal form of it; raises `NotFinite`."""
    reduced = reduced_basis(equations, unknowns, limits)
    basis: dict[Monomial, list[tuple[Monomial, fmpq]]] = {}
    for p in reduced:
        terms = [(tuple(int(e) for e in m), c) for m, c in p.terms()]
        if terms:
            (lead, scale), tail = terms[0], terms[1:]
            basis[lead] = [(m, -fmpq(c, scale)) for m, c in tail]
    _check_finite(basis, unknowns)
    return basis


def _check_finite(leading: Collection[Monomial], unknowns: int) -> None:
    if any(not any(m) for m in leading):
        raise NotFinite("EMPTY")
    pure = {next(k for k, e in enumerate(m) if e) for m in leading if sum(e > 0 for e in m) == 1}
    if len(pure) < unknowns:
        raise NotFinite("POSITIVE")


def standard_monomials(leading: list[Monomial], unknowns: int, largest: int | None) -> list[Monomial]:
    """Monomials that no leading monomial divides, by total degree; `TooLarge` if there are more than ``largest``."""
    layer: list[Monomial] = [(0,) * unknowns]
    out: list[Monomial] = []
    leads = set(leading)
    while layer:
        out += layer
        if largest is not None and len(out) > largest:
            raise TooLarge
        known = set(layer)
        grown = {_times(m, k) for m, k in product(layer, range(unknowns))} - leads
        # m is standard if it leads nothing itself and every m / x_k is standard, all of which lie in the layer below
        layer = sorted(m for m in grown if all(below in known for k in range(unknowns) if (below := _over(m, k))))
    return out


def _times(m: Monomial, k: int) -> Monomial:
    return (*m[:k], m[k] + 1, *m[k + 1 :])


def _over(m: Monomial, k: int) -> Monomial | None:
    return (*m[:k], m[k] - 1, *m[k + 1 :]) if m[k] else None


def radical(quotient: Quotient, equations: list[Terms]) -> Quotient:
    """The quotient by the radical of the ideal: the squarefree part of every unknown's minimal polynomial is added."""
    n, added = quotient.unknowns, []
    for k, matrix in enumerate(quotient.matrices):
        p = matrix.minpoly().numer()
        q = p / p.gcd(p.derivative())
        if q.degree() < p.degree():
            added.append([(tuple(d if i == k else 0 for i in range(n)), int(c)) for d, c in enumerate(q.coeffs())])
    return Quotient(equations + added, n) if added else quotient


def separating(quotient: Quotient, rng: random.Random, attempts: int) -> fmpq_mat | None:
    """Multiplication by a linear form with a squarefree characteristic polynomial, so that it has as many values as the
    dimension: then the ideal is radical and the form separates its points. None when no attempt succeeds."""
    n, size = quotient.unknowns, len(quotient.basis)
    forms = [[int(i == k) for i in range(n)] for k in reversed(range(n))]
    forms += [[rng.randint(-(3 + k), 3 + k) for _ in range(n)] for k in range(attempts)]
    for form in forms:
        u = sum((c * m for c, m in zip(form, quotient.matrices, strict=True) if c), fmpq_mat(size, size))
        numerator, denominator = u.numer_denom()
        if denominator % PRIME == 0:
            continue
        p = nmod_mat(numerator, PRIME).charpoly()  # of a multiple of u
        if p.gcd(p.derivative()).degree() == 0:  # squarefree modulo a prime, hence over Q
            return u
    return None


def parametrise(quotient: Quotient, u: fmpq_mat) -> tuple[fmpz_poly, list[fmpq_poly]]:
    """(w, numerators) with x_k = numerators[k](t) / w'(t) at the roots t of w, the characteristic polynomial of u.

    The ideal is radical and u separates its points, so the powers 1, u, ..., u^(D-1) are a basis of the quotient: one linear
    system writes u^D and every x_k in it. Rouillier's numerators are those polynomials times w', modulo w.
    """
    size = len(quotient.basis)
    powers = [fmpq_mat(size, 1, [fmpq(int(i == 0)) for i in range(size)])]  # the basis starts with 1
    for _ in range(size):
        powers.append(u * powers[-1])
    krylov = fmpq_mat([[p[i, 0] for p in powers[:-1]] for i in range(size)])
    sides = fmpq_mat([[powers[-1][i, 0], *(m[i, 0] for m in quotient.matrices)] for i in range(size)])
    found = krylov.solve(sides)
    w = fmpq_poly([*(-found[i, 0] for i in range(size)), fmpq(1)])
    integer = w.numer() / w.numer().content()
    slope = fmpq_poly(integer.derivative())
    columns = (fmpq_poly([found[i, k] for i in range(size)]) for k in range(1, quotient.unknowns + 1))
    return integer, [(p * slope) % w for p in columns]


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """One answer as JSON data; see the module text."""
    n = int(question["unknowns"])
    equations: list[Terms] = [[(tuple(e), int(c, 16)) for e, c in p] for p in question["equations"]]
    try:
        quotient = Quotient(equations, n)
    except NotFinite as found:
        return {"dimension": str(found)}
    multiplicity = len(quotient.basis)
    rng = random.Random(int(question["seed"]))
    u = separating(quotient, rng, 5)
    if u is None:
        quotient = radical(quotient, equations)
        u = separating(quotient, rng, 200)
    if u is None:
        return {"dimension": "UNDECIDED", "reason": "no separating linear form was found"}
    w, numerators = parametrise(quotient, u)
    return {
        "dimension": "FINITE",
        "multiplicity": multiplicity,
        "eliminating": [hex(int(c)) for c in w.coeffs()],
        "denominator": [hex(int(c)) for c in w.derivative().coeffs()],
        "numerators": [
            {"numerator": [hex(int(c)) for c in p.numer().coeffs()], "scale": hex(int(p.denom()))} for p in numerators
        ],
    }


def main() -> None:
    """Read a question, answer it; memory is bounded, and the process ends itself should nobody be left to kill it."""
    question = json.load(sys.stdin)
    try:
        import resource
        import signal

        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
        if question.get("seconds") is not None:
            signal.alarm(int(question["seconds"]) + 2)
    except (ImportError, ValueError, OSError):  # not a POSIX system, or a stricter limit already holds
        pass
    json.dump(answer(question), sys.stdout)


if __name__ == "__main__":
    main()
