"""Tools of the checker tests: the specimens, the checker as a module loaded from its file alone, the checker as a program.

`explorer` is not imported here: the checker is one file, and these tests meet it as one file.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

HERE = Path(__file__).parent
CHECKER = HERE.parent / "explorer" / "checker.py"
SPECIMENS = HERE / "certificates"
CASES = HERE.parent / "cases"


#: the rules, goals and activations of docs/certificate.md, format version 1, with the keys of the goals
RULES = [
    "hypothesis",
    "minimum-in-ball",
    "symmetric-inertia",
    "uniform-minimum",
    "value",
    "stationary",
    "stationary-in-box",
    "inertia",
    "strict-minimum",
    "maximum",
    "strict-saddle",
    "flat-minimum",
    "morse-bott-minimum",
    "morse-bott-maximum",
    "descent-curve",
    "ascent-curve",
    "floor",
    "below",
    "global",
    "coercive",
    "path",
    "escape",
    "basin",
    "wall",
    "output-basin",
    "constant",
    "slice-basin",
    "quadratic-output",
    "line",
    "gradient-step",
    "flow",
    "chord",
    "orthogonal-requ",
    "added-unit",
    "zero-error",
    "tangent-optimal",
    "kinks-nearby",
    "rank",
    "disparity",
    "fourier-limit",
    "frozen",
    "revival",
    "aliased",
    "too-few-breaks",
    "gram-floor",
    "gram-null",
    "hidden-gram",
    "linear-descent",
    "hidden-descent",
    "flow-ends",
    "flow-rests",
    "initial-mean",
    "radius",
    "complete-in-box",
    "complete",
    "feature-null",
    "feature-null-near",
    "positive",
]
GOALS = [
    "value",
    "critical-point",
    "critical-inertia",
    "strict-local-minimum",
    "strict-local-maximum",
    "local-minimum",
    "local-maximum",
    "strict-saddle",
    "saddle",
    "not-local-minimum",
    "not-local-maximum",
    "global-minimum",
    "not-global",
    "spurious-local-minimum",
    "uniform-spurious-minimum",
    "coercive",
    "descending-path",
    "bounded-path",
    "escape-path",
    "infimum-at-infinity",
    "not-coercive",
    "barrier",
    "unattained-infimum",
    "slice-basin",
    "no-bad-slices",
    "line-of-minima",
    "line-of-saddles",
    "interpolation-rises",
    "interpolation-falls",
    "exact-barrier",
    "spurious-valley",
    "output-valley",
    "constant-loss",
    "no-local-minimum",
    "local-minima-interpolate",
    "local-minima-classify",
    "silent-unit-classifies",
    "spurious-basin",
    "tangent-optimal",
    "kinks-nearby",
    "rank",
    "full-rank-not-global",
    "full-rank-slope",
    "rank-deficient",
    "trapped",
    "trapped-at-full-rank",
    "fourier-gap",
    "truncated-loss-gap",
    "truncation-unbounded",
    "revived-unit",
    "no-trigonometric-fit",
    "not-interpolable",
    "gram-floor",
    "gram-null",
    "hidden-gram",
    "linear-descent",
    "hidden-descent",
    "flow-ends",
    "flow-rests",
    "initial-mean",
    "critical-points-in-box",
    "critical-points-complete",
    "minimum-value",
    "lower-bound",
    "feature-null",
    "feature-null-near",
    "positive",
]
ACTIVATIONS = [
    "linear",
    "relu",
    "leaky_relu",
    "requ",
    "square",
    "cubic",
    "polynomial",
    "sigmoid",
    "tanh",
    "softplus",
    "swish",
    "exp",
    "sin",
    "erf",
    "gelu",
    "elu",
    "piecewise-polynomial",
]


def load_checker() -> ModuleType:
    """The checker, from its file and under a name of its own (not as a part of the package)."""
    spec = importlib.util.spec_from_file_location("checker_alone", CHECKER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


checker = load_checker()


@dataclass(frozen=True)
class Specimen:
    """A problem and a certificate as bytes; ``note`` holds the ``key: value`` lines that open the note beside them."""

    name: str
    problem: bytes
    certificate: bytes
    note: dict[str, str] = field(default_factory=dict)

    def line(self) -> str:
        return str(checker.check(self.problem, self.certificate).line)


def read_note(path: Path) -> dict[str, str]:
    """The lines ``key: value`` before the first empty line; below stands the mathematics, in words."""
    head, _, body = path.read_text(encoding="ascii").partition("\n\n")
    pairs = dict(line.split(": ", 1) for line in head.splitlines())
    return pairs | {"text": body.strip()}


def specimens(folder: str) -> list[Specimen]:
    """All pairs ``<name>.problem.json`` + ``<name>.certificate.json`` of a folder, each with its ``<name>.txt``."""
    found = []
    for path in sorted((SPECIMENS / folder).glob("*.problem.json")):
        name = path.name.removesuffix(".problem.json")
        sibling = path.with_name(name + ".certificate.json")
        note = read_note(path.with_name(name + ".txt"))
        found.append(Specimen(name, path.read_bytes(), sibling.read_bytes(), note))
    return found


def case_certificates() -> list[Specimen]:
    """Every certificate of the built-in cases, with the problem of its case."""
    return [
        Specimen(f"{path.parent.name}/{path.name}", (path.parent / "problem.json").read_bytes(), path.read_bytes())
        for path in sorted(CASES.glob("*/*.json"))
        if path.name.endswith("certificate.json")
    ]


def matches(line: str, note: dict[str, str]) -> bool:
    """Whether a verdict line is the one that a note expects: verdict and place, and a phrase of the reason or the fact."""
    if not line.startswith(note["expect"]):
        return False
    return note.get("fact", "") in line and re.search(note.get("because", ""), line) is not None


def as_bytes(body: Any) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Run:
    """One run of the checker as a program: what it printed, and what it cost."""

    code: int
    out: str
    err: str
    cpu: float
    megabytes: float


#: Starts the checker, waits, and writes down its exit code, CPU seconds and peak memory. (A process of its own, because
#: the peak memory of a child includes that of the process it was forked from, and pytest is large.)
STARTER = """
import json, resource, subprocess, sys
cpu, memory, *command = sys.argv[1:]
def limits():
    resource.setrlimit(resource.RLIMIT_CPU, (int(cpu), int(cpu) + 1))
    resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
with open("stdout", "wb") as out, open("stderr", "wb") as err:
    code = subprocess.run([sys.executable, *command], stdout=out, stderr=err, preexec_fn=limits).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
json.dump([code, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024], open("usage", "w"))
"""


def run_alone(
    folder: Path,
    arguments: list[str],
    *,
    flags: tuple[str, ...] = ("-I",),
    cpu_limit: int = 60,
    memory_limit: int = 2 << 30,
) -> Run:
    """Run a copy of the one file in ``folder`` (nothing else of the project is there), with resource limits."""
    program = folder / "checker.py"
    if not program.exists():
        shutil.copyfile(CHECKER, program)
    command = [*flags, "checker.py", *arguments]
    start = [sys.executable, "-I", "-S", "-c", STARTER, str(cpu_limit), str(memory_limit), *command]
    subprocess.run(start, cwd=folder, env={"PATH": os.defpath}, check=True)
    code, cpu, megabytes = json.loads((folder / "usage").read_bytes())
    out, err = ((folder / name).read_text(encoding="utf-8", errors="replace") for name in ("stdout", "stderr"))
    return Run(code, out, err, cpu, megabytes)


def timed_check(problem: bytes, certificate: bytes, limit: float) -> tuple[Any, float]:
    """The verdict and the seconds that it took; CPU seconds if the clock on the wall says more than ``limit``."""
    start = time.perf_counter()
    verdict = checker.check(problem, certificate)
    seconds = time.perf_counter() - start
    if seconds > limit:  # perhaps the machine was busy
        start = time.process_time()
        checker.check(problem, certificate)
        seconds = time.process_time() - start
    return verdict, seconds
