"""The house laws that a syntax tree can show: direction of imports, independence of the checker, exactness, file sizes."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from clock_tools import within

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "explorer"
MODULES = sorted(PACKAGE.rglob("*.py"))

#: room -> the rooms that it may import (besides itself); `explorer` is the package's own __init__ with the public names
GROUND = {"errors", "exact", "budget", "shown", "point", "strict", "network", "students", "problem", "reading"}
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "exact": {"errors"},
    "budget": {"errors"},
    "shown": set(),
    "point": {"errors", "exact", "problem", "shown"},
    "network": {"errors", "exact", "students"},
    "students": {"errors", "exact"},
    "problem": {"errors", "exact", "network", "reading", "shown"},
    "strict": {"errors", "exact"},
    "reading": {"errors", "exact", "strict", "network", "problem"},
    "checker": set(),
    "algebra": GROUND,
    "model": GROUND | {"algebra"},
    "homotopy": GROUND | {"algebra", "model"},
    "solve": GROUND | {"algebra", "model", "homotopy"},
    "canonical": GROUND | {"model"},
    "induced": GROUND | {"algebra", "model"},
    "gram": GROUND | {"algebra"},
    "statements": GROUND | {"algebra", "canonical", "gram", "induced", "solve", "paths", "probes"},
    "paths": GROUND | {"algebra", "model", "solve"},
    "probes": GROUND | {"algebra", "model", "solve", "paths"},
    "propose": GROUND | {"checker"},
    "certify": GROUND
    | {
        "algebra",
        "canonical",
        "gram",
        "model",
        "propose",
        "induced",
        "solve",
        "statements",
        "paths",
        "probes",
        "checker",
    },
    "numeric": GROUND | {"algebra", "gram", "propose", "model", "solve", "paths", "certify"},
    "app": GROUND | {"algebra", "model", "solve", "statements", "paths", "certify", "numeric", "checker", "explorer"},
    "explorer": GROUND | {"app", "certify"},
    "__main__": {"app"},
}

#: (importing module, imported module) -> why it may point upward
UPWARD = {("explorer.shown", "explorer.app"): "the one door through which a noun asks for its display, on first use"}

EXACT_ROOMS = (
    "model",
    "gram",
    "canonical",
    "algebra",
    "solve",
    "induced",
    "statements",
    "probes",
    "certify",
    "checker",
    "strict",
    "network",
    "students",
    "problem",
    "reading",
    "point",
    "exact",
)

#: (file, function) -> why a float may appear there
FLOATS_ALLOWED = {
    ("exact.py", "rationalize"): "the one explicit door for floats",
    ("exact.py", "exact"): "names the float that it refuses",
    ("algebra/fields.py", "_float"): "display only",
    ("algebra/msolve.py", "msolve_version"): "a time-out in seconds",
    ("solve/results.py", "nearby"): "the contract's approx, display only",
}

#: files in which floats decide, with the proof that they may: ONE exemption, intervals with outward rounding
DIRECTED = {
    "solve/boxes/arrays.py": "every end is moved outward by more than its rounding error; the proof opens the file"
}

FLOATING_MATH = {"sqrt", "exp", "log", "log2", "log10", "sin", "cos", "tan", "atan", "erf", "pow", "fsum", "hypot", "pi", "e", "isclose"}  # fmt: skip
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "sympify", "srepr", "parse_expr", "simplify", "nsimplify"}
FORBIDDEN_MODULES = {"pickle", "marshal", "shelve", "dill"}
#: heavy module -> the only room that may import it
ONLY_IN = {"torch": "numeric", "matplotlib": "app", "plotly": "app", "typer": "app", "rich": "app", "IPython": "app"}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else parts[0]


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Every module that the file imports, anywhere in it, with the line."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import; write the whole name"
            base = node.module or ""
            for alias in node.names:
                inner = ROOT / Path(*f"{base}.{alias.name}".split("."))
                yield (
                    (f"{base}.{alias.name}" if inner.with_suffix(".py").exists() or inner.is_dir() else base),
                    node.lineno,
                )


def named(paths: list[Path]) -> list[object]:
    return [pytest.param(p, id=str(p.relative_to(ROOT))) for p in paths]


def test_every_room_has_its_rules() -> None:
    rooms = {room(dotted(p)) for p in MODULES}
    assert rooms <= set(MAY_IMPORT), f"say what {rooms - set(MAY_IMPORT)} may import"


@pytest.mark.parametrize("path", named(MODULES))
def test_imports_point_downward(path: Path) -> None:
    here = dotted(path)
    for module, line in imports(path):
        if module.split(".")[0] != "explorer" or room(module) == room(here):
            continue
        if (here, module.rpartition(".")[0]) in UPWARD or (here, module) in UPWARD:
            continue
        assert room(module) in MAY_IMPORT[room(here)], f"{path}:{line}: {here} may not import {module}"


def test_upward_doors_are_used() -> None:
    used = {(dotted(p), m) for p in MODULES for m, _ in imports(p)}
    for here, target in UPWARD:
        assert any(h == here and m.startswith(target) for h, m in used), f"remove the unused door {here} -> {target}"


def test_checker_stands_alone() -> None:
    for module, line in imports(PACKAGE / "checker.py"):
        assert module.split(".")[0] in sys.stdlib_module_names, f"checker.py:{line} imports {module}"


def test_checker_has_no_assert() -> None:
    found = [n.lineno for n in ast.walk(tree(PACKAGE / "checker.py")) if isinstance(n, ast.Assert)]
    assert not found, f"assert vanishes under -O: lines {found}"


def exact_files() -> list[Path]:
    return [p for p in MODULES if room(dotted(p)) in EXACT_ROOMS]


def functions(path: Path) -> Iterator[tuple[str, ast.AST]]:
    """Every node with the name of the innermost function around it ("" at top level)."""

    def walk(node: ast.AST, inside: str) -> Iterator[tuple[str, ast.AST]]:
        for child in ast.iter_child_nodes(node):
            name = child.name if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)) else inside
            yield name, child
            yield from walk(child, name)

    yield from walk(tree(path), "")


def floating(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, (float, complex)):
        return f"the literal {node.value!r}"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("float", "complex"):
        return f"{node.func.id}(...)"
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("math", "cmath"):
        return f"{node.value.id}.{node.attr}" if node.attr in FLOATING_MATH or node.value.id == "cmath" else ""
    return ""


@pytest.mark.parametrize("path", named(exact_files()))
def test_no_float_in_exact_code(path: Path) -> None:
    file = str(path.relative_to(PACKAGE))
    if file in DIRECTED:
        return
    found = [
        f"line {getattr(node, 'lineno', '?')} in {name or 'the module'}: {floating(node)}"
        for name, node in functions(path)
        if floating(node) and (file, name) not in FLOATS_ALLOWED
    ]
    assert not found, f"{file}: {'; '.join(found)} (display only? then say so in FLOATS_ALLOWED)"


def test_float_allowances_are_used() -> None:
    assert len(DIRECTED) == 1
    assert all((PACKAGE / file).exists() for file in DIRECTED)
    for file, function in FLOATS_ALLOWED:
        nodes = [n for name, n in functions(PACKAGE / file) if name == function]
        assert nodes, f"{file} has no function {function}: remove it from FLOATS_ALLOWED"


@pytest.mark.parametrize("path", named(MODULES))
def test_nothing_is_evaluated_or_unpickled(path: Path) -> None:
    for module, line in imports(path):
        top = module.split(".")[0]
        assert top not in FORBIDDEN_MODULES, f"{path}:{line} imports {module}"
        assert ONLY_IN.get(top, room(dotted(path))) == room(dotted(path)), f"{path}:{line} imports {module}"
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            known = isinstance(node.func, ast.Attribute) and name == "compile"  # re.compile
            assert name not in FORBIDDEN_CALLS or known, f"{path}:{node.lineno} calls {name}"


@pytest.mark.parametrize("path", named(MODULES))
def test_no_global_precision(path: Path) -> None:
    """mp.dps = ... or ctx.prec = ... would change other people's computations; work precision belongs to a with block."""
    for node in ast.walk(tree(path)):
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AugAssign) else []
        )
        for target in targets:
            if isinstance(target, ast.Attribute) and target.attr in ("dps", "prec"):
                assert isinstance(target.value, ast.Name), f"{path}:{node.lineno} sets {target.attr}"
                assert target.value.id == "self", f"{path}:{node.lineno} sets {target.value.id}.{target.attr}"


@pytest.mark.parametrize("path", named(MODULES))
def test_no_module_shadows_the_standard_library(path: Path) -> None:
    """A sibling named numbers.py breaks ``fractions`` when a file of the folder runs as a script."""
    names = {path.stem, path.parent.name} - {"__init__", "__main__", "explorer"}
    assert not names & set(sys.stdlib_module_names)


@pytest.mark.parametrize("path", named([p for p in MODULES if p.name != "checker.py"]))
def test_files_stay_small(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= 450, f"{path} has {lines} lines: is it still one thing?"


def tracked() -> list[Path]:
    """The project's own text files: what git tracks, or everything beside build outputs where there is no git."""
    if (ROOT / ".git").exists():
        listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, text=True, check=True)
        paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:
        paths = [p for p in ROOT.rglob("*") if not any(part.startswith((".venv", "venv", "build")) for part in p.parts)]
    return [
        p
        for p in paths
        if p.is_file() and p.suffix in {".py", ".md", ".toml", ".json", ".cff", ".yaml", ".yml", ".txt", ""}
    ]


# Written in pieces, so that this file does not contain what it looks for.
MACHINE_WORDS = re.compile("|".join(["/ro" + "ot/", "/ho" + "me/", "/Us" + "ers/", r"/wo" + "rk/", r"\.\./sha" + "red", "DEVELOP" + r"ERS\.md", r"\.libr" + "ary", "sub" + "agent", "helper ses" + "sion", "before" + "-stop", "py" + r"pi\.org", "python" + "hosted"]))  # fmt: skip


def test_files_speak_of_the_project_not_of_a_machine() -> None:
    for path in tracked():
        text = path.read_text(encoding="utf-8", errors="replace")
        found = MACHINE_WORDS.search(text)
        assert found is None, f"{path.relative_to(ROOT)}: {found.group()!r}" if found else ""


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        (
            "explorer",
            {"sympy", "numpy", "flint", "mpmath", "networkx", "torch", "matplotlib", "typer", "rich", "IPython"},
        ),
        ("explorer.app.pytest_plugin", {"sympy", "numpy", "flint", "torch", "typer"}),
        ("explorer.app.verdicts", {"sympy", "numpy", "flint", "torch"}),
        ("explorer.solve.results", {"sympy", "numpy", "torch"}),
        ("explorer.checker", {"explorer.errors", "sympy", "numpy", "flint"}),
    ],
)
def test_imports_stay_light(module: str, absent: set[str]) -> None:
    # The checker is loaded from its file, so that the package's own __init__ does not count as its import.
    load = (
        f"import runpy; runpy.run_path({str(PACKAGE / 'checker.py')!r})"
        if module == "explorer.checker"
        else f"import {module}"
    )
    modules, seconds = loaded(load)
    assert not absent & modules
    assert seconds < 0.5 or within(loaded(load)[1], 0.5)  # the first time it may have been compiled too


def loaded(load: str) -> tuple[set[str], float]:
    """The modules in a fresh process after the statement, and its processor time since its start."""
    program = f"import sys, time; {load}; print(' '.join(sys.modules)); print(time.process_time(), file=sys.stderr)"
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("COV", "PYTEST"))}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    return set(done.stdout.split()), float(done.stderr.split()[-1])
