"""The pytest plug-in: proved claims pass, refuted ones fail, undecided ones are neither."""

from __future__ import annotations

import subprocess
import sys

import pytest

from explorer.app.claims import LandscapeClaims
from explorer.app.pytest_plugin import UnknownClaim
from explorer.errors import NotCertifiable
from explorer.problem import Problem

pytest_plugins = ["pytester"]

#: F = (w2 w1 - 1)^2; the hyperbola w1 w2 = 1 is the set of global minima, (0, 0) a strict saddle with F = 1 (by hand)
VW = Problem.dense(widths=[1, 1, 1], inputs=[1], targets=[1], slug="vw")
#: F(x, y) = x^2 + y^4 - y^2: three critical points (0, 0), (0, +-1/sqrt 2), of index 1, 0, 0 (by hand: F_y = 2y(2y^2 - 1))
WELLS = Problem.monomial(["x", "y"], {(2, 0): 1, (0, 4): 1, (0, 2): -1}, slug="wells")

TESTS = """
import explorer as ex
p = ex.Problem.dense(widths=[1, 1, 1], inputs=[1], targets=[1])
"""


def test_proved_claims_return_the_fact() -> None:
    claims = LandscapeClaims()
    assert "global minimum" in claims.global_minimum(VW, {"w1_1_1": 2, "w2_1_1": "1/2"})
    assert claims.saddle(VW, {"w1_1_1": 0, "w2_1_1": 0})
    assert claims.index(VW, {"w1_1_1": 0, "w2_1_1": 0}, 1)
    assert claims.not_global(VW, {"w1_1_1": 0, "w2_1_1": 0}, {"w1_1_1": 1, "w2_1_1": 1})
    assert claims.critical(VW, {"w1_1_1": 0, "w2_1_1": 0})
    assert claims.not_local_minimum(VW, {"w1_1_1": 0, "w2_1_1": 0})
    assert claims.local_minimum(VW, {"w1_1_1": 1, "w2_1_1": 1})


@pytest.mark.parametrize(
    "claim",
    [
        lambda c: c.local_minimum(VW, {"w1_1_1": 0, "w2_1_1": 0}),
        lambda c: c.index(VW, {"w1_1_1": 0, "w2_1_1": 0}, 0),
        lambda c: c.not_global(VW, {"w1_1_1": 1, "w2_1_1": 1}, {"w1_1_1": 0, "w2_1_1": 0}),
        lambda c: c.critical(VW, {"w1_1_1": 1, "w2_1_1": 2}),
        lambda c: c.index(VW, {"w1_1_1": 1, "w2_1_1": 2}, 0),
        lambda c: c.not_local_minimum(VW, {"w1_1_1": 1, "w2_1_1": 1}),
        lambda c: c.all_critical_points(WELLS, 2),
        lambda c: c.all_critical_points(WELLS, 3, by_index={0: 3}),
        lambda c: c.all_critical_points(VW, 1),
    ],
)
def test_refuted_claims_fail(claim: object) -> None:
    with pytest.raises(AssertionError, match="refuted"):
        claim(LandscapeClaims())  # type: ignore[operator]


def test_all_critical_points() -> None:
    claims = LandscapeClaims()
    assert "3 critical points" in claims.all_critical_points(WELLS, 3, by_index={0: 2, 1: 1})
    with pytest.raises(AssertionError, match="refuted"):
        claims.all_critical_points(WELLS, [{"x": 0, "y": 0}])
    with pytest.raises(AssertionError, match="twice"):
        claims.all_critical_points(WELLS, [{"x": 0, "y": 0}] * 3)


def test_no_proof_and_no_refutation_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def undecided(self: object, problem: Problem, goal: str, at: object, better: object) -> tuple[None, str]:
        return None, NotCertifiable(goal, got="no rule").sentence()

    monkeypatch.setattr(LandscapeClaims, "_certificate", undecided)
    with pytest.raises(UnknownClaim, match="no rule"):
        LandscapeClaims().local_minimum(VW, {"w1_1_1": 1, "w2_1_1": 1})


def test_outcomes_in_a_run(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        TESTS
        + """
from explorer.app.pytest_plugin import UnknownClaim

def test_true(landscape_claims):
    landscape_claims.saddle(p, {"w1_1_1": 0, "w2_1_1": 0})

def test_false(landscape_claims):
    landscape_claims.local_minimum(p, {"w1_1_1": 0, "w2_1_1": 0})

def test_unknown(landscape_claims):
    raise UnknownClaim("no rule of the checker applies")
"""
    )
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*.FU*", "*UNKNOWN *test_unknown*no rule of the checker applies*", "*1 unknown*"])
    assert result.ret == 1


@pytest.mark.parametrize(("mode", "code"), [("fail", 1), ("report", 0)])
def test_what_an_unknown_does_to_the_run(pytester: pytest.Pytester, mode: str, code: int) -> None:
    pytester.makeini(f"[pytest]\nlandscape_unknown = {mode}\n")
    pytester.makepyfile(
        """
from explorer.app.pytest_plugin import UnknownClaim

def test_unknown(landscape_claims):
    raise UnknownClaim("undecided")
"""
    )
    result = pytester.runpytest_subprocess("-v", "-rs")
    assert result.ret == code
    result.stdout.fnmatch_lines(["*test_unknown UNKNOWN*", "*UNKNOWN *: undecided", "*1 unknown*"])
    assert result.parseoutcomes().get("passed", 0) == 0


def test_wrong_settings_are_refused(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nlandscape_unknown = pass\n")
    result = pytester.runpytest_subprocess()
    result.stderr.fnmatch_lines(["*landscape_unknown: expected 'fail' or 'report'*"])


def test_the_plugin_is_light() -> None:
    """pytest loads it in every run of every project that has explorer installed."""
    program = "import sys, explorer.app.pytest_plugin; print({'sympy', 'numpy', 'flint', 'rich'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
