"""The floating-point twin: the same loss in float64 torch, batched, on CPU or CUDA. It decides nothing.

What comes from here carries the word *numerical*. It can agree with exact results, complain with a discrepancy that
can be reproduced (seed and starting point), or report a numerical finding. Names load on first use; without the extra
``torch`` the package can be imported and every use says what to install.
"""

from __future__ import annotations

import importlib
from typing import Any

from explorer.errors import Unsupported

_HOMES = {
    "Backend": "explorer.numeric.backend",
    "TorchBackend": "explorer.numeric.backend",
    "Twin": "explorer.numeric.twin",
    "compiled": "explorer.numeric.backend",
    "connection": "explorer.numeric.slices",
    "crosscheck": "explorer.numeric.agreement",
    "larger": "explorer.numeric.widths",
    "problem_reports": "explorer.numeric.reports",
    "promote": "explorer.numeric.promotion",
}

__all__ = [
    "Backend",
    "TorchBackend",
    "Twin",
    "compiled",
    "connection",
    "crosscheck",
    "larger",
    "problem_reports",
    "promote",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(importlib.import_module(_HOMES[name]), name)
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise Unsupported(
            "explorer.numeric", expected="torch", got="none installed", remedy="pip install 'landscape-explorer[torch]'"
        ) from None
