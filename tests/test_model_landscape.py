"""Landscape: SymPy derivatives against finite differences of a plain mpmath loss, exact geometry against the checker."""

from __future__ import annotations

import time
from fractions import Fraction as Q

import mpmath
import pytest
import sympy as sp

from explorer import checker
from explorer.errors import Invalid, Unsupported
from explorer.model.landscape import landscape
from explorer.model.losses import LOSSES
from explorer.model.regularizers import REGULARIZERS
from explorer.point import Inertia, Ln2Ring, NumberField, Point, RationalField
from explorer.problem import Problem

LN2 = sp.log(2)

# -- an independent loss: plain loops over mpmath numbers, written from docs/certificate.md ---------------------------


def activate(a, z):
    one = mpmath.mpf(1)
    if a.kind == "polynomial":
        return sum(mpmath.mpf(c.numerator) / c.denominator * z**k for k, c in enumerate(a.coefficients))
    return {
        "linear": lambda: z,
        "relu": lambda: max(z, 0 * one),
        "leaky_relu": lambda: z if z > 0 else z * a.slope.numerator / a.slope.denominator,
        "requ": lambda: max(z, 0 * one) ** 2,
        "square": lambda: z**2,
        "cubic": lambda: z**3,
        "sigmoid": lambda: one / (1 + mpmath.exp(-z)),
        "tanh": lambda: mpmath.tanh(z),
        "softplus": lambda: mpmath.log(1 + mpmath.exp(z)),
        "swish": lambda: z / (1 + mpmath.exp(-z)),
        "exp": lambda: mpmath.exp(z),
        "sin": lambda: mpmath.sin(z),
        "erf": lambda: mpmath.erf(z),
        "gelu": lambda: z * mpmath.ncdf(z),
        "elu": lambda: z if z > 0 else (mpmath.exp(z) - 1) * a.alpha.numerator / a.alpha.denominator,
    }[a.kind]()


def number(q):
    return mpmath.mpf(q.numerator) / q.denominator


def plain_loss(p, theta):
    net, rest, blocks = p.network, list(theta), []
    for cols, rows, bias in zip(net.widths, net.widths[1:], net.bias, strict=False):
        weights = [[rest.pop(0) for _ in range(cols)] for _ in range(rows)]
        blocks.append((weights, [rest.pop(0) for _ in range(rows)] if bias else [mpmath.mpf(0)] * rows))
    total = mpmath.mpf(0)
    for x, y, c in zip(p.data.inputs, p.data.targets, p.loss.weights, strict=True):
        signal = [number(v) for v in x]
        for (weights, biases), a in zip(blocks, (*net.activations, net.output), strict=True):
            signal = [
                activate(a, sum(w * s for w, s in zip(row, signal, strict=True)) + b)
                for row, b in zip(weights, biases, strict=True)
            ]
        if p.loss.kind == "squared":
            total += number(c) * sum((number(t) - f) ** 2 for t, f in zip(y, signal, strict=True))
        else:
            total += number(c) * mpmath.log(1 + mpmath.exp(-number(y[0]) * signal[0]))
    r = p.regularizer
    if r is not None and r.kind != "neuron-cubic":
        total += sum(number(c) * abs(t) ** (r.exponent or 2) for c, t in zip(r.weights, theta, strict=True))
    elif r is not None:
        (weights, biases), (outer, _) = blocks
        for j, c in enumerate(r.weights):
            norm = mpmath.sqrt(sum(w**2 for w in weights[j]) + biases[j] ** 2)
            total += number(c) / 3 * (abs(outer[0][j]) ** 3 + 2 * norm**3)
    return total


# -- problems that touch every activation, loss and regularizer -------------------------------------------------------


def one_hidden(activation, **more):
    return Problem.dense(
        widths=[1, 2, 1], inputs=[1, -2], targets=["1/3", -1], activation=activation, **{"bias": True, **more}
    )


PROBLEMS = {
    **{
        k: one_hidden(k)
        for k in [
            "linear",
            "relu",
            "requ",
            "square",
            "cubic",
            "sigmoid",
            "tanh",
            "softplus",
            "swish",
            "exp",
            "sin",
            "erf",
            "gelu",
        ]
    },
    "leaky_relu": one_hidden({"kind": "leaky_relu", "slope": "1/5"}),
    "elu": one_hidden({"kind": "elu", "alpha": "2/3"}),
    "polynomial": one_hidden({"kind": "polynomial", "coefficients": ["1", "-1", "2", "1/3"]}),
    "deep-mixed": Problem.dense(
        widths=[2, 2, 1, 2],
        inputs=[[1, 2], [0, -1]],
        targets=[[1, 0], [2, "1/2"]],
        activation=["tanh", "requ"],
        bias=[True, False, True],
        output_activation="sigmoid",
        loss_weights=["1/2", 3],
        regularizer={"kind": "l2", "weights": "1/4"},
    ),
    "logistic": one_hidden("square", loss="logistic", regularizer={"kind": "power", "exponent": 3, "weights": "1/7"}),
    "power-4": one_hidden("linear", regularizer={"kind": "power", "exponent": 4, "weights": [1, 2, 3, 4, 5, 6]}),
    "neuron-cubic": one_hidden("requ", regularizer={"kind": "neuron-cubic", "weights": ["1/2", "1/3"]}),
    "neuron-cubic-no-bias": one_hidden(
        "relu", loss="logistic", bias=False, regularizer={"kind": "neuron-cubic", "weights": 1}
    ),
}


def test_the_problems_touch_every_row():
    used = {p.regularizer.kind for p in PROBLEMS.values() if p.regularizer}
    assert used == {r.kind for r in REGULARIZERS}
    assert {p.loss.kind for p in PROBLEMS.values()} == {r.kind for r in LOSSES}


def generic(p):
    return [Q((7 * k) % 11 - 5, 3 + k % 4) + Q(1, 29) for k in range(len(p.parameters))]


@pytest.mark.parametrize("name", PROBLEMS)
def test_symbolic_loss_gradient_and_hessian_agree_with_finite_differences(name):
    p = PROBLEMS[name]
    land, d = landscape(p), len(p.parameters)
    point = generic(p)
    upper = [(i, j) for i in range(d) for j in range(i, d)]
    compiled = sp.lambdify(
        land.parameters,
        [land.loss, *land.gradient, *(land.hessian[i, j] for i, j in upper)],
        modules="mpmath",
        cse=True,
    )
    with mpmath.workdps(60):
        value, *derivatives = compiled(*(number(q) for q in point))
        theta, h = [number(q) for q in point], mpmath.mpf(10) ** -15

        def shifted(*moves):
            moved = list(theta)
            for k, step in moves:
                moved[k] += step * h
            return plain_loss(p, moved)

        assert abs(value - plain_loss(p, theta)) < mpmath.mpf(10) ** -30
        for i in range(d):
            slope = (shifted((i, 1)) - shifted((i, -1))) / (2 * h)
            assert abs(derivatives[i] - slope) < mpmath.mpf(10) ** -20
        for (i, j), second in zip(upper, derivatives[d:], strict=True):
            bend = sum(s * t * shifted((i, s), (j, t)) for s in (1, -1) for t in (1, -1)) / (4 * h * h)
            assert abs(second - bend) < mpmath.mpf(10) ** -12


# -- exact geometry: against the checker, which shares no code ---------------------------------------------------------


def checkers_geometry(p, point):
    field = {RationalField: "rational", Ln2Ring: "ln2"}.get(type(point.field))
    if field is None:
        field = {
            "polynomial": [str(c) for c in point.field.polynomial],
            "interval": [str(c) for c in point.field.interval],
        }
    coordinates = [str(c[0]) if field == "rational" else [str(x) for x in c] for c in point.coordinates]
    problem = checker.Problem(p.content())
    theirs = checker.Point({"field": field, "coordinates": coordinates}, "p", problem, checker.Meter())
    expansion = checker.Taylor(theirs.ring, 2).loss(problem, theirs.expansion(), need_value=False)
    d, zero = len(point.coordinates), theirs.ring.zero
    rows = checker.hessian_rows(expansion, d, theirs.ring)
    gradient = tuple(as_element(expansion.get((k,), zero)) for k in range(d))
    return gradient, tuple(tuple(as_element(rows[i].get(j, zero)) for j in range(d)) for i in range(d))


def as_element(a):
    return (a,) if isinstance(a, Q) else tuple(a) or (Q(0),)


POLYNOMIAL_OR_PIECEWISE = [
    n for n, p in PROBLEMS.items() if p.network.activations[0].kind in {"linear", "relu", "requ", "square", "cubic", "polynomial", "leaky_relu"} and p.loss.kind == "squared"
]  # fmt: skip


@pytest.mark.parametrize("name", POLYNOMIAL_OR_PIECEWISE)
def test_exact_geometry_at_rational_points_equals_the_checkers(name):
    p = PROBLEMS[name]
    values = generic(p)
    if name == "neuron-cubic":  # (w, b) = (3, 4)/k: a rational norm
        values = [Q(3), Q(3, 5), Q(4), Q(-4, 5), Q(1), Q(-2)]
        p = one_hidden("requ", bias=[True, False], regularizer={"kind": "neuron-cubic", "weights": ["1/2", "1/3"]})
    point = Point.rational(values)
    g = landscape(p).at(point)
    assert (g.gradient, g.hessian) == checkers_geometry(p, point)
    with mpmath.workdps(40):
        exact = plain_loss(p, [number(q) for q in values])
        assert g.value is not None
        assert abs(number(g.value[0]) - exact) < mpmath.mpf(10) ** -30


@pytest.mark.parametrize("kind", ["sigmoid", "tanh", "swish", "exp", "elu"])
def test_exact_geometry_at_multiples_of_ln2_equals_the_checkers(kind):
    p = PROBLEMS[kind]  # inputs 1 and -2: first-layer weights and biases k ln 2 give integer multiples
    multiples = (1, -2, 1, -5) if kind == "elu" else (1, -3, 2, 1)  # elu: none of the pre-activations is 0
    point = Point(Ln2Ring(), (*((Q(0), Q(k)) for k in multiples), (Q(2, 3),), (Q(1), Q(-1, 2))))
    g = landscape(p).at(point)
    assert (g.gradient, g.hessian) == checkers_geometry(p, point)
    assert g.value is not None


def test_exact_geometry_over_a_number_field_equals_the_checkers():
    root2 = NumberField((Q(-2), Q(0), Q(1)), (Q(1), Q(2)))
    p = PROBLEMS["cubic"]
    point = Point(root2, tuple((Q(k, 2), Q(1 - k)) if k != 1 else (Q(1),) for k in range(6)))
    g = landscape(p).at(point)
    assert (g.gradient, g.hessian) == checkers_geometry(p, point)


def test_relu_over_a_number_field_decides_signs():
    # alpha = sqrt 2: w = alpha - 7/5 > 0 although the floats 1.414 and 1.4 are near; f(1) = v w
    root2 = NumberField((Q(-2), Q(0), Q(1)), (Q(1), Q(2)))
    p = Problem.dense(widths=[1, 1, 1], activation="relu", inputs=[1], targets=[0])
    g = landscape(p).at(Point(root2, ((Q(-7, 5), Q(1)), (Q(3),))))
    # F = 9 w^2, w^2 = 2 + 49/25 - (14/5) alpha
    assert g.value == (Q(9) * Q(99, 25), Q(-126, 5))
    h = landscape(p).at(Point(root2, ((Q(7, 5), Q(-1)), (Q(3),))))
    assert h.value == (Q(0),)


def test_sigmoid_n2_w2_by_hand():
    # x = (1, 3), y = (-8/3, 43/9), w = (ln 2, ln 2), v = (1, 1): f = (4/3, 16/9), residuals 4 and -3, F = 25,
    # the gradient vanishes; inertia (3, 1, 0) (the two output weights move along v1 + v2 = const without changing f)
    p = Problem.dense(widths=[1, 2, 1], activation="sigmoid", inputs=[1, 3], targets=["-8/3", "43/9"])
    g = landscape(p).at({"w1_1_1": LN2, "w1_2_1": LN2, "w2_1_1": 1, "w2_1_2": "1"})
    assert g.value == (Q(25),)
    assert g.is_critical
    assert g.inertia == Inertia(positive=3, zero=1, negative=0)


def test_hyperbola_of_minima_by_hand():
    # (vw - 1)^2 at (2, 1/2): Hessian [[2 v^2, 4vw - 2], [., 2 w^2]] = [[8, 2], [2, 1/2]], singular, trace > 0
    p = Problem.monomial(["v", "w"], {(2, 2): 1, (1, 1): -2, (0, 0): 1})
    g = landscape(p).at({"v": "1/2", "w": 2})
    assert g.value == (Q(0),)
    assert g.hessian == (((Q(8),), (Q(2),)), ((Q(2),), (Q(1, 2),)))
    assert g.inertia == Inertia(positive=1, zero=1, negative=0)
    assert landscape(p).at({"v": 1, "w": 2}).gradient == ((Q(4),), (Q(2),))


def test_logistic_loss_has_exact_derivatives_and_values_only_where_they_are_in_the_ring():
    # F = ln(1 + e^(-w)); at w = ln 2: value ln(3/2) is not in Q[ln 2]; F' = -1/3, F'' = 2/9. At 0: ln 2, -1/2, 1/4.
    p = Problem.dense(widths=[1, 1], inputs=[1], targets=[1], loss="logistic")
    g = landscape(p).at({"w1_1_1": sp.log(2)})
    assert (g.value, g.gradient, g.hessian) == (None, ((Q(-1, 3),),), (((Q(2, 9),),),))
    at_zero = landscape(p).at({"w1_1_1": 0})
    assert at_zero.value == (Q(0), Q(1))
    assert (at_zero.gradient, at_zero.hessian) == (((Q(-1, 2),),), (((Q(1, 4),),),))
    assert at_zero.point.field == RationalField()
    assert at_zero.field == Ln2Ring()


# -- kinks, refusals, mappings ----------------------------------------------------------------------------------------


def test_kinks_are_refused_by_name():
    p = Problem.dense(widths=[1, 2, 1], activation="relu", inputs=[1, 2], targets=[1, 1], bias=True)
    point = dict.fromkeys(p.parameters, 1) | {"w1_2_1": 1, "b1_2": -2}
    with pytest.raises(Unsupported, match="relu of layer 1, unit 2, sample 2"):
        landscape(p).at(point)


def test_values_exist_at_kinks():
    p = Problem.dense(widths=[1, 1, 1], activation="relu", inputs=[1], targets=[2])
    assert landscape(p).value_at({"w1_1_1": 0, "w2_1_1": 1}) == ((Q(4),), RationalField())


def test_requ_at_its_break_has_a_gradient_but_no_hessian():
    p = Problem.dense(widths=[1, 1, 1], activation="requ", inputs=[1], targets=[1])
    assert landscape(p).at({"w1_1_1": 0, "w2_1_1": 5}, order=1).gradient == ((Q(0),), (Q(0),))
    with pytest.raises(Unsupported, match="C\\^1 only"):
        landscape(p).at({"w1_1_1": 0, "w2_1_1": 5})


def test_a_sample_at_the_origin_is_no_kink_without_bias():
    # relu(w * 0) = 0 for every w: only the sample x = 1 matters, F = (0 - 1)^2 + (v w - 1)^2 near w, v > 0
    p = Problem.dense(widths=[1, 1, 1], activation="relu", inputs=[0, 1], targets=[1, 1])
    g = landscape(p).at({"w1_1_1": 2, "w2_1_1": 3})
    assert g.value == (Q(26),)
    assert g.gradient == ((Q(30),), (Q(20),))  # 2 (vw - 1) v, 2 (vw - 1) w


def test_a_sample_at_the_origin_is_a_kink_with_a_zero_bias():
    p = Problem.dense(widths=[1, 1, 1], activation="relu", inputs=[0, 1], targets=[1, 1], bias=True)
    with pytest.raises(Unsupported, match="relu of layer 1, unit 1, sample 1"):
        landscape(p).at({"w1_1_1": 2, "b1_1": 0, "w2_1_1": 3})


def test_kinks_behind_dead_units_do_not_count():
    # the first relu is dead near w1 = -1, so the second one sees the constant 0: F = 1 near the point
    p = Problem.dense(widths=[1, 1, 1, 1], activation="relu", inputs=[1], targets=[1])
    g = landscape(p).at({"w1_1_1": -1, "w2_1_1": 3, "w3_1_1": 1})
    assert g.value == (Q(1),)
    assert g.is_critical
    with pytest.raises(Unsupported, match="layer 2"):  # alive, but multiplied by 0: a true kink of F
        landscape(p).at({"w1_1_1": 1, "w2_1_1": 0, "w3_1_1": 1})


def test_odd_power_regularizer_at_zero():
    p = Problem.dense(
        widths=[1, 1], inputs=[1], targets=[0], regularizer={"kind": "power", "exponent": 3, "weights": 1}
    )
    assert landscape(p).at({"w1_1_1": 0}).hessian == (((Q(2),),),)  # |w|^3 is C^2 with F'' = 2 + 6|w|
    p = Problem.dense(
        widths=[1, 1], inputs=[1], targets=[0], regularizer={"kind": "power", "exponent": 1, "weights": 1}
    )
    with pytest.raises(Unsupported, match="regularizer on w1_1_1"):
        landscape(p).at({"w1_1_1": 0})


def test_neuron_cubic_at_a_unit_with_zero_weights():
    p = one_hidden("requ", bias=[True, False], regularizer={"kind": "neuron-cubic", "weights": 3})
    values = dict.fromkeys(p.parameters, 0)
    g = landscape(p).at(values, order=1)
    assert all(e == (Q(0),) for e in g.gradient)


def test_softplus_and_gelu_say_what_they_need():
    with pytest.raises(Unsupported, match="softplus"):
        landscape(PROBLEMS["softplus"]).at(Point.rational(generic(PROBLEMS["softplus"])))
    with pytest.raises(Unsupported, match="derivatives in the field"):
        landscape(one_hidden("gelu", bias=False)).at(dict.fromkeys(["w1_1_1", "w1_2_1", "w2_1_1", "w2_1_2"], 0))


def test_sigmoid_needs_integer_multiples_of_ln2():
    p = Problem.dense(widths=[1, 1, 1], activation="sigmoid", inputs=[1], targets=[1])
    for bad in (LN2 / 2, LN2 + 1, sp.Rational(1, 3)):
        with pytest.raises(Unsupported, match="sigmoid of layer 1, unit 1, sample 1"):
            landscape(p).at({"w1_1_1": bad, "w2_1_1": 1})
    assert landscape(p).at({"w1_1_1": sp.log(8), "w2_1_1": 1}).value == (Q(1, 81),)  # (1 - 8/9)^2


@pytest.mark.parametrize(
    ("point", "message"),
    [
        ({"w1_1_1": 1}, "missing w2_1_1"),
        ({"w1_1_1": 1, "w2_1_1": 1, "u": 1}, "unknown u"),
        ({"w1_1_1": 0.5, "w2_1_1": 1}, "float"),
        ({"w1_1_1": sp.sqrt(2), "w2_1_1": 1}, "polynomial in log"),
        ({"w1_1_1": sp.Float(1) * LN2, "w2_1_1": 1}, "polynomial in log"),
        ({"w1_1_1": sp.log(3), "w2_1_1": 1}, "polynomial in log"),
        ([1, 1], "a Point or a mapping"),
        (Point.rational([1]), "2 coordinates"),
    ],
)
def test_points_are_read_strictly(point, message):
    with pytest.raises(Invalid, match=message):
        landscape(Problem.dense(widths=[1, 1, 1], inputs=[1], targets=[1])).at(point)


def test_symbolic_derivatives_at_kinks_are_undefined():
    p = Problem.dense(widths=[1, 1, 1], activation="relu", inputs=[1], targets=[1])
    land = landscape(p)
    w, v = land.parameters
    assert land.gradient[0].subs({w: 0, v: 1}) is sp.nan
    assert land.loss.subs({w: 0, v: 1}) == 1


def test_kinds():
    kinds = {name: landscape(p).kind for name, p in PROBLEMS.items()}
    assert kinds["square"] == kinds["power-4"] == "polynomial"
    assert kinds["relu"] == kinds["elu"] == kinds["logistic"] == kinds["neuron-cubic"] == "piecewise"
    assert kinds["sigmoid"] == kinds["softplus"] == "analytic"


def test_a_wide_network_stays_usable():
    n = 20
    p = Problem.dense(widths=[1, 50, 1], activation="sigmoid", inputs=range(1, n + 1), targets=range(n))
    started = time.process_time()
    land = landscape(p)
    assert len(land.parameters) == 100
    assert land.loss.has(sp.exp)
    g = land.at({name: (LN2 if name.startswith("w1") else Q(1, 3)) for name in p.parameters})
    assert g.hessian is not None
    assert time.process_time() - started < 20  # about 1 s on one core; the bound only catches an explosion
    # by hand: every unit has s_i = 2^i/(1 + 2^i), f(x_i) = (50/3) s_i, F = sum (f(x_i) - (i - 1))^2
    assert g.value == (sum((Q(50, 3) * Q(2**i, 1 + 2**i) - (i - 1)) ** 2 for i in range(1, n + 1)),)
