"""The nouns of this layer: a certificate (problem + claim + steps) and an instance (a problem with its certificates).

A certificate is only a proposal: `Certificate.check` hands its bytes to the independent checker, whose verdict is the
only thing that counts (docs/certificate.md is the normative format).
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from explorer.errors import Invalid, NotCertifiable
from explorer.problem import Problem, canonical
from explorer.reading import write_problem
from explorer.shown import Shown

if TYPE_CHECKING:
    from explorer.checker import Verdict

FORMAT = "explorer.certificate/1"
NAME = re.compile(r"[a-z][a-z0-9_-]{0,60}", re.ASCII)


@dataclass(frozen=True)
class Certificate(Shown):
    """A claim about ``problem`` with the steps that prove it, as immutable canonical JSON data.

    ``body`` holds the keys of docs/certificate.md: format, problem (the digest), goal, points, steps.
    """

    problem: Problem
    body: Mapping[str, Any] = field(hash=False)

    def __post_init__(self) -> None:
        if self.body.get("problem") != self.problem.digest:
            raise Invalid("certificate.problem", expected=self.problem.digest, got=str(self.body.get("problem"))[:80])
        object.__setattr__(self, "body", frozen(self.body))

    @property
    def goal(self) -> Mapping[str, Any]:
        """The claim: its ``kind`` and the names of the points that it is about."""
        return self.body["goal"]

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules of the steps, in order."""
        return tuple(step["rule"] for step in self.body["steps"])

    def to_json(self) -> dict[str, Any]:
        """A fresh, mutable copy of the body."""
        return thawed(self.body)

    def to_bytes(self) -> bytes:
        """The file content: canonical JSON and a newline. Equal certificates have equal bytes."""
        return (canonical(self.to_json()) + "\n").encode("ascii")

    def save(self, path: str | Path) -> Path:
        """Write the certificate to ``path``; the file appears whole or not at all."""
        return write_whole(Path(path), self.to_bytes())

    def check(self) -> Verdict:
        """The verdict of the independent checker on exactly the bytes that `save` would write."""
        from explorer.checker import check

        return check(json.dumps(self.problem.to_json(), sort_keys=True).encode("ascii"), self.to_bytes())


def accepted(certificate: Certificate) -> Certificate:
    """``certificate`` itself, if the independent checker accepts it; `NotCertifiable` with the checker's reason if not."""
    verdict = certificate.check()
    if verdict.status != "verified":
        raise NotCertifiable(
            f"certificate of {certificate.goal['kind']}",
            expected="a proof that the checker accepts",
            got=f"{verdict.status} by {verdict.where}: {verdict.why}",
        )
    return certificate


@dataclass(frozen=True)
class Instance(Shown):
    """A problem and named certificates about it, as one folder: problem.json and <name>.certificate.json files."""

    slug: str
    problem: Problem
    certificates: tuple[tuple[str, Certificate], ...]

    def __post_init__(self) -> None:
        names = [name for name, _ in self.certificates]
        for name in (self.slug, *names):
            if NAME.fullmatch(name) is None:
                raise Invalid("instance", expected="names of lower-case letters, digits, - and _", got=repr(name)[:80])
        if len(set(names)) != len(names):
            raise Invalid("instance", expected="each certificate name once", got=", ".join(names)[:80])
        for name, certificate in self.certificates:
            if certificate.problem.digest != self.problem.digest:
                raise Invalid(f"certificate {name}", expected="a certificate about this instance's problem")

    def to_files(self) -> dict[str, bytes]:
        """File name -> content of the folder that `save` writes."""
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch) / "problem.json"
            write_problem(self.problem, path)
            files = {"problem.json": path.read_bytes()}
        return files | {f"{name}.certificate.json": c.to_bytes() for name, c in self.certificates}

    def save(self, directory: str | Path) -> Path:
        """Write the folder ``directory``, problem.json first; every file appears whole or not at all."""
        for name, content in self.to_files().items():
            write_whole(Path(directory) / name, content)
        return Path(directory)


def frozen(data: Any) -> Any:
    """``data`` with every mapping read-only and every list a tuple."""
    if isinstance(data, Mapping):
        return MappingProxyType({key: frozen(data[key]) for key in sorted(data)})
    if isinstance(data, (list, tuple)):
        return tuple(frozen(item) for item in data)
    return data


def thawed(data: Any) -> Any:
    """The inverse of `frozen`: plain dicts and lists."""
    if isinstance(data, Mapping):
        return {key: thawed(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [thawed(item) for item in data]
    return data


def write_whole(path: Path, content: bytes) -> Path:
    """Write ``content`` to ``path`` through a temporary neighbour, so that no reader ever sees half a file."""
    name = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.", suffix=".tmp")
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException as error:
        if name is not None:
            Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None:  # speak of the file that was asked for
            raise OSError(error.errno, error.strerror, str(path)) from None
        raise
    return path
