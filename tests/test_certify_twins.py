"""`certify` on twins. A *twin* is a false neighbour of a true instance: one residual's sign flipped, one unit moved, an output
weight negated. `certify` must refuse it, and the original's certificate, carried over to the twin's problem, must not be accepted.
"""

from __future__ import annotations

from fractions import Fraction

import pytest

from explorer.certify import Certificate, Instance, certify, exhibit, refute
from explorer.errors import NotCertifiable
from explorer.point import Ln2Ring, Point
from explorer.problem import Problem

F = Fraction


def the_point(certificate: Certificate, name: str) -> Point:
    coordinates = certificate.to_json()["points"][name]["coordinates"]
    rows = [row if isinstance(row, list) else [row] for row in coordinates]
    return Point(Ln2Ring(), tuple(tuple(F(c) for c in row) for row in rows))


def sigmoid_instances() -> list[Instance]:
    made = [refute("sun2020.claim-IV.1", samples=n, width=w)[0] for n, w in ((2, 2), (3, 3), (5, 6))]
    return made + [refute("sun2020.claim-IV.1", samples=n, width=w, bias=True)[0] for n, w in ((3, 3), (4, 5))]


@pytest.mark.parametrize("instance", sigmoid_instances(), ids=lambda i: i.slug)
def test_twins_are_refused(instance: Instance) -> None:
    (_, original), problem = instance.certificates[0], instance.problem
    p, q = the_point(original, "p"), the_point(original, "q")
    names = original.goal["hypotheses"]
    same = certify(problem, "spurious-local-minimum", at=p, better=q, hypotheses=names)
    assert same.to_bytes() == original.to_bytes()

    targets = [row[0] for row in problem.data.targets]
    outputs = _outputs(p, problem)
    residual = [f - y for f, y in zip(outputs, targets, strict=True)]
    assert any(residual)
    for k, r in enumerate(residual):
        if r:  # flip the sign of one residual: y_k = f_k + r_k
            twin = _with_targets(problem, [y + 2 * r if i == k else y for i, y in enumerate(targets)])
            _refused(twin, original, p, q)
    # flip the whole residual: still critical, but now a maximum in the input weights
    _refused(_with_targets(problem, [f + r for f, r in zip(outputs, residual, strict=True)]), original, p, q)
    width = problem.network.widths[1]
    for k in (0, width - 1):  # one unit moved to twice its weight, or off zero
        moved = list(p.coordinates)
        moved[k] = (F(0), moved[k][-1] * 2 if len(moved[k]) > 1 else F(1))
        _refused(problem, original, Point(Ln2Ring(), tuple(moved)), q)
    # one output weight negated and the targets moved along: v Hess psi < 0 at that unit
    negated = list(p.coordinates)
    negated[-1] = (-negated[-1][0],)
    flipped = Point(Ln2Ring(), tuple(negated))
    twin = _with_targets(problem, [f - r for f, r in zip(_outputs(flipped, problem), residual, strict=True)])
    _refused(twin, original, flipped, q)
    # a dead output weight: psi >= 0 has no fixed sign there
    dead = Point(Ln2Ring(), (*p.coordinates[:-1], (F(0),)))
    twin = _with_targets(problem, [f - r for f, r in zip(_outputs(dead, problem), residual, strict=True)])
    _refused(twin, original, dead, q)


def _outputs(p: Point, problem: Problem) -> list[Fraction]:
    """f(x_i) at the point, from the definition."""
    width, bias = problem.network.widths[1], problem.network.bias[0]

    def multiple(c: tuple[Fraction, ...]) -> Fraction:
        return c[1] if len(c) > 1 else F(0)

    total = []
    for (x,) in problem.data.inputs:
        f = F(0)
        for j in range(width):
            k = multiple(p.coordinates[j]) * x + (multiple(p.coordinates[width + j]) if bias else 0)
            f += p.coordinates[j - width][0] / (1 + F(2) ** -k.numerator)
        total.append(f)
    return total


def _with_targets(problem: Problem, targets: list[Fraction]) -> Problem:
    net = problem.network
    return Problem.dense(
        widths=net.widths, activation="sigmoid", bias=net.bias, inputs=problem.data.inputs, targets=targets, slug="twin"
    )


def _refused(problem: Problem, original: Certificate, p: Point, q: Point) -> None:
    with pytest.raises(NotCertifiable):
        certify(problem, "local-minimum", at=p)
    body = original.to_json() | {"problem": problem.digest}
    body["points"]["p"]["coordinates"] = [[str(c) for c in row] for row in p.coordinates]
    assert Certificate(problem, body).check().status == "rejected"


def test_single_neuron_twins() -> None:
    (square, *_) = exhibit("sun2020.prop-IV.1")
    original = square.certificates[0][1]
    # F = (1 - v w^2)^2 at w = 0: a bad minimum for v < 0, not one for v > 0 or v = 0
    for v in (1, 0):
        with pytest.raises(NotCertifiable):
            certify(square.problem, "local-minimum", at={"w1_1_1": 0, "w2_1_1": v})
    moved = original.to_json()
    moved["points"]["p"]["coordinates"] = ["0", "1"]
    assert Certificate(square.problem, moved).check().status == "rejected"
