"""The documents say what is true: the README's session runs, its commands exist, architecture.md names real places."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

import explorer
from explorer.app.commands import app

pytest_plugins = ["pytester"]

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_the_readme_session_runs() -> None:
    session = "\n".join(block for block in blocks(README, "python") if ">>>" in block)
    test = doctest.DocTestParser().get_doctest(session, {}, "README.md", "README.md", 0)
    assert len(test.examples) >= 8
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    runner.run(test, out=said.append)
    assert runner.failures == 0, "".join(said)


def test_the_readme_test_of_a_user_passes(pytester: pytest.Pytester) -> None:
    [block] = [b for b in blocks(README, "python") if "def test_" in b]
    pytester.makepyfile("import explorer as ex\n\n" + block)
    pytester.runpytest_subprocess().assert_outcomes(passed=block.count("def test_"))


def test_the_readme_commands_exist() -> None:
    verbs = {c.name or c.callback.__name__ for c in app.registered_commands if c.callback}
    for block in blocks(README, "sh"):
        for verb in re.findall(r"\bexplorer ([a-z]+)", block):
            assert verb in verbs


def test_the_gate_runs_the_readme_test_command() -> None:
    [command] = re.findall(r"^pip install '\.\[dev\]' && (.*)$", README, re.MULTILINE)
    gate = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert re.search(rf"^{re.escape(command)}$", gate, re.MULTILINE)


def test_links_lead_somewhere() -> None:
    written = [
        ROOT / "README.md",
        ROOT / "CHANGELOG.md",
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("docs/constructions/*.md"),
    ]
    for document in written:
        for target in re.findall(r"\]\(([^)#\s]+)\)", document.read_text(encoding="utf-8")):
            assert "://" in target or (document.parent / target).exists(), f"{document.name} links to {target}"


@pytest.mark.parametrize("index", ["README.md", "docs/constructions/README.md"])
def test_every_page_is_linked_from_its_index(index: str) -> None:
    place = ROOT / index
    linked = {(place.parent / t).resolve() for t in re.findall(r"\]\(([^)#]+)\)", place.read_text(encoding="utf-8"))}
    pages = ROOT.glob("docs/*.md") if index == "README.md" else place.parent.glob("*.md")
    for page in pages:
        assert page in linked or page == place, f"{index} does not link {page.relative_to(ROOT)}"


def test_the_readme_counts_the_statements() -> None:
    from explorer.statements.book import PAPERS, statements

    [(entries, papers)] = re.findall(r"(\d+) statements of (\w+) papers", README)
    assert int(entries) == len(statements())
    assert papers == ["no", "one", "two", "three", "four", "five", "six"][len(PAPERS)]


def test_verbs_of_the_readme_and_of_the_documents_are_built() -> None:
    """A document that shows ``explorer VERB`` in a block of commands shows one that works."""
    from explorer.app.commands import NOT_BUILT

    for document in [ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("docs/constructions/*.md")]:
        for block in blocks(document.read_text(encoding="utf-8"), "(?:sh|console|bash)"):
            for verb in re.findall(r"(?:^|&& |[$] )explorer ([a-z]+)", block, re.MULTILINE):
                assert verb not in NOT_BUILT, f"{document.name}: explorer {verb}"


def named_places() -> list[tuple[str, str]]:
    """Paths in backquotes, each with the name in backquotes and parentheses that follows it, if any."""
    # What is marked "(later)" is a plan.
    found = re.findall(
        r"`((?:explorer|cases|docs|tests)/[\w./<>-]*|\.ci/run)`(?! \(later\))(?: \(`([^`]+)`)?", ARCHITECTURE
    )
    return [(path, name) for path, name in dict.fromkeys(found) if "<" not in path]


def test_architecture_names_enough_places() -> None:
    assert len(named_places()) > 25


@pytest.mark.parametrize(("path", "name"), named_places())
def test_architecture_names_real_places(path: str, name: str) -> None:
    place = ROOT / path
    assert place.exists(), f"docs/architecture.md names {path}"
    if not name:
        return
    if path == "cases/":
        return  # the parenthesis there is a sentence
    name = name.removeprefix("class ").removesuffix(":")
    text = place.read_text(encoding="utf-8")
    assert re.search(rf"^(?:class|def) {re.escape(name)}\b|^{re.escape(name)}\b", text, re.MULTILINE), f"{path}: {name}"


def test_every_room_is_in_the_architecture() -> None:
    for path in (ROOT / "explorer").iterdir():
        if path.name.startswith("_") or path.name == "py.typed":
            continue
        shown = f"explorer/{path.name}" + ("/" if path.is_dir() else "")
        assert f"`{shown}`" in ARCHITECTURE, f"docs/architecture.md does not mention {shown}"


def test_public_names_are_documented_and_listed() -> None:
    assert set(explorer.__all__) <= set(dir(explorer))
    assert len(dir(explorer)) <= 30
    assert {*explorer._HOMES, "errors"} == set(explorer.__all__)
    for name in explorer.__all__:
        value = getattr(explorer, name)
        assert value.__doc__, f"explorer.{name} has no docstring"
    assert callable(explorer.certify)


def test_the_verb_certify_wins_over_the_folder() -> None:
    """Also when the folder's modules are loaded first or later."""
    import importlib

    importlib.import_module("explorer.certify.goals")
    from explorer.certify import Certificate

    assert Certificate.__module__ == "explorer.certify.certificate"
    assert explorer.certify.__name__ == "certify"
    assert callable(explorer.certify)


def test_the_changelog_names_this_version() -> None:
    assert f"## {explorer.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"version: {explorer.__version__}" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f'version = "{explorer.__version__}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
