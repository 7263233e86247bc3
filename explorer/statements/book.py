"""The whole book, put together by explicit import: statements in the order of the papers, found by id."""

from __future__ import annotations

from explorer.errors import Unknown
from explorer.statements import du2019, jiang2019, kawaguchi2019, sun2020
from explorer.statements.nouns import Statement

#: paper -> its statements, in the paper's order (lemmas found while auditing stand where they are used)
PAPERS: dict[str, tuple[Statement, ...]] = {
    "sun2020": sun2020.STATEMENTS,
    "kawaguchi2019": kawaguchi2019.STATEMENTS,
    "du2019": du2019.STATEMENTS,
    "jiang2019": jiang2019.STATEMENTS,
}

TITLES = {
    "sun2020": "R. Sun, D. Li, S. Liang, T. Ding, R. Srikant: The Global Landscape of Neural Networks: An Overview (2020)",
    "kawaguchi2019": "K. Kawaguchi, J. Huang, L. P. Kaelbling: Every Local Minimum Value Is the Global Minimum Value "
    "of Induced Model in Nonconvex Machine Learning (2019)",
    "du2019": "S. Du, X. Zhai, B. Poczos, A. Singh: Gradient Descent Provably Optimizes Over-parameterized Neural "
    "Networks (2019)",
    "jiang2019": "H. Jiang: Why Learning of Large-Scale Neural Networks Behaves Like Convex Optimization (2019)",
}


def statements(*, paper: str | None = None) -> tuple[Statement, ...]:
    """Every statement of the book, or of one paper."""
    if paper is None:
        return tuple(s for part in PAPERS.values() for s in part)
    if paper not in PAPERS:
        raise Unknown(
            "paper",
            expected=f"one of {', '.join(PAPERS)}",
            got=repr(paper)[:60],
            remedy="'explorer statements' lists their statements",
        )
    return PAPERS[paper]


def statement(identifier: str) -> Statement:
    """The statement with this id, such as ``sun2020.claim-IV.1``."""
    for found in statements():
        if found.id == identifier:
            return found
    close = [s.id for s in statements() if identifier.lower() in s.id.lower()][:5]
    raise Unknown(
        "statement",
        expected="an id of the book",
        got=repr(identifier)[:80],
        remedy=f"did you mean {', '.join(close)}" if close else "run 'explorer statements' for the list",
    )


def paper_of(identifier: str) -> str:
    """The paper in whose part of the book the statement stands."""
    return next(paper for paper, part in PAPERS.items() if any(s.id == identifier for s in part))
