#!/usr/bin/env python3
"""The independent checker of loss-landscape certificates: one file, Python's standard library only.

    python -I explorer/checker.py problem.json certificate.json

prints one line: ``VERIFIED <fact>`` (exit 0), ``REJECTED <rule> <why>`` (exit 1) or ``MALFORMED <where> <why>`` (exit 2).
VERIFIED means: the fact, in this program's own words, is a theorem about the loss F that problem.json describes.

How to read this file (top to bottom): 1. strict JSON, 2. numbers (four exact or enclosing rings), 3. the problem,
4. activations as Taylor coefficients, 5. Taylor arithmetic and the loss, 6. linear algebra, 7. points, 8. the rules,
9. the goals, 10. the command line. The format and, rule by rule, the lemma that makes it sound stand in
docs/certificate.md. Nothing here is a float; nothing that a certificate says is believed without being recomputed.
"""

import functools
import hashlib
import itertools
import json
import math
import operator
import re
import struct
import sys
from fractions import Fraction

MAX_BYTES = 8_000_000
MAX_CONTAINERS = 300_000  # lists and objects in one file
MAX_DEPTH = 16
MAX_DIGITS = 2_000
MAX_PARAMETERS = 20_000
MAX_SAMPLES = 5_000
MAX_POINTS = 64
MAX_STEPS = 256
MAX_DEGREE = 64  # of number fields, curves, activations
MAX_FIELD = 20_000  # degree times bits of a coefficient of a field polynomial
MAX_BITS = 100_000  # of an interval end
MAX_TERMS = 5_000  # of a Laurent polynomial
MAX_EXPONENT = 4_096  # of 2 in exp(k ln 2)
MAX_MATRIX = 400  # parameters, where a whole Hessian is asked for
MAX_WORK = 2_000_000  # ring operations, weighted by the size of their numbers: at most about 20 seconds
PRECISION = 256  # bits after the binary point in interval arithmetic
GUARD = 64  # more of them inside an exponential or a logarithm
DYADIC = 96  # bits after the binary point of vectors and matrices near a point
MAX_BALL = 2_500  # parameters, for a Hessian over a ball
MAX_SIZE = 10**100  # units of a student-teacher problem that is given by numbers alone
TREE_PRECISION = 64  # the same, for the boxes of a tree
MAX_NODES = 400_000  # of a tree of boxes
MAX_KEPT = 20_000  # Taylor coefficients of activations that are kept for the next samples, and the next boxes of a tree
TREE_WORK = 40_000_000  # ring operations on numbers of about TREE_PRECISION bits, for one tree of boxes


class Malformed(Exception):
    """The files are not a problem and a certificate."""

    def __init__(self, where, why):
        super().__init__(f"{where} {why}")
        self.where, self.why = where, why


class Rejected(Exception):
    """The certificate does not prove its goal."""

    def __init__(self, rule, why):
        super().__init__(f"{rule} {why}")
        self.rule, self.why = rule, why


class Verdict:
    """What `check` returns: ``status`` is verified, rejected or malformed; ``fact`` is set only when verified."""

    def __init__(self, status, *, fact="", goal="", rules=(), where="", why=""):
        self.status, self.fact, self.goal, self.rules = status, fact, goal, tuple(rules)
        self.where, self.why = where, why

    @property
    def line(self):
        if self.status == "verified":
            return f"VERIFIED {self.fact}"
        return f"{self.status.upper()} {self.where} {self.why}"

    @property
    def exit_code(self):
        return {"verified": 0, "rejected": 1, "malformed": 2}[self.status]


# ---------------------------------------------------------------------------------------------------------------------
# 1. Strict JSON: no floats, no duplicate keys, bounded size and depth.


def parse_json(raw, where):
    if len(raw) > MAX_BYTES:
        raise Malformed(where, f"is longer than {MAX_BYTES} bytes")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed(where, "is not UTF-8") from None
    check_depth(text, where)

    def refuse(token):
        raise Malformed(where, f"has the inexact number {token[:40]}")

    def integer(token):
        if len(token.lstrip("-")) > MAX_DIGITS:
            raise Malformed(where, "has an integer of too many digits")
        return int(token)

    def unique(pairs):
        out = dict(pairs)
        if len(out) != len(pairs):
            raise Malformed(where, "has a key twice in one object")
        return out

    try:
        body = json.loads(text, parse_float=refuse, parse_constant=refuse, parse_int=integer, object_pairs_hook=unique)
    except ValueError:
        raise Malformed(where, "is not JSON") from None
    if not isinstance(body, dict):
        raise Malformed(where, "is not a JSON object")
    return body


def check_depth(text, where):
    bare = re.sub(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"', "", text, flags=re.DOTALL)  # possessive: no stack
    if bare.count("[") + bare.count("{") > MAX_CONTAINERS:
        raise Malformed(where, f"has more than {MAX_CONTAINERS} lists and objects")
    steps = (1 if ch in "[{" else -1 for ch in bare if ch in "[]{}")
    if max(itertools.accumulate(steps), default=0) > MAX_DEPTH:
        raise Malformed(where, f"is nested deeper than {MAX_DEPTH}")


def fields(body, where, required, optional=()):
    """The object ``body`` with exactly the required and perhaps the optional keys."""
    if not isinstance(body, dict):
        raise Malformed(where, "is not an object")
    for key in required:
        if key not in body:
            raise Malformed(where, f"lacks the key {key}")
    for key in body:
        if key not in required and key not in optional:
            raise Malformed(where, f"has the unknown key {key[:40]!a}")
    return body


def array(body, where, length=None, most=MAX_PARAMETERS):
    if not isinstance(body, list) or len(body) > most or (length is not None and len(body) != length):
        raise Malformed(where, f"is not a list of {length if length is not None else f'at most {most}'} entries")
    return body


def whole(body, where, low, high):
    if isinstance(body, bool) or not isinstance(body, int) or not low <= body <= high:
        raise Malformed(where, f"is not an integer from {low} to {high}")
    return body


fraction = functools.lru_cache(maxsize=1_000)(Fraction)  # files repeat few numbers many times
NUMBER = re.compile(r"-?[0-9]+(?:/[1-9][0-9]*)?", re.ASCII)


def number(body, where, canonical=True):
    """A rational number. Certificates (``canonical``) must write it in lowest terms; problems may also use integers."""
    if not canonical and isinstance(body, int) and not isinstance(body, bool):
        return fraction(body)
    if not isinstance(body, str) or len(body) > 2 * MAX_DIGITS + 2 or NUMBER.fullmatch(body) is None:
        raise Malformed(where, "is not an exact number")
    if max(len(part) for part in body.lstrip("-").split("/")) > MAX_DIGITS:
        raise Malformed(where, "has too many digits")
    value = fraction(body)
    if canonical and body != show(value):
        raise Malformed(where, "is not written in lowest terms")
    return value


def numbers(body, where, length=None, most=MAX_PARAMETERS):
    return [number(v, where) for v in array(body, where, length, most)]


def show(value):
    return str(value.numerator) if value.denominator == 1 else f"{value.numerator}/{value.denominator}"


def show_in_pi(terms):
    """A sum of q pi^e, from the pairs (e, q)."""
    return show(terms[0][1]) if [e for e, _ in terms] == [0] else [[e, show(q)] for e, q in terms]


# ---------------------------------------------------------------------------------------------------------------------
# 2. Numbers. A ring has zero, one, of(rational), add, neg, mul, inverse, sign and the transcendental functions that it
#    can compute *exactly, or as an enclosure*; a question that it cannot answer is a rejection.


class Meter:
    """Counts ring operations, so that every check ends; big numbers cost more (reducing fractions is quadratic)."""

    def __init__(self, limit=MAX_WORK):
        self.left = limit

    def spend(self, cost, bits=0):
        """``cost`` operations on numbers of ``bits`` bits."""
        self.left -= cost * (1 + (bits * bits >> 19))
        if self.left < 0:
            raise Rejected("limit", "the check needs more arithmetic than the checker allows")


class Ring:
    """What all rings share. A ring without a method for something cannot answer it exactly."""

    def __init__(self, meter):
        self.meter = meter

    def sub(self, a, b):
        return self.add(a, self.neg(b))

    def scale(self, a, q):
        return self.mul(a, self.of(Fraction(q)))

    def total(self, values):
        out = self.zero
        for value in values:
            out = self.add(out, value)
        return out

    def dot(self, a, b):
        return self.total(self.mul(x, y) for x, y in zip(a, b, strict=True))


class ExactRing(Ring):
    """Exact rings know e^z at the integer multiples of ln 2, sin and erf at 0 (but not erf'), and square roots of squares."""

    def same(self, a, b):
        return self.sign(self.sub(a, b)) == 0

    def exp(self, z):
        k = self.ln2_multiple(z)
        if k is None or k.denominator != 1 or abs(k) > MAX_EXPONENT:
            raise Rejected("exact", "an exponential is not known exactly at a pre-activation that is no multiple of ln 2")
        return self.of(Fraction(2) ** int(k))

    def sigmoid(self, z):
        power = self.rational(self.exp(z))
        return self.of(power / (1 + power))

    def softplus(self, z):
        if self.sign(z) != 0 or not isinstance(self, Ln2Ring):
            raise Rejected("exact", "softplus is known exactly only at 0, in the field ln2")
        return (Fraction(0), Fraction(1))

    def sine_cosine(self, z):
        if self.sign(z) != 0:
            raise Rejected("exact", "sin is known exactly only at 0")
        return self.zero, self.one

    def gaussian(self, z, half):
        if self.sign(z) != 0:
            raise Rejected("exact", "erf and gelu are known exactly only at 0; use bounds")
        return self.of(Fraction(int(half), 2)), None

    def square_root(self, z):
        value = self.rational(z)
        if value is None or value < 0:
            raise Rejected("exact", "a square root is not known exactly")
        p, q = math.isqrt(value.numerator), math.isqrt(value.denominator)
        if p * p != value.numerator or q * q != value.denominator:
            raise Rejected("exact", "a square root is irrational")
        return self.of(Fraction(p, q))


class Rationals(ExactRing):
    """The field of rational numbers; elements are Fractions."""

    zero, one = Fraction(0), Fraction(1)

    def of(self, q):
        return q

    def add(self, a, b):
        if a.denominator != b.denominator:
            self.meter.spend(1, size(a) + size(b))
        return a + b

    def neg(self, a):
        return -a

    def mul(self, a, b):
        self.meter.spend(1, size(a) + size(b))
        return a * b

    def inverse(self, a):
        return 1 / a

    def sign(self, a):
        return (a > 0) - (a < 0)

    def rational(self, a):
        return a

    def ln2_multiple(self, z):
        return z if z == 0 else None

    def enclose(self, a, ring):
        return ring.of(a)

    def show(self, a):
        return show(a)


def size(a):
    """Bits of a Fraction."""
    return a.numerator.bit_length() + a.denominator.bit_length()


# Polynomials over Q are tuples of Fractions, low to high, without trailing zeros.


def poly_trim(a):
    size = len(a)
    while size and a[size - 1] == 0:
        size -= 1
    return tuple(a[:size])


def poly_add(a, b):
    short, long = sorted((a, b), key=len)
    return poly_trim([x + y for x, y in zip(short, long, strict=False)] + list(long[len(short) :]))


def poly_mul(a, b):
    out = [Fraction(0)] * max(len(a) + len(b) - 1, 0)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            out[i + j] += x * y
    return poly_trim(out)


def poly_divmod(a, b):
    quotient, rest = [Fraction(0)] * max(len(a) - len(b) + 1, 0), list(a)
    for k in range(len(a) - len(b), -1, -1):
        quotient[k] = rest[k + len(b) - 1] / b[-1]
        for j, y in enumerate(b):
            rest[k + j] -= quotient[k] * y
    return poly_trim(quotient), poly_trim(rest)


def poly_remainder(a, b, meter):
    """A positive multiple of a mod b, with coprime integer coefficients (fractions would explode)."""
    meter.spend(8 * len(b) * max(len(a) - len(b) + 1, 1), poly_size(a) + poly_size(b))
    rest = poly_divmod(a, b)[1]
    common = math.lcm(*(c.denominator for c in rest))
    content = math.gcd(*(int(c * common) for c in rest))
    return tuple(c * common / content for c in rest)


def poly_size(a):
    return max(map(size, a), default=0)


def poly_gcd(a, b, meter):
    """The monic greatest common divisor."""
    while b:
        a, b = b, poly_remainder(a, b, meter)
    return tuple(x / a[-1] for x in a)


def poly_at(a, x):
    value = Fraction(0)
    for c in reversed(a):
        value = value * x + c
    return value


def poly_derivative(a):
    return tuple(k * c for k, c in enumerate(a))[1:]


def root_count(a, low, high, meter):
    """Number of distinct real roots of ``a`` in the open interval (Sturm); the end points must not be roots."""
    chain = [a, poly_derivative(a)]
    while chain[-1]:
        chain.append(tuple(-c for c in poly_remainder(chain[-2], chain[-1], meter)))

    def variations(x):
        meter.spend(len(a) ** 2, poly_size(a) + size(x) * len(a))
        signs = [v > 0 for v in (poly_at(p, x) for p in chain) if v]
        return sum(s != t for s, t in itertools.pairwise(signs))

    return variations(low) - variations(high)


class PolynomialRing(ExactRing):
    """What Q[ln 2] and Q(alpha) share: elements are polynomials in a generator, whose bounds the subclass knows."""

    zero, one = (), (Fraction(1),)

    def of(self, q):
        return (q,) if q else ()

    def add(self, a, b):
        return poly_add(a, b)

    def neg(self, a):
        return tuple(-c for c in a)

    def rational(self, a):
        return Fraction(0) if not a else a[0] if len(a) == 1 else None

    def range(self, a, bits):
        """Rational bounds of an element, by interval Horner from bounds of the generator closer than 2^-bits."""
        generator, value = self.bounds(bits), (Fraction(0), Fraction(0))
        for c in reversed(a):
            ends = [u * v for u in value for v in generator]
            value = (min(ends) + c, max(ends) + c)
        return value

    def nonzero_sign(self, a):
        bits = 64
        while bits <= 1 << 14:
            self.meter.spend(len(a), 2 * bits + poly_size(a))
            low, high = self.range(a, bits)
            if low > 0 or high < 0:
                return 1 if low > 0 else -1
            bits *= 2
        raise Rejected("limit", "a sign needs more precision than the checker allows")

    def enclose(self, a, ring):
        low, high = self.range(a, PRECISION + 64 + 8 * len(a))
        return ring.hull(ring.of(low), ring.of(high))

    def show(self, a):
        parts = []
        for k, c in enumerate(a):
            factor = "" if c == 1 else "-" if c == -1 else show(c) + "*"
            parts += [show(c) if k == 0 else f"{factor}{self.symbol}{f'^{k}' if k > 1 else ''}"] if c else []
        return " + ".join(parts) or "0"


class Ln2Ring(PolynomialRing):
    """Q[T] with T = ln 2. T is transcendental (Lindemann), so an element vanishes only if all its coefficients do."""

    symbol = "ln(2)"

    def mul(self, a, b):
        self.meter.spend(1 + len(a) * len(b), poly_size(a) + poly_size(b))
        if len(a) + len(b) > MAX_DEGREE:
            raise Rejected("limit", "the degree in ln 2 grows too large")
        return poly_mul(a, b)

    def inverse(self, a):
        return (1 / a[0],) if len(a) == 1 else None

    def sign(self, a):
        return self.nonzero_sign(a) if a else 0

    def ln2_multiple(self, z):
        return (z[1] if z else Fraction(0)) if len(z) <= 2 and not (z and z[0]) else None

    def bounds(self, bits):
        """ln 2 = 2 sum 1/((2k+1) 3^(2k+1)); every term loses less than 2 units to its two floors, the tail less than 2."""
        unit = 1 << (bits + 16)
        total, power, k = 0, unit // 3, 0
        while power:
            total, power, k = total + power // (2 * k + 1), power // 9, k + 1
        return Fraction(2 * total, unit), Fraction(2 * total + 4 * k + 4, unit)


class NumberField(PolynomialRing):
    """Q(alpha), alpha the only root of a squarefree polynomial in an open interval (checked here)."""

    symbol = "A"

    def __init__(self, meter, modulus, low, high, where):
        super().__init__(meter)
        self.modulus, self.low, self.high, self.interval = modulus, low, high, (low, high)
        if not 2 <= len(modulus) <= MAX_DEGREE + 1 or modulus[-1] == 0 or len(modulus) * poly_size(modulus) > MAX_FIELD:
            raise Malformed(where, f"has no field polynomial of degree 1 to {MAX_DEGREE} and bounded size")
        if not low < high or poly_at(modulus, low) == 0 or poly_at(modulus, high) == 0:
            raise Malformed(where, "has no open isolating interval")
        if len(poly_gcd(modulus, poly_derivative(modulus), meter)) != 1:
            raise Malformed(where, "has a field polynomial with a repeated factor")
        if root_count(modulus, low, high, meter) != 1:
            raise Malformed(where, "has an interval that does not hold exactly one root")
        self.above = poly_at(modulus, high) > 0

    def describe(self):
        ends, terms = ", ".join(map(show, self.interval)), ", ".join(map(show, self.modulus))
        return f"{self.symbol} = the root in ({ends}) of the polynomial with coefficients ({terms}), low to high"

    def mul(self, a, b):
        self.meter.spend(1 + 2 * len(a) * len(b), poly_size(a) + poly_size(b))
        product = poly_mul(a, b)
        return product if len(product) < len(self.modulus) else poly_divmod(product, self.modulus)[1]

    def is_zero(self, a):
        """a(alpha) = 0: the modulus may be reducible, so a nonzero residue can vanish at alpha; the gcd tells."""
        if not a:
            return True
        common = poly_gcd(self.modulus, a, self.meter)
        return len(common) > 1 and root_count(common, *self.interval, self.meter) == 1

    def sign(self, a):
        return 0 if self.is_zero(a) else self.nonzero_sign(a)

    def inverse(self, a):
        """1/a(alpha) for a(alpha) != 0: modulo the cofactor of gcd(a, modulus), of which alpha still is a root."""
        modulus = poly_divmod(self.modulus, poly_gcd(self.modulus, a, self.meter))[0]
        old, new, u, v = modulus, poly_divmod(a, modulus)[1], (), self.one
        while new:
            self.meter.spend(len(old), poly_size(old) + poly_size(new))
            quotient, rest = poly_divmod(old, new)
            old, new, u, v = new, rest, v, poly_add(u, self.neg(poly_mul(quotient, v)))
        return tuple(c / old[0] for c in u)

    def ln2_multiple(self, z):
        return Fraction(0) if self.is_zero(z) else None

    def bounds(self, bits):
        while (self.high - self.low) * (1 << bits) > 1:
            self.meter.spend(len(self.modulus), poly_size(self.modulus) + bits)
            middle = Fraction(math.floor((self.low + self.high) * (1 << bits + 2)), 1 << bits + 3)  # short numbers
            if not self.low < middle < self.high:
                middle = (self.low + self.high) / 2
            value = poly_at(self.modulus, middle)
            if value == 0:
                return middle, middle
            if (value > 0) == self.above:
                self.high = middle
            else:
                self.low = middle
        return self.low, self.high


def ceil_shift(a, bits):
    return -(-a >> bits)


def product(p, q, r, s):
    """The interval of all products of a number in [p, q] and one in [r, s]."""
    if p >= 0:
        return (p if r >= 0 else q) * r, (q if s >= 0 else p) * s
    if q <= 0:
        return (p if s >= 0 else q) * s, (q if r >= 0 else p) * r
    return min(p * s, q * r), max(p * r, q * s)


class Intervals(Ring):
    """Enclosures: (lo, hi) are integers, standing for [lo, hi] * 2^-bits. Never proves equality."""

    bits, unit, kinks = PRECISION, 1 << PRECISION, False
    zero, one = (0, 0), (unit, unit)

    def of(self, q):
        return (q.numerator << self.bits) // q.denominator, -((-q.numerator << self.bits) // q.denominator)

    def hull(self, a, b):
        return min(a[0], b[0]), max(a[1], b[1])

    def add(self, a, b):
        return a[0] + b[0], a[1] + b[1]

    def neg(self, a):
        return -a[1], -a[0]

    def mul(self, a, b):
        (p, q), (r, s) = a, b
        low, high = (p * r, q * s) if p >= 0 and r >= 0 else product(p, q, r, s)
        bits = max(high.bit_length(), low.bit_length())
        if bits > MAX_BITS:
            raise Rejected("limit", "an enclosure grows too large")
        self.meter.spend(1 + (bits >> 10 << 1), bits >> 4)  # for memory as well
        return low >> self.bits, -(-high >> self.bits)

    def dot(self, a, b):
        """Products are added exactly and rounded once."""
        low = high = bits = count = 0
        for (p, q), (r, s) in zip(a, b, strict=True):
            x, y = product(p, q, r, s)
            low, high, bits, count = low + x, high + y, max(bits, x.bit_length(), y.bit_length()), count + 1
        if bits > MAX_BITS:
            raise Rejected("limit", "an enclosure grows too large")
        self.meter.spend(count * (1 + (bits >> 10 << 1)), bits >> 4)
        return low >> self.bits, -(-high >> self.bits)

    def scale(self, a, q):
        n, d = q.numerator, q.denominator
        low, high = (a[0] * n, a[1] * n) if n >= 0 else (a[1] * n, a[0] * n)
        bits = max(high.bit_length(), low.bit_length())
        if bits > MAX_BITS:
            raise Rejected("limit", "an enclosure grows too large")
        self.meter.spend(1 + (bits >> 10 << 1), bits >> 4)  # for memory as well
        return low // d, -(-high // d)

    def inverse(self, a):
        if a[0] <= 0 <= a[1]:
            raise Rejected("interval", "division by an interval that holds 0")
        return self.unit**2 // a[1], -(-(self.unit**2) // a[0])

    def ends(self, a):
        return Fraction(a[0], self.unit), Fraction(a[1], self.unit)

    def magnitude(self, a):
        """Smallest and largest absolute value in the interval."""
        return 0 if a[0] <= 0 <= a[1] else min(map(abs, a)), max(map(abs, a))

    def square(self, a):
        low, high = self.magnitude(a)
        return low * low >> self.bits, ceil_shift(high * high, self.bits)

    def series(self, term, step):
        """term_0 + term_1 + ..., term_{n+1} = step(n, term_n), until a term is below 2 units in the last place; the caller
        sees to it that from there on the terms at least halve, so that the tail is at most 4 units."""
        total, n = self.zero, 0
        while max(map(abs, term)) > 1:
            self.meter.spend(1)
            total, term, n = self.add(total, term), step(n, term), n + 1
        return total[0] - 4, total[1] + 4

    def artanh_inverse(self, n, sign, unit):
        """artanh(1/n) (sign 1) or arctan(1/n) (sign -1): sum sign^k / ((2k+1) n^(2k+1)), n >= 2, in units of 1/unit."""
        power, total, k = unit // n, 0, 0
        while power:
            total, power, k = total + sign**k * (power // (2 * k + 1)), power // (n * n), k + 1
        return total - 2 * k - 2, total + 2 * k + 2

    @functools.cached_property
    def ln2(self):
        """ln 2 in units of 2^-(bits + GUARD), off by less than 2^10 of them."""
        return 2 * self.artanh_inverse(3, 1, self.unit << GUARD)[0]

    @functools.cached_property
    def pi(self):
        """Machin: pi = 16 arctan(1/5) - 4 arctan(1/239)."""
        a, b = self.artanh_inverse(5, -1, self.unit), self.artanh_inverse(239, -1, self.unit)
        return 16 * a[0] - 4 * b[1], 16 * a[1] - 4 * b[0]

    def guarded(self, value, error, shift=GUARD):
        """The interval around a number that is known in units of 2^-(bits + shift) with that error, in these units."""
        low, high = value - error, value + error
        return (low >> shift, ceil_shift(high, shift)) if shift >= 0 else (low << -shift, high << -shift)

    def exp(self, a):
        """On a narrow interval from one end: e^(x+w) <= e^x (1 + w + w^2) for 0 <= w <= 1."""
        low, high = self.exp_at(a[0])
        width = a[1] - a[0]
        if width << 16 > self.unit:
            return low, self.exp_at(a[1])[1]
        return low, high + ceil_shift(high * (width + ceil_shift(width * width, self.bits)), self.bits)

    def exp_at(self, x):
        """e^x at one number x = k ln 2 + 256 r, 0 <= 256 r < ln 2: the series of e^r, eight squarings, a shift by k. Errors in units of
        2^-(bits + GUARD): |k| < 2^13, so r is off by less than 2^(13 + 10 - 8) + 1; a term by less than 3, the rest that is left out by
        at most 2; so e^r by less than 2^16. Squaring y <= 2 multiplies the error by at most 2y + 2^-60 and adds 1, and the product of all
        eight 2y is below 2^9: less than 2^25 + 2^10 in the end."""
        if x < -MAX_EXPONENT * self.unit:
            return 0, 1  # e^x < 2^-bits
        if x > MAX_EXPONENT * self.unit:
            raise Rejected("limit", "exp of a number that is too large")
        self.meter.spend(8)
        bits = self.bits + GUARD
        k = (x << GUARD) // self.ln2
        r = (x << GUARD) - k * self.ln2 >> 8
        total, term, n = 0, 1 << bits, 0
        while term:
            total, n = total + term, n + 1
            term = (term * r >> bits) // n
        for _ in range(8):
            total = total * total >> bits
        return self.guarded(total, 1 << 26, GUARD - k)

    def log(self, a):
        """On a narrow interval from one end: ln y <= ln x + (y - x)/x."""
        low, high = self.log_at(a[0])
        if a[1] - a[0] << 16 > a[0]:
            return low, self.log_at(a[1])[1]
        return low, high - ((a[0] - a[1] << self.bits) // a[0])

    def log_at(self, x):
        """ln x at one number x > 0: x = 2^k m with 1 <= m < 2, ln m = 2 artanh u, u = (m-1)/(m+1) < 1/3. Errors in units of
        2^-(bits + GUARD): m by at most 1, u by 2, u^2 by 3, its powers by 4, terms by 5, what is left out by 5; k ln 2 by |k| 2^10."""
        if x <= 0:
            raise Rejected("interval", "log of a number that may not be positive")
        self.meter.spend(8)
        bits, k = self.bits + GUARD, x.bit_length() - 1 - self.bits
        m = x << GUARD - k if k <= GUARD else x >> k - GUARD
        power = ((m - (1 << bits)) << bits) // (m + (1 << bits))
        total, square, n = 0, power * power >> bits, 0
        while power:
            total, power, n = total + power // (2 * n + 1), power * square >> bits, n + 1
        return self.guarded(2 * total + k * self.ln2, 10 * n + 20 + (abs(k) << 10))

    def arcsine(self, q):
        """arcsin of a rational number |q| < 1: three halvings of the angle, then the series of arctan t, |t| < tan(pi/16) < 1/5."""
        root = self.square_root(self.of(1 - q * q))
        t = self.mul(self.of(q), self.inverse(self.add(self.one, root)))
        for _ in range(2):
            root = self.square_root(self.add(self.one, self.square(t)))
            t = self.mul(t, self.inverse(self.add(self.one, root)))
        power = [t]

        def step(n, _):
            power[0] = self.mul(power[0], self.neg(self.square(t)))
            return self.scale(power[0], Fraction(1, 2 * n + 3))

        low, high = self.series(t, step)
        return 8 * low, 8 * high

    def sigmoid(self, a):
        return self.inverse(self.add(self.one, self.exp(self.neg(a))))

    @functools.cached_property
    def turns(self):
        """Where s(1 - s) and s(1 - s)(1/2 - s) turn: at 1/2 and at 1/2 -+ sqrt(1/12)."""
        half, root = self.of(Fraction(1, 2)), self.square_root(self.of(Fraction(1, 12)))
        return (half,), (self.sub(half, root), self.add(half, root))

    def logistic_slopes(self, s, order):
        """s(1 - s) and, for order 2, s(1 - s)(1/2 - s) over an interval of values s: at its ends, and where they turn inside."""
        self.meter.spend(4 * order)
        half, out = self.turns[0][0], []
        for n, turns in enumerate(self.turns[:order]):
            values, shift = [v * (self.unit - v) * (self.unit - 2 * v) ** n for v in s], (n + 1) * self.bits + n
            found = min(values) >> shift, ceil_shift(max(values), shift)
            for t in turns:
                if s[0] <= t[1] and t[0] <= s[1]:
                    top = self.mul(t, self.sub(self.one, t))
                    found = self.hull(found, self.mul(top, self.sub(half, t)) if n else top)
            out.append(found)
        return out

    def softplus(self, a):
        return self.log(self.add(self.one, self.exp(a)))

    def sine_cosine(self, a):
        """Reduce the midpoint modulo 2 pi, sum the series, widen by the radius (both functions are 1-Lipschitz)."""
        middle = (a[0] + a[1]) // 2
        turn = tuple(2 * end for end in self.pi)
        x = self.sub((middle, middle), self.mul(self.of(Fraction(middle // turn[0])), turn))
        if max(map(abs, x)) > 8 * self.unit:
            raise Rejected("limit", "sin of a number that is too large")
        parts, power, n = [self.zero, self.zero], self.one, 0
        while n < 16 or max(map(abs, power)) > 1:  # for n >= 16 the terms at least halve, since |x| <= 8
            parts[n % 2], n = self.add(parts[n % 2], power if n % 4 < 2 else self.neg(power)), n + 1
            power = self.scale(self.mul(power, x), Fraction(1, n))
        slack = a[1] - a[0] + 8
        cosine, sine = ((max(p[0] - slack, -self.unit), min(p[1] + slack, self.unit)) for p in parts)
        return sine, cosine

    def square_root(self, a):
        if a[0] < 0:
            raise Rejected("interval", "a square root of an interval that reaches below 0")
        return math.isqrt(a[0] << self.bits), math.isqrt(a[1] << self.bits) + 1

    def inside(self, c):
        return max(c[0], -self.unit), min(c[1], self.unit)

    def angle(self, c):
        """(sin t, pi - t) where cos t lies in c."""
        low, high = self.sub(self.one, self.square(self.inside(c)))
        return self.square_root((max(low, 0), max(high, 0))), self.sub(self.pi, self.arccos(c))

    def size(self, slope, offset):
        return self.of(Fraction(offset))

    def definite(self, a):
        """1 or -1 if all numbers of the interval have that sign, else 0."""
        return (a[0] > 0) - (a[1] < 0)

    def arccos(self, a):
        """The range of arccos on the part of the interval inside [-1, 1]; arccos decreases."""
        return self.arccos_at(min(a[1], self.unit))[0], self.arccos_at(max(a[0], -self.unit))[1]

    def arccos_at(self, x):
        """arccos x = 2 arctan sqrt((1 - x)/(1 + x)) for 0 <= x <= 1, and pi - arccos(-x) for x < 0."""
        if not -self.unit <= x <= self.unit:
            raise Rejected("interval", "an arc cosine of a number outside [-1, 1]")
        if x < 0:
            return self.sub(self.pi, self.arccos_at(-x))
        low, high = self.unit - x << self.bits, self.unit + x
        low, high = self.square_root((low // high, -(-low // high)))
        value = self.arctan_at(low)
        return 2 * value[0], 2 * (value[1] + high - low)  # arctan is increasing and 1-Lipschitz

    def arctan_at(self, x):
        """arctan x for one number 0 <= x <= 2. Six times arctan x = 2 arctan g(x), g(x) = x/(1 + sqrt(1 + x^2)): g' <= 1/2, and
        every step rounds by at most 1, so the error stays below 2. Then the series x - x^3/3 + ..., x < 1/32: powers are
        off by at most 2, terms by at most 3, and the rest that is left out by at most 4."""
        if not 0 <= x <= 2 * self.unit:
            raise Rejected("interval", "an arc tangent of a number outside [0, 2]")
        self.meter.spend(4)
        for _ in range(6):
            x = (x << self.bits) // (self.unit + math.isqrt((self.unit << self.bits) + x * x))
        total, power, square, n = 0, x, x * x >> self.bits, 0
        while power:
            total, power, n = total + (-power if n % 2 else power) // (2 * n + 1), power * square >> self.bits, n + 1
        slack = 3 * n + 8
        return max(total - slack, 0) << 6, total + slack << 6

    @functools.cached_property
    def normal(self):
        """2/sqrt(pi), sqrt(1/2) and sqrt(1/8)."""
        scale = self.scale(self.inverse(self.square_root(self.pi)), 2)
        return scale, self.square_root(self.of(Fraction(1, 2))), self.square_root(self.of(Fraction(1, 8)))

    def gaussian(self, z, half):
        """(erf z, 2 e^(-z^2)/sqrt(pi)), or with ``half`` (Phi z, e^(-z^2/2)/sqrt(2 pi)), Phi the normal distribution."""
        scale, root, eighth = self.normal
        x = self.mul(z, root) if half else z
        density = self.mul(scale, self.exp(self.neg(self.square(x))))
        (low, high), width = self.erf_at(x[0], scale), x[1] - x[0]
        value = low, self.erf_at(x[1], scale)[1] if width << 16 > self.unit else high + ceil_shift(width * density[1], self.bits)
        if not half:
            return value, density
        return self.scale(self.add(self.one, value), Fraction(1, 2)), self.mul(density, eighth)

    def erf_at(self, x, scale):
        """erf x = (2/sqrt pi) sum (-1)^n t_n/(2n+1), t_n = x^(2n+1)/n!, at one number, and 1 >= erf x >= 1 - 2^-bits for x^2 > bits.
        t_n is off by e_n <= e_(n-1) x^2/n + 1, so by at most (n + 1) e^(x^2), in units of 2^-(bits + more); the sum and the rest that is
        left out (from n >= 2 x^2 on terms at least halve) together by at most (n + 4)(e^(x^2) + 1), and e^(x^2) < 2^(3 x^2/2)."""
        square = x * x  # in units of 2^(-2 bits)
        if square >> 2 * self.bits >= self.bits:
            value = self.unit - 1, self.unit
        else:
            more = (3 * square >> 2 * self.bits + 1) + 2
            term, total, n = abs(x) << more + 32, 0, 0
            while term or n << 2 * self.bits < 2 * square:
                total, n = total + (-term if n % 2 else term) // (2 * n + 1), n + 1
                term = (term * square >> 2 * self.bits) // n
            self.meter.spend(1 + n // 8)
            value = self.mul(scale, self.guarded(total, n + 4 << more + 1, more + 32))
        return value if x >= 0 else self.neg(value)


class Coarse(Intervals):
    """The same with fewer bits, for the many boxes of a tree."""

    bits, unit, kinks = TREE_PRECISION, 1 << TREE_PRECISION, True  # first derivatives across a kink: those of both sides
    zero, one = (0, 0), (unit, unit)


class Middling(Intervals):
    """The same with fewer bits, for the Hessian of a network over a ball."""

    bits, unit = 128, 1 << 128
    zero, one = (0, 0), (unit, unit)


class LaurentRing(Ring):
    """Laurent polynomials in t_1..t_r over an exact ring: dicts exponent tuple -> coefficient. For families of points."""

    def __init__(self, base, rank):
        super().__init__(base.meter)
        self.base, self.origin, self.zero, self.one = base, (0,) * rank, {}, {(0,) * rank: base.one}

    def lift(self, c):
        return {self.origin: c} if c != self.base.zero else {}

    def of(self, q):
        return self.lift(self.base.of(q))

    def add(self, a, b):
        self.meter.spend((len(a) + len(b)) * (1 + (len(self.origin) >> 3)) >> 3)
        out = dict(a)
        for e, c in b.items():
            out[e] = self.base.add(out[e], c) if e in out else c
        return {e: c for e, c in out.items() if c != self.base.zero}

    def neg(self, a):
        return {e: self.base.neg(c) for e, c in a.items()}

    def mul(self, a, b):
        out = {}
        for (e, x), (f, y) in itertools.product(a.items(), b.items()):
            self.meter.spend(len(e) >> 5)
            key, product = tuple(map(int.__add__, e, f)), self.base.mul(x, y)
            out[key] = self.base.add(out[key], product) if key in out else product
            if len(out) > MAX_TERMS:
                raise Rejected("limit", "a family has too many terms")
        return {e: c for e, c in out.items() if c != self.base.zero}

    def constant(self, a):
        """The element of the base ring that ``a`` is, for every t."""
        if any(e != self.origin for e in a):
            raise Rejected("family", "a pre-activation of a non-polynomial activation varies along the family")
        return a.get(self.origin, self.base.zero)

    def vanishes(self, a):
        """Identically zero: Laurent monomials are linearly independent on every open set."""
        return all(self.base.sign(c) == 0 for c in a.values())


class PathRing(LaurentRing):
    """Functions of t on [low, high], or on [low, infinity) with high None: polynomials in t, 1/t (low > 0) and L = ln t."""

    def __init__(self, base, low, high):
        super().__init__(base, 2)
        self.low, self.high = low, high

    def polynomial(self, a):
        """a(t) times a power of t, as a polynomial with rational coefficients; the power is positive on the domain."""
        shift = max([0, *(-e for e, _ in a)])
        if shift and self.low <= 0:
            raise Rejected("path", "a pole on the path")
        out = [Fraction(0)] * (max((e for e, _ in a), default=0) + shift + 1)
        for (e, log), c in a.items():
            if log or self.base.rational(c) is None:
                raise Rejected("path", "a function of t that has to be signed is no polynomial with rational coefficients")
            out[e + shift] += self.base.rational(c)
        return poly_trim(out)

    def sign(self, a):
        """1, -1 or 0: positive or negative inside the whole domain (perhaps 0 at its ends), or identically zero."""
        p, low, high = self.polynomial(a), self.low, self.high
        while p and poly_at(p, low) == 0:
            p = poly_divmod(p, (-low, Fraction(1)))[0]
        while p and high is not None and poly_at(p, high) == 0:
            p = poly_divmod(p, (high, Fraction(-1)))[0]
        if not p:
            return 0
        end = high if high is not None else max(low, 0) + 2 + max(abs(c / p[-1]) for c in p)  # beyond Cauchy's root bound
        if root_count(p, low, end, self.meter):
            raise Rejected("path", "a function of t changes its sign on the path, or touches 0")
        return 1 if poly_at(p, low) > 0 else -1

    def inverse(self, a):
        """None: no division (`inertia_of` then goes on with pivot * Schur complement)."""

    def derivative(self, a):
        out = {}
        for (e, log), c in a.items():
            if log:
                raise Rejected("path", "F along the path is no Laurent polynomial")
            if e:
                out[e - 1, 0] = self.base.scale(c, e)
        return out

    def growth(self, a):
        """The largest exponent pair: t^e (ln t)^l grows with (e, l) in lexicographic order, without bound if it is above (0, 0)."""
        return max((key for key, c in a.items() if self.base.sign(c) != 0), default=self.origin)

    def moving(self, act, z):
        """The value of an activation at a pre-activation that varies: exp(n ln t + c) = e^c t^n, or one polynomial piece."""
        if act.kind == "exp" and set(z) <= {(0, 1), self.origin}:
            power = self.base.rational(z.get((0, 1), self.base.zero))
            if power is not None and power.denominator == 1 and abs(power) <= MAX_DEGREE:
                return {(int(power), 0): self.base.exp(z.get(self.origin, self.base.zero))}
        if not act.pieces:
            raise Rejected("path", f"{act.kind} of a pre-activation that varies in this way is no polynomial")
        piece = sum(self.sign(self.sub(z, self.of(b))) >= 0 for b in act.breaks)
        return taylor_polynomial(self, act.pieces[piece], z, 0)[0]


class CellRing(PathRing):
    """Functions of the network's input x on a cell [low, high] that no pre-activation of a unit leaves its piece on."""

    def jet(self, act, z, order):
        """Taylor coefficients at z(x), for every x inside the cell: `sign` rejects a pre-activation that crosses a break."""
        signs = [self.sign(self.sub(z, self.of(b))) for b in act.breaks]
        if 0 in signs:
            raise Rejected("smoothness", "a pre-activation stays on a kink")
        return taylor_polynomial(self, act.pieces[signs.count(1)], z, order)


class WallRing(LaurentRing):
    """Polynomials in the parameters, where some parameters are known to be >= 0 or <= 0 (``signs``: 1 or -1)."""

    def __init__(self, base, rank, signs):
        super().__init__(base, rank)
        self.signs = signs

    def sign(self, a):
        """1 or -1: every term of a is >= 0, or every term is <= 0."""
        found = set()
        for exponents, c in a.items():
            found.add(math.prod((self.signs.get(k, 0) for k, e in enumerate(exponents) if e % 2), start=self.base.sign(c)))
        if len(found) != 1 or 0 in found:
            raise Rejected("wall", "the sign of a pre-activation does not follow from the cell")
        return found.pop()

    def moving(self, act, z):
        """The value of an activation whose only break is 0 (by continuity either piece serves at 0)."""
        if len(act.pieces) != 2 or act.breaks != [0]:
            raise Rejected("wall", f"{act.kind} of a pre-activation that varies on the wall is no polynomial")
        return taylor_polynomial(self, act.pieces[self.sign(z) > 0], z, 0)[0]


# ---------------------------------------------------------------------------------------------------------------------
# 3. The problem.

ACTIVATION_KEYS = {
    "linear": (), "relu": (), "leaky_relu": ("slope",), "requ": (), "square": (), "cubic": (), "polynomial": ("coefficients",),
    "sigmoid": (), "tanh": (), "softplus": (), "swish": (), "exp": (), "sin": (), "erf": (), "gelu": (), "elu": ("alpha",),
    "piecewise-polynomial": ("breaks", "pieces"),
}
LOOSE_KEYS = ("coefficients", "slope", "alpha", "breaks", "pieces")
POLYNOMIAL_PIECES = {
    "linear": [[0, 1]], "square": [[0, 0, 1]], "cubic": [[0, 0, 0, 1]], "relu": [[0], [0, 1]], "requ": [[0], [0, 0, 1]],
}


class Activation:
    """``kind`` with its parameters; ``breaks`` and ``pieces`` where it is (piecewise) polynomial; ``normal`` for the digest."""

    def __init__(self, body, where, loose):
        if isinstance(body, str):
            body = {"kind": body, **loose}
        elif loose:
            raise Malformed(where, "has activation parameters both inside and beside it")
        self.kind = fields(body, where, ("kind",), LOOSE_KEYS)["kind"]
        if not isinstance(self.kind, str) or self.kind not in ACTIVATION_KEYS:
            raise Malformed(where, "is not a known activation")
        fields(body, where, ("kind", *ACTIVATION_KEYS[self.kind]))

        def row(values, most=MAX_DEGREE + 1):
            return [number(c, where, False) for c in array(values, where, most=most)]

        self.breaks, self.normal = [], {"kind": self.kind}
        self.pieces = [[Fraction(c) for c in piece] for piece in POLYNOMIAL_PIECES.get(self.kind, [])]
        if self.kind == "polynomial":
            self.pieces = [row(body["coefficients"])]
            self.normal["coefficients"] = [show(c) for c in self.pieces[0]]
        elif self.kind == "piecewise-polynomial":
            self.breaks = row(body["breaks"], MAX_DEGREE)
            self.pieces = [row(piece) for piece in array(body["pieces"], where, len(self.breaks) + 1)]
            self.normal["breaks"] = [show(b) for b in self.breaks]
            self.normal["pieces"] = [[show(c) for c in piece] for piece in self.pieces]
            if not self.breaks or any(a >= b for a, b in itertools.pairwise(self.breaks)):
                raise Malformed(where, "needs increasing breaks")
        elif ACTIVATION_KEYS[self.kind]:  # slope or alpha
            key = ACTIVATION_KEYS[self.kind][0]
            self.factor = number(body[key], where, False)
            self.normal[key] = show(self.factor)
            if self.kind == "leaky_relu":
                self.pieces = [[Fraction(0), self.factor], [Fraction(0), Fraction(1)]][self.factor == 1 :]  # slope 1: z itself
        if not all(self.pieces):
            raise Malformed(where, "has no coefficients")
        if len(self.pieces) == 2 and not self.breaks:
            self.breaks = [Fraction(0)]
        for b, (left, right) in zip(self.breaks, itertools.pairwise(self.pieces), strict=False):
            if poly_at(left, b) != poly_at(right, b):
                raise Malformed(where, "is not continuous")


class Problem:
    """The loss F: network, data, loss, regularizer; ``digest`` identifies the mathematics, labels left out."""

    def __init__(self, body):
        fields(body, "problem", ("format", "network"), ("slug", "source", "data", "loss", "regularizer"))
        if body["format"] != "explorer.problem/1":
            raise Malformed("problem.format", "is not explorer.problem/1")
        for label in ("slug", "source"):
            value = body.get(label, "")
            if not isinstance(value, str) or len(value) > 200 or not value.isascii() or not value.isprintable():
                raise Malformed(f"problem.{label}", "is not a short printable ASCII text")
        net, self.regularizer, self.loss = body["network"], None, None
        self.normal = {"format": "explorer.problem/1", "network": None, "data": None, "loss": None, "regularizer": None}
        self.kind = net.get("kind") if isinstance(net, dict) else None
        if self.kind in ("monomial", "student-teacher-relu", "student-teacher-relu-family"):
            if self.kind == "student-teacher-relu-family":
                self.read_family(fields(net, "problem.network", ("kind", "from", "to")))
            elif self.kind == "monomial":
                self.read_monomial(fields(net, "problem.network", ("kind", "parameters", "terms")))
            else:
                self.read_students(fields(net, "problem.network", ("kind", "inputs", "students", "teacher")))
            if any(body.get(key) is not None for key in ("data", "loss", "regularizer")):
                raise Malformed("problem", f"has data, loss or regularizer beside a {self.kind} loss")
        elif self.kind in ("dense", "dense+exp"):
            keys = ("activation", "bias", "output_activation", *LOOSE_KEYS)
            self.read_dense(fields(net, "problem.network", ("kind", "widths"), keys))
            self.read_data(fields(body.get("data"), "problem.data", ("inputs", "targets")))
            self.read_loss(fields(body.get("loss"), "problem.loss", ("kind",), ("weights",)))
            if body.get("regularizer") is not None:
                self.read_regularizer(fields(body["regularizer"], "problem.regularizer", ("kind", "weights"), ("exponent",)))
        else:
            raise Malformed("problem.network.kind", "is not dense, dense+exp, monomial or student-teacher-relu")
        self.size = self.students * self.dimension if self.kind == "student-teacher-relu" else len(self.names)
        text = json.dumps(self.normal, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        self.digest = "sha256:" + hashlib.sha256(text.encode("ascii")).hexdigest()

    def read_monomial(self, net):
        where, self.names, self.terms = "problem.network", array(net["parameters"], "problem.network.parameters", most=64), {}
        good = {n for n in self.names if isinstance(n, str) and re.fullmatch(r"[a-z][a-z0-9_]{0,63}", n, re.ASCII)}
        if not good or len(good) != len(self.names):
            raise Malformed(f"{where}.parameters", "are not distinct names")
        for term in array(net["terms"], f"{where}.terms", most=10_000):
            fields(term, f"{where}.terms", ("coefficient", "exponents"))
            exponents = array(term["exponents"], f"{where}.terms.exponents", len(self.names))
            key = tuple(whole(e, f"{where}.terms.exponents", 0, 64) for e in exponents)
            if key in self.terms:
                raise Malformed(f"{where}.terms", "repeat a monomial")
            self.terms[key] = number(term["coefficient"], f"{where}.terms.coefficient", False)
        if not self.terms:
            raise Malformed(f"{where}.terms", "are empty")
        ordered = [{"coefficient": show(self.terms[e]), "exponents": list(e)} for e in sorted(self.terms)]
        self.normal["network"] = {"kind": "monomial", "parameters": self.names, "terms": ordered}

    def read_family(self, net):
        self.names, self.first = [], whole(net["from"], "problem.network.from", 1, MAX_SIZE)
        self.last = None if net["to"] == "infinity" else whole(net["to"], "problem.network.to", self.first, MAX_SIZE)
        self.normal["network"] = {"kind": self.kind, "from": self.first, "to": net["to"]}

    def read_students(self, net):
        where = "problem.network"
        self.dimension, self.students = (whole(net[key], f"{where}.{key}", 1, MAX_SIZE) for key in ("inputs", "students"))
        teacher, size = net["teacher"], self.dimension * self.students
        small = range(1, self.students + 1) if size <= MAX_PARAMETERS else ()
        self.names = [f"w1_{i}_{j}" for i in small for j in range(1, self.dimension + 1)]
        if isinstance(teacher, dict) and "orthonormal" in teacher:
            fields(teacher, f"{where}.teacher", ("orthonormal",))
            self.teacher, self.units = None, whole(teacher["orthonormal"], f"{where}.teacher.orthonormal", 1, self.dimension)
            normal = {"orthonormal": self.units}
        else:
            fields(teacher, f"{where}.teacher", ("vectors",))
            if size > MAX_PARAMETERS:
                raise Malformed(where, "has too many parameters for a teacher given by vectors")
            rows = array(teacher["vectors"], f"{where}.teacher.vectors", most=MAX_PARAMETERS // self.dimension)
            rows = [array(row, f"{where}.teacher.vectors", self.dimension) for row in rows]
            self.teacher = [[number(v, f"{where}.teacher.vectors", False) for v in row] for row in rows]
            self.units, normal = len(rows), {"vectors": [[show(v) for v in row] for row in self.teacher]}
            if not rows or not all(map(any, self.teacher)):
                raise Malformed(f"{where}.teacher.vectors", "are empty or hold a zero vector")
        self.normal["network"] = {"kind": self.kind, "inputs": self.dimension, "students": self.students, "teacher": normal}

    def read_dense(self, net):
        where, widths = "problem.network", array(net["widths"], "problem.network.widths", most=65)
        self.widths = [whole(w, f"{where}.widths", 1, MAX_PARAMETERS) for w in widths]
        layers = len(self.widths) - 1
        if layers < 1:
            raise Malformed(f"{where}.widths", "needs at least two entries")
        loose, given = {key: net[key] for key in LOOSE_KEYS if key in net}, net.get("activation", "linear")
        if isinstance(given, list):
            each = enumerate(array(given, f"{where}.activation", layers - 1))
            self.activations = [Activation(a, f"{where}.activation[{k}]", loose) for k, a in each]
        else:
            self.activations = [Activation(given, f"{where}.activation", loose)] * (layers - 1)
        self.output = Activation(net.get("output_activation", "linear"), f"{where}.output_activation", {})
        bias = net.get("bias", False)
        self.bias = [bias] * (layers - 1) + [False] if isinstance(bias, bool) else array(bias, f"{where}.bias", layers)
        if any(not isinstance(b, bool) for b in self.bias):
            raise Malformed(f"{where}.bias", "is not made of truth values")
        if sum(rows * (cols + b) for cols, rows, b in zip(self.widths, self.widths[1:], self.bias, strict=False)) > MAX_PARAMETERS:
            raise Malformed(f"{where}.widths", "gives too many parameters")
        self.names, self.blocks = [], []  # blocks: where the weights and the biases of a layer start
        for layer, (cols, rows) in enumerate(itertools.pairwise(self.widths)):
            start = len(self.names)
            self.blocks.append((start, start + rows * cols if self.bias[layer] else None))
            self.names += [f"w{layer + 1}_{i + 1}_{j + 1}" for i in range(rows) for j in range(cols)]
            self.names += [f"b{layer + 1}_{i + 1}" for i in range(rows)] if self.bias[layer] else []
        self.added = len(self.names)  # dense+exp: f(x) + exp_a e^(exp_w . x + exp_b), these parameters last
        if self.kind == "dense+exp":
            self.names += ["exp_a", *(f"exp_w_{k + 1}" for k in range(self.widths[0])), "exp_b"]
            if self.widths[-1] != 1 or len(self.names) > MAX_PARAMETERS:
                raise Malformed("problem.network", "dense+exp needs a scalar output and no more parameters than allowed")
        self.normal["network"] = {
            "kind": self.kind, "widths": self.widths, "activation": [a.normal for a in self.activations], "bias": self.bias,
            "output_activation": self.output.normal,
        }

    def read_data(self, data):
        def rows(key, width):
            where = f"problem.data.{key}"
            block = [array(row, where, width) for row in array(data[key], where, most=MAX_SAMPLES)]
            found = [[number(v, where, False) for v in row] for row in block]
            return found, [[show(v) for v in row] for row in found]

        self.inputs, inputs = rows("inputs", self.widths[0])
        self.targets, targets = rows("targets", self.widths[-1])
        if not inputs or len(inputs) != len(targets):
            raise Malformed("problem.data", "needs as many targets as inputs, at least one")
        self.normal["data"] = {"inputs": inputs, "targets": targets}

    def read_loss(self, loss):
        self.loss, self.sample_weights = loss["kind"], self.read_weights(loss.get("weights", 1), "loss", len(self.inputs))
        if self.loss not in ("squared", "logistic"):
            raise Malformed("problem.loss.kind", "is neither squared nor logistic")
        if self.loss == "logistic" and self.widths[-1] != 1:
            raise Malformed("problem.loss", "logistic needs a scalar output")
        if not all(self.sample_weights):
            raise Malformed("problem.loss.weights", "are not all positive")
        self.normal["loss"] = {"kind": self.loss, "weights": [show(c) for c in self.sample_weights]}

    def read_weights(self, body, where, count):
        """Nonnegative weights: a list, or one number for all."""
        where = f"problem.{where}.weights"
        if isinstance(body, list):
            weights = [number(c, where, False) for c in array(body, where, count)]
        else:
            weights = [number(body, where, False)] * count
        if any(c < 0 for c in weights):
            raise Malformed(where, "are not all >= 0")
        return weights

    def read_regularizer(self, body):
        self.regularizer, self.exponent = body["kind"], 2
        if self.regularizer not in ("l2", "power", "neuron-cubic"):
            raise Malformed("problem.regularizer.kind", "is not l2, power or neuron-cubic")
        if ("exponent" in body) != (self.regularizer == "power"):
            raise Malformed("problem.regularizer.exponent", "belongs to power and to nothing else")
        cubic = self.regularizer == "neuron-cubic"
        if cubic and (self.kind != "dense" or len(self.widths) != 3 or self.widths[-1] != 1 or self.bias[1]):
            raise Malformed("problem.regularizer", "neuron-cubic needs one hidden layer, scalar output and no output bias")
        self.penalties = self.read_weights(body["weights"], "regularizer", self.widths[1] if cubic else len(self.names))
        normal = {"kind": self.regularizer, "weights": [show(c) for c in self.penalties]}
        if self.regularizer == "power":
            normal["exponent"] = self.exponent = whole(body["exponent"], "problem.regularizer.exponent", 1, 64)
        self.normal["regularizer"] = normal

    def unit(self, theta, j):
        """Of the one hidden layer: the parameters into unit j (its weights, then its bias if it has one) and out of it."""
        (first, bias), (second, _), cols, width = *self.blocks, self.widths[0], self.widths[1]
        own = theta[first + j * cols : first + (j + 1) * cols] + ([theta[bias + j]] if bias is not None else [])
        return own, theta[second + j : second + width * self.widths[2] : width]

    def extended_inputs(self):
        """(x, 1) with first biases, x without."""
        return [[*x, Fraction(1)] if self.bias[0] else list(x) for x in self.inputs]

    @property
    def hidden_layers(self):
        return len(self.widths) - 2 if self.kind == "dense" else 0

    def describe(self):
        if self.kind == "monomial":
            return f"a polynomial loss of ({', '.join(self.names)})"
        if self.kind == "student-teacher-relu-family":
            return (
                f"F = F_k, k = {self.first}, ...{'' if self.last is None else f', {self.last}'}: F_k(w_1, ..., w_k) = E (sum_i relu(w_i.x) - sum_i relu(x_i))^2 / 2 "
                "for x normal in R^k"
            )
        if self.kind == "student-teacher-relu":
            vectors = "the first unit vectors" if self.teacher is None else "given vectors"
            return (
                f"F(w_1, ..., w_m) = E (sum_i relu(w_i.x) - sum_j relu(v_j.x))^2 / 2 for x normal in R^n, n = {self.dimension}, "
                f"m = {self.students}, v_1, ..., v_k = {vectors}, k = {self.units}"
            )
        kinds = ", ".join(sorted({a.kind for a in self.activations}))
        biased = ", ".join(str(k + 1) for k, b in enumerate(self.bias) if b)
        words = [f"a dense {'-'.join(map(str, self.widths))} network" + (f" ({kinds})" if kinds else "")]
        words += ["one exponential unit added"] if self.kind == "dense+exp" else []
        words.append(f"biases in layer {biased}" if biased else "no biases")
        words += [f"output activation {self.output.kind}"] if self.output.kind != "linear" else []
        words.append(f"{len(self.inputs)} sample{'s' if len(self.inputs) > 1 else ''}")
        weighted = "" if set(self.sample_weights) == {1} else "weighted "
        words.append(f"{weighted}{self.loss} loss" + (f" plus {self.regularizer} regularizer" if self.regularizer else ""))
        return ", ".join(words)


# ---------------------------------------------------------------------------------------------------------------------
# 4. Activations: `taylor(ring, activation, z, order)` gives the Taylor coefficients phi^(k)(z)/k!, k = 0..order, and
#    rejects if phi is not C^order at z. Over intervals: enclosures of phi^(k)/k! on the whole interval.


def taylor(ring, act, z, order, need_value=True):
    if isinstance(ring, CellRing) and act.pieces:
        return ring.jet(act, z, order)
    if isinstance(ring, (PathRing, WallRing)) and order == 0 and len(act.pieces) != 1 and set(z) - {ring.origin}:
        return [ring.moving(act, z)]
    if isinstance(ring, LaurentRing) and len(act.pieces) != 1:
        return [ring.lift(c) for c in taylor(ring.base, act, ring.constant(z), order, need_value)]
    if act.pieces:
        return taylor_pieces(ring, act.breaks, act.pieces, z, order)
    if act.kind == "elu":
        return taylor_elu(ring, act.factor, z, order)
    if act.kind == "sin":
        sine, cosine = ring.sine_cosine(z)
        cycle = (sine, cosine, ring.neg(sine), ring.neg(cosine))
        return [ring.scale(cycle[k % 4], Fraction(1, math.factorial(k))) for k in range(order + 1)]
    if act.kind == "exp":
        return taylor_exp(ring, z, order)
    if act.kind in ("erf", "gelu"):
        series = taylor_gaussian(ring, z, order, act.kind == "gelu")
        return series_product(ring, [z, ring.one], series, order) if act.kind == "gelu" else series
    if act.kind == "tanh":  # tanh z = 2 sigmoid(2z) - 1
        series = [ring.scale(c, 2 ** (k + 1)) for k, c in enumerate(taylor_sigmoid(ring, ring.scale(z, 2), order))]
        return [ring.add(series[0], ring.of(Fraction(-1))), *series[1:]]
    series = taylor_sigmoid(ring, z, order)
    if act.kind == "softplus":  # softplus' = sigmoid; the constant, often no element of the ring, only where it is needed
        constant = ring.softplus(z) if need_value else ring.zero
        return [constant] + [ring.scale(c, Fraction(1, k + 1)) for k, c in enumerate(series[:order])]
    return series_product(ring, [z, ring.one], series, order) if act.kind == "swish" else series


def series_product(ring, a, b, order):
    out = [ring.zero] * (order + 1)
    for (i, x), (j, y) in itertools.product(enumerate(a), enumerate(b)):
        if i + j <= order:
            out[i + j] = ring.add(out[i + j], ring.mul(x, y))
    return out


def taylor_polynomial(ring, coefficients, z, order):
    """Taylor coefficients of a polynomial: sum_k c_k binomial(k, j) z^(k-j)."""
    out = []
    for j in range(order + 1):
        value = ring.zero
        for k in range(len(coefficients) - 1, j - 1, -1):
            value = ring.mul(value, z) if value != ring.zero else value
            value = ring.add(value, ring.of(coefficients[k] * math.comb(k, j))) if coefficients[k] else value
        out.append(value)
    return out


def taylor_power(ring, z, exponent, order):
    """Taylor coefficients of z^n: binomial(n, k) z^(n-k)."""
    powers = list(itertools.accumulate([z] * exponent, ring.mul, initial=ring.one))
    return [ring.scale(powers[exponent - k], math.comb(exponent, k)) for k in range(min(exponent, order) + 1)]


def sides(ring, z, b):
    """Whether z lies strictly below and strictly above the rational b (for intervals: wholly so)."""
    gap = ring.sub(z, ring.of(b))
    if isinstance(ring, Intervals):
        return gap[1] < 0, gap[0] > 0
    return ring.sign(gap) < 0, ring.sign(gap) > 0


def taylor_pieces(ring, breaks, pieces, z, order):
    """A continuous piecewise polynomial; at (for intervals: around) a break its two sides must agree to C^order."""
    first = last = 0  # the pieces that z meets
    for b in breaks:
        below, above = sides(ring, z, b)
        first, last = first + above, last + (not below)
    rationals = Rationals(ring.meter)
    for k in range(first, last):
        left, right = (taylor_polynomial(rationals, piece, breaks[k], order) for piece in pieces[k : k + 2])
        if left != right and not (order == 1 and isinstance(ring, Intervals) and ring.kinks):
            raise Rejected("smoothness", f"a pre-activation meets a kink, where the activation is not C^{order}")
    out = taylor_polynomial(ring, pieces[first], z, order)
    for piece in pieces[first + 1 : last + 1] if isinstance(ring, Intervals) else ():
        out = [ring.hull(x, y) for x, y in zip(out, taylor_polynomial(ring, piece, z, order), strict=True)]
    return out


def taylor_towards(ring, act, z, order, direction):
    """One-sided Taylor coefficients over an exact ring: at a break, those of the side to which z moves."""
    if act.kind == "elu" and ring.sign(z) == 0:
        return taylor_elu(ring, act.factor, z, order, direction)
    if not act.pieces:
        return taylor(ring, act, z, order)
    gaps = [ring.sign(ring.sub(z, ring.of(b))) for b in act.breaks]
    return taylor_polynomial(ring, act.pieces[sum(g > 0 or (g == 0 and direction > 0) for g in gaps)], z, order)


def taylor_sigmoid(ring, z, order):
    """s' = s - s^2; over intervals the ranges of s' and s''/2 as polynomials of s, which are sharp."""
    out = [ring.sigmoid(z)]
    out += ring.logistic_slopes(out[0], min(order, 2)) if isinstance(ring, Intervals) else []
    for k in range(len(out) - 1, order):
        out.append(ring.scale(ring.sub(out[k], series_product(ring, out, out, k)[k]), Fraction(1, k + 1)))
    return out


def taylor_exp(ring, z, order):
    power = ring.exp(z)
    return [ring.scale(power, Fraction(1, math.factorial(k))) for k in range(order + 1)]


def taylor_gaussian(ring, z, order, half):
    """erf (with ``half``: Phi): its derivative g has g' = -c z g, so (k+1) g_{k+1} = -c (z g_k + g_{k-1}), c = 2 (or 1)."""
    value, density = ring.gaussian(z, half)
    if order and density is None:
        raise Rejected("exact", "the derivatives of erf and gelu are irrational")
    g = [density]
    for k in range(order):
        inner = ring.add(ring.mul(z, g[k]), g[k - 1]) if k else ring.mul(z, g[k])
        g.append(ring.scale(inner, Fraction(-1 if half else -2, k + 1)))
    return [value] + [ring.scale(c, Fraction(1, k + 1)) for k, c in enumerate(g[:order])]


def taylor_elu(ring, alpha, z, order, direction=0):
    """z for z >= 0, alpha (e^z - 1) for z < 0; at 0 it is C^1 only for alpha = 1, and never C^2."""
    below, above = sides(ring, z, Fraction(0)) if not direction else (direction < 0, direction > 0)
    if not below and not above and order > int(alpha == 1):
        raise Rejected("smoothness", f"a pre-activation meets the kink of elu, which is not C^{order}")
    right = [z, ring.one, *[ring.zero] * order][: order + 1]
    if above:
        return right
    left = [ring.scale(c, alpha) for c in taylor_exp(ring, z, order)]
    left[0] = ring.add(left[0], ring.of(-alpha))
    if below or not isinstance(ring, Intervals):
        return left
    return [ring.hull(x, y) for x, y in zip(left, right, strict=True)]


# ---------------------------------------------------------------------------------------------------------------------
# 5. Taylor arithmetic: a dict from sorted tuples of variable numbers (monomials, at most `order` long) to ring elements.
#    {(): c, (i,): g_i, (i, j): h_ij} is c + sum g_i x_i + sum_{i<=j} h_ij x_i x_j.


class Taylor:
    """Truncated polynomials over a ring, and F in them: exact truncations, or enclosures of all derivatives over a box."""

    def __init__(self, ring, order):
        self.ring, self.order, self.cache = ring, order, {}

    def add_to(self, total, extra):
        for key, value in extra.items():
            total[key] = self.ring.add(total[key], value) if key in total else value

    def constant(self, q):
        return {(): self.ring.of(q)} if q else {}

    def scale(self, a, q):
        return {key: self.ring.scale(value, q) for key, value in a.items()} if q else {}

    def mul(self, a, b):
        ring, out, by_degree = self.ring, {}, [[] for _ in range(self.order + 1)]
        for q, y in b.items():
            by_degree[len(q)].append((q, y))
        for p, x in a.items():
            for q, y in itertools.chain(*by_degree[: self.order - len(p) + 1]) if x != ring.zero else ():
                key = p + q if not p or not q or p[-1] <= q[0] else tuple(sorted(p + q))
                product = ring.mul(x, y)
                out[key] = ring.add(out[key], product) if key in out else product
        return out

    def compose(self, coefficients, z):
        """sum_k coefficients[k] (z - z(0))^k by Horner's rule."""
        step = {key: value for key, value in z.items() if key}
        out = {}
        for c in reversed(coefficients if step else coefficients[:1]):
            out = self.mul(out, step)
            self.add_to(out, {(): c})
        return out

    def apply(self, act, z, need_value=True):
        if act.kind == "linear":
            return z
        centre = z.get((), self.ring.zero)
        if isinstance(centre, dict):
            return self.compose(taylor(self.ring, act, centre, self.order, need_value), z)
        key = id(act), centre, need_value
        return self.compose(self.kept(key, lambda: taylor(self.ring, act, centre, self.order, need_value)), z)

    def kept(self, key, found):
        """found(), computed once unless too much is kept."""
        if key not in self.cache:
            if len(self.cache) >= MAX_KEPT:
                self.cache.clear()
            self.cache[key] = found()
        return self.cache[key]

    def layer(self, problem, theta, layer, signal):
        """Pre-activations of one layer; ``theta`` holds one Taylor polynomial per parameter, ``signal`` one per input."""
        (weights, biases), cols, out = problem.blocks[layer], problem.widths[layer], []
        self.ring.meter.spend(problem.widths[layer + 1] * cols // 8)
        for i in range(problem.widths[layer + 1]):
            total = dict(theta[biases + i]) if biases is not None else {}
            for j in range(cols):
                if signal[j]:
                    self.add_to(total, self.mul(theta[weights + i * cols + j], signal[j]))
            out.append(total)
        return out

    def rest(self, problem, theta, signal, raw=False):
        """The network from its first pre-activations to its outputs (``raw``: without the output activation)."""
        for layer in range(len(problem.blocks) - 1):
            act = problem.activations[layer]
            signal = [self.apply(act, z) if self.heard(problem, theta, layer + 1, j) else {} for j, z in enumerate(signal)]
            signal = self.layer(problem, theta, layer + 1, signal)
        return signal if raw else [self.apply(problem.output, z) for z in signal]

    def heard(self, problem, theta, layer, j):
        """Whether the activation of unit j matters: not for the value of F where all its outgoing weights are 0. (For
        derivatives it does, and its smoothness is a condition of the rules that differentiate.)"""
        if self.order:
            return True
        (start, _), cols = problem.blocks[layer], problem.widths[layer]
        weights = theta[start + j : start + cols * problem.widths[layer + 1] : cols]
        return any(value != self.ring.zero for weight in weights for value in weight.values())

    def hidden(self, problem, theta, signal, layers):
        """The outputs of the first so many hidden layers, whether they are heard or not."""
        for layer, act in enumerate(problem.activations[:layers]):
            signal = [self.apply(act, z) for z in self.layer(problem, theta, layer, signal)]
        return signal

    def outputs(self, problem, theta, x):
        out = self.rest(problem, theta, self.layer(problem, theta, 0, [self.constant(v) for v in x]))
        if problem.kind == "dense+exp":  # its value does not matter where exp_a = 0
            factor, *inner, z = theta[problem.added :]
            if self.order or any(value != self.ring.zero for value in factor.values()):
                z = dict(z)
                for weight, v in zip(inner, x, strict=True):
                    self.add_to(z, self.scale(weight, v))
                out = [dict(out[0])]
                self.add_to(out[0], self.mul(factor, self.apply(EXPONENTIAL, z)))
        return out

    def loss(self, problem, theta, need_value=True):
        """F as a Taylor polynomial; with ``need_value=False`` its constant term may be wrong."""
        total = {}
        if problem.kind == "monomial":
            for exponents, c in problem.terms.items():
                term = self.constant(c)
                for value, exponent in zip(theta, exponents, strict=True):
                    term = self.mul(term, self.power(value, exponent)) if exponent else term
                self.add_to(total, term)
            return total
        for x, y, c in zip(problem.inputs, problem.targets, problem.sample_weights, strict=True):
            for f, target in zip(self.outputs(problem, theta, x), y, strict=True):
                if problem.loss == "squared":
                    residual = dict(f)
                    self.add_to(residual, self.constant(-target))
                    term = self.power(residual, 2)
                else:
                    term = self.apply(SOFTPLUS, self.scale(f, -target), need_value)
                self.add_to(total, self.scale(term, c))
        return self.penalty(problem, theta, total)

    def penalty(self, problem, theta, total):
        """``total`` with the regularizer added."""
        if problem.regularizer == "neuron-cubic":
            self.neuron_cubic(problem, theta, total)
        elif problem.regularizer:
            for value, weight in zip(theta, problem.penalties, strict=True):
                self.add_to(total, self.scale(self.power(value, problem.exponent, absolute=True), weight) if weight else {})
        return total

    def power(self, base, exponent, absolute=False):
        """base^exponent, or |base|^exponent."""
        ring, centre = self.ring, base.get((), self.ring.zero)
        if absolute and exponent % 2:
            right = [Fraction(0)] * exponent + [Fraction(1)]
            shape = [Fraction(0)], [[-c for c in right], right]
            if isinstance(ring, LaurentRing):
                found = taylor_pieces(ring.base, *shape, ring.constant(centre), self.order)
                return self.compose([ring.lift(c) for c in found], base)
            found = functools.partial(taylor_pieces, ring, *shape, centre, self.order)
        else:
            found = functools.partial(taylor_power, ring, centre, exponent, self.order)
        return self.compose(self.kept((exponent, absolute, centre), found) if isinstance(ring, Coarse) else found(), base)

    def neuron_cubic(self, problem, theta, total):
        """(1/3) sum_j weight_j (|a_j|^3 + 2 |(w_j, b_j)|^3)."""
        if isinstance(self.ring, LaurentRing):
            raise Rejected("family", "the neuron-cubic regularizer has no family rule")
        for j, weight in enumerate(problem.penalties):
            own, (out,) = problem.unit(theta, j)
            if weight:
                self.add_to(total, self.scale(self.power(out, 3, absolute=True), weight / 3))
                self.add_to(total, self.scale(self.cubed_norm(own), 2 * weight / 3))

    def cubed_norm(self, vector):
        """|v|^3 = s^(3/2), s = |v|^2; at v = 0 it is C^2 with vanishing Taylor polynomial of order 2, and not C^3."""
        ring, square = self.ring, {}
        for part in vector:
            self.add_to(square, self.power(part, 2))
        if not isinstance(ring, Intervals) and all(ring.sign(part.get((), ring.zero)) == 0 for part in vector):
            if self.order > 2:
                raise Rejected("smoothness", "the regularizer is not C^3 at a unit with zero weights")
            return {}
        s = square.get((), ring.zero)
        root = ring.square_root(s)
        coefficients, power, binomial = [ring.mul(s, root), root], root, Fraction(3, 2)
        coefficients[1] = ring.scale(root, binomial)
        for k in range(2, self.order + 1):  # binomial(3/2, k) s^(3/2 - k)
            power, binomial = ring.mul(power, ring.inverse(s)), binomial * (Fraction(5, 2) - k) / k
            coefficients.append(ring.scale(power, binomial))
        return self.compose(coefficients[: self.order + 1], square)


class Mixed(Taylor):
    """Only what a directional derivative needs: 1, the direction s (variable 0), x_k (variables k >= 1) and the products s x_k."""

    def __init__(self, ring):
        super().__init__(ring, 2)

    def mul(self, a, b):
        ring, out = self.ring, {}
        for p, x in a.items():
            for q, y in b.items() if x != ring.zero else ():
                if p and q:
                    if len(p) + len(q) > 2 or (p[0] == 0) == (q[0] == 0):
                        continue
                    key = p + q if p[0] == 0 else q + p
                else:
                    key = p or q
                product = ring.mul(x, y)
                out[key] = ring.add(out[key], product) if key in out else product
        return out


def expand(problem, ring, coordinates, order, need_value=True):
    """F around coordinates in a ring, with one variable per parameter (none for order 0)."""
    theta = [{(): c, (k,): ring.one} if order else {(): c} for k, c in enumerate(coordinates)]
    return Taylor(ring, order).loss(problem, theta, need_value)


def value_at(problem, ring, coordinates):
    return expand(problem, ring, coordinates, 0).get((), ring.zero)


def gradient_at(problem, ring, coordinates):
    slope = expand(problem, ring, coordinates, 1, need_value=False)
    return [slope.get((k,), ring.zero) for k in range(problem.size)]


SOFTPLUS = Activation("softplus", "loss", {})
EXPONENTIAL = Activation("exp", "network", {})
IDENTITY = Activation("linear", "network", {})


# ---------------------------------------------------------------------------------------------------------------------
# 6. Linear algebra. Symmetric matrices are lists of dicts column -> element.


def steady_pivot(ring, rows, left):
    """The first diagonal entry that is not 0; over functions of t: that has one sign (if only others are left, a rejection)."""
    refusal = None
    for i in sorted(left):
        try:
            if i in rows[i] and ring.sign(rows[i][i]) != 0:
                return i
        except Rejected as error:
            if not isinstance(ring, PathRing) or error.rule != "path":
                raise
            refusal = error
    if refusal is not None:
        raise refusal
    return None


def inertia_of(ring, matrix):
    """(positive, zero, negative) of a symmetric matrix over an exact ring, by congruences (Sylvester's law)."""
    counts, left, flip = [0, 0, 0], set(range(len(matrix))), 1
    rows = [dict(row) for row in matrix]
    while left:
        pivot = steady_pivot(ring, rows, left)
        if pivot is None:
            pairs = ((i, j) for i in sorted(left) for j in sorted(rows[i]) if j in left and ring.sign(rows[i][j]) != 0)
            i, j = next(pairs, (None, None))
            if i is None:
                counts[1] += len(left)
                break
            for k, value in list(rows[j].items()):  # zero diagonal: add row j to row i and column j to column i,
                rows[i][k] = ring.add(rows[i].get(k, ring.zero), value)
            for k in left:  # which makes the diagonal entry 2 a_ij
                if j in rows[k]:
                    rows[k][i] = ring.add(rows[k].get(i, ring.zero), rows[k][j])
            continue
        row, value = rows[pivot], rows[pivot][pivot]
        sign, inverse = ring.sign(value), ring.inverse(value)
        counts[1 - sign * flip] += 1
        left.discard(pivot)
        if inverse is None:  # no division here: go on with pivot * Schur complement, whose inertia flips with the pivot's sign
            rows = [{k: ring.mul(value, v) for k, v in r.items() if k in left} if i in left else {} for i, r in enumerate(rows)]
            inverse, flip = ring.one, flip * sign
        touched = [k for k in left if k in row]
        for i in touched:
            factor = ring.mul(ring.neg(row[i]), inverse)
            for k in touched:
                rows[i][k] = ring.add(rows[i].get(k, ring.zero), ring.mul(factor, row[k]))
    return tuple(counts)


def pivots(ring, matrix):
    """The signs of the pivots of every symmetric matrix of an enclosure (rows of intervals or expansions), up to one without a certain
    sign: 0."""
    rows = [list(row) for row in matrix]
    for k, row in enumerate(rows):
        sign = ring.definite(row[k])
        yield sign
        if not sign:
            return
        inverse = ring.inverse(row[k])
        for i in range(k + 1, len(rows)):
            factor = ring.mul(row[i], inverse)
            for j in range(i, len(rows)):
                rows[i][j] = ring.sub(rows[i][j], ring.mul(factor, row[j]))


def positive_over(ring, matrix):
    """Whether elimination over enclosures shows every symmetric matrix of the enclosure positive definite."""
    return all(sign > 0 for sign in pivots(ring, matrix))


def is_definite(ring, matrix, sign):
    return inertia_of(ring, matrix)[1 - sign] == len(matrix)


def independent_rows(rows, meter):
    """A maximal linearly independent sublist of rational vectors."""
    basis, reduced = [], []
    for row in rows:
        rest = list(row)
        for pivot, other in reduced:
            if rest[pivot]:
                meter.spend(2 * len(rest), poly_size(rest) + poly_size(other))
                rest = [a - rest[pivot] * b for a, b in zip(rest, other, strict=True)]
        pivot = next((k for k, v in enumerate(rest) if v), None)
        if pivot is not None:
            basis.append(row)
            reduced.append((pivot, [v / rest[pivot] for v in rest]))
    return basis


def hessian_rows(expansion, size, ring):
    """The Hessian from a second-order Taylor polynomial (whose (i, i) entry is half the second derivative)."""
    rows = [{} for _ in range(size)]
    for key, value in expansion.items():
        if len(key) == 2 and value != ring.zero:
            i, j = key
            rows[i][j] = rows[j][i] = ring.add(value, value) if i == j else value
    return rows


def weighted_gram(ring, weights, vectors):
    """sum_i weight_i v_i v_i^T for rational vectors."""
    size = len(vectors[0])
    rows = [{} for _ in range(size)]
    for a in range(size):
        for b in range(a, size):
            rows[a][b] = rows[b][a] = ring.total(ring.scale(w, v[a] * v[b]) for w, v in zip(weights, vectors, strict=True))
    return rows


# A symmetric matrix near a point is (rows, slack), integers in units of 2^-DYADIC, rows[i] = columns 0..i: it stands for all
# symmetric H with |H - rows|_2 <= slack.

ULP = 1 << DYADIC


def fixed(value, bits=PRECISION):
    """An interval in units of 2^-bits as (middle, radius) in units of 2^-DYADIC."""
    shift = bits - DYADIC
    middle = (value[0] + value[1]) >> (shift + 1)
    return middle, ceil_shift(max(value[1] - (middle << shift), (middle << shift) - value[0]), shift)


def dot(a, b):
    return sum(map(operator.mul, a, b))


def proved_above(matrix, modulus, meter, step=256):
    """Whether elimination proves all eigenvalues of all matrices H that ``matrix`` stands for to be at least ``modulus`` > 0 (in
    units of 2^-DYADIC): with M = rows and some error > 0, M - (modulus + slack + error) I = L L^T + R, L a lower triangle of
    integers found here; quotients are rounded, so R is at most half a pivot, and by Gershgorin's circles R >= -error I."""
    (rows, slack), size = matrix, len(matrix[0])
    left = [row[i] - modulus - slack for i, row in enumerate(rows)]  # of the diagonal, after the columns of L that are known
    most = max(left).bit_length()
    for width in (4, 8, 12, 16, 24):  # bytes of a field, see below; L L^T is in units of 2^(shift - DYADIC)
        shift = max(most - 8 * width + 1, 0)
        error = size * ((1 << (most - shift + 1) // 2) // 2 + 2) << shift
        if min(left) > error + (1 << shift) and 2 * error <= modulus:
            break
    else:
        return False
    left, rows = [(v - error) >> shift for v in left], [[v >> shift for v in row] for row in rows]
    # A column of L, within a block of rows, is one integer with a field of ``width`` bytes for every row; such integers are
    # multiplied and added, and a field of the sum is an inner product of rows of L. As long as ``left`` is positive the square of
    # every row is below its first entry there, so below 2^(8 width - 1): by Cauchy's inequality no field overflows.
    counts, lower = [min(step, size - start) for start in range(0, size, step)], [[] for _ in rows]
    halves = [int.from_bytes((1 << 8 * width - 1).to_bytes(width, "little") * count, "little") for count in counts]
    blocks = [(count, half, []) for count, half in zip(counts, halves, strict=True)]
    for k in range(size):
        meter.spend(1 + (size - k) // 25)
        before, pivot, text = k % step, math.isqrt(left[k]), b""
        for count, half, columns in blocks[k // step :]:
            meter.spend(1 + k * (count * width + 200) // 15_000)
            text += (dot(lower[k], columns) + half ^ half).to_bytes(count * width, "little")
        found = unpack(text, width)[before + 1 :]
        column = [(row[k] - v + pivot // 2) // pivot for row, v in zip(rows[k + 1 :], found, strict=True)]
        left[k + 1 :] = [v - q * q for v, q in zip(left[k + 1 :], column, strict=True)]
        if min(left[k:]) <= 0:
            return False
        for row, q in zip(lower[k + 1 :], column, strict=True):
            row.append(q)
        text = pack([0] * before + [pivot, *column], width)
        for count, half, columns in blocks[k // step :]:
            columns.append((int.from_bytes(text[: count * width], "little") ^ half) - half)
            text = text[count * width :]
    return True


def pack(values, width):
    """Signed integers in fields of ``width`` bytes."""
    if width in (4, 8):
        return struct.pack(f"<{len(values)}{'iq'[width // 8]}", *values)
    return b"".join(v.to_bytes(width, "little", signed=True) for v in values)


def unpack(text, width):
    if width in (4, 8):
        return struct.unpack(f"<{len(text) // width}{'iq'[width // 8]}", text)
    return [int.from_bytes(text[k : k + width], "little", signed=True) for k in range(0, len(text), width)]


# A network sample by sample, for one minimum among many parameters: docs/certificate.md, "The Hessian of a network".


def stacks(problem):
    """The layers of the network, then those of the exponential unit of dense+exp: ([parameters of a unit, its bias last], activation)."""
    layers = []
    for (first, biases), (cols, rows), act in zip(
        problem.blocks, itertools.pairwise(problem.widths), (*problem.activations, problem.output), strict=True
    ):
        own = [[*range(first + i * cols, first + (i + 1) * cols)] + ([biases + i] if biases is not None else []) for i in range(rows)]
        layers.append((own, act))
    added = [([[*range(problem.added + 1, problem.size)]], EXPONENTIAL), ([[problem.added]], IDENTITY)]
    return [layers, added] if problem.kind == "dense+exp" else [layers]


def forward(ring, stack, theta, signal, order):
    """Per layer: what enters it, a 1 for the biases last, and the Taylor coefficients of the activation of every unit."""
    run = []
    for units, act in stack:
        signal = signal + [ring.one] * (len(units[0]) - len(signal))
        run.append((signal, [taylor(ring, act, ring.dot([theta[k] for k in own], signal), order) for own in units]))
        signal = [c[0] for c in run[-1][1]]
    return run


def backward(ring, stack, run, theta, pull):
    """Per layer: the derivatives of sum_k pull_k f_k in the signals that leave it, and in its pre-activations."""
    back = []
    for layer in range(len(stack) - 1, -1, -1):
        drive = [ring.mul(e, c[1]) for e, c in zip(pull, run[layer][1], strict=True)]
        back.append((pull, drive))
        if layer:
            pull = [ring.dot(drive, [theta[own[p]] for own in stack[layer][0]]) for p in range(len(stack[layer - 1][0]))]
    return back[::-1]


def slopes_of_loss(ring, problem, runs, target, weight):
    """The outputs, and the first and second derivatives of the loss of one sample in them."""
    outputs = [ring.total(parts) for parts in zip(*([c[0] for c in run[-1][1]] for run in runs), strict=True)]
    if problem.loss == "squared":
        slopes = [ring.scale(ring.sub(f, ring.of(t)), 2 * weight) for f, t in zip(outputs, target, strict=True)]
        return outputs, slopes, [ring.of(2 * weight)] * len(outputs)
    (f,), (t,) = outputs, target  # l = ln(1 + e^-tf): l' = -t s, l'' = t^2 s (1 - s), s = sigmoid(-t f)
    s = ring.sigmoid(ring.scale(f, -t))
    return outputs, [ring.scale(s, -t * weight)], [ring.scale(ring.sub(s, ring.square(s)), t * t * weight)]


def value_and_gradient(problem, ring, theta):
    """F and its gradient at a point, enclosed."""
    if problem.kind == "monomial":
        slope = expand(problem, ring, theta, 1)
        return slope.get((), ring.zero), [slope.get((k,), ring.zero) for k in range(problem.size)]
    nets, value, gradient = stacks(problem), ring.zero, [ring.zero] * problem.size
    for x, y, c in zip(problem.inputs, problem.targets, problem.sample_weights, strict=True):
        runs = [forward(ring, stack, theta, [ring.of(v) for v in x], 1) for stack in nets]
        outputs, pull, _ = slopes_of_loss(ring, problem, runs, y, c)
        for f, t in zip(outputs, y, strict=True):
            term = ring.square(ring.sub(f, ring.of(t))) if problem.loss == "squared" else ring.softplus(ring.scale(f, -t))
            value = ring.add(value, ring.scale(term, c))
        for stack, run in zip(nets, runs, strict=True):
            for (units, _), (signal, _), (_, drive) in zip(stack, run, backward(ring, stack, run, theta, pull), strict=True):
                for own, d in zip(units, drive, strict=True):
                    for k, v in zip(own, signal, strict=True):
                        gradient[k] = ring.add(gradient[k], ring.mul(d, v))
    rest = Taylor(ring, 1).penalty(problem, [{(): c, (k,): ring.one} for k, c in enumerate(theta)], {})
    return ring.add(value, rest.get((), ring.zero)), [ring.add(g, rest.get((k,), ring.zero)) for k, g in enumerate(gradient)]


def curvature(ring, stack, run, back, theta):
    """Of sum_k pull_k f_k in the pre-activations z of a run, units u and v being (layer, number): {v: {u: its second derivative in z_u
    and z_v}} for u in the layer of v, where it is not 0 for certain, and above, and {v: {layer: {p: derivative of the signal p that
    enters the layer in z_v}}}."""
    curved = [
        [ring.mul(e, ring.add(c[2], c[2])) for e, c in zip(pull, found, strict=True)] for (pull, _), (_, found) in zip(back, run, strict=True)
    ]
    depth = max((layer + 1 for layer, row in enumerate(curved) if any(v != ring.zero for v in row)), default=0)
    units = [(layer, i) for layer, row in enumerate(curved) for i in range(len(row))]
    moves, steps, bent, second = ({v: {} for v in units} for _ in range(4))
    for v in units:
        move = {v[1]: run[v[0]][1][v[1]][1]}
        for layer in range(v[0] + 1, len(stack)):
            moves[v][layer] = move
            if layer < max(depth, len(stack) - 1):
                step = [ring.dot([theta[own[p]] for p in move], move.values()) for own in stack[layer][0]]
                steps[v][layer], bent[v][layer] = step, list(map(ring.mul, curved[layer], step))
                move = {i: ring.mul(c[1], s) for i, (c, s) in enumerate(zip(run[layer][1], step, strict=True))}
    ring.meter.spend(1 + len(units) ** 2 // 32)
    for v, u in itertools.combinations_with_replacement(units, 2):
        below, layer = v[0], u[0]
        if below == layer and u != v and layer + 1 >= depth:
            continue
        found = curved[layer][u[1]] if u == v else bent[v][layer][u[1]] if below < layer < depth else ring.zero
        for above in range(layer + 1, depth):
            found = ring.add(found, ring.dot(steps[u][above], bent[v][above]))
        second[v][u] = found
        if below == layer:
            second[u][v] = found
    return second, moves


class Sheet:
    """The part sum_i l_i' Hess f_i of one stack of layers, collected over the samples: for unit v and a parameter k of a layer that is not
    below, ``tables[v][k]`` holds per sample X = D a + g t, so that X times the signals into v are second derivatives."""

    def __init__(self, ring, stack, rows, loose):
        self.ring, self.stack, self.rows, self.loose = ring, stack, rows, loose
        self.tables = {(layer, i): {} for layer, (units, _) in enumerate(stack) for i in range(len(units))}
        self.signals = [[[] for _ in units[0]] for units, _ in stack]

    def add(self, run, back, theta):
        """Numbers are (middle, radius) in units of 2^-DYADIC; |xy - XY| <= |X| r_y + r_x (|Y| + r_y). The errors of a row of the matrix
        are summed in ``loose``."""
        bits, loose = self.ring.bits, self.loose
        second, moves = curvature(self.ring, self.stack, run, back, theta)
        signals = [[fixed(v, bits) for v in signal] for signal, _ in run]
        drives = [[fixed(d, bits) for d in drive] for _, drive in back]
        for layer, row in enumerate(signals):
            for column, (a, _) in zip(self.signals[layer], row, strict=True):
                column.append(a)
        samples = len(self.signals[0][0])
        for v, table in self.tables.items():
            moved = {layer: {p: fixed(t, bits) for p, t in move.items()} for layer, move in moves[v].items()}
            radii, most = sum(r for _, r in signals[v[0]]), sum(abs(a) + r for a, r in signals[v[0]])
            count, sizes, errors, largest = 1, 0, 0, 0
            for (layer, i), found in second[v].items():
                own, move, (d, dr), (g, gr) = self.stack[layer][0][i], moved.get(layer, {}), fixed(found, bits), drives[layer][i]
                for p in range(len(own)) if d or dr else move:
                    (a, ar), (t, tr), k = signals[layer][p], move.get(p, (0, 0)), own[p]
                    x, e = d * a + g * t, abs(d) * ar + dr * (abs(a) + ar) + abs(g) * tr + gr * (abs(t) + tr)
                    xs = table.setdefault(k, [])
                    xs += [0] * (samples - 1 - len(xs)) + [x]
                    x, count = abs(x), count + 1
                    loose[k] += x * radii + e * most
                    largest = max(largest, x + e)
                    if layer > v[0]:
                        sizes, errors = sizes + x, errors + e
            for k, (a, ar) in zip(self.stack[v[0]][0][v[1]], signals[v[0]], strict=True):
                loose[k] += sizes * ar + errors * (abs(a) + ar)
            long = largest.bit_length()
            self.ring.meter.spend(1 + count // 3 + count * max(long - 240, 0) // 300 + len(table) * samples // 500, long >> 2)  # for memory

    def sum_up(self):
        """The middles of the second derivatives, into the lower triangle ``rows``."""
        for (layer, i), table in self.tables.items():
            own, inside = self.stack[layer][0][i], {k for unit in self.stack[layer][0] for k in unit}
            bits = max((abs(x).bit_length() for xs in table.values() for x in xs), default=0)
            self.ring.meter.spend(1 + len(table) * len(own) * (len(self.signals[0][0]) + 10) // 100, bits >> 2)
            for k, xs in table.items():
                for c, column in zip(own, self.signals[layer], strict=True):
                    if k >= c or k not in inside:  # within a layer the entries above the diagonal come again, transposed
                        self.rows[max(k, c)][min(k, c)] += dot(xs, column) >> 2 * DYADIC


def network_matrix(problem, box, ring):
    """The Hessian over a box of a network or polynomial loss: sum_i l_i'' grad f_i grad f_i^T + l_i' Hess f_i + regularizer."""
    taylor, size, second, tall = Taylor(ring, 2), problem.size, {}, []
    theta = [{(): c, (k,): ring.one} for k, c in enumerate(box)]
    rows, slack, loose = [[0] * (i + 1) for i in range(size)], [0] * size, [0] * size  # loose: in units of 2^(-3 DYADIC)
    if problem.kind == "monomial":
        second = taylor.loss(problem, theta)
    else:
        nets = stacks(problem)
        sheets = [Sheet(ring, stack, rows, loose) for stack in nets]
        for x, y, c in zip(problem.inputs, problem.targets, problem.sample_weights, strict=True):
            runs = [forward(ring, stack, box, [ring.of(v) for v in x], 2) for stack in nets]
            _, pull, bends = slopes_of_loss(ring, problem, runs, y, c)
            for k, bend in enumerate(bends):
                only, slopes = [ring.one if i == k else ring.zero for i in range(len(bends))], {}
                for stack, run in zip(nets, runs, strict=True):
                    for (units, _), (signal, _), (_, drive) in zip(stack, run, backward(ring, stack, run, box, only), strict=True):
                        for own, d in zip(units, drive, strict=True):
                            slopes |= {key: fixed(ring.mul(d, v), ring.bits) for key, v in zip(own, signal, strict=True)}
                tall.append((fixed(bend, ring.bits), slopes))
            for sheet, run in zip(sheets, runs, strict=True):
                sheet.add(run, backward(ring, sheet.stack, run, box, pull), box)
        for sheet in sheets:
            sheet.sum_up()
        taylor.penalty(problem, theta, second)
    for key, value in second.items():
        if len(key) == 2:
            i, j = key
            middle, radius = fixed(ring.add(value, value) if i == j else value, ring.bits)
            rows[j][i] += middle
            slack[i] += radius
            slack[j] += radius if i != j else 0
    for (bend, unsure), slopes in tall:  # |b g_i g_j - B G_i G_j| <= r_b |G_i||G_j| + |b|(|G_i| r_j + r_i |G_j| + r_i r_j), summed over j
        most, sizes, radii = abs(bend) + unsure, sum(abs(m) for m, _ in slopes.values()), sum(r for _, r in slopes.values())
        for i, (m, r) in slopes.items():
            slack[i] += ceil_shift(unsure * abs(m) * sizes + most * (abs(m) * radii + r * (sizes + radii)), 2 * DYADIC)
    columns = [[slopes.get(i, (0, 0))[0] for _, slopes in tall] for i in range(size)]
    bits = max((abs(m).bit_length() for (bend, _), slopes in tall for m in (bend, *(m for m, _ in slopes.values()))), default=0)
    for i, column in enumerate(columns if tall else ()):
        ring.meter.spend(1 + (i + 1) * (len(tall) + 10) // 100 + (i + 1) * max(bits - 160, 0) // 300)  # long entries need memory
        weighted = [bend * m >> DYADIC for ((bend, _), _), m in zip(tall, column, strict=True)]
        rows[i] = [entry + (dot(weighted, other) >> DYADIC) for entry, other in zip(rows[i], columns, strict=False)]
    rounding = max((sum(map(abs, column)) >> DYADIC for column in columns), default=0) + 3  # of one entry
    return rows, max(s + ceil_shift(e, 2 * DYADIC) for s, e in zip(slack, loose, strict=True)) + rounding * size


class StudentTeacher:
    """The student-teacher loss at W and its Hessian over the ball around W, in closed form. With z the students and then the
    teacher's vectors, s_i = 1 and -1: F = E (sum_i s_i relu(z_i.x))^2 / 2 = sum_i |z_i|^2/4 + sum_{i<j} s_i s_j f(z_i, z_j), where
    f(w, v) = |w||v|(sin t + (pi - t) cos t)/(2 pi), t the angle between w and v. A vector is (integers, common denominator)."""

    def __init__(self, ring, problem, coordinates):
        self.ring, self.n, self.m = ring, problem.dimension, problem.students
        ring.meter.spend(self.n * (self.m + problem.units))
        rows = [coordinates[k : k + self.n] for k in range(0, len(coordinates), self.n)]
        bits = Fraction(0), Fraction(1)
        rows += problem.teacher or [[bits[j == k] for j in range(self.n)] for k in range(problem.units)]
        common = [math.lcm(*(v.denominator for v in row)) for row in rows]
        self.vectors = [([v.numerator * (q // v.denominator) for v in row], q) for row, q in zip(rows, common, strict=True)]
        self.squares = [dot(v, v) for v, _ in self.vectors]
        self.norms = [ring.square_root(ring.of(Fraction(s, q * q))) for s, q in zip(self.squares, common, strict=True)]
        self.signs = [1] * self.m + [-1] * (len(rows) - self.m)
        self.half_turn = ring.inverse(ring.scale(ring.pi, 2))
        self.cosines, self.angles = {}, {}

    def cosine(self, i, j):
        """Of the angle between two vectors, neither of which is 0."""
        key = (i, j) if i < j else (j, i)
        if key not in self.cosines:
            self.ring.meter.spend(20 + self.n // 100)
            inner = dot(self.vectors[i][0], self.vectors[j][0]) << 2 * PRECISION
            root = math.isqrt(self.squares[i] * self.squares[j] << 2 * PRECISION)
            below, above = (root + 1, root) if inner >= 0 else (root, root + 1)
            self.cosines[key] = self.ring.inside((inner // below, -(-inner // above)))
        return self.cosines[key]

    def angle(self, c):
        """`Intervals.angle` of a cosine, once for every cosine: a symmetric point has few."""
        if c not in self.angles:
            self.angles[c] = self.ring.angle(c)
        return self.angles[c]

    def centre_angle(self, i, j):
        return self.angle(self.cosine(i, j))

    def value(self):
        ring, total = self.ring, self.ring.zero
        shown = [i for i, square in enumerate(self.squares) if square]  # f(0, v) = 0
        for k, i in enumerate(shown):
            total = ring.add(total, ring.scale(ring.square(self.norms[i]), Fraction(1, 4)))
            for j in shown[:k]:
                sine, rest = self.centre_angle(i, j)
                term = ring.add(sine, ring.mul(rest, self.cosine(i, j)))
                term = ring.mul(term, ring.mul(self.norms[i], self.norms[j]))
                term = ring.mul(term, self.half_turn)
                total = ring.add(total, term) if self.signs[i] == self.signs[j] else ring.sub(total, term)
        return total

    def gradient(self):
        """dF/dw_i = w_i/2 + sum_{j != i} s_j (|z_j| sin t w_i/|w_i| + (pi - t) z_j)/(2 pi), one interval per coordinate."""
        ring, out = self.ring, []
        self.nonzero()
        for i in range(self.m):
            own, others = ring.zero, []
            for j, sign in enumerate(self.signs):
                if j != i:
                    sine, rest = self.centre_angle(i, j)
                    own = ring.add(own, ring.scale(ring.mul(self.norms[j], sine), sign))
                    others.append((ring.scale(ring.mul(rest, self.half_turn), sign), self.vectors[j]))
            own = ring.mul(ring.mul(own, self.half_turn), ring.inverse(self.norms[i]))
            others.append((ring.add(own, ring.of(Fraction(1, 2))), self.vectors[i]))
            ring.meter.spend(len(others) * self.n // 20)
            for k in range(self.n):
                low = high = 0
                for (a, b), (z, q) in others:
                    if z[k]:
                        ends = (a * z[k], b * z[k]) if z[k] > 0 else (b * z[k], a * z[k])
                        low, high = low + ends[0] // q, high - (-ends[1] // q)
                out.append((low, high))
        return out

    def nonzero(self):
        if not all(self.squares):
            raise Rejected("smoothness", "a student unit is 0, where F has no derivative")

    def matrix(self, radius):
        """The Hessian over the ball: its diagonal blocks I/2 + sum_j s_j h1(w_i, z_j) and the others h2(w_i, w_j),
        h1(w, v) = |v|/(2 pi |w|) (sin t (I - u u^T) + q q^T/sin t), q = v/|v| - cos t u, u = w/|w|,
        h2(w, v) = ((pi - t) I + (u y^T + y u^T - cos t (u u^T + y y^T))/sin t)/(2 pi), y = v/|v|."""
        ring, n, shift = self.ring, self.n, PRECISION - DYADIC
        self.nonzero()
        radius = -(-radius.numerator * ULP // radius.denominator)
        units, errors, moves, norms = [], [], [], []
        for (z, _), square, norm, sign in zip(self.vectors, self.squares, self.norms, self.signs, strict=True):
            least = norm[0] >> shift
            if sign > 0 and least <= radius:
                raise Rejected("smoothness", "the ball reaches a student unit that is 0")
            root = math.isqrt(square << 2 * DYADIC)
            units.append([(x << 2 * DYADIC) // root for x in z])
            moves.append(2 * radius * ULP // least + 1 if sign > 0 else 0)  # |w/|w| - c/|c|| <= 2|w - c|/|c|
            errors.append(n + 2 + moves[-1])
            if errors[-1] > ULP // 4:
                raise Rejected("minimum-in-ball", "the ball is too large to be resolved")
            norms.append((norm[0] - (radius << shift), norm[1] + (radius << shift)) if sign > 0 else norm)
        pairs = {}
        for i in range(self.m):
            for j in (*range(i), *range(self.m, len(units))):
                a, b = self.cosine(i, j)
                turn = 8 * (moves[i] + moves[j]) // 5 + 1  # a chord m turns a vector by at most pi/2 m
                wide = ceil_shift(((self.centre_angle(i, j)[0][1] >> shift) + 1) * turn + turn * turn, DYADIC)
                wide = min(spread(moves[i], moves[j]), wide) << shift  # |cos(t + a) - cos t| <= |a| sin t + a^2/2
                c = ring.inside((a - wide, b + wide))
                sine, rest = self.angle(c)
                pairs[i, j] = pairs[j, i] = c, sine, ring.mul(rest, self.half_turn), ring.inverse(sine)
        rows, slack = [], [0] * self.m
        for i in range(self.m):
            blocks = []
            for j in range(i):
                block, error = self.outer_block(pairs[i, j], units[i], units[j], errors[i], errors[j])
                blocks.append(block)
                slack[i] += error
                slack[j] += error
            block, error = self.own_block(i, pairs, units, errors, norms)
            slack[i] += error
            rows += [[v for other in blocks for v in other[p]] + block[p] for p in range(n)]
        return rows, max(slack)

    def outer_block(self, pair, u, y, u_error, y_error):
        """h2, with a bound of its error in the spectral norm."""
        ring, n = self.ring, self.n
        c, _, rest, inverse = pair
        ring.meter.spend(4 + n * n // 20)
        beta = ring.mul(inverse, self.half_turn)
        (a, a_error), (b, b_error), (g, g_error) = fixed(rest), fixed(beta), fixed(ring.mul(beta, c))
        x = [b * s - g * t >> DYADIC for s, t in zip(y, u, strict=True)]
        z = [b * t - g * s >> DYADIC for s, t in zip(y, u, strict=True)]
        block = [[p * s + q * t >> DYADIC for s, t in zip(x, z, strict=True)] for p, q in zip(u, y, strict=True)]
        for p in range(n):
            block[p][p] += a
        error = a_error + 2 * b_error + 2 * g_error + 4 * n
        error += ceil_shift(abs(b) * 2 * spread(u_error, y_error), DYADIC)
        return block, error + ceil_shift(abs(g) * (spread(u_error, u_error) + spread(y_error, y_error)), DYADIC)

    def own_block(self, i, pairs, units, errors, norms):
        """The lower triangle of I/2 + sum_j s_j h1(w_i, z_j), with a bound of its error in the spectral norm."""
        ring, n, u, total, error, tall = self.ring, self.n, units[i], self.ring.zero, 0, []
        scale = ring.mul(self.half_turn, ring.inverse(norms[i]))
        for j, sign in enumerate(self.signs):
            if j == i:
                continue
            c, sine, _, inverse = pairs[i, j]
            factor = ring.scale(ring.mul(scale, norms[j]), sign)
            total = ring.add(total, ring.mul(factor, sine))
            (b, b_error), (c, c_error) = fixed(ring.mul(factor, inverse)), fixed(c)
            q = [y - (c * x >> DYADIC) for x, y in zip(u, units[j], strict=True)]
            q_error, long = errors[i] + errors[j] + c_error + n, (sine[1] >> PRECISION - DYADIC) + 1
            error += ceil_shift(abs(b) * (2 * long * q_error + q_error * q_error) + b_error * long * long, 2 * DYADIC)
            tall.append((b, q))
        ring.meter.spend(len(tall) * n * (n + 40) // 400)
        a, a_error = fixed(total)
        error += 2 * a_error + ceil_shift(abs(a) * spread(errors[i], errors[i]), DYADIC) + n * (3 * len(tall) + 6)
        columns, block = [[q[p] for _, q in tall] for p in range(n)], []
        for p, column in enumerate(columns):
            weighted, own = [b * v >> DYADIC for (b, _), v in zip(tall, column, strict=True)], a * u[p] >> DYADIC
            block.append([dot(weighted, other) - own * t >> DYADIC for other, t in zip(columns[: p + 1], u, strict=False)])
            block[p][p] += a + ULP // 2
        return block, error


class Tied:
    """The student-teacher loss with the teacher e_1, ..., e_n at a W that a group G of permutations leaves alone, and the Hessian of F
    there in blocks of constant size, over any ring.

    The indices fall into classes, and G permutes the elements of each class. ``rows`` and ``columns`` list the orbits of G on the
    rows and on the columns of W by their classes; ``sizes`` are pairs (a, b): the class has a k + b elements. An entry of W
    depends on the orbits of its row and its column and, where these are of one class, on whether they are at the same element:
    ``entries[row, column, same]``. An element of a class is a label 0, 1, 2, ...; different labels are different elements."""

    def __init__(self, ring, sizes, rows, columns, entries):
        self.ring, self.sizes, self.rows, self.columns, self.entries = ring, sizes, rows, columns, entries
        self.kinds = [*rows, *columns]  # classes of the orbits of vectors: students, then the teacher's
        self.half_turn, self.cache = ring.inverse(ring.scale(ring.pi, 2)), {}

    def orbits(self):
        out = []
        for (r, a), (c, b) in itertools.product(enumerate(self.rows), enumerate(self.columns)):
            out += [(r, c, True)] if a == b else []
            out += [(r, c, False)] if a != b or self.sizes[a] != (0, 1) else []
        return out

    def count(self, b, used=0):
        """The number of elements of class b beside ``used`` of them, or None if there are none."""
        slope, offset = self.sizes[b]
        if not slope and offset < used:
            raise Rejected("symmetric-inertia", "asks for more elements than a class has")
        return None if not slope and offset == used else self.ring.size(slope, offset - used)

    def times(self, count, value):
        return self.ring.zero if count is None else self.ring.mul(count, value)

    def over(self, b, used, function):
        """The sum of function(label) over all elements of class b; it takes one value outside ``used``."""
        self.ring.meter.spend(1)
        total, count = self.ring.total(function(label) for label in used), self.count(b, len(used))
        if count is None:
            return total
        return self.ring.add(total, self.ring.mul(count, function(next(k for k in range(9) if k not in used))))

    def entry(self, z, label, c, other):
        """Coordinate (c, other) of vector ``label`` of the orbit z."""
        if z >= len(self.rows):
            return self.ring.one if z - len(self.rows) == c and label == other else self.ring.zero
        return self.entries[z, c, self.rows[z] == self.columns[c] and label == other]

    def labels(self, b, *elements):
        """The labels in class b among elements (class, label)."""
        return sorted({label for kind, label in elements if kind == b})

    def inner(self, z, y, same):
        """w . v for two vectors of the orbits z and y, at the same element or not."""
        ring, total, own, other = self.ring, self.ring.zero, (self.kinds[z], 0), (self.kinds[y], 0 if same else 1)
        for c, b in enumerate(self.columns):
            used = self.labels(b, own, other)
            total = ring.add(total, self.over(b, used, lambda x, c=c: ring.mul(self.entry(z, 0, c, x), self.entry(y, other[1], c, x))))
        return total

    def norm(self, z):
        """(|w|, 1/|w|)"""
        if z not in self.cache:
            root = self.ring.one if z >= len(self.rows) else self.ring.square_root(self.inner(z, z, True))
            self.cache[z] = root, self.ring.inverse(root)
        return self.cache[z]

    def unit(self, z, label, c, other):
        return self.ring.mul(self.entry(z, label, c, other), self.norm(z)[1])

    def pair(self, z, k, y, m):
        """(cos t, sin t, (pi - t)/(2 pi), 1/sin t) of two vectors."""
        key = z, y, self.kinds[z] == self.kinds[y] and k == m
        if key not in self.cache:
            ring = self.ring
            c = ring.mul(self.inner(*key), ring.mul(self.norm(z)[1], self.norm(y)[1]))
            sine, rest = ring.angle(c)
            self.cache[key] = self.cache[y, z, key[2]] = c, sine, ring.mul(rest, self.half_turn), ring.inverse(sine)
        return self.cache[key]

    def others(self, r, used, function):
        """sum_z s_z function(z, label) over all vectors but number 0 of the orbit r of rows; ``used`` are elements (class, label)."""
        ring, total = self.ring, self.ring.zero
        for z, b in enumerate(self.kinds):
            term = self.over(b, self.labels(b, (self.kinds[r], 0), *used), lambda x, z=z: ring.zero if (z, x) == (r, 0) else function(z, x))
            total = ring.add(total, term) if z < len(self.rows) else ring.sub(total, term)
        return total

    def value(self):
        ring, total = self.ring, self.ring.zero
        for z, a in enumerate(self.kinds):
            square = ring.square(self.norm(z)[0])
            total = ring.add(total, self.times(self.count(a), ring.scale(square, Fraction(1, 4))))
            for y, b in enumerate(self.kinds[: z + 1]):
                sign = 1 if (z < len(self.rows)) == (y < len(self.rows)) else -1
                if a == b and y < z:
                    total = ring.add(total, ring.scale(self.times(self.count(a), self.kernel(z, y, 0)), sign))
                beside = self.count(b, int(a == b))
                if beside is not None:
                    half = Fraction(sign, 2) if y == z else Fraction(sign)
                    total = ring.add(total, ring.scale(ring.mul(ring.mul(self.count(a), beside), self.kernel(z, y, 1)), half))
        return total

    def kernel(self, z, y, other):
        """f(w, v) = |w||v|(sin t/(2 pi) + cos t (pi - t)/(2 pi))"""
        ring, (c, sine, rest, _) = self.ring, self.pair(z, 0, y, other)
        return ring.mul(ring.mul(self.norm(z)[0], self.norm(y)[0]), ring.add(ring.mul(sine, self.half_turn), ring.mul(rest, c)))

    def slope(self, orbit):
        """dF/dW at one entry of the orbit."""
        ring, (r, c, same) = self.ring, orbit
        other, w = 0 if same else 1, self.entries[orbit]
        own = self.others(r, (), lambda z, x: ring.mul(self.norm(z)[0], self.pair(r, 0, z, x)[1]))
        own = ring.add(ring.mul(ring.mul(own, self.half_turn), self.norm(r)[1]), ring.of(Fraction(1, 2)))
        rest = self.others(r, ((self.columns[c], other),), lambda z, x: ring.mul(self.pair(r, 0, z, x)[2], self.entry(z, x, c, other)))
        return ring.add(ring.mul(own, w), rest)

    def steepness(self, scale):
        """The square of the gradient of F as a function of the entries of the orbits, each divided by its ``scale``."""
        ring = self.ring
        parts = (ring.mul(s, ring.mul(self.orbit_size(o), self.slope(o))) for o, s in zip(self.orbits(), scale, strict=True))
        return ring.total(map(ring.square, parts))

    def hessian(self, r, k, c, m, s, i, d, j):
        """The second derivative in the entries (row (r, k), column (c, m)) and (row (s, i), column (d, j))."""
        key = self.pattern(r, k, c, m, s, i, d, j)
        if key in self.cache:
            return self.cache[key]
        ring, (r, k, c, m, s, i, d, j) = self.ring, key
        equal = (c, m) == (d, j)
        u, v = self.unit(r, k, c, m), self.unit(r, k, d, j)
        if (r, k) != (s, i):
            x, y = self.unit(s, i, c, m), self.unit(s, i, d, j)
            cosine, _, rest, inverse = self.pair(r, k, s, i)
            mixed = ring.sub(ring.add(ring.mul(u, y), ring.mul(x, v)), ring.mul(cosine, ring.add(ring.mul(u, v), ring.mul(x, y))))
            found = ring.mul(ring.mul(mixed, inverse), self.half_turn)
            found = ring.add(found, rest) if equal else found
        else:
            def term(z, x):  # of vector (z, x), without the factor 1/(2 pi |w|)
                cosine, sine, _, inverse = self.pair(r, k, z, x)
                p, q = (ring.sub(self.unit(z, x, e, n), ring.mul(cosine, t)) for e, n, t in ((c, m, u), (d, j, v)))
                flat = ring.sub(ring.one if equal else ring.zero, ring.mul(u, v))
                return ring.mul(self.norm(z)[0], ring.add(ring.mul(sine, flat), ring.mul(ring.mul(p, q), inverse)))

            found = self.others(r, ((self.columns[c], m), (self.columns[d], j)), term)
            found = ring.mul(ring.mul(found, self.half_turn), self.norm(r)[1])
            found = ring.add(found, ring.of(Fraction(1, 2))) if equal else found
        self.cache[key] = found
        return found

    def pattern(self, r, k, c, m, s, i, d, j):
        """The same four elements with the labels of each class renumbered 0, 1, ... in the order in which they come."""
        seen, out = {}, []
        for orbit, label, kind in ((r, k, self.rows[r]), (c, m, self.columns[c]), (s, i, self.rows[s]), (d, j, self.columns[d])):
            known = seen.setdefault(kind, [])
            known += [label] if label not in known else []
            out += [orbit, known.index(label)]
        return tuple(out)

    def applied(self, at, used, s, d, vector):
        """Coordinate ``at`` = (r, k, c, m) of the Hessian times a vector on the orbits s of rows and d of columns, whose entry at
        the labels (i, j) is the integer vector(i, j); it takes one value outside the labels ``used`` = [(class, label), ...]."""
        ring, (r, k, c, m), a, b = self.ring, at, self.rows[s], self.columns[d]
        marked = ((self.rows[r], k), (self.columns[c], m), *used)

        def entry(i, j):
            factor = vector(i, j)
            return ring.scale(self.hessian(*at, s, i, d, j), factor) if factor else ring.zero

        def row(i):
            return self.over(b, self.labels(b, *marked, (a, i)), lambda j: entry(i, j))

        return self.over(a, self.labels(a, *marked), row)

    def trivial_block(self):
        """The second derivatives of F as a function of the entries of the orbits (the block of the trivial representation)."""
        orbits, ring = self.orbits(), self.ring
        at = {o: (o[0], 0, o[1], 0 if o[2] else 1) if self.one_class(o) else (o[0], 0, o[1], 0) for o in orbits}

        def inside(orbit):
            return (lambda i, j: int((i == j) == orbit[2])) if self.one_class(orbit) else (lambda i, j: 1)

        return [[ring.mul(self.orbit_size(o), self.applied(at[o], (), t[0], t[1], inside(t))) for t in orbits] for o in orbits]

    def one_class(self, orbit):
        return self.rows[orbit[0]] == self.columns[orbit[1]]

    def orbit_size(self, orbit):
        a, b = self.rows[orbit[0]], self.columns[orbit[1]]
        if orbit[2]:
            return self.count(a)
        return self.ring.mul(self.count(a), self.count(b, int(a == b)))

    def blocks(self):
        """The other blocks as (name, multiplicity of every eigenvalue, symmetric matrix): over the representations std_a (vectors of
        sum 0), std_a (x) std_b, and the symmetric and the antisymmetric matrices with zero diagonal and zero row sums."""
        many = [a for a, (slope, offset) in enumerate(self.sizes) if slope or offset >= 2]
        for a in many:
            yield f"standard {a}", (((a, -1),),), self.standard_block(a)
            own = [(r, c) for r, b in enumerate(self.rows) for c, e in enumerate(self.columns) if a == b == e]
            large = 9 if self.sizes[a][0] else self.sizes[a][1]
            if own and large >= 4:
                yield f"symmetric {a}", (((a, 0), (a, -3)), 2), self.simple_block(own, (0, 1), [(a, x) for x in range(4)], square_of_four)
            if own and large >= 3:
                yield f"antisymmetric {a}", (((a, -1), (a, -2)), 2), self.simple_block(own, (0, 1), [(a, x) for x in range(3)], cycle_of_three)
        for a, b in itertools.combinations(many, 2):
            own = [(r, c) for r, e in enumerate(self.rows) for c, f in enumerate(self.columns) if {e, f} == {a, b} and e != f]
            if own:
                used = [(e, x) for e in (a, b) for x in (0, 1)]
                yield f"product {a} {b}", (((a, -1), (b, -1)),), self.simple_block(own, (0, 0), used, lambda i, j: difference(i) * difference(j))

    def simple_block(self, own, at, used, vector):
        """Representations that occur once in every pair of orbits, orthogonal to each other and of one length."""
        return [[self.applied((r, at[0], c, at[1]), used, s, d, vector) for s, d in own] for r, c in own]

    def standard_block(self, a):
        """All copies of std_a: x_i along a row, x_j along a column, x_i on the diagonal; x = (1, -1, 0, ...), and H x read off where x is 1.
        Copies along rows and columns of one square are not orthogonal: the Gram matrix G has -1 there; the block is G times that."""
        ring, copies, x = self.ring, [], difference
        three = self.sizes[a][0] or self.sizes[a][1] >= 3
        for (r, b), (c, e) in itertools.product(enumerate(self.rows), enumerate(self.columns)):
            if a == b == e:
                copies.append(((r, 0, c, 0), r, c, lambda i, j: x(i) if i == j else 0, ring.one))
                length = self.count(a, 1)
                copies.append(((r, 0, c, 2 if three else 1), r, c, lambda i, j: x(i) if i != j else 0, length))
                if three:
                    copies.append(((r, 2, c, 0), r, c, lambda i, j: x(j) if i != j else 0, length))
            elif a == b:
                copies.append(((r, 0, c, 0), r, c, lambda i, j: x(i), self.count(e)))
            elif a == e:
                copies.append(((r, 0, c, 0), r, c, lambda i, j: x(j), self.count(b)))
        used = [(a, 0), (a, 1)]
        action = [[self.applied(at, used, s, d, vector) for _, s, d, vector, _ in copies] for at, *_ in copies]
        block = [[ring.mul(length, v) for v in row] for (*_, length), row in zip(copies, action, strict=True)]
        for k, ((at, r, c, *_), (to, s, d, *_)) in enumerate(itertools.pairwise(copies)):
            if (r, c) == (s, d) and three and at[1] == 0 and at[3] == 2 and to[1] == 2:  # a row copy and its column copy
                block[k] = [ring.sub(u, v) for u, v in zip(block[k], action[k + 1], strict=True)]
                block[k + 1] = [ring.sub(u, v) for u, v in zip(block[k + 1], action[k], strict=True)]
        return block


class PiIntervals(Intervals):
    """Enclosures that know some numbers exactly: (lo, hi, terms) is the sum of q pi^e over the pairs (e, q) of ``terms``, so that what cancels
    is zero for certain. Long sums and long fractions are forgotten and leave (lo, hi)."""

    zero, one = (0, 0, ()), (Intervals.unit, Intervals.unit, ((0, Fraction(1)),))
    dot = Ring.dot

    def known(self, bounds, *products):
        """``bounds`` with the sum of q pi^e over the pairs (e, q) of ``products``, if it is short."""
        terms = {}
        for e, q in products:
            terms[e] = terms.get(e, 0) + q
        terms = tuple(sorted((e, q) for e, q in terms.items() if q))
        if not terms:
            return self.zero
        if len(terms) == 1 and terms[0][0] == 0:
            bounds = super().of(terms[0][1])
        short = len(terms) <= 16 and all(abs(e) <= 64 and max(abs(q.numerator), q.denominator) >> 64 == 0 for e, q in terms)
        return (*bounds, terms) if short else bounds

    def of(self, q):
        return self.known(super().of(q), (0, q))

    @functools.cached_property
    def pi(self):
        return (*super().pi[:2], ((1, Fraction(1)),))

    def in_pi(self, terms):
        """The sum of q pi^e over the pairs (e, q)."""
        turn = self.inverse(self.pi)
        return self.total(functools.reduce(self.mul, [self.pi if e > 0 else turn] * abs(e), self.of(q)) for e, q in terms)

    def add(self, a, b):
        bounds = a[0] + b[0], a[1] + b[1]
        return self.known(bounds, *a[2], *b[2]) if len(a) == len(b) == 3 else bounds

    def neg(self, a):
        return (-a[1], -a[0], *(tuple((e, -q) for e, q in terms) for terms in a[2:]))

    def mul(self, a, b):
        if self.zero in (a, b):
            return self.zero
        bounds = super().mul(a[:2], b[:2])
        if len(a) != 3 or len(b) != 3:
            return bounds
        self.meter.spend(len(a[2]) * len(b[2]))
        return self.known(bounds, *((e + f, q * r) for e, q in a[2] for f, r in b[2]))

    def scale(self, a, q):
        bounds = super().scale(a[:2], q)
        return self.known(bounds, *((e, c * q) for e, c in a[2])) if len(a) == 3 else bounds

    def square(self, a):
        bounds, product = super().square(a[:2]), self.mul(a, a)
        return (*bounds, *product[2:])

    def magnitude(self, a):
        return super().magnitude(a[:2])

    def inverse(self, a):
        bounds = super().inverse(a[:2])
        return self.known(bounds, *((-e, 1 / q) for e, q in a[2])) if len(a) == 3 and len(a[2]) == 1 else bounds

    def square_root(self, a):
        bounds = super().square_root(a[:2])
        if len(a) == 3 and len(a[2]) == 1:
            ((e, q),) = a[2]
            m, n = math.isqrt(q.numerator), math.isqrt(q.denominator)
            if e % 2 == 0 and m * m == q.numerator and n * n == q.denominator:
                return self.known(bounds, (e // 2, Fraction(m, n)))
        return bounds


class Expansions(Ring):
    """Functions of s = k^(-1/2) for the numbers k from ``first`` to ``last`` (None: for all from ``first`` on): (p, [C_0, ..., C_N]), C_i intervals,
    stands for every function f with f(s) = s^-p (c_0 + c_1 s + ... + c_N s^N) for some c_i in C_i, which may depend on s."""

    def __init__(self, base, first, last, order):
        super().__init__(base.meter)
        self.base, self.order = base, order
        root = base.square_root(base.of(Fraction(first)))[:2]  # of sqrt k = 1/s
        self.powers = {0: base.one, 1: (0, base.inverse(root)[1])}
        if last is not None:
            self.powers[-1] = root[0], base.square_root(base.of(Fraction(last)))[1]
            self.powers[1] = base.inverse(self.powers[-1])
        self.zero, self.one, self.pi = self.constant(base.zero), self.constant(base.one), self.constant(base.pi)

    def constant(self, c):
        return 0, [c] + [self.base.zero] * self.order

    def of(self, q):
        return self.constant(self.base.of(Fraction(q)))

    def power(self, n):
        """s^n; s is positive, so the ends are powers of the ends."""
        if n not in self.powers:
            step = 1 if n > 0 else -1
            if step not in self.powers:
                raise Rejected("expansion", "a coefficient is not proved to vanish, and the powers of k have no bound")
            self.powers[n] = self.base.mul(self.power(n - step), self.powers[step])
        return self.powers[n]

    def size(self, slope, offset):
        return self.add((2, self.constant(self.base.of(Fraction(slope)))[1]), self.of(offset))

    def fold(self, p, c):
        """Coefficients beyond s^N are put into that of s^N, and leading exact zeros are taken away."""
        zero = self.base.zero
        while c[0] == zero and any(v != zero for v in c):
            p, c = p - 1, c[1:]
        return (p, self.cut(c)) if c[0] != zero else (0, self.cut(c))

    def cut(self, c):
        base, zero = self.base, self.base.zero
        c = c + [zero] * (self.order + 1 - len(c))
        last = c[self.order]
        for m, v in enumerate(c[self.order + 1 :], start=1):
            last = base.add(last, base.mul(v, self.power(m))) if v != zero else last
        return [*c[: self.order], last]

    def lifted(self, a, j):
        """The same with the coefficients below index j put into that of index j (s^-m lies between the ends of its range)."""
        base, (p, c) = self.base, a
        for i in range(j):
            c = [*c[:j], base.add(c[j], base.mul(c[i], self.power(i - j))), *c[j + 1 :]] if c[i] != base.zero else c
        return p - j, c[j:] + [base.zero] * j

    def leading(self, a):
        """The same with a first coefficient that decides the sign, if there is one: coefficients before it hold errors only."""
        choices = (self.lifted(a, i) for i, v in enumerate(a[1]) if v[0] > 0 or v[1] < 0)
        return next((b for b in choices if self.base.definite(self.range(b[1]))), a)

    def bounded(self, a):
        """As s^0 (c_0 + ...), for a function that has a limit."""
        p, c = self.lifted(a, a[0]) if 0 < a[0] <= self.order else a
        if p > 0:
            raise Rejected("expansion", "a function of k that should be bounded is not proved to be")
        return 0, self.cut([self.base.zero] * -p + c)

    def range(self, c):
        return self.base.total(self.base.mul(v, self.power(i)) for i, v in enumerate(c) if v != self.base.zero)

    def definite(self, a):
        return self.base.definite(self.range(self.leading(a)[1]))

    def neg(self, a):
        return a[0], [self.base.neg(v) for v in a[1]]

    def add(self, a, b):
        (p, c), (q, d) = (a, b) if a[0] >= b[0] else (b, a)
        if all(v == self.base.zero for v in d):
            return p, c
        if all(v == self.base.zero for v in c):
            return q, d
        d = [self.base.zero] * (p - q) + d
        return self.fold(p, [self.base.add(u, v) for u, v in itertools.zip_longest(c, d, fillvalue=self.base.zero)])

    def mul(self, a, b):
        base, zero, out = self.base, self.base.zero, [self.base.zero] * (2 * self.order + 1)
        for i, u in enumerate(a[1]):
            for j, v in enumerate(b[1]) if u != zero else ():
                if v != zero:
                    out[i + j] = base.add(out[i + j], base.mul(u, v))
        return self.fold(a[0] + b[0], out)

    def square(self, a):
        return self.mul(a, a)

    def scale(self, a, q):
        return a[0], [self.base.scale(v, q) for v in a[1]]

    def rest(self, c, d, least):
        """e with sum over i + j >= least of c_i d_j s^(i + j) = e s^least."""
        base, out = self.base, self.base.zero
        for i, u in enumerate(c):
            for j, v in enumerate(d):
                if i + j >= least and u != base.zero and v != base.zero:
                    out = base.add(out, base.mul(base.mul(u, v), self.power(i + j - least)))
        return out

    def inverse(self, a):
        """d_0 + ... + d_{N-1} s^(N-1) with (sum c_i s^i)(sum d_j s^j) = 1 + e s^N; the inverse is that minus itself times e s^N/(1 + e s^N)."""
        base, (p, c) = self.base, self.leading(a)
        first, n = base.inverse(c[0]), self.order
        d = [first]
        for k in range(1, n):
            d.append(base.neg(base.mul(first, base.total(base.mul(c[i], d[k - i]) for i in range(1, k + 1)))))
        e = self.rest(c, d, n)
        whole = base.add(base.one, base.mul(e, self.power(n)))
        if whole[0] <= 0:
            raise Rejected("expansion", "an expansion of an inverse does not reach so far")
        return -p, [*d, base.neg(base.mul(self.range(d), base.mul(e, base.inverse(whole))))]

    def square_root(self, a):
        """y with y^2 = x - e s^N; sqrt x = y + e s^N/(sqrt x + y)."""
        base, (p, c), n = self.base, self.leading(a), self.order
        x = self.range(c)
        if p % 2 or c[0][0] <= 0 or x[0] <= 0:
            raise Rejected("expansion", "a square root of an expansion that is not positive with an even power")
        y = [base.square_root(c[0])]
        half = base.inverse(base.add(y[0], y[0]))
        for k in range(1, n):
            y.append(base.mul(half, base.sub(c[k], base.total(base.mul(y[i], y[k - i]) for i in range(1, k)))))
        e, floor = base.sub(c[n], self.rest(y, y, n)), self.range(y)
        if floor[0] <= 0:
            raise Rejected("expansion", "an expansion of a square root does not reach so far")
        return p // 2, [*y, base.mul(e, base.inverse(base.add(floor, base.square_root(x))))]

    def angle(self, c):
        """(sin t, pi - t) for c = cos t: with the angle t_0 of the limit of c, t = t_0 + arcsin z, z = sin t cos t_0 - cos t sin t_0, if
        cos(t - t_0) > 0."""
        base, c = self.base, self.bounded(c)
        y = self.bounded(self.square_root(self.sub(self.one, self.mul(c, c))))
        m = (c[1][0][0] + c[1][0][1]) // 2
        if c[1][0] == base.zero:
            ends = base.zero, base.one, base.scale(base.pi, Fraction(1, 2))
        elif c[1][0] in (base.one, base.neg(base.one)):
            ends = c[1][0], base.zero, base.pi if m > 0 else base.zero
        else:
            ends = (m, m), base.square_root(base.sub(base.one, base.square((m, m)))), base.sub(base.pi, base.arccos((m, m)))
        cosine, sine, rest = map(self.constant, ends)
        if self.definite(self.add(self.mul(c, cosine), self.mul(y, sine))) != 1:
            raise Rejected("expansion", "an angle is not near its limit")
        z = self.sub(self.mul(y, cosine), self.mul(c, sine))
        return y, self.sub(rest, self.arcsin(z))

    def arcsin(self, z):
        """The power series up to z^N; what is left out is at most |z|^n/(1 - z^2), n the first power left out. z = s z_1, since z tends to 0."""
        base, (_, c) = self.base, self.lifted(self.bounded(z), 1)
        z, most = self.fold(-1, c), base.magnitude(self.range(c))[1]
        size = base.mul((0, most), self.power(1))
        if size[1] >= base.unit // 2:
            raise Rejected("expansion", "an angle is not near its limit")
        total, power, square, n, factor = self.zero, z, self.mul(z, z), 1, Fraction(1)
        while n <= self.order:
            total, power = self.add(total, self.scale(power, factor)), self.mul(power, square)
            factor, n = factor * n * n / ((n + 1) * (n + 2)), n + 2
        left = base.inverse(base.sub(base.one, base.square(size)))
        for _ in range(n):
            left = base.mul(left, (0, most))
        left = base.mul(left, self.power(n - self.order))[1]
        return self.add(total, self.fold(-self.order, [(-left, left)]))


def difference(i):
    """e_0 - e_1"""
    return (i == 0) - (i == 1)


def square_of_four(i, j):
    """A symmetric matrix with zero diagonal and zero row sums: + at {0, 1} and {2, 3}, - at {1, 2} and {0, 3}."""
    return {(0, 1): 1, (1, 2): -1, (2, 3): 1, (0, 3): -1}.get((min(i, j), max(i, j)), 0)


def cycle_of_three(i, j):
    """An antisymmetric matrix with zero row sums: + at (0, 1), (1, 2), (2, 0)."""
    return {(0, 1): 1, (1, 2): 1, (2, 0): 1, (1, 0): -1, (2, 1): -1, (0, 2): -1}.get((i, j), 0)


def block_signs(near, scale, modulus):
    """(factors of the dimension, signs of the pivots) of every block of the Hessian over a set of symmetric matrices; the trivial
    block, scaled, must exceed ``modulus``."""
    ring = near.ring

    def signs(block):
        found = list(pivots(ring, block))
        if 0 in found:
            raise Rejected("symmetric-inertia", "a pivot of a block of the Hessian has no certain sign")
        return found

    block = [[ring.mul(ring.mul(a, v), b) for v, b in zip(row, scale, strict=True)] for row, a in zip(near.trivial_block(), scale, strict=True)]
    for k, row in enumerate(block):
        row[k] = ring.sub(row[k], modulus)
    if min(signs(block)) < 0:
        raise Rejected("symmetric-inertia", "the Hessian on the symmetric matrices does not exceed the modulus")
    yield ((),), [1] * len(block)
    for _, factors, block in near.blocks():
        yield factors, signs(block)


def symmetric_inertia(near, scale, modulus, k=0):
    """The inertia of the Hessian over a set of symmetric matrices, for the number k of a family."""
    counts = [0, 0, 0]
    for (factors, *half), signs in block_signs(near, scale, modulus):
        sizes = [near.sizes[a][0] * k + near.sizes[a][1] + offset for a, offset in factors]
        for sign in signs:
            counts[1 - sign] += math.prod(sizes) // (half[0] if half else 1)
    return tuple(counts)


def around(problem, centre, radius, ring):
    """F and its gradient at a rational centre, as intervals, and its Hessian over the ball of that radius."""
    if problem.kind == "student-teacher-relu":
        net = StudentTeacher(ring, problem, centre)
        return net.value(), net.gradient(), net.matrix(radius)
    middling = Middling(ring.meter)
    box = [middling.hull(middling.of(c - radius), middling.of(c + radius)) for c in centre]
    own, shift = (middling, ring.bits - middling.bits) if radius * 2**64 >= 1 else (ring, 0)  # enough for such a radius
    value, slope = value_and_gradient(problem, own, [own.of(c) for c in centre])
    value, *slope = (tuple(end << shift for end in found) for found in (value, *slope))
    return value, slope, network_matrix(problem, box, middling)


def spread(a, b):
    """|x y^T - X Y^T| for unit vectors X, Y and |x - X| <= a, |y - Y| <= b, in units of 2^-DYADIC."""
    return a + b + ceil_shift(a * b, DYADIC)


# ---------------------------------------------------------------------------------------------------------------------
# 7. Points.


class Point:
    """A named real vector: exact coordinates in a ring, or (``ring`` None) the critical point in a box or in a ball."""

    def __init__(self, body, where, problem, meter):
        self.ring, self.radius, self.classes, self.teacher, size = None, None, None, False, problem.size
        self.fitted = None
        if isinstance(body, dict) and "fitted" in body:
            fields(body, where, ("field", "coordinates", "fitted", "output"))
            if body["field"] != "rational":
                raise Malformed(where, "has a fitted coordinate over another field than the rational numbers")
            self.fitted = whole(body["fitted"], f"{where}.fitted", 1, size) - 1, number(body["output"], f"{where}.output")
            self.coordinates = numbers(body["coordinates"], where, size)
            if self.coordinates[self.fitted[0]] != 0:
                raise Malformed(where, "gives the fitted coordinate a number other than 0")
            return
        if isinstance(body, dict) and ("classes" in body or "teacher" in body):
            self.read_symmetric(body, where, problem, meter)
            return
        if isinstance(body, dict) and "centre" in body:
            fields(body, where, ("centre", "radius"))
            self.centre = numbers(body["centre"], where, size)
            self.radius = number(body["radius"], where)
            self.lower, self.upper = ([c + s * self.radius for c in self.centre] for s in (-1, 1))
            if self.radius <= 0:
                raise Malformed(where, "has no positive radius")
            return
        if isinstance(body, dict) and "lower" in body:
            fields(body, where, ("lower", "upper"))
            self.lower, self.upper = (numbers(body[key], where, size) for key in ("lower", "upper"))
            if any(a >= b for a, b in zip(self.lower, self.upper, strict=True)):
                raise Malformed(where, "has an empty or flat box")
            return
        kind = fields(body, where, ("field", "coordinates"))["field"]
        if kind == "rational":
            self.ring = Rationals(meter)
        elif kind == "ln2":
            self.ring = Ln2Ring(meter)
        else:
            fields(kind, where, ("polynomial", "interval"))
            modulus = tuple(numbers(kind["polynomial"], where, most=MAX_DEGREE + 1))
            self.ring = NumberField(meter, modulus, *numbers(kind["interval"], where, 2), where)
        self.coordinates = [element(self.ring, c, where) for c in array(body["coordinates"], where, size)]

    def read_uniform(self, body, where, problem, meter):
        """A symmetric point for every k: class sizes a k + b, entries as polynomials in s = k^(-1/2), scales c s^e."""
        fields(body, where, ("classes", "rows", "columns", "centre", "scale", "radius"))
        pairs = [array(pair, where, 2) for pair in array(body["classes"], where, most=8)]
        self.sizes = [(whole(a, where, 0, 1), whole(b, where, -64, 64)) for a, b in pairs]
        self.classes = [f"{'k' if a else ''}{f'{b:+d}' if b and a else b if not a else ''}" for a, b in self.sizes]
        if any(problem.first + b < 5 if a else b < 1 for a, b in self.sizes):
            raise Malformed(where, "has a class without elements, or a growing one of fewer than five")
        count = self.read_orbits(body, where, meter, [(1, 0), (1, 0)])
        self.centre = [[self.in_pi(v, where) for v in array(row, where, most=64)] for row in array(body["centre"], where, count)]
        powers = [array(pair, where, 2) for pair in [body["radius"], *array(body["scale"], where, count)]]
        self.radius, *self.scale = [(whole(e, where, 0, 16), number(c, where)) for e, c in powers]
        if any(c <= 0 for _, c in (self.radius, *self.scale)) or not all(self.centre):
            raise Malformed(where, "has no positive radius and scale, or an entry without coefficients")

    def read_orbits(self, body, where, meter, totals):
        """The orbits of rows and of columns, which make up all ``totals`` of them; the number of orbits of entries."""
        self.rows, self.columns = ([whole(a, where, 0, len(self.sizes) - 1) for a in array(body[key], where, most=8)] for key in ("rows", "columns"))
        if {*self.rows, *self.columns} != set(range(len(self.sizes))):
            raise Malformed(where, "has a class of neither rows nor columns")
        if [tuple(sum(self.sizes[a][k] for a in part) for k in (0, 1)) for part in (self.rows, self.columns)] != totals:
            raise Malformed(where, "has orbits that do not make up the rows and columns of W")
        self.orbits = Tied(Intervals(meter), self.sizes, self.rows, self.columns, {}).orbits()
        return len(self.orbits)

    def in_pi(self, body, where):
        """A rational number, or pairs (e, q) for the sum of q pi^e, as such pairs."""
        if isinstance(body, str):
            return [(0, number(body, where))]
        terms = [(whole(e, where, -64, 64), number(q, where)) for e, q in (array(pair, where, 2) for pair in array(body, where, most=24))]
        if [e for e, _ in terms] != sorted({e for e, _ in terms}) or not all(q for _, q in terms) or all(e == 0 for e, _ in terms):
            raise Malformed(where, "has a coefficient that is no sum of nonzero multiples of powers of pi in order")
        return terms

    def read_symmetric(self, body, where, problem, meter):
        if problem.kind == "student-teacher-relu-family" and "teacher" not in body:
            self.read_uniform(body, where, problem, meter)
            return
        if problem.kind != "student-teacher-relu":
            raise Malformed(where, "is a kind of point for student-teacher problems only")
        if "teacher" in body:
            fields(body, where, ("teacher",))
            self.teacher, self.ring = True, Rationals(meter)
            if body["teacher"] != "padded" or problem.students < problem.units:
                raise Malformed(where, "is no padded teacher of this problem")
            return
        fields(body, where, ("classes", "rows", "columns", "centre", "scale", "radius"))
        self.classes = [whole(m, where, 1, MAX_SIZE) for m in array(body["classes"], where, most=8)]
        self.sizes = [(0, m) for m in self.classes]
        count = self.read_orbits(body, where, meter, [(0, problem.students), (0, problem.dimension)])
        self.centre, self.scale = (numbers(body[key], where, count) for key in ("centre", "scale"))
        self.radius = number(body["radius"], where)
        if self.radius <= 0 or min(self.scale) <= 0:
            raise Malformed(where, "has no positive radius and scale")

    def enclosed(self, ring):
        """Intervals around the coordinates, in a box or ball by those of the whole box."""
        if self.ring is not None:
            return [self.ring.enclose(c, ring) for c in self.coordinates]
        return [ring.hull(ring.of(a), ring.of(b)) for a, b in zip(self.lower, self.upper, strict=True)]

    def expansion(self):
        """Coordinates as Taylor polynomials: p_k + x_k."""
        return [{(): c, (k,): self.ring.one} for k, c in enumerate(self.coordinates)]

    def plain(self):
        return [{(): c} for c in self.coordinates]

    def show_fitted(self, names):
        index, output = self.fitted
        parts = [f"{n} = {show(c)}" for k, (n, c) in enumerate(zip(names, self.coordinates, strict=True)) if k != index]
        return f"({brief_list(parts, f'{len(parts)} coordinates, ')}, and {names[index]} such that f(x_i) = {show(output)} for all samples)"

    def show(self, names):
        if self.fitted is not None:
            return self.show_fitted(names)
        if self.teacher:
            return "(the vectors of the teacher, then rows 0)"
        if self.classes is not None:
            return self.show_symmetric()
        if self.radius is not None:
            parts = [f"{n} = {show(c)}" for n, c in zip(names, self.centre, strict=True)]
        elif self.ring is None:
            parts = [f"{n} in [{show(a)}, {show(b)}]" for n, a, b in zip(names, self.lower, self.upper, strict=True)]
        else:
            parts = [f"{n} = {self.ring.show(c)}" for n, c in zip(names, self.coordinates, strict=True)]
        parts += [self.ring.describe()] if isinstance(self.ring, NumberField) else []
        text = brief_list(parts, f"{len(names)} coordinates, ")
        if self.radius is not None:
            return f"the only critical point of F in the closed ball of radius {show(self.radius)} around ({text})"
        return f"({text})" if self.ring is not None else f"the only critical point of F in the box ({text})"

    def show_symmetric(self):
        if isinstance(self.centre[0], list):
            text = json.dumps([[[show_in_pi(c) for c in row] for row in self.centre], [[e, show(c)] for e, c in (*self.scale, self.radius)]])
            return (
                "the only critical point of F_k in an ellipsoid of matrices W that are invariant under the permutations of index classes of "
                f"sizes {', '.join(self.classes)} (rows {', '.join(map(str, self.rows))}, columns {', '.join(map(str, self.columns))}), whose "
                f"numbers have sha256 {hashlib.sha256(text.encode('ascii')).hexdigest()}"
            )
        parts = [
            f"{'diagonal' if same else 'entries'} of block ({r + 1}, {c + 1}) = "
            + (show(v) if len(show(v)) <= 24 else decimal(math.floor(v * 10**12)) + "...")
            for (r, c, same), v in zip(self.orbits, self.centre, strict=True)
        ]
        text = ";".join(map(show, (*self.centre, *self.scale, self.radius)))
        code = hashlib.sha256(text.encode("ascii")).hexdigest()
        return (
            f"the only critical point of F in an ellipsoid of matrices W that are invariant under the permutations of index classes of sizes "
            f"{', '.join(map(str, self.classes))} (rows {', '.join(map(str, self.rows))}, columns {', '.join(map(str, self.columns))}), around "
            f"({', '.join(parts)}), numbers of sha256 {code}"
        )


def brief_list(parts, count=""):
    """The parts with commas, or the digest of that text where it is long."""
    text = ", ".join(parts)
    return text if len(text) <= 600 else f"{count}sha256 {hashlib.sha256(text.encode('ascii')).hexdigest()}"


def element(ring, body, where):
    """An ELEMENT of an exact ring, in canonical form."""
    if isinstance(ring, Rationals):
        return number(body, where)
    row = numbers(body, where, most=MAX_DEGREE)
    if not row or (row[-1] == 0 and len(row) > 1):
        raise Malformed(where, "has an empty coefficient list or a trailing zero")
    if isinstance(ring, NumberField) and len(row) >= len(ring.modulus):
        raise Malformed(where, "is not reduced modulo the field polynomial")
    return poly_trim(row)


def laurent_polynomial(ring, body, where, lows):
    """[[ELEMENT, [exponent of each variable, from ``lows`` on]], ...] with nonzero terms in increasing order."""
    out = {}
    for term in array(body, where, most=256):
        coefficient, exponents = array(term, where, 2)
        key = tuple(whole(e, where, low, MAX_DEGREE) for e, low in zip(array(exponents, where, len(lows)), lows, strict=True))
        value = element(ring, coefficient, where)
        if key <= max(out, default=(-MAX_DEGREE - 1,)) or value == ring.zero:
            raise Malformed(where, "has a zero term, or terms out of order")
        out[key] = value
    return out


# ---------------------------------------------------------------------------------------------------------------------
# 8. The rules. Each method recomputes what its step claims, raises Rejected if it fails, and returns the keys of the
#    facts that it rests on. Lemmas and side conditions: docs/certificate.md, section "Rules".

STEP_KEYS = {  # in the order in which steps must stand
    "hypothesis": ("name",),
    "minimum-in-ball": ("point", "modulus"),
    "symmetric-inertia": ("point", "modulus", "inertia"),
    "uniform-minimum": ("point", "modulus", "order"),
    "value": ("point",),
    "stationary": ("point",),
    "stationary-in-box": ("point", "preconditioner"),
    "inertia": ("point", "inertia"),
    "strict-minimum": ("point",),
    "maximum": ("point",),
    "strict-saddle": ("point",),
    "flat-minimum": ("point", "proof"),
    "morse-bott-minimum": ("point", "family"),
    "morse-bott-maximum": ("point", "family"),
    "descent-curve": ("point", "order", "coefficient", "curve"),
    "ascent-curve": ("point", "order", "coefficient", "curve"),
    "floor": ("proof", "value"),
    "below": ("lower", "upper"),
    "global": ("point",),
    "coercive": ("level", "bounds"),
    "path": ("point", "to", "pieces"),
    "escape": ("point", "from", "limit", "path"),
    "basin": ("point", "level", "lower", "upper"),
    "wall": ("point", "to", "level", "wall", "proof"),
    "output-basin": ("point", "level", "lower", "upper", "cuts"),
    "constant": ("point",),
    "slice-basin": ("point", "directions", "at", "level", "lower", "upper", "cuts"),
    "quadratic-output": (),
    "line": ("point", "direction", "above", "below", "inertia", "basis"),
    "gradient-step": ("point", "to", "step"),
    "flow": ("point", "to", "from", "until", "path"),
    "chord": ("point", "to"),
    "orthogonal-requ": (),
    "added-unit": (),
    "zero-error": ("interpolations",),
    "tangent-optimal": ("point", "combination"),
    "kinks-nearby": ("point", "unit", "sample"),
    "rank": ("point", "matrix", "rank"),
    "disparity": ("point", "frequencies", "cells", "rank"),
    "fourier-limit": ("point", "value"),
    "frozen": ("point", "value"),
    "revival": ("point", "to", "step", "layer", "unit"),
    "aliased": ("frequencies", "relation", "value"),
    "too-few-breaks": (),
    "gram-floor": ("value",),
    "gram-null": ("vector",),
    "hidden-gram": ("point", "value"),
    "linear-descent": ("point", "rate", "floor"),
    "hidden-descent": ("point", "rate", "steps", "value"),
    "flow-ends": ("point", "sample"),
    "flow-rests": ("point", "floor", "selection"),
    "initial-mean": ("value",),
    "radius": ("bounds",),
    "complete-in-box": ("lower", "upper", "points", "tree"),
    "complete": (),
    "feature-null": ("vector",),
    "feature-null-near": ("point", "vector"),
    "positive": (),
}
STEP_OPTIONS = {"value": ("value", "lower", "upper"), "inertia": ("congruence",), "path": ("level",),
                "wall": ("cells", "side"), "chord": ("at",), "floor": ("squares", "eigenvalues"), "basin": ("cuts", "moduli", "congruence"),
                "disparity": ("slope",), "rank": ("rows",)}
MATRICES = {  # of the rule rank
    "features": "the matrix of the outputs of the last hidden layer on the samples ({} x {}) has {} at p",
    "gradients": "the matrix of the derivatives of the outputs on the samples in the parameters ({} x {}) has {} at p, and its Gram "
    "matrix, the tangent kernel, has the same rank",
    "product": "the product of the weight matrices ({} x {}) has {} at p",
}
STUDENT_RULES = ("minimum-in-ball", "symmetric-inertia", "value", "floor", "below", "global")
RULE_ORDER = {rule: k for k, rule in enumerate(STEP_KEYS)}


HYPOTHESES = {  # properties of networks with a hidden layer
    "one-hidden-layer": lambda p: p.hidden_layers == 1,
    "linear-output": lambda p: p.output.kind == "linear",
    "scalar-output": lambda p: p.widths[-1] == 1,
    "scalar-inputs": lambda p: p.widths[0] == 1,
    "hidden-bias": lambda p: all(p.bias[:-1]),
    "no-hidden-bias": lambda p: not any(p.bias[:-1]),
    "no-output-bias": lambda p: not p.bias[-1],
    "squared-loss": lambda p: p.loss == "squared",
    "unit-weights": lambda p: set(p.sample_weights) == {1},
    "no-regularizer": lambda p: p.regularizer is None,
    "width-at-least-samples": lambda p: min(p.widths[1:-1]) >= len(p.inputs),
    "inputs-distinct": lambda p: len(set(map(tuple, p.inputs))) == len(p.inputs),
    "a-coordinate-separates-inputs": lambda p: any(len(set(c)) == len(c) for c in zip(*p.inputs, strict=True)),
    "at-least-three-samples": lambda p: len(p.inputs) >= 3,
    **{f"activation-{kind}": lambda p, kind=kind: all(a.kind == kind for a in p.activations) for kind in ACTIVATION_KEYS},
}


# 8a. Rules about the canonical space: Fourier coefficients of the network function on the unit cube, and what the data see.


def fourier_integrals(low, high, g, k):
    """Coefficients of 1, P, P^2, ... (P = 1/pi) of the integrals of g cos 2 pi k x and g sin 2 pi k x (k = 0: of g) over
    [low, high], multiples of 1/4. By parts, w = 2 pi k: g sin/w + g' cos/w^2 - ..., and -g cos/w + g' sin/w^2 + ..."""
    if k == 0:
        return [[sum(c * (high ** (e + 1) - low ** (e + 1)) / (e + 1) for e, c in enumerate(g))]]
    out, order = [[Fraction(0)], [Fraction(0)]], 0
    while g:
        for shift, row in zip((order, order - 1), out, strict=True):  # sin(a + n pi/2) = sin a, cos a, -sin a, -cos a, ...
            ends = [(0, 1, 0, -1)[int(4 * k * x + shift) % 4] * poly_at(g, x) for x in (low, high)]
            row.append((ends[1] - ends[0]) / (2 * k) ** (order + 1))
        g, order = poly_derivative(g), order + 1
    return out


@functools.cache
def cyclotomic(n):
    """The minimal polynomial of e^(2 pi i / n)."""
    found = (Fraction(-1), *[Fraction(0)] * (n - 1), Fraction(1))
    for d in range(1, n):
        found = found if n % d else poly_divmod(found, cyclotomic(d))[0]
    return found


def strict_piece(ring, act, z):
    """The polynomial piece of phi strictly inside which z lies, or None."""
    at = [sides(ring, z, b) for b in act.breaks]
    return act.pieces[sum(above for _, above in at)] if act.pieces and (False, False) not in at else None


class CanonicalRules:
    """A part of `Proof`. f_p is the network function x -> f(x; p) on [0, 1]^K, Q_N the loss of its Fourier partial sum."""

    def canonical_problem(self, rule, scalar=False):
        p = self.problem
        if p.kind != "dense" or p.loss != "squared" or p.widths[-1] != 1 or p.regularizer is not None:
            raise Rejected(rule, "needs a network with scalar output, the squared loss and no regularizer")
        if len(set(map(tuple, p.inputs))) != len(p.inputs) or not all(0 <= v <= 1 for x in p.inputs for v in x):
            raise Rejected(rule, "needs distinct inputs in the unit cube")
        if scalar and p.widths[0] != 1:
            raise Rejected(rule, "is limited to scalar inputs")
        return p

    def rule_disparity(self, step):
        """The rank of H over Q(1/pi): df_p/dtheta_m against 1, cos 2 pi k x, sin 2 pi k x (k = 1..n) on [0, 1]."""
        p, point, where = self.canonical_problem("disparity", True), self.exact_point(step), "step.cells"
        columns = 2 * whole(step["frequencies"], "step.frequencies", 0, 64) + 1
        ends = [Fraction(0), *(number(c, where) for c in array(step["cells"], where, most=16)), Fraction(1)]
        if any(a >= b or (4 * b).denominator != 1 for a, b in itertools.pairwise(ends)):
            raise Malformed(where, "are not increasing multiples of 1/4 between 0 and 1")
        if not isinstance(point.ring, Rationals):
            raise Rejected("disparity", "needs a rational point")
        table = [[[] for _ in range(columns)] for _ in range(self.size + 1)]
        for low, high in itertools.pairwise(ends):
            ring = CellRing(point.ring, low, high)
            expand, theta = Taylor(ring, 1), [{(): ring.lift(c), (m,): ring.one} for m, c in enumerate(point.coordinates)]
            found = expand.rest(p, theta, expand.layer(p, theta, 0, [{(): {(1, 0): Fraction(1)}}]))[0]
            for m, row in enumerate(table):  # row 0 is f_p itself, row m its derivative by parameter m
                g = ring.polynomial(found.get((m - 1,) if m else (), {}))
                for k in range(columns // 2 + 1 if g else 0):
                    self.meter.spend(8 * len(g) ** 2, poly_size(g))
                    for column, extra in enumerate(fourier_integrals(low, high, g, k), start=max(2 * k - 1, 0)):
                        row[column] = [a + b for a, b in itertools.zip_longest(row[column], extra, fillvalue=Fraction(0))]
        rank = self.rank_over_pi(table[1:])
        if rank != whole(step["rank"], "step.rank", 0, columns):
            raise Rejected("disparity", "the matrix does not have the stated rank")
        least = number(step["slope"], "step.slope") if "slope" in step else None
        if least is not None:
            self.canonical_slope(p, table[0], least)
        rows = {tuple(map(poly_trim, row)) for row in table[1:]}
        plain = len(rows) == self.size and all(any(row) for row in rows)
        self.found["disparity", step["point"]] = columns, rank, plain, least
        return ()

    def rank_over_pi(self, rows):
        """Entries are polynomials in P = 1/pi, transcendental. A minor that vanishes at more values of P than its degree is 0, so
        the rank is the largest one at that many values."""
        columns, best = range(len(rows[0])), 0
        for value in range(1, 2 + sum(max(max(len(row[c]) - 1, 0) for row in rows) for c in columns)):
            self.meter.spend(sum(1 + len(entry) for row in rows for entry in row))
            best = max(best, len(independent_rows([[poly_at(entry, value) for entry in row] for row in rows], self.meter)))
            if best == len(columns):
                break
        return best

    def canonical_slope(self, p, coefficients, least):
        """Some component of the gradient of Q_N in the coefficients of 1, cos 2 pi k x, sin 2 pi k x is >= least > 0 in size."""
        ring = Intervals(self.meter)
        power, sizes, series = ring.inverse(ring.pi), [ring.zero] * len(coefficients), []
        for k, entry in enumerate(coefficients):  # S_N f = integral of f + 2 sum (cosine integral) cos + (sine integral) sin
            value = ring.zero
            for c in reversed(entry):
                value = ring.add(ring.mul(value, power), ring.of(c))
            series.append(ring.scale(value, 2 if k else 1))
        for x, y, c in zip(p.inputs, p.targets, p.sample_weights, strict=True):
            turns = [ring.sine_cosine(ring.scale(ring.pi, 2 * k * x[0])) for k in range(1, len(series) // 2 + 1)]
            basis = [ring.one] + [wave for sine, cosine in turns for wave in (cosine, sine)]
            slope = ring.scale(ring.sub(ring.dot(series, basis), ring.of(y[0])), 2 * c)
            sizes = [ring.add(old, ring.mul(slope, wave)) for old, wave in zip(sizes, basis, strict=True)]
        if least <= 0 or max(ring.magnitude(v)[0] for v in sizes) < ring.of(least)[1]:
            raise Rejected("disparity", "the gradient of Q_N in the Fourier coefficients is not proved to be that large")

    def rule_fourier_limit(self, step):
        """lim Q_N(p): f_p is Lipschitz on [0, 1], so its Fourier series tends to f_p inside and to the mean of f_p(0), f_p(1)
        at both ends (Dirichlet, Jordan)."""
        p, point = self.canonical_problem("fourier-limit", True), self.exact_point(step)
        ring, total = point.ring, point.ring.zero
        value = {x: Taylor(ring, 0).outputs(p, point.plain(), [Fraction(x)])[0].get((), ring.zero) for x in (0, 1, *(x[0] for x in p.inputs))}
        ends = value[0], value[1]
        if ring.same(*ends):
            raise Rejected("fourier-limit", "f_p takes the same value at 0 and at 1")
        value[0] = value[1] = ring.scale(ring.add(*ends), Fraction(1, 2))
        for x, y, c in zip(p.inputs, p.targets, p.sample_weights, strict=True):
            residual = ring.sub(value[x[0]], ring.of(y[0]))
            total = ring.add(total, ring.scale(ring.mul(residual, residual), c))
        claimed = element(ring, step["value"], "step.value")
        if not ring.same(total, claimed):
            raise Rejected("fourier-limit", "the limit of Q_N is not the stated value")
        self.found["fourier-limit", step["point"]] = claimed, [ring.show(v) for v in (value[0], *ends)]
        return ()

    def rule_frozen(self, step):
        """All hidden pre-activations at the data lie strictly inside pieces of phi that are 0: only an output bias can move."""
        p, point, ring = self.canonical_problem("frozen"), self.exact_point(step), self.exact_point(step).ring
        if p.hidden_layers != 1 or p.output.kind != "linear":
            raise Rejected("frozen", "needs one hidden layer and a linear output")
        plain, act, pairs = Taylor(ring, 0), p.activations[0], list(zip(p.targets, p.sample_weights, strict=True))
        for x in p.inputs:
            for z in plain.layer(p, point.plain(), 0, [plain.constant(v) for v in x]):
                piece = strict_piece(ring, act, z.get((), ring.zero))
                if piece is None or any(piece):
                    raise Rejected("frozen", "a unit is not strictly inactive at an input")
        total = Rationals(self.meter).total  # charged to the meter: denominators may grow with every summand
        centre = total(c * y[0] for y, c in pairs) / total(p.sample_weights) if p.bias[1] else 0
        floor = total(c * (y[0] - centre) ** 2 for y, c in pairs)
        if number(step["value"], "step.value") != floor:
            raise Rejected("frozen", "the least value of F near p is not the stated one")
        self.found["frozen", step["point"]] = floor
        return ()

    def rule_revival(self, step):
        """q = p - step grad F(p); a unit that is inactive on the whole cube at p is active at an input of the data at q."""
        p, point, end = self.canonical_problem("revival"), self.exact_point(step), self.points[step["to"]]
        length, layer = number(step["step"], "step.step"), whole(step["layer"], "step.layer", 1, max(p.hidden_layers, 1))
        unit = whole(step["unit"], "step.unit", 1, p.widths[layer])
        if p.hidden_layers < 1 or not isinstance(point.ring, Rationals) or not isinstance(end.ring, Rationals) or length <= 0:
            raise Rejected("revival", "needs a hidden layer, two rational points and a positive step")
        if self.descended(step["point"], length) != end.coordinates:
            raise Rejected("revival", f"{step['to']} is not that gradient step from {step['point']}")

        def piece(ring, where, signal):
            plain, theta = Taylor(ring, 0), [{(): ring.of(c)} for c in where.coordinates]
            z = plain.layer(p, theta, layer - 1, plain.hidden(p, theta, signal, layer - 1))[unit - 1].get((), ring.zero)
            return strict_piece(ring, p.activations[layer - 1], z)

        intervals = Intervals(self.meter)
        before = piece(intervals, point, [{(): (0, intervals.unit)}] * p.widths[0])
        after = [piece(end.ring, end, [{(): v} for v in x]) for x in p.inputs]
        if before is None or any(before) or not any(found is not None and any(found) for found in after):
            raise Rejected("revival", "the unit is not inactive on the cube before the step and active at an input after it")
        self.found["revival", step["point"], step["to"]] = str(unit), str(layer), show(length)
        return ()

    def rule_aliased(self, step):
        """sum_t relation_t e^(2 pi i k.x_t) = 0 for |k_i| <= frequencies_i, so (Cauchy, Schwarz) no such trigonometric polynomial
        has a smaller loss than (relation . y)^2 / sum_t relation_t^2 / c_t."""
        p = self.canonical_problem("aliased")
        top = [whole(n, "step.frequencies", 0, 64) for n in array(step["frequencies"], "step.frequencies", p.widths[0])]
        relation = numbers(step["relation"], "step.relation", len(p.inputs))
        turn, count = math.lcm(*(v.denominator for x in p.inputs for v in x)), math.prod(2 * n + 1 for n in top)
        if turn > 120 or count > 2_000 or not any(relation):
            raise Rejected("aliased", "needs a relation, inputs with a common denominator up to 120 and at most 2000 frequencies")
        for wave in itertools.product(*(range(-n, n + 1) for n in top)):
            total = [Fraction(0)] * turn
            for x, v in zip(p.inputs, relation, strict=True):
                total[int(turn * sum(map(Fraction.__mul__, x, map(Fraction, wave)))) % turn] += v
            self.meter.spend(turn * turn // 4 + 4 * len(top) * len(relation), poly_size(relation))
            if poly_divmod(poly_trim(total), cyclotomic(turn))[1]:
                raise Rejected("aliased", "the relation does not hold for all these frequencies")
        total = Rationals(self.meter).total
        gap = total(v * y[0] for v, y in zip(relation, p.targets, strict=True))
        least = gap**2 / total(v * v / c for v, c in zip(relation, p.sample_weights, strict=True))
        if number(step["value"], "step.value") != least or not least:
            raise Rejected("aliased", "the bound is not the stated one, or 0")
        self.found["aliased",] = str(len(p.inputs)), str(count), ", ".join(map(str, top)), show(least)
        return ()

    def rule_too_few_breaks(self, step):
        """f is piecewise polynomial of degree m with at most units * breaks breakpoints; a nonzero divided difference of order
        m + 1 of the targets forces one between its inputs."""
        p = self.canonical_problem("too-few-breaks", True)
        if p.hidden_layers != 1 or p.output.kind != "linear" or not p.activations[0].pieces:
            raise Rejected("too-few-breaks", "needs one hidden layer of piecewise polynomial units and a linear output")
        data = sorted((x[0], y[0]) for x, y in zip(p.inputs, p.targets, strict=True))
        most, order, at, forced = p.widths[1] * len(p.activations[0].breaks), max(map(len, p.activations[0].pieces)), 0, 0
        while at + order < len(data):
            window = data[at : at + order + 1]
            self.meter.spend(order * order, order * max(size(x) for x, _ in window))
            bent = Rationals(self.meter).total(y / math.prod(x - u for u, _ in window if u != x) for x, y in window) != 0
            forced, at = forced + bent, at + (order if bent else 1)
        if forced <= most:
            raise Rejected("too-few-breaks", "the targets do not force more breakpoints than the network has")
        self.found["too-few-breaks",] = str(forced), str(most)
        return ()


class Proof(CanonicalRules):
    """The state of one check: the problem, the named points and the facts proved so far (fact key -> keys used)."""

    def __init__(self, problem, points, meter):
        self.problem, self.points, self.meter, self.size = problem, points, meter, problem.size
        self.facts, self.values, self.inertias, self.jets, self.found = {}, {}, {}, {}, {}  # found: numbers beside facts

    def need(self, rule, *names):
        if (rule, *names) not in self.facts:
            raise Rejected(rule, f"is needed for {', '.join(names)} and missing" if names else "is needed and missing")
        return (rule, *names)

    def critical(self, name):
        point = self.points[name]
        kinds = (point.classes, "symmetric-inertia"), (point.radius, "minimum-in-ball"), (not point.ring, "stationary-in-box"), (True, "stationary")
        return self.need(next(rule for holds, rule in kinds if holds), name)

    def boxed_point(self, step):
        point = self.points[step["point"]]
        if point.ring is not None or point.radius is not None or point.fitted is not None:
            kind = "an exact point" if point.ring is not None else "not known by a box"
            raise Rejected(step["rule"], f"{step['point']} is {kind}")
        return point

    def exact_point(self, step):
        point = self.points[step["point"]]
        if point.ring is None:
            raise Rejected(step["rule"], f"needs an exact point; {step['point']} is known by a box or a ball only")
        return point

    def matrix_rule(self, rule):
        if self.size > MAX_MATRIX:
            raise Rejected(rule, f"is limited to {MAX_MATRIX} parameters")

    def expansion(self, name, order):
        """F around an exact point, to first or second order (without a reliable constant term)."""
        if (name, 2) in self.jets:
            order = 2
        if (name, order) not in self.jets:
            point = self.points[name]
            self.jets[name, order] = expand(self.problem, point.ring, point.coordinates, order, need_value=False)
        return self.jets[name, order]

    def descended(self, name, length):
        """The coordinates of p - length grad F(p) for an exact point p."""
        point, slope = self.points[name], self.expansion(name, 1)
        ring = point.ring
        return [ring.sub(c, ring.scale(slope.get((k,), ring.zero), length)) for k, c in enumerate(point.coordinates)]

    def hessian_over(self, ring, box):
        return hessian_rows(expand(self.problem, ring, box, 2, need_value=False), self.size, ring)

    def rational_matrix(self, body, where, ring):
        rows = [array(row, where, self.size) for row in array(body, where, self.size)]
        return [[ring.of(number(v, where)) for v in row] for row in rows]

    # -- facts about the problem --------------------------------------------------------------------------------------

    def rule_hypothesis(self, step):
        name, p = step["name"], self.problem
        if p.kind != "dense" or p.hidden_layers < 1:
            raise Rejected("hypothesis", "needs a network with a hidden layer")
        if not HYPOTHESES[name](p):
            raise Rejected("hypothesis", f"{name} does not hold for this problem")
        return ()

    # -- values -------------------------------------------------------------------------------------------------------

    def fitted_enclosure(self, rule, point):
        """Intervals around the coordinates of a fitted point: first weights 0, so the output is one number f_0 + theta_k a."""
        p, (index, output), ring = self.problem, point.fitted, Intervals(self.meter)
        if p.kind != "dense" or p.hidden_layers < 1 or p.widths[-1] != 1 or p.output.kind != "linear" or p.loss != "squared":
            raise Rejected(rule, "a fitted coordinate needs a hidden layer, one linear output and the squared loss")
        if p.regularizer is not None or index < p.blocks[-1][0]:
            raise Rejected(rule, "a fitted coordinate needs to be of the last layer, without regularizer")
        if any(point.coordinates[: p.widths[0] * p.widths[1]]):
            raise Rejected(rule, "a fitted coordinate needs first weights that are 0")
        coordinates, found = [ring.of(c) for c in point.coordinates], []
        for value in (ring.zero, ring.one):
            coordinates[index] = value
            theta = [{(): c} for c in coordinates]
            found.append(Taylor(ring, 0).outputs(p, theta, p.inputs[0])[0].get((), ring.zero))
        factor = ring.sub(found[1], found[0])
        if factor[0] <= 0 <= factor[1]:
            raise Rejected(rule, "the output is not proved to depend on the fitted coordinate")
        coordinates[index] = ring.mul(ring.sub(ring.of(output), found[0]), ring.inverse(factor))
        return coordinates

    def rule_value(self, step):
        name, point, p = step["point"], self.points[step["point"]], self.problem
        if "value" in step or point.fitted is not None:
            if point.fitted is not None:
                self.fitted_enclosure("value", point)
            fields(step, "step", ("rule", "point", "value"))
            ring = Rationals(self.meter) if point.fitted is not None else self.exact_point(step).ring
            claimed = element(ring, step["value"], "step.value")
            if point.fitted is not None:
                found = ring.total(c * (point.fitted[1] - y) ** 2 for (y,), c in zip(p.targets, p.sample_weights, strict=True))
            else:
                found = self.taught(step) if p.kind == "student-teacher-relu" else value_at(p, ring, point.coordinates)
            if not ring.same(found, claimed):
                raise Rejected("value", f"F({name}) is not the stated value")
            self.values[name] = ("exact", ring, claimed)
            return ()
        fields(step, "step", ("rule", "point", "lower", "upper"))
        low, high = number(step["lower"], "step.lower"), number(step["upper"], "step.upper")
        ring, used = Intervals(self.meter), ()
        if point.radius is not None:
            used, found = (self.critical(name),), self.found["ball", name]
        elif p.kind == "student-teacher-relu":
            found = ring.ends(StudentTeacher(ring, p, self.rational_point(step)).value())
        else:
            found = ring.ends(value_at(p, ring, point.enclosed(ring)))
            used = () if point.ring else (("stationary-in-box", name),)  # a later step, without which the name means nothing
        if not low <= found[0] <= found[1] <= high:
            raise Rejected("value", f"F({name}) is not enclosed by the stated bounds")
        self.values[name] = ("bounds", low, high)
        return used

    def taught(self, step):
        """0, the value of F where the nonzero units are the teacher's vectors in some order; elsewhere F is irrational."""
        if self.points[step["point"]].teacher:
            return Fraction(0)
        w, p = self.rational_point(step), self.problem
        self.meter.spend(p.dimension * p.units)
        rows = [w[k : k + p.dimension] for k in range(0, len(w), p.dimension)]
        teacher = p.teacher or [[Fraction(j == k) for j in range(p.dimension)] for k in range(p.units)]
        if sorted(row for row in rows if any(row)) != sorted(teacher):
            raise Rejected("value", "is known exactly only where the students are the teacher; use bounds")
        return Fraction(0)

    def rational_point(self, step):
        ring = self.exact_point(step).ring
        if not isinstance(ring, Rationals) or self.points[step["point"]].teacher:
            raise Rejected(step["rule"], "needs rational coordinates in a student-teacher problem")
        return self.points[step["point"]].coordinates

    def rule_floor(self, step):
        proof, value = step["proof"], number(step["value"], "step.value")
        self.found["floor"], self.found["floor",] = value, (show(value),)
        if proof == "squares":
            return self.floor_by_squares(step, value)
        fields(step, "step", ("rule", "proof", "value", *(("eigenvalues",) if proof == "rank" else ())))
        if proof == "critical-points":
            return self.lowest_critical(value)
        if proof in ("least-squares", "rank"):
            if self.problem.kind != "dense" or self.problem.loss != "squared":
                raise Rejected("floor", "needs a network and the squared loss")
            if value != self.least_squares() + (self.trailing(step["eigenvalues"]) if proof == "rank" else 0):
                raise Rejected("floor", "the value is not the stated one")
            return ()
        if proof != "nonnegative":
            raise Malformed("step.proof", "is not a known proof of floor")
        if value != 0 or self.problem.kind == "monomial":
            raise Rejected("floor", "nonnegative proves the floor 0, of network losses")
        return ()  # an expected square; squared and logistic terms have c_i > 0, regularizers have weights >= 0

    def floor_by_squares(self, step, value):
        """A polynomial loss that is value + sum_k c_k g_k^2, c_k > 0, coefficient by coefficient."""
        where, length = "step.squares", self.size
        fields(step, "step", ("rule", "proof", "value", "squares"))
        if self.problem.kind != "monomial":
            raise Rejected("floor", "squares is for polynomial losses")
        total = {(0,) * length: value}
        for square in array(step["squares"], where, most=64):
            factor, terms = array(square, where, 2)
            factor, polynomial = number(factor, where), {}
            for term in array(terms, where, most=256):
                coefficient, exponents = array(term, where, 2)
                key = tuple(whole(e, where, 0, MAX_DEGREE) for e in array(exponents, where, length))
                if key in polynomial:
                    raise Malformed(where, "repeat a monomial")
                polynomial[key] = number(coefficient, where)
            if factor <= 0:
                raise Rejected("floor", "a square has a factor that is not positive")
            for (e, a), (f, b) in itertools.product(polynomial.items(), repeat=2):
                self.meter.spend(1, size(a) + size(b))
                key = tuple(map(int.__add__, e, f))
                total[key] = Rationals(self.meter).add(total.get(key, Fraction(0)), factor * a * b)
        if {e: c for e, c in total.items() if c} != {e: c for e, c in self.problem.terms.items() if c}:
            raise Rejected("floor", "F is not the value plus these squares")
        return ()

    def lowest_critical(self, value):
        """F attains its minimum (`complete` asks for a regularizer), at one of the points or at the origin."""
        for name in self.points:
            self.need("value", name)
            if self.bounds(name)[0] < value:
                raise Rejected("floor", f"F({name}) >= {show(value)} is not proved by its value")
        ring = Intervals(self.meter)
        if ring.ends(value_at(self.problem, ring, [ring.zero] * self.size))[0] < value:
            raise Rejected("floor", "F is smaller at the origin")
        return (("complete",), *(("value", name) for name in self.points))  # complete is a later step

    def output_features(self):
        """Rational vectors (one entry per sample) whose span holds every output of the network on the samples: monomials of the inputs
        for polynomial activations, else the indicators of equal inputs."""
        p, acts = self.problem, [*self.problem.activations, self.problem.output]
        own, single = [homogeneity(act) for act in acts], all(len(act.pieces) == 1 for act in acts)
        exact = single and not any(p.bias) and None not in own
        degree = math.prod(own) if exact else math.prod(len(act.pieces[0]) - 1 for act in acts) if single else 0
        if single and degree <= MAX_DEGREE and p.widths[0] <= MAX_DEGREE and math.comb(p.widths[0] + degree, degree) <= MAX_SAMPLES:
            self.meter.spend(math.comb(p.widths[0] + degree, degree) * len(p.inputs) * (degree + 1) // 4)
            orders = [degree] if exact else range(degree + 1)
            chosen = (some for k in orders for some in itertools.combinations_with_replacement(range(p.widths[0]), k))
            return [[math.prod((x[k] for k in some), start=Fraction(1)) for x in p.inputs] for some in chosen]
        groups = sorted(set(map(tuple, p.inputs)))
        self.meter.spend(len(groups) * len(p.inputs))
        return [[Fraction(tuple(x) == other) for x in p.inputs] for other in groups]

    def least_squares(self):
        """sum over outputs of the squared c-weighted distance of the targets from the span of the features; keeps the projections."""
        p, basis, rationals = self.problem, [], Rationals(self.meter)

        def inner(a, b):
            self.meter.spend(2 * len(a), poly_size(a) + poly_size(b))
            return rationals.total(c * u * v for c, u, v in zip(p.sample_weights, a, b, strict=True))

        def rest(vector):
            for other, square in basis:
                factor = inner(vector, other) / square
                self.meter.spend(1, size(factor) + poly_size(other))
                vector = [u - factor * v for u, v in zip(vector, other, strict=True)] if factor else vector
            return vector

        for feature in self.output_features():
            left = rest(feature)
            if any(left):
                basis.append((left, inner(left, left)))
        columns = [list(column) for column in zip(*p.targets, strict=True)]
        rests = [rest(column) for column in columns]
        fits = [[a - b for a, b in zip(column, left, strict=True)] for column, left in zip(columns, rests, strict=True)]
        self.found["fits"] = [[inner(a, b) for b in fits] for a in fits]
        return rationals.total(inner(left, left) for left in rests)

    def trailing(self, body):
        """A lower bound of the sum of the smallest eigenvalues of the fits' Gram matrix, those beyond the rank of a linear network."""
        p, gram, rationals = self.problem, self.found["fits"], Rationals(self.meter)
        if any(p.bias) or any(homogeneity(act) != 1 or act.breaks for act in (*p.activations, p.output)):
            raise Rejected("floor", "rank needs a linear network without biases")
        count = max(len(gram) - min(p.widths), 0)
        bounds = numbers(body, "step.eigenvalues", count)
        for k, bound in enumerate(bounds):  # the k-th smallest eigenvalue (from 0) is >= bound if at most k are < bound
            moved = [{j: v - (bound if i == j else 0) for j, v in enumerate(row)} for i, row in enumerate(gram)]
            if inertia_of(rationals, moved)[2] > k:
                raise Rejected("floor", "an eigenvalue is below its bound")
        return sum(bounds, start=Fraction(0))

    def rule_global(self, step):
        used = (self.need("value", step["point"]), self.need("floor"))
        kind, ring, value = self.values[step["point"]]
        if kind != "exact" or ring.sign(ring.sub(value, ring.of(self.found["floor"]))) != 0:
            raise Rejected("global", f"F({step['point']}) is not exactly the proved floor")
        return used

    def rule_below(self, step):
        names = step["lower"], step["upper"]
        used = tuple(self.need("value", name) for name in names)
        if not self.bounds(names[0])[1] < self.bounds(names[1])[0]:
            raise Rejected("below", f"F({names[0]}) < F({names[1]}) is not proved by the two values")
        return used

    def bounds(self, name):
        """Rational bounds of a proved value; both are the value itself where it is rational."""
        kind, *rest = self.values[name]
        if kind == "bounds":
            return rest
        ring, value = rest
        exact, intervals = ring.rational(value), Intervals(self.meter)
        return (exact, exact) if exact is not None else intervals.ends(ring.enclose(value, intervals))

    # -- critical points and second-order tests -----------------------------------------------------------------------

    def rule_stationary(self, step):
        ring, expansion = self.exact_point(step).ring, self.expansion(step["point"], 1)
        self.vanishing_gradient("stationary", expansion, lambda g: ring.sign(g) == 0, ring.zero)
        return ()

    def vanishing_gradient(self, rule, expansion, is_zero, zero):
        for k, parameter in enumerate(self.problem.names):
            if not is_zero(expansion.get((k,), zero)):
                raise Rejected(rule, f"dF/d{parameter} does not vanish")

    def rule_stationary_in_box(self, step):
        """Krawczyk: K = m - C grad F(m) + (I - C H(B))(B - m) lies in the interior of B."""
        point = self.boxed_point(step)
        self.matrix_rule("stationary-in-box")
        ring = Intervals(self.meter)
        box, middle = point.enclosed(ring), [ring.of((a + b) / 2) for a, b in zip(point.lower, point.upper, strict=True)]
        hessian, gradient = self.hessian_over(ring, box), gradient_at(self.problem, ring, middle)
        offset = [ring.sub(b, m) for b, m in zip(box, middle, strict=True)]
        for i, c in enumerate(self.rational_matrix(step["preconditioner"], "step.preconditioner", ring)):
            image = ring.sub(middle[i], ring.dot(c, gradient))
            row = [ring.one if i == j else ring.zero for j in range(self.size)]  # row i of I - C H
            for k, factor in enumerate(c):
                for j, value in hessian[k].items():
                    row[j] = ring.sub(row[j], ring.mul(factor, value))
            image = ring.add(image, ring.dot(row, offset))
            if not (ring.of(point.lower[i])[1] < image[0] and image[1] < ring.of(point.upper[i])[0]):
                raise Rejected("stationary-in-box", f"the Krawczyk image leaves the box in coordinate {i + 1}")
        return ()

    def rule_minimum_in_ball(self, step):
        """Hess F >= modulus > 0 on the ball around c and |grad F(c)| < modulus * radius: one critical point, a strict minimum."""
        name, point, p = step["point"], self.points[step["point"]], self.problem
        modulus = number(step["modulus"], "step.modulus")
        if point.radius is None or point.classes:
            raise Rejected("minimum-in-ball", f"{name} is not known by a ball")
        if self.size > MAX_BALL:
            raise Rejected("minimum-in-ball", f"is limited to {MAX_BALL} parameters")
        if modulus <= 0:
            raise Rejected("minimum-in-ball", "needs a positive modulus")
        ring = Intervals(self.meter)
        value, gradient, matrix = around(p, point.centre, point.radius, ring)
        low, high = ring.ends(value)
        slope = ring.ends(ring.total(map(ring.square, gradient)))[1]
        if not slope < (modulus * point.radius) ** 2:
            raise Rejected("minimum-in-ball", "the gradient at the centre is too long for this radius")
        if not proved_above(matrix, math.ceil(modulus * ULP), self.meter):
            raise Rejected("minimum-in-ball", "the Hessian minus the modulus is not proved positive semidefinite over the ball")
        self.found["ball", name] = low - slope / (2 * modulus), high
        return ()

    def rule_symmetric_inertia(self, step):
        """One critical point among the matrices of a symmetry, by strong convexity there, and the inertia of the whole Hessian
        at it from its blocks."""
        name, point, p = step["point"], self.points[step["point"]], self.problem
        modulus = number(step["modulus"], "step.modulus")
        claimed = tuple(whole(v, "step.inertia", 0, self.size) for v in array(step["inertia"], "step.inertia", 3))
        if not point.classes or p.teacher is not None or p.units != p.dimension:
            raise Rejected("symmetric-inertia", "needs a symmetric point and an orthonormal basis as the teacher")
        if modulus <= 0:
            raise Rejected("symmetric-inertia", "needs a positive modulus")
        ring = Intervals(self.meter)
        shape = ring, point.sizes, point.rows, point.columns
        scale = [ring.of(v) for v in point.scale]
        centre = Tied(*shape, {o: ring.of(v) for o, v in zip(point.orbits, point.centre, strict=True)})
        ends = [[v + s * t * point.radius for v, t in zip(point.centre, point.scale, strict=True)] for s in (-1, 1)]
        near = Tied(*shape, {o: ring.hull(ring.of(a), ring.of(b)) for o, a, b in zip(point.orbits, *ends, strict=True)})
        slope = ring.ends(centre.steepness(scale))[1]
        if not slope < (modulus * point.radius) ** 2:
            raise Rejected("symmetric-inertia", "the gradient at the centre is too long for this radius")
        found = symmetric_inertia(near, scale, ring.of(modulus))
        if sum(found) != self.size or found != claimed:
            raise Rejected("symmetric-inertia", f"the Hessian at {name} does not have the stated inertia")
        low, high = ring.ends(centre.value())
        self.found["ball", name], self.inertias[name] = (low - slope / (2 * modulus), high), found
        return ()

    def rule_uniform_minimum(self, step):
        """For every k of the family: one critical point among the matrices of a symmetry, a positive definite Hessian, F > 0."""
        point, p = self.points[step["point"]], self.problem
        modulus, order = number(step["modulus"], "step.modulus"), whole(step["order"], "step.order", 4, 32)
        if p.kind != "student-teacher-relu-family" or not point.classes:
            raise Rejected("uniform-minimum", "needs a family of problems and a point that depends on k")
        if modulus <= 0:
            raise Rejected("uniform-minimum", "needs a positive modulus")
        ring = Expansions(PiIntervals(self.meter), p.first, p.last, order)
        shape, base = (ring, point.sizes, point.rows, point.columns), ring.base

        def monomial(e, c):
            return ring.fold(-e, [base.of(c)])

        scale = [monomial(e, c) for e, c in point.scale]
        centre = [ring.fold(0, [base.in_pi(c) for c in row]) for row in point.centre]
        radius, ball = monomial(*point.radius), ring.constant((-base.unit, base.unit))
        wide = [ring.mul(ring.mul(radius, ball), s) for s in scale]
        near = Tied(*shape, {o: ring.add(c, w) for o, c, w in zip(point.orbits, centre, wide, strict=True)})
        middle = Tied(*shape, dict(zip(point.orbits, centre, strict=True)))
        slope = middle.steepness(scale)
        if ring.definite(ring.sub(ring.square(ring.scale(radius, modulus)), slope)) != 1:
            raise Rejected("uniform-minimum", "the gradient at the centre is too long for this radius")
        if symmetric_inertia(near, scale, ring.of(modulus), p.first) != (p.first**2, 0, 0):
            raise Rejected("uniform-minimum", "the Hessian has a negative eigenvalue")
        if ring.definite(ring.sub(middle.value(), ring.scale(slope, 1 / (2 * modulus)))) != 1:
            raise Rejected("uniform-minimum", "F > 0 is not proved")
        self.found["uniform-minimum", step["point"]] = str(p.first), "on" if p.last is None else f"to {p.last}"
        return ()

    def rule_inertia(self, step):
        name, point, used = step["point"], self.points[step["point"]], ()
        claimed = tuple(whole(v, "step.inertia", 0, self.size) for v in array(step["inertia"], "step.inertia", 3))
        self.matrix_rule("inertia")
        if point.ring is not None:
            fields(step, "step", ("rule", "point", "inertia"))
            found = inertia_of(point.ring, hessian_rows(self.expansion(name, 2), self.size, point.ring))
        else:
            fields(step, "step", ("rule", "point", "inertia", "congruence"))
            ring, box = Intervals(self.meter), self.boxed_point(step)
            found = self.dominant(ring, self.hessian_over(ring, box.enclosed(ring)), step["congruence"])
            used = (self.critical(name),)
        if found != claimed:
            raise Rejected("inertia", f"the Hessian at {name} does not have the stated inertia")
        self.inertias[name] = found
        return used

    def dominant(self, ring, hessian, congruence):
        """S^T H S strictly diagonally dominant over the whole box: then S is invertible and the diagonal signs count."""
        counts, s = [0, 0, 0], self.rational_matrix(congruence, "step.congruence", ring)
        columns = list(zip(*s, strict=True))
        half = [[ring.total(ring.mul(v, s[k][j]) for k, v in row.items()) for j in range(self.size)] for row in hessian]
        for i in range(self.size):
            row = [ring.dot(columns[i], [half[k][j] for k in range(self.size)]) for j in range(self.size)]
            others = sum(ring.magnitude(v)[1] for j, v in enumerate(row) if j != i)
            if ring.magnitude(row[i])[0] <= others:
                raise Rejected("inertia", f"row {i + 1} of the transformed Hessian is not diagonally dominant over the box")
            counts[0 if row[i][0] > 0 else 2] += 1
        return tuple(counts)

    def second_order(self, step, test, why):
        name = step["point"]
        used = (self.critical(name), self.need("inertia", name))
        if not test(*self.inertias[name]):
            raise Rejected(step["rule"], f"the Hessian at {name} {why}")
        return used

    def rule_strict_minimum(self, step):
        return self.second_order(step, lambda pos, zero, neg: zero == neg == 0, "is not positive definite")

    def rule_maximum(self, step):
        return self.second_order(step, lambda pos, zero, neg: zero == pos == 0, "is not negative definite")

    def rule_strict_saddle(self, step):
        return self.second_order(step, lambda pos, zero, neg: pos and neg, "lacks a positive or a negative eigenvalue")

    # -- degenerate minima --------------------------------------------------------------------------------------------

    def rule_flat_minimum(self, step):
        """The tangent lemma: F is convex in the outputs, so a local minimum of Phi(q) = sum_i g_i f_i(q) is one of F."""
        point, p = self.points[step["point"]], self.problem
        if p.kind != "dense" or p.regularizer is not None or p.hidden_layers < 1:
            raise Rejected("flat-minimum", "needs a network with a hidden layer and no regularizer")
        if point.fitted is not None:
            if step["proof"] != "first-layer-zero":
                raise Rejected("flat-minimum", "with a fitted coordinate only first-layer-zero is known")
            self.fitted_enclosure("flat-minimum", point)
            slopes = [2 * c * (point.fitted[1] - y) for (y,), c in zip(p.targets, p.sample_weights, strict=True)]
            self.flat_first_layer(Rationals(self.meter), point, [slopes])
            return ()
        self.exact_point(step)
        proofs = {"units": self.flat_units, "line": self.flat_line, "first-layer-zero": self.flat_first_layer}
        if step["proof"] not in proofs:
            raise Malformed("step.proof", "is not a known proof of flat-minimum")
        proofs[step["proof"]](point.ring, point, self.output_slopes(point))
        return ()

    def output_slopes(self, point):
        """g[k][i] = d loss_i / d f_k at the point, one list per output."""
        ring, p = point.ring, self.problem
        plain, first, out = Taylor(ring, 0), Taylor(ring, 1), []
        for x, y, c in zip(p.inputs, p.targets, p.sample_weights, strict=True):
            row = []
            for f, target in zip(plain.outputs(p, point.plain(), x), y, strict=True):
                value = f.get((), ring.zero)
                if p.loss == "squared":
                    slope = ring.scale(ring.sub(value, ring.of(target)), 2)
                else:
                    margin = {(): ring.scale(value, -target), (0,): ring.of(-target)}
                    slope = first.apply(SOFTPLUS, margin, need_value=False).get((0,), ring.zero)
                row.append(ring.scale(slope, c))
            out.append(row)
        return list(zip(*out, strict=True))

    def vanish(self, ring, values, why):
        if any(ring.sign(v) != 0 for v in values):
            raise Rejected("flat-minimum", why)

    def flat_units(self, ring, point, slopes):
        """f = sum_j v_j phi(u_j . x): at every unit psi_k = 0, grad psi_k = 0, and sum_k v_kj Hess psi_k > 0 on span{x_i} or
        every pre-activation strictly inside a piece of degree at most 1 (then psi_k vanishes identically near u_j)."""
        p, act = self.problem, self.problem.activations[0]
        if p.hidden_layers != 1 or p.output.kind != "linear":
            raise Rejected("flat-minimum", "units needs exactly one hidden layer and a linear output")
        if p.bias[1]:
            self.vanish(ring, map(ring.total, slopes), "with an output bias the loss slopes must sum to 0")
        data, seen = p.extended_inputs(), set()
        probes = self.probes(data, independent_rows(data, self.meter))
        for j in range(p.widths[1]):
            own, out_weights = p.unit(point.coordinates, j)
            if (*own, *out_weights) in seen:
                continue
            seen.add((*own, *out_weights))
            z = [ring.total(map(ring.scale, own, x)) for x in data]
            jets = [taylor(ring, act, value, 2) for value in z]
            for g in slopes:
                psi = ring.dot(g, [t[0] for t in jets])
                flux = [ring.mul(s, t[1]) for s, t in zip(g, jets, strict=True)]
                grad = [ring.total(map(ring.scale, flux, direction)) for direction in zip(*probes, strict=True)]
                self.vanish(ring, [psi, *grad], f"psi and its gradient do not vanish at unit {j + 1}")
            pieces = [strict_piece(ring, act, value) for value in z]
            if not any(piece is None or any(piece[2:]) for piece in pieces):
                continue
            curved = [ring.mul(ring.dot(out_weights, g), t[2]) for g, t in zip(zip(*slopes, strict=True), jets, strict=True)]
            gram = weighted_gram(ring, curved, probes)
            radial = homogeneity(act) is not None and any(ring.sign(value) != 0 for value in z)  # then the unit itself spans a kernel
            if not is_definite(ring, gram, 1) and not (radial and inertia_of(ring, gram) == (len(gram) - 1, 1, 0)):
                raise Rejected("flat-minimum", f"v Hess psi is not positive definite at unit {j + 1}")

    def probes(self, data, basis):
        """x_i . e_a for the inputs x_i and the basis vectors e_a of their span."""
        rationals = Rationals(self.meter)
        return [[rationals.dot(x, e) for e in basis] for x in data]

    def flat_first_layer(self, ring, point, slopes):
        """f = G(W x; rest), W = 0 at p: sum_i g_i = 0, sum_i g_i x_i = 0, sum_k Hess_s G_k (x) S_k > 0 on span{x_i}, or with
        first biases, which absorb W x_1, on span{x_i - x_1}."""
        p, (first, bias), rows, cols = self.problem, self.problem.blocks[0], self.problem.widths[1], self.problem.widths[0]
        data = p.inputs if bias is None else [[a - b for a, b in zip(x, p.inputs[0], strict=True)] for x in p.inputs]
        basis = independent_rows(data, self.meter)
        self.vanish(ring, point.coordinates[first : first + rows * cols], "the first weight matrix is not 0")
        if not basis:
            raise Rejected("flat-minimum", "the inputs do not vary")
        for g in slopes:
            moments = [ring.total(g)] + [ring.total(map(ring.scale, g, column)) for column in zip(*p.inputs, strict=True)]
            self.vanish(ring, moments, "the loss slopes are not orthogonal to 1 and to the inputs")
        grams = [weighted_gram(ring, g, self.probes(data, basis)) for g in slopes]
        if len(slopes) == 1:  # H (x) S is positive definite exactly if H and S are definite of the same sign
            good = any(is_definite(ring, grams[0], s) and self.curved(point, s) for s in (1, -1))
        else:
            curved = self.curvature(ring, point.coordinates)
            size = len(basis)
            kron = [{} for _ in range(rows * size)]
            for h, s in zip(curved, grams, strict=True):
                for i, a, b in itertools.product(range(rows), range(size), range(size)):
                    row = kron[i * size + a]
                    for j, value in h[i].items():
                        row[j * size + b] = ring.add(row.get(j * size + b, ring.zero), ring.mul(value, s[a][b]))
            good = is_definite(ring, kron, 1)
        if not good:
            raise Rejected("flat-minimum", "the curvature in the first pre-activations does not fit the moments of the slopes")

    def curvature(self, ring, coordinates):
        """Hess_s G_k(0), for every output k: the network as a function of its first pre-activations."""
        bias, rows = self.problem.blocks[0][1], self.problem.widths[1]
        start = [{(): coordinates[bias + i] if bias is not None else ring.zero, (i,): ring.one} for i in range(rows)]
        found = Taylor(ring, 2).rest(self.problem, [{(): c} for c in coordinates], start)
        return [hessian_rows(f, rows, ring) for f in found]

    def curved(self, point, sign):
        """Whether Hess_s G(0) is definite of that sign: exactly, or by diagonal dominance of an enclosure."""
        ring = Intervals(self.meter)
        if point.fitted is None:
            try:
                return is_definite(point.ring, self.curvature(point.ring, point.coordinates)[0], sign)
            except Rejected as error:
                if error.rule != "exact":
                    raise
            enclosed = point.enclosed(ring)
        else:
            enclosed = self.fitted_enclosure("flat-minimum", point)
        rows = self.curvature(ring, enclosed)[0]
        for i, row in enumerate(rows):
            others = sum(ring.magnitude(v)[1] for j, v in row.items() if j != i)
            low, high = row.get(i, ring.zero)
            if (low if sign > 0 else -high) <= others:
                return False
        return True

    def flat_line(self, ring, point, slopes):
        """Scalar inputs, no hidden bias, so psi_k(w) = sum_i g_ik phi(w x_i): on each side of w_j, t = |w - w_j|, the first
        coefficients of psi_k(t) that do not all vanish have sum_k v_kj c_k > 0 and order >= 1, or psi vanishes identically."""
        p, act = self.problem, self.problem.activations[0]
        if p.hidden_layers != 1 or p.output.kind != "linear" or p.widths[0] != 1 or p.bias[0]:
            raise Rejected("flat-minimum", "line needs one hidden layer, scalar inputs, no hidden bias and a linear output")
        if p.bias[1]:
            self.vanish(ring, map(ring.total, slopes), "with an output bias the loss slopes must sum to 0")
        top = max(map(len, act.pieces)) if act.pieces else 9
        for j, side in itertools.product(range(p.widths[1]), (1, -1)):
            (weight,), out_weights = p.unit(point.coordinates, j)
            moves = [side * x[0] for x in p.inputs]
            jets = [taylor_towards(ring, act, ring.scale(weight, x[0]), top - 1, move) for x, move in zip(p.inputs, moves, strict=True)]
            for order in range(top):
                terms = [ring.scale(jet[order], move**order) for jet, move in zip(jets, moves, strict=True)]
                leading = [ring.dot(g, terms) for g in slopes]
                if any(ring.sign(c) != 0 for c in leading):
                    if order == 0 or ring.sign(ring.dot(out_weights, leading)) <= 0:
                        raise Rejected("flat-minimum", f"psi does not have the right sign beside unit {j + 1}")
                    break
            else:
                if not act.pieces:
                    raise Rejected("flat-minimum", f"psi vanishes to high order at unit {j + 1}")

    def rule_morse_bott_minimum(self, step):
        return self.morse_bott(step, 2)

    def rule_morse_bott_maximum(self, step):
        return self.morse_bott(step, 0)

    def morse_bott(self, step, forbidden):
        """An r-dimensional family of critical points through p, r = nullity, and no eigenvalue of the forbidden sign."""
        rule, point = step["rule"], self.exact_point(step)
        self.matrix_rule(rule)
        ring, where = point.ring, "step.family"
        family = fields(step["family"], where, ("at", "coordinates"))
        at = [element(ring, v, where) for v in array(family["at"], where, most=16)]
        laurent, curve = LaurentRing(ring, len(at)), []
        for terms in array(family["coordinates"], where, self.size):
            curve.append(laurent_polynomial(ring, terms, where, (-MAX_DEGREE,) * len(at)))
        if not at:
            raise Malformed(where, "has no variable")
        for entry, coordinate in zip(curve, point.coordinates, strict=True):
            if not ring.same(self.laurent_value(rule, ring, entry, at), coordinate):
                raise Rejected(rule, f"the family does not pass through {step['point']}")
        tangents = []  # d gamma/dt_k = sum e_k c t^e / t_k
        for k in range(len(at)):
            moved = [{(*e[:k], e[k] - 1, *e[k + 1 :]): ring.scale(c, e[k]) for e, c in entry.items() if e[k]} for entry in curve]
            tangents.append([self.laurent_value(rule, ring, entry, at) for entry in moved])
        gram = [{j: ring.dot(u, v) for j, v in enumerate(tangents)} for u in tangents]
        if not is_definite(ring, gram, 1):  # the Gram matrix of real vectors is definite exactly if they are independent
            raise Rejected(rule, "the family is not regular at its base point")
        theta = [{(): entry, (k,): laurent.one} for k, entry in enumerate(curve)]
        expansion = Taylor(laurent, 1).loss(self.problem, theta, need_value=False)
        self.vanishing_gradient(rule, expansion, laurent.vanishes, laurent.zero)
        found = inertia_of(ring, hessian_rows(self.expansion(step["point"], 2), self.size, ring))
        if found[1] != len(at) or found[forbidden] != 0:
            raise Rejected(rule, f"the Hessian is not semidefinite of that sign with nullity {len(at)}")
        return ()

    def laurent_value(self, rule, ring, entry, at):
        """The value of a Laurent polynomial at a point."""
        total = ring.zero
        for exponents, value in entry.items():
            for base, exponent in zip(at, exponents, strict=True):
                if exponent < 0 and (ring.sign(base) == 0 or ring.inverse(base) is None):
                    raise Rejected(rule, "the family has a pole at its base point, or no exact value there")
                factor = ring.inverse(base) if exponent < 0 else base
                for _ in range(abs(exponent)):
                    value = ring.mul(value, factor)
            total = ring.add(total, value)
        return total

    # -- curves -------------------------------------------------------------------------------------------------------

    def rule_descent_curve(self, step):
        return self.curve(step, -1)

    def rule_ascent_curve(self, step):
        return self.curve(step, 1)

    def curve(self, step, sign):
        """The first nonzero coefficient of F(p + c_1 s + c_2 s^2 + ...) - F(p) stands at s^order and has the right sign."""
        rule, point = step["rule"], self.exact_point(step)
        ring, order, theta = point.ring, whole(step["order"], "step.order", 1, MAX_DEGREE), []
        claimed = element(ring, step["coefficient"], "step.coefficient")
        for start, row in zip(point.plain(), array(step["curve"], "step.curve", self.size), strict=True):
            values = [element(ring, c, "step.curve") for c in array(row, "step.curve", most=order)]
            if values and values[-1] == ring.zero:
                raise Malformed("step.curve", "ends in a zero coefficient")
            theta.append(start | {(0,) * k: c for k, c in enumerate(values, start=1) if c != ring.zero})
        expansion = Taylor(ring, order).loss(self.problem, theta, need_value=False)
        for k in range(1, order):
            if ring.sign(expansion.get((0,) * k, ring.zero)) != 0:
                raise Rejected(rule, f"the coefficient of order {k} is not 0")
        found = expansion.get((0,) * order, ring.zero)
        if not ring.same(found, claimed) or ring.sign(found) != sign:
            raise Rejected(rule, "the leading coefficient is not the stated one, or has the wrong sign")
        return ()

    # -- sets and paths -----------------------------------------------------------------------------------------------

    def rule_coercive(self, step):
        """The loss is >= 0 and every parameter is penalised: F <= level implies |theta_k| <= bounds_k."""
        p, level = self.problem, number(step["level"], "step.level")
        radii = numbers(step["bounds"], "step.bounds", self.size)
        if p.kind != "dense" or p.regularizer is None or not all(p.penalties):
            raise Rejected("coercive", "needs a network loss and a regularizer with positive weights on all parameters")
        if p.regularizer == "neuron-cubic":
            cols, hidden = p.widths[0], p.widths[1]
            inner = [2 * w / 3 for w in p.penalties for _ in range(cols)] + [2 * w / 3 for w in p.penalties if p.bias[0]]
            weights, exponent = inner + [w / 3 for w in p.penalties], 3
            if len(weights) != self.size or hidden < 1:
                raise Rejected("coercive", "does not fit this network")
        else:
            weights, exponent = p.penalties, p.exponent
        for r, w in zip(radii, weights, strict=True):
            if r <= 0 or w * r**exponent < level:
                raise Rejected("coercive", "a bound does not follow from the regularizer")
        self.found["coercive",] = show(level), ", ".join(map(show, radii))
        return ()

    def curve_entry(self, ring, terms, where, rank):
        """One coordinate of a path: [[ELEMENT, [exponent of t, (exponent of ln t)]], ...]."""
        return {(*e, 0)[:2]: c for e, c in laurent_polynomial(ring, terms, where, (-MAX_DEGREE, 0)[:rank]).items()}

    def meets(self, rule, ring, curve, at, name):
        for entry, coordinate in zip(curve, self.points[name].coordinates, strict=True):
            if not ring.same(self.laurent_value(rule, ring, entry, at), coordinate):
                raise Rejected(rule, f"the path does not meet {name}")

    def common_field(self, step):
        """(ring, end point) of a step from `point` to `to`, if both lie in one field."""
        ring, end = self.exact_point(step).ring, self.points[step["to"]]
        if end.ring is None or type(end.ring) is not type(ring) or getattr(ring, "modulus", 0) != getattr(end.ring, "modulus", 0):
            raise Rejected(step["rule"], "the two points do not lie in one field")
        if isinstance(ring, NumberField) and ring.interval != end.ring.interval:
            raise Rejected(step["rule"], "the two points do not lie in one field")
        return ring, end

    def rule_path(self, step):
        """Polynomial pieces on [0, 1] from one point to another, F non-increasing along them or (with a level) F <= level."""
        ring, end = self.common_field(step)
        where = "step.pieces"
        path, at, last = PathRing(ring, Fraction(0), Fraction(1)), [[ring.zero] * 2, [ring.one, ring.zero]], None
        level = number(step["level"], "step.level") if "level" in step else None
        pieces = array(step["pieces"], where, most=64)
        for piece in pieces:
            curve = [self.curve_entry(ring, terms, where, 1) for terms in array(piece, where, self.size)]
            if any(key[0] < 0 for entry in curve for key in entry):
                raise Rejected("path", "a pole on the path")
            ends = [[self.laurent_value("path", ring, entry, t) for entry in curve] for t in at]
            if last is not None and not all(map(ring.same, last, ends[0])):
                raise Rejected("path", "the pieces do not meet")
            last = ends[1]
            if piece is pieces[0]:
                self.meets("path", ring, curve, at[0], step["point"])
            value = value_at(self.problem, path, curve)
            if path.sign(path.derivative(value) if level is None else path.sub(value, path.of(level))) > 0:
                raise Rejected("path", "F rises along a piece" if level is None else "F rises above the level")
        if last is None or not all(map(ring.same, last, end.coordinates)):
            raise Rejected("path", f"the path does not end in {step['to']}")
        self.found["path", step["point"], step["to"]] = level
        return ()

    def rule_escape(self, step):
        """theta(t), t >= from > 0, theta(from) = p: |theta| -> infinity, F constant or strictly decreasing to the limit."""
        point, where, p = self.exact_point(step), "step.path", self.problem
        ring, start, limit = point.ring, number(step["from"], "step.from"), number(step["limit"], "step.limit")
        if start <= 0:
            raise Rejected("escape", "needs a positive starting time")
        path = PathRing(ring, start, None)
        curve = [self.curve_entry(ring, terms, where, 2) for terms in array(step["path"], where, self.size)]
        logs = any(log for entry in curve for _, log in entry)
        if logs and not (start == 1 or (start == 2 and isinstance(ring, Ln2Ring))):
            raise Rejected("escape", "ln t is known only at t = 1, and in the field ln2 at t = 2")
        log_start = ring.zero if start == 1 or not logs else (Fraction(0), Fraction(1))
        self.meets("escape", ring, curve, [ring.of(start), log_start], step["point"])
        if not any(path.growth(entry) > path.origin for entry in curve):
            raise Rejected("escape", "the path stays bounded")
        if p.loss == "logistic" and p.regularizer is None:
            theta, slope = [{(): c} if c else {} for c in curve], -1
            for x, y in zip(p.inputs, p.targets, strict=True):
                margin = path.mul(Taylor(path, 0).outputs(p, theta, x)[0].get((), {}), path.of(y[0]))
                leading = path.growth(margin)
                if path.sign(path.derivative(margin)) <= 0 or leading <= path.origin:
                    raise Rejected("escape", "a margin y f(x) does not increase to infinity")
            if limit != 0:
                raise Rejected("escape", "the limit is not the stated one")
        else:
            value = value_at(self.problem, path, curve)
            slope = path.sign(path.derivative(value))
            if slope > 0:
                raise Rejected("escape", "F rises along the path")
            if any(e > 0 for e, _ in value) or not ring.same(value.get(path.origin, ring.zero), ring.of(limit)):
                raise Rejected("escape", "F does not have the stated limit")
        self.found["limit", step["point"]], self.found["strict", step["point"]] = limit, slope < 0
        return ()

    # -- facts about the outputs of the network ------------------------------------------------------------------------

    def rule_tangent_optimal(self, step):
        """A critical point whose outputs are a linear combination of its gradient features (Kawaguchi et al. 2019, Theorem 1)."""
        name, point, p = step["point"], self.exact_point(step), self.problem
        ring, expansion = point.ring, Taylor(point.ring, 1)
        if p.kind != "dense" or p.regularizer is not None:
            raise Rejected("tangent-optimal", "needs a network on data without regularizer")
        where = "steps.combination"
        combination = [element(ring, g, where) for g in array(step["combination"], where, self.size)]
        for x in p.inputs:
            for f in expansion.outputs(p, point.expansion(), x):
                spanned = ring.dot(combination, [f.get((k,), ring.zero) for k in range(self.size)])
                if ring.sign(ring.sub(spanned, f.get((), ring.zero))) != 0:
                    raise Rejected("tangent-optimal", "the combination does not give the outputs of the network")
        return (self.need("stationary", name),)

    def rule_kinks_nearby(self, step):
        """Outgoing weights 0 hide the kinks at the point, and no other value of one of them does."""
        name, point, p = step["point"], self.exact_point(step), self.problem
        if p.kind != "dense" or p.hidden_layers != 1 or p.output.kind != "linear":
            raise Rejected("kinks-nearby", "needs a network with exactly one hidden layer and a linear output")
        unit, sample = whole(step["unit"], "steps.unit", 1, p.widths[1]), whole(step["sample"], "steps.sample", 1, len(p.inputs))
        ring, data = point.ring, p.extended_inputs()
        for j, i in itertools.product(range(p.widths[1]), range(len(data))):
            own, out_weights = p.unit(point.coordinates, j)
            z = ring.total(map(ring.scale, own, data[i]))
            left, right = (taylor_towards(ring, p.activations[0], z, 1, side)[1] for side in (-1, 1))
            kink = ring.sign(ring.sub(left, right)) != 0
            if kink and any(ring.sign(v) != 0 for v in out_weights):
                raise Rejected("kinks-nearby", f"unit {j + 1} is at a kink with a weight that is not 0")
            if (j + 1, i + 1) == (unit, sample) and not (kink and any(data[i])):
                raise Rejected("kinks-nearby", "the unit is not at a kink on the sample, or its pre-activation cannot move")
        self.found["kinks-nearby", name] = str(sample), str(unit)
        return ()

    def rule_rank(self, step):
        """The rank of a matrix of the network at p: exactly, as that of its Gram matrix; or, by enclosures, at least the number of
        the given ``rows``, whose Gram matrix is positive definite."""
        name, matrix, point, used = step["point"], step["matrix"], self.points[step["point"]], ()
        claimed, exact = whole(step["rank"], "step.rank", 0, MAX_PARAMETERS), "rows" not in step
        if exact:
            ring, coordinates = self.exact_point(step).ring, point.coordinates
        else:
            used = (self.critical(name),) if point.ring is None else ()
            ring = Intervals(self.meter)
            coordinates = point.enclosed(ring)
        rows = self.matrix_of_rank(ring, coordinates, matrix)
        size = len(rows), len(rows[0])
        if exact:
            rows = rows if size[0] <= size[1] else list(zip(*rows, strict=True))
        else:
            chosen = [whole(k, "step.rows", 1, size[0]) for k in array(step["rows"], "step.rows", claimed)]
            if not chosen or chosen != sorted(set(chosen)):
                raise Malformed("step.rows", "are not increasing numbers of rows")
            rows = [rows[k - 1] for k in chosen]
        if len(rows) > MAX_MATRIX:
            raise Rejected("rank", f"is limited to {MAX_MATRIX} rows or columns")
        gram = [[ring.dot(u, v) for v in rows] for u in rows]
        if not (inertia_of(ring, [dict(enumerate(row)) for row in gram])[0] == claimed if exact else positive_over(ring, gram)):
            raise Rejected("rank", "the matrix is not proved to have the stated rank")
        least = "full rank " if claimed == min(size) else "rank " if exact else "rank at least "
        self.found["rank", name, matrix] = MATRICES[matrix].format(*size, f"{least}{claimed}")
        return used

    def matrix_of_rank(self, ring, coordinates, matrix):
        p, plain, first = self.problem, Taylor(ring, 0), Taylor(ring, 1)
        theta = [{(): c} for c in coordinates]
        if p.kind != "dense" or (matrix == "features" and p.hidden_layers < 1):
            raise Rejected("rank", "needs a dense network on data, with a hidden layer for the features")
        if matrix == "features":
            signals = ([plain.constant(v) for v in x] for x in p.inputs)
            return [[f.get((), ring.zero) for f in plain.hidden(p, theta, signal, p.hidden_layers)] for signal in signals]
        if matrix == "gradients":
            theta = [{**c, (k,): ring.one} for k, c in enumerate(theta)]
            self.meter.spend(self.size * len(p.inputs) * p.widths[-1] // 16)
            outputs = (f for x in p.inputs for f in first.outputs(p, theta, x))
            return [[f.get((k,), ring.zero) for k in range(self.size)] for f in outputs]
        if any(p.bias) or any(act.kind != "linear" for act in (*p.activations, p.output)):
            raise Rejected("rank", "needs a linear network without biases for the product of its matrices")
        self.meter.spend(p.widths[0] ** 2 // 4)
        units = ([Fraction(i == j) for j in range(p.widths[0])] for i in range(p.widths[0]))
        columns = [[f.get((), ring.zero) for f in plain.outputs(p, theta, x)] for x in units]
        return list(zip(*columns, strict=True))

    def rule_basin(self, step):
        """F > level on the whole boundary of a box around p and F(p) <= level, by intervals on a grid of cells."""
        name, point, d = step["point"], self.points[step["point"]], self.size
        level = number(step["level"], "step.level")
        lower, upper = (numbers(step[key], f"step.{key}", d) for key in ("lower", "upper"))
        if any(a >= b for a, b in zip(lower, upper, strict=True)):
            raise Malformed("step.lower", "gives an empty or flat box")
        if "cuts" not in step:
            return self.convex_basin(step, level, lower, upper)
        fields(step, "step", ("rule", *STEP_KEYS["basin"], "cuts"))
        cuts = [whole(n, "step.cuts", 1, 1_000) for n in array(step["cuts"], "step.cuts", d)]
        if math.prod(cuts) > 1_000_000:
            raise Rejected("limit", "too many cells")
        used = (self.need("value", name),)
        if self.bounds(name)[1] > level:
            raise Rejected("basin", "F(p) <= level is not proved by its value")
        ring = self.exact_point(step).ring
        for c, a, b in zip(point.coordinates, lower, upper, strict=True):
            if ring.sign(ring.sub(c, ring.of(a))) <= 0 or ring.sign(ring.sub(ring.of(b), c)) <= 0:
                raise Rejected("basin", "the point is not inside the box")
        least = self.walled("basin", "F > level is not proved on the face of parameter", level, (lower, upper, cuts))
        self.found["basin", name] = level, lower, upper, least
        return used

    def walled(self, rule, why, level, box, place=lambda z: z):
        """A lower bound of F on a box, on all of whose faces F > level, by intervals on a grid of cells (see `least` for ``place``)."""
        ring, cells = Intervals(self.meter), []
        for a, b, n in zip(*box, strict=True):
            line = [ring.of(a + (b - a) * k / n) for k in range(n + 1)]
            cells.append(list(itertools.starmap(ring.hull, itertools.pairwise(line))))
        for k, ends in enumerate(zip(*box[:2], strict=True)):
            for end in ends:
                for cell in itertools.product(*cells[:k], [ring.of(end)], *cells[k + 1 :]):
                    if self.least(ring, cell, place) <= level:
                        raise Rejected(rule, f"{why} {k + 1}")
        return min(self.least(ring, cell, place) for cell in itertools.product(*cells))

    def convex_basin(self, step, level, lower, upper):
        """p critical, Hess F - diag(mu) > 0 over the whole box: F(q) >= F(p) + sum mu_k (q_k - p_k)^2 / 2 there."""
        fields(step, "step", ("rule", *STEP_KEYS["basin"], "moduli", "congruence"))
        name, point, ring = step["point"], self.points[step["point"]], Intervals(self.meter)
        self.matrix_rule("basin")
        used = (self.need("value", name), self.critical(name))
        moduli = numbers(step["moduli"], "step.moduli", self.size)
        if any(mu <= 0 for mu in moduli) or self.bounds(name)[1] > level:
            raise Rejected("basin", "a modulus is not positive, or F(p) <= level is not proved by its value")
        hessian = self.hessian_over(ring, [ring.hull(ring.of(a), ring.of(b)) for a, b in zip(lower, upper, strict=True)])
        for k, mu in enumerate(moduli):
            hessian[k][k] = ring.sub(hessian[k].get(k, ring.zero), ring.of(mu))
        if self.dominant(ring, hessian, step["congruence"]) != (self.size, 0, 0):
            raise Rejected("basin", "the Hessian minus diag(moduli) is not positive definite over the box")
        for k, (a, b) in enumerate(map(ring.ends, point.enclosed(ring))):
            gap = min(a - lower[k], upper[k] - b)  # of p to the two faces of parameter k
            if gap <= 0 or self.bounds(name)[0] + moduli[k] * gap * gap / 2 <= level:
                raise Rejected("basin", f"F > level is not proved on the face of parameter {k + 1}")
        self.found["basin", name] = level, lower, upper, self.bounds(name)[0]
        return used

    # -- slices, lines of critical points, descent from p to q and the chord between them -------------------------------

    def rule_slice_basin(self, step):
        """G(z) = F(p + sum_k z_k direction_k): G(at) <= level < G on the boundary of a box around `at`; a lower bound of G on it."""
        rule, name, where = "slice-basin", step["point"], "step.directions"
        point, level, ring = self.exact_point(step), number(step["level"], "step.level"), Intervals(self.meter)
        rows = [numbers(row, where, self.size) for row in array(step["directions"], where, most=4)]
        at, lower, upper = (numbers(step[k], f"step.{k}", len(rows)) for k in ("at", "lower", "upper"))
        cuts = [whole(n, "step.cuts", 1, 1_000) for n in array(step["cuts"], "step.cuts", len(rows))]
        if not rows or not all(a < c < b for a, c, b in zip(lower, at, upper, strict=True)):
            raise Rejected(rule, "the point `at` is not inside the box")
        if math.prod(cuts) > 1_000_000:
            raise Rejected("limit", "too many cells")
        base = point.enclosed(ring)

        def place(z):
            theta, flat = [{(): c} for c in base], Taylor(ring, 1)
            for entry, row in zip(z, rows, strict=True):
                for total, v in zip(theta, row, strict=True):
                    flat.add_to(total, flat.scale(entry, v))
            return theta

        if ring.ends(Taylor(ring, 0).loss(self.problem, place([{(): ring.of(c)} for c in at])).get((), ring.zero))[1] > level:
            raise Rejected(rule, "the value at `at` is not proved to be at most the level")
        least = self.walled(rule, "the slice is not proved to exceed the level on face", level, (lower, upper, cuts), place)
        self.found[rule, name] = rows, level, lower, upper, least
        return ()

    def rule_quadratic_output(self, step):
        """One sample, one output that is a polynomial of degree at most 2 in the parameters, squared loss."""
        p = self.problem
        if p.kind != "dense" or p.loss != "squared" or p.regularizer is not None or len(p.inputs) != 1 or p.widths[-1] != 1:
            raise Rejected("quadratic-output", "needs one sample, one output and the squared loss without regularizer")
        if p.hidden_layers > 1 or any(act.kind != "linear" for act in (*p.activations, p.output)):
            raise Rejected("quadratic-output", "needs a linear network of at most two layers")
        return ()

    def rule_line(self, step):
        """p + s direction is critical for every s, and the Hessian has one inertia for above < s < below (null: no end)."""
        rule, point, ends = "line", self.exact_point(step), []
        self.matrix_rule(rule)
        ring = point.ring
        direction = [element(ring, c, "step.direction") for c in array(step["direction"], "step.direction", self.size)]
        claimed = tuple(whole(v, "step.inertia", 0, self.size) for v in array(step["inertia"], "step.inertia", 3))
        for key in ("above", "below"):
            ends.append(None if step[key] is None else number(step[key], f"step.{key}"))
        low, high = ends
        if (low is None and high is None) or (low is not None and high is not None and low >= high):
            raise Rejected(rule, "needs an interval with at least one end")
        mirrored = low is None  # s = -t for t above -high
        path = PathRing(ring, -high, None) if mirrored else PathRing(ring, low, high)
        if all(ring.sign(c) == 0 for c in direction):
            raise Rejected(rule, "the direction is 0")
        theta = []
        for k, (c, v) in enumerate(zip(point.coordinates, direction, strict=True)):
            entry = {key: x for key, x in (((0, 0), c), ((1, 0), ring.neg(v) if mirrored else v)) if x != ring.zero}
            theta.append({(): entry, (k,): path.one})
        expansion = Taylor(path, 2).loss(self.problem, theta, need_value=False)
        self.vanishing_gradient(rule, expansion, path.vanishes, path.zero)
        where = "step.basis"
        basis = [numbers(row, where, self.size) for row in array(step["basis"], where, self.size)]
        if len(independent_rows(basis, self.meter)) < self.size:
            raise Rejected(rule, "the basis vectors are dependent")
        if inertia_of(path, self.in_basis(path, hessian_rows(expansion, self.size, path), basis)) != claimed:
            raise Rejected(rule, "the Hessian does not have the stated inertia on the interval")
        self.found[rule, step["point"]] = claimed, ends, [ring.show(c) for c in direction]
        return ()

    def in_basis(self, ring, matrix, basis):
        """The symmetric matrix b_i^T M b_j for rational vectors b_i, as rows of dicts."""
        half = [[ring.total(ring.scale(v, b[k]) for k, v in row.items() if b[k]) for row in matrix] for b in basis]  # M b
        out = [{} for _ in basis]
        for i, j in itertools.product(range(len(basis)), repeat=2):
            value = ring.total(ring.scale(v, c) for v, c in zip(half[j], basis[i], strict=True) if c)
            if value != ring.zero:
                out[i][j] = value
        return out

    def rule_gradient_step(self, step):
        """q = p - step grad F(p)."""
        ring, end = self.common_field(step)
        length = number(step["step"], "step.step")
        if length <= 0:
            raise Rejected("gradient-step", "needs a positive step size")
        if not all(map(ring.same, self.descended(step["point"], length), end.coordinates)):
            raise Rejected("gradient-step", f"{step['to']} is not that gradient step from {step['point']}")
        self.found["descent", step["point"], step["to"]] = f"one step of gradient descent of size {show(length)} leads from p to q, where it stays"
        return ()

    def rule_flow(self, step):
        """A curve from p to q along which grad F is a negative multiple of the tangent, until it vanishes at q."""
        ring, _ = self.common_field(step)
        start, until, where = number(step["from"], "step.from"), number(step["until"], "step.until"), "step.path"
        if not start < until:
            raise Rejected("flow", "needs an interval of times")
        path = PathRing(ring, start, until)
        curve = [self.curve_entry(ring, terms, where, 1) for terms in array(step["path"], where, self.size)]
        ends = [[ring.of(t), ring.zero] for t in (start, until)]
        if start <= 0 and any(key[0] < 0 for entry in curve for key in entry):
            raise Rejected("flow", "a pole on the path")
        for at, name in zip(ends, (step["point"], step["to"]), strict=True):
            self.meets("flow", ring, curve, at, name)
        theta = [{(): entry, (k,): path.one} for k, entry in enumerate(curve)]
        expansion = Taylor(path, 1).loss(self.problem, theta, need_value=False)
        slope, tangent = [expansion.get((k,), {}) for k in range(self.size)], [path.derivative(entry) for entry in curve]
        speed, inner = path.dot(tangent, tangent), path.dot(slope, tangent)
        for g, v in zip(slope, tangent, strict=True):
            if not path.vanishes(path.sub(path.mul(g, speed), path.mul(inner, v))):
                raise Rejected("flow", "the gradient is not parallel to the curve")
        if path.sign(inner) >= 0 or ring.sign(self.laurent_value("flow", ring, inner, ends[0])) >= 0:
            raise Rejected("flow", "the curve does not go down the gradient, or starts in a critical point")
        if any(ring.sign(self.laurent_value("flow", ring, g, ends[1])) != 0 for g in slope):
            raise Rejected("flow", f"the gradient does not vanish at {step['to']}")
        self.found["descent", step["point"], step["to"]] = "gradient flow from p converges to q"
        return ()

    def rule_chord(self, step):
        """On the segment from p to q: F at one fraction is larger than at an earlier one, or (without `at`) F decreases strictly."""
        ring, end = self.common_field(step)
        start, key = self.points[step["point"]], ("chord", step["point"], step["to"])
        moves = [ring.sub(b, a) for a, b in zip(start.coordinates, end.coordinates, strict=True)]
        if "at" not in step:
            path = PathRing(ring, Fraction(0), Fraction(1))
            curve = [{k: c for k, c in (((0, 0), a), ((1, 0), v)) if c != ring.zero} for a, v in zip(start.coordinates, moves, strict=True)]
            if path.sign(path.derivative(value_at(self.problem, path, curve))) >= 0:
                raise Rejected("chord", "F does not decrease strictly on the segment")
            self.found[key] = None
            return ()
        fractions = numbers(step["at"], "step.at", 2)
        if not 0 <= fractions[0] < fractions[1] <= 1:
            raise Rejected("chord", "needs two fractions of the segment in order")
        values = []
        for s in fractions:
            there = [ring.add(a, ring.scale(v, s)) for a, v in zip(start.coordinates, moves, strict=True)]
            values.append(value_at(self.problem, ring, there))
        if ring.sign(ring.sub(values[1], values[0])) <= 0:
            raise Rejected("chord", "F is not larger at the later fraction")
        self.found[key] = [show(s) for s in fractions]
        return ()

    # -- walls without a box --------------------------------------------------------------------------------------------

    def rule_wall(self, step):
        """p and q strictly on two sides of the hyperplane sum wall_k theta_k = 0, on which F >= level."""
        p, level = self.problem, number(step["level"], "step.level")
        wall = numbers(step["wall"], "step.wall", self.size)
        at = []
        for key in ("point", "to"):
            ring = self.exact_point({"rule": "wall", "point": step[key]}).ring
            coordinates = self.points[step[key]].coordinates
            at.append(ring.sign(ring.total(ring.scale(c, a) for c, a in zip(coordinates, wall, strict=True) if a)))
        if sorted(at) != [-1, 1]:
            raise Rejected("wall", "the two points do not lie strictly on the two sides")
        if p.kind not in ("dense", "monomial") or (p.kind == "dense" and p.loss != "squared"):
            raise Rejected("wall", "needs the squared loss of a dense network, or a polynomial loss")
        side = None
        if step["proof"] == "cells":
            fields(step, "step", ("rule", *STEP_KEYS["wall"], "cells"), ("side",))
            self.matrix_rule("wall")
            cells = [whole(k, "step.cells", 1, self.size) - 1 for k in array(step["cells"], "step.cells", most=12)]
            pivot = next(k for k, a in enumerate(wall) if a)
            if cells != sorted(set(cells)) or pivot in cells:
                raise Malformed("step.cells", "are not increasing numbers of parameters other than the first on the wall")
            least = self.cell_floor({pivot: {k: -a / wall[pivot] for k, a in enumerate(wall) if a and k != pivot}}, cells, {})
            if "side" in step:  # on the side of p: the parameter that the wall is about has the sign that it has at p
                side = number(step["side"], "step.side")
                if sum(map(bool, wall)) > 1 or self.cell_floor({}, cells, {pivot: at[0] if wall[pivot] > 0 else -at[0]}) < side:
                    raise Rejected("wall", "F >= side is not proved on the side of p")
        elif step["proof"] == "same-sign":
            fields(step, "step", ("rule", *STEP_KEYS["wall"]))
            least = self.same_sign_floor(wall)
        else:
            raise Malformed("step.proof", "is not a known proof of wall")
        if least < level:
            raise Rejected("wall", "F >= level is not proved on the wall")
        self.found["wall", step["point"], step["to"]] = level, side
        return ()

    def cell_floor(self, replaced, cells, signs):
        """A lower bound of F in every cell of signs of the parameters ``cells``: the terms of the loss that are constant there."""
        p, base, bounds = self.problem, Rationals(self.meter), []
        units = [tuple(int(i == k) for i in range(self.size)) for k in range(self.size)]
        for pattern in itertools.product((1, -1), repeat=len(cells)):
            ring = WallRing(base, self.size, signs | dict(zip(cells, pattern, strict=True)))
            values = [{units[k]: base.one} for k in range(self.size)]
            for k, combination in replaced.items():
                values[k] = {units[i]: c for i, c in combination.items()}
            theta, flat = [{(): v} if v else {} for v in values], Taylor(ring, 0)
            total = Fraction(0)
            if p.kind == "monomial":
                total = ring.constant(flat.loss(p, theta).get((), {}))
            for x, y, c in zip(p.inputs, p.targets, p.sample_weights, strict=True) if p.kind == "dense" else ():
                for f, target in zip(flat.outputs(p, theta, x), y, strict=True):
                    value = f.get((), {})
                    if not set(value) - {ring.origin}:  # the other terms, and the regularizer, are >= 0
                        total = base.add(total, c * (value.get(ring.origin, Fraction(0)) - target) ** 2)
            bounds.append(total)
        return min(bounds)

    def same_sign_floor(self, wall):
        """Two units of a positive activation with equal input weights (scalar, no biases): all outputs have one sign."""
        p = self.problem
        if p.kind != "dense" or p.widths != [1, 2, 1] or any(p.bias) or p.output.kind != "linear":
            raise Rejected("wall", "same-sign needs a 1-2-1 network without biases and with a linear output")
        if p.activations[0].kind not in ("sigmoid", "exp", "softplus") or wall[2:] != [0, 0] or wall[0] != -wall[1]:
            raise Rejected("wall", "same-sign needs a positive activation and equal input weights on the wall")
        parts = [[c * y * y for (y,), c in zip(p.targets, p.sample_weights, strict=True) if y * s > 0] for s in (1, -1)]
        return min(map(Rationals(self.meter).total, parts))

    # -- F through the outputs alone --------------------------------------------------------------------------------------

    def rule_output_basin(self, step):
        """F = L(outputs of the last linear layer): the rule basin for L, whose variables are these outputs on all samples."""
        p, ring = self.problem, self.exact_point(step).ring
        if p.kind != "dense" or p.regularizer or len(p.inputs) * p.widths[-1] > 6:
            raise Rejected("output-basin", "needs a dense network without regularizer, at most 6 outputs on all samples together")
        flat, theta = Taylor(ring, 0), self.points[step["point"]].plain()
        first = [flat.layer(p, theta, 0, [flat.constant(v) for v in x]) for x in p.inputs]
        columns = [[z.get((), ring.zero) for z in flat.rest(p, theta, signal, raw=True)] for signal in first]
        at = [ring.rational(column[k]) for k in range(p.widths[-1]) for column in columns]
        if any(v is None for v in at):
            raise Rejected("output-basin", "an output at the point is irrational")
        unit = [[str(int(i == j)) for j in range(len(columns))] for i in range(len(columns))]
        free = {  # the linear network without hidden layer that has every sample's outputs as its own weights
            "kind": "dense", "widths": [len(columns), p.widths[-1]], "activation": [], "output_activation": p.output.normal,
        }
        data = {"inputs": unit, "targets": p.normal["data"]["targets"]}
        loss = Problem({"format": "explorer.problem/1", "network": free, "data": data, "loss": p.normal["loss"]})
        inner = Point({"field": "rational", "coordinates": [show(v) for v in at]}, "outputs", loss, self.meter)
        proof = Proof(loss, {"u": inner}, self.meter)
        proof.facts["value", "u"], proof.values["u"] = (), ("exact", inner.ring, value_at(loss, inner.ring, at))
        proof.rule_basin({key: step[key] for key in STEP_KEYS["output-basin"]} | {"rule": "basin", "point": "u"})
        self.found["output-basin", step["point"]] = proof.found["basin", "u"]
        return ()

    def rule_constant(self, step):
        """F as a polynomial in all parameters has no term but the constant one."""
        self.exact_point(step)
        self.matrix_rule("constant")
        if self.problem.kind not in ("dense", "monomial"):
            raise Rejected("constant", "needs a dense network or a polynomial loss")
        base = Ln2Ring(self.meter)
        ring = LaurentRing(base, self.size)
        theta = [{(): {tuple(int(i == k) for i in range(self.size)): base.one}} for k in range(self.size)]
        found = Taylor(ring, 0).loss(self.problem, theta).get((), {})
        if not ring.vanishes({e: c for e, c in found.items() if e != ring.origin}):
            raise Rejected("constant", "F depends on the parameters")
        return ()

    # -- all local minima of the ReQU network of Sun et al. (2020), eq. (8) ------------------------------------------------

    def rectified(self, rule):
        """(extended inputs, |y_i| c_i) of a ReQU network with logistic loss and the neuron-cubic regularizer, all weights > 0."""
        p = self.problem
        if p.kind != "dense" or p.regularizer != "neuron-cubic" or not all(p.penalties) or p.loss != "logistic":
            raise Rejected(rule, "needs the logistic loss and the neuron-cubic regularizer with positive weights")
        if p.activations[0].kind != "requ" or p.output.kind != "linear" or not all(y for (y,) in p.targets):
            raise Rejected(rule, "needs requ units, a linear output and targets that are not 0")
        return p.extended_inputs(), [c * abs(y) for c, (y,) in zip(p.sample_weights, p.targets, strict=True)]

    def rule_orthogonal_requ(self, step):
        """Extended inputs pairwise orthogonal, regularizer weights distinct and below every |y_i| c_i |x_i|^2 / 2."""
        rule, p, ring = "orthogonal-requ", self.problem, Rationals(self.meter)
        data, slopes = self.rectified(rule)
        if any(ring.dot(u, v) != 0 for u, v in itertools.combinations(data, 2)):
            raise Rejected(rule, "the extended inputs are not pairwise orthogonal")
        sizes = [k * ring.dot(x, x) for k, x in zip(slopes, data, strict=True)]
        order = sorted(p.penalties)
        if len(set(order)) < len(order) or not order[-1] < min(sizes) / 2:
            raise Rejected(rule, "the regularizer weights are not distinct and small enough")
        signs = sorted({y > 0 for (y,) in p.targets})
        if len(order) <= len(signs):
            raise Rejected(rule, "needs one unit more than there are labels")
        found, intervals = [], Intervals(self.meter)
        for pair in itertools.permutations(order[: len(signs)]):
            parts = []
            for (y,), c, size in zip(p.targets, p.sample_weights, sizes, strict=True):
                share = pair[signs.index(y > 0)] / size  # the entropy -q ln q - (1 - q) ln(1 - q), times c
                logs = [(intervals.of(-c * q), intervals.log(intervals.of(q))) for q in (share, 1 - share)]
                parts += [intervals.mul(q, log) for q, log in logs]
            found.append(intervals.ends(intervals.total(parts)))
        values = sorted(found)
        ends = [f"{decimal(math.floor(low * 10**12))} and {decimal(math.ceil(high * 10**12))}" for low, high in values]
        words = f"{'two local minima, with values' if ends[1:] else 'one local minimum, with a value'} between {', and between '.join(ends)}"
        apart = values[1:] and values[0][1] < values[1][0]
        more = "; the values differ, so one of the two is not a global minimum" if apart else ""
        self.found[rule,] = words, show(min(sizes) / 2), more
        return ()

    def rule_added_unit(self, step):
        """dense+exp, exp_a alone regularized by l2, inputs distinct: exp_a = 0 and all loss slopes vanish at every local minimum."""
        p, rule = self.problem, "added-unit"
        if p.kind != "dense+exp" or p.regularizer != "l2":
            raise Rejected(rule, "needs a network with an added exponential unit and the l2 regularizer")
        if any((k == p.added) != bool(weight) for k, weight in enumerate(p.penalties)):
            raise Rejected(rule, "needs a positive weight on exp_a and none on the other parameters")
        if len(set(map(tuple, p.inputs))) < len(p.inputs) or (p.loss == "logistic" and not all(y for (y,) in p.targets)):
            raise Rejected(rule, "needs distinct inputs, and targets that are not 0 for the logistic loss")
        return ()

    def rule_zero_error(self, step):
        """Every delta_i is sum_k c_k (omega_k . x)_+^2 on the data: lambda_0 = min_i |y_i| c_i / (2 sum_k |c_k| |omega_k|^2)."""
        data, slopes = self.rectified("zero-error")
        ring, bounds, where = Rationals(self.meter), [], "step.interpolations"
        for i, terms in enumerate(array(step["interpolations"], where, len(data))):
            values, cost = [Fraction(0)] * len(data), Fraction(0)
            for term in array(terms, where, most=256):
                c, omega = array(term, where, 2)
                c, omega = number(c, where), numbers(omega, where, len(data[0]))
                values = [v + c * max(ring.dot(omega, x), 0) ** 2 for v, x in zip(values, data, strict=True)]
                cost += abs(c) * ring.dot(omega, omega)
            if any(v != (k == i) for k, v in enumerate(values)):
                raise Rejected("zero-error", f"interpolation {i + 1} is not 1 at its sample and 0 at the others")
            bounds.append(slopes[i] / (2 * cost))
        if not min(bounds) > min(self.problem.penalties):
            raise Rejected("zero-error", "no regularizer weight is below the threshold")
        self.found["zero-error",] = (show(min(bounds)),)
        return ()

    def least(self, ring, cell, place=lambda z: z):
        """A lower bound of F on a box: F(m) + grad F(cell) . (cell - m), or plain interval evaluation where F is not C^1.
        ``place`` maps coordinates on a plane to parameters."""
        middle = [((a + b) // 2,) * 2 for a, b in cell]
        plain = Taylor(ring, 0).loss(self.problem, place([{(): c} for c in cell])).get((), ring.zero)[0]
        try:
            theta = place([{(): c, (k,): ring.one} for k, c in enumerate(cell)])
            slope = Taylor(ring, 1).loss(self.problem, theta, need_value=False)
        except Rejected as error:
            if error.rule != "smoothness":
                raise
            return Fraction(plain, ring.unit)
        value = Taylor(ring, 0).loss(self.problem, place([{(): c} for c in middle])).get((), ring.zero)
        change = ring.total(ring.mul(slope.get((k,), ring.zero), ring.sub(c, m)) for k, (c, m) in enumerate(zip(cell, middle, strict=True)))
        return Fraction(max(plain, value[0] + change[0]), ring.unit)

    # -- Gram matrices of relu units, and the training of the hidden weights alone (output weights fixed) --------------

    def relu_units(self, rule):
        """The inputs, for one hidden layer of relu units without biases and a scalar linear output, squared loss."""
        p = self.problem
        if p.kind != "dense" or p.hidden_layers != 1 or p.activations[0].kind != "relu" or any(p.bias) or p.widths[-1] != 1:
            raise Rejected(rule, "needs one hidden layer of relu units, a scalar output and no biases")
        if p.output.kind != "linear" or p.loss != "squared" or p.regularizer is not None or set(p.sample_weights) != {1}:
            raise Rejected(rule, "needs a linear output and the unweighted squared loss without regularizer")
        return p.inputs

    def hidden(self, step):
        """(inputs, targets, hidden weight vectors, output weights), all rational."""
        inputs, point, p = self.relu_units(step["rule"]), self.exact_point(step), self.problem
        if not isinstance(point.ring, Rationals):
            raise Rejected(step["rule"], "needs a point with rational coordinates")
        cols, width = p.widths[0], p.widths[1]
        rows = [point.coordinates[r * cols : (r + 1) * cols] for r in range(width)]
        return inputs, [y[0] for y in p.targets], rows, point.coordinates[width * cols :]

    def reach(self, inputs, rows):
        """w_r . x_i, unit by unit."""
        ring = Rationals(self.meter)
        return [[ring.dot(w, x) for x in inputs] for w in rows]

    def residuals(self, z, outer, targets):
        """f(x_i) - y_i."""
        ring = Rationals(self.meter)
        return [ring.dot(outer, [max(row[i], 0) for row in z]) - y for i, y in enumerate(targets)]

    def gram_at(self, inputs, z, outer):
        """H_ij = x_i . x_j sum of v_r^2 over the units with w_r . x_i >= 0 and w_r . x_j >= 0."""
        ring, n = Rationals(self.meter), len(inputs)
        if n > MAX_MATRIX:
            raise Rejected("limit", f"a Gram matrix is limited to {MAX_MATRIX} samples")
        out = [{} for _ in range(n)]
        for i, j in itertools.combinations_with_replacement(range(n), 2):
            shared = ring.total(ring.mul(v, v) for v, row in zip(outer, z, strict=True) if row[i] >= 0 and row[j] >= 0)
            out[i][j] = out[j][i] = ring.mul(ring.dot(inputs[i], inputs[j]), shared)
        return out

    def at_least(self, rule, matrix, floor):
        """The symmetric matrix minus floor * identity is positive semidefinite, exactly."""
        if len(matrix) > MAX_MATRIX:
            raise Rejected(rule, f"is limited to {MAX_MATRIX} samples")
        moved = [row | {i: row.get(i, Fraction(0)) - floor} for i, row in enumerate(matrix)]
        return inertia_of(Rationals(self.meter), moved)[2] == 0

    def positive(self, step, key):
        value = number(step[key], f"step.{key}")
        if value <= 0:
            raise Rejected(step["rule"], f"needs a positive {key}")
        return value

    def rule_gram_floor(self, step):
        """H_ij = rho (pi - arccos rho) / (2 pi) = rho (1/4 + arcsin rho / (2 pi)), rho = x_i . x_j, for unit vectors."""
        floor, p = self.positive(step, "value"), self.problem
        if p.kind != "dense" or len(p.inputs) > MAX_MATRIX:
            raise Rejected("gram-floor", f"needs at most {MAX_MATRIX} inputs")
        exact, n = Rationals(self.meter), len(p.inputs)
        rho = [[exact.dot(x, y) for y in p.inputs] for x in p.inputs]
        if any(rho[i][i] != 1 for i in range(n)):
            raise Rejected("gram-floor", "needs inputs of length 1")
        known = {Fraction(1): Fraction(1, 2), Fraction(1, 2): Fraction(1, 6), Fraction(0): Fraction(0),
                 Fraction(-1, 2): Fraction(-1, 12), Fraction(-1): Fraction(0)}  # fmt: skip
        if all(r in known for row in rho for r in row):
            good = self.at_least("gram-floor", [{j: known[r] for j, r in enumerate(row)} for row in rho], floor)
        else:
            ring = Intervals(self.meter)
            turn = ring.inverse(ring.scale(ring.pi, 2))

            def entry(r):
                if r in known:
                    return ring.of(known[r])
                return ring.scale(ring.add(ring.of(Fraction(1, 4)), ring.mul(ring.arcsine(r), turn)), r)

            rows = [[ring.sub(entry(r), ring.of(floor if i == j else Fraction(0))) for j, r in enumerate(row)] for i, row in enumerate(rho)]
            good = positive_over(ring, rows)
        if not good:
            raise Rejected("gram-floor", "the smallest eigenvalue is not proved to be that large")
        self.found["gram-floor",] = (show(floor),)
        return ()

    def rule_gram_null(self, step):
        """sum_i c_i x_i 1{w . x_i >= 0} = 0 for almost every w: rays that are not cancelled by their opposites have sum 0."""
        if self.problem.kind != "dense":
            raise Rejected("gram-null", "needs inputs")
        inputs = self.problem.inputs
        vector, sums = numbers(step["vector"], "step.vector", len(inputs)), {}
        for c, x in zip(vector, inputs, strict=True):
            size = abs(next((v for v in x if v), Fraction(0)))
            if size:
                ray = tuple(v / size for v in x)
                sums[ray] = sums.get(ray, Fraction(0)) + c * size
        if not any(vector):
            raise Rejected("gram-null", "the vector is 0")
        rest = [Fraction(0)] * len(inputs[0])
        for ray, weight in sums.items():
            if weight + sums.get(tuple(-v for v in ray), Fraction(0)) != 0:
                raise Rejected("gram-null", "a jump across a hyperplane w . x = 0 does not cancel")
            if ray > tuple(-v for v in ray):
                rest = [a + weight * v for a, v in zip(rest, ray, strict=True)]
        if any(rest):
            raise Rejected("gram-null", "the constants of the opposite pairs do not add up to 0")
        self.found["gram-null",] = (", ".join(map(show, vector)),)
        return ()

    def rule_hidden_gram(self, step):
        floor = self.positive(step, "value")
        inputs, _, rows, outer = self.hidden(step)
        if not self.at_least("hidden-gram", self.gram_at(inputs, self.reach(inputs, rows), outer), floor):
            raise Rejected("hidden-gram", "the smallest eigenvalue is smaller")
        self.found["hidden-gram", step["point"]] = (show(floor),)
        return ()

    def rule_linear_descent(self, step):
        """No pre-activation can reach 0: each |w_r . x_i| exceeds |x_i| times all that w_r can move, sqrt(n) |v_r| |x| |residual| / floor."""
        rate, floor = self.positive(step, "rate"), self.positive(step, "floor")
        inputs, targets, rows, outer = self.hidden(step)
        z, ring = self.reach(inputs, rows), Rationals(self.meter)
        gram = self.gram_at(inputs, z, outer)
        if not self.at_least("linear-descent", gram, floor):
            raise Rejected("linear-descent", "the smallest eigenvalue of H(p) is smaller than the floor")
        if not self.at_least("linear-descent", [{j: -2 * rate * v for j, v in row.items()} for row in gram], Fraction(-1)):
            raise Rejected("linear-descent", "the step is longer than 1/(2 lambda_max(H(p)))")
        error = self.residuals(z, outer, targets)
        lengths = [ring.dot(x, x) for x in inputs]
        bound = len(inputs) * max(lengths) * ring.dot(error, error) / (floor * floor)
        for row, v in zip(z, outer, strict=True):
            if any(value == 0 or value * value <= v * v * bound * size for value, size in zip(row, lengths, strict=True)):
                raise Rejected("linear-descent", "a pre-activation is not farther from 0 than its weights can move")
        self.found["linear-descent", step["point"]] = show(rate), show(floor), show((1 - 2 * rate * floor) ** 2)
        return ()

    def rule_hidden_descent(self, step):
        """Gradient descent w_r <- w_r - 2 rate v_r sum_i (f(x_i) - y_i) 1{w_r . x_i >= 0} x_i, done exactly."""
        rate, steps = self.positive(step, "rate"), whole(step["steps"], "step.steps", 1, 10_000)
        claimed, ring = number(step["value"], "step.value"), Rationals(self.meter)
        inputs, targets, rows, outer = self.hidden(step)
        start, z = rows, self.reach(inputs, rows)
        first, error = z, self.residuals(z, outer, targets)
        before = ring.dot(error, error)
        for _ in range(steps):
            pushed = []
            for w, row, v in zip(rows, z, outer, strict=True):
                pull = [ring.mul(e, -2 * rate * v) if value >= 0 else Fraction(0) for e, value in zip(error, row, strict=True)]
                pushed.append([ring.add(c, ring.dot(pull, column)) for c, column in zip(w, zip(*inputs, strict=True), strict=True)])
            rows, z = pushed, self.reach(inputs, pushed)
            error = self.residuals(z, outer, targets)
        if ring.dot(error, error) != claimed:
            raise Rejected("hidden-descent", "F does not have the stated value after these steps")
        flips = sum((a >= 0) != (b >= 0) for old, new in zip(first, z, strict=True) for a, b in zip(old, new, strict=True))
        moved = max(sum((a - b) ** 2 for a, b in zip(old, new, strict=True)) for old, new in zip(start, rows, strict=True))
        words = (str(steps), show(rate), Goal.brief(before), Goal.brief(claimed), str(flips), str(len(z) * len(inputs)), Goal.brief(moved))
        self.found["hidden-descent", step["point"]] = words
        return ()

    def rule_flow_ends(self, step):
        """A sample orthogonal to all others, where an active unit with v_r (f - y) > 0 runs into w_r . x = 0 before f = y."""
        inputs, targets, rows, outer = self.hidden(step)
        i, ring = whole(step["sample"], "step.sample", 1, len(inputs)) - 1, Rationals(self.meter)
        if any(j != i and ring.dot(inputs[i], x) != 0 for j, x in enumerate(inputs)):
            raise Rejected("flow-ends", "the sample is not orthogonal to all others")
        z = self.reach(inputs, rows)
        error, column = self.residuals(z, outer, targets)[i], [row[i] for row in z]
        if not all(column):
            raise Rejected("flow-ends", "a pre-activation at the sample is 0")
        shared = ring.total(ring.mul(v, v) for v, value in zip(outer, column, strict=True) if value > 0)
        if not any(value > 0 and ring.mul(value, shared) < ring.mul(v, error) for v, value in zip(outer, column, strict=True)):
            raise Rejected("flow-ends", "no active unit is driven to 0 before the sample is fitted")
        self.found["flow-ends", step["point"]] = (str(i + 1),)
        return ()

    def rule_flow_rests(self, step):
        """Numbers from [0, 1] instead of relu'(0) at the ties make the hidden gradient vanish, while F(p) > 0 and H(p) >= floor."""
        floor = self.positive(step, "floor")
        inputs, targets, rows, outer = self.hidden(step)
        z, ring = self.reach(inputs, rows), Rationals(self.meter)
        error = self.residuals(z, outer, targets)
        chosen = numbers(step["selection"], "step.selection")
        if any(not 0 <= c <= 1 for c in chosen) or len(chosen) != sum(value == 0 for row in z for value in row):
            raise Rejected("flow-rests", "needs one number from [0, 1] for every pair of a unit and a sample with w . x = 0")
        left = iter(chosen)
        for row, v in zip(z, outer, strict=True):
            tied = [x for x, value in zip(inputs, row, strict=True) if value == 0]
            if len(independent_rows(tied, self.meter)) != len(tied):
                raise Rejected("flow-rests", "the samples at which one unit has w . x = 0 are linearly dependent")
            slopes = [next(left) if value == 0 else Fraction(int(value > 0)) for value in row]
            pull = [ring.mul(ring.mul(e, s), v) for e, s in zip(error, slopes, strict=True)]
            if any(ring.dot(pull, column) != 0 for column in zip(*inputs, strict=True)):
                raise Rejected("flow-rests", "the hidden gradient does not vanish for these numbers")
        value = ring.dot(error, error)
        if value == 0 or not self.at_least("flow-rests", self.gram_at(inputs, z, outer), floor):
            raise Rejected("flow-rests", "F(p) is 0, or the smallest eigenvalue of H(p) is smaller than the floor")
        self.found["flow-rests", step["point"]] = show(value), show(floor)
        return ()

    def null_vector(self, step):
        vector = numbers(step["vector"], "step.vector", len(self.problem.inputs))
        if not any(vector):
            raise Rejected(step["rule"], "the vector is 0")
        return vector

    def rule_feature_null(self, step):
        """Repeated inputs whose coefficients add up to 0, or polynomial units of one scalar input and vanishing moments of c."""
        p, ring, sums = self.problem, Rationals(self.meter), {}
        if p.kind != "dense" or p.hidden_layers < 1:
            raise Rejected("feature-null", "needs a network with a hidden layer")
        vector = self.null_vector(step)
        for c, x in zip(vector, p.inputs, strict=True):
            sums[tuple(x)] = sums.get(tuple(x), Fraction(0)) + c
        if any(sums.values()):
            act = p.activations[0]
            if p.hidden_layers != 1 or p.widths[0] != 1 or len(act.pieces) != 1:
                raise Rejected("feature-null", "needs coefficients that cancel at repeated inputs, or polynomial units of one scalar input")
            for k, coefficient in enumerate(act.pieces[0]):
                if (coefficient or p.bias[0]) and ring.total(ring.mul(c, x[0] ** k) for x, c in sums.items()) != 0:
                    raise Rejected("feature-null", f"the moment of order {k} does not vanish")
        self.found["feature-null",] = (", ".join(map(show, vector)),)
        return ()

    def rule_feature_null_near(self, step):
        """Every pre-activation strictly inside a piece a + b z: sum_i c_i (a_i + b_i (w.x_i + bias)) vanishes identically in w, bias."""
        point, p, ring = self.exact_point(step), self.problem, Rationals(self.meter)
        if p.kind != "dense" or p.hidden_layers != 1 or not p.activations[0].pieces or not isinstance(point.ring, Rationals):
            raise Rejected("feature-null-near", "needs one hidden layer of piecewise polynomial units and a rational point")
        vector, data = self.null_vector(step), p.extended_inputs()
        for r in range(p.widths[1]):
            total = [Fraction(0)] * (len(data[0]) + 1)  # the coefficients of 1, and of w_1, w_2, ... and perhaps the bias
            for c, x in zip(vector, data, strict=True):
                piece = strict_piece(ring, p.activations[0], ring.dot(p.unit(point.coordinates, r)[0], x))
                if piece is None:
                    raise Rejected("feature-null-near", "a pre-activation is at a break")
                if any(piece[2:]):
                    raise Rejected("feature-null-near", "a pre-activation is in a piece of degree above 1")
                a, b = (*piece, Fraction(0))[:2]
                total = [ring.add(t, ring.mul(c, v)) for t, v in zip(total, (a, *(ring.mul(b, v) for v in x)), strict=True)]
            if any(total):
                raise Rejected("feature-null-near", f"the combination does not vanish for unit {r + 1}")
        self.found["feature-null-near", step["point"]] = (", ".join(map(show, vector)),)
        return ()

    def rule_positive(self, step):
        """ln(1 + e^-z) > 0 with weights c_i > 0, and every regularizer is >= 0."""
        if self.problem.loss != "logistic":
            raise Rejected("positive", "needs the logistic loss")
        self.found["positive",] = ()
        return ()

    def rule_initial_mean(self, step):
        """E f(x)^2 = |x|^2 / 2 and E f(x) = 0, since E max(w . x, 0)^2 = |x|^2 / 2 and the signs are independent of w."""
        inputs, ring, claimed = self.relu_units("initial-mean"), Rationals(self.meter), number(step["value"], "step.value")
        if ring.total(ring.dot(x, x) / 2 + y[0] * y[0] for x, y in zip(inputs, self.problem.targets, strict=True)) != claimed:
            raise Rejected("initial-mean", "is not the sum of y_i^2 + |x_i|^2 / 2")
        self.found["initial-mean",] = (show(claimed),)
        return ()

    # -- all critical points ------------------------------------------------------------------------------------------

    def rule_radius(self, step):
        """Every critical point of F has |theta_k| <= bounds_k, and lies in the ball of every layer of `layer_balls`."""
        p, radii = self.problem, numbers(step["bounds"], "step.bounds", self.size)
        if p.kind != "dense" or p.output.kind != "linear" or p.regularizer not in ("l2", "power") or not all(p.penalties):
            raise Rejected("radius", "needs a network with a linear output and an l2 or power regularizer of positive weights")
        if p.exponent < 2:
            raise Rejected("radius", "needs a differentiable regularizer")
        balls, energy = self.layer_balls()
        for k, (r, weight) in enumerate(zip(radii, p.penalties, strict=True)):
            inside = any(k in where and weight * r**p.exponent >= limit for where, limit in balls)
            if r <= 0 or not (inside or self.slope_bound(k, r, energy)):
                raise Rejected("radius", f"the bound of {p.names[k]} does not follow")
        self.found["radius"] = radii, balls
        return ()

    def layer_balls(self):
        """[(parameters of a layer, limit)] with sum weight_k |theta_k|^p <= limit at every critical point, for the layers from
        which on the network is homogeneous of some degree D; and E >= -sum_i c_i (dloss_i/df) . f_i, so that limit = D E / p."""
        p, degree, out, total = self.problem, 1, [], Rationals(self.meter).total
        if p.loss == "squared":
            energy = total(c * v * v for c, y in zip(p.sample_weights, p.targets, strict=True) for v in y) / 2
        else:
            energy = total(p.sample_weights) / Fraction(3)
        for layer in range(len(p.blocks) - 1, -1, -1):
            start, _ = p.blocks[layer]
            end = p.blocks[layer + 1][0] if layer + 1 < len(p.blocks) else self.size
            out.append((range(start, end), degree * energy / p.exponent))
            own = homogeneity(p.activations[layer - 1]) if layer else None
            if own is None or p.bias[layer]:
                break
            degree *= own
        return out, energy

    def slope_bound(self, k, r, energy):
        """One hidden layer, |phi'| <= L or |z phi'(z)| <= K, l2: 2 weight_k |w_k| = |sum_i (dloss_i/df . v_j) phi'(z_i) x_ik|."""
        p, (start, bias) = self.problem, self.problem.blocks[0]
        hidden, cols = p.widths[1], p.widths[0]
        if p.hidden_layers != 1 or p.exponent != 2 or k >= p.blocks[1][0]:
            return False
        act = p.activations[0]
        unit, column = ((k - start) // cols, (k - start) % cols) if bias is None or k < bias else (k - bias, None)
        slope, spread = SLOPES.get(act.kind), SPREADS.get(act.kind)
        if act.kind == "elu" and act.factor == 1:
            slope = Fraction(1)
        second = p.blocks[1][0]
        outgoing = min(p.penalties[second + i * hidden + unit] for i in range(p.widths[2]))
        out_norm = energy / (2 * outgoing)  # of the squared norm of the unit's outgoing weights
        moments = [Fraction(1) if column is None else abs(x[column]) for x in p.inputs]

        total = Rationals(self.meter).total

        def flux(weights):  # the square of a bound of sum_i |dloss_i/df| weights_i
            if p.loss == "squared":
                return 8 * energy * total(c * t * t for c, t in zip(p.sample_weights, weights, strict=True))
            each = zip(p.sample_weights, weights, p.targets, strict=True)
            return total(c * t * abs(y[0]) for c, t, y in each) ** 2

        weight = p.penalties[k]
        if slope is not None and (2 * weight * r) ** 2 >= slope**2 * out_norm * flux(moments):
            return True
        return spread is not None and (2 * weight * r * r) ** 2 >= spread**2 * out_norm * flux([Fraction(1)] * len(p.inputs))

    def rule_complete_in_box(self, step):
        """The critical points in the box are exactly the named points: a binary tree of boxes, each leaf with its reason."""
        rule, where, ring, d = "complete-in-box", "step.tree", Coarse(Meter(TREE_WORK)), self.size
        lower, upper = (numbers(step[key], f"step.{key}", d) for key in ("lower", "upper"))
        names = [point_name(name, "step.points", self.points) for name in array(step["points"], "step.points", most=MAX_POINTS)]
        tree = array(step["tree"], where, most=MAX_NODES)
        if any(a >= b for a, b in zip(lower, upper, strict=True)) or names != sorted(set(names)) or {"origin", "image"} & set(names):
            raise Malformed("step", "has an empty or flat box, or points out of order, or a point called origin or image")
        used, boxes = {self.critical(name): None for name in names}, {}
        for name in names:
            point = self.points[name]
            if point.ring is not None or point.radius is not None:
                raise Rejected(rule, f"{name} is not known by a box")
            if any(a < low or b > high for low, a, b, high in zip(lower, point.lower, point.upper, upper, strict=True)):
                raise Rejected(rule, f"the box of {name} is not inside")
            boxes[name] = self.inner_box(ring, name)
        for a, b in itertools.combinations([self.points[name] for name in names], 2):  # each zero lies in the interior of its box
            if all(u < y and x < v for u, v, x, y in zip(a.lower, a.upper, b.lower, b.upper, strict=True)):
                raise Rejected(rule, "two boxes overlap, so they may hold the same point")
        stack, seen = [[ring.hull(ring.of(a), ring.of(b)) for a, b in zip(lower, upper, strict=True)]], set()
        moves = unit_moves(self.problem, lower, upper) if "image" in tree else []
        series, made = (Taylor(ring, 1), Mixed(ring)), set()  # kept, since halves of a box share most pre-activations
        for entry in tree:
            if not stack:
                raise Rejected(rule, "the tree goes on after its last leaf")
            ring.meter.spend(1 + d)
            box = stack.pop()
            if isinstance(entry, str) or whole(entry, where, -d, d) <= 0:
                reason = self.leaf(series, box, entry, boxes, moves)
                if entry == 0:
                    used[self.need("radius")] = None
                seen.add(reason)
                made |= {reason} if entry == "image" else set()
                continue
            low, high = box[entry - 1]
            middle = (low + high) // 2
            stack += [[*box[: entry - 1], half, *box[entry:]] for half in ((middle, high), (low, middle))]
        if stack:
            raise Rejected(rule, "the tree breaks off: a part of the box is not covered")
        if not made and not seen >= set(names):
            raise Rejected(rule, "a point is not met by the tree")
        origin, places = "origin" in seen, [(point.lower, point.upper) for point in map(self.points.get, names)]
        for pairs, *_ in map(moves.__getitem__, sorted(made)):
            if any(moved(pairs, *place) not in places for place in places):
                raise Rejected(rule, "a symmetry that is used maps the box of a point to no such box")
        homes = [(lower, upper), *((self.points[name].lower, self.points[name].upper) for name in names)] if origin else []
        if [all(a <= 0 <= b for a, b in zip(*ends, strict=True)) for ends in homes] != [True] * origin + [False] * len(homes[1:]):
            raise Rejected(rule, "the origin is not in the box, or it is perhaps one of the points")
        self.found[rule] = lower, upper, names, origin
        return tuple(used)

    def inner_box(self, ring, name):
        return [(ring.of(a)[1], ring.of(b)[0]) for a, b in zip(self.points[name].lower, self.points[name].upper, strict=True)]

    def leaf(self, series, box, entry, boxes, moves):
        """Check that a box holds no critical point but a listed one, or that a symmetry maps it to where the tree looks: the name, the number
        of the symmetry, or the entry."""
        rule, where, ring = "complete-in-box", "step.tree", series[0].ring
        if entry == "image":
            ring.meter.spend(len(moves))
            turns = (n for n, (_, a, b) in enumerate(moves) if box[a][1] < (0 if b is None else box[b][0]))
            found = next(turns, None)
            if found is None:
                raise Rejected(rule, "no symmetry of the units raises a leaf that is called an image")
            return found
        if entry == 0:
            self.need("radius")
            if not any(self.beyond(ring, box, ball) for ball in self.found["radius"][1]):
                raise Rejected(rule, "a leaf is not outside the ball of a layer")
        elif entry in boxes:
            if any(low < a or high > b for (low, high), (a, b) in zip(box, boxes[entry], strict=True)):
                raise Rejected(rule, f"a leaf is not inside the box of {entry}")
        elif entry == "origin":
            if not self.only_origin(ring, box):
                raise Rejected(rule, "a leaf may hold a critical point besides the origin")
        elif isinstance(entry, str):
            if not self.mean_value(series, box, tree_row(entry, where, self.size)):
                raise Rejected(rule, "a leaf may hold a critical point")
        else:
            low, high = self.directional(series[0], box, [int(i == -entry - 1) for i in range(self.size)]).get((0,), ring.zero)
            if low <= 0 <= high:
                raise Rejected(rule, "a leaf may hold a critical point")
        return entry

    def beyond(self, ring, box, ball):
        """sum weight_k |theta_k|^p > limit on the whole box, so it holds no critical point."""
        where, limit = ball
        total, exponent = ring.zero, self.problem.exponent
        for k in where:
            term = ring.of(self.problem.penalties[k])
            for _ in range(exponent):
                term = ring.mul(term, ring.magnitude(box[k]))
            total = ring.add(total, term)
        return total[0] > ring.of(limit)[1]

    def only_origin(self, ring, box):
        """One hidden layer of units of degree 1, scalar inputs, l2: if H(s)^2 is never 4 lambda_w lambda_v, H(s) = sum_i g_i phi(s x_i),
        s = 1, -1, then a point of the box other than 0 is not critical."""
        p = self.problem
        if p.kind != "dense" or p.hidden_layers != 1 or p.widths[0] != 1 or p.widths[-1] != 1 or any(p.bias) or p.loss != "squared":
            raise Rejected("complete-in-box", "origin needs one hidden layer, scalar inputs and outputs, no biases, squared loss")
        act, units, rationals = p.activations[0], p.widths[1], Rationals(self.meter)
        if p.output.kind != "linear" or homogeneity(act) != 1 or p.regularizer != "l2" or not all(p.penalties):
            raise Rejected("complete-in-box", "origin needs a linear output, units of degree 1 and an l2 regularizer")
        theta, sums = [{(): z} for z in box], {1: ring.zero, -1: ring.zero}
        for x, y, c in zip(p.inputs, p.targets, p.sample_weights, strict=True):
            output = Taylor(ring, 0).outputs(p, theta, x)[0].get((), ring.zero)
            slope = ring.scale(ring.sub(output, ring.of(y[0])), 2 * c)
            for s in sums:
                sums[s] = ring.add(sums[s], ring.scale(slope, taylor_pieces(rationals, act.breaks, act.pieces, s * x[0], 0)[0]))
        squares = [ring.square(total) for total in sums.values()]
        limits = [ring.of(4 * p.penalties[j] * p.penalties[units + j]) for j in range(units)]
        return all(square[1] < limit[0] or limit[1] < square[0] for square in squares for limit in limits)

    def directional(self, taylor, centre, row, more=()):
        """F over a box, with variable 0 in the direction ``row`` and perhaps one variable per parameter."""
        ring, extra = taylor.ring, more or [{}] * self.size
        slopes = [{(0,): (v * ring.unit,) * 2} if v else {} for v in row]
        theta = [{(): z, **slope, **other} for z, slope, other in zip(centre, slopes, extra, strict=True)]
        return taylor.loss(self.problem, theta, need_value=False)

    def mean_value(self, series, box, row):
        """h = row . grad F has no zero in the box: h(x) is in h(m) + grad h(box) . (box - m), m the middle."""
        ring, middle = series[0].ring, [((a + b) // 2,) * 2 for a, b in box]
        bent = self.directional(series[1], box, row, [{(k + 1,): ring.one} for k in range(self.size)])
        total = self.directional(series[0], middle, row).get((0,), ring.zero)
        for k, (z, m) in enumerate(zip(box, middle, strict=True)):
            total = ring.add(total, ring.mul(bent.get((0, k + 1), ring.zero), ring.sub(z, m)))
        return total[0] > 0 or total[1] < 0

    def rule_complete(self, step):
        """No critical point lies outside the box."""
        used = (self.need("radius"), self.need("complete-in-box"))
        radii, (lower, upper, *_) = self.found["radius"][0], self.found["complete-in-box"]
        if any(low > -r or high < r for low, high, r in zip(lower, upper, radii, strict=True)):
            raise Rejected("complete", "the box does not contain all points within the bounds")
        return used


SLOPES = {  # bounds of |phi'|
    **{kind: Fraction(1) for kind in ("linear", "tanh", "softplus", "sin")}, "sigmoid": Fraction(1, 4), "swish": Fraction(5, 4),
    "gelu": Fraction(5, 4), "erf": Fraction(113, 100),
}
SPREADS = {"sigmoid": Fraction(1, 4), "tanh": Fraction(1, 2), "erf": Fraction(1, 2)}  # bounds of |z phi'(z)|


def homogeneity(act):
    """D >= 1 with phi(tz) = t^D phi(z) for t > 0, or None: breaks at 0 only, every piece a multiple of z^D."""
    degrees = {k for piece in act.pieces for k, c in enumerate(piece) if c}
    return degrees.pop() if act.pieces and set(act.breaks) <= {0} and len(degrees) == 1 and 0 not in degrees else None


def unit_moves(p, lower, upper):
    """Changes of sign of a unit of the first hidden layer, and exchanges of two, that leave F and the box as they are: ([(k, its image, sign)],
    a, b), a the first weight of the (first) unit, b that of the second (None: a change of sign)."""
    if p.kind != "dense" or p.hidden_layers < 1 or p.widths[1] > 16 or p.regularizer not in (None, "l2", "power"):
        return []
    (start, bias), (second, _), cols, hidden, act, out = *p.blocks[:2], p.widths[0], p.widths[1], p.activations[0], []
    into = [[*range(start + j * cols, start + j * cols + cols), *([] if bias is None else [bias + j])] for j in range(hidden)]
    away = [[*range(second + j, second + hidden * p.widths[2], hidden)] for j in range(hidden)]
    odd = act.kind in ("tanh", "sin", "erf") or (act.pieces and not act.breaks and not any(act.pieces[0][::2]))
    even = act.pieces and not act.breaks and not any(act.pieces[0][1::2])
    for j in range(hidden) if odd or even else ():
        out.append(([(k, k, -1) for k in into[j] + (away[j] if odd else [])], into[j][0], None))
    for i, j in itertools.combinations(range(hidden), 2):
        pairs = list(zip(into[i] + away[i], into[j] + away[j], strict=True))
        if p.regularizer is None or all(p.penalties[a] == p.penalties[b] for a, b in pairs):
            out.append(([(k, m, 1) for a, b in pairs for k, m in ((a, b), (b, a))], into[i][0], into[j][0]))
    return [move for move in out if moved(move[0], lower, upper) == (lower, upper)]


def moved(pairs, lower, upper):
    """The image of a box."""
    low, high = list(lower), list(upper)
    for k, m, sign in pairs:
        low[m], high[m] = (lower[k], upper[k]) if sign > 0 else (-upper[k], -lower[k])
    return low, high


def tree_row(text, where, size):
    """The integers of a witness, written with single spaces."""
    if len(text) > 24 * size or re.fullmatch(r"(?:0|-?[1-9][0-9]{0,18})(?: (?:0|-?[1-9][0-9]{0,18}))*", text, re.ASCII) is None:
        raise Malformed(where, "has a leaf that is neither a point nor a row of integers")
    row = [int(part) for part in text.split(" ")]
    if len(row) != size or not any(row):
        raise Malformed(where, f"has a row that does not have {size} entries, or is 0")
    return row


# ---------------------------------------------------------------------------------------------------------------------
# 9. The goals: composed here from facts about the named points; every step and every point must be needed.

FAMILY_RULES = ("uniform-minimum",)
STRICT_RULES = dict.fromkeys(("strict-minimum", "minimum-in-ball", "symmetric-inertia"), "a strict local minimum")
MINIMUM_RULES = {
    **STRICT_RULES, "flat-minimum": "a local minimum",
    "morse-bott-minimum": "a local minimum (not strict)", "global": "a local minimum (indeed a global one)",
}
MAXIMUM_RULES = {"maximum": "a strict local maximum", "morse-bott-maximum": "a local maximum (not strict)"}
GOALS = {  # kind: what it says of p, and of q
    "value": "",
    "critical-point": "grad F(p) = 0",
    "critical-inertia": "grad F(p) = 0 and the Hessian at p has {} positive, {} zero and {} negative eigenvalues",
    "strict-local-minimum": "p is a strict local minimum of F",
    "strict-local-maximum": "p is a strict local maximum of F",
    "local-minimum": "p is {} of F",
    "local-maximum": "p is {} of F",
    "strict-saddle": "p is a strict saddle of F (critical, with a positive and a negative eigenvalue of the Hessian)",
    "saddle": "p is a saddle of F (critical, neither a local minimum nor a local maximum)",
    "not-local-minimum": "p is not a local minimum of F",
    "not-local-maximum": "p is not a local maximum of F",
    "global-minimum": "p is a global minimum of F",
    "not-global": "p is not a global minimum of F, since F(q) < F(p)",
    "spurious-local-minimum": "p is {} of F and not a global one, since F(q) < F(p)",
    "uniform-spurious-minimum": "for every integer k from {} {} the point p = p_k is a strict local minimum of F_k with F_k(p_k) > 0, while min F_k = 0",
    "coercive": "F is coercive, and F <= {} implies |theta_k| <= r_k for r = ({})",
    "descending-path": "F is non-increasing along a path from p to q, and F(q) < F(p)",
    "bounded-path": "p and q are joined by a path on which F <= {}",
    "escape-path": "from p a path leads to infinity along which F decreases strictly to the limit {}, while F(q) < {}",
    "infimum-at-infinity": "from p a path leads to infinity along which F decreases strictly to inf F = 0",
    "not-coercive": "F is not coercive: from p a path leads to infinity along which F {} {}",
    "barrier": "every path from p to q contains a point with F {}",
    "slice-basin": "on the slice F(p + sum_k z_k d_k) with d = ({}), which is F(p) < {} at z = 0, a connected component of the sublevel "
    "set at level {} lies inside the box z in ({}), where the slice is {} or more",
    "no-bad-slices": "on every affine subspace through a point with F = 0, every local minimum of F restricted to it has F = 0",
    "line-of-minima": "p + s d is a local minimum of F (not strict) for every s with {}, d = ({})",
    "line-of-saddles": "p + s d is a strict saddle of F for every s with {}, d = ({})",
    "interpolation-rises": "{}; on the segment from p to q F is larger at the fraction {} of the way than at {}",
    "interpolation-falls": "{}; on the segment from p to q F decreases strictly",
    "exact-barrier": "every path from p to q contains a point with F >= {0}, and on some path from p to q F <= {0}",
    "output-valley": "the outputs of the last linear layer on the samples stay in the box ({1}) on the connected component of p in the "
    "sublevel set F <= {0}, where F >= {2}, while F(q) < {2}",
    "constant-loss": "F is constant: F(q) = F(p) for every q",
    "spurious-valley": "F >= {0} on the connected component of p in the sublevel set F < {1}, while F(p) < {1} and F(q) < {0}",
    "unattained-infimum": "from p a path leads to infinity along which F decreases strictly to inf F = 0, which is not attained",
    "tangent-optimal": "no linear combination of the gradient features of the network at p has a lower loss than p: F(p) = min over a of "
                       "sum_i c_i loss(sum_k a_k df(x_i)/dtheta_k, y_i)",
    "rank": "",
    "kinks-nearby": "on all samples the outputs of the network are differentiable at p, but output 1 on sample {} is not differentiable at p + t e for any "
                    "t != 0, where e is the direction of the weight from hidden unit {} to output 1",
    "no-local-minimum": "F has no local minimum at all",
    "local-minima-interpolate": "exp_a = 0, f(x_i) = y_i for all samples and F = 0 at every local minimum of F, so it is a global minimum",
    "local-minima-classify": "F has exactly {}; y_i f(x_i) > 0 for all samples at every one of them; all regularizer weights are below {}{}",
    "silent-unit-classifies": "y_i f(x_i) > 0 for all samples at every local minimum of F at which the weights of a unit with a "
    "regularizer weight below {} are all 0",
    "critical-points-in-box": "in the box ({1}) F has exactly {0}",
    "critical-points-complete": "F has exactly {}",
    "minimum-value": "F attains its minimum, and {} <= min F <= {}",
    "lower-bound": "F >= {} everywhere",
    "spurious-basin": "the connected component of p in the sublevel set F <= {} lies inside the box ({}), where F >= {}, while F(q) < {}",
    "full-rank-not-global": "grad F(p) = 0 and the disparity matrix at p ({}) has full column rank, but p is not a global minimum of F, "
    "since F(q) < F(p)",
    "full-rank-slope": "grad F(p) = 0 and the disparity matrix at p ({}) has full column rank, but the gradient of the truncated loss Q_N in the "
    "Fourier coefficients of f_p has a component of size at least {}",
    "rank-deficient": "no row of the disparity matrix at p ({}) vanishes and no two are equal, but its rank is only {}; the network has {} hidden "
    "units",
    "trapped": "from every point near p gradient descent, with any step sizes and any mini-batches, moves nothing but an output bias and keeps "
    "F >= {}, while F(q) is smaller",
    "trapped-at-full-rank": "from every point near p gradient descent, with any step sizes and any mini-batches, moves nothing but an output bias "
    "and keeps F >= {}, while F(q) is smaller; along the way the disparity matrix ({}) does not change, and it has full column rank",
    "fourier-gap": "the Fourier partial sums of x -> f_p(x) on [0, 1] tend to {} at x = 0 and at x = 1, while f_p(0) = {} and f_p(1) = {}",
    "truncated-loss-gap": "the losses of the Fourier partial sums of x -> f_p(x) on [0, 1] tend to {}, which is not F(p): the limit of these sums is "
    "another function with the same Fourier coefficients",
    "truncation-unbounded": "f_p(0) = {} differs from f_p(1) = {}, so for every N the mean square error of the Fourier partial sum with |k| <= N is "
    "unbounded over the parameters",
    "revived-unit": "unit {} of layer {} is inactive at p for every input in the unit cube, and active at an input of the data at q = p - {} grad F(p)",
    "no-trigonometric-fit": "the {} inputs are distinct points of the unit cube, but every trigonometric polynomial with the {} frequencies "
    "|k_i| <= ({}) has the loss {} or more on the data",
    "not-interpolable": "no parameters interpolate the data: F > 0 everywhere (the targets force {} breakpoints, the network has at most {})",
    "gram-floor": "the Gram matrix H_ij = E[x_i.x_j 1(w.x_i >= 0, w.x_j >= 0)], w ~ N(0, I), of the inputs has smallest eigenvalue >= {}",
    "gram-null": "sum_i c_i max(w.x_i, 0) = 0 for every w, and H c = 0 for H_ij = E[x_i.x_j 1(w.x_i >= 0, w.x_j >= 0)], w ~ N(0, I), "
    "with c = ({})",
    "hidden-gram": "the Gram matrix H(p)_ij = x_i.x_j (sum of v_r^2 over the units with w_r.x_i >= 0 and w_r.x_j >= 0) has smallest "
    "eigenvalue >= {}",
    "linear-descent": "gradient descent on the hidden weights (output weights fixed) from p with step {} never changes an activation "
    "pattern: the residuals are multiplied by I - 2 step H(p) in every step, lambda_min(H(p)) >= {}, F falls at least by the factor {}",
    "hidden-descent": "{} step(s) of gradient descent on the hidden weights (output weights fixed, relu'(0) = 1) from p with step {} lead "
    "from F = {} to F = {}, where {} of {} activation patterns (w.x >= 0) differ from those at p and the largest |w_r - w_r(p)|^2 is {}",
    "flow-ends": "the gradient flow of the hidden weights (output weights fixed, relu'(0) = 1) from p has no solution for all times: at a "
    "finite time a unit reaches w.x = 0 at sample {} and no absolutely continuous curve goes on",
    "flow-rests": "the constant curve p solves the differential inclusion (Filippov) of the gradient flow of the hidden weights, while F(p) = "
    "{} > 0 and H(p)_ij = x_i.x_j (sum of v_r^2 over the units with w_r.x_i >= 0 and w_r.x_j >= 0) has smallest eigenvalue >= {}",
    "feature-null": "sum_i c_i h(x_i) = 0 at all parameters, for the outputs h(x) of the last hidden layer, with c = ({}); so the matrix of these "
    "outputs has a smaller rank than the number of samples everywhere",
    "feature-null-near": "sum_i c_i h(x_i) = 0 at all parameters near p, for the outputs h(x) of the hidden layer, with c = ({}); so the matrix of "
    "these outputs has a smaller rank than the number of samples near p",
    "positive": "F > 0 everywhere",
    "initial-mean": "the mean of F over independent w_r ~ N(0, I) and independent output weights +-1/sqrt(m) with fair signs is {}",
}
GOAL_EXTRAS = {"rank": ("ranks",), "not-global": ("better",), "spurious-local-minimum": ("better", "hypotheses"), "descending-path": ("better",),
               "bounded-path": ("to",), "barrier": ("to",), "escape-path": ("better",), "spurious-basin": ("better",),
               "full-rank-not-global": ("better",), "trapped-at-full-rank": ("better",), "trapped": ("better",), "revived-unit": ("to",),
               "interpolation-rises": ("to",), "interpolation-falls": ("to",), "exact-barrier": ("to",), "spurious-valley": ("better",),
               "output-valley": ("better",)}
CANONICAL_GOALS = ("full-rank-not-global", "full-rank-slope", "rank-deficient", "trapped", "trapped-at-full-rank", "fourier-gap", "truncated-loss-gap",
                   "truncation-unbounded")
MOTION_GOALS = ("slice-basin", "line-of-minima", "line-of-saddles", "interpolation-rises", "interpolation-falls")
COMPLETE_GOALS = {"critical-points-in-box": "complete-in-box", "critical-points-complete": "complete", "minimum-value": "complete"}
SET_OR_PATH_GOALS = ("descending-path", "bounded-path", "escape-path", "infimum-at-infinity", "not-coercive", "barrier",
                     "unattained-infimum", "spurious-basin", "exact-barrier", "spurious-valley", "output-valley")
ONE_RULE = {  # goals that one rule proves, which finds the words of the sentence as well
    "value": "value", "strict-local-maximum": "maximum", "strict-saddle": "strict-saddle", "global-minimum": "global",
    "constant-loss": "constant", "uniform-spurious-minimum": "uniform-minimum", "revived-unit": "revival", "coercive": "coercive",
    "no-local-minimum": "added-unit", "local-minima-interpolate": "added-unit", "local-minima-classify": "orthogonal-requ",
    "silent-unit-classifies": "zero-error", "no-bad-slices": "quadratic-output", "lower-bound": "floor",
    "no-trigonometric-fit": "aliased", "not-interpolable": "too-few-breaks",
    **{rule: rule for rule in (
        "tangent-optimal", "kinks-nearby", "gram-floor", "gram-null", "hidden-gram", "linear-descent", "hidden-descent", "flow-ends",
        "flow-rests", "initial-mean", "feature-null", "feature-null-near", "positive",
    )},
}  # fmt: skip


class Goal:
    """Turns the proved facts into one sentence, and sees to it that all of them are needed for it."""

    def __init__(self, proof, body):
        self.proof, self.body, self.p, self.q, self.used = proof, body, body.get("point"), body.get("better", body.get("to")), []

    def take(self, rule, *names):
        self.used.append(self.proof.need(rule, *names))

    def one_of(self, rules):
        rule = next((r for r in rules if self.proves(r)), None)
        if rule is None:
            raise Rejected("goal", f"no step proves {self.body['kind']}")
        self.take(rule, self.p)
        return [rules[rule]]

    def proves(self, rule):
        """Whether the rule was used on p; ``symmetric-inertia`` proves a minimum only with an inertia (d, 0, 0)."""
        return (rule, self.p) in self.proof.facts and (rule != "symmetric-inertia" or not any(self.proof.inertias[self.p][1:]))

    def take_inertia(self):
        self.take("symmetric-inertia" if getattr(self.proof.points[self.p], "classes", None) else "inertia", self.p)

    def side(self, curve, entry):
        """Evidence that F takes lower (higher) values near p: a curve, or stationarity and an eigenvalue."""
        if (curve, self.p) in self.proof.facts:
            return self.take(curve, self.p)
        self.used.append(self.proof.critical(self.p))
        self.take_inertia()
        if self.proof.inertias[self.p][entry] == 0:
            raise Rejected("goal", f"has neither a {curve} nor an eigenvalue of that sign")

    def sentence(self):
        kind, p, words = self.body["kind"], self.p, []
        if kind in ONE_RULE:
            key = (ONE_RULE[kind], *(name for name in (p, self.q) if name is not None))
            self.take(*key)
            words = [brief_list([word]) for word in self.proof.found.get(key, ())]
            self.fits(kind, words)
        if kind in ("critical-point", "critical-inertia", "saddle"):
            self.used.append(self.proof.critical(p))
        if kind == "critical-inertia":
            self.take_inertia()
            words = self.proof.inertias[p]
        if kind in ("saddle", "not-local-minimum"):
            self.side("descent-curve", 2)
        if kind in ("saddle", "not-local-maximum"):
            self.side("ascent-curve", 0)
        if kind == "strict-local-minimum":
            self.take(next((r for r in STRICT_RULES if self.proves(r)), "strict-minimum"), p)
        if kind in ("local-minimum", "spurious-local-minimum"):
            words = self.one_of(MINIMUM_RULES)
        if kind == "local-maximum":
            words = self.one_of(MAXIMUM_RULES)
        if kind in ("not-global", "spurious-local-minimum", "descending-path"):
            self.take("below", self.q, p)
        if kind in MOTION_GOALS:
            words = self.motion(kind, self.proof.found)
        elif kind in SET_OR_PATH_GOALS:
            words = self.set_or_path(kind, self.proof.found)
        elif kind in CANONICAL_GOALS:
            words = self.canonical(kind, self.proof.found)
        if kind in COMPLETE_GOALS:
            words = self.complete(kind)
        for name in self.body.get("hypotheses", ()):
            self.take("hypothesis", name)
        return "; ".join(part for part in (GOALS[kind].format(*words), *map(self.rank, self.body.get("ranks", ()))) if part)

    def rank(self, matrix):
        """The sentence about a rank at p, beside the goal's own."""
        if matrix != "disparity":
            self.take("rank", self.p, matrix)
            return self.proof.found["rank", self.p, matrix]
        self.take("disparity", self.p)
        columns, rank, _, least = self.proof.found["disparity", self.p]
        if least is not None:
            raise Rejected("goal", "does not speak of a slope")
        full = "full " if rank == min(self.proof.size, columns) else ""
        return f"the disparity matrix ({self.proof.size} x {columns}) has {full}rank {rank} at p"

    def complete(self, kind):
        """How many critical points, by index; none is degenerate, since each has a box over which the Hessian is regular."""
        self.take(COMPLETE_GOALS[kind])
        lower, upper, names, origin = self.proof.found["complete-in-box"]
        if names != self.body["points"]:
            raise Rejected("goal", "names other points than the tree")
        if kind == "minimum-value":
            self.take("floor")
            least = min((self.proof.bounds(name)[1] for name in names), default=None)
            if ("complete",) not in self.proof.facts["floor",] or least is None:
                raise Rejected("goal", "needs a floor from critical points, and a point")
            return [show(self.proof.found["floor"]), show(least)]
        for name in names:
            self.take("inertia", name)
        counts = sorted(self.proof.inertias[name][2] for name in names)
        parts = [f"{len(list(group))} of index {index}" for index, group in itertools.groupby(counts)]
        words = "no critical point" if not names else f"one critical point, a nondegenerate one of index {counts[0]}"
        if len(names) > 1:
            words = f"{len(names)} critical points, all nondegenerate: {', '.join(parts)}"
        words += ", besides the origin" if origin else ""
        p = self.proof.problem
        acts = [*p.activations, p.output] if p.kind == "dense" else []
        words += " (in the sense of Clarke)" if any(act.breaks for act in acts) else ""
        return [words, brief_list(f"[{show(a)}, {show(b)}]" for a, b in zip(lower, upper, strict=True))]

    def fits(self, kind, words):
        """What a goal asks for beside its one rule."""
        loss = {"no-local-minimum": "logistic", "local-minima-interpolate": "squared"}.get(kind, self.proof.problem.loss)
        if loss != self.proof.problem.loss:
            raise Rejected("goal", "the logistic loss has no minimum, the squared loss has one")
        if kind == "no-trigonometric-fit" and int(words[1]) < int(words[0]):
            raise Rejected("goal", "needs at least as many frequencies as samples")

    def set_or_path(self, kind, found):
        """The numbers in the sentence about a set or a path, after a last comparison."""
        if kind in ("descending-path", "bounded-path"):
            self.take("path", self.p, self.q)
            level = found["path", self.p, self.q]
            if (level is None) != (kind == "descending-path"):
                raise Rejected("goal", "needs a path of the other kind (with or without a level)")
            return [] if level is None else [show(level)]
        if kind in ("exact-barrier", "spurious-valley") or (kind == "barrier" and ("wall", self.p, self.q) in self.proof.facts):
            self.take("wall", self.p, self.q)
            return self.behind_a_wall(kind, *found["wall", self.p, self.q])
        rule = "basin" if kind in ("spurious-basin", "barrier") else "output-basin" if kind == "output-valley" else "escape"
        self.take(rule, self.p)
        if kind == "barrier":  # the component of p in {F <= level} stays in the box, q is outside
            level, lower, upper, _ = found["basin", self.p]
            ring, q = self.proof.points[self.q].ring, self.proof.points[self.q]
            q = () if ring is None or q.teacher else q.coordinates  # none: not known exactly
            sides_of_q = (ring.sign(ring.sub(ring.of(end), c)) for c, *ends in zip(q, lower, upper, strict=False) for end in ends)
            if not any(side == (1, -1)[k % 2] for k, side in enumerate(sides_of_q)):
                raise Rejected("goal", "q is not proved to lie outside the box")
            return [f"> {show(level)}"]
        if kind == "not-coercive":
            limit = show(found["limit", self.p])
            return ["decreases strictly to" if found["strict", self.p] else "is constantly", limit]
        if kind not in ("spurious-basin", "output-valley") and not found["strict", self.p]:
            raise Rejected("goal", "needs F to decrease strictly along the path")
        if kind == "infimum-at-infinity":
            self.take("floor")
            if found["limit", self.p] != 0 or found["floor"] != 0:
                raise Rejected("goal", "needs the proved floor 0 as the limit")
            return []
        if kind == "unattained-infimum":
            if self.proof.problem.loss != "logistic" or found["limit", self.p] != 0:
                raise Rejected("goal", "needs the logistic loss, which is positive everywhere, and the limit 0")
            return []
        if kind in ("spurious-basin", "output-valley"):
            level, lower, upper, least = found[rule, self.p]
            box = brief_list(f"[{show(a)}, {show(b)}]" for a, b in zip(lower, upper, strict=True))
            words = [show(level), box, decimal(math.floor(least * 10**12)), decimal(math.floor(least * 10**12))]
            least = Fraction(math.floor(least * 10**12), 10**12)
        else:
            least = found["limit", self.p]
            words = [show(least)] * 2
        self.take("value", self.q)
        if not self.proof.bounds(self.q)[1] < least:
            raise Rejected("goal", "F(q) is not proved to be smaller")
        return words

    def canonical(self, kind, found):
        """The numbers in the sentence about the canonical space, after a last comparison."""
        p, q, problem = self.p, self.q, self.proof.problem
        samples = len(problem.inputs)
        if kind in ("fourier-gap", "truncated-loss-gap", "truncation-unbounded"):
            self.take("fourier-limit", p)
            limit, ends = found["fourier-limit", p]
            if kind == "truncation-unbounded" and problem.output.kind != "linear":
                raise Rejected("goal", "needs a linear output")
            if kind != "truncated-loss-gap":
                return ends if kind == "fourier-gap" else ends[1:]
            self.take("value", p)
            form, ring, *value = self.proof.values[p]
            if form != "exact" or ring.same(value[0], limit):
                raise Rejected("goal", "needs the exact value of F(p), different from the limit")
            return [ring.show(limit)]
        if kind.startswith("trapped"):
            self.take("frozen", p)
            self.take("value", q)
            if not self.proof.bounds(q)[1] < found["frozen", p]:
                raise Rejected("goal", "F(q) is not proved to be smaller")
            if kind == "trapped":
                return [show(found["frozen", p])]
        self.take("disparity", p)
        columns, rank, plain, least = found["disparity", p]
        words = [f"{self.proof.size} rows, {columns} columns, {samples} samples"]
        if not self.proof.size >= columns >= samples:
            raise Rejected("goal", "needs at least as many parameters as Fourier coefficients, and as many of these as samples")
        if (least is not None) != (kind == "full-rank-slope") or (rank == columns) == (kind == "rank-deficient"):
            raise Rejected("goal", "does not fit the stated rank, or the presence of a slope")
        if kind == "rank-deficient":
            if not plain:
                raise Rejected("goal", "needs a matrix without zero or equal rows")
            return [*words, rank, sum(problem.widths[1:-1])]
        if kind == "trapped-at-full-rank":
            return [show(found["frozen", p]), *words]
        self.used.append(self.proof.critical(p))
        if kind == "full-rank-not-global":
            self.take("below", q, p)
        return words if least is None else [*words, show(least)]

    @staticmethod
    def brief(value):
        """A number >= 0, or bounds of it where its text is long."""
        text = show(value)
        low, high = math.floor(value * 10**12), math.ceil(value * 10**12)
        return text if len(text) <= 100 else f"a number from {decimal(low)} to {decimal(high)}"

    def motion(self, kind, found):
        """The words of a goal about a slice, a line of critical points, or descent and the chord."""
        p, q = self.p, self.q
        if kind == "slice-basin":
            self.take("slice-basin", p)
            self.take("value", p)
            rows, level, lower, upper, least = found["slice-basin", p]
            least = Fraction(math.floor(least * 10**12), 10**12)
            if not self.proof.bounds(p)[1] < least:
                raise Rejected("goal", "F(p) is not proved to be smaller than the slice in the box")
            box = brief_list(f"[{show(a)}, {show(b)}]" for a, b in zip(lower, upper, strict=True))
            shown = decimal(math.floor(least * 10**12))
            return [brief_list(f"({', '.join(map(show, row))})" for row in rows), shown, show(level), box, shown]
        if kind.startswith("line-of"):
            self.take("line", p)
            (pos, zero, neg), (low, high), direction = found["line", p]
            if (kind == "line-of-minima" and (zero != 1 or neg)) or (kind == "line-of-saddles" and not (pos and neg)):
                raise Rejected("goal", "does not follow from that inertia on the line")
            interval = f"{f'{show(low)} < ' if low is not None else ''}s{f' < {show(high)}' if high is not None else ''}"
            return [interval, brief_list(direction)]
        rule = next((r for r in ("flow", "gradient-step") if (r, p, q) in self.proof.facts), "flow")
        self.take(rule, p, q)
        self.take("chord", p, q)
        if rule == "gradient-step":
            self.take("stationary", q)
        at = found["chord", p, q]
        if (at is None) != (kind == "interpolation-falls"):
            raise Rejected("goal", "needs a chord of the other kind (with or without fractions)")
        return [found["descent", p, q], *(reversed(at) if at else ())]

    def behind_a_wall(self, kind, level, side):
        if (side is not None) != (kind == "spurious-valley"):
            raise Rejected("goal", "needs a bound of F on the side of p for a valley, and for nothing else")
        if kind == "exact-barrier":
            self.take("path", self.p, self.q)
            if self.proof.found["path", self.p, self.q] != level:
                raise Rejected("goal", "needs a path with the level of the wall")
        if kind == "spurious-valley":
            self.take("value", self.p)
            self.take("value", self.q)
            if not (self.proof.bounds(self.p)[1] < level and self.proof.bounds(self.q)[1] < side):
                raise Rejected("goal", "F(p) < level and F(q) < side are not proved")
            return [show(side), show(level)]
        return [f">= {show(level)}" if kind == "barrier" else show(level)]

    def fact(self):
        parts, proof, closure = [self.sentence()], self.proof, set()
        while self.used:
            key = self.used.pop()
            if key not in closure:
                closure.add(proof.need(*key))
                self.used += proof.facts[key]
        unused = next((key for key in proof.facts if key not in closure), None)
        if unused is not None:
            raise Rejected(unused[0], "is a step that the goal does not need")
        letters = {name: letter for name, letter in ((self.p, "p"), (self.q, "q")) if name is not None}
        letters |= {name: name for name in self.body.get("points", ())}
        for name, letter in letters.items():
            if isinstance(proof.points[name].ring, NumberField):
                proof.points[name].ring.symbol = f"A_{letter}"
        if set(letters) != set(proof.points):
            raise Rejected("points", "has a point that the goal does not name")
        if self.body.get("hypotheses"):
            parts.append(f"the problem satisfies: {', '.join(self.body['hypotheses'])}")
        parts += [self.value_text(name, letter) for name, letter in letters.items() if name in proof.values]
        where = "; ".join(f"{letter} = {proof.points[name].show(proof.problem.names)}" for name, letter in letters.items())
        where = "" if "points" in self.body else where
        about = f"F is the loss of problem {proof.problem.digest} ({proof.problem.describe()})"
        return f"{'; '.join(part for part in parts if part)}, where {where + ' and ' if where else ''}{about}"

    def value_text(self, name, letter):
        kind, *rest = self.proof.values[name]
        low, high = self.proof.bounds(name)
        if kind == "bounds":
            return f"{show(low)} <= F({letter}) <= {show(high)}"
        ring, value = rest
        text = ring.show(value)
        if isinstance(ring, NumberField) and ring.rational(value) is None:
            text += f" ({ring.describe()})"
        if len(text) <= 200:
            return f"F({letter}) = {text}"
        return f"{decimal(math.floor(low * 10**12))} <= F({letter}) <= {decimal(math.ceil(high * 10**12))}"


def decimal(units):
    """An integer number of units 10^-12, as a decimal."""
    digits = str(abs(units)).rjust(13, "0")
    return f"{'-' if units < 0 else ''}{digits[:-12]}.{digits[-12:]}"


def point_name(body, where, points):
    if not isinstance(body, str) or body not in points:
        raise Malformed(where, "names no point")
    return body


def read_goal(body, points):
    fields(body, "goal", ("kind",), ("point", "points", "better", "to", "hypotheses", "ranks"))
    if not isinstance(body["kind"], str) or body["kind"] not in GOALS:
        raise Malformed("goal.kind", "is not a known goal")
    rule, about = ONE_RULE.get(body["kind"]), ("points",) if body["kind"] in COMPLETE_GOALS else ("point",)
    about = about if rule is None or "point" in STEP_KEYS[rule] else ()
    required = ("kind", *about, *GOAL_EXTRAS.get(body["kind"], ()))
    fields(body, "goal", required, ("hypotheses", "ranks") if "point" in required else ("hypotheses",))
    listed = [point_name(name, "goal.points", points) for name in array(body.get("points", []), "goal.points", most=MAX_POINTS)]
    if listed != sorted(set(listed)):
        raise Malformed("goal.points", "are not distinct sorted names")
    names = [point_name(body[key], f"goal.{key}", points) for key in ("point", "better", "to") if key in body]
    if len(set(names)) != len(names):
        raise Malformed("goal", "names one point twice")
    hypotheses = array(body.get("hypotheses", []), "goal.hypotheses", most=32)
    if "hypotheses" in body and "hypotheses" not in required and not hypotheses:
        raise Malformed("goal.hypotheses", "are empty")
    ranks = array(body.get("ranks", ["features"]), "goal.ranks", most=32)
    if not ranks or any(not isinstance(n, str) or n not in (*MATRICES, "disparity") for n in ranks) or ranks != sorted(set(ranks)):
        raise Malformed("goal.ranks", "are not distinct sorted names of matrices")
    if any(not isinstance(n, str) or n not in HYPOTHESES for n in hypotheses) or hypotheses != sorted(set(hypotheses)):
        raise Malformed("goal.hypotheses", "are not distinct sorted names of known hypotheses")
    return body


def read_step(body, where, points):
    """The key of the fact that a step is to prove: (rule, names...)."""
    fields(body, where, ("rule",), {key for keys in (*STEP_KEYS.values(), *STEP_OPTIONS.values()) for key in keys})
    rule = body["rule"]
    if not isinstance(rule, str) or rule not in STEP_KEYS:
        raise Malformed(f"{where}.rule", "is not a known rule")
    fields(body, where, ("rule", *STEP_KEYS[rule]), STEP_OPTIONS.get(rule, ()))
    for key in ("name", "proof", "matrix"):
        if key in STEP_KEYS[rule] and not isinstance(body[key], str):
            raise Malformed(f"{where}.{key}", "is not a name")
    if rule == "rank" and body["matrix"] not in MATRICES:
        raise Malformed(f"{where}.matrix", "is not a known matrix")
    if rule == "hypothesis" and body["name"] not in HYPOTHESES:
        raise Malformed(f"{where}.name", "is not a known hypothesis")
    keys = ("lower", "upper") if rule == "below" else [key for key in ("point", "to") if key in body]
    names = [point_name(body[key], f"{where}.{key}", points) for key in keys]
    return (rule, *names, *(body[key] for key in ("name", "matrix") if key in STEP_KEYS[rule]))


def verify(problem_bytes, certificate_bytes):
    """(fact, goal kind, rules) of a certificate that proves its goal; raises Malformed or Rejected."""
    problem = Problem(parse_json(problem_bytes, "problem"))
    body = parse_json(certificate_bytes, "certificate")
    fields(body, "certificate", ("format", "problem", "goal", "points", "steps"))
    if body["format"] != "explorer.certificate/1":
        raise Malformed("certificate.format", "is not explorer.certificate/1")
    if not isinstance(body["problem"], str) or re.fullmatch(r"sha256:[0-9a-f]{64}", body["problem"], re.ASCII) is None:
        raise Malformed("certificate.problem", "is not a digest")
    if body["problem"] != problem.digest:
        raise Rejected("digest", "belongs to another problem")
    if not isinstance(body["points"], dict) or len(body["points"]) > MAX_POINTS:
        raise Malformed("certificate.points", f"is not an object of at most {MAX_POINTS} points")
    meter, points = Meter(), {}
    for name, point in body["points"].items():
        if re.fullmatch(r"[a-z][a-z0-9_]{0,30}", name, re.ASCII) is None:
            raise Malformed("certificate.points", "has a name that is not [a-z][a-z0-9_]*")
        points[name] = Point(point, f"points.{name}", problem, meter)
    goal = read_goal(body["goal"], points)
    steps = array(body["steps"], "certificate.steps", most=MAX_STEPS)
    keys = [read_step(step, f"steps[{k}]", points) for k, step in enumerate(steps)]
    if any((RULE_ORDER[a[0]], a) >= (RULE_ORDER[b[0]], b) for a, b in itertools.pairwise(keys)):
        raise Rejected("steps", "are repeated or not in the order of the rules")
    proof = Proof(problem, points, meter)
    for key, step in zip(keys, steps, strict=True):
        if problem.kind == "student-teacher-relu" and key[0] not in STUDENT_RULES:
            raise Rejected(key[0], "is no rule for student-teacher problems")
        if problem.kind == "student-teacher-relu-family" and key[0] not in FAMILY_RULES:
            raise Rejected(key[0], "is no rule for families of problems")
        proof.facts[key] = getattr(proof, "rule_" + key[0].replace("-", "_"))(step)
    return Goal(proof, goal).fact(), goal["kind"], [key[0] for key in keys]


def check(problem_bytes, certificate_bytes):
    """The `Verdict` on a certificate. Never raises: whatever goes wrong inside a rule is a rejection."""
    try:
        fact, goal, rules = verify(problem_bytes, certificate_bytes)
    except Malformed as error:
        return Verdict("malformed", where=error.where, why=error.why)
    except Rejected as error:
        return Verdict("rejected", where=error.rule, why=error.why)
    except Exception as error:
        return Verdict("rejected", where="internal", why=f"the check broke off ({type(error).__name__})")
    return Verdict("verified", fact=fact, goal=goal, rules=rules)


# ---------------------------------------------------------------------------------------------------------------------
# 10. The command line.


def main(arguments):
    if len(arguments) != 2:
        print("MALFORMED arguments usage: checker.py problem.json certificate.json")
        return 2
    contents = []
    for path in arguments:
        try:
            with open(path, "rb") as stream:
                contents.append(stream.read(MAX_BYTES + 1))
        except OSError:
            print(f"MALFORMED file cannot be read: {path!a}")
            return 2
    verdict = check(*contents)
    print(verdict.line)
    return verdict.exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
