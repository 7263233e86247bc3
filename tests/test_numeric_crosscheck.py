"""The cross-check: agreement on every case, and planted faults that it must catch."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import pytest
from numeric_tools import DEVICES, torch

from explorer.app.cases import cases
from explorer.app.itinerary import box_of
from explorer.app.main import run
from explorer.app.numerical import claims_of_folder
from explorer.budget import Budget
from explorer.errors import Invalid
from explorer.model.landscape import Landscape
from explorer.numeric import agreement
from explorer.numeric.agreement import crosscheck, start_points
from explorer.numeric.backend import compiled
from explorer.numeric.membership import polynomial
from explorer.numeric.newton import ESCAPED, LIMIT, STALLED, descend
from explorer.point import Inertia, Point
from explorer.problem import Loss, Problem
from explorer.solve.critical import critical_set
from explorer.solve.results import CriticalSet, Kind

STARTS = 96


@cache
def solved(slug: str) -> CriticalSet:
    return critical_set(cases(slug).problem, budget=Budget(60), box=box_of(cases(slug)))


#: limits of F for w to infinity (by hand: derivation.md), where the gradient falls below every tolerance in double precision
AT_INFINITY = {"exp-unit": 13, "tanh-unit": 2}


def counts_against(case, said) -> bool:
    """Not where a box was asked for and the point lies outside, nor where a descent crawls towards infinity."""
    box = box_of(case)
    if box is not None and not all(a <= t <= b for a, t, b in zip(box.lower, said.theta, box.upper, strict=True)):
        return False
    level = AT_INFINITY.get(case.slug)
    crawls = level is not None and abs(said.theta[0]) > 5 and f"F = {level}" in said.what
    return not crawls


@pytest.mark.parametrize("case", cases(), ids=lambda c: c.slug)
def test_every_case_agrees(case):
    big = len(case.problem.parameters) > 12
    found = solved(case.slug)
    said = crosscheck(
        case.problem, found, claims=claims_of_folder(case.folder, case.problem), device="cpu",
        starts=12 if big else STARTS,
    )  # fmt: skip
    assert [d.what for d in said.discrepancies if counts_against(case, d)] == []
    assert said.agrees or case.slug in AT_INFINITY or "box" in case.expected
    assert said.compared
    counts = said.starts["descents"]
    assert counts["limits"] + counts["stalled"] + counts["escaped"] == counts["total"]
    json.dumps(said.to_json(), allow_nan=False)


def test_the_basins_of_two_known_minima_are_reached():
    """xyz-decay: minima at F = 1 (the origin) and F = 0.68...; quadratic-2: three classes (expected.json)."""
    for slug in ("xyz-decay", "quadratic-2"):
        said = crosscheck(cases(slug).problem, solved(slug), device="cpu", starts=STARTS)
        assert said.missed == ()
        minima = [c for c in solved(slug).components if c.kind.is_minimum]
        assert sum(f["kind"] == "strict minimum" for f in said.found) == len(minima)


@pytest.mark.parametrize("device", DEVICES)
def test_the_same_seed_gives_the_same_report(device):
    problem = cases("xyz-decay").problem
    first, second = (crosscheck(problem, solved("xyz-decay"), device=device, starts=60, seed=4) for _ in range(2))
    assert first.to_json() == second.to_json()
    assert first.to_json() != crosscheck(problem, solved("xyz-decay"), device=device, starts=60, seed=5).to_json()


# -- planted faults ------------------------------------------------------------------------------------------------


def test_fault_one_wrong_sign_in_an_exact_hessian_entry(monkeypatch):
    """Every off-diagonal pair of the Hessian of the sample in turn, in one case."""
    problem, found = cases("xyz-decay").problem, solved("xyz-decay")
    rational = [c for c in found.components if isinstance(c.sample, Point)]
    only = replace(found, components=tuple(rational[:1]))
    sound = Landscape.at
    point = {"w1_1_1": 1, "w2_1_1": 2, "w3_1_1": 3}
    claim = agreement.Claim("a regular point", Point.rational(point.values()))
    honest = crosscheck(problem, only, claims=[claim], device="cpu", starts=0)
    assert honest.agrees
    for i, j in ((0, 1), (0, 2), (1, 2), (2, 2)):

        def flipped(self, at, *, order=2, i=i, j=j):
            local = sound(self, at, order=order)
            rows = [list(r) for r in local.hessian]
            rows[i][j] = tuple(-x for x in rows[i][j])
            return replace(local, hessian=tuple(map(tuple, rows)))

        monkeypatch.setattr(Landscape, "at", flipped)
        said = crosscheck(problem, only, claims=[claim], device="cpu", starts=0)
        names = problem.parameters
        assert any(f"d2F/d{names[i]} d{names[j]}" in d.what for d in said.discrepancies)


@pytest.mark.parametrize("slug", ["xyz-decay", "quadratic-2", "fig2", "neuron-square"])
def test_fault_one_minimum_removed_from_the_list(slug):
    found = solved(slug)
    for gone in [c for c in found.components if c.kind.is_minimum]:
        rest = replace(found, components=tuple(c for c in found.components if c is not gone))
        said = crosscheck(cases(slug).problem, rest, device="cpu", starts=STARTS)
        [complaint, *_] = [d for d in said.discrepancies if d.where == "multi-start"]
        # reproducible: the start that is printed leads to the point that is printed
        start = torch.tensor([complaint.start], dtype=torch.float64)
        ends = descend(compiled(cases(slug).problem, device="cpu"), start, merit=complaint.merit)
        assert torch.allclose(ends.theta[0], torch.tensor(complaint.theta, dtype=torch.float64), atol=1e-4)
        twin = compiled(cases(slug).problem, device="cpu")
        assert torch.equal(start_points(twin, STARTS, said.seed)[complaint.start_index], start[0])


@pytest.mark.parametrize("slug", ["xyz-decay", "quadratic-2", "linear-2-2-ridge"])
def test_fault_one_false_index(slug):
    found = solved(slug)
    for k, c in enumerate(found.components):
        assert c.inertia is not None
        i = c.inertia
        wrong = [Inertia(i.positive - 1, i.zero, i.negative + 1)] if i.positive else []
        wrong += [Inertia(i.positive + 1, i.zero, i.negative - 1)] if i.negative else []
        for other in wrong:
            changed = (*found.components[:k], replace(c, inertia=other), *found.components[k + 1 :])
            said = crosscheck(cases(slug).problem, replace(found, components=changed), device="cpu", starts=0)
            # eigenvalues below their rounding error have no sign in float64: then, and only then, nothing is said
            tiny = min(abs(x) for x in torch.linalg.eigvalsh(_hessian(slug, c))) < 1e-9
            assert bool(said.discrepancies) or tiny
            assert {d.where for d in said.discrepancies} <= {f"component {k + 1}"}


def _hessian(slug, component):
    from explorer.numeric.exact_points import floats

    twin = compiled(cases(slug).problem, device="cpu")
    return twin.hessians(torch.tensor([floats(component.sample)], dtype=torch.float64))[0]


def test_fault_a_saddle_called_a_minimum():
    found = solved("xyz-decay")
    changed = tuple(replace(c, kind=Kind.MINIMUM) if c.kind.is_saddle else c for c in found.components)
    said = crosscheck(cases("xyz-decay").problem, replace(found, components=changed), device="cpu", starts=0)
    assert any("called a minimum" in d.what for d in said.discrepancies)


@pytest.mark.parametrize("slug", ["xyz-decay", "quadratic-2", "linear-2-2-ridge"])
def test_fault_one_wrong_loss_weight(slug):
    """The exact result of the right problem, presented as one of a problem with another weight on one sample."""
    problem = cases(slug).problem
    assert problem.loss is not None
    weights = (problem.loss.weights[0] * 2, *problem.loss.weights[1:])
    other = replace(problem, loss=Loss("squared", weights))
    said = crosscheck(other, replace(solved(slug), problem=other), device="cpu", starts=0)
    assert any("F is" in d.what for d in said.discrepancies)
    assert any("gradient" in d.what for d in said.discrepancies)


def test_a_critical_set_of_another_problem_is_refused():
    with pytest.raises(Invalid):
        crosscheck(cases("vw").problem, solved("xyz"), device="cpu", starts=0)


# -- limits, stalls, escapes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("device", DEVICES)
def test_escapes_are_not_limits(device):
    """F = e^(2w) (one exponential unit, target 0) has no critical point: every descent escapes to -infinity."""
    p = Problem.dense(widths=[1, 1], inputs=[1], targets=[0], output_activation="exp")
    ends = descend(compiled(p, device=device), torch.linspace(-2, 2, 21, dtype=torch.float64, device=device)[:, None])
    assert ends.count(LIMIT) == 0
    assert ends.count(ESCAPED) == 21


def test_a_long_step_into_saturation_is_an_escape():
    """sigmoid-neuron-2 has three critical points (its derivation); F tends to 0.17 and 1.17 where the unit saturates. Starting
    far out float64 computes gradient and Hessian 0 there, which is no limit."""
    p = cases("sigmoid-neuron-2").problem
    far = torch.tensor([[-2000.0], [-60.0], [60.0], [2000.0]], dtype=torch.float64)
    for merit in ("value", "gradient"):
        assert descend(compiled(p, device="cpu"), far, merit=merit).count(LIMIT) == 0
    said = crosscheck(p, solved("sigmoid-neuron-2"), device="cpu", starts=1024)
    assert [d.what for d in said.discrepancies] == []


def test_an_exponential_that_underflows_is_an_escape():
    """(e^w - 3)^2 has one critical point, w = ln 3; from w = -800 float64 sees a constant."""
    p = Problem.dense(widths=[1, 1], inputs=[1], targets=[3], output_activation="exp")
    ends = descend(compiled(p, device="cpu"), torch.tensor([[-800.0], [1.0]], dtype=torch.float64))
    assert ends.outcome.tolist() == [ESCAPED, LIMIT]


def test_separable_logistic_regression_escapes():
    p = Problem.dense(widths=[1, 1], inputs=[1, -2], targets=[1, -1], loss="logistic")
    ends = descend(compiled(p, device="cpu"), torch.linspace(-3, 3, 7, dtype=torch.float64)[:, None])
    assert ends.count(LIMIT) == 0


@pytest.mark.parametrize("device", DEVICES)
def test_a_minimum_at_a_kink_is_a_stall(device):
    """F = w^2 - 2w + 1 + 4|w| has its minimum at the kink w = 0, where no gradient vanishes."""
    p = Problem.dense(
        widths=[1, 1], inputs=[1], targets=[1], regularizer={"kind": "power", "weights": 4, "exponent": 1}
    )
    ends = descend(compiled(p, device=device), torch.tensor([[0.7], [-0.3]], dtype=torch.float64, device=device))
    assert ends.count(STALLED) == 2


def test_polynomials_of_the_equations_are_read_not_evaluated():
    theta = torch.tensor([[2.0, 3.0]], dtype=torch.float64)
    read = lambda text: float(polynomial(text, ("a", "w_1"), theta)[0])  # noqa: E731
    assert read("a^2*w_1 - 2*a*w_1 + 1/2") == 0.5
    assert read("-(a - w_1)^2 + 3") == 2.0
    assert read("2*log(2)") == pytest.approx(1.3862943611198906)
    for text in ("__import__('os')", "a ** 2", "b", "a +", "(a"):
        with pytest.raises(Invalid):
            read(text)


# -- the command ---------------------------------------------------------------------------------------------------


def test_the_command_and_its_document(capsys, tmp_path):
    kept = tmp_path / "run.json"
    code = run(
        ["crosscheck", "xyz-decay", "--starts", "60", "--seed", "3", "--device", "cpu", "-o", str(kept), "--json"]
    )
    document = json.loads(capsys.readouterr().out)
    assert code == 0
    assert document["discrepancies"] == []
    assert document["seed"] == 3
    assert document["trust"] == "numerical"
    assert {"found", "missed", "starts", "limits", "compared"} <= set(document)
    assert json.loads(kept.read_text()) == document
    certificate = tmp_path / "c.json"
    assert run(["promote", str(kept), "--limit", "0", "-o", str(certificate), "--json"]) == 0
    promoted = json.loads(capsys.readouterr().out)
    assert promoted["trust"] == "verified"
    assert run(["check", "xyz-decay", str(certificate)]) == 0
    capsys.readouterr()
    assert run(["promote", str(kept), "--limit", "99"]) == 1
    assert run(["promote", str(certificate)]) == 1


def test_wider_and_recipes_on_the_command_line(capsys):
    assert run(["crosscheck", "vw", "--starts", "30", "--width", "40", "--device", "cpu", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["larger"]["parameters"] == 80
    assert run(["crosscheck", "xyz", "--starts", "6", "--width", "40", "--device", "cpu"]) == 2  # two hidden layers
    assert run(["crosscheck"]) == 1
    assert run(["crosscheck", "--recipe", "no-such", "--json"]) == 1


def test_importing_the_package_loads_no_torch():
    import subprocess
    import sys

    program = "import sys, explorer.numeric, explorer.app.numerical; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_without_torch_the_answer_says_what_to_install(monkeypatch):
    import sys

    from explorer import numeric
    from explorer.errors import Unsupported

    monkeypatch.setitem(sys.modules, "torch", None)
    for name in [m for m in sys.modules if m.startswith("explorer.numeric.")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(Unsupported, match="pip install"):
        _ = numeric.crosscheck
