"""Ridge networks by monodromy: complex solutions certified one by one, completeness by saturation (numerical).

The paths propose (explorer.homotopy); every solution is certified in complex balls, every real one again by Krawczyk's test on
the exact gradient. That there are no others is the family's generic number, found by monodromy: strong evidence, no proof. Where
special data send some solutions to infinity, it is msolve's count modulo a prime, a witness of another kind.
"""

from __future__ import annotations

from explorer.algebra.krawczyk import KrawczykProof, prove_root
from explorer.algebra.msolve import find_msolve, multiplicity
from explorer.algebra.solver import Dimension, RealRoot, SystemSolution
from explorer.budget import Deadline
from explorer.errors import BudgetExceeded
from explorer.exact import rationalize
from explorer.homotopy.family import Family, solve_family
from explorer.homotopy.model import applies
from explorer.homotopy.solutions import Orbit, solutions
from explorer.point import Point
from explorer.solve.classify import Target
from explorer.solve.structure import signed_copies

METHOD = "monodromy and parameter homotopy"
#: floats of solutions become fractions of this many bits before Krawczyk's test refines them
BITS = 80


def by_monodromy(
    t: Target, deadline: Deadline, *, family: Family | None = None, seed: int = 0
) -> SystemSolution | None:
    """All critical points of a ridge network, or None where the method does not apply. Incomplete lists say why.

    ``family``: the generic solutions of the same network, if they are known already (explorer.homotopy.family).
    """
    if not applies(t.problem):
        return None
    known = family or solve_family(t.problem, deadline, seed=seed)
    (found,) = solutions(known, [t.problem], deadline, seed=seed)
    troubles = list(found.complaints)
    roots: list[RealRoot] = []
    for orbit in found.real:
        deadline.check("proving real critical points of a monodromy solution")
        proved = _proved(t, orbit)
        if proved is None:
            troubles.append("a real solution could not be proved on the exact gradient")
        else:
            roots += proved
    complete = not troubles and found.count == known.count
    said = f"numerical: {found.count} certified distinct complex solutions, "
    asked = found.sound and not complete and troubles == list(found.complaints)
    witness = _counted(t, deadline) if asked else None
    if isinstance(witness, str):
        troubles.append(witness)
    if witness == found.count:
        # no proof: a prime for which some solutions go to infinity counts too few
        complete = True
        said += "and msolve counts as many modulo a prime "
        said += f"(generic data have {known.count}{'; the others go to infinity' if found.far else ''})"
    else:
        said += f"completeness by monodromy saturation ({known.count} for generic data)"
        if isinstance(witness, int):
            troubles.append(f"msolve counts {witness} modulo a prime")
        said = "; ".join([said, *dict.fromkeys(troubles)])
    return _solution(t, roots, found.count, said, complete=complete)


def _solution(t: Target, roots: list[RealRoot], count: int, said: str, *, complete: bool) -> SystemSolution:
    return SystemSolution(
        t.gradient,
        Dimension.FINITE,
        tuple(sorted(roots, key=lambda r: tuple(round((a + b) * 500_000) for a, b in r.enclosure))),
        count,
        None,
        "numerical",
        METHOD,
        complete,
        said,
    )


def _counted(t: Target, deadline: Deadline) -> int | str | None:
    """The number of complex solutions with multiplicity modulo a prime, or why there is none.

    N distinct solutions are proved, so there are at least N over C; that there are no more is strong evidence only: for
    finitely many primes solutions go to infinity modulo the prime (or new ones appear), and the count differs.
    """
    if (binary := find_msolve()) is None:
        return "msolve, which would count modulo a prime, was not found"
    try:
        return multiplicity(t.gradient, binary, deadline)
    except BudgetExceeded:
        return "msolve's count modulo a prime did not end within the budget"


def _proved(t: Target, orbit: Orbit) -> list[RealRoot] | None:
    """The real points of the orbit, the first by Krawczyk's test on the gradient of F, the others by symmetry."""
    if not orbit.box.centre:
        origin = Point.rational([0] * len(orbit.theta))
        flat = tuple((c[0], c[0]) for c in origin.coordinates)
        return [RealRoot(origin, "exact", False, flat)] if t.gradient.vanishes_at(origin) else None
    near = [rationalize(v.real, max_denominator=2**BITS) for v in orbit.theta]
    proof = prove_root(t.gradient, near)
    if not isinstance(proof, KrawczykProof):
        return None
    for lo, hi, v in zip(proof.point.lower, proof.point.upper, near, strict=True):
        slack = rationalize(orbit.box.radius, max_denominator=2**BITS) * 2 + hi - lo
        if not lo - slack <= v <= hi + slack:
            return None
    places = orbit.pattern.places
    flips = [frozenset(places[k] for k in flipped) for _, flipped in orbit.pattern.shape.flips]
    return signed_copies(proof, flips)
