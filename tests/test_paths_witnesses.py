"""Statements about paths, basins and planes: instances whose numbers are recomputed here, and forged twins.

The floating loss of tests/independent/floating.py reads the problem itself; walks along certified paths stay below the
claimed bounds up to 1e-9 (1 + |F|), rounding of a few dozen operations.
"""

from __future__ import annotations

import functools
import itertools
import json
import math
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from independent import floating

import explorer as ex
from explorer.certify.certificate import Certificate, Instance
from explorer.certify.recipes import requ, requ_minima
from explorer.certify.requests import Request
from explorer.certify.witnesses_paths import EXHIBITS, REFUTATIONS
from explorer.errors import NotCertifiable
from explorer.problem import Problem

F = Fraction
LN2 = math.log(2)
ALL = [("refute", s) for s in REFUTATIONS] + [("exhibit", s) for s in EXHIBITS]


@functools.cache
def instances(verb: str, statement: str) -> tuple[Instance, ...]:
    return (ex.refute if verb == "refute" else ex.exhibit)(statement)


def number(element: Any) -> float:
    parts = [element] if isinstance(element, str) else element
    return float(sum(float(F(c)) * LN2**k for k, c in enumerate(parts)))


def on_piece(piece: Any, t: float) -> np.ndarray:
    """A point of a path's piece, or of an escape's curve."""
    values = []
    for terms in piece:
        values.append(
            sum(number(c) * t ** e[0] * (math.log(t) ** e[1] if len(e) > 1 and e[1] else 1.0) for c, e in terms)
        )
    return np.array(values, dtype=float)


def loss(problem: Problem, theta: np.ndarray) -> float:
    body = problem.to_json()
    penalty, body["regularizer"] = body.get("regularizer"), None
    assert penalty is None or penalty["kind"] == "l2"
    extra = sum(float(F(w)) * x * x for w, x in zip(penalty["weights"], theta, strict=True)) if penalty else 0.0
    return float(floating.loss(body, theta[None, :])[0]) + extra


@pytest.mark.parametrize(("verb", "statement"), ALL)
def test_every_certificate_is_verified_and_true_in_floating_point(verb: str, statement: str) -> None:
    found = instances(verb, statement)
    assert found
    assert len({i.slug for i in found}) == len(found)
    for instance in found:
        assert instance.problem.source == statement
        for name, certificate in instance.certificates:
            assert certificate.check().status == "verified", (instance.slug, name)
            walk(certificate)


def walk(certificate: Certificate) -> None:
    """Walk along the paths of a certificate: no rise above what it claims."""
    problem = certificate.problem
    for step in certificate.to_json()["steps"]:
        if step["rule"] == "path":
            values = [loss(problem, on_piece(p, t)) for p in step["pieces"] for t in np.linspace(0, 1, 9)]
            slack = 1e-9 * (1 + max(values))
            if "level" in step:
                assert max(values) <= float(F(step["level"])) + slack
            else:
                assert all(b <= a + slack for a, b in itertools.pairwise(values))
                assert values[-1] < values[0]
        if step["rule"] == "escape":
            start = float(F(step["from"]))
            times = [start * 1.5**k for k in range(8)]
            values = [loss(problem, on_piece(step["path"], t)) for t in times]
            assert all(b <= a + 1e-9 for a, b in itertools.pairwise(values))
            assert values[-1] >= float(F(step["limit"])) - 1e-9
            assert np.abs(on_piece(step["path"], times[-1])).max() > np.abs(on_piece(step["path"], start)).max()
        if step["rule"] == "basin":
            lower, upper = ([float(F(v)) for v in step[key]] for key in ("lower", "upper"))
            pick = np.random.default_rng(0)
            for _ in range(200):
                theta = pick.uniform(lower, upper)
                k = int(pick.integers(len(lower)))
                theta[k] = (lower, upper)[int(pick.integers(2))][k]
                assert loss(problem, theta) > float(F(step["level"]))


def forged(certificate: Certificate, change: Callable[[dict[str, Any]], None]) -> str:
    body = json.loads(json.dumps(certificate.to_json()))
    change(body)
    return ex.check(certificate.problem, body).status


def named(found: tuple[Instance, ...], slug: str, name: str) -> Certificate:
    return next(dict(i.certificates)[name] for i in found if i.slug == slug)


# -- escapes ------------------------------------------------------------------------------------------------------------


def test_the_path_of_the_survey() -> None:
    """(-1/k, sqrt k, 1/k): xyz = -k^(-3/2), so F = (1 + k^(-3/2))^2; at k = 4 it is (9/8)^2."""
    certificate = named(instances("exhibit", "sun2020.toy-VI-xyz"), "xyz-escape", "escape-path")
    step = certificate.to_json()["steps"][-1]
    assert np.allclose(on_piece(step["path"], 2.0), [-1 / 4, 2, 1 / 4])
    assert loss(certificate.problem, on_piece(step["path"], 2.0)) == pytest.approx(81 / 64)

    def other_sign(body: dict[str, Any]) -> None:  # (1/k, sqrt k, 1/k): F = (1 - k^(-3/2))^2 rises to 1
        body["steps"][-1]["path"][0][0][0] = "1"
        body["points"]["p"]["coordinates"][0] = "1"

    assert forged(certificate, other_sign) == "rejected"


def test_separable_data_leave_no_minimum_to_the_theorem() -> None:
    certificate = named(instances("refute", "sun2020.thm-VI.1"), "logistic-separable", "unattained-infimum")
    problem = Problem.dense(widths=[1, 1], inputs=[1, 2], targets=[1, -1], loss="logistic")  # not separable
    body = certificate.to_json() | {"problem": problem.digest}
    assert ex.check(problem, body).status == "rejected"


# -- basins ---------------------------------------------------------------------------------------------------------------


def test_narrow_networks_are_walled_in_and_wide_ones_are_not() -> None:
    found = instances("exhibit", "sun2020.def-IV.4")
    narrow = named(found, "narrow-polynomial", "spurious-basin")
    values = {s["point"]: F(s["value"]) for s in narrow.to_json()["steps"] if s["rule"] == "value"}
    # f = v (w^2 x^2 + 1): at (0, -1) (-1 + 6)^2 + (-1 - 4)^2 = 50; at (2, 19/157): v = 19/157, 5 v and 17 v
    v = F(19, 157)
    assert values == {"p": 50, "q": (5 * v + 6) ** 2 + (17 * v - 4) ** 2}

    def low_wall(body: dict[str, Any]) -> None:  # F(0, -1/2) = 50.5: a wall of 51 there is not there
        body["steps"][-1]["level"] = "51"

    def swapped(body: dict[str, Any]) -> None:  # p must be inside the box
        body["points"]["p"], body["points"]["q"] = body["points"]["q"], body["points"]["p"]

    assert forged(narrow, low_wall) == "rejected"
    assert forged(narrow, swapped) == "rejected"
    wide = named(found, "wide-sigmoid", "descending-path").to_json()
    ends = {s["point"]: s["value"] for s in wide["steps"] if s["rule"] == "value"}
    assert ends == {"p": ["25"], "q": ["0"]}


def test_the_slice_is_a_slice_of_the_network() -> None:
    """The quartic of two variables against the linear network of width 3 it is said to cut, at points that settle degree 4."""
    found = [i for i in instances("exhibit", "sun2020.conj-V.2") if i.slug == "deltoid-slice"]
    network = Problem.dense(widths=[2, 3, 1], inputs=[[1, 0], [0, 1]], targets=[F(-13, 4), 0])
    base = np.array([1, 5, -2.5, 0, 2, -5, 1, 2.5, 1], dtype=float)
    base[[0, 1, 2, 3, 4, 5]] = [1, 5, -2.5, 0, 2, -5]
    first = np.array([1, 0, 0, 0, 2, 0, 1, 0, 0], dtype=float)
    second = np.array([0, 2, -1, 0, 0, -2, 0, 1, 0], dtype=float)
    # theta* = (v; rows): (1; 1, 5), (5/2; -5/2, 0), (1; 2, -5)
    assert loss(network, base) == pytest.approx(0, abs=1e-12)
    slice_problem = found[0].problem
    for a in range(-2, 3):
        for b in range(-2, 3):
            x, y = 1 + a, 2.5 + b
            assert loss(network, base + a * first + b * second) == pytest.approx(loss(slice_problem, np.array([x, y])))
    wall = found[0].certificates[0][1]
    assert loss(slice_problem, np.array([-1.0, 0.0])) == 81 / 16

    def too_high(body: dict[str, Any]) -> None:  # the boundary minimum is 25/4
        body["steps"][-1]["level"] = "13/2"

    assert forged(wall, too_high) == "rejected"


# -- planes ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("slug", ["plane-parabola-linear", "plane-parabola-relu", "plane-same-hidden-layer"])
def test_constant_paths_in_the_plane_of_three_minima(slug: str) -> None:
    found = instances("refute", "sun2020.conj-V.3")
    instance = next(i for i in found if i.slug == slug)
    certificates = dict(instance.certificates)
    points = [floating.vector(certificates[f"global-minimum-{k}"].to_json()["points"]["p"]) for k in (1, 2, 3)]
    step = certificates["constant-path"].to_json()["steps"][-1]
    assert np.allclose(on_piece(step["pieces"][0], 0), points[0])
    assert np.allclose(on_piece(step["pieces"][-1], 1), points[1])
    plane = np.stack([points[1] - points[0], points[2] - points[0]])
    for piece in step["pieces"]:
        for t in np.linspace(0, 1, 7):
            offset = on_piece(piece, float(t)) - points[0]
            assert np.linalg.matrix_rank(np.vstack([plane, offset]), tol=1e-9) <= np.linalg.matrix_rank(plane, tol=1e-9)
    assert step["level"] == "0"
    assert forged(certificates["constant-path"], lambda body: body["steps"][-1].update(level="-1/10")) == "rejected"


def test_the_segment_between_the_parabola_s_ends_is_not_constant() -> None:
    instance = instances("refute", "sun2020.conj-V.3")[0]
    certificates = dict(instance.certificates)
    a, b = (floating.vector(certificates[f"global-minimum-{k}"].to_json()["points"]["p"]) for k in (1, 2))
    assert loss(instance.problem, (a + b) / 2) > 0.01  # (3/2)^2 + (4 + 1)/2 - 5 = -1/4 in both outputs: 1/8


def test_a_segment_that_rises_is_not_certified_as_falling() -> None:
    """(vw - 1)^2 on the segment from (2, 2) to (-1, -1): 9, 0 at (1, 1), 1 at the origin, 0."""
    from explorer.certify.recipes.planes import straight

    problem = Problem.dense(widths=[1, 1, 1], inputs=[1], targets=[1])
    assert straight(problem, [2, 2], [1, 1]).check().status == "verified"
    with pytest.raises(NotCertifiable):
        straight(problem, [2, 2], [-1, -1])


# -- the ReQU network ----------------------------------------------------------------------------------------------------


def entropy(p: float) -> float:
    return -p * math.log(p) - (1 - p) * math.log(1 - p)


def test_two_minima_of_the_requ_network() -> None:
    """x~ = (2, 1), (-1, 1): squared norms 5 and 2, lambda = 1/10, 1/5: entropies H(1/50) + H(1/10) and H(1/25) + H(1/20)."""
    certificate = dict(requ.two_minima().certificates)["spurious-local-minimum"]
    bounds = {s["point"]: (float(F(s["lower"])), float(F(s["upper"]))) for s in certificate.to_json()["steps"] if s["rule"] == "value"}  # fmt: skip
    high, low = entropy(1 / 50) + entropy(1 / 10), entropy(1 / 25) + entropy(1 / 20)
    assert bounds["p"][0] <= high <= bounds["p"][1]
    assert bounds["q"][0] - 1e-9 <= low <= bounds["q"][1] + 1e-9
    assert high - low > 0.05


@pytest.mark.parametrize("weights", [("1/10", "1/10"), ("1/10", "3")])
def test_equal_or_large_weights_give_no_instance(weights: tuple[str, str]) -> None:
    with pytest.raises(NotCertifiable):
        requ.two_minima(weights=tuple(map(F, weights)))  # type: ignore[arg-type]


def requ_loss(theta: Any, lam: Any) -> Any:
    """F of the three-unit network on x = (2, -1/2), y = (1, -1); theta has shape (samples, 9): w, b, a."""
    w, b, a = theta[..., :3], theta[..., 3:6], theta[..., 6:]
    f = [(np.maximum(x * w + b, 0) ** 2 * a).sum(-1) for x in (2.0, -0.5)]
    data = np.logaddexp(0, -f[0]) + np.logaddexp(0, f[1])
    return data + (lam * (abs(a) ** 3 + 2 * (w * w + b * b) ** 1.5)).sum(-1) / 3


@pytest.mark.parametrize(("units", "is_minimum"), [((0, 1), True), ((1, 0), True), ((2, 0), False), ((1, 2), False)])
def test_which_assignments_are_local_minima(units: tuple[int, int], is_minimum: bool) -> None:
    """Unit units[i] serves sample i: omega = t x~/|x~|, |a| = t, s t^3 = ln((1 - p)/p), p = lambda/s (by hand). Sampling: where the two
    smallest weights 1/10, 1/5 serve, no neighbour is lower; else the silent unit of weight 1/10 or 1/5 can take over a part."""
    lam, theta = np.array([0.1, 0.2, 0.3]), np.zeros(9)
    value = 0.0
    for unit, x, sign in zip(units, (2.0, -0.5), (1, -1), strict=True):
        s = x * x + 1
        p = lam[unit] / s
        t = (math.log((1 - p) / p) / s) ** (1 / 3)
        theta[[unit, unit + 3, unit + 6]] = t * x / math.sqrt(s), t / math.sqrt(s), sign * t
        value += entropy(p)
    assert abs(requ_loss(theta, lam) - value) < 1e-12
    rng = np.random.default_rng(0)
    silent = ({0, 1, 2} - set(units)).pop()
    lowest = 0.0
    for radius in (0.3, 0.1, 0.03):
        steps = radius * rng.uniform(-1, 1, (40_000, 9)) * rng.choice([0.01, 1.0], (40_000, 9))
        steps[::2, [k for k in range(9) if k % 3 != silent]] *= 0  # the silent unit alone
        lowest = min(lowest, float((requ_loss(theta + steps, lam) - value).min()))
    assert (lowest > -1e-12) is is_minimum


def test_the_two_values_of_the_certificate() -> None:
    """H(1/25) + H(2/25) and H(1/50) + H(4/25), by the formula in floating point."""
    made = requ_minima.orthogonal(((F(2),), (F(-1, 2),)), (1, -1), 3, source="test")
    fact = dict(made.certificates)["local-minima-classify"].check().fact
    ends = [float(v) for v in re.findall(r"[0-9]+\.[0-9]{12}", fact)]
    low, high = entropy(1 / 25) + entropy(2 / 25), entropy(1 / 50) + entropy(4 / 25)
    assert np.allclose(ends, [low, low, high, high], rtol=0, atol=2e-12)


def test_the_global_one_is_not_certified_as_bad() -> None:
    certificate = dict(requ.two_minima().certificates)["spurious-local-minimum"]

    def swapped(body: dict[str, Any]) -> None:
        body["goal"]["point"], body["goal"]["better"] = "q", "p"

    assert forged(certificate, swapped) != "verified"


def test_requests_are_answered_or_refused() -> None:
    with pytest.raises(ex.errors.Invalid):
        REFUTATIONS["sun2020.conj-V.3"](Request(samples=3))
    made = EXHIBITS["sun2020.fact-IV-valley-path"](Request(samples=3, width=4, bias=True))
    assert made[0].slug == "descent-sigmoid-n3-w4-bias"


def test_two_isolated_minima_are_kept_apart() -> None:
    """phi(1) = (-68 + 79 - 11)/144 = 0, phi(2) = (-136 + 632 - 352)/144 = 1: F = 0 at (1, 1) and, phi being odd, at (-1, -1)."""
    found = instances("refute", "sun2020.conj-V.4")
    certificates = dict(found[0].certificates)
    barrier = certificates["barrier"]
    assert [F(c) for c in barrier.to_json()["points"]["q"]["coordinates"]] == [-1, -1]
    for k in (1, 2):
        assert certificates[f"global-minimum-{k}"].check().status == "verified"

    def higher(body: dict[str, Any]) -> None:  # F(w, 5/4) dips to about 0.0148 on the upper face
        body["steps"][-1]["level"] = "1/50"

    def inside(body: dict[str, Any]) -> None:  # a point in the box is not separated from p
        body["points"]["q"]["coordinates"] = ["11/10", "1"]

    assert forged(barrier, higher) == "rejected"
    assert forged(barrier, inside) == "rejected"


def test_infima_at_infinity() -> None:
    """Cubic pair at t: residual e^2/3 = 1/(3 t^2) four times, F = 4/(9 t^4). Exponential unit: F = 1/t^2."""
    from explorer.certify.recipes.escapes import cubic_pair, exponential_neuron

    for made, value in ((cubic_pair("x"), 4 / 9 / 2**4), (exponential_neuron("x"), 1 / 4)):
        certificate = dict(made.certificates)["infimum-at-infinity"]
        step = certificate.to_json()["steps"][-1]
        assert loss(certificate.problem, on_piece(step["path"], 2.0)) == pytest.approx(value)
        assert forged(certificate, lambda body: body["steps"][-1].update(limit="1/100")) == "rejected"


def test_coercive_or_not() -> None:
    found = instances("exhibit", "sun2020.def-VI-coercive")
    kinds = {i.slug: i.certificates[0][1].goal["kind"] for i in found}
    assert kinds == {
        "coercive-l2": "coercive",
        "coercive-power": "coercive",
        "coercive-lasso": "coercive",
        "vw-hyperbola": "not-coercive",
        "half-regularized": "not-coercive",
    }
    hyperbola = named(found, "vw-hyperbola", "not-coercive")

    def rising(body: dict[str, Any]) -> None:  # (t, 1): F = (t - 1)^2 rises
        body["steps"][-1]["path"][1][0][1] = [0, 0]

    assert forged(hyperbola, rising) == "rejected"
    for activation in ("sigmoid", "relu", "erf"):  # w1_1_1 = t with silent units: F = sum y^2
        problem = Problem.dense(widths=[1, 2, 1], activation=activation, inputs=[1, 2], targets=[1, 3])
        certificate = ex.coercivity(problem)
        assert certificate.goal["kind"] == "not-coercive"
        assert certificate.to_json()["steps"][-1]["limit"] == "10"


def test_the_pages_name_statements_that_have_recipes() -> None:
    from explorer.certify import witnesses

    pages = Path(__file__).resolve().parents[1] / "docs" / "constructions"
    for name in ("paths-to-infinity", "walls-and-wide-networks", "segments-and-planes", "requ"):
        text = (pages / f"{name}.md").read_text(encoding="utf-8")
        commands = re.findall(r"^explorer (refute|exhibit) (\S+)", text, re.MULTILINE)
        assert commands
        for verb, statement in commands:
            assert statement in (witnesses.REFUTATIONS if verb == "refute" else witnesses.EXHIBITS)


@pytest.mark.parametrize("file", ["xyz/escape-path", "vw/escape-path", "vw/not-coercive", "xyz-decay/coercive", "linear-2-2-ridge/coercive"])  # fmt: skip
def test_shipped_certificates(file: str) -> None:
    slug, name = file.split("/")
    case = ex.cases(slug)
    found = ex.check(case.problem_path, case.folder / f"{name}.certificate.json")
    assert found.status == "verified"
    assert found.goal == name


def test_a_threshold_for_zero_training_error() -> None:
    """x = (2, -1): x~ . x~ = -1 <= 0, so 1/2 min(5, 2) = 1. One sample at 0: x~ = (0, 1) alone gives 1/2.

    x = (0, 1), rising kinks -1, 1/2: sample 2: c = (0, 4), cost 4 (1 + 1/4) = 5; sample 1: c_1 = 1, c_2 = -4 (2)^2 = -16, cost
    2 + 16 (5/4) = 22. Falling kinks 2, 1/2, that is mirrored inputs (-1, 0), kinks -2, -1/2: sample 1: cost 5; sample 2: 5 + 16 (5/4) = 25.
    So the costs are 5 and 5: 1/10.
    """
    assert requ_minima.zero_error_threshold([F(2), F(-1)]) == 1
    assert requ_minima.zero_error_threshold([F(0)]) == F(1, 2)
    assert requ_minima.zero_error_threshold([F(0), F(1)]) == F(1, 10)
    assert requ_minima.zero_error_threshold([F(1), F(0)]) == F(1, 10)
    with pytest.raises(NotCertifiable):
        requ_minima.zero_error_threshold([F(1), F(1)])
