"""Writers of certificates. Nothing that this layer says is believed: the checker recomputes everything."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from explorer.certify.asking import exhibit, refute
    from explorer.certify.certificate import Certificate, Instance
    from explorer.certify.goals import certify

#: names load on first use: the writers need FLINT and SymPy, the nouns need neither
_HOMES = {
    "Certificate": "explorer.certify.certificate",
    "Instance": "explorer.certify.certificate",
    "certify": "explorer.certify.goals",
    "exhibit": "explorer.certify.asking",
    "refute": "explorer.certify.asking",
}

__all__ = ["Certificate", "Instance", "certify", "exhibit", "refute"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
