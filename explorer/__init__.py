"""Exact exploration of the loss landscapes of neural networks: solve, classify, certify, refute, check.

>>> import explorer as ex
>>> p = ex.cases("vw").problem             # F = (w2 w1 - 1)^2
>>> ex.critical_set(p)                     # every critical point, with coverage
>>> c = ex.certify(p, "global-minimum", at={"w1_1_1": 2, "w2_1_1": "1/2"})
>>> ex.check(p, c)                         # the independent checker's verdict

Names load on first use: ``import explorer`` reads no SymPy, NumPy or FLINT.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from explorer import errors as errors
    from explorer.app.cases import cases as cases
    from explorer.app.checking import check as check
    from explorer.budget import Budget as Budget
    from explorer.exact import rationalize as rationalize
    from explorer.point import Point as Point
    from explorer.problem import Problem as Problem
    from explorer.reading import read_problem as read_problem
    from explorer.reading import write_problem as write_problem

# The folder of certificate writers has the name of the verb `certify`. Python binds a submodule to its parent when it
# first loads it; that has just happened, so taking the binding back leaves the name to the verb for good, and
# "from explorer.certify import ..." still finds the folder.
importlib.import_module("explorer.certify")
globals().pop("certify", None)

__version__ = "0.1.0"

#: public name -> the module that holds it
_HOMES = {
    "Budget": "explorer.budget",
    "Point": "explorer.point",
    "Problem": "explorer.problem",
    "cases": "explorer.app.cases",
    "certify": "explorer.certify",
    "check": "explorer.app.checking",
    "coercivity": "explorer.certify.paths",
    "connect": "explorer.certify.paths",
    "critical_set": "explorer.solve.critical",
    "crosscheck": "explorer.numeric",
    "descend": "explorer.certify.paths",
    "escape_path": "explorer.certify.paths",
    "examine": "explorer.certify.examining",
    "exhibit": "explorer.certify",
    "landscape": "explorer.model.landscape",
    "merge_tree": "explorer.paths.merge",
    "plot": "explorer.app.pictures",
    "promote": "explorer.numeric",
    "rationalize": "explorer.exact",
    "read_problem": "explorer.reading",
    "refute": "explorer.certify",
    "statement": "explorer.statements.book",
    "write_problem": "explorer.reading",
}

__all__ = [
    "Budget",
    "Point",
    "Problem",
    "cases",
    "certify",
    "check",
    "coercivity",
    "connect",
    "critical_set",
    "crosscheck",
    "descend",
    "errors",
    "escape_path",
    "examine",
    "exhibit",
    "landscape",
    "merge_tree",
    "plot",
    "promote",
    "rationalize",
    "read_problem",
    "refute",
    "statement",
    "write_problem",
]


def __getattr__(name: str) -> Any:
    if name == "errors":
        return importlib.import_module("explorer.errors")
    if name not in _HOMES:
        raise AttributeError(f"explorer has no public name {name!r}; it has {', '.join(__all__)}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__doc__", "__version__"]
