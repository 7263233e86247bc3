"""The dependency graph of the book: what a statement rests on, and what breaks if it is false."""

from __future__ import annotations

from collections.abc import Iterable

import networkx as nx

from explorer.errors import Invalid
from explorer.statements.book import statement, statements
from explorer.statements.nouns import Relation, Statement

#: relations along which falsity travels: if the target is false, the source has lost (part of) its ground
RESTS_ON = (Relation.USES, Relation.IMPLIED_BY)
#: relations along which truth travels on one subject: source follows from target (a special case follows too)
FOLLOWS_FROM = (Relation.IMPLIED_BY, Relation.SPECIAL_CASE_OF)


def graph(*, over: Iterable[Statement] | None = None) -> nx.MultiDiGraph:
    """All edges; nodes are ids, edges carry ``relation``. `Invalid` for an edge to a statement that does not exist."""
    chosen = tuple(statements() if over is None else over)
    drawn = nx.MultiDiGraph()
    drawn.add_nodes_from(s.id for s in chosen)
    for s in chosen:
        for edge in s.edges:
            if edge.to not in drawn:
                raise Invalid(f"edges of {s.id}", expected="an id of the book", got=repr(edge.to)[:80])
            drawn.add_edge(s.id, edge.to, relation=edge.relation)
    return drawn


def _part(relations: tuple[Relation, ...]) -> nx.DiGraph:
    whole = graph()
    kept = nx.DiGraph()
    kept.add_nodes_from(whole)
    kept.add_edges_from((a, b) for a, b, r in whole.edges(data="relation") if r in relations)
    return kept


def cycles() -> list[list[str]]:
    """Circles of statements that rest on each other, or follow from each other by special cases; the list must be empty."""
    return [sorted(c) for r in (RESTS_ON, FOLLOWS_FROM) for c in nx.simple_cycles(_part(r))]


def breaks(identifier: str) -> tuple[str, ...]:
    """Every statement that rests, directly or not, on this one: what must be looked at again if it is false."""
    return tuple(sorted(nx.ancestors(_part(RESTS_ON), statement(identifier).id)))


def sources(identifier: str) -> tuple[str, ...]:
    """The statements from which this one follows on any subject where both apply (direct edges)."""
    return tuple(sorted(_part(FOLLOWS_FROM).successors(identifier)))


def dot() -> str:
    """The graph in Graphviz's language, sorted."""
    lines = ["digraph statements {", "  rankdir=LR;"]
    lines += [f'  "{s.id}" [label="{s.id}\\n{s.verdict.value}"];' for s in statements()]
    edges = sorted((a, b, r.value) for a, b, r in graph().edges(data="relation"))
    lines += [f'  "{a}" -> "{b}" [label="{r}"];' for a, b, r in edges]
    return "\n".join([*lines, "}"])


def tree() -> str:
    """The graph as text: each statement with its outgoing edges."""
    out = []
    for s in statements():
        out.append(f"{s.id}  [{s.verdict.value}]  {s.title}")
        out += [f"    {e.relation.value} {e.to}" for e in s.edges]
    return "\n".join(out)


def as_json() -> dict[str, object]:
    """Nodes and edges as plain data, sorted."""
    edges = sorted((a, b, r.value) for a, b, r in graph().edges(data="relation"))
    return {
        "nodes": [s.id for s in statements()],
        "edges": [{"from": a, "to": b, "relation": r} for a, b, r in edges],
    }
