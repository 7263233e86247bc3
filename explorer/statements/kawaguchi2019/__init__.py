"""The statements of Kawaguchi, Huang, Kaelbling 2019, in the paper's order: one file per section."""

from __future__ import annotations

from explorer.statements.kawaguchi2019 import appendix, section3_1, section3_2, section3_3, section4
from explorer.statements.nouns import Statement

STATEMENTS: tuple[Statement, ...] = (
    *section3_1.STATEMENTS,
    *section3_2.STATEMENTS,
    *section3_3.STATEMENTS,
    *section4.STATEMENTS,
    *appendix.STATEMENTS,
)
