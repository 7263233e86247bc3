"""Handing a problem and a certificate to the independent checker: in this process, or in one of its own.

The checker reads bytes; what the caller holds (a path, a noun, plain JSON data) becomes bytes here and nothing more.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from explorer.checker import Verdict
from explorer.checker import check as check_bytes
from explorer.errors import Invalid, named
from explorer.strict import MAX_BYTES

#: the words of the checker's one line -> the word in JSON; the exit code must agree
STATUS = {"VERIFIED": ("verified", 0), "REJECTED": ("rejected", 1), "MALFORMED": ("malformed", 2)}


def check(problem: Any, certificate: Any) -> Verdict:
    """The independent checker's verdict on a certificate about ``problem``.

    Each may be a path, a `Problem` / `Certificate`, plain JSON data or bytes. The verdict's ``status`` is
    ``verified`` (``fact`` is then a theorem, in the checker's own words), ``rejected`` or ``malformed``.
    """
    if "IPython" in sys.modules:  # the checker knows nothing of notebooks; somebody has to introduce its verdicts
        from explorer.app.display import teach_ipython

        teach_ipython()
    return check_bytes(_bytes(problem, "problem"), _bytes(certificate, "certificate"))


def _bytes(given: Any, what: str) -> bytes:
    if isinstance(given, bytes):
        return given
    if isinstance(given, (str, Path)):
        return read_bytes(Path(given))
    if hasattr(given, "to_json"):
        given = given.to_json()
    if isinstance(given, dict):
        return json.dumps(given, sort_keys=True).encode("ascii")
    raise Invalid(what, expected=f"a path, a {what.capitalize()}, bytes or JSON data", got=type(given).__name__)


def read_bytes(path: Path) -> bytes:
    """The bytes of a file, at most one more than the readers accept (they say that it is too long)."""
    try:
        with open(path, "rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise Invalid(
            named(path), expected="a readable file", got=error.strerror or str(error), remedy="check the path"
        ) from None


class Line(NamedTuple):
    """What the checker printed when it ran on its own: ``status`` as in `Verdict`, ``text`` the rest of its line."""

    status: str
    text: str

    @property
    def verified(self) -> bool:
        return self.status == "verified"


def checker_path() -> Path:
    """The checker's file; it runs alone, without explorer installed."""
    return Path(__file__).resolve().parents[1] / "checker.py"


#: what ``python -I checker.py`` does, from the file's compiled form: compiling takes longer than many a check. A small check is
#: mostly start-up, so: no OpenSSL (hashlib then computes SHA-256 itself), the loader that Python has loaded already (importlib
#: names it too, after importing itself), no garbage collection of the code, and at the end, once the line is out, no tidying up.
ALONE = """
import gc, sys
sys.modules["_hashlib"] = None
gc.disable()
from _frozen_importlib_external import SourceFileLoader
checker = type(sys)("checker")
SourceFileLoader("checker", sys.argv[1]).exec_module(checker)
gc.freeze()
gc.enable()
code = checker.main(sys.argv[2:])
sys.stdout.flush()
getattr(sys.modules.get("posix"), "_exit", sys.exit)(code)
"""


def apart(problem: Path, certificate: Path) -> list[str]:
    """The command that checks the files in a process of its own: isolated, nothing but the standard library on its path."""
    paths = [str(checker_path()), os.path.abspath(problem), os.path.abspath(certificate)]
    return [sys.executable, "-I", "-S", "-c", ALONE, *paths]


def check_apart(problem: Path, certificate: Path, *, seconds: float = 300.0) -> Line:
    """Run the checker in a process of its own (`apart`) and read its verdict line.

    Anything but the one line that the exit code announces counts as rejected: only the checker says "verified".
    """
    command = apart(problem, certificate)
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return Line("rejected", f"no verdict within {seconds:g} s")
    lines = done.stdout.splitlines()
    word, _, rest = lines[0].partition(" ") if len(lines) == 1 else ("", "", "")
    status, code = STATUS.get(word, ("rejected", -1))
    if code != done.returncode:
        said = (done.stderr.strip().splitlines() or ["nothing"])[-1]
        return Line("rejected", f"the checker ended with exit code {done.returncode} and said: {said[:200]}")
    return Line(status, rest)
