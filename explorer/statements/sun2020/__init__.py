"""The statements of sun2020, in the paper's order: one file per section."""

from __future__ import annotations

from explorer.statements.nouns import Statement

STATEMENTS: tuple[Statement, ...] = ()
