"""Comparing what was computed with a case's expected.json (format ``explorer.expected/1``, see cases/README.md).

Expectations come from a hand derivation or an independent program, never from explorer. Every key is compared or listed
in `NOT_COMPARED` with the reason; a key that is not understood is a difference, not a shrug.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from explorer.exact import exact
from explorer.point import Point
from explorer.solve.results import Component, CriticalSet, Value

FORMAT = "explorer.expected/1"
COMPARED = {
    "format",
    "complete",
    "box",
    "real_points",
    "by_index",
    "morse_sum",
    "global_value",
    "components",
    "kinks",
    "facts",
}
NOT_COMPARED = {
    "derivation": "a sentence for people",
    "note": "a sentence for people",
    "tour": "false where the tour leaves the case out unless it is named",
}


def differences(expected: Mapping[str, Any], found: CriticalSet) -> Iterator[str]:
    """Every way in which ``found`` is not what ``expected`` says (its facts apart: those are certificates)."""
    if not expected:
        yield "there is no expected.json: nothing could be compared"
        return
    if expected.get("format") != FORMAT:
        yield f"expected.json: no format {FORMAT}"
        return
    for key in sorted(set(expected) - COMPARED - set(NOT_COMPARED)):
        yield f"expected.json: the key {key!r} is not understood"
    if ("box" in expected) is not bool(found.coverage.box):
        yield f"the list is about {found.coverage.box or 'the whole space'}, and expected.json is not"
    whole = found.coverage.complete
    for key, computed in (("real_points", found.real_points), ("by_index", found.by_index), ("morse_sum", found.morse_sum)):  # fmt: skip
        if whole and expected.get(key) is not None and expected[key] != computed:
            yield f"{key}: expected {expected[key]}, computed {computed}"
    if not expected.get("complete"):
        return  # nothing is claimed about the critical set as a whole
    low = expected.get("global_value")
    known = found.global_value
    if low is not None and not (same_value(low, known) if known is not None else not whole):
        yield f"global value: expected {low}, computed {_shown(known)}"
    # Strata where F is not differentiable have no inertia; they stand apart as kinks.
    yield from _strata([*expected.get("components", ()), *expected.get("kinks", ())], found)


def left_open(expected: Mapping[str, Any], found: CriticalSet) -> Iterator[str]:
    """What is expected and was not decided: no contradiction, but no answer either."""
    if expected.get("complete") and not found.coverage.complete:
        yield f"expected all critical points, but {found.coverage.reason}"


def _strata(strata: list[Mapping[str, Any]], found: CriticalSet) -> Iterator[str]:
    """Each computed component belongs to one expected stratum, and each stratum is covered as often as it says."""
    counts = [0] * len(strata)
    for k, component in enumerate(found.components, 1):
        home = next((i for i, stratum in enumerate(strata) if belongs(component, stratum)), None)
        if home is None:
            yield (
                f"component {k} (dimension {component.dimension}, {component.kind.value}, F = "
                f"{_shown(component.value)}): not expected"
            )
        else:
            counts[home] += component.orbit or 1
    for stratum, count in zip(strata, counts, strict=True):
        too_few = found.coverage.complete and count < stratum["pieces"]
        # Families may be cut into more pieces than they have connected components; points may not.
        if too_few or (stratum["dimension"] == 0 and count > stratum["pieces"]):
            what = f"dimension {stratum['dimension']}, {stratum['kind']}, F = {stratum['value']}"
            yield f"stratum ({what}): expected {stratum['pieces']} pieces, computed {count}"


def belongs(component: Component, stratum: Mapping[str, Any]) -> bool:
    """Whether everything that ``stratum`` says is true of ``component``."""
    inertia = component.inertia
    numbers = None if inertia is None else [inertia.positive, inertia.zero, inertia.negative]
    same = (
        component.dimension == stratum["dimension"]
        and component.kind.value == stratum["kind"]
        and same_value(stratum["value"], component.value)
        and component.is_global is stratum["global"]
        and stratum.get("inertia") in (None, numbers)
        and stratum.get("index") in (None, None if inertia is None else inertia.index)
    )
    if not same or component.dimension > 0:
        return same
    if "isolated" in stratum and stratum["isolated"] is not (component.orbit is not None):
        return False
    return stratum["pieces"] > 1 or _is_at(component, stratum.get("sample"))


def _is_at(component: Component, sample: Any) -> bool:
    """Whether a single point is the one that is named (where its coordinates are rational)."""
    if sample is None or not isinstance(component.sample, Point) or not component.sample.is_rational:
        return True
    return [c[0] for c in component.sample.coordinates] == [exact(v, "expected sample") for v in sample]


#: an enclosure wider than this share of its value is too wide to be compared
WIDEST = Fraction(1, 10**6)


def same_value(expected: Any, computed: Value) -> bool:
    """Whether a VALUE and a computed value agree: equal rationals, or tight enclosures that overlap."""
    if isinstance(expected, str):
        return computed.as_fraction == exact(expected, "expected value")
    lower, upper = exact(expected["lower"], "expected lower"), exact(expected["upper"], "expected upper")
    tight = _is_tight(lower, upper) and _is_tight(computed.lower, computed.upper)
    return tight and max(lower, computed.lower) <= min(upper, computed.upper)


def _is_tight(lower: Fraction, upper: Fraction) -> bool:
    return upper - lower <= WIDEST * max(Fraction(1), abs(lower))


def _shown(value: Value | None) -> str:
    if value is None:
        return "unknown"
    middle: Fraction = (value.lower + value.upper) / 2
    return str(value.as_fraction) if value.as_fraction is not None else f"about {float(middle):.12g}"


__all__ = ["FORMAT", "belongs", "differences", "left_open", "same_value"]
