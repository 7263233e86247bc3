"""The verbs of the floating-point twin: ``crosscheck`` and ``promote``. Exact points in, numerical findings out."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.app.given import point_from_json
from explorer.app.output import emit, note, working
from explorer.app.places import problem_path
from explorer.app.reported import report_lines
from explorer.budget import Budget
from explorer.errors import Invalid
from explorer.point import EnclosedPoint, Inertia, Point, RationalField
from explorer.problem import Problem
from explorer.reading import read_problem
from explorer.solve.results import Kind, Value
from explorer.strict import strict_json

if TYPE_CHECKING:
    from explorer.numeric.exact_points import Claim
    from explorer.numeric.report import CrossCheck

#: goal -> the kind that it claims (other goals claim none)
KINDS = {
    "local-minimum": Kind.MINIMUM,
    "global-minimum": Kind.MINIMUM,
    "spurious-local-minimum": Kind.MINIMUM,
    "strict-local-minimum": Kind.STRICT_MINIMUM,
    "local-maximum": Kind.MAXIMUM,
    "strict-local-maximum": Kind.STRICT_MAXIMUM,
    "strict-saddle": Kind.STRICT_SADDLE,
    "saddle": Kind.SADDLE,
}
CRITICAL = (*KINDS, "critical-point", "critical-inertia")


def crosscheck_command(
    problem: str | None, *, recipe: str | None, width: int | None, samples: int | None, depth: int | None,
    starts: int, device: str, out: Path | None, report: tuple[str, ...] = (), as_json: bool, seed: int, budget: Budget,
) -> int:  # fmt: skip
    """Cross-check a problem, or examine a recipe at any size. 0: compared and agreed; 2: a discrepancy, or nothing to compare."""
    if (problem is None) == (recipe is None):
        raise Invalid(
            "crosscheck",
            expected="PROBLEM or --recipe, one of them",
            got="both or none",
            remedy="see 'explorer crosscheck --help'",
        )
    from explorer.numeric import crosscheck, larger, problem_reports

    if recipe is not None:
        sizes = {k: v for k, v in (("width", width), ("samples", samples), ("depth", depth)) if v is not None}
        with working(f"recipe {recipe}"):
            body = larger(recipe, **sizes, device=device, seed=seed, report=report, budget=budget)
        _deliver(body, out, as_json, _larger_lines(body) + report_lines(body.get("reports", {})))
        return 2 if body["discrepancies"] else 0
    for name, value in (("--samples", samples), ("--depth", depth)):
        if value is not None:
            raise Invalid(name, got=f"{value} with a problem that has its own", remedy="it belongs to --recipe")
    assert problem is not None
    path = problem_path(problem)
    given = read_problem(path)
    from explorer.solve.critical import critical_set

    clock = budget.start()
    with working(f"cross-checking {given.slug}"):
        found = critical_set(given, budget=budget)
        claims = claims_of_folder(path.parent, given)
        said = crosscheck(given, found, claims=claims, width=width, device=device, starts=starts, seed=seed, budget=budget)  # fmt: skip
        body, lines = said.to_json(), _lines(said)
        if report:
            from explorer.numeric.exact_points import claims_of, floats

            known = [(c.name, floats(c.point)) for c in (*claims_of(found), *claims) if c.smooth]
            body["reports"] = problem_reports(
                report, given, known, seed=seed, width=width, device=device, deadline=clock
            )
            lines += report_lines(body["reports"])
    _deliver(body, out, as_json, lines)
    return 0 if said.agrees else 2


def promote_command(
    run: Path, *, limit: int, goal: str | None, out: Path | None, as_json: bool, budget: Budget
) -> int:  # fmt: skip
    """A limit of a kept run -> a certificate, or an honest failure (exit code 2)."""
    from explorer.reading import parse_problem

    try:
        body = json.loads(run.read_text(encoding="utf-8"))
        problem = parse_problem(json.dumps(body["problem_json"]))
        limits = body["limits"]
        theta = limits[limit]["theta"] if 0 <= limit < len(limits) else None
    except (ValueError, KeyError, TypeError):
        raise Invalid(
            str(run)[:200],
            expected="a run that 'explorer crosscheck PROBLEM -o FILE' wrote",
            got="something else",
            remedy="write one with -o FILE",
        ) from None
    if theta is None:
        raise Invalid(
            "--limit",
            expected=f"a number from 0 to {len(limits) - 1}",
            got=str(limit),
            remedy="the table of the run numbers them",
        )
    from explorer.numeric import promote  # slow to load: only for a run that is sound
    from explorer.numeric.promotion import promotion_json

    with working(f"promoting limit {limit} of {problem.slug}"):
        said = promote(problem, theta, goal=goal, budget=budget)
    if said.certificate is not None and out is not None:
        said.certificate.save(out)
        note(f"written: {out}")
    if as_json:
        emit(promotion_json(said, problem))
    elif said.certificate is None:
        print(f"not promoted (the point stays numerical): {said.because}")
    else:
        print(f"{said.goal} at a {said.how}\n  {said.because}")
    return 0 if said.succeeded else 2


def claims_of_folder(folder: Path, problem: Problem) -> tuple[Claim, ...]:
    """What expected.json and the certificates beside the problem file say about single points."""

    out: list[Claim] = []
    path = folder / "expected.json"
    if path.is_file():
        facts = json.loads(path.read_text(encoding="utf-8")).get("facts", [])
        for k, fact in enumerate(facts):
            out.append(_claim(f"fact {k + 1}: {fact['goal']}", fact, fact["at"], fact["goal"], problem))
            if "better" in fact:
                better = {"value": fact.get("better_value")}
                out.append(_claim(f"fact {k + 1}: better", better, fact["better"], "value", problem))
    for file in sorted(folder.glob("*.certificate.json")):
        body = strict_json(file.read_bytes())
        if body.get("problem") != problem.digest:
            continue
        for name, at in body["points"].items():
            steps = {s["rule"]: s for s in body["steps"] if s.get("point") == name}
            fact = dict(steps.get("value", {})) | {"inertia": steps.get("inertia", {}).get("inertia")}
            goal = body["goal"]["kind"] if body["goal"].get("point") == name else "value"
            out.append(_claim(f"{file.name}: {name}", fact, at, goal, problem))
    return tuple(out)


def _claim(name: str, fact: dict[str, Any], at: Any, goal: str, problem: Problem) -> Claim:
    from explorer.numeric.exact_points import Claim

    point = point_from_json(at, problem)
    inertia = fact.get("inertia")
    return Claim(
        name,
        point,
        value=_value(fact, point),
        inertia=None if inertia is None else Inertia(*inertia),
        kind=KINDS.get(goal),
        critical=goal in CRITICAL,
    )


def _value(fact: dict[str, Any], point: Point | EnclosedPoint) -> Value | None:
    from explorer.solve.scalars import enclosure

    said = fact.get("value")
    bounds = said if isinstance(said, dict) else fact
    if "lower" in bounds and "upper" in bounds:
        return Value(Fraction(bounds["lower"]), Fraction(bounds["upper"]))
    if said is None:
        return None
    if isinstance(said, str):
        return Value.rational(Fraction(said))
    field = RationalField() if isinstance(point, EnclosedPoint) else point.field
    element = tuple(Fraction(c) for c in said)
    return Value(*enclosure(element, field), element, field)


def _deliver(body: dict[str, Any], out: Path | None, as_json: bool, lines: list[str]) -> None:
    if out is not None:
        from explorer.certify.certificate import write_whole

        write_whole(out, (json.dumps(body, indent=1, ensure_ascii=True, allow_nan=False) + "\n").encode("ascii"))
        note(f"written: {out}")
    if as_json:
        emit(body)
    else:
        print("\n".join(lines))


def _lines(said: CrossCheck) -> list[str]:
    lines = [f"{said.problem.get('slug', 'problem')}: numerical cross-check, seed {said.seed}, {said.backend}"]
    lines.append(f"  exact points compared: {len(said.compared)}")
    for c in said.compared:
        errors = ", ".join(f"{k} {v:.1e}" for k, v in (("F", c.value_error), ("gradient", c.gradient_error), ("Hessian", c.hessian_error)) if v is not None)  # fmt: skip
        lines.append(f"    {c.name}: errors {errors or 'none measured'}; eigenvalues {c.inertia}")
    for name, counts in said.starts.items():
        lines.append(f"  {name}: " + ", ".join(f"{v} {k}" for k, v in counts.items()))
    for f in said.found:
        lines.append(f"  found {f['component']} ({f['kind']}, F = {f['value']}): {f['descents']} descents, {f['searches']} searches")  # fmt: skip
    lines += [f"  minimum not reached: {m}" for m in said.missed]
    lines += [f"  not visited: {m}" for m in said.not_visited]
    lines += [f"  {b}" for b in said.beyond[:10]] + ([f"  ... {len(said.beyond) - 10} more"] if len(said.beyond) > 10 else [])  # fmt: skip
    lines += [f"  note: {n}" for n in said.notes]
    if said.larger is not None:
        lines += _larger_lines(said.larger)
    for d in said.discrepancies:
        lines.append(f"  DISCREPANCY {d.where}: {d.what}")
        if d.start is not None:
            lines.append(f"    seed {said.seed}, start {d.start_index}, {d.merit}: {list(d.start)}")
    lines.append("  0 discrepancies" if not said.discrepancies else f"  {len(said.discrepancies)} discrepancies")
    return lines


def _larger_lines(body: dict[str, Any]) -> list[str]:
    lines = [f"  {body['recipe']}: {body['parameters']} parameters (numerical)"]
    for p in body["points"]:
        low, high = p["eigenvalues"]
        lines.append(
            f"    {p['name']}: F = {p['value']:.10g}, |gradient| {p['gradient']:.1e}, eigenvalues {low:.4g} .. {high:.4g} "
            f"(bounds {p['residual_bounds'][0]:.1e}, {p['residual_bounds'][1]:.1e}), {p['below_at_once']} of "
            f"{p['perturbed']} perturbed points below, {p['below_after_descent']} after descent"
        )
    if body.get("descents"):
        losses = sorted(body["descents"]["losses"])
        lines.append(
            f"    {len(losses)} random starts by {body['descents']['method']}: {losses[0]:.3g} .. {losses[-1]:.3g}"
        )
    lines += [f"    DISCREPANCY {d['where']}: {d['what']}" for d in body["discrepancies"]]
    return lines


__all__ = ["claims_of_folder", "crosscheck_command", "promote_command"]
