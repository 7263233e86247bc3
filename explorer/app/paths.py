"""``explorer paths``: one certified path, or a certificate that there is none, checked in a process of its own."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from explorer.app.certificates import accepted, brief
from explorer.app.given import read_point
from explorer.app.output import emit, working
from explorer.app.places import problem_path
from explorer.budget import Budget
from explorer.certify import Certificate
from explorer.errors import Invalid, Unknown, Unsupported
from explorer.point import EnclosedPoint, Point
from explorer.problem import Problem
from explorer.reading import read_problem

KINDS = {"escape": (), "descend": ("at",), "connect": ("at", "to"), "coercive": ()}


def find_path(
    given: str,
    *,
    kind: str,
    at: str | None,
    to: str | None,
    out: Path | None,
    seed: int,
    budget: Budget,
    as_json: bool,
) -> int:
    """Search, certify, check apart, write to ``out`` (if given) and print; the exit code comes back."""
    if kind not in KINDS:
        raise Unknown(
            "--kind", expected=f"one of {', '.join(KINDS)}", got=repr(kind)[:60], remedy="see 'explorer paths --help'"
        )
    for name, text in (("at", at), ("to", to)):
        if (text is not None) != (name in KINDS[kind]):
            needs = "a POINT" if name in KINDS[kind] else f"none for --kind {kind}"
            raise Invalid(
                f"--{name}", expected=needs, got="none" if text is None else "one", remedy="see 'explorer paths --help'"
            )
    path = problem_path(given)
    problem = read_problem(path)
    ends = [_point(text, problem) for text in (at, to) if text is not None]
    with working(f"looking for a path ({kind})"):
        certificate = _search(problem, kind, ends, seed, budget)
        with tempfile.TemporaryDirectory() as scratch:
            line = accepted(certificate, path, Path(scratch) / "proposal.certificate.json")
    if out is not None:
        certificate.save(out)
    body = certificate.to_json()
    answer = {
        "problem": problem.digest,
        "kind": kind,
        "goal": body["goal"],
        "path": next((s for s in body["steps"] if s["rule"] in ("path", "escape")), None),
        "points": body["points"],
        "certificate": None if out is None else str(out),
        "status": line.status,
        "fact": line.text,
        "trust": "verified",
        "seed": seed,
    }
    if as_json:
        emit(answer)
    else:
        print(f"{answer['certificate'] or given}\n  verified: {brief(line.text)}")
    return 0


def _search(problem: Problem, kind: str, ends: list[Point], seed: int, budget: Budget) -> Certificate:
    from explorer.certify import paths

    calls: dict[str, Any] = {
        "escape": lambda: paths.escape_path(problem, seed=seed, budget=budget),
        "descend": lambda: paths.descend(problem, *ends, budget=budget),
        "connect": lambda: paths.connect(problem, *ends, budget=budget),
        "coercive": lambda: paths.coercivity(problem),
    }
    found: Certificate = calls[kind]()
    return found


def _point(text: str, problem: Problem) -> Point:
    point = read_point(text, problem)
    if isinstance(point, EnclosedPoint):
        raise Unsupported("point", expected="exact coordinates", got="a box", remedy="paths start at exact points")
    return point
