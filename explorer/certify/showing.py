"""Writers for the witnesses of statements about paths and sets: goal kind -> writer, as `explorer.certify.examining` asks.

A witness brings what its goal needs in ``options``: ``path`` (a `PiecewisePath`), ``curve`` (an `EscapeCurve`), or a box as
``level``, ``lower``, ``upper``, ``cuts``, or a ``wall`` step's keys; where it brings none, the verbs of `explorer.certify.paths` search.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from explorer.budget import Budget
from explorer.certify.basins import strict_barrier, strict_basin
from explorer.certify.certificate import Certificate, accepted
from explorer.certify.encode import assemble, number
from explorer.certify.located import Located
from explorer.certify.paths import (
    barrier_certificate,
    basin_certificate,
    bounded_certificate,
    coercivity,
    connect,
    descend,
    descending_certificate,
    escape_certificate,
    escape_path,
)
from explorer.certify.recipes.separators import separated
from explorer.errors import NotCertifiable
from explorer.model.coordinates import as_point
from explorer.point import Point
from explorer.problem import Problem

if TYPE_CHECKING:
    from explorer.statements.nouns import Witness

Writer = Callable[[Problem, "Witness", Budget], Certificate]


def _point(problem: Problem, witness: Witness, name: str) -> Any:
    given = getattr(witness, name)
    if given is None:
        raise NotCertifiable(witness.goal, expected=f"a point '{name}'", got="none")
    return as_point(given, problem)


def _descending(problem: Problem, witness: Witness, budget: Budget) -> Certificate:
    if "path" in witness.options:
        return descending_certificate(problem, witness.options["path"])
    return descend(problem, _point(problem, witness, "at"), budget=budget)


def _bounded(problem: Problem, witness: Witness, budget: Budget) -> Certificate:
    if "path" in witness.options:
        return bounded_certificate(problem, witness.options["path"])
    return connect(problem, _point(problem, witness, "at"), _point(problem, witness, "better"), budget=budget)


def _escape(problem: Problem, witness: Witness, budget: Budget) -> Certificate:
    if "curve" in witness.options:
        return escape_certificate(problem, witness.options["curve"], witness.better, goal=witness.goal)  # type: ignore[arg-type]
    found = escape_path(problem, budget=budget)
    return _of_kind(found, witness)


def _coercive(problem: Problem, witness: Witness, budget: Budget) -> Certificate:
    if "curve" in witness.options:
        return escape_certificate(problem, witness.options["curve"], goal=witness.goal)
    return _of_kind(coercivity(problem), witness)


def _of_kind(found: Certificate, witness: Witness) -> Certificate:
    if found.goal["kind"] != witness.goal:
        raise NotCertifiable(witness.goal, expected="a certificate of it", got=f"one of {found.goal['kind']}")
    return found


def _box(witness: Witness) -> dict[str, Any]:
    return {key: witness.options[key] for key in ("level", "lower", "upper", "cuts")}


def _basin(problem: Problem, witness: Witness, budget: Budget) -> Certificate:
    if "level" not in witness.options:
        if witness.at is None or witness.better is None:
            raise NotCertifiable(witness.goal, expected="two points", got="fewer")
        return strict_basin(problem, witness.at, witness.better)  # type: ignore[arg-type]
    p, q = (_point(problem, witness, name) for name in ("at", "better"))
    return basin_certificate(problem, p, q, **_box(witness))


def _barrier(problem: Problem, witness: Witness, budget: Budget) -> Certificate:
    p, q = (_point(problem, witness, name) for name in ("at", "better"))
    if "level" in witness.options:
        return barrier_certificate(problem, p, q, **_box(witness))
    return (
        separated(problem, p, q, wall=dict(witness.options["wall"]), goal=witness.goal)
        if "wall" in witness.options
        else strict_barrier(problem, p, q)
    )


def _valley(problem: Problem, witness: Witness, budget: Budget) -> Certificate:
    p, q = (_point(problem, witness, name) for name in ("at", "better"))
    return separated(problem, p, q, wall=dict(witness.options["wall"]), goal=witness.goal)


def _outputs(problem: Problem, witness: Witness, budget: Budget) -> Certificate:
    """A well of the loss in the outputs: the options give the box and its grid."""
    p, q = (Located.of(problem, n, _point(problem, witness, k)) for n, k in (("p", "at"), ("q", "better")))
    box = {key: [number(v) for v in witness.options[key]] for key in ("lower", "upper")}
    rest = {"level": number(witness.options["level"]), "cuts": list(witness.options["cuts"])}
    step = {"rule": "output-basin", "point": "p", **box, **rest}
    goal = {"kind": "output-valley", "point": "p", "better": "q"}
    return accepted(assemble(problem, goal, {"p": p.point, "q": q.point}, [q.value_step(), step]))


def _constant(problem: Problem, witness: Witness, budget: Budget) -> Certificate:
    """F is constant; at the origin unless the witness names a point."""
    at = Point.rational([0] * len(problem.parameters)) if witness.at is None else as_point(witness.at, problem)  # type: ignore[arg-type]
    goal = {"kind": "constant-loss", "point": "p"}
    return accepted(assemble(problem, goal, {"p": at}, [{"rule": "constant", "point": "p"}]))


PATHS_AND_SETS: dict[str, Writer] = {
    "descending-path": _descending,
    "bounded-path": _bounded,
    "escape-path": _escape,
    "infimum-at-infinity": _escape,
    "unattained-infimum": _escape,
    "coercive": _coercive,
    "not-coercive": _coercive,
    "spurious-basin": _basin,
    "barrier": _barrier,
    "spurious-valley": _valley,
    "output-valley": _outputs,
    "constant-loss": _constant,
}
