"""`certify`: each goal on problems whose answer is known by hand, and refusals of false goals (of twins: test_certify_twins)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from explorer.certify import certify
from explorer.certify.enclosure import enclose_loss
from explorer.certify.goals import GOALS
from explorer.certify.tangent import tangent_proof
from explorer.errors import Invalid, NotCertifiable, Unknown
from explorer.point import EnclosedPoint, NumberField, Point
from explorer.problem import Activation, Problem
from explorer.solve.results import Curve, Evidence, Family

F = Fraction


def chain(depth: int, decay: Any = None) -> Problem:
    """(1 - w_1 ... w_L)^2, with decay * |w|^2 if given."""
    ridge = None if decay is None else {"kind": "l2", "weights": decay}
    return Problem.dense(widths=[1] * (depth + 1), activation="linear", inputs=[1], targets=[1], regularizer=ridge)


VW, XYZ, DECAY = chain(2), chain(3), chain(3, "1/4")
#: (1 + v (w - 1)^2/8)^2
FIGURE_2 = Problem.dense(
    widths=[1, 1, 1],
    activation=Activation("polynomial", coefficients=(F(-1, 8), F(1, 4), F(-1, 8))),
    inputs=[1],
    targets=[1],
)
SADDLE = Problem.monomial(["x", "y"], {(2, 0): 1, (0, 2): -1})
BOWL = Problem.monomial(["x", "y"], {(2, 0): 1, (0, 2): 3, (1, 1): -1})
VALLEY = Problem.monomial(["x", "y"], {(2, 0): 1, (0, 4): 1, (0, 2): -2})


RELU = Problem.dense(widths=[1, 1, 1], activation="relu", inputs=[1], targets=[1])


def at(problem: Problem, *values: Any) -> dict[str, Any]:
    return dict(zip(problem.parameters, values, strict=True))


#: goal, problem, point, rules that are expected; the facts are elementary (see the comments)
TRUE = [
    # Hessian of (1 - vw)^2 at 0 is [[0, -2], [-2, 0]]; at (2, 1/2) the value is 0
    ("value", VW, (0, 0), ["value"]),
    ("critical-point", VW, (0, 0), ["stationary"]),
    ("critical-inertia", VW, (0, 0), ["stationary", "inertia"]),
    ("strict-saddle", VW, (0, 0), ["stationary", "inertia", "strict-saddle"]),
    ("saddle", VW, (0, 0), ["stationary", "inertia"]),
    ("not-local-minimum", VW, (0, 0), ["stationary", "inertia"]),
    ("not-local-maximum", VW, (0, 0), ["stationary", "inertia"]),
    ("global-minimum", VW, (2, "1/2"), ["value", "floor", "global"]),
    ("local-minimum", VW, (2, "1/2"), ["value", "floor", "global"]),
    # no critical point: F falls along the line in w_1; dF/dw_1 at (1, 0) is 0 and dF/dw_2 is -2
    ("not-local-minimum", VW, (1, 0), ["descent-curve"]),
    ("not-local-maximum", VW, (1, 0), ["ascent-curve"]),
    # (1 - xyz)^2 at 0: gradient and Hessian vanish, along (s, s, s) it falls like -2 s^3 and rises along -(s, s, s)
    ("saddle", XYZ, (0, 0, 0), ["stationary", "descent-curve", "ascent-curve"]),
    # 1/4 |w|^2 makes 0 a strict minimum: Hessian 1/2 I
    ("strict-local-minimum", DECAY, (0, 0, 0), ["stationary", "inertia", "strict-minimum"]),
    ("local-minimum", DECAY, (0, 0, 0), ["stationary", "inertia", "strict-minimum"]),
    # figure 2: flat minima on w = 1, v > 0, flat maxima on v < 0, a saddle between
    ("local-minimum", FIGURE_2, (1, 1), ["flat-minimum"]),
    ("local-maximum", FIGURE_2, (1, -1), ["morse-bott-maximum"]),
    ("saddle", FIGURE_2, (1, 0), ["stationary", "descent-curve", "ascent-curve"]),
    ("strict-saddle", SADDLE, (0, 0), ["stationary", "inertia", "strict-saddle"]),
    ("strict-local-minimum", BOWL, (0, 0), ["stationary", "inertia", "strict-minimum"]),
    ("global-minimum", BOWL, (0, 0), ["value", "floor", "global"]),  # (x - y/2)^2 + 11 y^2/4
    # x^2 + y^4 - 2 y^2: minima at (0, +-1), a saddle at 0
    ("strict-local-minimum", VALLEY, (0, 1), ["stationary", "inertia", "strict-minimum"]),
    ("strict-local-maximum", Problem.monomial(["x"], {(2,): -1}), (0,), ["stationary", "inertia", "maximum"]),
    ("local-maximum", Problem.monomial(["x"], {(2,): -1}), (0,), ["stationary", "inertia", "maximum"]),
    # v w at the saddle 0: all gradients of the output vanish there, and the zero predictor has the same loss 1
    ("tangent-optimal", VW, (0, 0), ["stationary", "tangent-optimal"]),
    # v relu(w): |v relu(w)| <= |v||w| at 0, and the slopes in w at (0, t) are t and 0
    ("kinks-nearby", RELU, (0, 0), ["kinks-nearby"]),
    # one unit, one sample: the feature relu(2) = 2 is not 0; without activation the hidden output 0 is
    ("rank", RELU, (2, 0), ["rank"]),
    ("rank", VW, (0, 0), ["rank"]),
]


@pytest.mark.parametrize(("goal", "problem", "point", "rules"), TRUE)
def test_true_goals(goal: str, problem: Problem, point: tuple[Any, ...], rules: list[str]) -> None:
    made = certify(problem, goal, at=at(problem, *point))
    assert list(made.rules) == rules
    assert made.goal["kind"] == goal
    assert made.check().status == "verified"
    assert made.to_bytes() == certify(problem, goal, at=at(problem, *point)).to_bytes()


#: every goal that is false at the point, with a word of the reason
FALSE = [
    ("critical-point", VW, (1, 0), "not 0"),
    ("local-minimum", VW, (0, 0), "1 negative"),
    ("strict-local-minimum", VW, (2, "1/2"), "1 zero"),
    ("local-maximum", VW, (0, 0), "1 positive"),
    ("strict-local-maximum", BOWL, (0, 0), "negative definite"),
    ("strict-saddle", BOWL, (0, 0), "both signs"),
    ("saddle", BOWL, (0, 0), "descent curve"),
    ("saddle", VW, (1, 0), "not 0"),
    ("not-local-minimum", BOWL, (0, 0), "descent curve"),
    ("global-minimum", VW, (0, 0), "F = 1"),
    ("global-minimum", BOWL, (1, 0), "sum of squares"),
    ("local-minimum", XYZ, (0, 0, 0), "singular Hessian"),
    ("local-minimum", FIGURE_2, (1, -1), "1 negative"),
    ("local-minimum", FIGURE_2, (1, 0), "right sign"),
    ("local-maximum", FIGURE_2, (1, 1), "1 positive"),
]


@pytest.mark.parametrize(("goal", "problem", "point", "why"), FALSE)
def test_false_goals_are_refused(goal: str, problem: Problem, point: tuple[Any, ...], why: str) -> None:
    with pytest.raises(NotCertifiable, match=why):
        certify(problem, goal, at=at(problem, *point))


def test_every_goal_is_tested() -> None:
    tested = {goal for goal, *_ in TRUE} | {"not-global", "spurious-local-minimum"}
    assert tested == set(GOALS)


def test_ranks() -> None:
    # tanh is known exactly at 0 only: rows (tanh 1, tanh 1/2), (tanh 2, tanh 1), (-tanh 2, -tanh 1); units with weights 1, 1 are equal
    problem = Problem.dense(widths=[1, 2, 1], activation="tanh", inputs=[1, 2, -2], targets=[1, 0, 0])
    made = certify(problem, "rank", at=at(problem, 1, "1/2", 1, 1), ranks=["features", "gradients"])
    assert [(s["matrix"], s["rank"], s["rows"]) for s in made.to_json()["steps"]] == [
        ("features", 2, [1, 2]),
        ("gradients", 2, [1, 2]),  # f is odd in x: the gradients at 2 and -2 are opposite
    ]
    assert "(3 x 2) has full rank 2" in made.check().fact
    assert "(3 x 4) has rank at least 2" in made.check().fact
    same = certify(problem, "rank", at=at(problem, 1, 1, 1, 1))
    assert [(s["rank"], s["rows"]) for s in same.to_json()["steps"]] == [(1, [1])]
    # W_2 W_1 = (v_1 w_1 + v_2 w_2) = 0 at (1, 1, 1, -1), where the features (1, 1) have rank 1
    linear = Problem.dense(widths=[1, 2, 1], activation="linear", inputs=[1, 2], targets=[1, 0])
    made = certify(linear, "value", at=at(linear, 1, 1, 1, -1), ranks=["product", "features"])
    assert [(s.get("matrix"), s.get("rank")) for s in made.to_json()["steps"]] == [
        (None, None),
        ("features", 1),
        ("product", 0),
    ]
    # relu(x - 1/2) on [0, 1]: by homogeneity v f_v = w f_w + b f_b, so two of the three rows are independent
    hinge = Problem.dense(widths=[1, 1, 1], activation="relu", bias=True, inputs=[0, 1], targets=[0, 1])
    made = certify(hinge, "rank", at=at(hinge, 1, "-1/2", 1), ranks=["disparity"])
    assert "the disparity matrix (3 x 3) has rank 2 at p" in made.check().fact
    with pytest.raises(NotCertifiable, match="linear network"):
        certify(problem, "rank", at=at(problem, 0, 0, 0, 0), ranks=["product"])
    with pytest.raises(NotCertifiable, match="dense network"):
        certify(BOWL, "rank", at=at(BOWL, 0, 0))
    with pytest.raises(Invalid, match="some of"):
        certify(VW, "rank", at=at(VW, 0, 0), ranks=["hessian"])
    with pytest.raises(Invalid, match="speaks of no point"):
        certify(VW, "lower-bound", ranks=["features"])


def test_lower_points() -> None:
    origin = at(DECAY, 0, 0, 0)
    low = at(DECAY, *["9/10"] * 3)
    # by hand: (1 - 729/1000)^2 + 3/4 * 81/100 = 73441/10^6 + 607500/10^6 < 1
    made = certify(
        DECAY, "spurious-local-minimum", at=origin, better=low, hypotheses=["no-output-bias", "squared-loss"]
    )
    assert made.goal["hypotheses"] == ("no-output-bias", "squared-loss")
    steps = made.to_json()["steps"]
    assert {"rule": "value", "point": "q", "value": "680941/1000000"} in steps
    assert certify(DECAY, "not-global", at=origin, better=low).rules == ("value", "value", "below")
    with pytest.raises(NotCertifiable, match="F\\(q\\) < F\\(p\\)"):
        certify(DECAY, "not-global", at=low, better=origin)
    with pytest.raises(NotCertifiable, match="hypothesis no-regularizer"):
        certify(DECAY, "spurious-local-minimum", at=origin, better=low, hypotheses=["no-regularizer"])


def test_bad_requests() -> None:
    with pytest.raises(Unknown, match="one of"):
        certify(VW, "minimum", at=at(VW, 0, 0))
    with pytest.raises(Unknown, match="hypothesis"):
        certify(DECAY, "spurious-local-minimum", at=at(DECAY, 0, 0, 0), better=at(DECAY, 1, 1, 1), hypotheses=["nice"])
    with pytest.raises(Invalid, match="lower point"):
        certify(VW, "saddle", at=at(VW, 0, 0), better=at(VW, 1, 1))
    with pytest.raises(Invalid, match="hypotheses"):
        certify(VW, "saddle", at=at(VW, 0, 0), hypotheses=["squared-loss"])
    with pytest.raises(Invalid, match="missing"):
        certify(VW, "saddle", at={"w1_1_1": 0})
    with pytest.raises(Invalid, match="box of 2"):
        certify(VW, "saddle", at=EnclosedPoint((F(0),), (F(1),)))


# -- points over other fields ---------------------------------------------------------------------------------------

#: w = (s, s, s) is critical for (1 - xyz)^2 + 1/4 |w|^2 when s^4 - s + 1/4 = 0 (from -2 s^2 (1 - s^3) + s/2 = 0)
QUARTIC = (F(1, 4), F(-1), F(0), F(0), F(1))


def on_diagonal(low: str, high: str) -> Point:
    return Point(NumberField(QUARTIC, (F(low), F(high))), ((F(0), F(1)),) * 3)


def test_number_field_points() -> None:
    # the roots are near 0.2542 and 0.8968; by hand the Hessian on the diagonal is a on it and b off it with
    # a = 2 s^4 + 1/2, b = 4 s^4 - 2 s - ... : signs checked independently by the eigenvalues a - b (twice), a + 2b below
    for point, goal in (
        (on_diagonal("1/5", "3/10"), "strict-saddle"),
        (on_diagonal("4/5", "1"), "strict-local-minimum"),
    ):
        made = certify(DECAY, goal, at=point)
        assert made.check().status == "verified"
        low, high = point.field.interval
        s = (low + high) / 2
        for _ in range(60):
            middle = (low + high) / 2
            if (low**4 - low + F(1, 4)) * (middle**4 - middle + F(1, 4)) <= 0:
                high = middle
            else:
                low = middle
            s = middle
        # d^2F/dx^2 = 2 s^4 + 1/2 and d^2F/dxdy = -2 s (1 - s^3) + 2 s^4 = 4 s^4 - 2 s
        a, b = 2 * s**4 + F(1, 2), 4 * s**4 - 2 * s
        eigenvalues = [a - b, a - b, a + 2 * b]
        assert (min(eigenvalues) > 0) == (goal == "strict-local-minimum")
        assert max(eigenvalues) > 0


def test_spurious_with_a_lower_algebraic_point() -> None:
    made = certify(DECAY, "spurious-local-minimum", at=at(DECAY, 0, 0, 0), better=on_diagonal("4/5", "1"))
    assert made.check().status == "verified"


def test_boxes() -> None:
    s = F(8967902127644275, 10**16)  # near the larger root of s^4 - s + 1/4
    r = F(1, 10**9)
    box = EnclosedPoint((s - r,) * 3, (s + r,) * 3)
    for goal, rules in (
        ("critical-point", ["stationary-in-box"]),
        ("critical-inertia", ["stationary-in-box", "inertia"]),
        ("strict-local-minimum", ["stationary-in-box", "inertia", "strict-minimum"]),
        ("value", ["value", "stationary-in-box"]),
    ):
        made = certify(DECAY, goal, at=box)
        assert list(made.rules) == rules
        assert made.check().status == "verified"
    assert certify(DECAY, "not-global", at=at(DECAY, 0, 0, 0), better=box).check().status == "verified"
    for goal, why in (("strict-saddle", "both signs"), ("saddle", "over the box"), ("global-minimum", "floor")):
        with pytest.raises(NotCertifiable, match=why):
            certify(DECAY, goal, at=box)
    empty = EnclosedPoint((F(2),) * 3, (F(2) + r,) * 3)
    with pytest.raises(NotCertifiable):
        certify(DECAY, "critical-point", at=empty)


def test_values_that_are_not_in_any_field() -> None:
    # F = (1 - sigma(1))^2 = 1/(1 + e)^2; e is between 2.718281828 and 2.718281829
    problem = Problem.dense(widths=[1, 1, 1], activation="sigmoid", inputs=[1], targets=[1])
    made = certify(problem, "value", at=at(problem, 1, 1))
    (step,) = made.to_json()["steps"]
    low, high = F(step["lower"]), F(step["upper"])
    assert low < 1 / (1 + F("2.718281828")) ** 2
    assert high > 1 / (1 + F("2.718281829")) ** 2
    assert high - low < F(1, 10**9)


@pytest.mark.parametrize(
    ("kind", "extra", "z", "low", "high"),
    # phi(z) at a rational point, from tables (ten digits): tanh(1/2), ln(1 + e), sin 1, erf 1, e^(1/2), 1 sigma(1), elu(-1), gelu(1)
    [
        ("tanh", {}, "1/2", "0.46211715726", "0.46211715727"),
        ("softplus", {}, "1", "1.31326168751", "1.31326168752"),
        ("softplus", {}, "-1", "0.31326168751", "0.31326168752"),
        ("sin", {}, "1", "0.84147098480", "0.84147098481"),
        ("erf", {}, "1", "0.84270079294", "0.84270079295"),
        ("exp", {}, "1/2", "1.64872127070", "1.64872127071"),
        ("swish", {}, "1", "0.73105857863", "0.73105857864"),
        ("elu", {"alpha": 2}, "-1", "-1.26424111766", "-1.26424111765"),
        ("gelu", {}, "1", "0.84134474606", "0.84134474607"),
        ("relu", {}, "3/2", "1.5", "1.5"),
        ("leaky_relu", {"slope": "1/4"}, "-2", "-0.5", "-0.5"),
    ],
)
def test_enclosures(kind: str, extra: dict[str, Any], z: str, low: str, high: str) -> None:
    # one unit, v = 1, target t: F = (phi - t)^2, with t = -10 increasing in phi
    problem = Problem.dense(widths=[1, 1, 1], activation=kind, inputs=[1], targets=[-10], **extra)
    found = enclose_loss(problem, Point.rational([z, 1]))
    assert found[0] <= (F(high) + 10) ** 2
    assert found[1] >= (F(low) + 10) ** 2
    assert found[1] - found[0] < F(1, 10**7)
    wide = enclose_loss(problem, EnclosedPoint((F(z) - F(1, 10), F(99, 100)), (F(z) + F(1, 10), F(101, 100))))
    assert wide[0] < found[0]
    assert found[1] < wide[1]


def test_logistic_loss_over_ln2() -> None:
    # ln(1 + e^-w) + ln(1 + e^w) is even with minimum 2 ln 2 at 0
    problem = Problem.dense(widths=[1, 1], inputs=[1, 1], targets=[1, -1], loss="logistic", activation=[])
    made = certify(problem, "value", at=at(problem, 0))
    assert made.to_json()["steps"] == [{"rule": "value", "point": "p", "value": ["0", "2"]}]
    assert certify(problem, "strict-local-minimum", at=at(problem, 0)).check().status == "verified"


# -- evidence ------------------------------------------------------------------------------------------------------


def test_evidence_is_used() -> None:
    # (1 - xyz)^2 along (s, s, s): 1 - 2 s^3 + s^6; along (-s, s, s): 1 + 2 s^3 + s^6
    one, minus = ((F(1),),), ((F(-1),),)
    evidence = Evidence(descent=Curve(3, (F(-2),), (one, one, one)), ascent=Curve(3, (F(2),), (minus, one, one)))
    made = certify(XYZ, "saddle", at=at(XYZ, 0, 0, 0), evidence=evidence)
    assert made.to_json()["steps"][1]["coefficient"] == "-2"
    # x^2 + (y - z)^2 is flat along (0, t, t)
    flat = Problem.monomial(["x", "y", "z"], {(2, 0, 0): 1, (0, 2, 0): 1, (0, 0, 2): 1, (0, 1, 1): -2})
    family = Family(((F(2),),), ((), (((F(1),), (1,)),), (((F(1),), (1,)),)))
    made = certify(flat, "local-minimum", at=at(flat, 0, 2, 2), evidence=Evidence(morse_bott=family))
    assert made.rules == ("morse-bott-minimum",)
    with pytest.raises(NotCertifiable):
        certify(flat, "local-minimum", at=at(flat, 0, 2, 2))
    with pytest.raises(Invalid, match="an Evidence"):
        certify(flat, "local-minimum", at=at(flat, 0, 2, 2), evidence="trust me")


def test_wrong_evidence_does_not_pass() -> None:
    one = ((F(1),),)
    wrong = Evidence(descent=Curve(3, (F(-3),), (one, one, one)))
    with pytest.raises(NotCertifiable, match="rejected by descent-curve"):
        certify(XYZ, "not-local-minimum", at=at(XYZ, 0, 0, 0), evidence=wrong)


# -- the critical set chooses ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("goal", ["global-minimum", "saddle", "local-minimum", "critical-inertia"])
def test_points_from_the_critical_set(goal: str) -> None:
    assert certify(VW, goal).check().status == "verified"


def test_spurious_minimum_from_the_critical_set() -> None:
    made = certify(DECAY, "spurious-local-minimum")
    assert made.check().status == "verified"
    with pytest.raises(NotCertifiable, match="none among"):
        certify(VW, "strict-local-maximum")


# -- the tangent lemma ------------------------------------------------------------------------------------------------


def test_tangent_lemma_reasons() -> None:
    from explorer.certify.located import Located

    def reason(problem: Problem, point: dict[str, Any]) -> str:
        from explorer.model.coordinates import as_point

        with pytest.raises(NotCertifiable) as caught:
            tangent_proof(Located.of(problem, "p", as_point(point, problem)))
        return str(caught.value)

    assert "no regularizer" in reason(DECAY, at(DECAY, 0, 0, 0))
    assert "hidden layer" in reason(SADDLE, at(SADDLE, 0, 0))
    two = Problem.dense(widths=[1, 1, 2], activation="square", inputs=[1], targets=[[1, 1]])
    assert "2 outputs" in reason(two, at(two, 0, -1, -1))
    # square units with hidden bias, x = (0, 1), y = (1/2, -1/2), (w, b, v) = (0, 0, 1): psi_ww > 0 alone is not enough,
    # F(eps, -eps, 1) = 1/2 - eps^2 + eps^4
    biased = Problem.dense(widths=[1, 1, 1], activation="square", bias=True, inputs=[0, 1], targets=["1/2", "-1/2"])
    assert "not positive definite" in reason(biased, at(biased, 0, 0, 1))


@pytest.mark.parametrize(
    ("activation", "parameters"),
    [("relu", {}), ("leaky_relu", {"slope": -1}), ("polynomial", {"coefficients": [0, 0, 0, 0, 1]})],
    ids=["kink of relu", "kink of |z|", "z^4"],
)
def test_kinks_and_flat_zeros_of_one_unit(activation: str, parameters: dict[str, object]) -> None:
    """By hand: phi >= 0 = phi(0), so F = (1 - v phi(w))^2 >= 1 = F(v, 0) for v < 0, and below 1 beside (v, 0) for v > 0."""
    p = Problem.dense(widths=[1, 1, 1], activation=activation, inputs=[1], targets=[1], **parameters)
    proved = certify(p, "spurious-local-minimum", at={"w1_1_1": 0, "w2_1_1": -1})
    assert proved.check().status == "verified"
    with pytest.raises(NotCertifiable):
        certify(p, "local-minimum", at={"w1_1_1": 0, "w2_1_1": 1})
