"""How nouns come to be shown: one mixin at the bottom, the displays themselves in explorer.app, loaded on first use.

This is the only place below ``app`` that names it: a noun must not know how it looks, and a notebook asks the noun.
"""

from __future__ import annotations

from typing import Any


class Shown:
    """Gives a noun its text (``print``, IPython, rich), ``_repr_html_`` and ``_repr_latex_``."""

    __slots__ = ()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        # IPython stops at the first class that defines __repr__, and a dataclass does: the hook must be in the same class.
        cls._repr_pretty_ = Shown._repr_pretty_  # type: ignore[method-assign]

    def __str__(self) -> str:
        from explorer.app import display

        return display.text(self)

    def __rich__(self) -> Any:
        from explorer.app import display

        return display.rich(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        from explorer.app import display

        return display.html(self)

    def _repr_latex_(self) -> str:
        from explorer.app import display

        return display.latex(self)
