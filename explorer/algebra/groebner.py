"""The exact route without msolve: a Groebner basis over Q (FLINT), then linear algebra in the quotient algebra.

The work is done by `explorer.algebra.quotient` in a subprocess that is killed when the budget is spent. Everything is
exact, so the counts are "exact" (computed, not verified by the checker).
"""

from __future__ import annotations

import json
import os
import sys
from math import ceil
from pathlib import Path
from typing import Any, Literal

from flint import fmpq_poly, fmpz_poly

from explorer.algebra.parametrization import Dimension, Parametrization, Proposal
from explorer.algebra.processes import run_killable
from explorer.algebra.systems import PolynomialSystem
from explorer.budget import Deadline

METHOD = "Groebner basis over Q (FLINT) and multiplication matrices"


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
    dimension = Dimension[answer["dimension"]]
    if dimension is not Dimension.FINITE:
        empty = dimension is Dimension.EMPTY
        counts: Literal["exact", "unknown"] = "unknown" if dimension is Dimension.UNDECIDED else "exact"
        return Proposal(dimension, METHOD, counts, multiplicity=0 if empty else None, reason=answer.get("reason", ""))
    parametrization = Parametrization(
        fmpz_poly([int(c, 16) for c in answer["eliminating"]]),
        fmpq_poly(_integers(answer["denominator"])),
        tuple(fmpq_poly(_integers(n["numerator"])) / int(n["scale"], 16) for n in answer["numerators"]),
    )
    return Proposal(dimension, METHOD, "exact", parametrization, int(answer["multiplicity"]))


def _integers(texts: list[Any]) -> list[int]:
    return [int(c, 16) for c in texts]
