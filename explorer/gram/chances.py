"""Exact probabilities over the random initialisation of Du et al. (2019) on toy data, and their explicit constants.

w_r ~ N(0, I) independent, signs +-1 fair. On one or two unit inputs the activation pattern of a unit takes at most four
values with known probabilities, so that the law of H(0) is a multinomial one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product
from math import comb, factorial

import flint
from flint import arb

from explorer.algebra.balls import ball
from explorer.errors import Unsupported
from explorer.gram.limit import KNOWN, Vector, dot, is_psd, is_unit

MAX_COUNTS = 60_000
BITS = 160


def patterns(inputs: Sequence[Vector]) -> dict[tuple[bool, ...], Fraction]:
    """Activation pattern on the samples -> probability, for one or two unit inputs at a rational angle (Niven's list)."""
    if not is_unit(inputs) or not 1 <= len(inputs) <= 2:
        raise Unsupported("pattern probabilities", expected="one or two inputs of length 1")
    if len(inputs) == 1:
        return {(True,): Fraction(1, 2), (False,): Fraction(1, 2)}
    cosine = dot(*inputs)
    if cosine not in KNOWN:
        raise Unsupported("pattern probabilities", expected="an angle of 0, 60, 90, 120 or 180 degrees")
    both = {Fraction(0): Fraction(1, 4), Fraction(-1): Fraction(0)}.get(cosine)
    both = KNOWN[cosine] / cosine if both is None else both
    found = {
        (True, True): both,
        (False, False): both,
        (True, False): Fraction(1, 2) - both,
        (False, True): Fraction(1, 2) - both,
    }
    return {pattern: chance for pattern, chance in found.items() if chance}


def chance_of_floor(inputs: Sequence[Vector], width: int, floor: Fraction) -> Fraction:
    """Pr[lambda_min(H(0)) >= floor] for ``width`` units, exactly."""
    law = patterns(inputs)
    if comb(width + len(law) - 1, len(law) - 1) > MAX_COUNTS:
        raise Unsupported("exact probability", expected=f"at most {MAX_COUNTS} counts of patterns")
    total = Fraction(0)
    for counts in _compositions(width, len(law)):
        shared = dict(zip(law, counts, strict=True))

        def entry(i: int, j: int, shared: dict[tuple[bool, ...], int] = shared) -> Fraction:
            return dot(inputs[i], inputs[j]) * Fraction(sum(k for on, k in shared.items() if on[i] and on[j]), width)

        n = range(len(inputs))
        if is_psd(tuple(tuple(entry(i, j) for j in n) for i in n), floor):
            chance = Fraction(factorial(width))
            for probability, k in zip(law.values(), counts, strict=True):
                chance *= probability**k / factorial(k)
            total += chance
    return total


def _compositions(total: int, parts: int) -> Iterator[tuple[int, ...]]:
    if parts == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in _compositions(total - first, parts - 1):
            yield (first, *rest)


def chance_of_success_one_sample(width: int) -> Fraction:
    """n = 1, y < 0: probability that some unit is active with sign -1, by running through the 4^width equally likely states."""
    if width > 8:
        raise Unsupported("enumeration", expected="at most 8 units", got=str(width))
    states = list(product(((True, 1), (True, -1), (False, 1), (False, -1)), repeat=width))
    return Fraction(sum(any(on and sign < 0 for on, sign in state) for state in states), len(states))


def failure_bound(samples: int, width: int, least: Fraction) -> arb:
    """delta of Lemma 3.1 with its constant written out (Hoeffding): 2 n^2 exp(-m lambda_0^2 / (8 n^2))."""
    with flint.ctx.workprec(BITS):
        return 2 * samples**2 * (-ball(width * least**2 / (8 * samples**2))).exp()


def explicit_width(samples: int, least: Fraction, delta: Fraction, label: Fraction, *, descent: bool) -> arb:
    """A width that suffices for Theorem 4.1 (``descent``) or 3.1, its three events failing with probability delta each:
    (8192 or 512)/pi (C^2 + 1/2) n^6 / (lambda_0^4 delta^3), |y_i| <= C. (The constants are this project's reading of the proof.)
    """
    with flint.ctx.workprec(BITS):
        return (
            ball((label**2 + Fraction(1, 2)) * samples**6 / (least**4 * delta**3))
            * (8192 if descent else 512)
            / arb.pi()
        )


def near_tie_chance(radius: Fraction) -> tuple[arb, arb]:
    """Pr[|z| < radius] for a standard normal z, and the bound 2 radius / sqrt(2 pi) of the paper."""
    with flint.ctx.workprec(BITS):
        exact = (ball(radius) / arb(2).sqrt()).erf()
        return exact, 2 * ball(radius) / (2 * arb.pi()).sqrt()


def exact_ball(value: Fraction) -> arb:
    """A ball around an exact number, to compare with the bounds above."""
    with flint.ctx.workprec(BITS):
        return ball(value)
