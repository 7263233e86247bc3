"""``explorer repl``: IPython when it is installed, else Python's own console; the public names are there either way."""

from __future__ import annotations

import code
import sys
from importlib import util
from typing import Any

import explorer
from explorer.app import display

BANNER = """explorer {version}: {names}
Try: p = cases("xyz-decay").problem; critical_set(p)      (help(critical_set) explains; every number is exact)"""


def namespace() -> dict[str, Any]:
    """The session's names: ``explorer``, ``ex`` and every public name, with Fraction for exact numbers."""
    from fractions import Fraction

    names = {name: getattr(explorer, name) for name in explorer.__all__}
    return {"explorer": explorer, "ex": explorer, "Fraction": Fraction, **names}


def banner() -> str:
    return BANNER.format(version=explorer.__version__, names=", ".join(explorer.__all__))


def start(*, plain: bool = False) -> int:
    """Run a session on standard input until it ends. Piped input runs as a script that shows its results."""
    if not plain and util.find_spec("IPython") is not None:
        _ipython(namespace())
    else:
        _console(namespace())
    return 0


def _console(names: dict[str, Any]) -> None:
    before = sys.displayhook
    sys.displayhook = display.displayhook
    try:
        code.interact(banner=banner(), local=names, exitmsg="")
    finally:
        sys.displayhook = before


def _ipython(names: dict[str, Any]) -> None:
    from IPython import start_ipython
    from traitlets.config import Config

    config = Config()
    config.TerminalInteractiveShell.banner1 = banner() + "\n"
    config.TerminalInteractiveShell.enable_tip = False
    config.InteractiveShellApp.exec_lines = ["__import__('explorer.app.display').app.display.teach_ipython()"]
    if not sys.stdin.isatty():
        config.TerminalInteractiveShell.simple_prompt = True
        config.HistoryManager.enabled = False
        config.TerminalInteractiveShell.confirm_exit = False
    start_ipython(argv=[], user_ns=names, config=config)
