"""Global minima of losses that may fall to limits far out: attained below all limits, or not attained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from explorer.exact import text
from explorer.solve.results import Component, Value
from explorer.solve.values import settle_globals


def settle_with_limits(
    components: Sequence[Component],
    limits: Sequence[Value],
    *,
    floor_because: str,
    complete: bool,
    rising: str,
    going: str,
) -> tuple[tuple[Component, ...], Value | None, str]:
    """As `settle_globals` for F >= 0. ``rising`` says why F >= the smallest critical value or limit; empty: that is not known.
    ``limits`` are those that F approaches and does not take beyond the listed points; ``going`` says where."""
    limit = min(limits, key=lambda v: v.lower) if limits else None
    lowest = min((c.value.upper for c in components), default=None)
    attained = bool(rising) and (limit is None or (lowest is not None and lowest < limit.lower))
    settled, best, because = settle_globals(
        components,
        floor=Fraction(0),
        floor_because=floor_because,
        coercive=rising if attained else "",
        complete=complete and bool(rising),
    )
    if best is None and complete and rising and limit is not None:
        if all(c.value.lower > limit.upper for c in components):
            settled = tuple(replace(c, is_global=False) for c in settled)
            shown = text(limit.lower) if limit.lower == limit.upper else f"about {limit.approx:.6g}"
            because = f"the infimum is {shown}, approached as {going} and not attained"
        else:
            because = "the infimum is not known: critical values are too near the limit of F at infinity"
    return settled, best, because
