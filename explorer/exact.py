"""The one gate through which numbers enter: exact or refused, with the remedy in the message."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from numbers import Rational

from explorer.errors import Invalid

NUMBER = re.compile(r"-?[0-9]+(?:/[1-9][0-9]*)?", re.ASCII)
MAX_DIGITS = 2_000


def exact(value: object, where: str) -> Fraction:
    """``value`` as a Fraction: an int, a Fraction, a "p/q" string or a SymPy Rational. Anything else is `Invalid`.

    Floats are refused: 0.1 is not one tenth. The explicit door is `rationalize`.
    """
    if isinstance(value, bool):
        raise Invalid(where, expected="an exact number", got=f"the truth value {value}", remedy="write 0 or 1")
    if isinstance(value, Fraction):
        return value
    if isinstance(value, int):
        return Fraction(value)
    if isinstance(value, str):
        if len(value) > 2 * MAX_DIGITS + 2:
            raise Invalid(
                where,
                expected=f"at most {MAX_DIGITS} digits",
                got=f"{len(value)} characters",
                remedy="use a smaller number",
            )
        if NUMBER.fullmatch(value) is None:
            hint = (
                "write '1/10' for 0.1"
                if re.fullmatch(r"-?\d*\.\d+", value)
                else "write an integer or 'p/q' in plain ASCII digits"
            )
            raise Invalid(where, expected="an exact number such as '-3' or '1/10'", got=repr(value[:60]), remedy=hint)
        return Fraction(value)
    if isinstance(value, float):
        shown = repr(value)
        hint = f"write '{Fraction(shown)}'" if math.isfinite(value) and len(shown) < 20 else "write an integer or 'p/q'"
        raise Invalid(
            where,
            expected="an exact number",
            got=f"the float {shown}",
            remedy=f"{hint}, or use explorer.rationalize(x, max_denominator)",
        )
    if isinstance(value, Rational):
        return Fraction(int(value.numerator), int(value.denominator))
    p, q = getattr(value, "p", None), getattr(value, "q", None)  # SymPy's Rational, without importing SymPy
    if getattr(value, "is_Rational", False) is True and isinstance(p, int) and isinstance(q, int):
        return Fraction(p, q)
    raise Invalid(
        where,
        expected="an exact number",
        got=f"{type(value).__name__}",
        remedy="write an int, a Fraction or a 'p/q' string",
    )


def rationalize(x: float, max_denominator: int = 1_000_000) -> Fraction:
    """The fraction nearest to the float ``x`` with a bounded denominator: the one explicit door for floats.

    The result is exact from then on, but it is *your* choice that it stands for ``x``.
    """
    if not math.isfinite(x):
        raise Invalid("rationalize", expected="a finite number", got=repr(x), remedy="drop or replace it")
    return Fraction(x).limit_denominator(max_denominator)


def text(value: Fraction) -> str:
    """The canonical text of a fraction: lowest terms, ``p`` or ``p/q``."""
    return str(value.numerator) if value.denominator == 1 else f"{value.numerator}/{value.denominator}"
