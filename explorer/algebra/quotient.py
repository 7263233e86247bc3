"""The quotient algebra Q[x]/I of a finite system: Groebner basis, multiplication matrices, rational parametrisation.

Run as ``python -m explorer.algebra.quotient`` it reads one question as JSON from stdin and prints one answer (integers in
hexadecimal), so that `explorer.algebra.groebner` can kill it. Steps, all exact over Q:

1. FLINT's Buchberger in degree-reverse-lexicographic order; the ideal is finite when every unknown has a pure power
   among the leading monomials.
2. The ideal becomes radical by adding the squarefree part of each unknown's minimal polynomial (Seidenberg's lemma 92;
   Becker and Weispfenning, "Groebner Bases", 8.2), unless it is radical already. Its dimension then counts points.
3. A linear form u separates the points exactly when 1, u, u^2, ... span the quotient; solving in that basis gives the
   minimal polynomial w of u and every unknown as a polynomial in u. Multiplied by w'(u) the numerators are small.
"""

from __future__ import annotations

import json
import random
import sys
from itertools import product
from typing import Any

from flint import Ordering, fmpq, fmpq_mat, fmpq_poly, fmpz_mpoly_ctx, fmpz_mpoly_vec, fmpz_poly, nmod, nmod_mat

Monomial = tuple[int, ...]
Terms = list[tuple[Monomial, int]]
PRIME = 4611686018427387847  #: below 2^62; a denominator that it divides only costs one more try


class NotFinite(Exception):
    """The ideal is the whole ring or has infinitely many zeros; the argument says which (a name of Dimension)."""


class Quotient:
    """Q[x]/I by its standard monomials ``basis`` and the multiplication matrices of the unknowns (column = image)."""

    def __init__(self, equations: list[Terms], unknowns: int) -> None:
        self.unknowns = unknowns
        self.leading = _groebner(equations, unknowns)
        self.basis = _standard_monomials(list(self.leading), unknowns)
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


def _groebner(equations: list[Terms], unknowns: int) -> dict[Monomial, list[tuple[Monomial, fmpq]]]:
    """Reduced Groebner basis as leading monomial -> normal form of it; raises `NotFinite`."""
    ctx = fmpz_mpoly_ctx.get([f"x{k}" for k in range(unknowns)], Ordering.degrevlex)
    ideal = fmpz_mpoly_vec([ctx.from_dict(dict(p)) for p in equations], ctx)
    reduced = ideal.buchberger_naive().autoreduction()
    basis: dict[Monomial, list[tuple[Monomial, fmpq]]] = {}
    for p in reduced:
        terms = [(tuple(int(e) for e in m), c) for m, c in p.terms()]
        if terms:
            (lead, scale), tail = terms[0], terms[1:]
            basis[lead] = [(m, -fmpq(c, scale)) for m, c in tail]
    if any(not any(m) for m in basis):
        raise NotFinite("EMPTY")
    pure = {next(k for k, e in enumerate(m) if e) for m in basis if sum(e > 0 for e in m) == 1}
    if len(pure) < unknowns:
        raise NotFinite("POSITIVE")
    return basis


def _standard_monomials(leading: list[Monomial], unknowns: int) -> list[Monomial]:
    """Monomials that no leading monomial divides, by total degree."""
    layer: list[Monomial] = [(0,) * unknowns]
    out: list[Monomial] = []
    while layer:
        out += layer
        grown = {_times(m, k) for m, k in product(layer, range(unknowns))}
        layer = sorted(
            m for m in grown if not any(all(a <= b for a, b in zip(lead, m, strict=True)) for lead in leading)
        )
    return out


def _times(m: Monomial, k: int) -> Monomial:
    return (*m[:k], m[k] + 1, *m[k + 1 :])


def _over(m: Monomial, k: int) -> Monomial | None:
    return (*m[:k], m[k] - 1, *m[k + 1 :]) if m[k] else None


def radical(equations: list[Terms], unknowns: int) -> tuple[Quotient, int]:
    """The quotient by the radical, and the dimension of the quotient by the ideal itself (the multiplicity)."""
    quotient = Quotient(equations, unknowns)
    added = []
    for k, matrix in enumerate(quotient.matrices):
        p = matrix.minpoly().numer()
        q = p / p.gcd(p.derivative())
        if q.degree() < p.degree():
            added.append(
                [(tuple(d if i == k else 0 for i in range(unknowns)), int(c)) for d, c in enumerate(q.coeffs())]
            )
    return (Quotient(equations + added, unknowns) if added else quotient), len(quotient.basis)


def parametrise(quotient: Quotient, seed: int) -> tuple[fmpz_poly, list[fmpq_poly]]:
    """(w, numerators) with x_i = numerators[i](t) / w'(t) at the roots t of w; the quotient must be reduced (radical)."""
    size, n = len(quotient.basis), quotient.unknowns
    rng = random.Random(seed)
    forms = [[int(i == k) for i in range(n)] for k in reversed(range(n))]
    spread = 1
    while True:
        form = forms.pop(0) if forms else [rng.randint(-spread, spread) for _ in range(n)]
        spread += 0 if forms else 1
        u = sum((c * m for c, m in zip(form, quotient.matrices, strict=True) if c), fmpq_mat(size, size))
        if not _spans(u, size):
            continue
        powers = [fmpq_mat(size, 1, [fmpq(int(i == 0)) for i in range(size)])]  # the basis starts with 1
        for _ in range(size):
            powers.append(u * powers[-1])
        krylov = fmpq_mat([[p[i, 0] for p in powers[:size]] for i in range(size)])
        targets = [m * powers[0] for m in quotient.matrices] + [powers[size]]
        solved = krylov.solve(fmpq_mat([[t[i, 0] for t in targets] for i in range(size)]))
        w = fmpq_poly([*(-solved[i, n] for i in range(size)), fmpq(1)])
        slope = w.derivative()
        numerators = [(fmpq_poly([solved[i, k] for i in range(size)]) * slope) % w for k in range(n)]
        integer = w.numer() / w.numer().content()
        lead = fmpq(integer.leading_coefficient())  # w' of the integer w is lead times that of the monic one
        return integer, [p * lead for p in numerators]


def _spans(u: fmpq_mat, size: int) -> bool:
    """Whether 1, u, u^2, ... are independent modulo a prime (then they are over Q)."""
    try:
        reduced = nmod_mat(size, size, [nmod(int(c.p), PRIME) / nmod(int(c.q), PRIME) for c in u.entries()], PRIME)
    except ZeroDivisionError:
        return False
    column = nmod_mat(size, 1, [int(i == 0) for i in range(size)], PRIME)
    rows = []
    for _ in range(size):
        rows.append([int(column[i, 0]) for i in range(size)])
        column = reduced * column
    return bool(nmod_mat(size, size, [c for row in rows for c in row], PRIME).rank() == size)


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """One answer as JSON data; see the module text."""
    n = int(question["unknowns"])
    equations: list[Terms] = [[(tuple(e), int(c, 16)) for e, c in p] for p in question["equations"]]
    try:
        quotient, multiplicity = radical(equations, n)
    except NotFinite as found:
        return {"dimension": str(found)}
    w, numerators = parametrise(quotient, int(question["seed"]))
    return {
        "dimension": "FINITE",
        "multiplicity": multiplicity,
        "eliminating": [hex(int(c)) for c in w.coeffs()],
        "denominator": [hex(int(c)) for c in w.derivative().coeffs()],
        "numerators": [
            {"numerator": [hex(int(c)) for c in p.numer().coeffs()], "scale": hex(int(p.denom()))} for p in numerators
        ],
    }


if __name__ == "__main__":
    json.dump(answer(json.load(sys.stdin)), sys.stdout)
