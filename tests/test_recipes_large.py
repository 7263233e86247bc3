"""Scale, and the random audit of benchmarks/audit.py on a smaller number of problems."""

from __future__ import annotations

import importlib.util
import json
import time
from pathlib import Path
from types import ModuleType

import pytest

from explorer.certify import exhibit, refute
from explorer.checker import check

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


def audit_module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", BENCHMARKS / "audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_two_hundred_samples_and_four_hundred_units() -> None:
    """Without bias; writing and verifying take less than a minute of CPU (the checker's outputs at p and q dominate)."""
    start = time.process_time()
    (instance,) = refute("sun2020.claim-IV.1", samples=200, width=400)
    problem = json.dumps(instance.problem.to_json()).encode("ascii")
    assert check(problem, instance.certificates[0][1].to_bytes()).status == "verified"
    assert time.process_time() - start < 60
    assert len(instance.problem.parameters) == 800


@pytest.mark.slow
def test_a_large_one_with_bias() -> None:
    (instance,) = exhibit("sun2020.quote-IV-ding", samples=60, width=100)  # the writer has asked the checker
    assert len(instance.problem.parameters) == 300


@pytest.mark.slow
def test_audit() -> None:
    counts = audit_module().audit(problems=200, tries=300, seed=1)
    assert counts["minima"] >= 200
    assert counts["curves"] >= 3


def test_the_audit_finds_a_false_minimum() -> None:
    """F = (1 - v w)^2 at (0, 0): a strict saddle; its neighbours are lower."""
    module = audit_module()
    problem = {
        "network": {"kind": "dense", "widths": [1, 1, 1], "activation": "linear", "bias": False},
        "data": {"inputs": [["1"]], "targets": [["1"]]},
        "loss": {"kind": "squared", "weights": ["1"]},
    }
    assert module.lower_neighbour(problem, module.np.zeros(2), 100, 0) > 0
