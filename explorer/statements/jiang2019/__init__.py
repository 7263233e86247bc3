"""The statements of Jiang 2019, in the paper's order: one file per section."""

from __future__ import annotations

from explorer.statements.jiang2019 import (
    audit,
    section2,
    section3_1,
    section3_2,
    section3_2_descent,
    section3_3,
    section3_3_starts,
)
from explorer.statements.jiang2019.edges import with_edges
from explorer.statements.nouns import Statement

STATEMENTS: tuple[Statement, ...] = tuple(
    with_edges(s)
    for s in (
        *section2.STATEMENTS,
        *section3_1.STATEMENTS,
        *section3_2.STATEMENTS,
        *section3_2_descent.STATEMENTS,
        *section3_3.STATEMENTS,
        *section3_3_starts.STATEMENTS,
        *audit.STATEMENTS,
    )
)
