"""The sigmoid and single-neuron recipes, against exact arithmetic that is written out here and against the checker.

`sigma`, `loss`, `gradient` and `psi` below share no code with explorer: plain Fractions from the definitions.
"""

from __future__ import annotations

import json
import random
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from explorer.certify import Certificate, Instance, exhibit, refute
from explorer.certify.recipes.cases import CASES, case
from explorer.certify.recipes.units import Grid
from explorer.errors import Invalid, NotCertifiable, Unknown

CLAIM, PROP = "sun2020.claim-IV.1", "sun2020.prop-IV.2"


def sigma(k: Fraction) -> Fraction:
    """sigma(k ln 2) = 1/(1 + 2^-k) for an integer k."""
    assert k.denominator == 1
    return 1 / (1 + Fraction(2) ** -k.numerator)


class Network:
    """One hidden layer of sigmoid units, read from a certificate's point: weights and biases as multiples of ln 2."""

    def __init__(self, instance: Instance, certificate: Certificate, name: str) -> None:
        p, net = instance.problem, instance.problem.network
        self.width, self.bias = net.widths[1], net.bias[0]
        coordinates = certificate.to_json()["points"][name]["coordinates"]
        numbers = [[Fraction(c) for c in row] + [Fraction(0)] for row in coordinates]
        m = self.width
        self.w = [row[1] for row in numbers[:m]]
        self.b = [row[1] for row in numbers[m : 2 * m]] if self.bias else [Fraction(0)] * m
        self.v = [row[0] for row in numbers[-m:]]
        self.x = [row[0] for row in p.data.inputs]
        self.y = [row[0] for row in p.data.targets]

    def units(self, j: int) -> list[Fraction]:
        return [sigma(self.w[j] * x + self.b[j]) for x in self.x]

    def residual(self) -> list[Fraction]:
        total = [Fraction(0)] * len(self.x)
        for j, v in enumerate(self.v):
            if v:
                total = [t + v * s for t, s in zip(total, self.units(j), strict=True)]
        return [t - y for t, y in zip(total, self.y, strict=True)]

    def loss(self) -> Fraction:
        return sum((r * r for r in self.residual()), Fraction(0))

    def gradient(self) -> list[Fraction]:
        """Derivatives in v_j, w_j and (with bias) b_j of sum r_i^2."""
        r, out = self.residual(), []
        for j, v in enumerate(self.v):
            s = self.units(j)
            out.append(2 * sum(a * b for a, b in zip(r, s, strict=True)))
            slope = [a * t * (1 - t) for a, t in zip(r, s, strict=True)]
            out.append(2 * v * sum(a * x for a, x in zip(slope, self.x, strict=True)))
            if self.bias:
                out.append(2 * v * sum(slope))
        return out

    def curvature(self, j: int) -> Fraction:
        """v_j sum_i r_i sigma''(w_j x_i + b_j) x_i^2."""
        s = self.units(j)
        bend = [t * (1 - t) * (1 - 2 * t) * x * x for t, x in zip(s, self.x, strict=True)]
        return self.v[j] * sum(a * b for a, b in zip(self.residual(), bend, strict=True))


def stated_value(certificate: Certificate, name: str) -> tuple[Fraction, Fraction]:
    step = next(s for s in certificate.to_json()["steps"] if s["rule"] == "value" and s["point"] == name)
    if "value" in step:
        assert len(step["value"]) == 1
        return Fraction(step["value"][0]), Fraction(step["value"][0])
    return Fraction(step["lower"]), Fraction(step["upper"])


def examine(instance: Instance, *, digits: int = 300) -> None:
    """Everything that makes the instance a bad local minimum, recomputed; then the checker's word."""
    for name, certificate in instance.certificates:
        verdict = certificate.check()
        assert verdict.status == "verified", f"{instance.slug} {name}: {verdict.line}"
    name, certificate = instance.certificates[0]
    assert name == "spurious-local-minimum"
    p, q = (Network(instance, certificate, point) for point in "pq")
    assert not any(p.gradient())
    assert all(p.curvature(j) > 0 for j in range(p.width))
    if p.bias:  # the first layer is zero, and r is orthogonal to 1 and to x
        r = p.residual()
        assert not any(p.w)
        assert sum(r) == 0
        assert sum(a * x for a, x in zip(r, p.x, strict=True)) == 0
    assert q.loss() < p.loss()
    for network, point in ((p, "p"), (q, "q")):
        low, high = stated_value(certificate, point)
        assert low <= network.loss() <= high
    longest = max(len(part) for row in certificate.to_json()["points"].values() for part in json.dumps(row).split('"'))
    assert longest < digits


# -- the numbers of the built-in cases, by hand --------------------------------------------------------------------


def test_three_samples_without_bias_by_hand() -> None:
    # x = (1, 2, 3), w = ln 2: sigma = 2/3, 4/5, 8/9, so f = (2, 12/5, 8/3) at v = (1, 1, 1). r = (4, 0, -3) is orthogonal
    # to sigma (8/3 - 8/3) and to x sigma' (4 * 2/9 - 9 * 8/81), so y = f - r = (-2, 12/5, 17/3) and F = 16 + 9
    made = case("sigmoid-n3-w3")
    assert [row[0] for row in made.problem.data.targets] == [Fraction(-2), Fraction(12, 5), Fraction(17, 3)]
    assert stated_value(made.certificates[0][1], "p") == (25, 25)
    assert stated_value(made.certificates[0][1], "q") == (0, 0)
    examine(made)


def test_three_samples_with_bias_by_hand() -> None:
    # x = (-1, 0, 1), w = 0, b = -ln 2: sigma = 1/3, f = 1; r = (1, -2, 1), y = f - r = (0, 3, 0), F = 6
    made = case("sigmoid-n3-w3-bias")
    assert [row[0] for row in made.problem.data.targets] == [0, 3, 0]
    assert stated_value(made.certificates[0][1], "p") == (6, 6)
    examine(made)


def test_two_samples_by_hand() -> None:
    # x = (1, 3), w = ln 2: f = 2 (2/3, 8/9) = (4/3, 16/9), r = (4, -3), y = (-8/3, 43/9), F = 25
    made = case("sigmoid-n2-w2")
    assert [row[0] for row in made.problem.data.targets] == [Fraction(-8, 3), Fraction(43, 9)]
    assert stated_value(made.certificates[0][1], "p") == (25, 25)
    examine(made)
    line = dict(made.certificates)["morse-bott-minimum"].to_json()["steps"][0]["family"]
    zero, one = [["0", "1"], [0]], [["1"], [0]]  # w = ln 2 twice, then v = (1 + t, 1 - t)
    assert line["coordinates"] == [[zero], [zero], [one, [["1"], [1]]], [one, [["-1"], [1]]]]


@pytest.mark.parametrize("slug", CASES)
def test_cases(slug: str) -> None:
    made = case(slug)
    assert made.slug == made.problem.slug == slug
    examine(made)
    files = made.to_files()
    assert files == case(slug).to_files()
    folder = Path(__file__).resolve().parents[1] / "cases" / slug  # the shipped files are exactly what the recipe makes
    assert files == {name: (folder / name).read_bytes() for name in files}


# -- refute and exhibit --------------------------------------------------------------------------------------------

SIZES = [(n, n) for n in range(2, 13)] + [(2, 60), (3, 4), (3, 60), (7, 23), (12, 60)]


@pytest.mark.parametrize(("samples", "width"), SIZES)
@pytest.mark.parametrize("bias", [False, True])
def test_claim_iv_1_is_refuted(samples: int, width: int, bias: bool) -> None:
    if samples == 2 and bias:
        with pytest.raises(NotCertifiable, match="span the plane"):
            refute(CLAIM, samples=samples, width=width, bias=bias)
        return
    (made,) = refute(CLAIM, samples=samples, width=width, bias=bias)
    assert made.problem.network.widths == (1, width, 1)
    assert len(made.problem.data) == samples
    goal = made.certificates[0][1].goal
    assert goal["kind"] == "spurious-local-minimum"
    # every hypothesis of the claim: one hidden sigmoid layer, linear scalar output, width >= n, a separating coordinate
    needed = {
        "activation-sigmoid",
        "one-hidden-layer",
        "linear-output",
        "scalar-output",
        "squared-loss",
        "no-regularizer",
    }
    needed |= {"width-at-least-samples", "a-coordinate-separates-inputs", "hidden-bias" if bias else "no-hidden-bias"}
    assert needed <= set(goal["hypotheses"])
    examine(made)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("samples", "bias"), [(n, bias) for bias in (False, True) for n in range(3 if bias else 2, 13)]
)
def test_claim_iv_1_is_refuted_at_every_size(samples: int, bias: bool) -> None:
    """Every n from 2 (with bias 3) to 12 and every width from n to 60, by the checker: 594 + 535 certificates."""
    for width in range(samples, 61):
        (made,) = refute(CLAIM, samples=samples, width=width, bias=bias)
        (_, certificate) = made.certificates[0]
        verdict = certificate.check()
        assert verdict.status == "verified", f"n = {samples}, p = {width}: {verdict.line}"


@pytest.mark.parametrize("bias", [False, True])
def test_seeds(bias: bool) -> None:
    made = [refute(CLAIM, samples=4, width=5, bias=bias, seed=seed)[0] for seed in range(6)]
    again = [refute(CLAIM, samples=4, width=5, bias=bias, seed=seed)[0] for seed in range(6)]
    assert [i.to_files() for i in made] == [i.to_files() for i in again]
    assert len({i.problem.digest for i in made}) == 6
    assert len({i.slug for i in made}) == 6
    for instance in made:
        examine(instance)


def test_two_samples_with_seeds_keep_the_ratio_three() -> None:
    inputs = set()
    for seed in range(8):
        (made,) = refute(CLAIM, samples=2, seed=seed)
        (a,), (b,) = made.problem.data.inputs
        assert b == 3 * a
        inputs.add(a)
        examine(made)
    assert len(inputs) > 3


@pytest.mark.parametrize("bias", [False, True])
def test_inputs_of_the_user(bias: bool) -> None:
    draw = random.Random(7)
    for _ in range(5):
        inputs = sorted({Fraction(draw.randint(-20, 20), draw.randint(1, 4)) for _ in range(5)})
        (made,) = refute(CLAIM, inputs=inputs, bias=bias)
        assert [row[0] for row in made.problem.data.inputs] == inputs
        examine(made, digits=2000)


@pytest.mark.parametrize(
    ("inputs", "why"),
    [
        (["0", "1", "-1"], r"2 f\(0\) = f\(a\) \+ f\(-a\)"),
        (["-7/3", "7/3", "0"], r"2 f\(0\) = f\(a\) \+ f\(-a\)"),
        (["1", "2"], "one input is three times the other"),
        (["1", "-3"], "impossible when x_a x_b <= 0"),
        (["0", "1"], "impossible when x_a x_b <= 0"),
        (["5"], "sigma > 0"),
        (["1", "2", "100000"], "numbers up to"),
    ],
)
def test_inputs_without_a_bad_minimum_are_refused(inputs: list[str], why: str) -> None:
    with pytest.raises(NotCertifiable, match=why):
        refute(CLAIM, inputs=inputs)


def test_with_bias_every_three_inputs_work() -> None:
    for inputs in (["0", "1", "-1"], ["1/10000", "27/100", "-133333/100000"], ["1", "2", "100000"]):
        (made,) = exhibit(PROP, inputs=inputs)
        assert made.certificates[0][1].check().status == "verified"


@pytest.mark.parametrize("bias", [False, True])
def test_width_one(bias: bool) -> None:
    (made,) = exhibit(PROP, width=1, samples=4, bias=bias)
    assert made.problem.network.widths == (1, 1, 1)
    examine(made)


@pytest.mark.parametrize(
    ("options", "error", "why"),
    [
        ({"samples": 5, "width": 3}, NotCertifiable, "width >= 5 samples"),
        ({"activation": "tanh"}, NotCertifiable, "activation sigmoid"),
        ({"depth": 3}, NotCertifiable, "one hidden layer"),
        ({"samples": 0}, Invalid, "from 1 to 200"),
        ({"samples": 3, "inputs": ["1", "2"]}, Invalid, "3 inputs"),
        ({"inputs": ["1", "1"]}, Invalid, "distinct"),
        ({"inputs": [0.5, 1]}, Invalid, "1/2"),
        ({"inputs": [["1", "2"], ["3", "4"]]}, NotCertifiable, "scalar"),
        ({"seed": -1}, Invalid, "seed"),
    ],
)
def test_requests_that_make_no_sense(options: dict[str, Any], error: type[Exception], why: str) -> None:
    with pytest.raises(error, match=why):
        refute(CLAIM, **options)


def test_prop_iv_2_needs_three_samples() -> None:
    with pytest.raises(NotCertifiable, match="at least 3 samples"):
        exhibit(PROP, samples=2, bias=False)
    (made,) = exhibit(PROP)
    assert made.problem.network.bias == (True, False)
    assert "at-least-three-samples" in made.certificates[0][1].goal["hypotheses"]


def test_statements_without_a_recipe() -> None:
    with pytest.raises(Unknown, match="use exhibit"):
        refute(PROP)
    with pytest.raises(Unknown, match="use refute"):
        exhibit(CLAIM)
    with pytest.raises(Unknown, match="recipes for"):
        refute("sun2020.nothing")


# -- single neurons ------------------------------------------------------------------------------------------------


def test_single_neurons() -> None:
    made = exhibit("sun2020.prop-IV.1", seed=2)
    assert [i.slug for i in made] == [
        "neuron-square-seed2",
        "neuron-fig2-seed2",
        "neuron-quartic-1-seed2",
        "neuron-quartic-2-seed2",
    ]
    for instance in made:
        (_, certificate) = instance.certificates[0]
        assert certificate.check().status == "verified"
        # by hand: the residual at a zero of phi is -y, so F = y^2 = 9 for y = 1 + seed = 3
        step = next(s for s in certificate.to_json()["steps"] if s.get("point") == "p" and s["rule"] == "value")
        assert step["value"] == "9"


def test_the_widths_of_a_neuron_are_no_choice() -> None:
    with pytest.raises(Invalid, match="no such choice"):
        exhibit("sun2020.prop-IV.1", width=2)


def test_figure_2_and_examples() -> None:
    (figure,) = exhibit("sun2020.toy-IV-fig2")
    kinds = [certificate.goal["kind"] for _, certificate in figure.certificates]
    assert kinds == ["spurious-local-minimum", "global-minimum", "local-maximum", "saddle"]
    square, relu = exhibit("sun2020.ex-IV-activations")
    assert (square.slug, relu.slug) == ("neuron-square", "neuron-relu")
    for instance in (figure, square, relu):
        for name, certificate in instance.certificates:
            assert certificate.check().status == "verified", f"{instance.slug} {name}"


# -- small parts ---------------------------------------------------------------------------------------------------


def test_grid_by_hand() -> None:
    # 1/2, 3/4, -1: common denominator 4 gives 2, 3, -4, without a common factor
    grid = Grid.of((Fraction(1, 2), Fraction(3, 4), Fraction(-1)))
    assert (grid.scale, grid.integers) == (4, (2, 3, -4))
    assert Grid.of((Fraction(6), Fraction(-9))).integers == (2, -3)
    assert Grid.of((Fraction(0), Fraction(5))).integers == (0, 1)
    assert grid.features(1) == (Fraction(4, 5), Fraction(8, 9), Fraction(1, 17))  # 2^k/(1 + 2^k) at k = 2, 3, -4
