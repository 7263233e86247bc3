"""The verbs `refute` and `exhibit`: from a statement's id to certified counterexamples and witnesses.

A statement that is not in the tables has no recipe in this version; the answer says so instead of searching in vain. The
tables load every recipe, and SymPy; a search of `SEARCHES` loads none of the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from explorer.budget import Budget
from explorer.certify.certificate import Instance
from explorer.certify.requests import Request
from explorer.certify.searches import SEARCHES, Recipe
from explorer.errors import Unknown


def refute(
    statement: str,
    *,
    samples: int | None = None,
    width: int | None = None,
    bias: bool | None = None,
    inputs: Sequence[Any] | None = None,
    activation: Any = None,
    depth: int | None = None,
    seed: int = 0,
    budget: Budget | None = None,
) -> tuple[Instance, ...]:
    """Counterexamples to a false universal claim, each a problem with certificates that the checker accepts.

    The same arguments give the same bytes; another ``seed`` gives another instance. Raises `Unknown` for a statement
    without a recipe, `NotCertifiable` with the reason where the claim's hypotheses or the recipe exclude the request.
    The recipes are explicit formulas: ``budget`` is accepted like everywhere and never spent.
    """
    from explorer.certify.witnesses import EXHIBITS, REFUTATIONS

    request = Request(samples, width, bias, inputs, activation, depth, seed)
    return _recipe(REFUTATIONS, EXHIBITS, "refute", "exhibit", statement)(request)


def exhibit(
    statement: str,
    *,
    samples: int | None = None,
    width: int | None = None,
    bias: bool | None = None,
    inputs: Sequence[Any] | None = None,
    activation: Any = None,
    depth: int | None = None,
    teacher: int | None = None,
    seed: int = 0,
    budget: Budget | None = None,
) -> tuple[Instance, ...]:
    """Witnesses of an existence statement; arguments and errors as in `refute`. ``teacher`` is the number of teacher units;
    a search (safran2018.thm-1) keeps to ``budget``."""
    request = Request(samples, width, bias, inputs, activation, depth, seed, teacher, budget)
    if statement in SEARCHES:
        return SEARCHES[statement](request)
    from explorer.certify.witnesses import EXHIBITS, REFUTATIONS

    return _recipe(EXHIBITS, REFUTATIONS, "exhibit", "refute", statement)(request)


def _recipe(table: dict[str, Recipe], other: dict[str, Recipe], verb: str, other_verb: str, statement: str) -> Recipe:
    if statement in table:
        return table[statement]
    if verb == "refute":
        from explorer.certify.literal import refutable, refutation

        if statement not in other or refutable(statement):
            return refutation(statement, table)
    remedy = f"use {other_verb} for this one" if statement in other else f"{verb} has recipes for {', '.join(table)}"
    raise Unknown(f"{verb} {str(statement)[:60]}", got="a statement without such a recipe", remedy=remedy)
