"""What there is to say about each noun, once: a title, facts and one table, as plain strings for every display."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from explorer.app import formats

#: rows of a table that people see; JSON always has all of them
MOST_ROWS = 60


@dataclass(frozen=True)
class Sheet:
    """A title, labelled facts, and a table; ``foot`` says what is left out or must be read with it."""

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    foot: tuple[str, ...] = ()


def sheet(noun: Any) -> Sheet:
    """The sheet of a noun; raises TypeError for anything else."""
    for kind in type(noun).__mro__:
        maker = MAKERS.get(kind.__name__) if kind.__module__.startswith("explorer.") else None
        if maker is not None:
            return maker(noun)
    raise TypeError(f"{type(noun).__name__} has no display")


def _problem(p: Any) -> Sheet:
    facts = [("network", formats.network(p)), ("loss", formats.loss(p)), ("parameters", _names(p.parameters))]
    if p.source:
        facts.append(("source", p.source))
    rows: tuple[tuple[str, ...], ...] = ()
    if p.data is not None:
        pairs = zip(p.data.inputs, p.data.targets, strict=True)
        rows = tuple((_vector(x), _vector(y)) for x, y in list(pairs)[:MOST_ROWS])
    foot = (f"{len(p.data) - MOST_ROWS} more samples",) if p.data is not None and len(p.data) > MOST_ROWS else ()
    return Sheet(f"Problem {p.slug}", (*facts, ("digest", p.digest)), ("input", "target") if rows else (), rows, foot)


def _landscape(landscape: Any) -> Sheet:
    p = landscape.problem
    facts = (("class", landscape.kind), ("network", formats.network(p)), ("loss", formats.loss(p)))
    return Sheet(f"Landscape {p.slug}: F on R^{len(p.parameters)}", (*facts, ("parameters", _names(p.parameters))))


def _geometry(local: Any) -> Sheet:
    inertia = local.inertia if local.hessian is not None else None
    value = "not in the point's field" if local.value is None else formats.element(local.value, local.point.field)
    facts = [("value", value), ("critical", "yes" if local.is_critical else "no")]
    if inertia is not None:
        facts.append(("Hessian", formats_inertia(inertia)))
    gradient = [formats.element(g, local.point.field) for g in local.gradient]
    rows = tuple(zip(formats.coordinates(local.point), gradient, strict=True))
    return Sheet("Local geometry", tuple(facts), ("coordinate", "gradient"), rows[:MOST_ROWS])


def _critical_set(c: Any) -> Sheet:
    names = c.parameters
    columns = ("#", "dim", "points", "sample", "value", "inertia +/0/-", "kind", "global", "trust")
    rows = tuple(
        (
            str(k),
            str(x.dimension),
            str(x.orbit) if x.orbit is not None else "family" if x.dimension else "stratum",
            formats.point(x.sample, names),
            value(x.value),
            "unknown" if x.inertia is None else formats_inertia(x.inertia),
            x.kind.value,
            {True: "yes", False: "no", None: "unknown"}[x.is_global],
            x.trust.word,
        )
        for k, x in enumerate(c.components[:MOST_ROWS], 1)
    )
    sure = c.coverage
    facts = [
        (
            "coverage",
            f"{'complete' if sure.complete else 'not complete'} ({sure.method}; {sure.trust.word}): {sure.reason}",
        ),
        ("isolated points", f"{c.real_points}, by index {by_index(c)}" if c.real_points else "none"),
    ]
    if c.families:
        facts.append(
            ("families", f"{len(c.families)}, of dimension {_names(sorted({str(x.dimension) for x in c.families}))}")
        )
    low = "unknown" if c.global_value is None else value(c.global_value)
    facts.append(("min F", f"{low} ({c.global_because})" if c.global_because else low))
    if c.morse_sum is not None:
        facts.append(("sum of (-1)^index", str(c.morse_sum)))
    left = len(c.components) - MOST_ROWS
    undecided = [f"{k}: {x.because}" for k, x in enumerate(c.components, 1) if x.kind.value == "undecided"]
    foot = [f"{left} more components; --json lists all"] if left > 0 else []
    foot += [f"{k}: {', '.join(x.equations)}" for k, x in enumerate(c.components[:MOST_ROWS], 1) if x.dimension]
    foot += [f"undecided {u}" for u in undecided]
    return Sheet(f"Critical set of {c.problem.slug}", tuple(facts), columns if rows else (), rows, tuple(foot))


def _component(x: Any) -> Sheet:
    facts = [
        ("kind", x.kind.value),
        ("value", value(x.value)),
        ("sample", ", ".join(formats.coordinates(x.sample))),
        ("Hessian", "unknown" if x.inertia is None else formats_inertia(x.inertia)),
        ("global", {True: "yes", False: "no", None: "unknown"}[x.is_global]),
        ("because", x.because),
        ("trust", x.trust.word),
    ]
    what = f"family of dimension {x.dimension}" if x.dimension else "a point where families meet"
    if x.orbit is not None:
        what = f"orbit of {x.orbit} isolated point{'s' if x.orbit > 1 else ''}"
    return Sheet(f"Critical component: {what}", tuple(facts), foot=tuple(x.equations))


def _point(p: Any) -> Sheet:
    return Sheet("Point", (("coordinates", ", ".join(formats.coordinates(p))),))


def _certificate(c: Any) -> Sheet:
    facts = [
        ("goal", formats.mapping_text(c.goal)),
        ("rules", _names(_counted(c.rules))),
        ("problem", c.problem.digest),
    ]
    facts.append(("trust", "none yet: a certificate is a proposal, ask the checker (explorer check)"))
    return Sheet(f"Certificate about {c.problem.slug}", tuple(facts))


def _instance(i: Any) -> Sheet:
    rows = tuple((name, formats.mapping_text(c.goal), _names(_counted(c.rules))) for name, c in i.certificates)
    return Sheet(
        f"Instance {i.slug}", (("network", formats.network(i.problem)),), ("certificate", "goal", "rules"), rows
    )


def _verdict(v: Any) -> Sheet:
    facts = [("fact", str(v.fact))] if v.status == "verified" else [("where", str(v.where)), ("why", str(v.why))]
    return Sheet(f"Verdict: {v.status.upper()}", tuple((k, t) for k, t in facts if t))


def _case(c: Any) -> Sheet:
    base = _problem(c.problem)
    files = _names([p.name for p in c.certificates]) or "none"
    return Sheet(
        f"Case {c.slug}",
        (*base.facts, ("certificates", files), ("folder", str(c.folder))),
        base.columns,
        base.rows,
        base.foot,
    )


def _statement(s: Any) -> Sheet:
    facts = [("kind", f"{s.sort.value}, section {s.section}"), ("says", s.text), ("formula", s.latex.strip())]
    facts += [("applies when", f"{h.text}") for h in s.hypotheses]
    facts.append(("concludes", s.conclusion.text if s.checkable else f"not checkable: {s.conclusion.reason}"))
    facts += [("quantifiers", s.quantifiers), ("as printed", f"{s.verdict.value} ({s.ground.word}): {s.because}")]
    if s.finding:
        facts.append(("finding" if s.is_error else "remark", s.finding))
    if s.fairness is not None:
        facts.append(("read fairly", s.fairness.value))
    if s.repair is not None:
        facts.append(("repaired", s.repair.text))
    facts += [("remark", r) for r in s.remarks]
    facts += [("edge", f"{e.relation.value} {e.to}") for e in s.edges]
    rows = tuple(
        (e.name, "+" if e.positive else "-", e.outcome.value, "" if e.repaired is None else e.repaired.value, e.source)
        for e in s.examples
    )
    columns = ("instance", "sign", "literal text", "repaired", "expected because") if rows else ()
    return Sheet(f"{s.id}: {s.title}", tuple(facts), columns, rows)


def _finding(f: Any) -> Sheet:
    words = {True: "true", False: "false", None: "unknown"}
    rows = tuple((h.predicate.text, words[h.judgement.holds], h.judgement.because) for h in f.hypotheses)
    facts = [
        ("outcome", f"{f.outcome.value} ({f.trust.word})"),
        ("because", f.because),
        ("conclusion", f"{words[f.conclusion.holds]}: {f.conclusion.because}"),
        ("certificates", ", ".join(str(c.goal["kind"]) for c in f.certificates) or "none"),
    ]
    name = f"{f.statement.id}{' (repaired)' if f.repaired else ''} on {f.problem.slug}"
    foot = ("holds means: on this problem; it proves nothing in general",) if f.outcome.value == "holds" else ()
    return Sheet(name, tuple(facts), ("hypothesis", "holds", "because") if rows else (), rows, foot)


def _merge_tree(t: Any) -> Sheet:
    short = "{:.12g}".format
    rows = tuple(
        (
            v.name,
            short(v.birth),
            "-" if v.merges is None else short(v.merges),
            "unknown" if v.escapes is None else short(v.escapes),
            {True: "yes", False: "no", None: "unknown"}[v.is_global],
            {True: "yes", False: "no", None: "unknown"}[v.spurious],
        )
        for v in t.valleys
    )
    said = f"{'complete' if t.complete else 'not complete'}: {t.because}"
    facts = (("valleys", str(len(t.valleys))), ("merges", str(len(t.merges))), ("tree", said), ("trust", t.trust.value))
    columns = ("valley", "born at F", "merges at", "reaches a global minimum at", "global", "spurious valley")
    return Sheet(f"Merge tree of {t.problem.slug}", facts, columns, rows[:MOST_ROWS])


MAKERS: dict[str, Callable[[Any], Sheet]] = {
    "Statement": _statement,
    "Finding": _finding,
    "Problem": _problem,
    "Landscape": _landscape,
    "LocalGeometry": _geometry,
    "CriticalSet": _critical_set,
    "Component": _component,
    "Point": _point,
    "EnclosedPoint": _point,
    "Certificate": _certificate,
    "Instance": _instance,
    "Verdict": _verdict,
    "Case": _case,
    "MergeTree": _merge_tree,
}


def value(v: Any) -> str:
    """A value of F, exact where it is short and known."""
    if v.as_fraction is not None:
        return formats.short(v.as_fraction)
    if v.exact is not None:
        return formats.element(v.exact, v.field)
    return "~" + formats.approximate((v.lower + v.upper) / 2)


def by_index(c: Any) -> str:
    """``0: 3, 1: 4``: isolated points by Morse index."""
    return ", ".join(f"{k}: {n}" for k, n in c.by_index.items())


def formats_inertia(i: Any) -> str:
    return f"{i.positive}/{i.zero}/{i.negative}"


def _vector(row: Any) -> str:
    shown = [formats.short(v) for v in row]
    return shown[0] if len(shown) == 1 else "(" + ", ".join(shown) + ")"


def _counted(names: Any) -> list[str]:
    return [name if n == 1 else f"{name} ({n})" for name, n in Counter(names).items()]


def _names(names: Any, most: int = 16) -> str:
    names = list(names)
    return ", ".join(names if len(names) <= most else [*names[:most], f"... ({len(names)} in all)"])
