"""docs/constructions: every command runs and is verified, every link leads somewhere, every statement named exists."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from explorer.app.main import run
from explorer.certify.witnesses import EXHIBITS, REFUTATIONS

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "constructions"
NAMES = (
    "README",
    "zero-layer",
    "shared-weight",
    "affine-regions",
    "single-neuron",
    "narrow-networks",
    "splitting",
    "segments",
    "added-unit",
    "requ",
)
PAGES = [FOLDER / f"{name}.md" for name in NAMES]
COMMANDS = [
    line
    for page in PAGES
    for line in re.findall(r"^explorer ((?:exhibit|refute) .*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
]


def test_there_are_pages() -> None:
    assert len(COMMANDS) >= 20
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert text.startswith("# ")
        for target in re.findall(r"\]\(([^)#]+)\)", text):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
        for statement in re.findall(r"`((?:sun2020|yun2019|christof2022|fukumizu2000|explorer)\.[\w.-]+)", text):
            if not statement.endswith(".py"):
                assert statement in {**EXHIBITS, **REFUTATIONS}, f"{page.name} names {statement}"


@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_reproduces(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = shlex.split(command.removesuffix(" -o out"))
    assert run([*arguments, "-o", str(tmp_path), "--json"]) == 0
    for instance in json.loads(capsys.readouterr().out)["instances"]:
        assert all(c["trust"] == "verified" for c in instance["certificates"])
