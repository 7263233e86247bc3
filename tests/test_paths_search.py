"""The searches for paths: escapes by scaling, descents and connections by moving units, coercivity. Expected values by hand."""

from __future__ import annotations

import itertools
import json
from fractions import Fraction
from typing import Any

import pytest

import explorer as ex
from explorer.app.main import run
from explorer.certify.certificate import Certificate
from explorer.certify.paths import coercive_certificate
from explorer.errors import BudgetExceeded, NotCertifiable, Unsupported
from explorer.paths.coercive import flat_ray, radii
from explorer.paths.features import columns, least_squares
from explorer.paths.separate import perceptron
from explorer.point import Element, Ln2Ring, Point
from explorer.problem import Problem

F = Fraction


def row(*values: Any) -> tuple[Fraction, ...]:
    return tuple(map(F, values))  # type: ignore[arg-type]


def ln2(*pairs: tuple[Any, Any]) -> Point:
    """Coordinates c0 + c1 ln 2."""
    elements: list[Element] = [(F(a), F(b)) if b else (F(a),) for a, b in pairs]
    return Point(Ln2Ring(), tuple(elements))


def loss_along(certificate: Certificate, step: dict[str, Any], t: Fraction, piece: int | None = None) -> Fraction:
    """F on a rational path at t, computed here from the problem: plain forward pass, polynomial activations only."""
    curve = step["path"] if piece is None else step["pieces"][piece]
    theta = [sum((F(c) * t ** e[0] for c, e in terms), F(0)) for terms in curve]
    return forward_loss(certificate.problem, theta)


def forward_loss(problem: Problem, theta: list[Fraction]) -> Fraction:
    net, data = problem.network, problem.data
    assert data is not None
    phi = {"linear": lambda z: z, "square": lambda z: z * z, "cubic": lambda z: z**3, "relu": lambda z: max(z, F(0))}
    total = F(0)
    for x, y in zip(data.inputs, data.targets, strict=True):
        signal, k = list(x), 0
        for layer, width in enumerate(net.widths[1:], 1):  # type: ignore[union-attr]
            rows = [theta[k + i * len(signal) : k + (i + 1) * len(signal)] for i in range(width)]
            k += width * len(signal)
            shift = theta[k : k + width] if net.bias[layer - 1] else [F(0)] * width  # type: ignore[union-attr]
            k += width if net.bias[layer - 1] else 0  # type: ignore[union-attr]
            signal = [sum((a * b for a, b in zip(r, signal, strict=True)), c) for r, c in zip(rows, shift, strict=True)]
            if layer < net.depth:  # type: ignore[union-attr]
                signal = [phi[net.activations[layer - 1].kind](z) for z in signal]  # type: ignore[union-attr]
        total += sum(((a - b) ** 2 for a, b in zip(signal, y, strict=True)), F(0))
    return total


ESCAPES = {
    "depth 2": ({"widths": [1, 1, 1], "inputs": [1], "targets": [1]}, 1),
    "depth 3": ({"widths": [1, 1, 1, 1], "inputs": [1], "targets": [1]}, 1),
    "depth 4": ({"widths": [1, 1, 1, 1, 1], "inputs": [1], "targets": [1]}, 1),
    "quadratic depth 3": ({"widths": [1, 1, 1, 1], "activation": "square", "inputs": [1], "targets": [1]}, 1),
    "two inputs, depth 3": ({"widths": [2, 2, 2, 1], "inputs": [[1, 0], [0, 1]], "targets": [1, 2]}, 5),
}


@pytest.mark.parametrize("name", ESCAPES)
def test_scaling_finds_an_escape(name: str) -> None:
    """With output 0 at infinity the limit is sum y^2; the values on the way are recomputed here."""
    shape, limit = ESCAPES[name]
    certificate = ex.escape_path(Problem.dense(**shape))
    body = certificate.to_json()
    step = next(s for s in body["steps"] if s["rule"] == "escape")
    assert body["goal"]["kind"] == "escape-path"
    assert F(step["limit"]) == limit
    times = [F(step["from"]) * k for k in (1, 2, 5, 11, 100)]
    values = [loss_along(certificate, step, t) for t in times]
    assert all(a > b > limit for a, b in itertools.pairwise(values))
    sizes = [max(abs(sum((F(c) * t ** e[0] for c, e in terms), F(0))) for terms in step["path"]) for t in times]
    assert sizes[-1] >= 100  # 100 times later the largest coordinate has grown with it
    lower = [F(c) for c in body["points"]["q"]["coordinates"]]
    assert forward_loss(certificate.problem, lower) < limit


def test_forged_escapes_are_rejected() -> None:
    """One sign turned, the wrong limit, a bounded curve: the checker refuses each."""
    certificate = ex.escape_path(Problem.dense(widths=[1, 1, 1, 1], inputs=[1], targets=[1]))
    good = certificate.to_json()

    def twin(change: Any) -> str:
        body = json.loads(json.dumps(good))
        change(body, next(s for s in body["steps"] if s["rule"] == "escape"))
        return ex.check(certificate.problem, body).status

    def turned(body: Any, step: Any) -> None:
        k = next(k for k, terms in enumerate(step["path"]) if terms)
        negated = str(-F(step["path"][k][0][0]))
        step["path"][k][0][0] = negated
        body["points"]["p"]["coordinates"][k] = str(-F(body["points"]["p"]["coordinates"][k]))

    def bounded(body: Any, step: Any) -> None:
        step["path"] = [[[c, [min(e[0], 0), 0]] for c, e in terms] for terms in step["path"]]

    assert twin(lambda body, step: None) == "verified"
    assert twin(turned) == "rejected"
    assert twin(bounded) == "rejected"
    assert twin(lambda body, step: step.update(limit="1/2")) == "rejected"


def test_convex_losses_have_no_such_path() -> None:
    """(w - 1)^2 is coercive without a regularizer: every scaling path rises."""
    with pytest.raises(NotCertifiable):
        ex.escape_path(Problem.dense(widths=[1, 1], inputs=[1], targets=[1]))


def test_separable_and_inseparable_logistic_data() -> None:
    line = Problem.dense(widths=[1, 1], inputs=[1, -2], targets=[1, -1], loss="logistic")
    assert ex.escape_path(line).goal["kind"] == "unattained-infimum"
    with pytest.raises(NotCertifiable):  # y x = 1 and -2: no theta has both margins positive
        ex.escape_path(Problem.dense(widths=[1, 1], inputs=[1, 2], targets=[1, -1], loss="logistic"))
    for activation, bias in (("sigmoid", False), ("relu", True), ("exp", False)):
        network = Problem.dense(
            widths=[1, 3, 1], activation=activation, bias=bias, inputs=[1, 2, 3], targets=[1, -1, 1], loss="logistic"
        )
        assert ex.escape_path(network).check().status == "verified"
    deep = Problem.dense(
        widths=[1, 2, 2, 1], activation="relu", bias=True, inputs=[0, 1], targets=[1, -1], loss="logistic"
    )
    assert ex.escape_path(deep).check().status == "verified"


def test_the_same_seed_gives_the_same_bytes() -> None:
    shape = ESCAPES["two inputs, depth 3"][0]
    assert (
        ex.escape_path(Problem.dense(**shape), seed=3).to_bytes()
        == ex.escape_path(Problem.dense(**shape), seed=3).to_bytes()
    )


def test_budgets_end_the_search() -> None:
    problem = Problem.dense(widths=[2, 2, 2, 1], inputs=[[1, 0], [0, 1]], targets=[1, 2])
    with pytest.raises(BudgetExceeded):
        ex.escape_path(problem, budget=ex.Budget(1e-6))


# -- coercivity ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("regularizer", "level", "expected"),
    [
        ({"kind": "l2", "weights": "1/4"}, 1, (2, 2)),  # r^2/4 >= 1
        ({"kind": "power", "weights": "1/8", "exponent": 4}, 2, (2, 2)),  # r^4/8 >= 2
        ({"kind": "power", "weights": ["1/2", "2"], "exponent": 1}, 1, (2, F(1, 2))),
        ({"kind": "power", "weights": "1", "exponent": 3}, 8, (2, 2)),
    ],
)
def test_radii_of_sublevel_sets(regularizer: dict[str, Any], level: int, expected: tuple[Any, ...]) -> None:
    problem = Problem.dense(widths=[1, 1, 1], inputs=[1], targets=[1], regularizer=regularizer)
    assert radii(problem, F(level)) == expected
    certificate = ex.coercivity(problem, level=F(level))
    assert certificate.goal["kind"] == "coercive"
    with pytest.raises(NotCertifiable):  # one radius a little smaller: the bound no longer follows
        coercive_certificate(problem, F(level), (F(expected[0]) - F(1, 100), F(expected[1])))
    assert ex.escape_path(problem).goal["kind"] == "coercive"  # so there is no path to infinity


def test_neuron_cubic_radii() -> None:
    """lambda = 3/2: |theta|^3 <= level for incoming weights, |a|^3/2 <= level outside."""
    problem = Problem.dense(
        widths=[1, 1, 1], activation="requ", bias=True, inputs=[1], targets=[1], loss="logistic",
        regularizer={"kind": "neuron-cubic", "weights": "3/2"},
    )  # fmt: skip
    assert radii(problem, F(4)) == (F(7, 4), F(7, 4), F(2))  # (7/4)^3 = 5.36 >= 4 > (3/2)^3, 2^3 = 8 >= 8
    assert ex.coercivity(problem, level=F(4)).check().status == "verified"


def test_what_is_not_penalised_is_not_called_coercive() -> None:
    free = Problem.dense(
        widths=[1, 1, 1], activation="sigmoid", inputs=[1], targets=[1], regularizer={"kind": "l2", "weights": [0, 1]}
    )
    assert radii(free, F(1)) is None
    assert flat_ray(free).limit == 1  # silent unit: F = y^2
    with pytest.raises(NotCertifiable):
        coercive_certificate(free, F(1), (F(10), F(10)))
    with pytest.raises(Unsupported):
        flat_ray(Problem.dense(widths=[1, 1], inputs=[1], targets=[1]))


# -- descending and connecting ------------------------------------------------------------------------------------------

BAD = {"activation": "sigmoid", "inputs": [1, 3], "targets": [F(-8, 3), F(43, 9)]}


def test_a_descent_from_the_two_sample_minimum() -> None:
    """Residual (4, -3), F = 25 (cases/sigmoid-n2-w2); shift, move, line; the end interpolates: F = 0."""
    problem = Problem.dense(widths=[1, 2, 1], **BAD)
    start = ln2((0, 1), (0, 1), (1, 0), (1, 0))
    body = ex.descend(problem, start).to_json()
    values = {s["point"]: s["value"] for s in body["steps"] if s["rule"] == "value"}
    assert values == {"p": ["25"], "q": ["0"]}
    path = next(s for s in body["steps"] if s["rule"] == "path")
    assert len(path["pieces"]) == 3
    twin = json.loads(json.dumps(body))  # move the second unit before its output weight is shifted away
    twin_path = next(s for s in twin["steps"] if s["rule"] == "path")
    twin_path["pieces"] = [twin_path["pieces"][k] for k in (1, 0, 2)]
    assert ex.check(problem, twin).status == "rejected"
    twin = json.loads(json.dumps(body))  # the straight line backwards would rise
    goal = twin["goal"]
    goal["point"], goal["better"] = "q", "p"
    assert ex.check(problem, twin).status == "rejected"


def test_one_unit_cannot_descend() -> None:
    """One sigmoid unit at a least-squares output weight: no dependent unit to free, F stays."""
    problem = Problem.dense(widths=[1, 1, 1], activation="sigmoid", inputs=[1, 3], targets=[F(-10, 3), F(35, 9)])
    with pytest.raises(NotCertifiable):
        ex.descend(problem, ln2((0, 1), (1, 0)))


@pytest.mark.parametrize("width", [3, 4])
def test_descent_reaches_zero_with_biases_and_vectors(width: int) -> None:
    """Three affinely independent inputs in the plane, ReLU with hidden and output bias, two outputs: from 0 to loss 0."""
    problem = Problem.dense(
        widths=[2, width, 2], activation="relu", bias=[True, True], inputs=[[0, 0], [1, 0], [0, 1]],
        targets=[[1, 0], [0, 2], [3, -1]],
    )  # fmt: skip
    certificate = ex.descend(problem, Point.rational([0] * len(problem.parameters)))
    body = certificate.to_json()
    values = {s["point"]: s["value"] for s in body["steps"] if s["rule"] == "value"}
    assert values["p"] == "15"  # 1 + 4 + 9 + 1
    assert values["q"] == "0"
    assert forward_loss(problem, [F(c) for c in body["points"]["q"]["coordinates"]]) == 0


def test_connecting_swapped_units_needs_one_spare() -> None:
    """ReLU on x = +-1, y = (1, 1): width 3 joins the swapped minima at loss 0; width 2 has a barrier and no path is found."""
    three = Problem.dense(widths=[1, 3, 1], activation="relu", inputs=[1, -1], targets=[1, 1])
    a, b = Point.rational([1, -1, 0, 1, 1, 0]), Point.rational([-1, 1, 0, 1, 1, 0])
    certificate = ex.connect(three, a, b)
    step = certificate.to_json()["steps"][0]
    assert step["level"] == "0"
    for k in range(len(step["pieces"])):  # F = 0 all along, recomputed here
        assert {loss_along(certificate, step, F(t, 7), k) for t in range(8)} == {F(0)}
    lowered = certificate.to_json()
    lowered["steps"][0]["level"] = "-1/1000"
    assert ex.check(three, lowered).status == "rejected"
    two = Problem.dense(widths=[1, 2, 1], activation="relu", inputs=[1, -1], targets=[1, 1])
    with pytest.raises(Unsupported, match="spare"):
        ex.connect(two, Point.rational([1, -1, 1, 1]), Point.rational([-1, 1, 1, 1]))


def test_segments_of_polynomial_losses() -> None:
    """(vw - 1)^2: from (1, 1) to (-1, -1) F = (s^2 - 1)^2 has maximum 1: level 1 + 1/256 (1 itself is touched inside).

    From (2, 2) to (1, 1) F falls from 9 to 0, so the level is 9; with three layers from 0 to (1, 1, 1) F falls from 1.
    """
    pair = Problem.dense(widths=[1, 1, 1], inputs=[1], targets=[1])
    three = Problem.dense(widths=[1, 1, 1, 1], inputs=[1], targets=[1])
    for problem, a, b, level in (
        (pair, [1, 1], [-1, -1], 1 + F(1, 256)),
        (pair, [2, 2], [1, 1], F(9)),
        (three, [0, 0, 0], [1, 1, 1], F(1)),
    ):
        body = ex.connect(problem, Point.rational(a), Point.rational(b)).to_json()
        assert F(body["steps"][0]["level"]) == level
    double_well = Problem.monomial(["x"], {(4,): 1, (2,): -2, (0,): 1, (1,): "1/4"})  # (x^2 - 1)^2 + x/4
    body = ex.connect(double_well, Point.rational([-1]), Point.rational([1])).to_json()
    top = F(body["steps"][0]["level"])
    # the maximum between the wells, near x = 1/16: (1 - 1/256)^2 + 1/64 = 1.00783...
    assert F(10078, 10000) < top < F(10079, 10000) + F(1, 256)


def test_connecting_random_pairs() -> None:
    """Width 4, three samples, cubic units with biases: any two points, F <= the larger of their values on the whole path."""
    import random

    pick = random.Random(5)
    problem = Problem.dense(widths=[1, 4, 1], activation="cubic", bias=True, inputs=[-1, 0, 2], targets=[1, 2, -1])
    for _ in range(6):
        a, b = ([F(pick.randint(-2, 2)) for _ in problem.parameters] for _ in range(2))
        certificate = ex.connect(problem, Point.rational(a), Point.rational(b))
        step = certificate.to_json()["steps"][0]
        assert F(step["level"]) == max(forward_loss(problem, a), forward_loss(problem, b))
        values = [loss_along(certificate, step, F(t, 5), k) for k in range(len(step["pieces"])) for t in range(6)]
        assert max(values) <= F(step["level"])
        assert values[0] == forward_loss(problem, a)
        assert values[-1] == forward_loss(problem, b)


def test_paths_do_not_claim_what_they_cannot_see() -> None:
    regularized = Problem.dense(widths=[1, 2, 1], inputs=[1], targets=[1], regularizer={"kind": "l2", "weights": 1})
    with pytest.raises(Unsupported):
        ex.descend(regularized, Point.rational([1, 1, 1, 1]))
    sigmoid = Problem.dense(widths=[1, 2, 1], **BAD)
    with pytest.raises(Unsupported):  # sigmoid(1) is no rational number
        ex.descend(sigmoid, Point.rational([1, 1, 1, 1]))


# -- pieces of the search ------------------------------------------------------------------------------------------------


def test_columns_expresses_rows_in_a_basis() -> None:
    rows = [row(1, 0, 1), row(2, 0, 2), row(0, 1, 0), row(1, 1, 1)]
    basis, found = columns(rows, order=[0, 1, 2, 3])
    assert basis == [0, 2]
    assert found == [[1, 0], [2, 0], [0, 1], [1, 1]]
    assert columns(rows, order=[3, 1, 0, 2])[0] == [3, 1]


def test_least_squares_by_hand() -> None:
    """(1, 1) against (0, 3) with weights (2, 1): the mean 3/3 = 1."""
    assert least_squares([row(1, 1)], row(0, 3), row(2, 1)) == [F(1)]


def test_perceptron() -> None:
    v = perceptron([row(1, -2, 1), row(1, 1, 1)], row(1, -1, 1))
    assert v is not None
    assert v[0] + v[1] > 0 > -2 * v[0] + v[1]
    assert perceptron([row(1, 2)], row(1, -1)) is None


# -- command line ---------------------------------------------------------------------------------------------------------


def test_the_command(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "escape.certificate.json"
    assert run(["paths", "xyz", "--kind", "escape", "--json", "-o", str(out)]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["status"] == "verified"
    assert answer["goal"]["kind"] == "escape-path"
    assert answer["path"]["limit"] == "1"
    assert ex.check(ex.cases("xyz").problem, out).status == "verified"
    point = '{"w1_1_1": 0, "w2_1_1": 0, "w3_1_1": 0}'
    assert run(["paths", "xyz", "--kind", "descend", "--at", point]) == 2  # three layers: not decided
    assert run(["paths", "xyz", "--kind", "descend"]) == 1
    assert run(["paths", "xyz", "--kind", "sideways"]) == 1
    assert run(["paths", "xyz", "--kind", "escape", "--at", point]) == 1
    start = '{"w1_1_1": {"ln2": ["0", "1"]}, "w1_2_1": {"ln2": ["0", "1"]}, "w2_1_1": 1, "w2_1_2": 1}'
    assert run(["paths", "sigmoid-n2-w2", "--kind", "descend", "--at", start]) == 0
    end = '{"w1_1_1": {"ln2": ["0", "1"]}, "w1_2_1": {"ln2": ["0", "1"]}, "w2_1_1": 2, "w2_1_2": 0}'
    assert run(["paths", "sigmoid-n2-w2", "--kind", "connect", "--at", start, "--to", end]) == 0
    assert run(["paths", "linear-2-2-ridge", "--kind", "coercive"]) == 0
