"""The command ``explorer``: its entry point and the one place where errors become exit codes.

Exit codes: 0 a conclusive answer (whichever way), 1 invalid input or the thing asked for does not exist,
2 inconclusive (unknown, budget spent), 3 internal error. ``check`` keeps the checker's own: 0 verified, 1 rejected,
2 malformed. With ``--json`` standard output holds exactly one JSON document, also when something fails.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

from explorer.app.output import emit, note
from explorer.errors import ExplorerError

EXIT_CODES = (0, 1, 2, 3)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command and leave with its exit code."""
    raise SystemExit(run(sys.argv[1:] if argv is None else list(argv)))


def run(args: list[str]) -> int:
    """Run one command line; the exit code comes back, errors are already reported."""
    as_json = "--json" in args
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that lacks a letter shows "?" in its place, nothing fails
            stream.reconfigure(errors="replace")
    try:
        code = _invoke(args)
        sys.stdout.flush()
        return code
    except ExplorerError as error:
        return _fail(error.sentence(), error.exit_code, as_json, kind=type(error).__name__, parts=_parts(error))
    except BrokenPipeError:
        # The reader has gone (explorer cases | head); keep the interpreter from complaining while it shuts down.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if error.filename is None:
            return _internal(error, args, as_json)
        return _fail(f"{error.filename}: {error.strerror}; check the path", 1, as_json, kind="File")
    except KeyboardInterrupt:
        return _fail("interrupted before an answer", 2, as_json, kind="Interrupted")
    except Exception as error:
        said = getattr(error, "format_message", None)
        if said is not None:  # the command-line library's own errors: unknown options, missing arguments
            code = 2 if args[:1] == ["check"] else 1
            return _fail(f"{said()} (see 'explorer --help')", code, as_json, kind="Usage")
        return _internal(error, args, as_json)


def _internal(error: Exception, args: list[str], as_json: bool) -> int:
    if "--debug" in args or os.environ.get("EXPLORER_DEBUG"):
        traceback.print_exception(error)
    text = f"internal error: {type(error).__name__}: {' '.join(str(error).split())[:300]}"
    return _fail(f"{text} (--debug shows where)", 3, as_json, kind="Internal")


def _invoke(args: list[str]) -> int:
    import typer.main

    from explorer.app.commands import app

    command = typer.main.get_command(app)
    # Not standalone: exceptions come here instead of ending the process with codes of their own.
    result = command.main(args=args, prog_name="explorer", standalone_mode=False)
    return result if result in EXIT_CODES else 0


def _parts(error: ExplorerError) -> dict[str, str]:
    return {key: getattr(error, key) for key in ("subject", "expected", "got", "remedy") if getattr(error, key)}


def _fail(text: str, code: int, as_json: bool, *, kind: str, parts: dict[str, Any] | None = None) -> int:
    note(f"explorer: {text}")
    if as_json:
        emit({"error": {"kind": kind, "message": text, "exit_code": code, **(parts or {})}})
    return code


if __name__ == "__main__":
    main()
