"""Comparing critical values, and what follows for the global minimum. Enclosures or exact fields decide; floats never."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from explorer.point import Ln2Ring
from explorer.solve.results import Component, Kind, Value
from explorer.solve.scalars import compare

#: what is said where the minimum is attained, but at no listed point: such a list is not complete, whatever its method says
CONTRADICTION = "the infimum is not known: the minimum is attained, but at none of the listed points, so the list contradicts itself"


def order(a: Value, b: Value) -> int | None:
    """-1, 0 or 1 as a < b, a = b, a > b; None where enclosures overlap and nothing exact decides."""
    if a.upper < b.lower:
        return -1
    if b.upper < a.lower:
        return 1
    if a.exact is not None and b.exact is not None:
        if isinstance(a.field, Ln2Ring) != isinstance(b.field, Ln2Ring) and not (len(a.exact) == len(b.exact) == 1):
            return None
        return compare(a.exact, a.field, b.exact, b.field)
    return 0 if a.lower == a.upper == b.lower == b.upper else None


def settle_globals(
    components: Sequence[Component], *, floor: Fraction | None, floor_because: str, coercive: str, complete: bool
) -> tuple[tuple[Component, ...], Value | None, str]:
    """The components with ``is_global`` decided as far as possible, the global minimum value, and why it is that.

    The minimum is known when a component attains the floor of F, or when F is coercive (so that its minimum is attained,
    at a critical point) and the list is complete. A saddle is never global; neither is a point with a better one listed.
    """
    best: Value | None = None
    because = "the infimum is not known: F is not known to be coercive and no critical point attains a known floor"
    if not complete:
        because = "the infimum is not known: the list of critical points may be incomplete"
    attained = None if floor is None else Value.rational(floor)
    if attained is not None and any(order(v, attained) == 0 for v in {c.value for c in components}):
        best, because = attained, f"the value {floor} is attained and F is never below it: {floor_because}"
    elif coercive and complete and components:
        lowest = _candidates(components)
        if all(map(_never_lowest, lowest)):
            because = CONTRADICTION
        else:
            best = lowest[0].value if len({c.value for c in lowest}) == 1 else _hull(lowest)
            because = f"the smallest of all critical values; the minimum is attained because {coercive}"
    beaten = _beaten(components)
    lowest = _candidates(components) if best is not None else []
    return tuple(_settled(c, best, lowest, beaten=c.value in beaten) for c in components), best, because


def _settled(c: Component, best: Value | None, lowest: list[Component], *, beaten: bool) -> Component:
    if c.kind.is_saddle or beaten:
        return replace(c, is_global=False)
    if best is not None and order(c.value, best) == 0:
        return _global(c)
    if best is not None and c in lowest and all(o.value is c.value for o in lowest):
        return _global(c)  # the only candidate, or all of them share one number
    return replace(c, is_global=None)


def _global(c: Component) -> Component:
    """A global minimum is a local one, whatever the Hessian says; a strict one where no other critical point is near,
    because every other point of the same value would be a global minimum too, and so critical."""
    if c.kind is not Kind.UNDECIDED:
        return replace(c, is_global=True)
    kind = Kind.STRICT_MINIMUM if c.dimension == 0 and c.isolated else Kind.MINIMUM
    return replace(c, is_global=True, kind=kind, because=f"the value is the minimum of F; {c.because}")


def _beaten(components: Sequence[Component]) -> set[Value]:
    """The values above another one (compared once for every distinct value: lists may be long)."""
    values = list(dict.fromkeys(c.value for c in components))
    return {v for v in values if any(order(o, v) == -1 for o in values)}


def _candidates(components: Sequence[Component]) -> list[Component]:
    """The components that no other one beats for certain, saddles left out where something else remains."""
    beaten = _beaten(components)
    left = [c for c in components if c.value not in beaten]
    return [c for c in left if not _never_lowest(c)] or left


def _never_lowest(c: Component) -> bool:
    return c.kind.is_saddle or c.kind is Kind.STRICT_MAXIMUM


def _hull(components: Sequence[Component]) -> Value:
    """An enclosure of the smallest value."""
    return Value(min(c.value.lower for c in components), min(c.value.upper for c in components))
