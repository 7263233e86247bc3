"""Where an activation has exact rational Taylor coefficients: pre-activations z = k (polynomial pieces) or z = k ln 2.

A `Site` is such a pre-activation with phi, phi', phi'' there. Two irrational derivatives are known by their signs, which is enough
where only definiteness matters: gelu''(0) = sqrt(2/pi) and erf'(0) = 2/sqrt(pi). Targets of a problem are rational numbers, so a recipe whose
outputs must be rational can use a site only if phi is rational at it; softplus at 0 (phi = ln 2) needs an output bias.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from explorer.certify.encode import trimmed
from explorer.errors import NotCertifiable, Unsupported
from explorer.model.activations import pieces_of
from explorer.model.jets import Where
from explorer.model.rings import ExactRing
from explorer.point import Element, Field, Ln2Ring, RationalField
from explorer.problem import Activation

#: multiples of the unit (1 or ln 2) to try for a bias, the most natural ones first
MULTIPLES = tuple(
    map(Fraction, ["0", "-1", "1", "-1/2", "1/2", "-2", "2", "-3/2", "3/2", "-3", "3", "1/4", "-1/4", "1/3", "4", "-4"])
)


@dataclass(frozen=True)
class Site:
    """A pre-activation ``at`` (an element of Q or Q[ln 2]) with the derivatives ``value``, ``slope``, ``bend`` of phi.

    With ``signs_only`` the irrational ones among slope and bend are 1 or -1 for their sign.
    """

    at: Element
    value: Element
    slope: Fraction
    bend: Fraction
    signs_only: bool = False

    @property
    def rational_value(self) -> Fraction | None:
        return self.value[0] if len(self.value) == 1 else None


def is_transcendental(activation: Activation) -> bool:
    """Whether exact sites are multiples of ln 2 (and not rational numbers)."""
    return pieces_of(activation) is None


def field_of(*activations: Activation) -> Field:
    """The field in which points of a network with these activations are at home."""
    return Ln2Ring() if any(is_transcendental(a) for a in activations) else RationalField()


def at_multiple(activation: Activation, multiple: Fraction) -> Element:
    """``multiple`` units: k ln 2 for transcendental activations, the number k for (piecewise) polynomial ones."""
    if is_transcendental(activation) and multiple:
        return (Fraction(0), multiple)
    return (multiple,)


def site(activation: Activation, multiple: Fraction, *, signs: bool = False) -> Site | None:
    """The site at ``multiple`` units; None where phi is not twice differentiable or not exact there.

    ``signs`` admits the sites of which only signs are known.
    """
    if signs and not multiple and activation.kind in ("gelu", "erf"):
        one, zero = Fraction(1), Fraction(0)
        return Site((zero,), (zero,), *((one / 2, one) if activation.kind == "gelu" else (one, zero)), signs_only=True)
    ring = ExactRing(Ln2Ring() if is_transcendental(activation) else RationalField())
    at = at_multiple(activation, multiple)
    try:
        found = ring.derivatives(activation, ring.from_element(at), 2, Where(activation.kind))
    except Unsupported:
        return None
    if any(v is None for v in found):
        return None
    value, slope, bend = (trimmed(ring.to_element(v)) for v in found)
    if len(slope) > 1 or len(bend) > 1:
        return None
    return Site(at, value, slope[0], bend[0])


def curved_site(activation: Activation, *, any_value: bool = False, start: int = 0) -> Site:
    """A site with phi'' != 0, and rational phi unless ``any_value``; ``start`` skips that many. `NotCertifiable` if none."""
    affine = pieces_of(activation)
    if affine is not None and all(len(c) <= 2 for c in affine.polynomials):
        raise NotCertifiable(
            f"activation {activation.kind}",
            expected="an activation with curvature",
            got="one with affine pieces only",
            remedy="its bad minima lie in linear regions: use yun2019.thm-1",
        )
    found = [
        s
        for k in MULTIPLES
        if (s := site(activation, k, signs=True)) and s.bend and (any_value or s.rational_value is not None)
    ]
    if not found:
        raise NotCertifiable(
            f"activation {activation.kind}", expected=_exact_place(activation), got="none", remedy=_remedy(activation)
        )
    return found[start % len(found)]


def rational_row(activation: Activation, multiples: list[Fraction]) -> list[Site] | None:
    """Sites at all ``multiples``, with rational values; None if one is missing."""
    out = []
    for k in multiples:
        found = site(activation, k)
        if found is None or found.rational_value is None:
            return None
        out.append(found)
    return out


def _exact_place(activation: Activation) -> str:
    return "a point where phi is rational and phi'' is rational and not 0"


def _remedy(activation: Activation) -> str:
    reasons = {
        "sin": "sin is exact only at 0, where sin'' = 0; in a deep network sin may stand in the first layer",
        "erf": "erf is exact only at 0, where erf'' = 0; in a deep network erf may stand in the first layer",
        "softplus": "softplus is exact only at 0, where it is ln 2 and not rational: use an output bias",
    }
    return reasons.get(activation.kind, "use another activation")
