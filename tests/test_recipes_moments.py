"""The existence criterion at W = 0, against conditions that are written out here; decided for every planar data set tried."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import product

import pytest

from explorer.certify import exhibit
from explorer.certify.recipes.moments import Quadric, definite_residual
from explorer.errors import NotCertifiable

Row = tuple[Fraction, ...]


def rows(*inputs: tuple[object, ...]) -> list[Row]:
    return [tuple(Fraction(str(v)) for v in x) for x in inputs]


def leading_minors(m: list[list[Fraction]]) -> list[Fraction]:
    """By Laplace expansion: matrices here are at most 4 x 4."""

    def det(a: list[list[Fraction]]) -> Fraction:
        if not a:
            return Fraction(1)
        return sum(((-1) ** j * a[0][j] * det([r[:j] + r[j + 1 :] for r in a[1:]]) for j in range(len(a))), Fraction(0))

    return [det([row[:k] for row in m[:k]]) for k in range(1, len(m) + 1)]


def principal_minors_nonnegative(m: list[list[Fraction]]) -> bool:
    """Semidefinite, by all principal minors."""
    d = len(m)
    for chosen in product((0, 1), repeat=d):
        keep = [k for k in range(d) if chosen[k]]
        if keep and leading_minors([[m[i][j] for j in keep] for i in keep])[-1] < 0:
            return False
    return True


def examine(inputs: list[Row], found: object) -> str:
    """Whether the answer is right by itself: which of the two it is."""
    d = len(inputs[0])
    if isinstance(found, Quadric):
        assert any(any(row) for row in found.a)
        assert principal_minors_nonnegative([list(row) for row in found.a])
        for x in inputs:
            square = sum(found.a[i][j] * x[i] * x[j] for i in range(d) for j in range(d))
            assert square + sum(b * v for b, v in zip(found.b, x, strict=True)) + found.c == 0
        return "quadric"
    assert isinstance(found, tuple)
    assert sum(found) == 0
    assert all(sum(r * x[k] for r, x in zip(found, inputs, strict=True)) == 0 for k in range(d))
    # S on the span of the differences: in coordinates of that span, S' = sum r z z^T for x = x_1 + B z
    differences = [[a - b for a, b in zip(x, inputs[0], strict=True)] for x in inputs]
    basis: list[list[Fraction]] = []
    for v in differences:  # Gram determinants: independent exactly if not 0
        gram = [
            [sum((a * b for a, b in zip(u, w, strict=True)), Fraction(0)) for w in [*basis, v]] for u in [*basis, v]
        ]
        if leading_minors(gram)[-1]:
            basis.append(v)
    form = [
        [
            sum(
                (
                    r * sum((p * q for p, q in zip(u, z, strict=True)), Fraction(0)) * sum((p * q for p, q in zip(w, z, strict=True)), Fraction(0))
                    for r, z in zip(found, differences, strict=True)
                ),
                Fraction(0),
            )
            for w in basis
        ]
        for u in basis
    ]  # fmt: skip
    assert all(m > 0 for m in leading_minors(form))
    return "residual"


def test_by_hand() -> None:
    # a simplex around a point; XOR; three collinear points; affinely independent points; a parabola; the unit circle
    expected = [
        (rows((3, 0), (0, 3), (-3, -3), (0, 0)), "residual"),
        (rows((1, 1), (1, -1), (-1, 1), (-1, -1)), "quadric"),
        (rows((1, 0), (0, 1), ("1/2", "1/2")), "residual"),
        (rows((1, 0), (0, 1), (0, 0)), "quadric"),
        (rows((0, 0), (1, 1), (2, 4), (3, 9), (-1, 1)), "quadric"),
        (
            rows((1, 0), ("3/5", "4/5"), ("-3/5", "4/5"), (0, -1), ("5/13", "12/13"), ("-8/17", "15/17"), (0, 1)),
            "quadric",
        ),
        (rows((0, 0), (1, 0), (0, 1), (2, 1), (1, 3), (-1, 2)), "residual"),
        (rows((1, 0, 0), (0, 1, 0), (0, 0, 1), (-1, -1, -1), (0, 0, 0)), "residual"),
    ]
    for inputs, kind in expected:
        assert examine(inputs, definite_residual(inputs)) == kind


def test_a_hyperbola_is_no_obstruction() -> None:
    """x y = 1: A is indefinite, and four points of one branch with another quadric through them are decided by the rest.

    (1, 1), (2, 1/2), (1/2, 2), (3, 1/3), (-1, -1): were they on a semidefinite quadric, it would be an ellipse or a parabola (or
    two parallel lines) through points of both branches; the answer must be right by itself either way.
    """
    inputs = rows((1, 1), (2, "1/2"), ("1/2", 2), (3, "1/3"), (-1, -1))
    assert examine(inputs, definite_residual(inputs)) in ("quadric", "residual")


def test_every_planar_data_set_is_decided() -> None:
    draw, kinds = random.Random(4), []
    for _ in range(150):
        size = draw.randint(2, 4)
        n = draw.randint(2, 8)
        inputs = [tuple(Fraction(draw.randint(-size, size)) for _ in range(2)) for _ in range(n)]
        if len(set(inputs)) > 1:
            found = definite_residual(inputs)
            assert found is not None
            kinds.append(examine(inputs, found))
    assert min(kinds.count("quadric"), kinds.count("residual")) > 20


def test_scalar_inputs_need_three_different_ones() -> None:
    """A semidefinite quadric on the line is x^2 + b x + c with at most two roots."""
    draw = random.Random(5)
    for _ in range(40):
        inputs = [(Fraction(draw.randint(-3, 3)),) for _ in range(draw.randint(2, 6))]
        if len(set(inputs)) > 1:
            assert examine(inputs, definite_residual(inputs)) == ("residual" if len(set(inputs)) > 2 else "quadric")


def test_three_dimensions() -> None:
    """Ten points on no quadric at all: the space of S(r) has dimension 10 - 4 = 6, it is everything."""
    draw = random.Random(6)
    for _ in range(10):
        inputs = [tuple(Fraction(draw.randint(-9, 9)) for _ in range(3)) for _ in range(10)]
        assert examine(inputs, definite_residual(inputs)) == "residual"


def test_without_the_constant_row() -> None:
    """sum r_i x_i = 0 only, and S on the span of the x_i itself: x_1 = (1, 0), x_2 = (0, 1), x_3 = (1, 1) with r = (1, 1, -1) has
    S = [[0, -1], [-1, 0]], so there is none; the quadric without constant term is x_1^2 - x_1 = 0."""
    inputs = rows((1, 0), (0, 1), (1, 1))
    found = definite_residual(inputs, ones=False, affine=False)
    assert isinstance(found, Quadric)
    assert found.c == 0
    assert examine(inputs, found) == "quadric"


def test_three_dimensions_with_few_points() -> None:
    """Between d + 2 and 9 points the search may give up; what it says must be right, and it decides most of them."""
    draw, kinds = random.Random(7), []
    for n in (5, 6, 7, 8):
        for _ in range(8):
            inputs = [tuple(Fraction(draw.randint(-3, 3)) for _ in range(3)) for _ in range(n)]
            if len(set(inputs)) > 1:
                found = definite_residual(inputs)
                kinds.append("none" if found is None else examine(inputs, found))
    assert kinds.count("none") <= 3
    assert min(kinds.count("quadric"), kinds.count("residual")) >= 3


@pytest.mark.parametrize(
    ("inputs", "why"),
    [
        ([[1, 1], [1, -1], [-1, 1], [-1, -1]], "quadric x1"),
        (["1", "2"], "quadric x1"),
        ([["1", "2"], ["1", "2"]], "inputs that vary"),
    ],
)
def test_the_answer_names_the_quadric(inputs: list[object], why: str) -> None:
    with pytest.raises(NotCertifiable, match=why):
        exhibit("sun2020.quote-IV-ding", inputs=inputs)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"activation": "sin"}, "deep network"),
        ({"activation": "erf"}, "erf'' = 0"),
        ({"activation": "relu"}, "yun2019"),
        ({"activation": "cubic", "bias": False}, "common input weight"),
        ({"activation": "softplus", "bias": False}, "common input weight"),
        ({"depth": 3, "bias": False}, "hidden biases"),
    ],
)
def test_what_the_recipes_cannot_do_is_said(options: dict[str, object], why: str) -> None:
    with pytest.raises(NotCertifiable, match=why):
        exhibit("sun2020.quote-IV-ding", **options)  # type: ignore[arg-type]
