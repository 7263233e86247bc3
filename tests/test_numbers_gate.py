"""The gate of exact numbers, and Problem.dense / Problem.monomial as called from Python."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.errors import Invalid
from explorer.exact import MAX_DIGITS, exact, rationalize, text
from explorer.network import ACTIVATION_KEYS, Activation, DenseNetwork, MonomialLoss
from explorer.problem import Dataset, Loss, Problem, Regularizer
from explorer.reading import parse_problem, read_problem, write_problem


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, Fraction(3)),
        (Fraction(1, 3), Fraction(1, 3)),
        ("-7/21", Fraction(-1, 3)),
        ("-0", Fraction(0)),
        ("0012", Fraction(12)),
        (sympy.Rational(2, 6), Fraction(1, 3)),
        (sympy.Integer(5), Fraction(5)),
        (sympy.S.Half, Fraction(1, 2)),
        (np.int64(-4), Fraction(-4)),
        ("9" * MAX_DIGITS, Fraction(10**MAX_DIGITS - 1)),
    ],
)
def test_exact_accepts(value, expected):
    result = exact(value, "here")
    assert result == expected
    assert type(result) is Fraction
    assert type(result.numerator) is int


@pytest.mark.parametrize(
    ("value", "phrase"),
    [
        (0.1, "write '1/10'"),
        (-2.5, "write '-5/2'"),
        (1e-300, "write an integer or 'p/q'"),
        (float("nan"), "the float nan"),
        (float("-inf"), "the float -inf"),
        (np.float64(0.5), "the float"),
        (np.float32(0.5), "type float32"),
        (True, "the truth value True"),
        (np.bool_(True), "type bool"),
        (1j, "type complex"),
        (Decimal("0.1"), "type Decimal"),
        (None, "null"),
        ([1], "a list of 1"),
        (b"1", "type bytes"),
        (sympy.sqrt(2), "type Pow"),
        (sympy.Float("0.5"), "type Float"),
        (sympy.nan, "type NaN"),
        (sympy.oo, "type Infinity"),
        ("9" * (MAX_DIGITS + 1), "at most 2000 digits"),
        (10**MAX_DIGITS, "at most 2000 digits"),
        (Fraction(1, 10**5000), "at most 2000 digits"),
        ("1" * 10**7, "at most 2000 digits"),
    ],
)
def test_exact_refuses(value, phrase):
    with pytest.raises(Invalid, match=r"^here: expected ") as caught:
        exact(value, "here")
    assert phrase in str(caught.value)


def test_rationalize_is_the_explicit_door():
    assert rationalize(0.1) == Fraction(1, 10)
    assert rationalize(3.14159265358979, 113) == Fraction(355, 113)  # the classical convergent of pi
    for bad in (float("nan"), float("inf"), "0.1", None, True):
        with pytest.raises(Invalid, match="rationalize: expected a finite number"):
            rationalize(bad)
    for bound in (0, -1, 1.5, True):
        with pytest.raises(Invalid, match="max_denominator >= 1"):
            rationalize(0.1, bound)


@given(st.fractions())
def test_text_is_read_back(value):
    assert exact(text(value), "x") == value


@given(st.text(max_size=12))
def test_any_text_is_a_number_or_invalid(value):
    """What is accepted is what Python's own Fraction reads too, from plain ASCII digits."""
    try:
        result = exact(value, "x")
    except Invalid:
        return
    assert set(value) <= set("-/0123456789")
    assert result == Fraction(value)


BASE = {"widths": [1, 2, 1], "inputs": [[1], [2]], "targets": [[0], [1]], "activation": "sigmoid"}


@pytest.mark.parametrize(
    ("change", "phrase"),
    [
        ({"widths": 3}, "network.widths: expected a list"),
        ({"widths": "121"}, "network.widths: expected a list"),
        ({"inputs": 3}, "data.inputs: expected a list of rows"),
        ({"targets": "ab"}, "data.targets: expected a list of rows"),
        ({"inputs": [[0.1], [2]]}, "data.inputs[0][0]: expected an exact number, got the float 0.1; write '1/10'"),
        ({"inputs": np.array([[1], [2]])}, "data.inputs[0][0]"),
        ({"acivation": "relu"}, "'acivation'"),
        ({"coefficients": [1]}, "no key 'coefficients'"),
        ({"loss": "mse"}, "loss.kind"),
        ({"loss": ["squared"]}, "loss.kind"),
        ({"loss_weights": 0}, "loss.weights[0]"),
        ({"regularizer": "l2"}, "regularizer: expected an object"),
        ({"regularizer": {"kind": "l2", "weights": 0.5}}, "regularizer.weights"),
        ({"bias": [1, 0]}, "network.bias"),
        ({"slug": 7}, "slug"),
        ({"widths": [1, 10**5000, 1]}, "network.widths[1]"),
    ],
)
def test_dense_refuses(change, phrase):
    with pytest.raises(Invalid) as caught:
        Problem.dense(**{**BASE, **change})
    assert phrase in str(caught.value)


@pytest.mark.parametrize(
    "build",
    [
        lambda: Activation(["relu"]),
        lambda: Activation("relu", slope=1),
        lambda: Activation("polynomial"),
        lambda: Activation("polynomial", coefficients=(0.5,)),
        lambda: Activation("piecewise-polynomial", breaks=(0,), pieces=7),
        lambda: DenseNetwork((1,), (), ()),
        lambda: MonomialLoss(("x", ["y"]), ()),
        lambda: MonomialLoss(("x",), ((0.5, (1,)),)),
        lambda: Dataset((), ()),
        lambda: Loss({}, (1,)),
        lambda: Regularizer("power", (1,), True),
        lambda: Problem(None, None, None),
        lambda: Problem(MonomialLoss(("x",), ((1, (2,)),)), Dataset(((1,),), ((1,),)), None),
        lambda: Problem(DenseNetwork((1, 1), (), (False,)), None, None),
        lambda: Problem.monomial(["x"], [((1,), 1)]),
        lambda: Problem.monomial(["x"], {2: 1}),
        lambda: Problem.monomial("x", {(2,): 1}),
        lambda: MonomialLoss(("x",), 3),
        lambda: DenseNetwork(3, (), (False,)),
        lambda: DenseNetwork((1, 1, 1), ("relu",), (False, False)),
        lambda: DenseNetwork((1, 1), (), (False,), "sigmoid"),
        lambda: Dataset(5, ((1,),)),
    ],
)
def test_the_nouns_check_themselves(build):
    with pytest.raises(Invalid):
        build()


def test_the_nouns_are_exact_and_hashable():
    a = Activation("polynomial", coefficients=[1, "1/2"])
    assert a.coefficients == (Fraction(1), Fraction(1, 2))
    assert hash(a) == hash(Activation("polynomial", coefficients=(Fraction(1), Fraction(1, 2))))
    assert Problem.monomial(["x", "y"], {(2, 0): 1, (0, 2): "-1/2"}) == Problem.monomial(
        ["x", "y"], {(0, 2): Fraction(-1, 2), (2, 0): 1}
    )


# -- every problem that can be built is read back as itself ----------------------------------------------------------

numbers = st.one_of(
    st.integers(-50, 50).map(Fraction), st.fractions(max_denominator=999), st.integers().map(lambda n: Fraction(n, 7))
)
positive = st.fractions(min_value=Fraction(1, 1000), max_denominator=1000)
labels = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)


@st.composite
def activations(draw):
    kind = draw(st.sampled_from(sorted(ACTIVATION_KEYS)))
    if kind == "polynomial":
        return Activation(kind, coefficients=tuple(draw(st.lists(numbers, min_size=1, max_size=4))))
    if kind == "leaky_relu":
        return Activation(kind, slope=draw(numbers))
    if kind == "elu":
        return Activation(kind, alpha=draw(numbers))
    if kind == "piecewise-polynomial":
        breaks = sorted(draw(st.sets(numbers, min_size=1, max_size=3)))
        slopes = draw(st.lists(numbers, min_size=len(breaks) + 1, max_size=len(breaks) + 1))
        pieces = [(draw(numbers), slopes[0])]
        for b, slope in zip(breaks, slopes[1:], strict=True):  # continuous by choice of the constant
            pieces.append((pieces[-1][0] + (pieces[-1][1] - slope) * b, slope))
        return Activation(kind, breaks=tuple(breaks), pieces=tuple(pieces))
    return Activation(kind)


@st.composite
def problems(draw):
    label = {"slug": draw(labels), "source": draw(labels)}
    if draw(st.booleans()):
        count = draw(st.integers(1, 3))
        exponents = st.tuples(*[st.integers(0, 12)] * count)
        terms = draw(st.dictionaries(exponents, numbers, min_size=1, max_size=6))
        return Problem.monomial([f"x{k}" for k in range(count)], terms, **label)
    widths = draw(st.lists(st.integers(1, 3), min_size=2, max_size=4))
    depth, n = len(widths) - 1, draw(st.integers(1, 3))
    net = DenseNetwork(
        widths,
        draw(st.lists(activations(), min_size=depth - 1, max_size=depth - 1)),
        draw(st.lists(st.booleans(), min_size=depth, max_size=depth)),
        draw(activations()),
    )
    rows = [
        [draw(st.lists(numbers, min_size=w, max_size=w)) for _ in range(n)] for w in (net.widths[0], net.widths[-1])
    ]
    loss = Loss(
        draw(st.sampled_from(["squared", "logistic"] if net.widths[-1] == 1 else ["squared"])),
        [draw(positive) for _ in range(n)],
    )
    kinds = [None, "l2", "power"]
    kinds += ["neuron-cubic"] if depth == 2 and net.widths[-1] == 1 and not net.bias[1] else []
    kind, reg = draw(st.sampled_from(kinds)), None
    if kind is not None:
        count = net.widths[1] if kind == "neuron-cubic" else net.parameter_count
        weights = draw(st.lists(numbers.map(abs), min_size=count, max_size=count))
        reg = Regularizer(kind, weights, draw(st.integers(1, 64)) if kind == "power" else None)
    return Problem(net, Dataset(*rows), loss, reg, **label)


@settings(max_examples=150)
@given(problem=problems())
def test_written_problems_are_read_back(problem, tmp_path_factory):
    path = tmp_path_factory.mktemp("p") / "problem.json"
    write_problem(problem, path)
    again = read_problem(path)
    assert again == problem
    assert again.digest == problem.digest
    assert (again.slug, again.source) == (problem.slug, problem.source)
    assert len(again.parameters) == again.network.parameter_count == len(set(again.parameters))


@settings(max_examples=400)
@given(data=st.data())
def test_damaged_files_are_invalid_or_problems_never_a_traceback(data):
    """Any byte changed, cut out or put in: a problem or `Invalid`, nothing else."""
    raw = bytearray(
        b'{"format": "explorer.problem/1", "network": {"kind": "dense", "widths": [1, 2, 1], "activation": ["relu"],'
        b' "bias": [true, false]}, "data": {"inputs": [["1"], ["-2/3"]], "targets": [["0"], [5]]},'
        b' "loss": {"kind": "squared", "weights": ["1", "2"]}, "regularizer": {"kind": "power", "exponent": 3, "weights": 1}}'
    )
    for _ in range(data.draw(st.integers(1, 3))):
        where = data.draw(st.integers(0, len(raw) - 1))
        with_what = data.draw(
            st.one_of(st.binary(max_size=2), st.sampled_from([b'"', b"[", b"]", b"0", b",", b"null"]))
        )
        raw[where : where + data.draw(st.integers(0, 3))] = with_what
    outcome = None
    try:
        outcome = parse_problem(bytes(raw))
    except Invalid as error:
        outcome = error
    assert isinstance(outcome, Problem) or str(outcome).isascii()
