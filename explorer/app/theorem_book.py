"""``explorer statements``: the book as lists, one entry, the audit in one table, and the dependency graph."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from explorer.app.output import emit, note, show, working
from explorer.errors import Invalid
from explorer.statements.book import PAPERS, TITLES, paper_of, statement, statements
from explorer.statements.nouns import NotCheckable, Outcome, Predicate, Statement

GRAPHS = ("text", "dot", "json")


def listed(
    identifier: str | None,
    *,
    paper: str | None,
    table: bool,
    graph: str | None,
    breaks: str | None,
    pages: Path | None,
    as_json: bool,
) -> int:
    """What ``explorer statements`` was asked for, printed; one thing at a time."""
    asked = [n for n, given in (("ID", identifier), ("--table", table), ("--graph", graph), ("--breaks", breaks), ("--pages", pages)) if given]  # fmt: skip
    if len(asked) > 1:
        raise Invalid("explorer statements", expected="one of ID, --table, --graph, --breaks, --pages", got=" and ".join(asked), remedy="ask one at a time")  # fmt: skip
    if identifier is not None:
        return _one(statement(identifier), as_json=as_json)
    if graph is not None:
        return _graph(graph, as_json=as_json)
    if breaks is not None:
        return _breaks(breaks, as_json=as_json)
    if pages is not None:
        from explorer.app.book_pages import write_pages

        written = write_pages(pages)
        emit({"folder": str(pages), "pages": written}) if as_json else note(f"{written} pages in {pages}")
        return 0
    chosen = statements(paper=paper)
    if table:
        emit(audit(chosen)) if as_json else show(audit_table(chosen))
    elif as_json:
        emit([head(s) for s in chosen])
    else:
        show(listing(chosen))
    return 0


def head(s: Statement) -> dict[str, Any]:
    """The line of one statement in ``statements --json``."""
    return {
        "id": s.id,
        "paper": paper_of(s.id),
        "kind": s.sort.value,
        "section": s.section,
        "title": s.title,
        "verdict": s.verdict.value,
        "ground": s.ground.word,
        "fairness": None if s.fairness is None else s.fairness.name.lower().replace("_", "-"),
        "error": s.is_error,
        "checkable": s.checkable,
        "refutable": bool(refuting(s)),
    }


def whole(s: Statement) -> dict[str, Any]:
    """One statement as JSON, everything the book says of it."""
    repair = s.repair
    return head(s) | {
        "text": s.text,
        "latex": s.latex,
        "quantifiers": s.quantifiers,
        "hypotheses": [_predicate(h) for h in s.hypotheses],
        "conclusion": _predicate(s.conclusion) if isinstance(s.conclusion, Predicate) else None,
        "not_checkable": s.conclusion.reason if isinstance(s.conclusion, NotCheckable) else None,
        "because": s.because,
        "finding": s.finding,
        "repair": None
        if repair is None
        else {
            "text": repair.text,
            "hypotheses": [_predicate(h) for h in repair.hypotheses],
            "conclusion": _predicate(repair.conclusion),
        },
        "remarks": list(s.remarks),
        "edges": [{"relation": e.relation.value, "to": e.to} for e in s.edges],
        "concepts": [c.value for c in s.concepts],
        "instances": [
            {
                "name": e.name,
                "positive": e.positive,
                "outcome": e.outcome.value,
                "repaired": None if e.repaired is None else e.repaired.value,
                "smallest": e.smallest,
                "source": e.source,
                "recipe": None if e.recipe is None else f"{e.recipe.verb} {e.recipe.statement}",
            }
            for e in s.examples
        ],
        "references": list(s.references),
    }


def refuting(s: Statement) -> list[Any]:
    """The examples that refute the literal text."""
    return [e for e in s.examples if e.outcome is Outcome.REFUTED]


def audit(chosen: tuple[Statement, ...]) -> dict[str, Any]:
    """The audit as counts: per paper, entries, how many are checkable, verdicts, refutations with a certificate."""
    papers = {}
    for paper in PAPERS:
        part = [s for s in chosen if paper_of(s.id) == paper]
        if part:
            papers[paper] = _counts(part)
    return {
        "papers": papers,
        "all": _counts(list(chosen)),
        "not_checkable": {s.id: s.conclusion.reason for s in chosen if isinstance(s.conclusion, NotCheckable)},
        "errors": [{"id": s.id, "finding": s.finding} for s in chosen if s.is_error],
    }


def _counts(part: list[Statement]) -> dict[str, Any]:
    wrong = [s for s in part if s.verdict.value in ("false", "needs-repair")]
    verdicts = Counter(s.verdict.value for s in part)
    return {
        "entries": len(part),
        "checkable": sum(s.checkable for s in part),
        "verdicts": dict(sorted(verdicts.items())),
        "refutable": sum(bool(refuting(s)) for s in wrong),
        "false_or_needs_repair": len(wrong),
        "argued": sorted(s.id for s in wrong if not refuting(s)),
        "instances": sum(len(s.examples) for s in part),
    }


def listing(chosen: tuple[Statement, ...]) -> Any:
    """One line per statement."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    out = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("id", "kind", "title", "as printed", "shown by", "checkable"):
        out.add_column(name, overflow="fold", no_wrap=name == "id")
    for s in chosen:
        shown = s.ground.word + (" (remark)" if s.fairness is not None and not s.is_error else "")
        out.add_row(*map(Text, (s.id, s.sort.value, s.title, s.verdict.value, shown, "yes" if s.checkable else "no")))
    return out


def audit_table(chosen: tuple[Statement, ...]) -> Any:
    """The whole audit on one screen: counts per paper, then the errors in one line each."""
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    found = audit(chosen)
    kinds = sorted({v for counts in found["papers"].values() for v in counts["verdicts"]})
    out = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("paper", "entries", "checked", *kinds, "refuted", "argued", "instances"):
        out.add_column(name, justify="left" if name == "paper" else "right", no_wrap=True)
    for paper, c in [*found["papers"].items(), ("all", found["all"])]:
        shown = [paper, c["entries"], c["checkable"], *(c["verdicts"].get(k, 0) for k in kinds)]
        out.add_row(*map(str, shown), f"{c['refutable']} of {c['false_or_needs_repair']}", str(len(c["argued"])), str(c["instances"]))  # fmt: skip
    lines = [Text(f"{e['id']}: {e['finding']}", style="") for e in found["errors"]]
    return Group(out, Text("Errors (literal text, fair reading, verified certificate):", style="bold"), *lines)


def _one(s: Statement, *, as_json: bool) -> int:
    if as_json:
        emit(whole(s))
        return 0
    from explorer.app.display import rich

    show(rich(s))
    if refuting(s):
        print(f"\nThe certificate that shows it: explorer refute {s.id} -o DIR")
        with working(f"refuting {s.id}"):
            print(f"  {_shown(s)}")
    return 0


def _shown(s: Statement) -> str:
    """The fact of the first refuting instance, in the checker's own words."""
    from explorer.app.certificates import brief
    from explorer.certify.examining import refuting_instances
    from explorer.errors import ExplorerError

    try:
        instance = refuting_instances(s, refuting(s)[0])[0]
        verdict = instance.certificates[0][1].check()
    except ExplorerError as error:
        return f"not reproduced here: {error.sentence()}"
    return f"{verdict.status}: {brief(verdict.fact or verdict.why)}"


def _predicate(p: Predicate) -> dict[str, str]:
    return {"name": p.name, "text": p.text, "latex": p.latex}


def _graph(kind: str, *, as_json: bool) -> int:
    from explorer.statements import graph

    if kind not in GRAPHS:
        raise Invalid(
            "--graph",
            expected=f"one of {', '.join(GRAPHS)}",
            got=repr(kind)[:40],
            remedy="see 'explorer statements --help'",
        )
    if as_json or kind == "json":
        emit(graph.as_json())
    else:
        print(graph.dot() if kind == "dot" else graph.tree())
    return 0


def _breaks(identifier: str, *, as_json: bool) -> int:
    from explorer.statements.graph import breaks

    lost = breaks(identifier)
    if as_json:
        emit({"statement": identifier, "breaks": list(lost)})
    else:
        print(f"If {identifier} is false, look again at:" if lost else f"Nothing in the book rests on {identifier}.")
        for other in lost:
            print(f"  {other}  {statement(other).title}")
    return 0


def title_of(paper: str) -> str:
    """The bibliographic line of a paper."""
    return TITLES[paper]
