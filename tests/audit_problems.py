"""Random small problems of every class that `critical_set` claims, and their losses expanded by arithmetic of our own.

Nothing here uses the model of the package: polynomials are dicts {exponents: Fraction}, networks are run by hand, so an
error in the model would show as a disagreement. `CLASSES` names the generators; `make(name, seed)` is reproducible.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction as Q
from itertools import pairwise, product
from typing import Any

from audit_units import random_chain, random_clipped, random_free_bias, random_partial_ridge, random_relu_ridge

from explorer.problem import DenseNetwork, MonomialLoss, Problem

Poly = dict[tuple[int, ...], Q]


def add(p: Poly, q: Poly, scale: Q = Q(1)) -> Poly:
    out = dict(p)
    for e, c in q.items():
        out[e] = out.get(e, Q(0)) + scale * c
    return {e: c for e, c in out.items() if c}


def mul(p: Poly, q: Poly) -> Poly:
    out: Poly = {}
    for (e, c), (f, d) in product(p.items(), q.items()):
        key = tuple(a + b for a, b in zip(e, f, strict=True))
        out[key] = out.get(key, Q(0)) + c * d
    return {e: c for e, c in out.items() if c}


def compose(coefficients: list[Q], z: Poly, d: int) -> Poly:
    out: Poly = {}
    for c in reversed(coefficients):
        out = add(mul(out, z), {(0,) * d: c} if c else {})
    return out


POWERS = {"linear": [0, 1], "square": [0, 0, 1], "cubic": [0, 0, 0, 1]}


def coefficients(activation: Any) -> list[Q] | None:
    """The coefficients of a polynomial activation, None for another one."""
    if activation.kind in POWERS:
        return [Q(c) for c in POWERS[activation.kind]]
    data = activation.to_json()
    return [Q(c) for c in data["coefficients"]] if data["kind"] == "polynomial" else None


def expanded(problem: Problem) -> Poly | None:
    """F as a polynomial, from the definition in explorer.problem's text; None where an activation is not polynomial."""
    net = problem.network
    if isinstance(net, MonomialLoss):
        out: Poly = {}
        for c, e in net.terms:
            out = add(out, {tuple(e): c})
        return out
    assert isinstance(net, DenseNetwork)
    if problem.loss.kind != "squared" or (problem.regularizer and problem.regularizer.exponent in (1, 3)):
        return None
    tables = [coefficients(a) for a in (*net.activations, net.output)]
    if any(t is None for t in tables):
        return None
    d = len(problem.parameters)
    unit = [tuple(int(i == k) for i in range(d)) for k in range(d)]
    total: Poly = {}
    for x, y, c in zip(problem.data.inputs, problem.data.targets, problem.loss.weights, strict=True):
        layer: list[Poly] = [{(0,) * d: v} if v else {} for v in x]
        at = 0
        for depth, table in enumerate(tables):
            rows, cols, bias = net.widths[depth + 1], net.widths[depth], net.bias[depth]
            z: list[Poly] = []
            for r in range(rows):
                value: Poly = {}
                for k in range(cols):
                    value = add(value, mul({unit[at + r * cols + k]: Q(1)}, layer[k]))
                if bias:
                    value = add(value, {unit[at + rows * cols + r]: Q(1)})
                z.append(value)
            at += rows * (cols + bias)
            layer = [compose(table, v, d) for v in z]
        for output, target in zip(layer, y, strict=True):
            error = add(output, {(0,) * d: -target} if target else {})
            total = add(total, mul(error, error), c)
    r = problem.regularizer
    if r is not None:
        power = 2 if r.kind == "l2" else r.exponent
        for k, w in enumerate(r.weights):
            total = add(total, {tuple(power * u for u in unit[k]): w} if w else {})
    return total


# -- losses given as polynomials -----------------------------------------------------------------------------------

NAMES = "xyz"


def _small(rng: random.Random) -> int:
    return rng.choice([-3, -2, -1, -1, 1, 1, 2, 3])


def _poly(rng: random.Random, n: int, degree: int, terms: int) -> Poly:
    out: Poly = {}
    for _ in range(terms):
        e = [0] * n
        for _ in range(rng.randint(0, degree)):
            e[rng.randrange(n)] += 1
        out[tuple(e)] = Q(_small(rng))
    return out


def _loss(terms: Poly, n: int) -> Problem:
    return Problem.monomial(list(NAMES[:n]), terms or {(0,) * n: Q(0)})


def random_monomial(rng: random.Random) -> Problem:
    n = rng.choice([1, 2, 2, 2, 3])
    return _loss(_poly(rng, n, rng.randint(2, 6 if n < 3 else 4), rng.randint(2, 6)), n)


def random_products(rng: random.Random) -> Problem:
    n = rng.choice([1, 2, 2, 3])
    out: Poly = {(0,) * n: Q(1)}
    for _ in range(rng.randint(2, 3)):
        out = mul(out, _poly(rng, n, rng.choice([1, 1, 2]), rng.randint(1, 3)))
    return _loss(add(out, {(0,) * n: Q(rng.choice([0, 0, 1]))}), n)


def random_squares(rng: random.Random) -> Problem:
    """p^2, (p q)^2, p^2 + q^2, p^2 q."""
    n = rng.choice([1, 2, 2, 2, 3])
    p, q = (_poly(rng, n, rng.choice([1, 2, 2]), rng.randint(1, 3)) for _ in range(2))
    shape = rng.randrange(4)
    if shape == 0:
        return _loss(mul(p, p), n)
    if shape == 1:
        return _loss(mul(mul(p, q), mul(p, q)), n)
    return _loss(add(mul(p, p), mul(q, q)) if shape == 2 else mul(mul(p, p), q), n)


def random_coercive(rng: random.Random) -> Problem:
    """A quartic form that grows in every direction plus lower terms: for these the Morse sum is 1."""
    n = rng.choice([1, 2, 2, 3])
    out = _poly(rng, n, 3 if n < 3 else 2, rng.randint(2, 5))
    for k in range(n):
        out = add(out, {tuple(4 * (i == k) for i in range(n)): Q(rng.randint(1, 2))})
    return _loss(out, n)


SPECIALS: tuple[tuple[str, Poly], ...] = (
    ("x^4+y^4", {(4, 0): Q(1), (0, 4): Q(1)}),
    ("x^2y^2", {(2, 2): Q(1)}),
    ("x^2y", {(2, 1): Q(1)}),
    ("x^3y^2", {(3, 2): Q(1)}),
    ("monkey saddle", {(3, 0): Q(1), (1, 2): Q(-3)}),
    ("cusp", {(0, 2): Q(1), (3, 0): Q(-1)}),
    ("(y-x^2)(y-2x^2)", {(0, 2): Q(1), (2, 1): Q(-3), (4, 0): Q(2)}),
    ("(y-x^2)^2+x^6", {(0, 2): Q(1), (2, 1): Q(-2), (4, 0): Q(1), (6, 0): Q(1)}),
    ("(y-x^2)^2-x^5", {(0, 2): Q(1), (2, 1): Q(-2), (4, 0): Q(1), (5, 0): Q(-1)}),
    ("x^2+y^6", {(2, 0): Q(1), (0, 6): Q(1)}),
    ("x^2-y^6", {(2, 0): Q(1), (0, 6): Q(-1)}),
    ("x^4-x^2y^2+y^4", {(4, 0): Q(1), (2, 2): Q(-1), (0, 4): Q(1)}),
    ("x^4-3x^2y^2+y^4", {(4, 0): Q(1), (2, 2): Q(-3), (0, 4): Q(1)}),
    ("x^6 + x^2y^2 + y^6", {(6, 0): Q(1), (2, 2): Q(1), (0, 6): Q(1)}),
    ("Motzkin", {(4, 2): Q(1), (2, 4): Q(1), (2, 2): Q(-3), (0, 0): Q(1)}),
    ("not attained", {(2, 0): Q(1), (2, 2): Q(1), (1, 1): Q(-2), (0, 0): Q(1)}),
    ("constant", {(0, 0): Q(3)}),
    ("linear", {(1, 0): Q(1), (0, 1): Q(1)}),
    ("x^2 in two", {(2, 0): Q(1)}),
    ("-x^2y^2z^2", {(2, 2, 2): Q(-1)}),
    ("xyz", {(1, 1, 1): Q(1)}),
    ("x^2y^2+z^2", {(2, 2, 0): Q(1), (0, 0, 2): Q(1)}),
    ("x^2+y^3+z^4", {(2, 0, 0): Q(1), (0, 3, 0): Q(1), (0, 0, 4): Q(1)}),
)


def random_special(rng: random.Random) -> Problem:
    """A degenerate classic, perhaps after a linear change of variables, or a curve squared (circle, cusp, node)."""
    if rng.random() < 0.35:
        curve = rng.choice(
            (
                {(2, 0): Q(1), (0, 2): Q(1), (0, 0): Q(-1)},
                {(0, 2): Q(1), (3, 0): Q(-1)},
                {(0, 2): Q(1), (3, 0): Q(-1), (2, 0): Q(1)},
                {(0, 2): Q(1), (3, 0): Q(-1), (2, 0): Q(-1)},
                {(2, 0): Q(1), (0, 2): Q(2), (0, 0): Q(1)},
                {(2, 0): Q(1), (1, 1): Q(1), (0, 2): Q(1)},
                {(2, 0): Q(1), (0, 2): Q(-2), (0, 0): Q(-1)},
            )
        )
        factor = rng.choice(({(0, 0): Q(1)}, {(1, 0): Q(1)}, {(0, 1): Q(1), (0, 0): Q(-1)}))
        p = mul(curve, curve)
        return _loss(mul(p, mul(factor, factor)) if rng.random() < 0.7 else mul(p, factor), 2)
    _, p = rng.choice(SPECIALS)
    n = len(next(iter(p)))
    if rng.random() < 0.5:
        unit = [tuple(int(i == k) for i in range(n)) for k in range(n)]
        lines = [
            add({unit[k]: Q(1)}, {unit[(k + 1) % n]: Q(rng.choice([0, 0, 1, -1])), (0,) * n: Q(rng.choice([0, 1]))})
            for k in range(n)
        ]
        out: Poly = {}
        for e, c in p.items():
            term: Poly = {(0,) * n: c}
            for k, m in enumerate(e):
                for _ in range(m):
                    term = mul(term, lines[k])
            out = add(out, term)
        p = out
    return _loss(p, n)


# -- networks ------------------------------------------------------------------------------------------------------


def _network(rng: random.Random, widths: list[int], activation: Any, bias: bool, ridge: float) -> Problem:
    n = rng.randint(1, 3)
    size = sum(a * b for a, b in pairwise(widths)) + (sum(widths[1:-1]) if bias else 0)
    regularizer = None
    if rng.random() < ridge:
        weights: Any = rng.choice(["1/4", "1/10", "1"])
        if rng.random() < 0.3:
            weights = [rng.choice(["1/4", "1/2", "1/10"]) for _ in range(size)]
        regularizer = {"kind": "l2", "weights": weights}
        if rng.random() < 0.15:
            regularizer = {"kind": "power", "weights": weights, "exponent": 4}
    return Problem.dense(
        widths=widths,
        inputs=[[rng.randint(-2, 3) for _ in range(widths[0])] for _ in range(n)],
        targets=[[Q(rng.randint(-4, 4), rng.choice([1, 1, 2]))] * widths[-1] for _ in range(n)],
        activation=[activation] * (len(widths) - 2),
        bias=bias,
        loss_weights=[rng.choice(["1", "1", "2", "1/2"]) for _ in range(n)],
        regularizer=regularizer,
    )


def random_linear(rng: random.Random) -> Problem:
    widths = rng.choice([[1, 1, 1], [1, 2, 1], [2, 1, 1], [1, 1, 1, 1], [2, 2, 1], [1, 1, 1, 1, 1]])
    return _network(rng, widths, "linear", rng.random() < 0.2, 0.5)


def random_polynomial(rng: random.Random) -> Problem:
    widths = rng.choice([[1, 1, 1], [1, 1, 1], [1, 2, 1], [2, 1, 1], [1, 1, 1, 1]])
    cs = [str(rng.choice([-2, -1, 0, 1, 1, 2])) for _ in range(rng.randint(2, 3))] + ["1"]
    kinds = ["square", "square", "cubic", {"kind": "polynomial", "coefficients": cs}]
    activation = rng.choice(kinds) if len(widths) == 3 else "square"
    return _network(rng, widths, activation, rng.random() < 0.3 and sum(widths) == 3, 0.5)


def random_piecewise(rng: random.Random) -> Problem:
    widths = rng.choice([[1, 1, 1], [1, 1, 1], [1, 2, 1], [1, 1, 1, 1]])
    activation = rng.choice(
        [
            "relu",
            "relu",
            "requ",
            {"kind": "leaky_relu", "slope": "1/4"},
            {"kind": "piecewise-polynomial", "breaks": ["-1", "1"], "pieces": [["-1"], ["0", "1"], ["1"]]},
            {"kind": "piecewise-polynomial", "breaks": ["0"], "pieces": [["0", "0", "-1"], ["0", "0", "1"]]},
        ]
    )
    return _network(rng, widths, activation, False, 0.4)


def random_kinks(rng: random.Random) -> Problem:
    """One hidden layer of one or two relu or leaky units on two or three points, with and without biases and ridge."""
    inputs, units = rng.choice([1, 1, 2]), rng.choice([1, 2])
    bias = rng.choice([[False, False], [True, False], [True, True], [False, True]] if inputs == 1 else [[False, False]])
    n = rng.randint(2, 3)
    size = units * (inputs + 1 + bias[0]) + bias[1]
    weights: Any = rng.choice([None, "1/4", "1/10", "1/2", [Q(rng.randint(1, 5), 10) for _ in range(size)]])
    xs = []
    while len(xs) < n:
        x = [rng.randint(-2, 3) for _ in range(inputs)]
        if any(x) or bias[0]:
            xs.append(x)
    return Problem.dense(
        widths=[inputs, units, 1],
        inputs=xs,
        targets=[Q(rng.randint(-4, 4), rng.choice([1, 1, 2])) for _ in range(n)],
        activation=rng.choice(["relu", "relu", "relu", {"kind": "leaky_relu", "slope": rng.choice(["1/4", "-1/2"])}]),
        bias=bias,
        loss_weights=[rng.choice(["1", "1", "2"]) for _ in range(n)],
        regularizer=None if weights is None else {"kind": "l2", "weights": weights},
    )


def random_even_kinks(rng: random.Random) -> Problem:
    """The same with units |z|, two of them and a ridge."""
    while True:
        problem = random_kinks(rng)
        net = problem.network
        if problem.regularizer is not None and net.widths[1] == 2:
            activation = {"kind": "leaky_relu", "slope": -1}
            even = Problem.dense(widths=[1, 1, 1], inputs=[[1]], targets=[1], activation=activation)
            return replace(problem, network=replace(net, activations=even.network.activations))


def random_requ_ridge(rng: random.Random) -> Problem:
    """One requ unit with two inputs or with a bias, and a ridge."""
    inputs = rng.choice([1, 2])
    bias = [inputs == 1, rng.random() < 0.3]
    size = 3 + bias[1]
    xs: list[list[int]] = []
    while len(xs) < 3:
        x = [rng.randint(-2, 3) for _ in range(inputs)]
        if any(x):
            xs.append(x)
    return Problem.dense(
        widths=[inputs, 1, 1],
        inputs=xs,
        targets=[Q(rng.randint(-4, 4), rng.choice([1, 1, 2])) for _ in xs],
        activation="requ",
        bias=bias,
        regularizer={"kind": "l2", "weights": [Q(rng.randint(3, 9), 10) for _ in range(size)]},
    )


def random_outputs(rng: random.Random) -> Problem:
    """Two-layer linear networks with several outputs and no regularizer: targets with distinct or with equal directions."""
    widths = rng.choice([[2, 1, 2], [2, 2, 2], [2, 1, 1], [3, 1, 2], [1, 1, 2], [2, 2, 1]])
    n, m = widths[0], widths[-1]
    shape = rng.choice(["random", "diagonal", "identity", "turned"])
    targets = [[Q(rng.randint(-3, 3)) for _ in range(m)] for _ in range(n)]
    if shape in ("diagonal", "identity"):
        values = [Q(rng.choice([1, 2, 3])) for _ in range(m)] if shape == "diagonal" else [Q(1)] * m
        targets = [[values[k] if i == k else Q(0) for k in range(m)] for i in range(n)]
    if shape == "turned" and n == m == 2:
        targets = [[Q(3, 5), Q(4, 5)], [Q(-4, 5), Q(3, 5)]]
    inputs = [[Q(int(i == j)) for j in range(n)] for i in range(n)]
    if shape == "random":
        inputs = [[Q(rng.randint(-2, 3)) for _ in range(n)] for _ in range(n)]
    return Problem.dense(widths=widths, inputs=inputs, targets=targets)


def random_deep_linear(rng: random.Random) -> Problem:
    """Linear networks with three or more layers and no regularizer: distinct, equal and missing directions."""
    widths = rng.choice(
        [[2, 1, 1, 2], [2, 2, 1, 1], [1, 2, 2, 1], [2, 2, 2, 2], [1, 1, 2, 2], [2, 1, 2, 1, 2], [3, 1, 2, 2]]
    )
    n, m = widths[0], widths[-1]
    size = rng.choice([n, n, n + 1, max(1, n - 1)])
    inputs = [[Q(rng.randint(-2, 3)) for _ in range(n)] for _ in range(size)]
    if rng.random() < 0.4:
        inputs = [[Q(int(i == j)) for j in range(n)] for i in range(n)]
    targets = [[Q(rng.randint(-3, 3)) for _ in range(m)] for _ in inputs]
    if rng.random() < 0.3:
        targets = [[Q(int(i == j)) for j in range(m)] for i in range(len(inputs))]
    return Problem.dense(widths=widths, inputs=inputs, targets=targets)


def random_deep_ridge(rng: random.Random) -> Problem:
    """Networks with several layers or outputs and a ridge with a weight of its own for every parameter."""
    widths, activation = rng.choice(
        [
            ([1, 1, 1, 1], "linear"),
            ([1, 1, 1, 1, 1], "linear"),
            ([2, 1, 2], "linear"),
            ([2, 1, 1, 2], "linear"),
            ([2, 2, 1], "linear"),
            ([1, 2, 2], "linear"),
            ([1, 1, 2], "cubic"),
            ([2, 1, 1], "square"),
            ([1, 2, 1], "square"),
        ]
    )
    n = rng.randint(2, 4)
    size = sum(a * b for a, b in pairwise(widths))
    return Problem.dense(
        widths=widths,
        inputs=[[Q(rng.randint(-20, 20), 10) for _ in range(widths[0])] for _ in range(n)],
        targets=[[Q(rng.randint(-20, 20), 10) for _ in range(widths[-1])] for _ in range(n)],
        activation=[activation] * (len(widths) - 2),
        regularizer={"kind": "l2", "weights": [Q(k, 100) for k in rng.sample(range(5, 100), size)]},
    )


def random_exponential(rng: random.Random) -> Problem:
    """Sigmoid, tanh and exp on rational inputs: a neuron, or one hidden unit with an output weight."""
    kind = rng.choice(["sigmoid", "sigmoid", "tanh", "exp"])
    n = rng.randint(1, 3)
    inputs = [[rng.choice([-2, -1, 1, 2, 3])] for _ in range(n)]
    targets = [[Q(rng.randint(-9, 9), rng.choice([2, 5, 10]))] for _ in range(n)]
    if rng.random() < 0.5:
        return Problem.dense(widths=[1, 1], inputs=inputs, targets=targets, output_activation=kind)
    return Problem.dense(widths=[1, 1, 1], inputs=inputs, targets=targets, activation=kind)


CLASSES: dict[str, Callable[[random.Random], Problem]] = {
    "monomial": random_monomial,
    "products": random_products,
    "squares": random_squares,
    "coercive": random_coercive,
    "special": random_special,
    "linear": random_linear,
    "polynomial": random_polynomial,
    "piecewise": random_piecewise,
    "kinks": random_kinks,
    "even-kinks": random_even_kinks,
    "partial-ridge": random_partial_ridge,
    "clipped": random_clipped,
    "free-bias": random_free_bias,
    "relu-ridge": random_relu_ridge,
    "requ-ridge": random_requ_ridge,
    "outputs": random_outputs,
    "deep-linear": random_deep_linear,
    "deep-ridge": random_deep_ridge,
    "exponential": random_exponential,
    "chain": random_chain,
}


def make(name: str, seed: int) -> Problem:
    """The problem of class ``name`` with this seed, the same in every process."""
    return CLASSES[name](random.Random(f"{name}-{seed}"))
