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

import hashlib
import json
import math
import re
import sys
from fractions import Fraction

MAX_BYTES = 16_000_000
MAX_DEPTH = 16
MAX_DIGITS = 2_000
MAX_PARAMETERS = 20_000
MAX_SAMPLES = 5_000
MAX_POINTS = 64
MAX_STEPS = 256
MAX_DEGREE = 64  # of number fields, curves, activations
MAX_EXPONENT = 4_096  # of 2 in exp(k ln 2)
MAX_MATRIX = 400  # order of a Hessian whose inertia is asked for
MAX_WORK = 40_000_000  # ring operations, weighted by size: about a minute
PRECISION = 256  # bits after the binary point in interval arithmetic


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
        self.status, self.fact, self.goal, self.rules, self.where, self.why = (
            status,
            fact,
            goal,
            tuple(rules),
            where,
            why,
        )

    @property
    def line(self):
        if self.status == "verified":
            return f"VERIFIED {self.fact}"
        return f"{self.status.upper()} {self.where} {self.why}"

    @property
    def exit_code(self):
        return {"verified": 0, "rejected": 1, "malformed": 2}[self.status]


# ---------------------------------------------------------------------------------------------------------------
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
        if len(token) > MAX_DIGITS:
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
    depth, quoted, escaped = 0, False, False
    for ch in text:
        if quoted:
            quoted = escaped or ch != '"'
            escaped = ch == "\\" and not escaped
        elif ch == '"':
            quoted = True
        elif ch in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise Malformed(where, f"is nested deeper than {MAX_DEPTH}")
        elif ch in "]}":
            depth -= 1


def fields(body, where, required, optional=()):
    """The object ``body`` with exactly the required and perhaps the optional keys."""
    if not isinstance(body, dict):
        raise Malformed(where, "is not an object")
    for key in required:
        if key not in body:
            raise Malformed(where, f"lacks the key {key}")
    for key in body:
        if key not in required and key not in optional:
            raise Malformed(where, f"has the unknown key {ascii(key[:40])}")
    return body


def array(body, where, length=None, most=MAX_PARAMETERS):
    if not isinstance(body, list) or len(body) > most or (length is not None and len(body) != length):
        raise Malformed(where, f"is not a list of {length if length is not None else f'at most {most}'} entries")
    return body


def whole(body, where, low, high):
    if isinstance(body, bool) or not isinstance(body, int) or not low <= body <= high:
        raise Malformed(where, f"is not an integer from {low} to {high}")
    return body


NUMBER = re.compile(r"-?[0-9]+(?:/[1-9][0-9]*)?", re.ASCII)


def number(body, where, canonical=True):
    """A rational number. Certificates (``canonical``) must write it in lowest terms; problems may also use integers."""
    if not canonical and isinstance(body, int) and not isinstance(body, bool):
        return Fraction(body)
    if not isinstance(body, str) or len(body) > 2 * MAX_DIGITS + 2 or NUMBER.fullmatch(body) is None:
        raise Malformed(where, "is not an exact number")
    if max(len(part) for part in body.lstrip("-").split("/")) > MAX_DIGITS:
        raise Malformed(where, "has too many digits")
    value = Fraction(body)
    if canonical and body != show(value):
        raise Malformed(where, "is not written in lowest terms")
    return value


def show(value):
    return str(value.numerator) if value.denominator == 1 else f"{value.numerator}/{value.denominator}"


# ---------------------------------------------------------------------------------------------------------------
# 2. Numbers. A ring has zero, one, of(rational), add, neg, mul, inverse, sign and the transcendental functions that it
#    can compute *exactly or as an enclosure*; a question that it cannot answer is a rejection.


class Meter:
    """Counts ring operations, so that every check ends."""

    def __init__(self, limit=MAX_WORK):
        self.left = limit

    def spend(self, cost):
        self.left -= cost
        if self.left < 0:
            raise Rejected("limit", "the check needs more arithmetic than the checker allows")


class ExactRing:
    """What the exact rings share: e^z is known exactly at integer multiples of ln 2, and nowhere else but 0."""

    def ln2_multiple(self, z):
        """The rational k with z = k ln 2, or None."""
        raise NotImplementedError

    def exponent(self, z, what):
        k = self.ln2_multiple(z)
        if k is None or k.denominator != 1 or abs(k) > MAX_EXPONENT:
            raise Rejected("exact", f"{what} is not known exactly at this pre-activation")
        return int(k)

    def exp(self, z):
        return self.of(Fraction(2) ** self.exponent(z, "exp"))

    def sigmoid(self, z):
        power = Fraction(2) ** self.exponent(z, "sigmoid")
        return self.of(power / (1 + power))

    def softplus(self, z):
        if self.exponent(z, "softplus") != 0:
            raise Rejected("exact", "softplus is not known exactly at this pre-activation")
        return self.ln2()

    def ln2(self):
        raise Rejected("exact", "ln 2 is not in this field; use a point with field ln2")

    def sine_cosine(self, z):
        if self.sign(z) != 0:
            raise Rejected("exact", "sin is not known exactly at this pre-activation")
        return self.zero, self.one

    def gaussian(self, z, half):
        raise Rejected("exact", "erf and gelu have no exact values; use interval evidence")

    def square_root(self, z):
        value = self.rational(z)
        if value is None or value < 0:
            raise Rejected("exact", "a square root is not known exactly here")
        p, q = math.isqrt(value.numerator), math.isqrt(value.denominator)
        if p * p != value.numerator or q * q != value.denominator:
            raise Rejected("exact", "a square root is irrational here; use interval evidence")
        return self.of(Fraction(p, q))

    def sub(self, a, b):
        return self.add(a, self.neg(b))

    def same(self, a, b):
        return self.sign(self.sub(a, b)) == 0


class Rationals(ExactRing):
    """The field of rational numbers; elements are Fractions."""

    zero, one = Fraction(0), Fraction(1)

    def __init__(self, meter):
        self.meter = meter

    def of(self, q):
        return q

    def add(self, a, b):
        return a + b

    def neg(self, a):
        return -a

    def mul(self, a, b):
        self.meter.spend(1 + ((a.numerator.bit_length() + b.denominator.bit_length()) >> 8))
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


def poly_trim(a):
    a = list(a)
    while a and a[-1] == 0:
        a.pop()
    return tuple(a)


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


def poly_gcd(a, b):
    while b:
        a, b = b, poly_divmod(a, b)[1]
    return tuple(x / a[-1] for x in a)


def poly_at(a, x):
    value = Fraction(0)
    for c in reversed(a):
        value = value * x + c
    return value


def poly_derivative(a):
    return poly_trim([k * c for k, c in enumerate(a)][1:])


def root_count(a, low, high):
    """Number of distinct real roots of ``a`` in the open interval, by Sturm's theorem; the end points must not be roots."""
    chain = [a, poly_derivative(a)]
    while chain[-1]:
        chain.append(tuple(-c for c in poly_divmod(chain[-2], chain[-1])[1]))

    def variations(x):
        signs = [s for s in ((v > 0) - (v < 0) for v in (poly_at(p, x) for p in chain if p)) if s]
        return sum(s != t for s, t in zip(signs, signs[1:], strict=False))

    return variations(low) - variations(high)


class PolynomialRing(ExactRing):
    """What Q[ln 2] and Q(alpha) share: elements are coefficient tuples (low to high, no trailing zeros)."""

    zero, one = (), (Fraction(1),)

    def __init__(self, meter):
        self.meter = meter

    def of(self, q):
        return (q,) if q else ()

    def add(self, a, b):
        return poly_add(a, b)

    def neg(self, a):
        return tuple(-c for c in a)

    def rational(self, a):
        return Fraction(0) if not a else a[0] if len(a) == 1 else None

    def bounds(self, bits):
        """Rational bounds of the generator, closer than 2^-bits."""
        raise NotImplementedError

    def range(self, a, bits):
        """Rational bounds of the element from bounds of the generator (interval Horner)."""
        low, high = self.bounds(bits)
        value = (Fraction(0), Fraction(0))
        for c in reversed(a):
            ends = [u * v for u in value for v in (low, high)]
            value = (min(ends) + c, max(ends) + c)
        return value

    def nonzero_sign(self, a):
        bits = 64
        while bits <= 1 << 14:
            self.meter.spend(bits)
            low, high = self.range(a, bits)
            if low > 0:
                return 1
            if high < 0:
                return -1
            bits *= 2
        raise Rejected("limit", "a sign needs more precision than the checker allows")

    def enclose(self, a, ring):
        low, high = self.range(a, PRECISION + 64 + 8 * len(a))
        return ring.hull(ring.of(low), ring.of(high))

    def show(self, a):
        terms = [
            show(c)
            if k == 0
            else f"{'' if c == 1 else '-' if c == -1 else show(c) + '*'}{self.symbol}{f'^{k}' if k > 1 else ''}"
            for k, c in enumerate(a)
            if c
        ]
        return " + ".join(terms) or "0"


class Ln2Ring(PolynomialRing):
    """Q[T] with T = ln 2. T is transcendental (Lindemann), so an element vanishes only if all its coefficients do."""

    symbol = "ln2"

    def mul(self, a, b):
        self.meter.spend(1 + len(a) * len(b))
        if len(a) + len(b) > MAX_DEGREE:
            raise Rejected("limit", "the degree in ln 2 grows too large")
        return poly_mul(a, b)

    def inverse(self, a):
        return (1 / a[0],) if len(a) == 1 else None

    def sign(self, a):
        return self.nonzero_sign(a) if a else 0

    def ln2(self):
        return (Fraction(0), Fraction(1))

    def ln2_multiple(self, z):
        if len(z) > 2 or (z and z[0] != 0):
            return None
        return z[1] if z else Fraction(0)

    def bounds(self, bits):
        return ln2_bounds(bits)


def ln2_bounds(bits):
    """ln 2 = 2 artanh(1/3) = 2 sum 1/((2k+1) 3^(2k+1)); the tail after N terms is below the last term."""
    unit = 1 << (bits + 16)
    total, power, k = 0, unit // 3, 0
    while power:
        total += power // (2 * k + 1)
        power //= 9
        k += 1
    # every floor loses less than 1 per division and the loop ran k times; the tail is below 1 unit
    return Fraction(2 * total - 2, unit), Fraction(2 * total + 6 * k + 6, unit)


class NumberField(PolynomialRing):
    """Q(alpha), alpha the only root of a squarefree polynomial in an open interval (checked here)."""

    def __init__(self, meter, modulus, low, high, where):
        super().__init__(meter)
        self.modulus, self.low, self.high, self.interval = modulus, low, high, (low, high)
        if not 2 <= len(modulus) <= MAX_DEGREE + 1 or modulus[-1] == 0:
            raise Malformed(where, "has no field polynomial of degree 1 to 64")
        if not low < high or poly_at(modulus, low) == 0 or poly_at(modulus, high) == 0:
            raise Malformed(where, "has no open isolating interval")
        if len(poly_gcd(modulus, poly_derivative(modulus))) != 1:
            raise Malformed(where, "has a field polynomial with a repeated factor")
        if root_count(modulus, low, high) != 1:
            raise Malformed(where, "has an interval that does not hold exactly one root")
        self.symbol = "a"
        self.above = poly_at(modulus, high) > 0

    def describe(self):
        terms = " ".join(show(c) for c in self.modulus)
        return f"a = the root in ({show(self.interval[0])}, {show(self.interval[1])}) of the polynomial with coefficients ({terms}), low to high"

    def mul(self, a, b):
        self.meter.spend(1 + len(a) * len(b))
        product = poly_mul(a, b)
        return product if len(product) < len(self.modulus) else poly_divmod(product, self.modulus)[1]

    def is_zero(self, a):
        """a(alpha) = 0: the polynomial may be reducible, so a nonzero residue can vanish at alpha; the gcd tells."""
        if not a:
            return True
        common = poly_gcd(self.modulus, a)
        return len(common) > 1 and root_count(common, self.low, self.high) == 1

    def sign(self, a):
        return 0 if self.is_zero(a) else self.nonzero_sign(a)

    def inverse(self, a):
        """1/a(alpha) for a(alpha) != 0: modulo the cofactor of gcd(a, modulus), of which alpha still is a root."""
        modulus = poly_divmod(self.modulus, poly_gcd(self.modulus, a))[0]
        old, new, u, v = modulus, poly_divmod(a, modulus)[1], (), self.one
        while new:
            quotient, rest = poly_divmod(old, new)
            old, new, u, v = new, rest, v, poly_add(u, self.neg(poly_mul(quotient, v)))
        return tuple(c / old[0] for c in u)

    def ln2_multiple(self, z):
        return Fraction(0) if self.is_zero(z) else None

    def bounds(self, bits):
        low, high = self.low, self.high
        while (high - low) * (1 << bits) > 1:
            self.meter.spend(len(self.modulus))
            # dyadic trial points keep the numbers short
            middle = Fraction(((low + high) * (1 << (bits + 2))).__floor__(), 1 << (bits + 3))
            if not low < middle < high:
                middle = (low + high) / 2
            value = poly_at(self.modulus, middle)
            if value == 0:
                return middle, middle
            if (value > 0) == self.above:
                high = middle
            else:
                low = middle
        self.low, self.high = low, high
        return low, high


class Intervals:
    """Enclosures: (lo, hi) are integers, standing for the closed interval [lo, hi] * 2^-PRECISION. Never proves equality."""

    unit = 1 << PRECISION
    zero, one = (0, 0), (unit, unit)

    def __init__(self, meter):
        self.meter = meter

    def of(self, q):
        low = (q.numerator << PRECISION) // q.denominator
        return low, -((-q.numerator << PRECISION) // q.denominator)

    def hull(self, a, b):
        return min(a[0], b[0]), max(a[1], b[1])

    def add(self, a, b):
        return a[0] + b[0], a[1] + b[1]

    def neg(self, a):
        return -a[1], -a[0]

    def sub(self, a, b):
        return a[0] - b[1], a[1] - b[0]

    def mul(self, a, b):
        self.meter.spend(1)
        ends = (a[0] * b[0], a[0] * b[1], a[1] * b[0], a[1] * b[1])
        return min(ends) >> PRECISION, -(-max(ends) >> PRECISION)

    def inverse(self, a):
        if a[0] <= 0 <= a[1]:
            raise Rejected("interval", "division by an interval that holds 0")
        return (self.unit * self.unit) // a[1], -((-self.unit * self.unit) // a[0])

    def sign(self, a):
        if a[0] > 0 or a[1] < 0:
            return 1 if a[0] > 0 else -1
        raise Rejected("interval", "a sign is not decided by this enclosure")

    def ends(self, a):
        return Fraction(a[0], self.unit), Fraction(a[1], self.unit)

    def monotone(self, function, a):
        """The range of an increasing function, from its values at the two end points."""
        low = function((a[0], a[0]))
        return low if a[0] == a[1] else self.hull(low, function((a[1], a[1])))

    def ln2(self):
        low, high = ln2_bounds(PRECISION + 8)
        return self.hull(self.of(low), self.of(high))

    def pi(self):
        """Machin: pi = 16 atan(1/5) - 4 atan(1/239), alternating series."""

        def atan_inverse(n):
            total, power, k = self.zero, self.of(Fraction(1, n)), 0
            while power[1] > 1:
                term = self.mul(power, self.of(Fraction((-1) ** k, 2 * k + 1)))
                total, power, k = self.add(total, term), self.mul(power, self.of(Fraction(1, n * n))), k + 1
            return total[0] - 4, total[1] + 4  # the tail is below the first omitted term

        four = self.mul(self.of(Fraction(4)), atan_inverse(5))
        return self.mul(self.of(Fraction(4)), self.sub(four, atan_inverse(239)))

    def exp(self, a):
        return self.monotone(self.exp_at, a)

    def exp_at(self, a):
        """e^x at one number: x = k ln 2 + 256 r with |256 r| < 1, Taylor series for r, eight squarings, shift by k."""
        x = a[0]
        if abs(x) > MAX_EXPONENT * self.unit:
            if x < 0:
                return 0, 1  # e^x < 2^-PRECISION
            raise Rejected("limit", "exp of a number that is too large")
        ln2 = self.ln2()
        k = x // ln2[0]
        low, high = self.sub(a, self.mul(self.of(Fraction(k)), ln2))
        r = low >> 8, -(-high >> 8)
        total, power, n = self.zero, self.one, 0
        while abs(power[0]) > 1 or abs(power[1]) > 1:
            total, n = self.add(total, power), n + 1
            power = self.mul(self.mul(power, r), self.of(Fraction(1, n)))
        total = total[0] - 4, total[1] + 4  # |r| < 1/100, so the tail is below twice its first term, at most 2 units
        for _ in range(8):
            total = self.mul(total, total)
        if k >= 0:
            return total[0] << k, total[1] << k
        return total[0] >> -k, -(-total[1] >> -k)

    def log_at(self, a):
        """ln x at one positive number: x = 2^k m with 2/3 <= m < 4/3, ln m = 2 artanh((m-1)/(m+1))."""
        if a[0] <= 0:
            raise Rejected("interval", "log of a number that may not be positive")
        k = a[0].bit_length() - 1 - PRECISION
        k = k + 1 if 3 * a[0] >= 4 * (1 << (k + PRECISION)) else k
        m = self.mul(a, self.of(Fraction(2) ** -k))
        u = self.mul(self.sub(m, self.one), self.inverse(self.add(m, self.one)))
        square, power, total, n = self.mul(u, u), u, self.zero, 0
        while abs(power[0]) > 1 or abs(power[1]) > 1:
            total = self.add(total, self.mul(power, self.of(Fraction(1, 2 * n + 1))))
            power, n = self.mul(power, square), n + 1
        total = total[0] - 4, total[1] + 4  # |u| <= 1/5: the tail is below twice its first term
        return self.add((2 * total[0], 2 * total[1]), self.mul(self.of(Fraction(k)), self.ln2()))

    def sigmoid(self, a):
        return self.monotone(self.sigmoid_at, a)

    def sigmoid_at(self, a):
        if a[0] >= 0:  # the form with e^-|x| never overflows
            return self.inverse(self.add(self.one, self.exp(self.neg(a))))
        power = self.exp(a)
        return self.mul(power, self.inverse(self.add(self.one, power)))

    def softplus(self, a):
        return self.monotone(self.softplus_at, a)

    def softplus_at(self, a):
        """ln(1 + e^x) = max(x, 0) + ln(1 + e^-|x|)."""
        small = self.exp((-abs(a[0]), -abs(a[0])))
        base = self.monotone(self.log_at, self.add(self.one, small))
        return self.add(base, a) if a[0] > 0 else base

    def sine_cosine(self, a):
        """Reduce the midpoint modulo 2 pi, Taylor series, widen by the radius (both functions are 1-Lipschitz)."""
        middle = (a[0] + a[1]) // 2
        radius = max(a[1] - middle, middle - a[0])
        turn = self.mul(self.of(Fraction(2)), self.pi())
        k = middle // turn[0]
        x = self.sub((middle, middle), self.mul(self.of(Fraction(k)), turn))
        if max(abs(x[0]), abs(x[1])) > 8 * self.unit:
            raise Rejected("limit", "sin of a number that is too large")
        parts, power, n = [self.zero, self.zero], self.one, 0
        while n < 16 or abs(power[0]) > 1 or abs(power[1]) > 1:
            term = power if n % 4 < 2 else self.neg(power)
            parts[n % 2], n = self.add(parts[n % 2], term), n + 1
            power = self.mul(self.mul(power, x), self.of(Fraction(1, n)))
        slack = radius + 8  # from n = 16 on terms at least halve: the tail is below twice its first term
        cosine, sine = ((max(p[0] - slack, -self.unit), min(p[1] + slack, self.unit)) for p in parts)
        return sine, cosine

    def square_root(self, a):
        if a[0] < 0:
            raise Rejected("interval", "a square root of an interval that reaches below 0")
        return math.isqrt(a[0] << PRECISION), math.isqrt(a[1] << PRECISION) + 1

    def gaussian(self, z, half):
        """(erf z, 2 e^(-z^2)/sqrt(pi)), or with ``half`` (Phi z, e^(-z^2/2)/sqrt(2 pi)), Phi the normal distribution function."""
        scale = self.mul(self.of(Fraction(2)), self.inverse(self.square_root(self.pi())))
        x = self.mul(z, self.inverse(self.square_root(self.of(Fraction(2))))) if half else z
        low, high = self.magnitude(x)
        density = self.mul(scale, self.exp(self.neg((low * low >> PRECISION, -(-high * high >> PRECISION)))))
        value = self.monotone(lambda e: self.erf_at(e, scale), x)
        if not half:
            return value, density
        value = self.mul(self.add(self.one, value), self.of(Fraction(1, 2)))
        return value, self.mul(density, self.inverse(self.square_root(self.of(Fraction(8)))))

    def magnitude(self, a):
        """Smallest and largest absolute value in the interval."""
        low = 0 if a[0] <= 0 <= a[1] else min(abs(a[0]), abs(a[1]))
        return low, max(abs(a[0]), abs(a[1]))

    def erf_at(self, a, scale):
        """erf x = (2/sqrt pi) e^(-x^2) sum 2^n x^(2n+1)/(2n+1)!!; for |x| > 16 use 0 <= 1 - erf|x| <= e^(-x^2)."""
        x = (abs(a[0]), abs(a[0]))
        square = self.mul(x, x)
        small = self.exp(self.neg(square))
        if x[0] > 16 * self.unit:
            value = self.unit - small[1], self.unit
        else:
            total, power, n = self.zero, x, 0
            ratio = (2 * square[0], 2 * square[1])
            while n < 600 or power[1] > 1:
                total, n = self.add(total, power), n + 1
                power = self.mul(self.mul(power, ratio), self.of(Fraction(1, 2 * n + 1)))
            # for n >= 600 the ratio 2 x^2/(2n+1) <= 512/1201 < 1/2: the tail is below twice its first term
            total = total[0], total[1] + 2 * power[1] + 2
            value = self.mul(self.mul(scale, small), total)
            value = max(value[0], 0), min(value[1], self.unit)
        return value if a[0] >= 0 else self.neg(value)


class LaurentRing:
    """Laurent polynomials in t_1..t_r over an exact ring: dicts exponent tuple -> coefficient. For families of points."""

    def __init__(self, base, rank):
        self.base, self.meter, self.origin = base, base.meter, (0,) * rank
        self.zero, self.one = {}, {self.origin: base.one}

    def lift(self, c):
        return {self.origin: c} if c != self.base.zero else {}

    def of(self, q):
        return self.lift(self.base.of(q))

    def add(self, a, b):
        out = dict(a)
        for e, c in b.items():
            total = self.base.add(out[e], c) if e in out else c
            if total == self.base.zero:
                del out[e]
            else:
                out[e] = total
        return out

    def neg(self, a):
        return {e: self.base.neg(c) for e, c in a.items()}

    def mul(self, a, b):
        out = {}
        for e, x in a.items():
            for f, y in b.items():
                key, product = tuple(i + j for i, j in zip(e, f, strict=True)), self.base.mul(x, y)
                out[key] = self.base.add(out[key], product) if key in out else product
        return {e: c for e, c in out.items() if c != self.base.zero}

    def constant(self, a):
        """The element of the base ring that ``a`` is, for every t."""
        if any(e != self.origin for e in a):
            raise Rejected("family", "a pre-activation of a non-polynomial activation varies along the family")
        return a.get(self.origin, self.base.zero)

    def vanishes(self, a):
        """Identically zero: Laurent monomials are linearly independent on every open set."""
        return all(self.base.sign(c) == 0 for c in a.values())


# ---------------------------------------------------------------------------------------------------------------
# 3. The problem.

ACTIVATION_KEYS = {
    "linear": (),
    "relu": (),
    "leaky_relu": ("slope",),
    "requ": (),
    "square": (),
    "cubic": (),
    "polynomial": ("coefficients",),
    "sigmoid": (),
    "tanh": (),
    "softplus": (),
    "swish": (),
    "exp": (),
    "sin": (),
    "erf": (),
    "gelu": (),
    "elu": ("alpha",),
    "piecewise-polynomial": ("breaks", "pieces"),
}
LOOSE_KEYS = ("coefficients", "slope", "alpha", "breaks", "pieces")


class Activation:
    """``kind`` with its exact parameters; ``normal`` is the JSON object of the digest."""

    def __init__(self, body, where, loose):
        if isinstance(body, str):
            body = {"kind": body, **loose}
        elif loose:
            raise Malformed(where, "has activation parameters both inside and beside it")
        fields(body, where, ("kind",), LOOSE_KEYS)
        self.kind = body["kind"]
        if not isinstance(self.kind, str) or self.kind not in ACTIVATION_KEYS:
            raise Malformed(where, "is not a known activation")
        fields(body, where, ("kind", *ACTIVATION_KEYS[self.kind]))

        def row(key, most):
            return [number(c, f"{where}.{key}", False) for c in array(body[key], f"{where}.{key}", most=most)]

        self.normal = {"kind": self.kind}
        self.breaks, self.pieces = [], None
        if self.kind == "polynomial":
            self.pieces = [row("coefficients", MAX_DEGREE + 1)]
            if not self.pieces[0]:
                raise Malformed(where, "has no coefficients")
            self.normal["coefficients"] = [show(c) for c in self.pieces[0]]
        elif self.kind == "piecewise-polynomial":
            self.breaks = row("breaks", MAX_DEGREE)
            parts = array(body["pieces"], f"{where}.pieces", len(self.breaks) + 1)
            self.pieces = [
                [number(c, f"{where}.pieces", False) for c in array(p, f"{where}.pieces", most=MAX_DEGREE + 1)]
                for p in parts
            ]
            if (
                not self.breaks
                or not all(self.pieces)
                or any(a >= b for a, b in zip(self.breaks, self.breaks[1:], strict=False))
            ):
                raise Malformed(where, "needs increasing breaks and non-empty pieces")
            for b, left, right in zip(self.breaks, self.pieces, self.pieces[1:], strict=False):
                if poly_at(left, b) != poly_at(right, b):
                    raise Malformed(where, "is not continuous")
            self.normal["breaks"] = [show(b) for b in self.breaks]
            self.normal["pieces"] = [[show(c) for c in p] for p in self.pieces]
        elif self.kind in ("leaky_relu", "elu"):
            key = ACTIVATION_KEYS[self.kind][0]
            self.slope = number(body[key], f"{where}.{key}", False)
            self.normal[key] = show(self.slope)
        z = [Fraction(0), Fraction(1)]
        fixed = {
            "linear": [z],
            "square": [[0, *z]],
            "cubic": [[0, 0, *z]],
            "relu": [[Fraction(0)], z],
            "requ": [[Fraction(0)], [0, *z]],
        }
        if self.kind in fixed:
            self.pieces = [[Fraction(c) for c in p] for p in fixed[self.kind]]
        elif self.kind == "leaky_relu":
            self.pieces = [[Fraction(0), self.slope], z]
        if self.pieces and len(self.pieces) == 2 and not self.breaks:
            self.breaks = [Fraction(0)]


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
        net = body["network"]
        self.kind = net.get("kind") if isinstance(net, dict) else None
        if self.kind == "monomial":
            self.read_monomial(fields(net, "problem.network", ("kind", "parameters", "terms")))
            if any(body.get(key) is not None for key in ("data", "loss", "regularizer")):
                raise Malformed("problem", "has data, loss or regularizer beside a monomial loss")
            normal = (self.normal_network, None, None, None)
        elif self.kind == "dense":
            self.read_dense(
                fields(
                    net, "problem.network", ("kind", "widths"), ("activation", "bias", "output_activation", *LOOSE_KEYS)
                )
            )
            self.read_data(fields(body.get("data"), "problem.data", ("inputs", "targets")))
            self.read_loss(fields(body.get("loss"), "problem.loss", ("kind",), ("weights",)))
            self.read_regularizer(body.get("regularizer"))
            normal = (self.normal_network, self.normal_data, self.normal_loss, self.normal_regularizer)
        else:
            raise Malformed("problem.network.kind", "is neither dense nor monomial")
        content = {
            "format": "explorer.problem/1",
            **dict(zip(("network", "data", "loss", "regularizer"), normal, strict=True)),
        }
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        self.digest = "sha256:" + hashlib.sha256(text.encode("ascii")).hexdigest()

    def read_monomial(self, net):
        self.names = array(net["parameters"], "problem.network.parameters", most=64)
        good = [n for n in self.names if isinstance(n, str) and re.fullmatch(r"[a-z][a-z0-9_]{0,63}", n, re.ASCII)]
        if not self.names or len(good) != len(self.names) or len(set(good)) != len(good):
            raise Malformed("problem.network.parameters", "are not distinct names")
        self.terms = {}
        for term in array(net["terms"], "problem.network.terms", most=10_000):
            fields(term, "problem.network.terms", ("coefficient", "exponents"))
            key = tuple(
                whole(e, "problem.network.terms.exponents", 0, 64)
                for e in array(term["exponents"], "problem.network.terms.exponents", len(self.names))
            )
            if key in self.terms:
                raise Malformed("problem.network.terms", "repeat a monomial")
            self.terms[key] = number(term["coefficient"], "problem.network.terms.coefficient", False)
        if not self.terms:
            raise Malformed("problem.network.terms", "are empty")
        ordered = [{"coefficient": show(self.terms[e]), "exponents": list(e)} for e in sorted(self.terms)]
        self.normal_network = {"kind": "monomial", "parameters": self.names, "terms": ordered}
        self.regularizer, self.loss = None, None

    def read_dense(self, net):
        self.widths = [
            whole(w, "problem.network.widths", 1, MAX_PARAMETERS)
            for w in array(net["widths"], "problem.network.widths", most=65)
        ]
        layers = len(self.widths) - 1
        if layers < 1:
            raise Malformed("problem.network.widths", "needs at least two entries")
        loose = {key: net[key] for key in LOOSE_KEYS if key in net}
        given = net.get("activation", "linear")
        if isinstance(given, list):
            array(given, "problem.network.activation", layers - 1)
            self.activations = [Activation(a, f"problem.network.activation[{k}]", loose) for k, a in enumerate(given)]
        else:
            self.activations = [Activation(given, "problem.network.activation", loose)] * (layers - 1)
        self.output = Activation(net.get("output_activation", "linear"), "problem.network.output_activation", {})
        bias = net.get("bias", False)
        if isinstance(bias, bool):
            bias = [bias] * (layers - 1) + [False]
        if any(not isinstance(b, bool) for b in array(bias, "problem.network.bias", layers)):
            raise Malformed("problem.network.bias", "is not made of truth values")
        self.bias = bias
        self.names, self.blocks = [], []
        for layer in range(layers):
            rows, cols = self.widths[layer + 1], self.widths[layer]
            if len(self.names) + rows * (cols + 1) > 2 * MAX_PARAMETERS:
                raise Malformed("problem.network.widths", "gives too many parameters")
            self.blocks.append((len(self.names), len(self.names) + rows * cols if bias[layer] else None))
            self.names += [f"w{layer + 1}_{i + 1}_{j + 1}" for i in range(rows) for j in range(cols)]
            self.names += [f"b{layer + 1}_{i + 1}" for i in range(rows)] if bias[layer] else []
        if len(self.names) > MAX_PARAMETERS:
            raise Malformed("problem.network.widths", "gives too many parameters")
        self.normal_network = {
            "kind": "dense",
            "widths": self.widths,
            "activation": [a.normal for a in self.activations],
            "bias": bias,
            "output_activation": self.output.normal,
        }

    def read_data(self, data):
        def rows(key, width):
            block = array(data[key], f"problem.data.{key}", most=MAX_SAMPLES)
            return [
                [number(v, f"problem.data.{key}[{i}]", False) for v in array(row, f"problem.data.{key}[{i}]", width)]
                for i, row in enumerate(block)
            ]

        self.inputs, self.targets = rows("inputs", self.widths[0]), rows("targets", self.widths[-1])
        if not self.inputs or len(self.inputs) != len(self.targets):
            raise Malformed("problem.data", "needs as many targets as inputs, at least one")
        self.normal_data = {
            "inputs": [[show(v) for v in r] for r in self.inputs],
            "targets": [[show(v) for v in r] for r in self.targets],
        }

    def read_loss(self, loss):
        self.loss = loss["kind"]
        if self.loss not in ("squared", "logistic"):
            raise Malformed("problem.loss.kind", "is neither squared nor logistic")
        if self.loss == "logistic" and self.widths[-1] != 1:
            raise Malformed("problem.loss", "logistic needs a scalar output")
        self.sample_weights = self.read_weights(loss.get("weights", 1), "problem.loss.weights", len(self.inputs))
        if any(c <= 0 for c in self.sample_weights):
            raise Malformed("problem.loss.weights", "are not all positive")
        self.normal_loss = {"kind": self.loss, "weights": [show(c) for c in self.sample_weights]}

    def read_weights(self, body, where, count):
        if isinstance(body, list):
            return [number(c, where, False) for c in array(body, where, count)]
        return [number(body, where, False)] * count

    def read_regularizer(self, body):
        self.regularizer, self.normal_regularizer = None, None
        if body is None:
            return
        fields(body, "problem.regularizer", ("kind", "weights"), ("exponent",))
        self.regularizer = body["kind"]
        if self.regularizer not in ("l2", "power", "neuron-cubic"):
            raise Malformed("problem.regularizer.kind", "is not l2, power or neuron-cubic")
        if ("exponent" in body) != (self.regularizer == "power"):
            raise Malformed("problem.regularizer.exponent", "belongs to power and to nothing else")
        cubic = self.regularizer == "neuron-cubic"
        if cubic and (len(self.widths) != 3 or self.widths[-1] != 1 or self.bias[1]):
            raise Malformed(
                "problem.regularizer", "neuron-cubic needs one hidden layer, scalar output and no output bias"
            )
        count = self.widths[1] if cubic else len(self.names)
        self.penalties = self.read_weights(body["weights"], "problem.regularizer.weights", count)
        if any(c < 0 for c in self.penalties):
            raise Malformed("problem.regularizer.weights", "are not all >= 0")
        self.normal_regularizer = {"kind": self.regularizer, "weights": [show(c) for c in self.penalties]}
        if self.regularizer == "power":
            self.exponent = whole(body["exponent"], "problem.regularizer.exponent", 1, 64)
            self.normal_regularizer["exponent"] = self.exponent

    @property
    def hidden_layers(self):
        return len(self.widths) - 2 if self.kind == "dense" else 0

    def describe(self):
        if self.kind == "monomial":
            return f"a polynomial loss in {len(self.names)} parameters"
        kinds = sorted({a.kind for a in self.activations})
        words = [f"a dense {'-'.join(map(str, self.widths))} network" + (f" ({', '.join(kinds)})" if kinds else "")]
        words.append(
            "biases in layers " + ", ".join(str(k + 1) for k, b in enumerate(self.bias) if b)
            if any(self.bias)
            else "no biases"
        )
        if self.output.kind != "linear":
            words.append(f"output activation {self.output.kind}")
        words.append(f"{len(self.inputs)} samples")
        words.append(f"{self.loss} loss" + (f" plus {self.regularizer} regularizer" if self.regularizer else ""))
        return ", ".join(words)


# ---------------------------------------------------------------------------------------------------------------
# 4. Activations: `taylor(ring, activation, z, order)` gives the Taylor coefficients phi^(k)(z)/k!, k = 0..order, and
#    rejects if phi is not C^order at z. Over intervals: enclosures of phi^(k)/k! on the whole interval.


def taylor(ring, act, z, order, need_value=True):
    if isinstance(ring, LaurentRing) and not (act.pieces and len(act.pieces) == 1):
        return [ring.lift(c) for c in taylor(ring.base, act, ring.constant(z), order)]
    if act.pieces:
        return taylor_pieces(ring, act.breaks, act.pieces, z, order)
    return {
        "sigmoid": taylor_sigmoid,
        "tanh": taylor_tanh,
        "softplus": lambda r, z, m: taylor_softplus(r, z, m, need_value),
        "swish": lambda r, z, m: series_product(r, [z, r.one], taylor_sigmoid(r, z, m), m),
        "exp": taylor_exp,
        "sin": taylor_sin,
        "erf": lambda r, z, m: taylor_gaussian(r, z, m, False),
        "gelu": lambda r, z, m: series_product(r, [z, r.one], taylor_gaussian(r, z, m, True), m),
        "elu": lambda r, z, m: taylor_elu(r, act.slope, z, m),
    }[act.kind](ring, z, order)


def scaled(ring, a, q):
    return ring.mul(a, ring.of(Fraction(q)))


def series_product(ring, a, b, order):
    out = [ring.zero] * (order + 1)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            if i + j <= order:
                out[i + j] = ring.add(out[i + j], ring.mul(x, y))
    return out


def taylor_polynomial(ring, coefficients, z, order):
    """Taylor coefficients of a polynomial: sum_k c_k binomial(k, j) z^(k-j)."""
    out = []
    for j in range(order + 1):
        value = ring.zero
        for k in range(len(coefficients) - 1, j - 1, -1):
            value = ring.add(ring.mul(value, z), ring.of(coefficients[k] * math.comb(k, j)))
        out.append(value)
    return out


def taylor_pieces(ring, breaks, pieces, z, order):
    """A continuous piecewise polynomial; at (or, for intervals, around) a break its two sides must agree to C^order."""
    if not breaks:
        return taylor_polynomial(ring, pieces[0], z, order)
    first = last = 0  # the pieces that z meets
    for b in breaks:
        gap = ring.sub(z, ring.of(b))
        if isinstance(ring, Intervals):
            below, above = gap[1] < 0, gap[0] > 0
        else:
            below, above = ring.sign(gap) < 0, ring.sign(gap) > 0
        first += above
        last += not below
    for k in range(first, last):
        left, right = (taylor_polynomial(Rationals(ring.meter), p, breaks[k], order) for p in pieces[k : k + 2])
        if left != right:
            raise Rejected("smoothness", f"a pre-activation meets a kink, where the activation is not C^{order}")
    out = taylor_polynomial(ring, pieces[first], z, order)
    for k in range(first + 1, last + 1):
        if isinstance(ring, Intervals):
            out = [ring.hull(x, y) for x, y in zip(out, taylor_polynomial(ring, pieces[k], z, order), strict=True)]
    return out


def taylor_sigmoid(ring, z, order):
    """s' = s - s^2."""
    out = [ring.sigmoid(z)]
    for k in range(order):
        square = series_product(ring, out, out, k)[k]
        out.append(scaled(ring, ring.add(out[k], ring.neg(square)), Fraction(1, k + 1)))
    return out


def taylor_tanh(ring, z, order):
    """tanh z = 2 sigmoid(2z) - 1."""
    out = [scaled(ring, c, 2 ** (k + 1)) for k, c in enumerate(taylor_sigmoid(ring, scaled(ring, z, 2), order))]
    out[0] = ring.add(out[0], ring.of(Fraction(-1)))
    return out


def taylor_softplus(ring, z, order, need_value):
    """softplus' = sigmoid. Where only derivatives are wanted, the constant (often no element of the ring) is left out."""
    out = [ring.softplus(z) if need_value else ring.zero]
    return out + [scaled(ring, c, Fraction(1, k + 1)) for k, c in enumerate(taylor_sigmoid(ring, z, order)[:order])]


def taylor_exp(ring, z, order):
    power = ring.exp(z)
    return [scaled(ring, power, Fraction(1, math.factorial(k))) for k in range(order + 1)]


def taylor_sin(ring, z, order):
    sine, cosine = ring.sine_cosine(z)
    cycle = (sine, cosine, ring.neg(sine), ring.neg(cosine))
    return [scaled(ring, cycle[k % 4], Fraction(1, math.factorial(k))) for k in range(order + 1)]


def taylor_gaussian(ring, z, order, half):
    """erf (or Phi): its derivative g satisfies g' = -2 z g (or -z g), so (k+1) g_{k+1} = -c (z g_k + g_{k-1}), c = 2 (or 1)."""
    value, density = ring.gaussian(z, half)
    g, factor = [density], Fraction(-1) if half else Fraction(-2)
    for k in range(order):
        inner = ring.mul(z, g[k])
        if k:
            inner = ring.add(inner, g[k - 1])
        g.append(scaled(ring, inner, factor / (k + 1)))
    return [value] + [scaled(ring, c, Fraction(1, k + 1)) for k, c in enumerate(g[:order])]


def taylor_elu(ring, alpha, z, order):
    """z for z >= 0, alpha (e^z - 1) for z < 0; at 0 it is C^1 only for alpha = 1 and never C^2."""
    boxed = isinstance(ring, Intervals)
    below, above = (z[1] < 0, z[0] > 0) if boxed else (ring.sign(z) < 0, ring.sign(z) > 0)
    if not below and not above and order > int(alpha == 1):
        raise Rejected("smoothness", f"a pre-activation meets the kink of elu, which is not C^{order}")
    right = [z, ring.one, *[ring.zero] * order][: order + 1]
    if above:
        return right
    left = [scaled(ring, c, alpha) for c in taylor_exp(ring, z, order)]
    left[0] = ring.add(left[0], ring.of(-alpha))
    return [ring.hull(x, y) for x, y in zip(left, right, strict=True)] if boxed and not below else left


# ---------------------------------------------------------------------------------------------------------------
# 5. Taylor arithmetic: a dict from sorted tuples of variable numbers (monomials, at most `order` long) to ring elements.
#    {(): c, (i,): g_i, (i, j): h_ij} is c + sum g_i x_i + sum_{i<=j} h_ij x_i x_j.


class Taylor:
    """Truncated polynomials over a ring."""

    def __init__(self, ring, order):
        self.ring, self.order, self.cache = ring, order, {}

    def add_to(self, total, extra):
        ring = self.ring
        for key, value in extra.items():
            total[key] = ring.add(total[key], value) if key in total else value

    def scale(self, a, c):
        return {key: self.ring.mul(value, c) for key, value in a.items()} if c != self.ring.zero else {}

    def mul(self, a, b):
        ring, order, out = self.ring, self.order, {}
        if len(a) > len(b):
            a, b = b, a
        for p, x in a.items():
            if x == ring.zero:
                continue
            room = order - len(p)
            for q, y in b.items():
                if len(q) <= room:
                    key = p + q if not p or not q or p[-1] <= q[0] else tuple(sorted(p + q))
                    product = ring.mul(x, y)
                    out[key] = ring.add(out[key], product) if key in out else product
        return out

    def compose(self, coefficients, z):
        """sum_k coefficients[k] (z - z(0))^k by Horner's rule."""
        step = {key: value for key, value in z.items() if key}
        top = len(coefficients) - 1 if step else 0
        out = {(): coefficients[top]}
        for k in range(top - 1, -1, -1):
            out = self.mul(out, step)
            self.add_to(out, {(): coefficients[k]})
        return out

    def apply(self, act, z, need_value=True):
        if act.kind == "linear":
            return z
        centre = z.get((), self.ring.zero)
        key = (id(act), centre, need_value) if not isinstance(centre, dict) else None
        if key is None or key not in self.cache:
            found = taylor(self.ring, act, centre, self.order, need_value)
            if key is None:
                return self.compose(found, z)
            self.cache[key] = found
        return self.compose(self.cache[key], z)

    # -- the network and the loss -----------------------------------------------------------------------------

    def layer(self, problem, theta, layer, signal):
        """Pre-activations of one layer. ``signal`` is a list of Taylor polynomials; ``theta`` one per parameter."""
        weights, biases = problem.blocks[layer]
        cols, out = problem.widths[layer], []
        for i in range(problem.widths[layer + 1]):
            total = dict(theta[biases + i]) if biases is not None else {}
            for j in range(cols):
                self.add_to(total, self.mul(theta[weights + i * cols + j], signal[j]))
            out.append(total)
        return out

    def rest(self, problem, theta, signal, first):
        """The network from the pre-activations ``signal`` of layer ``first`` to the outputs."""
        for layer in range(first, len(problem.blocks) - 1):
            signal = [self.apply(problem.activations[layer], z) for z in signal]
            signal = self.layer(problem, theta, layer + 1, signal)
        return [self.apply(problem.output, z) for z in signal]

    def outputs(self, problem, theta, x):
        signal = [{(): self.ring.of(v)} if v else {} for v in x]
        return self.rest(problem, theta, self.layer(problem, theta, 0, signal), 0)

    def loss(self, problem, theta, need_value=True):
        """F as a Taylor polynomial; with ``need_value=False`` its constant term may be wrong."""
        ring, total = self.ring, {}
        if problem.kind == "monomial":
            return self.monomial(problem, theta)
        for x, y, c in zip(problem.inputs, problem.targets, problem.sample_weights, strict=True):
            for f, target in zip(self.outputs(problem, theta, x), y, strict=True):
                if problem.loss == "squared":
                    residual = dict(f)
                    self.add_to(residual, {(): ring.of(-target)})
                    term = self.mul(residual, residual)
                else:
                    term = self.apply(SOFTPLUS, self.scale(f, ring.of(-target)), need_value)
                self.add_to(total, self.scale(term, ring.of(c)))
        if problem.regularizer:
            self.add_to(total, self.penalty(problem, theta))
        return total

    def monomial(self, problem, theta):
        total = {}
        for exponents, c in problem.terms.items():
            term = {(): self.ring.of(c)}
            for k, e in enumerate(exponents):
                for _ in range(e):
                    term = self.mul(term, theta[k])
            self.add_to(total, term)
        return total

    def power(self, base, exponent):
        """|base|^exponent."""
        sign = Fraction(1 if exponent % 2 == 0 else -1)
        left, right = ([Fraction(0)] * exponent + [s] for s in (sign, Fraction(1)))
        pieces, breaks = ([right], []) if exponent % 2 == 0 else ([left, right], [Fraction(0)])
        centre = base.get((), self.ring.zero)
        if breaks and isinstance(self.ring, LaurentRing):
            constant = taylor_pieces(self.ring.base, breaks, pieces, self.ring.constant(centre), self.order)
            return self.compose([self.ring.lift(c) for c in constant], base)
        return self.compose(taylor_pieces(self.ring, breaks, pieces, centre, self.order), base)

    def penalty(self, problem, theta):
        ring, total = self.ring, {}
        if problem.regularizer != "neuron-cubic":
            exponent = 2 if problem.regularizer == "l2" else problem.exponent
            for value, weight in zip(theta, problem.penalties, strict=True):
                if weight:
                    self.add_to(total, self.scale(self.power(value, exponent), ring.of(weight)))
            return total
        if isinstance(ring, LaurentRing):
            raise Rejected("family", "the neuron-cubic regularizer has no family rule")
        (first, bias), (second, _) = problem.blocks
        cols = problem.widths[0]
        for j, weight in enumerate(problem.penalties):
            if weight:
                own = [theta[first + j * cols + k] for k in range(cols)] + (
                    [theta[bias + j]] if bias is not None else []
                )
                self.add_to(total, self.scale(self.power(theta[second + j], 3), ring.of(weight / 3)))
                self.add_to(total, self.scale(self.cubed_norm(own), ring.of(2 * weight / 3)))
        return total

    def cubed_norm(self, vector):
        """|v|^3 = s^(3/2), s = |v|^2; at v = 0 it is C^2 with vanishing Taylor polynomial of order 2, and not C^3."""
        ring, square = self.ring, {}
        for part in vector:
            self.add_to(square, self.mul(part, part))
        if not isinstance(ring, Intervals) and all(ring.sign(part.get((), ring.zero)) == 0 for part in vector):
            if self.order > 2:
                raise Rejected("smoothness", "the regularizer is not C^3 at a unit with zero weights")
            return {}
        s = square.get((), ring.zero)
        root = ring.square_root(s)
        coefficients = [ring.mul(s, root)]
        if self.order:  # binomial(3/2, k) s^(3/2 - k)
            power, inverse, binomial = root, None, Fraction(3, 2)
            for k in range(1, self.order + 1):
                if k > 1:
                    if inverse is None:
                        inverse = ring.inverse(s)
                    if inverse is None:
                        raise Rejected("exact", "this number has no inverse in its ring")
                    power, binomial = ring.mul(power, inverse), binomial * (Fraction(3, 2) - (k - 1)) / k
                coefficients.append(scaled(ring, power, binomial))
        return self.compose(coefficients, square)


SOFTPLUS = Activation("softplus", "loss", {})


# ---------------------------------------------------------------------------------------------------------------
# 6. Linear algebra.


def inertia_of(ring, matrix):
    """(positive, zero, negative) of a symmetric matrix (list of dicts column -> element) by exact congruences (Sylvester)."""
    counts, left, flip = [0, 0, 0], set(range(len(matrix))), 1
    rows = [dict(row) for row in matrix]
    while left:
        pivot = next((i for i in sorted(left) if i in rows[i] and ring.sign(rows[i][i]) != 0), None)
        if pivot is None:
            pair = next(
                ((i, j) for i in sorted(left) for j in sorted(rows[i]) if j in left and ring.sign(rows[i][j]) != 0),
                None,
            )
            if pair is None:
                counts[1] += len(left)
                break
            i, j = (
                pair  # zero diagonal: add row and column j to row and column i, which makes the diagonal entry 2 a_ij
            )
            for k, value in list(rows[j].items()):
                rows[i][k] = ring.add(rows[i][k], value) if k in rows[i] else value
            for k in left:
                if j in rows[k]:
                    rows[k][i] = ring.add(rows[k][i], rows[k][j]) if i in rows[k] else rows[k][j]
            continue
        value, row = rows[pivot][pivot], rows[pivot]
        sign = ring.sign(value)
        counts[1 - sign * flip] += 1
        left.discard(pivot)
        inverse = ring.inverse(value)
        touched = [k for k in left if k in row]
        if (
            inverse is None
        ):  # no division in this ring: use pivot * Schur complement, whose inertia is sign(pivot) times it
            rows = [
                {k: ring.mul(value, rows[i][k]) for k in rows[i] if k in left} if i in left else {}
                for i in range(len(rows))
            ]
            inverse, flip = ring.one, flip * sign
        for i in touched:
            factor = ring.mul(ring.neg(row[i]), inverse)
            for k in touched:
                change = ring.mul(factor, row[k])
                rows[i][k] = ring.add(rows[i][k], change) if k in rows[i] else change
    return tuple(counts)


def is_definite(ring, matrix, sign):
    counts = inertia_of(ring, matrix)
    return counts[1 - sign] == len(matrix)


def rank_of(ring, matrix):
    """Rank of a matrix (list of lists), by elimination without division: row_i <- p row_i - a row_pivot keeps the row space."""
    rows, rank = [list(r) for r in matrix], 0
    for col in range(len(rows[0]) if rows else 0):
        pivot = next((i for i in range(rank, len(rows)) if ring.sign(rows[i][col]) != 0), None)
        if pivot is None:
            continue
        rows[rank], rows[pivot] = rows[pivot], rows[rank]
        p = rows[rank][col]
        for i in range(rank + 1, len(rows)):
            a = rows[i][col]
            if ring.sign(a) != 0:
                rows[i] = [ring.sub(ring.mul(p, x), ring.mul(a, y)) for x, y in zip(rows[i], rows[rank], strict=True)]
        rank += 1
    return rank


def independent_rows(rows):
    """A maximal linearly independent sublist of rational vectors."""
    basis, reduced = [], []
    for row in rows:
        rest = list(row)
        for pivot, other in reduced:
            if rest[pivot]:
                rest = [a - rest[pivot] * b for a, b in zip(rest, other, strict=True)]
        pivot = next((k for k, v in enumerate(rest) if v), None)
        if pivot is not None:
            basis.append(row)
            reduced.append((pivot, [v / rest[pivot] for v in rest]))
    return basis


def hessian_rows(expansion, size, ring):
    """The Hessian, as a list of dicts, from a second-order Taylor polynomial (h_ii is half the second derivative)."""
    rows = [{} for _ in range(size)]
    for key, value in expansion.items():
        if len(key) == 2 and value != ring.zero:
            i, j = key
            if i == j:
                rows[i][i] = ring.add(value, value)
            else:
                rows[i][j] = rows[j][i] = value
    return rows


# ---------------------------------------------------------------------------------------------------------------
# 7. Points.


class Point:
    """A named real vector: exact coordinates in a ring, or (``ring`` None) the critical point in a box."""

    def __init__(self, body, where, size, meter):
        if isinstance(body, dict) and "lower" in body:
            fields(body, where, ("lower", "upper"))
            self.ring = None
            self.lower, self.upper = (
                [number(v, f"{where}.{key}") for v in array(body[key], f"{where}.{key}", size)]
                for key in ("lower", "upper")
            )
            if any(a >= b for a, b in zip(self.lower, self.upper, strict=True)):
                raise Malformed(where, "has an empty or flat box")
            return
        fields(body, where, ("field", "coordinates"))
        kind = body["field"]
        if kind == "rational":
            self.ring = Rationals(meter)
        elif kind == "ln2":
            self.ring = Ln2Ring(meter)
        else:
            fields(kind, f"{where}.field", ("polynomial", "interval"))
            modulus = tuple(
                number(c, f"{where}.field.polynomial")
                for c in array(kind["polynomial"], f"{where}.field.polynomial", most=MAX_DEGREE + 1)
            )
            low, high = (
                number(c, f"{where}.field.interval") for c in array(kind["interval"], f"{where}.field.interval", 2)
            )
            self.ring = NumberField(meter, modulus, low, high, f"{where}.field")
        self.coordinates = [
            element(self.ring, c, f"{where}.coordinates")
            for c in array(body["coordinates"], f"{where}.coordinates", size)
        ]

    def expansion(self):
        """Coordinates as Taylor polynomials: p_k + x_k."""
        return [{(): c, (k,): self.ring.one} for k, c in enumerate(self.coordinates)]

    def show(self, names):
        if self.ring is None:
            parts = [f"{n} in [{show(a)}, {show(b)}]" for n, a, b in zip(names, self.lower, self.upper, strict=True)]
        else:
            parts = [f"{n} = {self.ring.show(c)}" for n, c in zip(names, self.coordinates, strict=True)]
            if isinstance(self.ring, NumberField):
                parts.append(self.ring.describe())
        text = ", ".join(parts)
        if len(text) > 600:
            return f"({len(names)} coordinates, sha256 {hashlib.sha256(text.encode('ascii')).hexdigest()})"
        return f"({text})"


def element(ring, body, where):
    """An ELEMENT of an exact ring, in canonical form."""
    if isinstance(ring, Rationals):
        return number(body, where)
    row = [number(c, where) for c in array(body, where, most=MAX_DEGREE)]
    if not row or (row[-1] == 0 and len(row) > 1):
        raise Malformed(where, "has an empty coefficient list or a trailing zero")
    if isinstance(ring, NumberField) and len(row) >= len(ring.modulus):
        raise Malformed(where, "is not reduced modulo the field polynomial")
    return poly_trim(row)


# ---------------------------------------------------------------------------------------------------------------
# 8. The rules. Each method recomputes what its step claims, raises Rejected if it fails, and returns the keys of the
#    earlier facts that it used. Lemmas and side conditions: docs/certificate.md, section "Rules".

STEP_KEYS = {
    "hypothesis": ("name",),
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
}
STEP_OPTIONS = {"value": ("value", "lower", "upper"), "inertia": ("congruence",)}
RULE_ORDER = {rule: k for k, rule in enumerate(STEP_KEYS)}


class Proof:
    """The state of one check: the problem, the named points and the facts proved so far (fact key -> keys used)."""

    def __init__(self, problem, points, meter):
        self.problem, self.points, self.meter = problem, points, meter
        self.facts, self.values, self.inertias, self.floor_value, self.jets = {}, {}, {}, None, {}

    def need(self, rule, *names):
        key = (rule, *names)
        if key not in self.facts:
            raise Rejected(
                rule, f"is needed for {', '.join(names)} and is missing" if names else "is needed and is missing"
            )
        return key

    def critical(self, name):
        boxed = self.points[name].ring is None
        return self.need("stationary-in-box" if boxed else "stationary", name)

    def exact_point(self, step, where):
        point = self.points[step["point"]]
        if point.ring is None:
            raise Rejected(step["rule"], f"needs an exact point, and {where} is known by a box only")
        return point

    def expansion(self, name, order):
        """F around an exact point, to first or second order (without a reliable constant term)."""
        for known in range(order, 3):
            if (name, known) in self.jets:
                return self.jets[name, known]
        point = self.points[name]
        self.jets[name, order] = Taylor(point.ring, order).loss(self.problem, point.expansion(), need_value=False)
        return self.jets[name, order]

    def in_box(self, name, order):
        """F over the whole box of a point, to the given order, and the box in interval form."""
        ring, point = Intervals(self.meter), self.points[name]
        box = [ring.hull(ring.of(a), ring.of(b)) for a, b in zip(point.lower, point.upper, strict=True)]
        theta = [{(): c, (k,): ring.one} if order else {(): c} for k, c in enumerate(box)]
        return ring, Taylor(ring, order).loss(self.problem, theta, need_value=order == 0), box

    def enclosed_value(self, name):
        """Rational bounds of F at an exact point, or over a box, by interval arithmetic."""
        point = self.points[name]
        if point.ring is None:
            ring, expansion, _ = self.in_box(name, 0)
        else:
            ring = Intervals(self.meter)
            theta = [{(): point.ring.enclose(c, ring)} for c in point.coordinates]
            expansion = Taylor(ring, 0).loss(self.problem, theta)
        return ring.ends(expansion.get((), ring.zero))

    # -- facts about the problem --------------------------------------------------------------------------------

    def rule_hypothesis(self, step):
        name, p = step["name"], self.problem
        if p.kind != "dense":
            raise Rejected("hypothesis", "needs a network")
        one = p.hidden_layers == 1
        separated = any(len({x[k] for x in p.inputs}) == len(p.inputs) for k in range(p.widths[0]))
        table = {
            "one-hidden-layer": one,
            "linear-output": p.output.kind == "linear",
            "scalar-output": p.widths[-1] == 1,
            "scalar-inputs": p.widths[0] == 1,
            "hidden-bias": p.hidden_layers >= 1 and all(p.bias[:-1]),
            "no-hidden-bias": p.hidden_layers >= 1 and not any(p.bias[:-1]),
            "no-output-bias": not p.bias[-1],
            "squared-loss": p.loss == "squared",
            "no-regularizer": p.regularizer is None,
            "width-at-least-samples": p.hidden_layers >= 1 and min(p.widths[1:-1]) >= len(p.inputs),
            "inputs-distinct": len({tuple(x) for x in p.inputs}) == len(p.inputs),
            "a-coordinate-separates-inputs": separated,
            "at-least-three-samples": len(p.inputs) >= 3,
        }
        if name.startswith("activation-"):
            holds = p.hidden_layers >= 1 and all(a.kind == name[len("activation-") :] for a in p.activations)
        elif name in table:
            holds = table[name]
        else:
            raise Malformed("step.name", "is not a known hypothesis")
        if not holds:
            raise Rejected("hypothesis", f"{name} does not hold for this problem")
        return ()

    # -- values ---------------------------------------------------------------------------------------------------

    def rule_value(self, step):
        name, point = step["point"], self.points[step["point"]]
        if "value" in step:
            fields(step, "step", ("rule", "point", "value"))
            ring = self.exact_point(step, name).ring
            claimed = element(ring, step["value"], "step.value")
            theta = [{(): c} for c in point.coordinates]
            found = Taylor(ring, 0).loss(self.problem, theta).get((), ring.zero)
            if not ring.same(found, claimed):
                raise Rejected("value", f"F({name}) is not the stated value")
            self.values[name] = ("exact", ring, claimed)
            return ()
        fields(step, "step", ("rule", "point", "lower", "upper"))
        low, high = number(step["lower"], "step.lower"), number(step["upper"], "step.upper")
        found = self.enclosed_value(name)
        if not (low <= found[0] and found[1] <= high):
            raise Rejected("value", f"F({name}) is not enclosed by the stated bounds")
        self.values[name] = ("bounds", low, high)
        return (self.critical_later(name),) if point.ring is None else ()

    def critical_later(self, name):
        """Box points get their meaning from a later step; `finish` sees to it that it is there."""
        return ("stationary-in-box", name)

    def rule_floor(self, step):
        if step["proof"] != "nonnegative":
            raise Malformed("step.proof", "is not a known proof of floor")
        if number(step["value"], "step.value") != 0:
            raise Rejected("floor", "nonnegative proves the floor 0 only")
        if self.problem.kind != "dense":
            raise Rejected("floor", "nonnegative needs a network loss")
        self.floor_value = Fraction(0)  # squared and logistic terms have c_i > 0, regularizers have weights >= 0
        return ()

    def rule_global(self, step):
        name = step["point"]
        used = (self.need("value", name), self.need("floor"))
        kind, ring, value = self.values[name]
        if kind != "exact" or not ring.same(value, ring.of(self.floor_value)):
            raise Rejected("global", f"F({name}) is not exactly the proved floor")
        return used

    def rule_below(self, step):
        low, high = step["lower"], step["upper"]
        used = (self.need("value", low), self.need("value", high))
        if not self.less(self.values[low], self.values[high]):
            raise Rejected("below", f"F({low}) < F({high}) is not proved by the two values")
        return used

    def less(self, a, b):
        ends = []
        for value in (a, b):
            if value[0] == "bounds":
                ends.append(value[1:])
            else:
                exact = value[1].rational(value[2])
                ring = Intervals(self.meter)
                ends.append((exact, exact) if exact is not None else ring.ends(value[1].enclose(value[2], ring)))
        return ends[0][1] < ends[1][0]

    # -- critical points and second-order tests ---------------------------------------------------------------------

    def rule_stationary(self, step):
        name = step["point"]
        ring = self.exact_point(step, name).ring
        expansion = self.expansion(name, 1)
        for k, parameter in enumerate(self.problem.names):
            if ring.sign(expansion.get((k,), ring.zero)) != 0:
                raise Rejected("stationary", f"dF/d{parameter} is not 0 at {name}")
        return ()

    def rule_stationary_in_box(self, step):
        """Krawczyk: K = m - C grad F(m) + (I - C H(B))(B - m) inside the interior of B."""
        name, size = step["point"], len(self.problem.names)
        point = self.points[name]
        if point.ring is not None:
            raise Rejected("stationary-in-box", f"{name} is an exact point")
        rows = array(step["preconditioner"], "step.preconditioner", size)
        matrix = [[number(v, "step.preconditioner") for v in array(row, "step.preconditioner", size)] for row in rows]
        if size > MAX_MATRIX:
            raise Rejected("limit", "too many parameters for this rule")
        ring, expansion, box = self.in_box(name, 2)
        middle = [ring.of((a + b) / 2) for a, b in zip(point.lower, point.upper, strict=True)]
        theta = [{(): c, (k,): ring.one} for k, c in enumerate(middle)]
        slope = Taylor(ring, 1).loss(self.problem, theta, need_value=False)
        gradient = [slope.get((k,), ring.zero) for k in range(size)]
        hessian = hessian_rows(expansion, size, ring)
        offset = [ring.sub(b, m) for b, m in zip(box, middle, strict=True)]
        for i, row in enumerate(matrix):
            c = [ring.of(v) for v in row]
            image = middle[i]
            for k in range(size):
                image = ring.sub(image, ring.mul(c[k], gradient[k]))
            for j in range(size):
                entry = ring.one if i == j else ring.zero
                for k in range(size):
                    if j in hessian[k]:
                        entry = ring.sub(entry, ring.mul(c[k], hessian[k][j]))
                image = ring.add(image, ring.mul(entry, offset[j]))
            if not (ring.of(point.lower[i])[1] < image[0] and image[1] < ring.of(point.upper[i])[0]):
                raise Rejected("stationary-in-box", f"the Krawczyk image leaves the box in coordinate {i + 1}")
        return ()

    def rule_inertia(self, step):
        name, size = step["point"], len(self.problem.names)
        claimed = tuple(whole(v, "step.inertia", 0, size) for v in array(step["inertia"], "step.inertia", 3))
        point = self.points[name]
        if size > MAX_MATRIX:
            raise Rejected("limit", "too many parameters for this rule")
        if point.ring is not None:
            fields(step, "step", ("rule", "point", "inertia"))
            found, used = inertia_of(point.ring, hessian_rows(self.expansion(name, 2), size, point.ring)), ()
        else:
            fields(step, "step", ("rule", "point", "inertia", "congruence"))
            found, used = self.inertia_in_box(step, size), (self.critical(name),)
        if found != claimed:
            raise Rejected("inertia", f"the Hessian at {name} does not have the stated inertia")
        self.inertias[name] = found
        return used

    def inertia_in_box(self, step, size):
        """S^T H S strictly diagonally dominant over the whole box: then S is invertible and the diagonal signs count."""
        rows = array(step["congruence"], "step.congruence", size)
        ring, expansion, _ = self.in_box(step["point"], 2)
        s = [[ring.of(number(v, "step.congruence")) for v in array(row, "step.congruence", size)] for row in rows]
        hessian = hessian_rows(expansion, size, ring)
        half = [[ring.zero] * size for _ in range(size)]  # H S
        for i in range(size):
            for k, value in hessian[i].items():
                half[i] = [ring.add(x, ring.mul(value, y)) for x, y in zip(half[i], s[k], strict=True)]
        counts = [0, 0, 0]
        for i in range(size):
            row = [ring.zero] * size
            for k in range(size):
                row = [ring.add(x, ring.mul(s[k][i], y)) for x, y in zip(row, half[k], strict=True)]
            others = sum(ring.magnitude(v)[1] for j, v in enumerate(row) if j != i)
            if ring.magnitude(row[i])[0] <= others:
                raise Rejected(
                    "inertia", f"row {i + 1} of the transformed Hessian is not diagonally dominant over the box"
                )
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
        return self.second_order(
            step, lambda pos, zero, neg: pos > 0 and neg > 0, "lacks a positive or a negative eigenvalue"
        )

    # -- degenerate minima ----------------------------------------------------------------------------------------

    def rule_flat_minimum(self, step):
        """The tangent lemma: the loss is convex in the outputs, so a local minimum of Phi(q) = sum_i g_i f_i(q) is one of F."""
        p, name = self.problem, step["point"]
        point = self.exact_point(step, name)
        if p.kind != "dense" or p.regularizer is not None or p.hidden_layers < 1:
            raise Rejected("flat-minimum", "needs a network with a hidden layer and no regularizer")
        ring = point.ring
        slopes = self.output_slopes(point)
        if step["proof"] == "units":
            self.flat_units(ring, point, slopes)
        elif step["proof"] == "first-layer-zero":
            self.flat_first_layer(ring, point, slopes)
        else:
            raise Malformed("step.proof", "is not a known proof of flat-minimum")
        return ()

    def output_slopes(self, point):
        """g[i][k] = d loss_i / d f_k at the point."""
        ring, p = point.ring, self.problem
        plain, first = Taylor(ring, 0), Taylor(ring, 1)
        theta, out = [{(): c} for c in point.coordinates], []
        for x, y, c in zip(p.inputs, p.targets, p.sample_weights, strict=True):
            row = []
            for f, target in zip(plain.outputs(p, theta, x), y, strict=True):
                value = f.get((), ring.zero)
                if p.loss == "squared":
                    slope = scaled(ring, ring.sub(value, ring.of(target)), 2)
                else:
                    margin = first.apply(
                        SOFTPLUS, {(): scaled(ring, value, -target), (0,): ring.of(-target)}, need_value=False
                    )
                    slope = margin.get((0,), ring.zero)
                row.append(scaled(ring, slope, c))
            out.append(row)
        return out

    def flat_units(self, ring, point, slopes):
        p = self.problem
        if p.hidden_layers != 1 or p.output.kind != "linear":
            raise Rejected("flat-minimum", "units needs exactly one hidden layer and a linear output")
        outputs, act = range(p.widths[2]), p.activations[0]
        (first, bias), (second, out_bias) = p.blocks
        if out_bias is not None:
            for k in outputs:
                if ring.sign(self.total(ring, [g[k] for g in slopes])) != 0:
                    raise Rejected("flat-minimum", "with an output bias the loss slopes must sum to 0")
        data = [[*x, Fraction(1)] if bias is not None else list(x) for x in p.inputs]
        basis = independent_rows(data)
        probes = [[sum(a * b for a, b in zip(x, e, strict=True)) for e in basis] for x in data]  # x_i . e_a
        cols, seen = p.widths[0], set()
        for j in range(p.widths[1]):
            own = point.coordinates[first + j * cols : first + (j + 1) * cols] + (
                [point.coordinates[bias + j]] if bias is not None else []
            )
            out_weights = [point.coordinates[second + k * p.widths[1] + j] for k in outputs]
            key = (tuple(own), tuple(out_weights))
            if key in seen:
                continue
            seen.add(key)
            z = [self.total(ring, [scaled(ring, u, v) for u, v in zip(own, x, strict=True)]) for x in data]
            if self.dead(ring, act, z):
                continue
            jets = [taylor(ring, act, value, 2) for value in z]
            for k in outputs:
                if ring.sign(self.total(ring, [ring.mul(g[k], t[0]) for g, t in zip(slopes, jets, strict=True)])) != 0:
                    raise Rejected("flat-minimum", f"psi is not 0 at unit {j + 1}")
                for a in range(len(basis)):
                    slope = self.total(
                        ring,
                        [
                            scaled(ring, ring.mul(g[k], t[1]), q[a])
                            for g, t, q in zip(slopes, jets, probes, strict=True)
                        ],
                    )
                    if ring.sign(slope) != 0:
                        raise Rejected("flat-minimum", f"the gradient of psi is not 0 at unit {j + 1}")
            weights = []  # sum_k v_k g_ik phi''(z_i) = twice the second Taylor coefficient
            for g, t in zip(slopes, jets, strict=True):
                weights.append(
                    ring.mul(
                        self.total(ring, [ring.mul(v, s) for v, s in zip(out_weights, g, strict=True)]),
                        ring.add(t[2], t[2]),
                    )
                )
            if not is_definite(ring, self.weighted_gram(ring, weights, probes), 1):
                raise Rejected("flat-minimum", f"v Hess psi is not positive definite at unit {j + 1}")

    def dead(self, ring, act, z):
        """Every pre-activation strictly inside a piece that is identically zero."""
        if not act.pieces:
            return False
        for value in z:
            signs = [ring.sign(ring.sub(value, ring.of(b))) for b in act.breaks]
            if 0 in signs or any(act.pieces[sum(s > 0 for s in signs)]):
                return False
        return True

    def weighted_gram(self, ring, weights, vectors):
        """sum_i weight_i v_i v_i^T for rational vectors."""
        size = len(vectors[0])
        rows = [{} for _ in range(size)]
        for a in range(size):
            for b in range(a, size):
                rows[a][b] = rows[b][a] = self.total(
                    ring, [scaled(ring, w, v[a] * v[b]) for w, v in zip(weights, vectors, strict=True)]
                )
        return rows

    def total(self, ring, values):
        out = ring.zero
        for value in values:
            out = ring.add(out, value)
        return out

    def flat_first_layer(self, ring, point, slopes):
        """f = G(W x; rest) with W = 0 at p: sum g = 0, sum g x = 0 and sum_k Hess_s G_k (x) S_k > 0 on the span of the inputs."""
        p = self.problem
        first, bias = p.blocks[0]
        rows, cols = p.widths[1], p.widths[0]
        if any(ring.sign(c) != 0 for c in point.coordinates[first : first + rows * cols]):
            raise Rejected("flat-minimum", "the first weight matrix is not 0")
        outputs, basis = range(p.widths[-1]), independent_rows(p.inputs)
        if not basis:
            raise Rejected("flat-minimum", "all inputs are 0")
        probes = [[sum(a * b for a, b in zip(x, e, strict=True)) for e in basis] for x in p.inputs]
        for k in outputs:
            moments = [[g[k] for g in slopes]] + [
                [scaled(ring, g[k], x[c]) for g, x in zip(slopes, p.inputs, strict=True)] for c in range(cols)
            ]
            if any(ring.sign(self.total(ring, m)) != 0 for m in moments):
                raise Rejected("flat-minimum", "the loss slopes are not orthogonal to 1 and to the inputs")
        grams = [self.weighted_gram(ring, [g[k] for g in slopes], probes) for k in outputs]
        theta = [{(): c} for c in point.coordinates]
        start = [
            {(): point.coordinates[bias + i] if bias is not None else ring.zero, (i,): ring.one} for i in range(rows)
        ]
        curved = [hessian_rows(f, rows, ring) for f in Taylor(ring, 2).rest(p, theta, start, 0)]
        if len(outputs) == 1:  # H (x) S is positive definite exactly if H and S are definite of the same sign
            if any(is_definite(ring, curved[0], s) and is_definite(ring, grams[0], s) for s in (1, -1)):
                return
            raise Rejected(
                "flat-minimum",
                "the curvature of the network in its first pre-activations does not fit the data moments",
            )
        size = len(basis)
        kron = [{} for _ in range(rows * size)]
        for h, s in zip(curved, grams, strict=True):
            for i in range(rows):
                for j, value in h[i].items():
                    for a in range(size):
                        for b in range(size):
                            row, col, term = i * size + a, j * size + b, ring.mul(value, s[a][b])
                            kron[row][col] = ring.add(kron[row][col], term) if col in kron[row] else term
        if not is_definite(ring, kron, 1):
            raise Rejected("flat-minimum", "sum_k H_k (x) S_k is not positive definite")

    def rule_morse_bott_minimum(self, step):
        return self.morse_bott(step, 1)

    def rule_morse_bott_maximum(self, step):
        return self.morse_bott(step, -1)

    def morse_bott(self, step, sign):
        """An r-dimensional family of critical points through p, r = nullity, the Hessian semidefinite of the right sign."""
        rule, name, size = step["rule"], step["point"], len(self.problem.names)
        point = self.exact_point(step, name)
        ring = point.ring
        if size > MAX_MATRIX:
            raise Rejected("limit", "too many parameters for this rule")
        family = fields(step["family"], "step.family", ("at", "coordinates"))
        at = [element(ring, v, "step.family.at") for v in array(family["at"], "step.family.at", most=16)]
        rank = len(at)
        if rank < 1:
            raise Malformed("step.family.at", "is empty")
        laurent = LaurentRing(ring, rank)
        curve = []
        for terms in array(family["coordinates"], "step.family.coordinates", size):
            entry, previous = {}, None
            for term in array(terms, "step.family.coordinates", most=256):
                array(term, "step.family.coordinates", 2)
                value = element(ring, term[0], "step.family.coordinates")
                key = tuple(
                    whole(e, "step.family.coordinates", -MAX_DEGREE, MAX_DEGREE)
                    for e in array(term[1], "step.family.coordinates", rank)
                )
                if value == ring.zero or (previous is not None and previous >= key):
                    raise Malformed("step.family.coordinates", "have a zero term or terms out of order")
                entry[key] = value
                previous = key
            curve.append(entry)
        for k in range(rank):
            if any(e[k] < 0 for entry in curve for e in entry) and ring.sign(at[k]) == 0:
                raise Rejected(rule, "the family has a pole at its base point")
        powers = [{} for _ in range(rank)]

        def value_at(entry):
            total = ring.zero
            for e, c in entry.items():
                for k, exponent in enumerate(e):
                    if exponent not in powers[k]:
                        powers[k][exponent] = self.ring_power(ring, at[k], exponent, rule)
                    c = ring.mul(c, powers[k][exponent])
                total = ring.add(total, c)
            return total

        for entry, coordinate in zip(curve, point.coordinates, strict=True):
            if not ring.same(value_at(entry), coordinate):
                raise Rejected(rule, f"the family does not pass through {name}")
        tangents = []
        for k in range(rank):
            shift = tuple(int(i == k) for i in range(rank))
            tangents.append(
                [
                    value_at(
                        {
                            tuple(a - b for a, b in zip(e, shift, strict=True)): scaled(ring, c, e[k])
                            for e, c in entry.items()
                            if e[k]
                        }
                    )
                    for entry in curve
                ]
            )
        if rank_of(ring, tangents) != rank:
            raise Rejected(rule, "the family is not regular at its base point")
        theta = [{(): entry, (k,): laurent.one} for k, entry in enumerate(curve)]
        expansion = Taylor(laurent, 1).loss(self.problem, theta, need_value=False)
        for k, parameter in enumerate(self.problem.names):
            if not laurent.vanishes(expansion.get((k,), laurent.zero)):
                raise Rejected(rule, f"dF/d{parameter} does not vanish along the family")
        pos, zero, neg = inertia_of(ring, hessian_rows(self.expansion(name, 2), size, ring))
        if zero != rank or (neg if sign > 0 else pos) != 0:
            raise Rejected(rule, f"the Hessian at {name} is not semidefinite with nullity {rank}")
        return ()

    def ring_power(self, ring, base, exponent, rule):
        if exponent < 0:
            base = ring.inverse(base)
            if base is None:
                raise Rejected(rule, "this number has no inverse in its ring")
        out = ring.one
        for _ in range(abs(exponent)):
            out = ring.mul(out, base)
        return out

    # -- curves ---------------------------------------------------------------------------------------------------

    def rule_descent_curve(self, step):
        return self.curve(step, -1)

    def rule_ascent_curve(self, step):
        return self.curve(step, 1)

    def curve(self, step, sign):
        """The first nonzero coefficient of F(p + c_1 s + c_2 s^2 + ...) - F(p) stands at s^order and has the right sign."""
        rule, name, size = step["rule"], step["point"], len(self.problem.names)
        point = self.exact_point(step, name)
        ring, order = point.ring, whole(step["order"], "step.order", 1, MAX_DEGREE)
        claimed = element(ring, step["coefficient"], "step.coefficient")
        theta = []
        for start, row in zip(point.coordinates, array(step["curve"], "step.curve", size), strict=True):
            entry = {(): start}
            for k, c in enumerate(array(row, "step.curve", most=MAX_DEGREE), start=1):
                value = element(ring, c, "step.curve")
                if k > order or (k == len(row) and value == ring.zero):
                    raise Malformed("step.curve", "is longer than its order or ends in a zero coefficient")
                if value != ring.zero:
                    entry[(0,) * k] = value
            theta.append(entry)
        expansion = Taylor(ring, order).loss(self.problem, theta, need_value=False)
        for k in range(1, order):
            if ring.sign(expansion.get((0,) * k, ring.zero)) != 0:
                raise Rejected(rule, f"the coefficient of order {k} is not 0")
        found = expansion.get((0,) * order, ring.zero)
        if not ring.same(found, claimed):
            raise Rejected(rule, "the leading coefficient is not the stated one")
        if ring.sign(found) != sign:
            raise Rejected(rule, "the leading coefficient has the wrong sign")
        return ()


# ---------------------------------------------------------------------------------------------------------------
# 9. The goals: composed here, from facts about the named points; every step and every point must be needed.

GOAL_KEYS = {
    "value": ("point",),
    "critical-point": ("point",),
    "critical-inertia": ("point",),
    "strict-local-minimum": ("point",),
    "strict-local-maximum": ("point",),
    "local-minimum": ("point",),
    "local-maximum": ("point",),
    "strict-saddle": ("point",),
    "saddle": ("point",),
    "not-local-minimum": ("point",),
    "not-local-maximum": ("point",),
    "global-minimum": ("point",),
    "not-global": ("point", "better"),
    "spurious-local-minimum": ("point", "better", "hypotheses"),
}
MINIMUM_RULES = {
    "strict-minimum": "a strict local minimum",
    "flat-minimum": "a local minimum",
    "morse-bott-minimum": "a local minimum (not strict)",
    "global": "a local minimum (indeed a global one)",
}
MAXIMUM_RULES = {"maximum": "a strict local maximum", "morse-bott-maximum": "a local maximum (not strict)"}


class Goal:
    """Turns the proved facts into one sentence and the set of fact keys that it rests on."""

    def __init__(self, proof, body):
        self.proof, self.body, self.kind = proof, body, body["kind"]
        self.p = body["point"]
        self.used = []

    def take(self, rule, *names):
        self.used.append(self.proof.need(rule, *names))

    def one_of(self, rules):
        rule = next((r for r in rules if (r, self.p) in self.proof.facts), None)
        if rule is None:
            raise Rejected("goal", f"no step proves {self.kind} at {self.p}")
        self.take(rule, self.p)
        return rules[rule]

    def critical(self):
        self.used.append(self.proof.critical(self.p))

    def side(self, curve, entry):
        """Evidence that F takes lower (higher) values near the point: a curve, or stationarity and an eigenvalue."""
        if (curve, self.p) in self.proof.facts:
            self.take(curve, self.p)
            return
        self.critical()
        self.take("inertia", self.p)
        if self.proof.inertias[self.p][entry] == 0:
            raise Rejected("goal", f"neither a {curve} nor an eigenvalue of that sign at {self.p}")

    def sentence(self):
        kind, p = self.kind, self.p
        if kind == "value":
            self.take("value", p)
            return ""
        if kind == "critical-point":
            self.critical()
            return "grad F(p) = 0"
        if kind == "critical-inertia":
            self.critical()
            self.take("inertia", p)
            pos, zero, neg = self.proof.inertias[p]
            return f"grad F(p) = 0, and the Hessian has {pos} positive, {zero} zero and {neg} negative eigenvalues"
        if kind == "strict-local-minimum":
            self.take("strict-minimum", p)
            return "p is a strict local minimum of F"
        if kind == "strict-local-maximum":
            self.take("maximum", p)
            return "p is a strict local maximum of F"
        if kind == "local-minimum":
            return f"p is {self.one_of(MINIMUM_RULES)} of F"
        if kind == "local-maximum":
            return f"p is {self.one_of(MAXIMUM_RULES)} of F"
        if kind == "strict-saddle":
            self.take("strict-saddle", p)
            return "p is a strict saddle of F"
        if kind == "saddle":
            self.critical()
            self.side("descent-curve", 2)
            self.side("ascent-curve", 0)
            return "p is a critical point of F, neither a local minimum nor a local maximum"
        if kind == "not-local-minimum":
            self.side("descent-curve", 2)
            return "p is not a local minimum of F"
        if kind == "not-local-maximum":
            self.side("ascent-curve", 0)
            return "p is not a local maximum of F"
        if kind == "global-minimum":
            self.take("global", p)
            return "p is a global minimum of F"
        if kind == "not-global":
            self.take("below", self.body["better"], p)
            return "p is not a global minimum of F, since F(q) < F(p)"
        text = self.one_of(MINIMUM_RULES)
        self.take("below", self.body["better"], p)
        for name in self.body["hypotheses"]:
            self.take("hypothesis", name)
        extra = f"; the problem satisfies: {', '.join(self.body['hypotheses'])}" if self.body["hypotheses"] else ""
        return f"p is {text} of F and not a global one, since F(q) < F(p){extra}"

    def fact(self):
        head = self.sentence()
        names, proof = self.proof.problem.names, self.proof
        letters = {self.p: "p"} | ({self.body["better"]: "q"} if "better" in self.body else {})
        closure, todo = set(), list(self.used)
        while todo:
            key = todo.pop()
            if key not in closure:
                closure.add(key)
                todo += proof.facts[key] if key in proof.facts else [proof.need(*key)]
        for key in proof.facts:
            if key not in closure:
                raise Rejected(key[0], "is a step that the goal does not need")
        parts = [head] if head else []
        parts += [
            text for name, letter in letters.items() if name in proof.values and (text := self.value_text(name, letter))
        ]
        where = "; ".join(f"{letter} = {proof.points[name].show(names)}" for name, letter in letters.items())
        return f"{'; '.join(parts)}, where {where} and F is the loss of problem {proof.problem.digest} ({proof.problem.describe()})"

    def value_text(self, name, letter):
        value = self.proof.values[name]
        if value[0] == "bounds":
            return f"{show(value[1])} <= F({letter}) <= {show(value[2])}"
        text = value[1].show(value[2])
        if isinstance(value[1], NumberField) and value[1].rational(value[2]) is None:
            text += f" ({value[1].describe()})"
        if len(text) <= 200:
            return f"F({letter}) = {text}"
        ring = Intervals(self.proof.meter)
        low, high = ring.ends(value[1].enclose(value[2], ring))
        return f"{decimal(low, math.floor)} <= F({letter}) <= {decimal(high, math.ceil)}"


def decimal(value, rounding):
    """Twelve decimals, rounded in the given direction, written with integers."""
    scaled_value = rounding(value * 10**12)
    sign, digits = "-" if scaled_value < 0 else "", str(abs(scaled_value)).rjust(13, "0")
    return f"{sign}{digits[:-12]}.{digits[-12:]}"


NAME = re.compile(r"[a-z][a-z0-9_]{0,30}", re.ASCII)


def read_goal(body, points):
    fields(body, "goal", ("kind",), ("point", "better", "hypotheses"))
    if not isinstance(body["kind"], str) or body["kind"] not in GOAL_KEYS:
        raise Malformed("goal.kind", "is not a known goal")
    fields(body, "goal", ("kind", *GOAL_KEYS[body["kind"]]))
    for key in ("point", "better"):
        if key in body:
            point_name(body[key], f"goal.{key}", points)
    if body.get("better") == body["point"]:
        raise Malformed("goal.better", "is the same point")
    names = array(body.get("hypotheses", []), "goal.hypotheses", most=32)
    if any(not isinstance(n, str) or len(n) > 64 for n in names) or names != sorted(set(names)):
        raise Malformed("goal.hypotheses", "are not distinct sorted names")
    return body


def point_name(body, where, points):
    if not isinstance(body, str) or body not in points:
        raise Malformed(where, "names no point")
    return body


def read_step(body, where, points):
    fields(body, where, ("rule",), {key for keys in (*STEP_KEYS.values(), *STEP_OPTIONS.values()) for key in keys})
    rule = body["rule"]
    if not isinstance(rule, str) or rule not in STEP_KEYS:
        raise Malformed(f"{where}.rule", "is not a known rule")
    fields(body, where, ("rule", *STEP_KEYS[rule]), STEP_OPTIONS.get(rule, ()))
    names = []
    if "point" in body:
        names.append(point_name(body["point"], f"{where}.point", points))
    if rule == "below":
        names += [point_name(body[key], f"{where}.{key}", points) for key in ("lower", "upper")]
    if rule == "hypothesis":
        if not isinstance(body["name"], str) or len(body["name"]) > 64:
            raise Malformed(f"{where}.name", "is not a name")
        names.append(body["name"])
    if "proof" in body and not isinstance(body["proof"], str):
        raise Malformed(f"{where}.proof", "is not a name")
    return (RULE_ORDER[rule], *names)


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
        raise Rejected("digest", "the certificate is about another problem")
    if not isinstance(body["points"], dict) or not 1 <= len(body["points"]) <= MAX_POINTS:
        raise Malformed("certificate.points", f"is not an object of 1 to {MAX_POINTS} points")
    meter, points = Meter(), {}
    for name, point in body["points"].items():
        if NAME.fullmatch(name) is None:
            raise Malformed("certificate.points", "has a name that is not [a-z][a-z0-9_]*")
        points[name] = Point(point, f"points.{name}", len(problem.names), meter)
    goal = read_goal(body["goal"], points)
    steps = array(body["steps"], "certificate.steps", most=MAX_STEPS)
    order = [read_step(step, f"steps[{k}]", points) for k, step in enumerate(steps)]
    if not steps:
        raise Rejected("goal", "there are no steps")
    if any(a >= b for a, b in zip(order, order[1:], strict=False)):
        raise Rejected("steps", "are repeated or not in the order of the rules")
    proof = Proof(problem, points, meter)
    for step, (_, *names) in zip(steps, order, strict=True):
        method = getattr(proof, "rule_" + step["rule"].replace("-", "_"))
        proof.facts[step["rule"], *names] = method(step)
    fact = Goal(proof, goal).fact()
    mentioned = {name for _, *names in order for name in names}
    if any(name not in mentioned for name in points):
        raise Rejected("points", "there is a point that no step uses")
    return fact, goal["kind"], [step["rule"] for step in steps]


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


# ---------------------------------------------------------------------------------------------------------------
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
            print("MALFORMED file cannot be read: " + ascii(path))
            return 2
    verdict = check(*contents)
    print(verdict.line)
    return verdict.exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
