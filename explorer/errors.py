"""The errors that users meet: one sentence each, with the object, what was expected, what came, and the remedy."""

from __future__ import annotations

from typing import Self


class ExplorerError(Exception):
    """Base of every error that explorer raises on purpose.

    ``subject`` names the object at fault (a path into the input such as ``network.widths``), ``expected`` and ``got``
    say what is wrong with it, ``remedy`` says what to do. ``exit_code`` is the command line's answer to it.
    """

    exit_code = 3

    def __init__(self, subject: str, *, expected: str = "", got: str = "", remedy: str = "") -> None:
        self.subject, self.expected, self.got, self.remedy = subject, expected, got, remedy
        super().__init__(self.sentence())

    def sentence(self) -> str:
        parts = [self.subject]
        if self.expected:
            parts.append(f": expected {self.expected}")
        if self.got:
            parts.append(f"{',' if self.expected else ':'} got {self.got}")
        if self.remedy:
            parts.append(f"; {self.remedy}")
        return "".join(parts)

    def inside(self, place: str) -> Self:
        """The same error with ``place`` (the name of a file, say) before its subject."""
        subject = place if self.subject == "file" else f"{place}: {self.subject}"
        return type(self)(subject, expected=self.expected, got=self.got, remedy=self.remedy)


class Invalid(ExplorerError):
    """The input breaks the contract (exit code 1)."""

    exit_code = 1


class Unknown(ExplorerError):
    """The thing asked for (a statement, a case, a goal) does not exist (exit code 1)."""

    exit_code = 1


class Unsupported(ExplorerError):
    """The input is meaningful, but no method here decides it (exit code 2)."""

    exit_code = 2


class BudgetExceeded(ExplorerError):
    """The budget ran out before an answer (exit code 2)."""

    exit_code = 2


class NotCertifiable(ExplorerError):
    """The fact asked for is false here, or no rule of the checker proves it (exit code 2)."""

    exit_code = 2


class NotBuilt(ExplorerError):
    """A verb of the contract that this version does not have yet (exit code 3)."""

    exit_code = 3


def named(path: object) -> str:
    """A path as it is shown in an error: printable ASCII, at most 200 characters, in quotes where it would not be seen."""
    text = str(path)
    plain = text.isascii() and text.isprintable() and text.strip() == text != ""
    return text[:200] if plain else ascii(text[:200])


def described(value: object) -> str:
    """A short ASCII text of any object for ``got=``: JSON's words for JSON's values, never longer than a line."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):  # a very long integer has no decimal text in Python
        return str(value) if value.bit_length() <= 200 else f"an integer of {value.bit_length()} bits"
    if isinstance(value, str):
        return ascii(value) if len(value) <= 60 else ascii(value[:60]) + "..."
    if isinstance(value, list | tuple):
        return "an empty list" if not value else f"a list of {len(value)}"
    if isinstance(value, dict):
        return "an object {...}"
    return ascii(value) if isinstance(value, float) else f"an object of type {type(value).__name__}"
