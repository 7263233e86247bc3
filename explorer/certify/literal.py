"""`refute` for the statements of the book: the literal text of an entry, on the entry's own refuting examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from explorer.certify.certificate import Instance
from explorer.certify.requests import Request
from explorer.errors import NotCertifiable, Unknown
from explorer.statements.book import statements
from explorer.statements.nouns import Outcome


def refutable(identifier: str) -> bool:
    """Whether the book has refuting examples of this entry."""
    return any(e.outcome is Outcome.REFUTED for s in statements() if s.id == identifier for e in s.examples)


def refutation(identifier: str, recipes: Mapping[str, Any]) -> Callable[[Request], tuple[Instance, ...]]:
    """The recipe that writes every refuting example of the entry. ``recipes``: those that exist beside, for the message."""
    found = next((s for s in statements() if s.id == identifier), None)
    if found is None:
        raise Unknown(
            f"refute {identifier[:60]}",
            got="a statement without such a recipe",
            remedy=f"refute has recipes for {', '.join(recipes)}, and for the entries that 'explorer statements' lists as false",
        )
    chosen = [e for e in found.examples if e.outcome is Outcome.REFUTED]
    if not chosen:
        raise NotCertifiable(
            f"refute {identifier}",
            expected="a statement whose literal text fails on some instance",
            got=f"verdict {found.verdict.value}, {found.because}",
            remedy=f"explorer statements {identifier} says what is known",
        )

    def write(request: Request) -> tuple[Instance, ...]:
        from explorer.certify.examining import refuting_instances

        request.allow(identifier)
        return tuple(i for e in chosen for i in refuting_instances(found, e, seed=request.seed))

    return write
