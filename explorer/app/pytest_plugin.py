"""pytest plug-in: the fixture ``landscape_claims`` and an outcome of its own for claims that nobody could decide.

A claim is proved by a certificate that the independent checker accepts (the test goes on), refuted (an assertion fails)
or unknown: letter ``U``, never a pass. The ini option ``landscape_unknown`` says what an unknown does to the run:
``fail`` (default) or ``report`` (listed, but the run may still succeed). Loading this module imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from explorer.app.claims import LandscapeClaims

#: attribute of a report that carries the reason of an unknown claim
MARK = "unknown_claim"


class UnknownClaim(Exception):
    """A claim that was neither proved nor refuted; the message is the reason."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(
        "landscape_unknown", "what an undecided landscape claim does to the run: 'fail' or 'report'", default="fail"
    )
    parser.addini("landscape_budget", "seconds that one landscape claim may take", default="60")


def pytest_configure(config: pytest.Config) -> None:
    if config.getini("landscape_unknown") not in ("fail", "report"):
        raise pytest.UsageError("landscape_unknown: expected 'fail' or 'report'")
    try:
        positive = float(config.getini("landscape_budget")) > 0
    except ValueError:
        positive = False
    if not positive:
        raise pytest.UsageError("landscape_budget: expected a positive number of seconds")


@pytest.fixture
def landscape_claims(request: pytest.FixtureRequest) -> LandscapeClaims:
    """Exact claims about loss landscapes as assertions; see `explorer.app.claims.LandscapeClaims`."""
    from explorer.app.claims import LandscapeClaims
    from explorer.budget import Budget

    return LandscapeClaims(budget=Budget(float(request.config.getini("landscape_budget"))))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if call.excinfo is not None and isinstance(call.excinfo.value, UnknownClaim):
        reason = str(call.excinfo.value)
        setattr(report, MARK, reason)
        if item.config.getini("landscape_unknown") == "report":
            report.outcome = "skipped"
            report.longrepr = (str(item.path), item.location[1] or 0, f"unknown: {reason}")
    return report


def pytest_report_teststatus(report: Any) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
    if hasattr(report, MARK):
        return "unknown", "U", ("UNKNOWN", {"yellow": True})
    return None


def pytest_terminal_summary(terminalreporter: Any) -> None:
    unknown = terminalreporter.stats.get("unknown", [])
    if not unknown:
        return
    terminalreporter.section("unknown landscape claims")
    for report in unknown:
        terminalreporter.write_line(f"UNKNOWN {report.nodeid}: {getattr(report, MARK)}")
