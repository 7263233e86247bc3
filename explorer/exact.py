"""The one gate through which numbers enter: exact or refused, with the remedy in the message."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from fractions import Fraction
from numbers import Rational

from explorer.errors import Invalid, described

NUMBER = re.compile(r"-?[0-9]+(?:/[1-9][0-9]*)?", re.ASCII)
MAX_DIGITS = 2_000
_LIMIT = 10**MAX_DIGITS

#: what people write instead of a number, and what to write; the first pattern that matches speaks
_HINTS = (
    (r"", "an empty text is not a number; write '0' if you mean zero"),
    (r"\s.*|.*\s", "remove the blanks around it"),
    (r"[-+]?[0-9]*\.[0-9]*", "write '1/10' for 0.1"),
    (r"[-+]?[0-9.]+[eE][-+]?[0-9]+", "write '1/1000' for 1e-3"),
    (r"\+.*", "leave out the plus sign"),
    (r"-?[0-9]+/0+", "a denominator is not zero"),
    (r"-?[0-9]+/-[0-9]+", "the sign belongs to the numerator: '-1/2'"),
    (r"-?[0-9]+/[0-9]+", "the denominator has no leading zeros"),
    (r"-?[0-9_]+(/[0-9_]+)?", "leave out the underscores"),
    (r"(?i)-?0x.*", "write the number in base ten"),
    (r"(?i)[-+]?(nan|inf|infinity)", "NaN and Infinity are not numbers here"),
    (r"(?s).*[^\x00-\x7f].*", "use the ASCII digits 0 to 9"),
)


def exact(value: object, where: str) -> Fraction:
    """``value`` as a Fraction: an int, a Fraction, a "p/q" string or a SymPy Rational. Anything else is `Invalid`.

    Floats are refused: 0.1 is not one tenth. The explicit door is `rationalize`. Numerator and denominator have at
    most `MAX_DIGITS` digits.
    """
    if isinstance(value, bool):
        raise Invalid(where, expected="an exact number", got=f"the truth value {value}", remedy="write 0 or 1")
    if isinstance(value, str):
        return _from_text(value, where)
    if isinstance(value, Fraction | int):
        return _bounded(Fraction(value), where)
    if isinstance(value, float):
        shown = repr(value)
        plain = re.fullmatch(r"-?[0-9]+\.[0-9]+", shown) is not None and len(shown) < 20
        remedy = f"write '{Fraction(shown)}'" if plain else "write an integer or 'p/q'"
        raise Invalid(
            where,
            expected="an exact number",
            got=f"the float {shown}",
            remedy=f"{remedy}, or use explorer.rationalize(x, max_denominator)",
        )
    if isinstance(value, Rational):
        return _bounded(Fraction(int(value.numerator), int(value.denominator)), where)
    p, q = getattr(value, "p", None), getattr(value, "q", None)  # SymPy's Rational, without importing SymPy
    if getattr(value, "is_Rational", False) is True and isinstance(p, int) and isinstance(q, int):
        return _bounded(Fraction(p, q), where)
    raise Invalid(
        where,
        expected="an exact number",
        got=described(value),
        remedy="write an integer or a fraction 'p/q'",
    )


def exact_row(values: object, where: str) -> tuple[Fraction, ...]:
    """Each of ``values`` through the gate; a text or a single number is not a row."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise Invalid(where, expected="a list of numbers", got=described(values), remedy='write ["1", "1/2"]')
    return tuple(exact(v, f"{where}[{k}]") for k, v in enumerate(values))


def _from_text(value: str, where: str) -> Fraction:
    if max(len(part.lstrip("-")) for part in value.split("/")) > MAX_DIGITS:
        raise _too_long(where, f"{len(value)} characters")
    if NUMBER.fullmatch(value) is None:
        hint = next((h for pattern, h in _HINTS if re.fullmatch(pattern, value)), "write an integer or 'p/q'")
        raise Invalid(where, expected="an exact number such as '-3' or '1/10'", got=described(value), remedy=hint)
    return _bounded(Fraction(value), where)


def _bounded(value: Fraction, where: str) -> Fraction:
    if abs(value.numerator) >= _LIMIT or value.denominator >= _LIMIT:
        raise _too_long(where, "more")
    return value


def _too_long(where: str, got: str) -> Invalid:
    return Invalid(where, expected=f"at most {MAX_DIGITS} digits on each side", got=got, remedy="use a smaller number")


def rationalize(x: float, max_denominator: int = 1_000_000) -> Fraction:
    """The fraction nearest to the float ``x`` with a bounded denominator: the one explicit door for floats.

    The result is exact from then on, but it is *your* choice that it stands for ``x``. Exact input is accepted and
    rounded in the same way. `Invalid` for NaN, infinities, other types and a denominator bound below 1.
    """
    number = isinstance(x, float | Rational) and not isinstance(x, bool)
    if not number or (isinstance(x, float) and not math.isfinite(x)):
        raise Invalid("rationalize", expected="a finite number", got=described(x), remedy="drop or replace it")
    if isinstance(max_denominator, bool) or not isinstance(max_denominator, int) or max_denominator < 1:
        raise Invalid("rationalize", expected="max_denominator >= 1", got=described(max_denominator))
    return Fraction(x).limit_denominator(max_denominator)


def text(value: Fraction) -> str:
    """The canonical text of a fraction: lowest terms, ``p`` or ``p/q``."""
    return str(value.numerator) if value.denominator == 1 else f"{value.numerator}/{value.denominator}"
