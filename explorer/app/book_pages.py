"""The book as Markdown: one page per statement, and indices by paper, by verdict and by concept. Made from the code."""

from __future__ import annotations

from pathlib import Path

from explorer.app.theorem_book import audit
from explorer.statements.book import PAPERS, TITLES, paper_of, statements
from explorer.statements.nouns import Concept, NotCheckable, Predicate, Statement, Verdict

MADE = "<!-- made by 'explorer statements --pages'; do not edit -->"


def write_pages(folder: Path) -> int:
    """Write every page into ``folder`` and return how many there are. Same book, same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = pages_of_the_book()
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return len(pages)


def pages_of_the_book() -> dict[str, str]:
    """File name -> text."""
    pages = {f"{s.id}.md": page(s) for s in statements()}
    pages["index.md"] = _index()
    every = statements()
    pages["by-verdict.md"] = _by("By verdict", {v.value: [s for s in every if s.verdict is v] for v in Verdict})
    pages["by-concept.md"] = _by("By concept", {c.value: [s for s in every if c in s.concepts] for c in Concept})
    return pages


def page(s: Statement) -> str:
    """The page of one statement."""
    lines = [
        MADE,
        "",
        f"# {s.id}: {s.title}",
        "",
        f"*{s.sort.value}, section {s.section}; {TITLES[paper_of(s.id)]}*",
        "",
    ]
    lines += [s.text, "", "$$", s.latex.strip(), "$$", "", f"Quantifiers: {s.quantifiers}.", ""]
    if s.hypotheses:
        lines += ["## When it applies", "", *_predicates(s.hypotheses), ""]
    lines += ["## What it concludes", ""]
    lines += (
        [f"Not checkable: {s.conclusion.reason}"]
        if isinstance(s.conclusion, NotCheckable)
        else _predicates((s.conclusion,))
    )
    lines += ["", f"## As printed: {s.verdict.value}", "", f"{_sentence(s.because)} Ground: {s.ground.value}.", ""]
    if s.finding:
        lines += [f"{'Finding' if s.is_error else 'Remark'}: {s.finding}", ""]
    if s.fairness is not None:
        lines += [f"Reading: {s.fairness.value}.", ""]
    if s.repair is not None:
        lines += ["## Repaired", "", s.repair.text, "", *_predicates((*s.repair.hypotheses, s.repair.conclusion)), ""]
    if s.remarks:
        lines += ["## Remarks", "", *(f"- {r}" for r in s.remarks), ""]
    if s.examples:
        lines += [
            "## Instances",
            "",
            "| instance | sign | literal text | repaired | expected because |",
            "|---|---|---|---|---|",
        ]
        for e in s.examples:
            name = e.name if e.recipe is None else f"{e.name} (`explorer {e.recipe.verb} {e.recipe.statement} -o DIR`)"
            repaired = "" if e.repaired is None else e.repaired.value
            cells = (name, "+" if e.positive else "-", e.outcome.value, repaired, e.source)
            lines.append("| " + " | ".join(c.replace("|", "\\|").replace("\n", " ") for c in cells) + " |")
        lines.append("")
    if any(e.outcome.value == "refuted" for e in s.examples):
        lines += [f"Certificates of the refutation: `explorer refute {s.id} -o DIR`.", ""]
    if s.edges:
        lines += ["## Connections", "", *(f"- {e.relation.value} [{e.to}]({e.to}.md)" for e in s.edges), ""]
    if s.references:
        lines += ["## References", "", *(f"- {r}" for r in s.references), ""]
    return "\n".join(lines).rstrip() + "\n"


def _predicates(given: tuple[Predicate, ...]) -> list[str]:
    return [f"- {p.text}" + (f": ${p.latex}$" if p.latex else "") + f" (`{p.name}`)" for p in given]


def _sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def _line(s: Statement) -> str:
    return f"- [{s.id}]({s.id}.md): {s.title} ({s.sort.value}; as printed: {s.verdict.value}, {s.ground.word})"


def _index() -> str:
    found = audit(statements())
    lines = [MADE, "", "# The theorem book", "", "[By verdict](by-verdict.md) and [by concept](by-concept.md).", ""]
    lines += ["| paper | entries | checkable | refuted by certificate | argued |", "|---|---|---|---|---|"]
    for paper, c in [*found["papers"].items(), ("all", found["all"])]:
        shown = f"{c['refutable']} of {c['false_or_needs_repair']} false or needs-repair"
        lines.append(f"| {paper} | {c['entries']} | {c['checkable']} | {shown} | {len(c['argued'])} |")
    for paper, part in PAPERS.items():
        lines += ["", f"## {TITLES[paper]}", "", *map(_line, part)]
    return "\n".join(lines) + "\n"


def _by(title: str, groups: dict[str, list[Statement]]) -> str:
    lines = [MADE, "", f"# {title}"]
    for name, chosen in groups.items():
        if chosen:
            lines += ["", f"## {name}", "", *map(_line, chosen)]
    return "\n".join(lines) + "\n"
