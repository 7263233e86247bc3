"""What a solver hands back: critical components, how sure they are, and whether they are all of them. Plain data.

Nothing here imports SymPy: statements, the command line and the certificate writers read these nouns only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from typing import Any

from explorer.exact import text
from explorer.point import AnyPoint, Element, EnclosedPoint, Field, Inertia, Point, RationalField
from explorer.problem import Problem
from explorer.shown import Shown

FORMAT = "explorer.critical-set/1"


class Trust(Enum):
    """How sure a statement is; the value is the sentence that the user reads, ``name.lower()`` the word in JSON."""

    VERIFIED = "verified: the independent checker accepted a certificate"
    COMPUTED = "computed: exact arithmetic, not re-checked independently"
    NUMERICAL = "numerical: rests on a step that is not exact or not proved"

    @property
    def word(self) -> str:
        return self.name.lower()


class Kind(Enum):
    """What a critical point (or every point of a critical component) is; the value is the word in JSON.

    ``MINIMUM``/``MAXIMUM``: a local one that is not known to be strict (on a component of positive dimension: that
    is not). ``STRICT_SADDLE``: the Hessian has eigenvalues of both signs. ``SADDLE``: neither a local minimum nor a
    local maximum, proved by curves. ``UNDECIDED``: no rule applied; the component's ``because`` says why.
    """

    STRICT_MINIMUM = "strict minimum"
    MINIMUM = "minimum"
    STRICT_SADDLE = "strict saddle"
    SADDLE = "saddle"
    MAXIMUM = "maximum"
    STRICT_MAXIMUM = "strict maximum"
    UNDECIDED = "undecided"

    @property
    def is_minimum(self) -> bool:
        return self in (Kind.STRICT_MINIMUM, Kind.MINIMUM)

    @property
    def is_maximum(self) -> bool:
        return self in (Kind.STRICT_MAXIMUM, Kind.MAXIMUM)

    @property
    def is_saddle(self) -> bool:
        return self in (Kind.STRICT_SADDLE, Kind.SADDLE)


@dataclass(frozen=True)
class Coverage:
    """Whether the components are *all* critical points, by which method, how sure that is, and the reason.

    ``reason`` is a whole sentence in both cases: why the list is complete, or what may be missing. ``box``: the question was
    about critical points in this box only, and so is the answer.
    """

    complete: bool
    method: str
    trust: Trust
    reason: str
    box: str = ""

    def to_json(self) -> dict[str, Any]:
        out = {"complete": self.complete, "method": self.method, "trust": self.trust.word, "reason": self.reason}
        return out | ({"box": self.box} if self.box else {})


@dataclass(frozen=True)
class Value:
    """A value of F: an exact element of ``field`` where one is known, and always a rational enclosure."""

    lower: Fraction
    upper: Fraction
    exact: Element | None = None
    field: Field = field(default_factory=RationalField)

    @classmethod
    def rational(cls, value: Fraction) -> Value:
        return cls(value, value, (value,))

    @property
    def as_fraction(self) -> Fraction | None:
        """The value when it is known to be a rational number."""
        if self.lower == self.upper:
            return self.lower
        if self.exact is not None and not any(self.exact[1:]):
            return self.exact[0]
        return None

    @property
    def approx(self) -> float | None:
        """A nearby float, for display only; None when no float is that large."""
        return nearby((self.lower + self.upper) / 2)

    def to_json(self) -> dict[str, Any]:
        from explorer.solve.scalars import element_json

        if self.as_fraction is not None:
            return {"exact": text(self.as_fraction), "approx": nearby(self.as_fraction)}
        if self.exact is not None:
            return {"exact": element_json(self.exact, self.field), "approx": self.approx}
        return {"exact": None, "enclosure": [text(self.lower), text(self.upper)], "approx": self.approx}


@dataclass(frozen=True)
class Curve:
    """A polynomial curve through a point, theta_k(s) = p_k + c_k1 s + c_k2 s^2 + ..., and what F does along it.

    ``coefficients[k]`` = (c_k1, c_k2, ...), empty where parameter k stays constant; elements of the point's field.
    F(theta(s)) - F(p) = ``coefficient`` s^``order`` + higher terms: the step ``descent-curve`` or ``ascent-curve``.
    """

    order: int
    coefficient: Element
    coefficients: tuple[tuple[Element, ...], ...]


@dataclass(frozen=True)
class Family:
    """A Laurent family gamma(t) of critical points with gamma(``at``) = p: the ``family`` of ``morse-bott-minimum``.

    ``coordinates[k]`` is the Laurent polynomial of parameter k: pairs (coefficient, exponents), sorted by exponents.
    """

    at: tuple[Element, ...]
    coordinates: tuple[tuple[tuple[Element, tuple[int, ...]], ...], ...]


@dataclass(frozen=True)
class Evidence:
    """What the classifier used, in the shape of certificate steps (docs/certificate.md), so that a writer can copy it.

    ``flat`` is the proof of ``flat-minimum`` (``units`` or ``first-layer-zero``); ``at_floor`` says that the value is
    the floor 0 of a sum of nonnegative terms (rules ``floor`` and ``global``).
    """

    descent: Curve | None = None
    ascent: Curve | None = None
    morse_bott: Family | None = None
    flat: str | None = None
    at_floor: bool = False


@dataclass(frozen=True)
class Component(Shown):
    """A connected or irreducible piece of the critical set on which the kind does not change, with one exact sample.

    ``dimension`` 0: an orbit of isolated points under the symmetries of the problem; ``points`` lists all ``orbit``
    of them, the sample first. ``isolated`` is False for a special point of a family (a stratum of dimension 0, ``orbit``
    None), None where it is not known whether other critical points come near. ``dimension`` > 0: a family (``orbit`` None); ``equations`` are the polynomial
    equations (= 0) and strict inequalities that cut it out, ``description`` says the same in words.
    ``inertia`` is that of the Hessian at the sample (None: undecided by the enclosure). ``is_global`` None: unknown.
    """

    dimension: int
    sample: AnyPoint
    value: Value
    inertia: Inertia | None
    kind: Kind
    is_global: bool | None
    because: str
    trust: Trust = Trust.COMPUTED
    orbit: int | None = None
    points: tuple[AnyPoint, ...] = ()
    isolated: bool | None = None
    equations: tuple[str, ...] = ()
    description: str = ""
    evidence: Evidence = field(default_factory=Evidence)

    @property
    def is_family(self) -> bool:
        return self.dimension > 0

    def to_json(self, parameters: tuple[str, ...]) -> dict[str, Any]:
        inertia = self.inertia
        return {
            "dimension": self.dimension,
            "orbit": self.orbit,
            "isolated": self.isolated,
            "sample": _sample_json(self.sample, parameters),
            "value": self.value.to_json(),
            "inertia": None
            if inertia is None
            else {"positive": inertia.positive, "zero": inertia.zero, "negative": inertia.negative},
            "index": None if inertia is None else inertia.index,
            "kind": self.kind.value,
            "global": self.is_global,
            "trust": self.trust.word,
            "because": self.because,
            "equations": list(self.equations),
            "description": self.description,
        }


@dataclass(frozen=True)
class CriticalSet(Shown):
    """The critical points of one problem, as far as ``coverage`` says. Never read ``components`` without it."""

    problem: Problem
    components: tuple[Component, ...]
    coverage: Coverage
    #: min F where it is known exactly or enclosed; None: unknown
    global_value: Value | None = None
    #: why `global_value` is the minimum, or why it is unknown
    global_because: str = ""

    @property
    def parameters(self) -> tuple[str, ...]:
        return self.problem.parameters

    @property
    def minima(self) -> tuple[Component, ...]:
        """Components of local minima (global ones included)."""
        return tuple(c for c in self.components if c.kind.is_minimum)

    @property
    def spurious(self) -> tuple[Component, ...]:
        """Components of local minima that are known not to be global."""
        return tuple(c for c in self.minima if c.is_global is False)

    @property
    def isolated(self) -> tuple[Component, ...]:
        """Components of isolated critical points (special points of families are not among them)."""
        return tuple(c for c in self.components if c.dimension == 0 and c.isolated)

    @property
    def families(self) -> tuple[Component, ...]:
        """Components of positive dimension and the special points on them."""
        return tuple(c for c in self.components if not (c.dimension == 0 and c.isolated))

    @property
    def real_points(self) -> int:
        """The number of isolated real critical points, orbits expanded."""
        return sum(c.orbit or 1 for c in self.isolated)

    @property
    def by_index(self) -> dict[str, int]:
        """Isolated real points by Morse index (negative eigenvalues; key ``unknown`` where the index is undecided)."""
        counts: dict[str, int] = {}
        for c in self.isolated:
            key = "unknown" if c.inertia is None else str(c.inertia.index)
            counts[key] = counts.get(key, 0) + (c.orbit or 1)
        return dict(sorted(counts.items(), key=lambda item: (len(item[0]), item[0])))

    @property
    def morse_sum(self) -> int | None:
        """Sum of (-1)^index over all critical points; None unless all are listed, isolated and nondegenerate.

        It is 1 for every coercive F (the Euler characteristic of R^d; Milnor, Morse Theory, section 5).
        """
        if not self.coverage.complete or self.coverage.box or self.families:
            return None
        total = 0
        for c in self.isolated:
            if c.inertia is None or c.inertia.zero:
                return None
            total += (-1) ** c.inertia.index * (c.orbit or 1)
        return total

    def to_json(self) -> dict[str, Any]:
        """The document of ``explorer solve --json``."""
        return {
            "format": FORMAT,
            "problem": self.problem.digest,
            "coverage": self.coverage.to_json(),
            "parameters": list(self.parameters),
            "components": [c.to_json(self.parameters) for c in self.components],
            "summary": {
                "real_points": self.real_points,
                "by_index": self.by_index,
                "morse_sum": self.morse_sum,
                "global_value": None if self.global_value is None else self.global_value.to_json(),
                "global_because": self.global_because,
            },
        }


def nearby(value: Fraction) -> float | None:
    """A float for display; None (null in JSON, which has no infinity) when the value is too large for one."""
    try:
        return float(value)
    except OverflowError:
        return None


def _sample_json(sample: AnyPoint, parameters: tuple[str, ...]) -> Mapping[str, Any]:
    from explorer.solve.scalars import element_json, enclosure

    out: dict[str, Any] = {}
    if isinstance(sample, EnclosedPoint):
        for name, lo, hi in zip(parameters, sample.lower, sample.upper, strict=True):
            known = {"exact": text(lo)} if lo == hi else {"exact": None, "enclosure": [text(lo), text(hi)]}
            out[name] = {**known, "approx": nearby((lo + hi) / 2)}
        return out
    assert isinstance(sample, Point)
    for name, element in zip(parameters, sample.coordinates, strict=True):
        lo, hi = enclosure(element, sample.field)
        out[name] = {"exact": element_json(element, sample.field), "approx": nearby((lo + hi) / 2)}
    return out
