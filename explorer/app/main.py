"""The command ``explorer``: its entry point and the one place where errors become exit codes.

Exit codes: 0 a conclusive answer (whichever way), 1 invalid input or the thing asked for does not exist,
2 inconclusive (unknown, budget spent), 3 internal error. ``check`` keeps the checker's own: 0 verified, 1 rejected,
2 malformed. With ``--json`` standard output holds exactly one JSON document, also when something fails.
"""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from explorer.app.output import emit, note, show
from explorer.errors import ExplorerError, Invalid, named

EXIT_CODES = (0, 1, 2, 3)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command and leave with its exit code.

    NumPy's linear algebra runs on one thread here unless the caller says otherwise: the matrices are small, and threads that wait for
    each other made descents up to ten times slower on a busy machine.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    raise SystemExit(run(sys.argv[1:] if argv is None else list(argv)))


def run(args: list[str]) -> int:
    """Run one command line; the exit code comes back, errors are already reported."""
    as_json = "--json" in args
    _open_streams()
    try:
        code = _invoke(args)
        sys.stdout.flush()
        return code
    except ExplorerError as error:
        code = 2 if error.exit_code == 1 and _verb(args) == "check" else error.exit_code  # there, 1 means: rejected
        return _fail(error.sentence(), code, as_json, kind=type(error).__name__, parts=_parts(error))
    except BrokenPipeError:
        _give_up_stdout()  # the reader has gone (explorer cases | head)
        return 0
    except OSError as error:
        return _file_error(error, args, as_json)
    except KeyboardInterrupt:
        return _fail("interrupted before an answer", 2, as_json, kind="Interrupted")
    except Exception as error:
        said = getattr(error, "format_message", None)
        if said is None:
            return _internal(error, args, as_json)
        # the command-line library's own errors: unknown options, missing arguments
        remedy = f"see 'explorer {_verb(args)} --help'".replace("  ", " ")
        code = 2 if _verb(args) == "check" else 1
        return _fail(f"{said().rstrip('.')}; {remedy}", code, as_json, kind="Usage", parts={"remedy": remedy})


def _open_streams() -> None:
    """A stream that the caller has closed is replaced by one that leads nowhere; a terminal shows "?" for a letter it lacks."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
        stream = getattr(sys, name)
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def _verb(args: list[str]) -> str:
    """The verb of a command line, or nothing."""
    from explorer.app.commands import app

    verbs = {command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands}
    return next((a for a in args if a in verbs), "")


def _give_up_stdout() -> None:
    """Nothing more can be written there; keep the interpreter from trying again, and complaining, while it shuts down."""
    with suppress(OSError):  # it may be no file at all
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _file_error(error: OSError, args: list[str], as_json: bool) -> int:
    """A file that could not be read or written: an error of the input, unless no file is named and nothing explains it."""
    if error.filename is not None:
        place, remedy = named(error.filename), "check the path"
    elif error.errno in (errno.ENOSPC, errno.EIO, errno.EBADF, errno.EDQUOT):
        place, remedy = "output", "check where it goes"
        _give_up_stdout()
    else:
        return _internal(error, args, as_json)
    said = Invalid(place, expected="a place to read or write", got=error.strerror or "an error", remedy=remedy)
    code = 2 if _verb(args) == "check" else 1
    return _fail(said.sentence(), code, as_json, kind="File", parts=_parts(said))


def _internal(error: Exception, args: list[str], as_json: bool) -> int:
    if "--debug" in args or os.environ.get("EXPLORER_DEBUG"):
        traceback.print_exception(error)
    text = f"internal error: {type(error).__name__}: {str(error)[:300]}"
    return _fail(f"{text} (--debug shows where)", 3, as_json, kind="Internal")


def _at_once(args: list[str]) -> int | None:
    """The answer to the plainest command lines, which scripts repeat; None for all others. Typer, which reads these, takes longer to
    load than `check` and `cases` take without it."""
    if args == ["--version"]:
        from explorer import __version__

        print(f"explorer {__version__}")
        return 0
    if any(a.startswith("-") for a in args):
        return None
    if args[:1] == ["check"] and len(args) > 2:
        from explorer.app.verdicts import check_files

        return check_files(args[1], [Path(a) for a in args[2:]], as_json=False)
    if args == ["cases"]:
        from explorer.app.cases import cases
        from explorer.app.listing import cases_table

        show(cases_table(cases()))
        return 0
    return None


def _invoke(args: list[str]) -> int:
    done = _at_once(args)
    if done is not None:
        return done
    import typer.main

    from explorer.app.commands import app

    # Not through its `main`, which ends the process with codes of its own (an interrupt: 130; a closed pipe: 1).
    command = typer.main.get_command(app)
    try:
        with command.make_context("explorer", list(args)) as context:
            result = command.invoke(context)
    except typer.Exit as leaving:  # --help, --version
        result = leaving.exit_code
    assert result in EXIT_CODES, f"the exit code {result!r}"
    return int(result)


def _parts(error: ExplorerError) -> dict[str, str]:
    return {key: getattr(error, key) for key in ("subject", "expected", "got", "remedy") if getattr(error, key)}


def _fail(text: str, code: int, as_json: bool, *, kind: str, parts: dict[str, Any] | None = None) -> int:
    text = " ".join(text.split())  # one line, whatever the input had in it
    note(f"explorer: {text}")
    if as_json:
        try:
            emit({"error": {"kind": kind, "message": text, "exit_code": code, **(parts or {})}})
        except OSError:
            _give_up_stdout()
    return code


if __name__ == "__main__":
    main()
