"""The exact route without msolve: a Groebner basis over Q (FLINT), then linear algebra in the quotient algebra.

The work is done by `explorer.algebra.quotient`: for small systems here, within limits that bound it to some hundredths of a
second (`quick`), else in a subprocess that is killed when the budget is spent. Everything is exact, so the counts are
"exact" (computed, not verified by the checker).
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections.abc import Collection
from math import ceil
from pathlib import Path
from typing import Any, Literal

from flint import fmpq_poly, fmpz_poly

from explorer.algebra.parametrization import Dimension, Parametrization, Proposal
from explorer.algebra.processes import run_killable
from explorer.algebra.quotient import NotFinite, Quotient, Terms, TooLarge, dimension, parametrise, separating
from explorer.algebra.systems import PolynomialSystem
from explorer.budget import Deadline

METHOD = "Groebner basis over Q (FLINT) and multiplication matrices"
#: generators, terms and bits within which Buchberger's algorithm takes at most some hundredths of a second (measured)
LIMITS = (40, 50, 1000)
COUNTING = (60, 60, 400)  #: the same where no parametrisation has to follow
#: no system with more unknowns, terms or a higher degree is tried in this process
QUICK_UNKNOWNS, QUICK_TERMS, QUICK_DEGREE = 12, 1000, 14
#: up to this many solutions linear algebra over Q is about as fast as another program
QUICK_SOLUTIONS = 50


def quick(system: PolynomialSystem, *, largest: int = QUICK_SOLUTIONS, seed: int = 0) -> Proposal | None:
    """The exact answer where it takes some hundredths of a second, in this process; else None, also beyond ``largest``
    solutions."""
    unknowns, equations = len(system.names), _small(system)
    if equations is None:
        return None
    try:
        quotient = Quotient(equations, unknowns, limits=LIMITS, largest=largest)
    except TooLarge:
        return None
    except NotFinite as found:
        kind = Dimension[str(found)]
        return Proposal(kind, METHOD, "exact", multiplicity=0 if kind is Dimension.EMPTY else None)
    u = separating(quotient, random.Random(seed), 12)
    if u is None:  # multiple points
        return None
    w, numerators = parametrise(quotient, u)
    parametrization = Parametrization(w, fmpq_poly(w.derivative()), tuple(numerators))
    return Proposal(Dimension.FINITE, METHOD, "exact", parametrization, len(quotient.basis))


def quick_count(system: PolynomialSystem, nonzero: Collection[int] = ()) -> tuple[Dimension, int | None] | None:
    """The dimension and the number of complex solutions with multiplicity where they are finitely many, exactly, where that takes some
    hundredths of a second; else None. `Vanishes` where one of the unknowns ``nonzero`` is 0 at a solution."""
    equations = _small(system)
    if equations is None:
        return None
    try:
        return Dimension.FINITE, dimension(equations, len(system.names), COUNTING, nonzero=nonzero)
    except TooLarge:
        return None
    except NotFinite as found:
        return Dimension[str(found)], 0 if str(found) == Dimension.EMPTY.name else None


def _small(system: PolynomialSystem) -> list[Terms] | None:
    """The equations, if `quick` may try them."""
    equations = [list(p) for p in system.integer_equations()]
    if len(system.names) > QUICK_UNKNOWNS or sum(map(len, equations)) > QUICK_TERMS:
        return None
    if any(sum(e) > QUICK_DEGREE or c.bit_length() > LIMITS[2] for p in equations for e, c in p):
        return None
    return equations


def propose(system: PolynomialSystem, deadline: Deadline, *, seed: int = 0) -> Proposal:
    """The rational parametrisation of all complex solutions, by exact algebra over Q."""
    question = {
        "unknowns": len(system.names),
        "seed": seed,
        "seconds": None if deadline.remaining is None else ceil(deadline.remaining),
        "equations": [[[list(e), hex(c)] for e, c in p] for p in system.integer_equations()],
    }
    root = str(Path(__file__).resolve().parents[2])
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])}
    code, out, err = run_killable(
        [sys.executable, "-m", "explorer.algebra.quotient"],
        deadline,
        doing="computing a Groebner basis over Q",
        stdin=json.dumps(question),
        env=env,
    )
    if code != 0 or not out:
        why = (err.strip().splitlines() or [f"exit code {code}"])[-1][:120]
        return Proposal(Dimension.UNDECIDED, METHOD, "unknown", reason=f"the Groebner engine failed ({why})")
    answer = json.loads(out)
    kind = Dimension[answer["dimension"]]
    if kind is not Dimension.FINITE:
        empty = kind is Dimension.EMPTY
        counts: Literal["exact", "unknown"] = "unknown" if kind is Dimension.UNDECIDED else "exact"
        return Proposal(kind, METHOD, counts, multiplicity=0 if empty else None, reason=answer.get("reason", ""))
    parametrization = Parametrization(
        fmpz_poly([int(c, 16) for c in answer["eliminating"]]),
        fmpq_poly(_integers(answer["denominator"])),
        tuple(fmpq_poly(_integers(n["numerator"])) / int(n["scale"], 16) for n in answer["numerators"]),
    )
    return Proposal(kind, METHOD, "exact", parametrization, int(answer["multiplicity"]))


def _integers(texts: list[Any]) -> list[int]:
    return [int(c, 16) for c in texts]
