"""Value, gradient, Hessian and curves of the loss in the checker against central differences, at 90 digits, of a forward
pass written here in mpmath."""

from __future__ import annotations

import itertools
import random
from fractions import Fraction

import numpy as np
import pytest
import sympy
from checker_numerics import BITS, BODIES, CUSTOM, FUNCTIONS, Patient, contains, context, enclosing, mpf

from explorer import checker

# -- the loss, written again: a forward pass in mpmath ----------------------------------------------------------------------------


def true_loss(ctx, body, theta):
    """F(theta) from the words of docs/certificate.md; ``theta`` in the documented order."""
    network, theta = body["network"], list(theta)
    if network["kind"] == "monomial":
        total = ctx.zero
        for term in network["terms"]:
            value = mpf(ctx, Fraction(term["coefficient"]))
            for x, e in zip(theta, term["exponents"], strict=True):
                value *= x**e
            total += value
        return total
    widths, phi = network["widths"], [*network["activation"], network["output_activation"]]
    layers, take = [], iter(theta)
    for k, (cols, rows) in enumerate(itertools.pairwise(widths)):
        w = [[next(take) for _ in range(cols)] for _ in range(rows)]
        layers.append((w, [next(take) if network["bias"][k] else ctx.zero for _ in range(rows)]))
    total = ctx.zero
    for x, y, c in zip(body["data"]["inputs"], body["data"]["targets"], body["loss"]["weights"], strict=True):
        signal = [mpf(ctx, Fraction(v)) for v in x]
        for k, (w, b) in enumerate(layers):
            signal = [
                sum((a * s for a, s in zip(row, signal, strict=True)), ctx.zero) + bi
                for row, bi in zip(w, b, strict=True)
            ]
            signal = [FUNCTIONS[phi[k]](ctx, s) for s in signal]
        for f, target in zip(signal, y, strict=True):
            target = mpf(ctx, Fraction(target))
            term = (target - f) ** 2 if body["loss"]["kind"] == "squared" else ctx.log(1 + ctx.exp(-target * f))
            total += mpf(ctx, Fraction(c)) * term
    reg = body["regularizer"]
    if reg and reg["kind"] == "neuron-cubic":
        (w, b), (a, _) = layers
        for j, weight in enumerate(reg["weights"]):
            norm = ctx.sqrt(sum(v * v for v in w[j]) + b[j] ** 2)
            total += mpf(ctx, Fraction(weight)) * (abs(a[0][j]) ** 3 + 2 * norm**3) / 3
    elif reg:
        for v, weight in zip(theta, reg["weights"], strict=True):
            total += mpf(ctx, Fraction(weight)) * abs(v) ** reg.get("exponent", 2)
    return total


def differences(ctx, f, theta, order):
    """Value, gradient and Hessian by central differences with step 10^-20: wrong by about 10^-38 at 90 digits."""
    h, d = ctx.mpf(10) ** -20, len(theta)

    def moved(*steps):
        out = list(theta)
        for k, s in steps:
            out[k] += s * h
        return f(out)

    value = f(theta)
    up, down = ([moved((k, s)) for k in range(d)] for s in (1, -1))
    gradient = [(a - b) / (2 * h) for a, b in zip(up, down, strict=True)]
    hessian = [[ctx.zero] * d for _ in range(d)]
    for i in range(d if order > 1 else 0):
        hessian[i][i] = (up[i] - 2 * value + down[i]) / h**2
        for j in range(i):
            mixed = moved((i, 1), (j, 1)) - moved((i, 1), (j, -1)) - moved((i, -1), (j, 1)) + moved((i, -1), (j, -1))
            hessian[i][j] = hessian[j][i] = mixed / (4 * h**2)
    return value, gradient, hessian


def numbers(pick, shape, low=-5, high=5):
    return [str(Fraction(pick.randint(low, high), pick.randint(1, 3))) for _ in range(shape)]


def problem_body(widths, activations, bias, *, loss="squared", output="linear", regularizer=None, samples=2, seed=0):
    """A problem with random data and weights, in the normal form of docs/certificate.md except for activation objects."""
    pick = random.Random(f"{widths}{activations}{bias}{loss}{output}{regularizer}{seed}")
    count = sum(rows * (cols + b) for cols, rows, b in zip(widths, widths[1:], bias, strict=False))
    reg = None
    if regularizer:
        kind, exponent = regularizer
        size = widths[1] if kind == "neuron-cubic" else count
        reg = {"kind": kind, "weights": numbers(pick, size, 0, 4)} | ({"exponent": exponent} if exponent else {})
    return {
        "format": "explorer.problem/1",
        "network": {
            "kind": "dense",
            "widths": widths,
            "activation": activations,
            "bias": bias,
            "output_activation": output,
        },
        "data": {
            "inputs": [numbers(pick, widths[0], 1) for _ in range(samples)],  # an input 0 sits on kinks for ever
            "targets": [numbers(pick, widths[-1]) for _ in range(samples)],
        },
        "loss": {"kind": loss, "weights": numbers(pick, samples, 1, 4)},
        "regularizer": reg,
    }


def as_problem(body):
    """The same problem for the checker, activations as objects."""
    if body["network"]["kind"] == "monomial":
        return checker.Problem(body)
    network = dict(body["network"])
    if len(network["widths"]) == 2:
        network.pop("activation")
    else:
        network["activation"] = [BODIES.get(a, {"kind": a}) for a in network["activation"]]
    network["output_activation"] = BODIES.get(network["output_activation"], network["output_activation"])
    return checker.Problem(body | {"network": network})


F, T = False, True
LOSSES = [
    *(problem_body([1, 2, 1], [name], [F, F]) for name in FUNCTIONS),
    *(problem_body([2, 2, 1], [name], [T, F], samples=1) for name in ("sigmoid", "requ", "gelu", "elu", "swish")),
    problem_body([1, 1], [], [T], output="sigmoid"),
    problem_body([2, 1], [], [F], output="tanh", loss="logistic"),
    problem_body([2, 2], [], [T]),
    problem_body([2, 2, 2], ["tanh"], [T, T]),
    problem_body([1, 2, 2], ["cubic"], [F, T], output="sin"),
    problem_body([1, 2, 1], ["sigmoid"], [T, F], loss="logistic", samples=3),
    problem_body([1, 2, 1], ["relu"], [T, T], loss="logistic"),
    problem_body([1, 1, 1, 1], ["sigmoid", "softplus"], [T, T, T]),
    problem_body([1, 2, 2, 1], ["relu", "square"], [F, T, F]),
    problem_body([1, 1, 1, 1, 1], ["tanh", "exp", "erf"], [F, T, F, F], output="polynomial"),
    problem_body([1, 2, 1, 2], ["linear", "linear"], [F, F, F]),
    problem_body([1, 2, 1], ["square"], [F, F], regularizer=("l2", None)),
    problem_body([1, 2, 1], ["sigmoid"], [T, F], regularizer=("power", 3)),
    problem_body([1, 2, 1], ["linear"], [F, F], regularizer=("power", 4)),
    problem_body([1, 1, 1], ["linear"], [F, F], regularizer=("power", 1)),
    problem_body([2, 2, 1], ["relu"], [T, F], regularizer=("neuron-cubic", None)),
    problem_body([1, 2, 1], ["tanh"], [F, F], regularizer=("neuron-cubic", None)),
    {
        "format": "explorer.problem/1",
        "network": {
            "kind": "monomial",
            "parameters": ["x", "y", "z"],
            "terms": [
                {"coefficient": "-3/2", "exponents": [4, 0, 1]},
                {"coefficient": "2", "exponents": [0, 2, 3]},
                {"coefficient": "5", "exponents": [0, 0, 0]},
                {"coefficient": "7", "exponents": [1, 0, 0]},
            ],
        },
    },
]


def title(body):
    network = body["network"]
    if network["kind"] == "monomial":
        return "monomial"
    words = ["-".join(map(str, network["widths"])), *network["activation"], body["loss"]["kind"]]
    return "_".join(words + ([body["regularizer"]["kind"]] if body.get("regularizer") else []))


def interval_jet(problem, point, order):
    ring = checker.Intervals(Patient())
    theta = [{(): ring.of(v), (k,): ring.one} for k, v in enumerate(point)]
    return ring, checker.Taylor(ring, order).loss(problem, theta)


def random_point(pick, size):
    """Away from 0, where norms have kinks; pre-activations at kinks have probability 0."""
    return [Fraction(pick.choice([-1, 1]) * pick.randint(1, 9000), 7919) for _ in range(size)]


@pytest.mark.parametrize("body", LOSSES, ids=title)
def test_value_gradient_and_hessian_of_the_loss(body):
    problem, ctx = as_problem(body), context(90)
    point = random_point(random.Random(title(body)), len(problem.names))
    value, gradient, hessian = differences(ctx, lambda t: true_loss(ctx, body, t), [mpf(ctx, v) for v in point], 2)
    ring, found = interval_jet(problem, point, 2)
    slack = ctx.mpf(10) ** -30 * (1 + max(abs(v) for row in hessian for v in row))
    rows = checker.hessian_rows(found, len(point), ring)
    assert contains(ctx, found[()], value, ctx.mpf(10) ** -70 * (1 + abs(value)))
    for i in range(len(point)):
        g = found.get((i,), ring.zero)
        assert contains(ctx, g, gradient[i], slack)
        assert g[1] - g[0] < 1 << (BITS - 170)  # so that containing means agreeing
        for j in range(len(point)):
            h = rows[i].get(j, ring.zero)
            assert contains(ctx, h, hessian[i][j], slack)
            assert h[1] - h[0] < 1 << (BITS - 170)


@pytest.mark.parametrize("body", LOSSES[::3], ids=title)
def test_boxes_contain_the_derivatives_at_inner_points(body):
    problem, ctx, pick = as_problem(body), context(90), random.Random(title(body) + "box")
    centre = random_point(pick, len(problem.names))
    radius, ring = Fraction(1, 50_000), checker.Intervals(Patient())
    theta = [{(): enclosing(ring, v - radius, v + radius), (k,): ring.one} for k, v in enumerate(centre)]
    found = checker.Taylor(ring, 2).loss(problem, theta)
    rows = checker.hessian_rows(found, len(centre), ring)
    inner = [mpf(ctx, v + radius * pick.randint(-10, 10) / 10) for v in centre]
    value, gradient, hessian = differences(ctx, lambda t: true_loss(ctx, body, t), inner, 2)
    assert contains(ctx, found[()], value, 0)
    for i in range(len(centre)):
        assert contains(ctx, found.get((i,), ring.zero), gradient[i], ctx.mpf(10) ** -28)
        for j in range(len(centre)):
            assert contains(ctx, rows[i].get(j, ring.zero), hessian[i][j], ctx.mpf(10) ** -28)


DEEP = [
    problem_body([1, 2, 2, 1], ["tanh", "gelu"], [T, T, T]),
    problem_body([2, 2, 2, 2], ["softplus", "sigmoid"], [T, F, F], output="tanh"),
    problem_body([1, 2, 1, 2, 1], ["swish", "sin", "cubic"], [F, T, T, F], loss="logistic", output="elu3"),
    problem_body([1, 2, 2, 1, 1], ["erf", "linear", "tanh"], [T, F, T, T], regularizer=("l2", None), samples=3),
    problem_body([2, 1, 2, 1], ["exp", "square"], [T, T, F], output="softplus", regularizer=("power", 3)),
    problem_body([1, 2, 2, 2], ["requ", "polynomial"], [T, T, F], output="gelu"),
]


def beyond(hessian, rows, slack):
    """|H - M|_2 / slack, for a matrix of mpmath's and M, slack in the checker's units."""
    size, unit = len(rows), checker.ULP
    rest = np.zeros((size, size))
    for i, row in enumerate(rows):
        for j, entry in enumerate(row):
            rest[i, j] = rest[j, i] = float((hessian[i][j] * unit - entry) / slack)
    return float(np.linalg.norm(rest, 2))


@pytest.mark.parametrize("body", LOSSES[::4] + DEEP, ids=title)
@pytest.mark.parametrize("radius", [Fraction(1, 2**88), Fraction(1, 1000)], ids=["rounding", "ball"])
def test_the_hessian_over_a_ball_and_the_gradient_at_its_centre(body, radius):
    """By layers, as in `minimum-in-ball`: at points of the ball, corners of it among them, |H - M|_2 <= slack by differences of mpmath's
    loss; with a radius that leaves nothing but rounding the slack is small."""
    problem, ctx, pick = as_problem(body), context(90), random.Random(title(body) + "ball")
    centre = random_point(pick, len(problem.names))
    ring = checker.Intervals(Patient())
    value, gradient, (rows, slack) = checker.around(problem, centre, radius, ring)
    true_value, true_gradient, _ = differences(ctx, lambda t: true_loss(ctx, body, t), [mpf(ctx, v) for v in centre], 1)
    assert contains(ctx, value, true_value, ctx.mpf(10) ** -70 * (1 + abs(true_value)))
    for g, true in zip(gradient, true_gradient, strict=True):
        assert contains(ctx, g, true, ctx.mpf(10) ** -30 * (1 + abs(true)))
        assert g[1] - g[0] < 1 << BITS - 70
    largest = max(1, *(abs(v) for row in rows for v in row))
    assert slack < largest >> 60 or radius > 2**-80
    for _ in range(2):
        away = [pick.choice([-1, 1]) * pick.choice([1, 1, Fraction(pick.randint(0, 99), 100)]) for _ in centre]
        length = max(1, sum(v * v for v in away)) ** 0.5 * 1.0000001
        inner = [mpf(ctx, v + radius * t / Fraction(length)) for v, t in zip(centre, away, strict=True)]
        _, _, hessian = differences(ctx, lambda t: true_loss(ctx, body, t), inner, 2)
        assert beyond(hessian, rows, slack) <= 1


EXPONENTIAL_UNIT = {
    "format": "explorer.problem/1",
    "network": {
        "kind": "dense+exp",
        "widths": [2, 2, 2, 1],
        "activation": "tanh",
        "bias": True,
        "output_activation": "sin",
    },
    "data": {"inputs": [["1/2", "-1"], ["3/4", "2"], ["-1", "1/3"]], "targets": [["1"], ["-2"], ["1/2"]]},
    "loss": {"kind": "squared", "weights": ["1", "2", "1/2"]},
    "regularizer": {"kind": "l2", "weights": "1/3"},
}


@pytest.mark.parametrize("body", [*LOSSES, *DEEP, EXPONENTIAL_UNIT], ids=title)
def test_the_hessian_by_layers_agrees_with_jets(body):
    """Two ways through one file: reverse accumulation by layers, and sparse jets through all parameters. Both enclose one matrix, so
    that their distance is at most the sum of their errors; these are below 2^-60 of the largest entry."""
    problem = checker.Problem(body) if body is EXPONENTIAL_UNIT else as_problem(body)
    centre = random_point(random.Random(title(body)), len(problem.names))
    ring, found = interval_jet(problem, centre, 2)
    jets = checker.hessian_rows(found, len(centre), ring)
    value, gradient, (rows, slack) = checker.around(problem, centre, Fraction(1, 2**90), checker.Intervals(Patient()))
    for one, other in [(found[()], value), *((found.get((k,), ring.zero), g) for k, g in enumerate(gradient))]:
        assert max(one[0], other[0]) <= min(one[1], other[1])
    middles = [
        [sum(jets[i].get(j, ring.zero)) / 2 ** (BITS + 1) for j in range(len(centre))] for i in range(len(centre))
    ]
    exact = [
        [Fraction(sum(jets[i].get(j, ring.zero)), 2 << BITS) for j in range(len(centre))] for i in range(len(centre))
    ]
    assert beyond(exact, rows, slack) <= 1
    assert slack <= checker.ULP * max(1, *(abs(v) for row in middles for v in row)) / 2**60


WIDE = [
    problem_body([1, 1, 6, 1], ["tanh", "softplus"], [T, T, T]),
    problem_body([1, 1, 8, 2], ["sigmoid", "linear"], [F, T, F]),
    problem_body([4, 1, 1], ["square"], [T, F], samples=1),
    problem_body([1, 3, 1, 4, 1], ["tanh", "swish", "sin"], [T, F, T, F], samples=3),
]


@pytest.mark.parametrize("body", WIDE, ids=title)
def test_every_row_of_second_derivatives_is_off_by_what_is_said(body):
    """Of sum_k l_k Hess f_k alone, row by row (one more term of the Hessian would hide what is missing here): at corners of a box, by
    jets at 256 bits, with l_k the enclosed slopes of the loss, of which the jets take values at the corner."""
    problem, pick = as_problem(body), random.Random(title(body) + "rows")
    centre, radius, size = random_point(pick, len(problem.names)), Fraction(1, 10**6), len(problem.names)
    ring, fine = checker.Middling(Patient()), checker.Intervals(Patient())
    box = [ring.hull(ring.of(c - radius), ring.of(c + radius)) for c in centre]
    (stack,), rows, loose = checker.stacks(problem), [[0] * (i + 1) for i in range(size)], [0] * size
    sheet = checker.Sheet(ring, stack, rows, loose)
    samples = list(zip(problem.inputs, problem.targets, problem.sample_weights, strict=True))
    for x, y, c in samples:
        run = checker.forward(ring, stack, box, [ring.of(v) for v in x], 2)
        _, pull, _ = checker.slopes_of_loss(ring, problem, [run], y, c)
        sheet.add(run, checker.backward(ring, stack, run, box, pull), box)
    sheet.sum_up()
    nearest = Fraction(0)
    for _ in range(12):
        corner = [c + radius * pick.choice([-1, 1]) for c in centre]
        theta, taylor = [{(): fine.of(v), (k,): fine.one} for k, v in enumerate(corner)], checker.Taylor(fine, 2)
        true = [[Fraction(0)] * size for _ in range(size)]
        for x, y, c in samples:
            for f, target in zip(taylor.outputs(problem, theta, x), y, strict=True):
                slope = 2 * c * (Fraction(sum(f[()]), 2 << BITS) - target)
                for i, row in enumerate(checker.hessian_rows(f, size, fine)):
                    for j, value in row.items():
                        true[i][j] += slope * Fraction(sum(value), 2 << BITS)
        for i in range(size):
            off = sum(abs(true[i][j] * checker.ULP - rows[max(i, j)][min(i, j)]) for j in range(size))
            share = off / (Fraction(loose[i], checker.ULP**2) + size)
            assert share <= 1
            nearest = max(nearest, share)
    assert nearest > Fraction(1, 20)


POLYNOMIAL = [
    body
    for body in LOSSES
    if body["network"]["kind"] == "monomial"
    or (
        body["loss"]["kind"] == "squared"
        and set(body["network"]["activation"])
        <= {"linear", "square", "cubic", "relu", "requ", "leaky_relu", "polynomial"}
        and body["network"]["output_activation"] == "linear"
        and (body["regularizer"] or {}).get("kind") != "neuron-cubic"
    )
]


@pytest.mark.parametrize("body", POLYNOMIAL, ids=title)
def test_exact_jets_agree_with_enclosures(body):
    """The same jet in Q, in Q(sqrt 2) and in Q[ln 2]: rational coefficients lie in the enclosures at the same point."""
    problem, pick = as_problem(body), random.Random(title(body) + "exact")
    fields = [
        checker.Rationals(Patient()),
        checker.NumberField(Patient(), tuple(map(Fraction, (-2, 0, 1))), Fraction(1), Fraction(2), "test"),
        checker.Ln2Ring(Patient()),
    ]
    for field in fields:

        def draw(field=field):
            a = random_point(pick, 2)
            return a[0] if isinstance(field, checker.Rationals) else (a[0], a[1])

        point = [draw() for _ in problem.names]
        exact = checker.Taylor(field, 2).loss(problem, [{(): c, (k,): field.one} for k, c in enumerate(point)])
        ring = checker.Intervals(Patient())
        theta = [{(): field.enclose(c, ring), (k,): ring.one} for k, c in enumerate(point)]
        enclosed = checker.Taylor(ring, 2).loss(problem, theta)
        for key in set(exact) | set(enclosed):
            a, b = field.enclose(exact.get(key, field.zero), ring), enclosed.get(key, ring.zero)
            assert a[0] <= b[1]
            assert b[0] <= a[1]
            assert b[1] - b[0] < 1 << (BITS - 150)


def test_the_constant_may_be_left_out_but_nothing_else():
    """need_value=False changes the constant term of a logistic loss only."""
    body = problem_body([1, 2, 1], ["softplus"], [T, F], loss="logistic", output="softplus")
    problem = as_problem(body)
    ring, full = interval_jet(problem, random_point(random.Random(3), len(problem.names)), 2)
    theta = [{(): ring.of(v), (k,): ring.one} for k, v in enumerate(random_point(random.Random(3), len(problem.names)))]
    bare = checker.Taylor(ring, 2).loss(problem, theta, need_value=False)
    assert {key: v for key, v in full.items() if key} == {key: v for key, v in bare.items() if key}


def test_regularizers_where_they_have_kinks():
    """|t| at 0 has no derivative, |t|^3 two, |v|^3 two (and both vanish); one more and the checker refuses."""
    ring = checker.Rationals(Patient())
    for exponent in (1, 3, 5):
        for order in range(1, 6):
            series = checker.Taylor(ring, order)
            if order < exponent:
                found = series.power({(): ring.zero, (0,): ring.one}, exponent, absolute=True)
                assert all(v == 0 for v in found.values())
            else:
                with pytest.raises(checker.Rejected, match="kink"):
                    series.power({(): ring.zero, (0,): ring.one}, exponent, absolute=True)
    zeros = [{(): ring.zero, (0,): ring.one}, {(1,): ring.one}]
    assert checker.Taylor(ring, 2).cubed_norm(zeros) == {}
    with pytest.raises(checker.Rejected, match=r"C\^3"):
        checker.Taylor(ring, 3).cubed_norm(zeros)
    # |(3 + x, 4 + y)|^3 to third order, by SymPy
    x, y = sympy.symbols("x y")
    f = ((3 + x) ** 2 + (4 + y) ** 2) ** sympy.Rational(3, 2)
    found = checker.Taylor(ring, 3).cubed_norm([{(): Fraction(3), (0,): ring.one}, {(): Fraction(4), (1,): ring.one}])
    for key in [(), (0,), (1,), (0, 0), (0, 1), (1, 1), (0, 0, 0), (0, 0, 1), (0, 1, 1), (1, 1, 1)]:
        value, (a, b) = f, (key.count(0), key.count(1))
        value = sympy.diff(f, x, a, y, b).subs({x: 0, y: 0}) / sympy.factorial(a) / sympy.factorial(b)
        assert sympy.Rational(found[key].numerator, found[key].denominator) == value


def test_curves_to_high_order():
    """F(p + c_1 s + c_2 s^2 + ...) as a polynomial in s, by SymPy, to order 9."""
    s = sympy.Symbol("s")
    body = problem_body([1, 1, 1], ["polynomial"], [T, F], regularizer=("power", 4))
    problem, pick, ring = as_problem(body), random.Random(8), checker.Rationals(Patient())
    rows = [[Fraction(pick.randint(-4, 4), pick.randint(1, 3)) for _ in range(4)] for _ in problem.names]
    theta = [{(0,) * k: c for k, c in enumerate(row)} for row in rows]
    found = checker.Taylor(ring, 9).loss(problem, theta)

    def rational(q):
        q = Fraction(q)
        return sympy.Rational(q.numerator, q.denominator)

    w, b, v = (sum(rational(c) * s**k for k, c in enumerate(row)) for row in rows)  # order: w1, b1, w2
    total = sympy.Integer(0)
    for (x,), (y,), c in zip(body["data"]["inputs"], body["data"]["targets"], body["loss"]["weights"], strict=True):
        z = w * rational(x) + b
        phi = sum(rational(q) * z**k for k, q in enumerate(CUSTOM["coefficients"]))
        total += rational(c) * (rational(y) - v * phi) ** 2
    total += sum(rational(c) * t**4 for c, t in zip(body["regularizer"]["weights"], (w, b, v), strict=True))
    expected = sympy.Poly(sympy.expand(total), s)
    for k in range(10):
        assert rational(found.get((0,) * k, 0)) == expected.coeff_monomial(s**k)
