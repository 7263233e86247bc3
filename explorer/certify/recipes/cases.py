"""The sigmoid cases of the cases folder, made by the recipes: problem and certificates, the same bytes every time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from explorer.certify.certificate import Certificate, Instance
from explorer.certify.encode import Step, assemble
from explorer.certify.families import morse_bott_step
from explorer.certify.located import Located
from explorer.certify.recipes.sigmoid import bad_minimum
from explorer.certify.values import exact_step
from explorer.point import Ln2Ring, Point


def case(slug: str) -> Instance:
    """The instance of the case ``slug``, one of `CASES`."""
    return CASES[slug]()


def _made(slug: str, samples: int, width: int, *, bias: bool = False) -> Callable[[], Instance]:
    def build() -> Instance:
        made = bad_minimum(samples, width, bias=bias)
        problem = replace(made.problem, slug=slug)
        bad = Certificate(problem, made.certificates[0][1].to_json())
        more: list[tuple[str, Certificate]] = [("spurious-local-minimum", bad)]
        if _value(bad, "q") == ["0"]:
            more.append(("global-minimum", _interpolating(bad)))
        if (samples, width) == (2, 2):
            more.append(("morse-bott-minimum", _flat_line(bad)))
        return Instance(slug, problem, tuple(more))

    return build


#: slug -> the function that makes the case
CASES: dict[str, Callable[[], Instance]] = {
    "sigmoid-n2-w2": _made("sigmoid-n2-w2", 2, 2),
    "sigmoid-n3-w3": _made("sigmoid-n3-w3", 3, 3),
    "sigmoid-n3-w3-bias": _made("sigmoid-n3-w3-bias", 3, 3, bias=True),
    "sigmoid-n3-w50": _made("sigmoid-n3-w50", 3, 50),
    "sigmoid-n20-w20": _made("sigmoid-n20-w20", 20, 20),
}


def _value(certificate: Certificate, name: str) -> list[str] | None:
    """The exact value that the certificate states at a point; None where it states bounds."""
    steps: list[Mapping[str, Any]] = certificate.to_json()["steps"]
    return next((s.get("value") for s in steps if s["rule"] == "value" and s["point"] == name), None)


def _point(certificate: Certificate, name: str) -> Point:
    coordinates = certificate.to_json()["points"][name]["coordinates"]
    return Point(Ln2Ring(), tuple(tuple(Fraction(c) for c in element) for element in coordinates))


def _interpolating(bad: Certificate) -> Certificate:
    """The better point of ``bad`` has loss 0: it is a global minimum."""
    steps: list[Step] = [
        exact_step("p", (Fraction(0),), Ln2Ring()),
        {"rule": "floor", "proof": "nonnegative", "value": "0"},
        {"rule": "global", "point": "p"},
    ]
    return assemble(bad.problem, {"kind": "global-minimum", "point": "p"}, {"p": _point(bad, "q")}, steps)


def _flat_line(bad: Certificate) -> Certificate:
    """The two-sample minimum again, by its critical line v = (1 + t, 1 - t) and a Hessian of rank 3."""
    point = _point(bad, "p")
    step = morse_bott_step(Located(bad.problem, "p", point), sign=1)
    return assemble(bad.problem, {"kind": "local-minimum", "point": "p"}, {"p": point}, [step])
