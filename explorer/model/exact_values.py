"""Exact Taylor coefficients of transcendental activations at k ln 2.

Every function maps (activation, k, order) to the coefficients c_0 ... c_order of phi(k ln 2 + h) = sum_n c_n h^n. A
coefficient is a polynomial in T = ln 2 (a tuple of Fractions, low to high) or None when it is not in Q[T]: ln 2 is
transcendental, so these are the only numbers that the exact engine can hold here. At k ln 2 with integer k, e^z = 2^k is
rational; the sigmoid, the hyperbolic tangent and their derivatives are rational functions of it.
"""

from __future__ import annotations

from fractions import Fraction
from math import factorial
from typing import TypeAlias

from explorer.problem import Activation

InLn2: TypeAlias = tuple[Fraction, ...]
Taylor: TypeAlias = tuple[InLn2 | None, ...]

#: 2^k is written out in digits: beyond this the numbers are no use to anyone
MAX_POWER = 4_096


def _power_of_two(k: Fraction) -> Fraction | None:
    if k.denominator != 1 or abs(k) > MAX_POWER:
        return None
    return Fraction(2) ** k.numerator


def _none(order: int) -> Taylor:
    return (None,) * (order + 1)


def _rationals(values: list[Fraction]) -> Taylor:
    return tuple((v,) for v in values)


def _logistic_taylor(s: Fraction, order: int) -> list[Fraction]:
    """Taylor coefficients of the solution of f' = f (1 - f), f(0) = s: n c_n = c_(n-1) - sum_j c_j c_(n-1-j)."""
    c = [s]
    for n in range(1, order + 1):
        c.append((c[n - 1] - sum((c[j] * c[n - 1 - j] for j in range(n)), Fraction(0))) / n)
    return c


def sigmoid(activation: Activation, k: Fraction, order: int) -> Taylor:
    t = _power_of_two(k)
    return _none(order) if t is None else _rationals(_logistic_taylor(t / (1 + t), order))


def tanh(activation: Activation, k: Fraction, order: int) -> Taylor:
    """tanh z = 2 sigmoid(2z) - 1."""
    t = _power_of_two(2 * k)
    if t is None:
        return _none(order)
    s = _logistic_taylor(t / (1 + t), order)
    return _rationals([2 * c * 2**n - (1 if n == 0 else 0) for n, c in enumerate(s)])


def softplus(activation: Activation, k: Fraction, order: int) -> Taylor:
    """The integral of the sigmoid; the value ln(1 + 2^k) is in Q[ln 2] only for k = 0."""
    value: InLn2 | None = (Fraction(0), Fraction(1)) if k == 0 else None
    t = _power_of_two(k)
    if t is None:
        return (value, *_none(order))[: order + 1]
    s = _logistic_taylor(t / (1 + t), order)
    return (value, *((c / (n + 1),) for n, c in enumerate(s)))[: order + 1]


def swish(activation: Activation, k: Fraction, order: int) -> Taylor:
    """(k T + h) sigmoid(k T + h)."""
    t = _power_of_two(k)
    if t is None:
        return _none(order)
    s = _logistic_taylor(t / (1 + t), order)
    return tuple(_trim((s[n - 1] if n else Fraction(0), k * s[n])) for n in range(order + 1))


def exp(activation: Activation, k: Fraction, order: int) -> Taylor:
    t = _power_of_two(k)
    return _none(order) if t is None else _rationals([t / factorial(n) for n in range(order + 1)])


def sin(activation: Activation, k: Fraction, order: int) -> Taylor:
    """At 0 only: sin(k ln 2) is transcendental for rational k != 0 (Lindemann-Weierstrass gives no help; not in Q[T])."""
    if k:
        return _none(order)
    return _rationals([Fraction((0, 1, 0, -1)[n % 4], factorial(n)) for n in range(order + 1)])


def erf(activation: Activation, k: Fraction, order: int) -> Taylor:
    """At 0: odd function, so the even coefficients vanish; the odd ones carry 1/sqrt(pi)."""
    if k:
        return _none(order)
    return tuple((Fraction(0),) if n % 2 == 0 else None for n in range(order + 1))


def gelu(activation: Activation, k: Fraction, order: int) -> Taylor:
    """At 0: z/2 plus an even function whose coefficients carry 1/sqrt(2 pi)."""
    if k:
        return _none(order)
    return tuple((Fraction(n, 2),) if n < 2 else (Fraction(0),) if n % 2 else None for n in range(order + 1))


def elu(activation: Activation, k: Fraction, order: int) -> Taylor:
    """For k < 0 (the branch alpha (e^z - 1)); the callers treat z > 0 as the polynomial z, and z = 0 as a break."""
    t = _power_of_two(k)
    alpha = activation.alpha or Fraction(0)
    if t is None:
        return _none(order)
    return _rationals([alpha * (t / factorial(n) - (1 if n == 0 else 0)) for n in range(order + 1)])


def _trim(c: InLn2) -> InLn2:
    n = len(c)
    while n > 1 and c[n - 1] == 0:
        n -= 1
    return c[:n]
