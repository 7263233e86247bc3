"""For every construction a nearby false instance: explorer refuses to certify it, and the checker rejects a forged certificate.

A twin differs from the certified instance in one thing: a unit is moved, the sign of a residual or of an output weight is
flipped, the curvature has the wrong sign, lambda lies outside its interval. Why each is false is said at the twin.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from recipe_tools import (
    CK,
    CROSS,
    DING,
    LOGISTIC,
    NARROW,
    NEURON,
    OUTPUTS,
    RELU,
    SPLIT,
    WIDTH,
    YUN1,
    YUN2,
    forged,
    made,
    move,
    point,
    polynomial,
)

from explorer.certify import certify
from explorer.certify.certificate import thawed
from explorer.errors import ExplorerError
from explorer.model.coordinates import as_point
from explorer.reading import parse_problem

Change = Callable[[dict[str, Any], dict[str, Any]], None]


def first_weight(problem: dict[str, Any], body: dict[str, Any]) -> None:
    """A unit is moved away: the gradient is not 0 there, or for W = 0 the first weight matrix is not."""
    move(body, 0)


def residual(problem: dict[str, Any], body: dict[str, Any]) -> None:
    """Targets in the order of outputs 0, 1, ...: the first target moves by 1/7, so the loss slopes are no longer orthogonal."""
    row = problem["data"]["targets"][0]
    row[0] = str(Fraction(row[0]) + Fraction(1, 7))


def label(problem: dict[str, Any], body: dict[str, Any]) -> None:
    """One label flipped: the loss slopes no longer add up to 0."""
    row = problem["data"]["targets"][0]
    row[0] = str(-Fraction(row[0]))


def output_weight(problem: dict[str, Any], body: dict[str, Any]) -> None:
    """The last output weight of p changes its sign, and the targets follow the outputs: same residual, v psi'' < 0 at that unit.

    Only for networks whose units are equal, with all output weights 1 and no output bias: f drops by 2 phi.
    """
    width = problem["network"]["widths"][1]
    entries = body["points"]["p"]["coordinates"]
    entries[-1] = ["-1"] if isinstance(entries[-1], list) else "-1"
    values = [Fraction(v) for v in OUTPUT_OF_ONE_UNIT]
    assert width == 3
    for row, phi in zip(problem["data"]["targets"], values, strict=True):
        row[0] = str(Fraction(row[0]) - 2 * phi)


#: sigma(-ln 2) = 1/3 at every sample: the case flat-sigmoid of three samples
OUTPUT_OF_ONE_UNIT = ("1/3", "1/3", "1/3")


def negated(problem: dict[str, Any], body: dict[str, Any]) -> None:
    """r -> -r by y -> y + 2 r: the same critical point with S negative definite, so F falls along W. r = (1, -2, 1) by hand."""
    for row, r in zip(problem["data"]["targets"], (1, -2, 1), strict=True):
        row[0] = str(Fraction(row[0]) + 2 * r)


PROOFS = ("stationary", "inertia", "strict-minimum", "flat-minimum")

TWINS: list[tuple[tuple[str, dict[str, Any]], Change]] = [
    *(((DING, {"activation": a}), change) for a in ("sigmoid", "tanh", "gelu", "softplus") for change in (first_weight, residual, negated)),
    ((DING, {"activation": "sigmoid"}), output_weight),
    *(((DING, {"activation": "sigmoid", "inputs": CROSS}), change) for change in (first_weight, residual)),
    *(((DING, {"activation": "sigmoid", "depth": 4, "width": 2}), change) for change in (first_weight, residual, negated)),
    *(((DING, {"activation": a, "bias": False}), change) for a in ("sigmoid", "tanh", "exp") for change in (first_weight, residual)),
    *(((LOGISTIC, {}), change) for change in (first_weight, label)),
    *(((OUTPUTS, {}), change) for change in (first_weight, residual)),
    *(((RELU, {}), change) for change in (residual,)),
    *(((YUN1, {}), change) for change in (first_weight, residual)),
    *(((YUN2, {}), change) for change in (first_weight, residual)),
    *(((CK, {}), change) for change in (first_weight, residual)),
    *(((NARROW, {"samples": 3}), change) for change in (first_weight, residual)),
    *(((NARROW, {"activation": "sigmoid"}), change) for change in (first_weight, residual)),
    *(((WIDTH, {}), change) for change in (first_weight, residual)),
    ((NEURON, {"activation": polynomial(0, 0, 0, 0, 1), "seed": 1}), first_weight),
]  # fmt: skip


@pytest.mark.parametrize(
    ("pair", "change"), [pytest.param(p, c, id=f"{p[0]}-{k}-{c.__name__}") for k, (p, c) in enumerate(TWINS)]
)
def test_a_false_twin(pair: tuple[str, dict[str, Any]], change: Change) -> None:
    instance = made(pair)[-1]
    certificate = dict(instance.certificates)["spurious-local-minimum"]

    def minimum_only(problem: dict[str, Any], body: dict[str, Any]) -> None:
        """Only the claim that p is a local minimum, so that nothing else can be the reason of the rejection."""
        body["goal"] = {"kind": "local-minimum", "point": "p"}
        body["points"] = {"p": body["points"]["p"]}
        body["steps"] = [s for s in body["steps"] if s["rule"] in PROOFS]

    def twin(problem: dict[str, Any], body: dict[str, Any]) -> None:
        minimum_only(problem, body)
        change(problem, body)

    assert forged(certificate, minimum_only).status == "verified"
    verdict = forged(certificate, twin)
    assert verdict.status == "rejected"
    assert verdict.where in PROOFS or (change is first_weight and verdict.where == "exact")  # gelu at ln 2, for example
    if change in (negated, output_weight):  # everything but the curvature is right
        assert "curvature" in verdict.why
    problem, body = thawed(certificate.problem.to_json()), certificate.to_json()
    change(problem, body)
    with pytest.raises(ExplorerError):
        certify(parse_problem(json.dumps(problem)), "local-minimum", at=point(body["points"]["p"]))


def test_the_dead_region_ends_at_the_kink() -> None:
    """All pre-activations 0 instead of -1: F falls when the units wake up on the sample with the positive target."""
    dead = made((RELU, {}))[1]
    certificate = dead.certificates[0][1]

    def to_the_kink(problem: dict[str, Any], body: dict[str, Any]) -> None:
        entries = body["points"]["p"]["coordinates"]
        assert entries[2:4] == ["-1", "-1"]
        entries[2:4] = ["0", "0"]

    assert forged(certificate, to_the_kink).status == "rejected"


def test_a_neuron_with_the_output_weight_of_the_other_sign() -> None:
    """phi = z^4, y = 2: F = (2 - v w^4)^2 is at most 4 near w = 0 for v > 0, and the point v = 1 is a maximum, not a minimum."""
    (instance,) = made((NEURON, {"activation": polynomial(0, 0, 0, 0, 1), "seed": 1}))
    certificate = instance.certificates[0][1]
    assert certificate.to_json()["points"]["p"]["coordinates"] == ["0", "-1"]

    def other_sign(problem: dict[str, Any], body: dict[str, Any]) -> None:
        body["points"]["p"]["coordinates"] = ["0", "1"]

    assert forged(certificate, other_sign).status == "rejected"
    with pytest.raises(ExplorerError):
        certify(instance.problem, "local-minimum", at=as_point({"w1_1_1": 0, "w2_1_1": 1}, instance.problem))


def test_a_crossing_zero_is_not_a_minimum() -> None:
    """phi = z^3: at (0, -1) F = (1 - v w^3)^2 falls for w < 0."""
    (instance,) = made((NEURON, {"activation": "cubic"}))
    for proof in ("units", "line"):
        certificate = dict(instance.certificates)["zero-1-below"]

        def claims_a_minimum(problem: dict[str, Any], body: dict[str, Any], proof: str = proof) -> None:
            body["goal"]["kind"] = "local-minimum"
            body["steps"] = [{"rule": "flat-minimum", "point": "p", "proof": proof}]

        assert forged(certificate, claims_a_minimum).status == "rejected"


@pytest.mark.parametrize(
    ("base", "name"),
    [(0, "lambda-2"), (0, "lambda-0"), (1, "lambda-1-over-2"), (1, "lambda-1"), (2, "lambda-1-over-2")],
)
def test_lambda_outside_its_interval(base: int, name: str) -> None:
    """There the split point is a saddle, so neither proof of a flat minimum nor a definite Hessian may pass."""
    instance = made((SPLIT, {}))[base]
    certificate = dict(instance.certificates)[name]
    for steps in (
        [{"rule": "flat-minimum", "point": "p", "proof": "units"}],
        [{"rule": "flat-minimum", "point": "p", "proof": "first-layer-zero"}],
    ):

        def claims_a_minimum(
            problem: dict[str, Any], body: dict[str, Any], steps: list[dict[str, Any]] = steps
        ) -> None:
            body["goal"]["kind"] = "local-minimum"
            body["steps"] = steps

        assert forged(certificate, claims_a_minimum).status == "rejected"
    with pytest.raises(ExplorerError):
        certify(instance.problem, "local-minimum", at=point(certificate.to_json()["points"]["p"]))


def test_morse_bott_at_the_wrong_lambda() -> None:
    """The flat line of lambda = 2 (B < 0) does not make lambda = 1/2 a minimum: the Hessian has a negative eigenvalue there."""
    named = dict(made((SPLIT, {}))[1].certificates)
    good, half = named["lambda-2"].to_json(), named["lambda-1-over-2"]
    family = good["steps"][0]["family"]

    def borrowed(problem: dict[str, Any], body: dict[str, Any]) -> None:
        body["goal"]["kind"] = "local-minimum"
        moved = thawed(family)
        at = body["points"]["p"]["coordinates"]
        moved["coordinates"] = [[[c, [0]]] if c != ["0"] else [] for c in at[:2]] + [
            [[at[2], [0]], [["1"], [1]]],
            [[at[3], [0]], [["-1"], [1]]],
        ]
        body["steps"] = [{"rule": "morse-bott-minimum", "point": "p", "family": moved}]

    verdict = forged(half, borrowed)
    assert verdict.status == "rejected"
    assert "nullity" in verdict.line


def test_a_better_point_that_is_not_lower() -> None:
    """q replaced by p's own numbers: nothing is lower."""
    certificate = made((DING, {"activation": "tanh"}))[0].certificates[0][1]

    def same(problem: dict[str, Any], body: dict[str, Any]) -> None:
        body["points"]["q"] = body["points"]["p"]
        for step in body["steps"]:
            if step["rule"] == "value" and step["point"] == "q":
                step["value"] = "6" if isinstance(step["value"], str) else ["6"]

    assert forged(certificate, same).status == "rejected"
