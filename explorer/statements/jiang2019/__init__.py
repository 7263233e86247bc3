"""The statements of jiang2019, in the paper's order: one file per section."""

from __future__ import annotations

from explorer.statements.nouns import Statement

STATEMENTS: tuple[Statement, ...] = ()
