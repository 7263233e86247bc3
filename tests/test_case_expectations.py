"""cases/*/expected.json against the problem files, by exact arithmetic that shares nothing with explorer.

What can be recomputed from the statement alone is recomputed here: values, gradients and inertias at the stated
points (polynomials and one-layer sigmoid networks written out below, in Fractions), the recorded run of Singular and
PHCpack, and the closed form of xyz-decay. That the lists are *complete* is proved in the derivation.md files.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import mpmath
import numpy as np
import pytest
from independent.floating import loss as float_loss
from independent.floating import vector
from independent.gradients import RIDGE_CASES, differentiate, gradient, loss

CASES = Path(__file__).resolve().parents[1] / "cases"
RECORDED = Path(__file__).resolve().parent / "independent" / "recorded"
EXPECTED = {p.parent.name: json.loads(p.read_text(encoding="ascii")) for p in sorted(CASES.glob("*/expected.json"))}
PROBLEMS = {p.parent.name: json.loads(p.read_text(encoding="ascii")) for p in sorted(CASES.glob("*/problem.json"))}
SIGMOID = [s for s in EXPECTED if s.startswith("sigmoid")]


def activations(slug: str) -> set[str]:
    net = PROBLEMS[slug]["network"]
    return {a["kind"] for a in [*net["activation"], net["output_activation"]]}


def is_polynomial(slug: str) -> bool:
    body = PROBLEMS[slug]
    squared = body["loss"] is None or body["loss"]["kind"] == "squared"
    smooth = body["regularizer"] is None or body["regularizer"]["kind"] == "l2"
    return squared and smooth and activations(slug) <= {"linear", "square", "cubic", "polynomial"}


POLYNOMIAL = [s for s in EXPECTED if is_polynomial(s)]
OTHERS = [s for s in EXPECTED if s not in POLYNOMIAL and s not in SIGMOID]
KEYS = [
    "format",
    "derivation",
    "complete",
    "real_points",
    "by_index",
    "morse_sum",
    "global_value",
    "components",
    "facts",
]
KINDS = {"strict minimum", "minimum", "strict saddle", "saddle", "maximum", "strict maximum"}


def test_every_case_says_what_is_expected_and_why():
    assert set(EXPECTED) == set(PROBLEMS)
    assert len(EXPECTED) >= 56
    for slug, body in EXPECTED.items():
        assert [k for k in body if k not in ("kinks", "box", "tour")] == KEYS, slug
        assert body["format"] == "explorer.expected/1"
        assert PROBLEMS[slug]["slug"] == slug
        assert (CASES / slug / "derivation.md").read_text(encoding="utf-8").startswith("# ")
        assert all(c["kind"] in KINDS for c in body["components"])
        assert body["components"] or body["facts"]


@pytest.mark.parametrize("slug", EXPECTED)
def test_the_summary_follows_from_the_components(slug):
    body = EXPECTED[slug]
    if not body["complete"]:
        assert body["real_points"] is body["by_index"] is body["morse_sum"] is None
        return
    isolated = [c for c in body["components"] if c["dimension"] == 0 and c["isolated"]]
    by_index: dict[str, int] = {}
    for c in isolated:
        by_index[str(c["index"])] = by_index.get(str(c["index"]), 0) + c["pieces"]
    assert body["real_points"] == sum(c["pieces"] for c in isolated)
    assert body["by_index"] == by_index
    all_isolated = len(isolated) == len(body["components"]) and not body.get("kinks") and "box" not in body
    assert body["morse_sum"] == (sum((-1) ** int(k) * n for k, n in by_index.items()) if all_isolated else None)
    for c in body["components"]:  # where the infimum is not attained, no claim is made about minima
        assert c["global"] == (c["value"] == body["global_value"]) or c["global"] is body["global_value"] is None


# -- polynomial cases -------------------------------------------------------------------------------------------


def at(p: dict, point: list[Fraction]) -> Fraction:
    total = Fraction(0)
    for e, c in p.items():
        for v, k in zip(point, e, strict=True):
            c *= v**k
        total += c
    return total


def inertia(matrix: list[list[Fraction]]) -> list[int]:
    """[positive, zero, negative] by symmetric elimination in Fractions (2 x 2 pivots where the diagonal is zero)."""
    m, counts = [row[:] for row in matrix], [0, 0, 0]
    while m:
        n = len(m)
        k = next((i for i in range(n) if m[i][i]), None)
        if k is None:
            pair = next(((i, j) for i in range(n) for j in range(i) if m[i][j]), None)
            if pair is None:
                counts[1] += n
                break
            i, j = pair  # the congruence row_i += row_j makes the diagonal entry 2 m_ij
            m[i] = [a + b for a, b in zip(m[i], m[j], strict=True)]
            for row in m:
                row[i] += row[j]
            k = i
        pivot, line = m[k][k], m[k]
        counts[0 if pivot > 0 else 2] += 1
        keep = [i for i in range(n) if i != k]
        m = [[m[i][j] - m[i][k] * line[j] / pivot for j in keep] for i in keep]
    return counts


@pytest.mark.parametrize("slug", POLYNOMIAL)
def test_samples_and_facts_of_polynomial_cases(slug):
    f, g = gradient(slug)
    h = [[differentiate(p, k) for k in range(len(g))] for p in g]
    claims = [(c["sample"], c["value"], c["inertia"]) for c in EXPECTED[slug]["components"] if "sample" in c]
    claims += [(x["at"]["coordinates"], x.get("value"), x.get("inertia")) for x in EXPECTED[slug]["facts"]]
    assert claims
    for coordinates, value, stated in claims:
        point = [Fraction(v) for v in coordinates]
        assert all(at(p, point) == 0 for p in g)
        assert value is None or at(f, point) == Fraction(value)
        assert stated is None or inertia([[at(p, point) for p in row] for row in h]) == stated
    for fact in EXPECTED[slug]["facts"]:
        if "better" in fact:
            assert at(f, [Fraction(v) for v in fact["better"]["coordinates"]]) < Fraction(fact["value"])


def test_relu_facts_by_its_two_halves():
    """On w > 0 the network is v w, on w < 0 it is 0: the linear loss and the constant 1."""
    body = EXPECTED["neuron-relu-region"]
    linear = loss(PROBLEMS["neuron-relu-region"] | {"network": PROBLEMS["vw"]["network"]})

    def value(coordinates: list[str]) -> Fraction:
        w, v = map(Fraction, coordinates)
        return at(linear, [max(w, Fraction(0)), v])

    for c in [*body["components"], *body["kinks"]]:
        assert value(c["sample"]) == Fraction(c["value"])
    for sign, near in ((1, "-1"), (-1, "1")):  # v < 0: F >= 1 around the kink; v > 0: F <= 1
        around = [value([str(Fraction(k, 100)), near]) for k in range(-5, 6)]
        assert all(sign * (v - 1) >= 0 for v in around)
        assert any(v != 1 for v in around)
    for fact in body["facts"]:
        assert value(fact["at"]["coordinates"]) == Fraction(fact["value"])


def relu_loss(slug: str, coordinates: list[str]) -> Fraction:
    """F of a 1-hidden-layer relu network without biases, written out from the problem file."""
    body, theta = PROBLEMS[slug], [Fraction(v) for v in coordinates]
    n, units, _ = body["network"]["widths"]
    total = Fraction(0)
    for x, (y,) in zip(body["data"]["inputs"], body["data"]["targets"], strict=True):
        f = sum(
            theta[units * n + j] * max(sum(theta[j * n + k] * Fraction(x[k]) for k in range(n)), Fraction(0))
            for j in range(units)
        )
        total += (f - Fraction(y)) ** 2
    weights = body["regularizer"]["weights"] if body["regularizer"] else []
    return total + sum(Fraction(w) * t * t for w, t in zip(weights, theta, strict=False))


@pytest.mark.parametrize("slug", [s for s in EXPECTED if s.startswith("relu-")])
def test_relu_facts_by_running_the_network(slug):
    body = EXPECTED[slug]
    named = [(c["sample"], c["value"]) for c in [*body["components"], *body["kinks"]] if "sample" in c]
    named += [(f["at"]["coordinates"], f["value"]) for f in body["facts"]]
    assert named
    for coordinates, value in named:
        assert relu_loss(slug, coordinates) == Fraction(value)
    for fact in body["facts"]:
        if "better" in fact:
            assert relu_loss(slug, fact["better"]["coordinates"]) < Fraction(fact["value"])


def test_the_strict_minima_on_kinks_by_nearby_values():
    """relu-plane-ridge: at both minima F rises in 2000 directions at two distances (coordinates from derivation.md, in floats)."""
    import numpy as np

    x, y = np.array([[1.0, 0], [0, 1], [1, 1]]), np.array([1.0, -1, 2])

    def value(t):
        return ((t[:, 2:] * np.maximum(t[:, :2] @ x.T, 0) - y) ** 2).sum(1) + (t**2).sum(1) / 5

    a = np.sqrt(1.4)  # v w_1 = 7/5 with |v| = |w|
    p = np.sqrt(2) * (1 - np.sqrt(2) / 5)  # |v w| on the ray (-1, 1)
    minima = [[a, 0, a], [-np.sqrt(p / 2), np.sqrt(p / 2), -np.sqrt(p)]]
    rng = np.random.default_rng(0)
    for at, stated in zip(np.array(minima), (52 / 25, (123 + 10 * np.sqrt(2)) / 25), strict=True):
        here = value(at[None])[0]
        assert abs(here - stated) < 1e-12
        step = rng.normal(size=(2000, 3))
        step /= np.linalg.norm(step, axis=1, keepdims=True)
        for r in (1e-2, 1e-3):
            assert (value(at + r * step) > here).all()


def test_xyz_decay_in_closed_form():
    """s - s^4 = 1/4 by mpmath at 40 digits, value 1/(16 s^2) + 3 s^2/4 (derivation.md)."""
    with mpmath.workdps(40):
        found = {}
        for guess, kind in ((0.25, "strict saddle"), (0.9, "strict minimum")):
            s = mpmath.findroot(lambda t: t - t**4 - mpmath.mpf(1) / 4, guess)
            found[kind] = 1 / (16 * s**2) + 3 * s**2 / 4
        for c in EXPECTED["xyz-decay"]["components"]:
            if c["value"] != "1":
                low, high = (
                    mpmath.mpf(Fraction(c["value"][k]).numerator) / Fraction(c["value"][k]).denominator
                    for k in ("lower", "upper")
                )
                assert low < found[c["kind"]] < high


@pytest.mark.parametrize("slug", RIDGE_CASES)
def test_ridge_cases_against_the_recorded_run_of_singular_and_phcpack(slug):
    recorded, body = json.loads((RECORDED / f"{slug}.json").read_text(encoding="ascii")), EXPECTED[slug]
    # as many distinct points as the exact count with multiplicity: all of them were found, and each is simple
    assert recorded["complex_points_phcpack_distinct"] == recorded["complex_points_singular"]
    assert float(recorded["smallest_absolute_eigenvalue"]) > 0
    assert recorded["real_points"] == body["real_points"] == len(recorded["points"])
    assert recorded["by_index"] == body["by_index"]
    assert recorded["morse_sum"] == body["morse_sum"] == 1
    f, g = gradient(slug)
    for point in recorded["points"]:  # the record is about *this* problem file
        coordinates = [Fraction(v) for v in point["coordinates"]]
        assert max(abs(at(p, coordinates)) for p in g) < Fraction(1, 10**10)
        assert abs(at(f, coordinates) - Fraction(point["value"])) < Fraction(1, 10**10)
        matching = [
            c for c in body["components"] if c["index"] == point["index"] and encloses(c["value"], point["value"])
        ]
        assert len(matching) == 1
    for c in body["components"]:
        found = [p for p in recorded["points"] if p["index"] == c["index"] and encloses(c["value"], p["value"])]
        assert len(found) == c["pieces"]


def on(ideal: list[str], point: list[Fraction]) -> bool:
    """Whether the polynomials of a recorded ideal vanish at the point."""
    names = {f"t{k + 1}": v for k, v in enumerate(point)}
    return all(eval(p.replace("^", "**"), {"__builtins__": {}}, names) == 0 for p in ideal)


@pytest.mark.parametrize(("slug", "dimensions"), [("chain-5", [4, *[3] * 10]), ("linear-2-1-2-rank-1", [1, 1, 1]), ("square-2-units", [3, 2])])  # fmt: skip
def test_families_against_the_recorded_components_of_singular(slug, dimensions):
    """Every sample lies on a complex component, in one of its dimension only if it is a general point of it."""
    components = json.loads((RECORDED / f"{slug}.components.json").read_text(encoding="ascii"))["components"]
    assert [c["dimension"] for c in components] == dimensions
    hit = set()
    for stratum in EXPECTED[slug]["components"]:
        found = [k for k, c in enumerate(components) if on(c["ideal"], [Fraction(v) for v in stratum["sample"]])]
        assert found
        assert stratum["dimension"] <= max(components[k]["dimension"] for k in found)
        hit |= {components[k]["dimension"] for k in found}
    assert hit == set(dimensions)


@pytest.mark.parametrize("slug", OTHERS)
def test_samples_of_the_other_cases_in_double_precision(slug):
    """Values at the stated points, and on which sides of them F lies nearby (written out again in NumPy)."""
    problem, body = PROBLEMS[slug], EXPECTED[slug]
    draw, checked = np.random.default_rng(0), 0
    claims = [(np.array([float(Fraction(v)) for v in c["sample"]]), c["value"], c["kind"]) for c in
              [*body["components"], *body.get("kinks", [])] if "sample" in c]  # fmt: skip
    claims += [(vector(f["at"]), f.get("value"), None) for f in body["facts"]]
    for p, stated, kind in claims:
        value = float_loss(problem, p[None, :])[0]
        if isinstance(stated, str):
            assert abs(value - float(Fraction(stated))) < 1e-12 * max(1, abs(value))
        steps = draw.uniform(-1, 1, (4000, len(p))) * draw.choice([1e-2, 1e-3], (4000, 1))
        rise = float_loss(problem, p + steps) - value
        assert not (kind or "").endswith("minimum") or rise.min() > -1e-12
        assert not (kind or "").endswith("maximum") or rise.max() < 1e-12
        assert not (kind or "").endswith("saddle") or rise.min() < -1e-10 < 1e-10 < rise.max()
        checked += 1
    assert checked or slug in ("sin-neuron", "softplus-unit", "tanh-neuron")


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("Singular") is None or shutil.which("phc") is None,
    reason="Singular and PHCpack are not installed (apt-get install singular phcpack)",
)
def test_the_recorded_run_can_be_repeated(tmp_path):
    script = RECORDED.parent / "run_tools.py"
    subprocess.run(
        [sys.executable, script, "xyz-decay", "--out", tmp_path], check=True, capture_output=True, timeout=300
    )
    before, after = (json.loads((d / "xyz-decay.json").read_text(encoding="ascii")) for d in (RECORDED, tmp_path))
    for key in (
        "complex_points_singular",
        "complex_points_phcpack_distinct",
        "real_points",
        "by_index",
        "global_value",
    ):
        assert after[key] == before[key]


def encloses(value: str | dict, number: str) -> bool:
    if isinstance(value, str):
        return abs(Fraction(value) - Fraction(number)) < Fraction(1, 10**20)
    return Fraction(value["lower"]) <= Fraction(number) <= Fraction(value["upper"])


# -- sigmoid cases: sigma(k ln 2) = 2^k / (1 + 2^k), derivatives by hand -------------------------------------------


def sigmoid_loss(slug: str, point: dict, *, derivatives: bool = True):
    """F and, written out by hand, its gradient and Hessian for one hidden sigmoid layer and one input."""
    problem = PROBLEMS[slug]
    p, bias = problem["network"]["widths"][1], problem["network"]["bias"][0]
    xs = [Fraction(x) for (x,) in problem["data"]["inputs"]]
    ys = [Fraction(y) for (y,) in problem["data"]["targets"]]
    rows = [[Fraction(c) for c in element] for element in point["coordinates"]]
    inner = p * (2 if bias else 1)
    assert all(row[0] == 0 for row in rows[:inner])  # pure multiples of ln 2 ...
    assert all(len(row) == 1 for row in rows[inner:])  # ... and rational output weights
    multiples = [row[1] if len(row) == 2 else Fraction(0) for row in rows[:inner]]
    v = [row[0] for row in rows[inner:]]
    f, jacobian, curvature = [], [], []
    for x in xs:
        directions = [(x, Fraction(1)) if bias else (x,)] * p
        z = [multiples[j] * x + (multiples[p + j] if bias else 0) for j in range(p)]
        assert all(k.denominator == 1 for k in z)
        s = [Fraction(2) ** int(k) / (1 + Fraction(2) ** int(k)) for k in z]
        d1 = [t * (1 - t) for t in s]
        d2 = [t * (1 - t) * (1 - 2 * t) for t in s]
        f.append(sum(a * b for a, b in zip(v, s, strict=True)))
        jacobian.append(
            [v[j] * d1[j] * d[part] for part in range(len(directions[0])) for j, d in enumerate(directions)] + s
        )
        curvature.append((directions, d1, d2))
    r = [a - b for a, b in zip(f, ys, strict=True)]
    value = sum(t * t for t in r)
    if not derivatives:
        return value
    size = inner + p
    grad = [2 * sum(ri * row[k] for ri, row in zip(r, jacobian, strict=True)) for k in range(size)]
    hess = [[2 * sum(row[a] * row[b] for row in jacobian) for b in range(size)] for a in range(size)]
    for ri, (directions, d1, d2) in zip(r, curvature, strict=True):
        for j in range(p):
            d = directions[j]
            for a in range(len(d)):
                for b in range(len(d)):
                    hess[a * p + j][b * p + j] += 2 * ri * v[j] * d2[j] * d[a] * d[b]
                hess[a * p + j][inner + j] += 2 * ri * d1[j] * d[a]
                hess[inner + j][a * p + j] += 2 * ri * d1[j] * d[a]
    return value, grad, hess


@pytest.mark.parametrize("slug", SIGMOID)
def test_facts_of_sigmoid_cases(slug):
    for fact in EXPECTED[slug]["facts"]:
        value, grad, hess = sigmoid_loss(slug, fact["at"])
        assert value == Fraction(fact["value"])
        if fact["goal"] in ("local-minimum", "global-minimum"):
            assert set(grad) == {0}
        if fact["goal"] == "global-minimum":
            assert value == 0  # the least value of a sum of squares
        if "inertia" in fact:
            assert inertia(hess) == fact["inertia"]
        if "better" in fact:
            better = sigmoid_loss(slug, fact["better"], derivatives=False)
            assert better < value
            assert better == Fraction(fact.get("better_value", better))


def test_the_hand_written_derivatives_by_differences():
    """Guards the guard: the formulas above against central differences of F in mpmath, at a generic rational point."""
    xs, ys, p = (-1, 0, 1), (0, 3, 0), 3
    point = {"coordinates": [["0", str(k)] for k in (2, -1, 1, -1, 3, 0)] + [[str(k)] for k in (1, -2, 3)]}

    def value(*theta):
        out = mpmath.mpf(0)
        for x, y in zip(xs, ys, strict=True):
            f = sum(theta[2 * p + j] / (1 + mpmath.exp(-theta[j] * x - theta[p + j])) for j in range(p))
            out += (f - y) ** 2
        return out

    _, grad, hess = sigmoid_loss("sigmoid-n3-w3-bias", point)
    with mpmath.workdps(50):
        theta = [k * mpmath.ln(2) for k in (2, -1, 1, -1, 3, 0)] + [mpmath.mpf(k) for k in (1, -2, 3)]
        for k in range(9):
            order = tuple(int(i == k) for i in range(9))
            assert abs(mpmath.diff(value, theta, order) - mpmath.mpf(grad[k].numerator) / grad[k].denominator) < 1e-15
            for m in range(k):
                both = tuple(int(i in (k, m)) for i in range(9))
                exact = mpmath.mpf(hess[k][m].numerator) / hess[k][m].denominator
                assert abs(mpmath.diff(value, theta, both) - exact) < 1e-12
