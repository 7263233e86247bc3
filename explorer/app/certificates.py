"""``certify``, ``refute`` and ``exhibit``: certificates reach the folder that was asked for only after the independent
checker, in a process of its own, has accepted them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from explorer.app.checking import Line, check_apart
from explorer.app.given import read_inputs, read_point
from explorer.app.output import emit, note, working
from explorer.app.places import problem_path
from explorer.budget import Budget
from explorer.certify import Certificate, Instance
from explorer.errors import ExplorerError
from explorer.reading import read_problem


class Disagreement(ExplorerError):
    """The checker did not accept what explorer wrote: an error of explorer (exit code 3)."""

    exit_code = 3


def certify_to_file(
    given: str,
    *,
    goal: str,
    at: str | None,
    better: str | None,
    hypotheses: tuple[str, ...],
    out: Path,
    budget: Budget,
    ranks: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Write one certificate to ``out``; the answer as JSON data."""
    from explorer.certify import certify

    path = problem_path(given)
    problem = read_problem(path)
    options = {key: names for key, names in (("hypotheses", hypotheses), ("ranks", ranks)) if names}
    with working(f"certifying {goal}"):
        certificate = certify(
            problem,
            goal=goal,
            at=None if at is None else read_point(at, problem),
            better=None if better is None else read_point(better, problem),
            budget=budget,
            **options,
        )
        with tempfile.TemporaryDirectory() as scratch:
            line = accepted(certificate, path, Path(scratch) / "proposal.certificate.json")
    certificate.save(out)
    return {
        "certificate": str(out),
        "problem": problem.digest,
        "goal": certificate.to_json()["goal"],
        "rules": list(certificate.rules),
        "status": line.status,
        "fact": line.text,
        "trust": "verified",
    }


def accepted(certificate: Certificate, problem: Path, proposal: Path) -> Line:
    """The checker's line on ``certificate``, saved as ``proposal``; `Disagreement` unless it says VERIFIED."""
    certificate.save(proposal)
    line = check_apart(problem, proposal)
    if not line.verified:
        raise Disagreement(
            f"certificate of {certificate.goal['kind']} about {certificate.problem.slug}",
            expected="the checker's VERIFIED",
            got=f"{line.status}: {line.text}",
            remedy="nothing was written; this is an error of explorer, please report it",
        )
    return line


def brief(fact: str, most: int = 400) -> str:
    """A fact for a screen; --json and ``explorer check`` have the whole of a long one."""
    return fact if len(fact) <= most else f"{fact[:most]}... ({len(fact)} characters; 'explorer check' prints all)"


def instances_to_folder(
    verb: str,
    statement: str,
    *,
    out: Path,
    inputs: str | None,
    seed: int,
    budget: Budget,
    as_json: bool,
    **options: Any,
) -> int:
    """Write the instances that ``refute`` / ``exhibit`` finds, one folder each, and print what was verified."""
    from explorer.certify import exhibit, refute

    asked = {key: value for key, value in options.items() if value is not None}
    if inputs is not None:
        asked["inputs"] = read_inputs(inputs)
    with working(f"{verb} {statement}"):
        found = (refute if verb == "refute" else exhibit)(statement, seed=seed, budget=budget, **asked)
        instances: Iterable[Instance] = (found,) if isinstance(found, Instance) else tuple(found)
        answers = [save_instance(instance, out) for instance in instances]
    if as_json:
        emit({"statement": statement, "verb": verb, "seed": seed, "instances": answers})
        return 0
    for answer in answers:
        print(answer["folder"])
        for certificate in answer["certificates"]:
            print(f"  {certificate['path']}\n    {certificate['trust']}: {brief(certificate['fact'])}")
    note(f"{len(answers)} instance(s), {sum(len(a['certificates']) for a in answers)} certificate(s) verified")
    return 0


def save_instance(instance: Instance, out: Path) -> dict[str, Any]:
    """Save one instance as ``out``/slug once each of its certificates is accepted; the answer as JSON data."""
    with tempfile.TemporaryDirectory() as scratch:
        staged = instance.save(Path(scratch) / instance.slug)
        lines = {
            name: accepted(certificate, staged / "problem.json", staged / f"{name}.certificate.json")
            for name, certificate in instance.certificates
        }
    folder = instance.save(out / instance.slug)
    return {
        "slug": instance.slug,
        "folder": str(folder),
        "problem": str(folder / "problem.json"),
        "certificates": [
            {
                "path": str(folder / f"{name}.certificate.json"),
                "goal": certificate.to_json()["goal"],
                "status": lines[name].status,
                "fact": lines[name].text,
                "trust": "verified",
            }
            for name, certificate in instance.certificates
        ],
    }
