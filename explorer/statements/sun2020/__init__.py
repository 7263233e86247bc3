"""The statements of sun2020, in the paper's order: one file per section."""

from __future__ import annotations

from explorer.statements.nouns import Statement
from explorer.statements.sun2020 import (
    section1,
    section2,
    section3,
    section4a,
    section4b,
    section4c,
    section4d,
    section4e,
    section4w,
    section5a,
    section5b,
    section5c,
    section6,
    section6b,
    section6c,
    section7,
    section7b,
)

STATEMENTS: tuple[Statement, ...] = (
    *section1.STATEMENTS,
    *section2.STATEMENTS,
    *section3.STATEMENTS,
    *section4a.STATEMENTS,
    *section4b.STATEMENTS,
    *section4c.STATEMENTS,
    *section4w.STATEMENTS,
    *section4d.STATEMENTS,
    *section4e.STATEMENTS,
    *section5a.STATEMENTS,
    *section5b.STATEMENTS,
    *section5c.STATEMENTS,
    *section6.STATEMENTS,
    *section6b.STATEMENTS,
    *section6c.STATEMENTS,
    *section7.STATEMENTS,
    *section7b.STATEMENTS,
)
