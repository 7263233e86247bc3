"""Merge trees against hand-derived ones and against flooding a grid, an independent method that knows no critical point."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from functools import cache

import networkx as nx
import numpy as np
import pytest
from scipy import ndimage

import explorer as ex
from explorer.app.cases import cases
from explorer.budget import Budget
from explorer.errors import Invalid
from explorer.paths import merge
from explorer.paths.floating import Floats
from explorer.paths.trees import MergeTree
from explorer.solve.critical import critical_set
from explorer.solve.results import CriticalSet, Trust


@cache
def solved(slug: str) -> CriticalSet:
    return critical_set(cases(slug).problem, budget=Budget(60))


@cache
def tree(slug: str) -> MergeTree:
    return ex.merge_tree(cases(slug).problem, solved(slug), seed=0)


def levels(t: MergeTree) -> tuple[list[float], list[float]]:
    """Births and merge levels, sorted."""
    merges = [t.graph.nodes[m]["height"] for m in t.merges]
    return sorted(v.birth for v in t.valleys), sorted(merges)


def joined_at(t: MergeTree, a: str, b: str) -> float:
    """The level at which the valleys of two leaves are first in one component."""
    shared = (nx.descendants(t.graph, a) | {a}) & (nx.descendants(t.graph, b) | {b})
    return min(float(t.graph.nodes[n]["height"]) for n in shared)


class Looks:
    """A clock that is over from the look with number ``last`` on."""

    def __init__(self, last: int) -> None:
        self.count, self.last = 0, last

    @property
    def over(self) -> bool:
        self.count += 1
        return self.count >= self.last


@pytest.mark.parametrize("back", [0, 1, 2])
def test_a_budget_that_ends_is_said_wherever_it_ends(back: int) -> None:
    problem, found = cases("vw").problem, solved("vw")

    def built(clock: Looks) -> MergeTree:
        return merge._Builder(problem, found, np.random.default_rng(0), clock, 0).tree()  # type: ignore[arg-type]

    whole = Looks(10**9)
    assert built(whole).complete
    cut = built(Looks(whole.count - back))
    assert not cut.complete
    assert "the budget was spent" in cut.because


# -- by hand -------------------------------------------------------------------------------------------------------


def test_two_branches_of_a_hyperbola():
    """F = (vw - 1)^2: {F < 1} is 0 < vw < 2, one piece in v, w > 0 and one in v, w < 0; they meet at the origin, F = 1."""
    t = tree("vw")
    assert levels(t) == ([0, 0], [1])
    assert t.complete
    assert t.spurious == ()
    assert [t.components(c) for c in (0, 0.5, 1, 3)] == [2, 2, 1, 1]


def test_the_flat_local_minima_of_figure_2_are_no_valley():
    """F = (1 + v (w - 1)^2/8)^2. {F < 1} is -16 < v (w - 1)^2 < 0: two pieces, w < 1 and w > 1 (v < 0). At F = 1 the lines
    w = 1 and v = 0 join everything, the spurious minima w = 1, v > 0 included: born at 1, and at 1 no longer alone."""
    t = tree("fig2")
    assert levels(t) == ([0, 0, 1], [1])
    assert t.complete
    [flat] = [v for v in t.valleys if v.is_global is False]
    assert (flat.birth, flat.merges, flat.escapes) == (1, 1, 1)
    assert flat.persistence == 0
    assert flat.spurious is False
    assert t.spurious == ()


def test_four_octants():
    """F = (xyz - 1)^2: {F < 1} is 0 < xyz < 2, the four octants with xyz > 0; they meet where xyz = 0, F = 1."""
    assert levels(tree("xyz")) == ([0, 0, 0, 0], [1])
    assert len(tree("xyz").valleys) == 4


def test_minima_of_a_linear_network_are_two_pieces():
    """linear 2-2-2, W2 W1 = diag(2, 1) at the minima: W1 runs through the invertible matrices, two pieces by the sign of
    det W1. Between them det W1 = 0, so the product has rank 1 and F is at least the smaller squared singular value, 1."""
    t = tree("linear-2-2")
    assert levels(t) == ([0, 0], [1])
    signs = {np.sign(np.linalg.det(np.reshape(v.point[:4], (2, 2)))) for v in t.valleys}
    assert signs == {-1.0, 1.0}


# -- against expected.json (Singular and PHCpack; derivations of the cases) --------------------------------------------


def enclosed(slug: str, kind: str) -> list[tuple[Fraction, Fraction, int]]:
    """(lower, upper, number of points) of the expected components of one kind."""
    body = json.loads((cases(slug).folder / "expected.json").read_text(encoding="utf-8"))
    found = [c for c in body["components"] if c["kind"] == kind]
    out = []
    for c in found:
        v = c["value"]
        low, high = (v["lower"], v["upper"]) if isinstance(v, dict) else (v, v)
        out.append((Fraction(low), Fraction(high), c.get("pieces", 1)))
    return sorted(out)


def within(value: float, bounds: tuple[Fraction, Fraction, int]) -> bool:
    slack = 1e-9 * (1 + abs(value))
    return float(bounds[0]) - slack <= value <= float(bounds[1]) + slack


def test_xyz_decay_is_a_star():
    """Five minima, four saddles of index 1 in one orbit (sign changes of two parameters), one on each ray from the origin to
    another minimum: all five valleys meet at the value of that orbit. The origin is spurious."""
    t, [saddle] = tree("xyz-decay"), enclosed("xyz-decay", "strict saddle")
    assert len(t.valleys) == 5
    [merge] = t.merges
    assert within(t.graph.nodes[merge]["height"], saddle)
    assert t.complete
    assert "coercive" not in t.because
    [origin] = t.spurious
    assert origin.birth == 1
    assert origin.point == (0, 0, 0)


def test_quadratic_2_merges_twice():
    """F depends on w1_k only through its square, and the four lowest minima (one unit on) are joined in a cycle by the four
    saddles (both units on). The origin is left over the lowest saddle above it, that of unit 1 alone."""
    t = tree("quadratic-2")
    saddles, minima = enclosed("quadratic-2", "strict saddle"), enclosed("quadratic-2", "strict minimum")
    births, merges = levels(t)
    assert all(within(b, m) for b, m in zip(births, [minima[0]] * 2 + [minima[1]] * 2 + [minima[2]], strict=True))
    assert all(within(m, s) for m, s in zip(merges, saddles[:2], strict=True))
    assert t.complete
    assert len(t.spurious) == 3
    assert min(v.persistence for v in t.spurious if v.persistence is not None) < 1e-7  # the origin's, 5e-8


def test_linear_ridge_merges_turns_before_reflections():
    """Flipping one of two hidden units changes the sign of det W1, flipping both does not. Without the ridge minima with one
    sign are one connected turn of the hidden layer; with it, a low saddle stays between them. Changing the sign needs
    det W1 = 0 on the way: W2 W1 of rank 1, and no rank 1 point lies below the rank 1 saddle of least F."""
    t = tree("linear-2-2-ridge")
    saddles = enclosed("linear-2-2-ridge", "strict saddle")
    sign = {v.name: np.sign(np.linalg.det(np.reshape(v.point[:4], (2, 2)))) for v in t.valleys}
    assert sorted(sign.values()) == [-1, -1, 1, 1]
    for a in sign:
        for b in sign:
            if a < b:
                assert within(joined_at(t, a, b), saddles[0] if sign[a] == sign[b] else saddles[1])
    assert t.complete
    assert t.spurious == ()


def test_a_sigmoid_neuron():
    """On a line neighbours merge at the maximum between them; the shallow one is spurious, about 3e-6 deep."""
    t, [top] = tree("sigmoid-neuron-2"), enclosed("sigmoid-neuron-2", "strict maximum")
    assert len(t.valleys) == 2
    assert within(t.graph.nodes[t.merges[0]]["height"], top)
    [shallow] = t.spurious
    assert 0 < shallow.persistence < 1e-5
    assert "not known to be coercive" in t.because


# -- against a flooded grid ----------------------------------------------------------------------------------------

GRIDS = {
    "vw": ((-3, 3, 121), (-3, 3, 121)),
    "fig2": ((-3, 5, 161), (-9, 5, 141)),
    "neuron-square": ((-4, 4, 161), (-4, 6, 161)),
    "xyz-decay": ((-1.6, 1.6, 65),) * 3,
    "sigmoid-neuron-2": ((-8, 4, 24001),),
}


@pytest.mark.parametrize("slug", GRIDS)
def test_components_of_sublevel_sets_as_on_a_grid(slug):
    """Halfway between consecutive critical values, the cells with F <= c have as many components as the tree says."""
    t = tree(slug)
    mesh = np.meshgrid(*(np.linspace(*g) for g in GRIDS[slug]), indexing="ij")
    f = Floats(t.problem).values(np.stack([m.ravel() for m in mesh], axis=1)).reshape(mesh[0].shape)
    heights = sorted({h for _, h in t.graph.nodes(data="height")})
    around = [(a + b) / 2 for a, b in zip(heights, [*heights[1:], heights[-1] + 0.02], strict=True)]
    for level in around:
        _, count = ndimage.label(f <= level, structure=np.ones((3,) * f.ndim))
        assert count == t.components(level), f"at {level}"


# -- honesty -------------------------------------------------------------------------------------------------------


def test_links_are_numerical_and_the_document_is_deterministic():
    t = tree("xyz-decay")
    assert t.trust is Trust.NUMERICAL
    again = ex.merge_tree(t.problem, solved("xyz-decay"), seed=0)
    assert json.dumps(again.to_json(), allow_nan=False) == json.dumps(t.to_json(), allow_nan=False)
    assert "spurious" in str(t)


def test_a_missing_saddle_leaves_a_tree_that_says_so():
    found = solved("xyz-decay")
    rest = replace(found, components=tuple(c for c in found.components if not c.kind.is_saddle))
    t = ex.merge_tree(found.problem, rest)
    assert not t.complete
    assert "never merge" in t.because
    assert len(t.roots) == 5


def test_a_missing_minimum_is_found_by_the_lines():
    found = solved("xyz-decay")
    rest = replace(found, components=tuple(c for c in found.components if c.is_global is not True))
    t = ex.merge_tree(found.problem, rest)
    assert sorted(v.birth for v in t.valleys)[0] == pytest.approx(0.680888341, abs=1e-8)
    assert any(v.name.startswith("unlisted") for v in t.valleys)
    assert not t.complete


def test_valleys_without_a_bottom_are_open_ends():
    """sigmoid-n2-w1: from the saddle one line falls to the minimum 25, the other runs to w = -infinity with v e^w = -10/3
    in the limit: the first sample is met, the second sees output 0, and F tends to (35/9)^2 = 1225/81."""
    t = tree("sigmoid-n2-w1")
    assert not t.complete
    [end] = [n for n, kind in t.graph.nodes(data="kind") if kind == "open end"]
    assert t.graph.nodes[end]["height"] == pytest.approx(1225 / 81, abs=1e-4)


def test_a_critical_set_of_another_problem_is_refused():
    with pytest.raises(Invalid):
        ex.merge_tree(cases("vw").problem, solved("xyz"))
