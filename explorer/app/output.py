"""Where output goes: one answer on standard output, everything else on standard error."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

#: columns of a table when nobody says how wide the screen is (a pipe, a log); the same bytes everywhere
PIPE_WIDTH = 120


def emit(document: Any) -> None:
    """Print ``document`` as the one JSON document of this command."""
    sys.stdout.write(json.dumps(document, indent=1, ensure_ascii=True, allow_nan=False) + "\n")
    sys.stdout.flush()


def console(*, stderr: bool = False) -> Console:
    """A console on standard output (or error), as wide as the terminal or `PIPE_WIDTH` columns in a pipe."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
    return Console(file=stream, width=width, highlight=False, soft_wrap=False)


def show(renderable: Any) -> None:
    """Print a rich renderable on standard output; in a pipe without padding at the ends of lines."""
    if sys.stdout.isatty():
        console().print(renderable)
        return
    screen = console()
    with screen.capture() as captured:
        screen.print(renderable)
    print("\n".join(line.rstrip() for line in captured.get().splitlines()).rstrip())


def note(text: str) -> None:
    """One line for people on standard error (if nobody reads it, the answer and the exit code still stand)."""
    with suppress(OSError):
        sys.stderr.write(text + "\n")


@contextmanager
def working(text: str) -> Iterator[None]:
    """A spinner on standard error while something runs; silent unless that is a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    with console(stderr=True).status(text):
        yield
