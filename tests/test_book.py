"""The theorem book as a whole: numbering, graph, pages, the command line, and what `examine` may say."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from explorer.app.book_pages import pages_of_the_book
from explorer.app.theorem_book import audit, whole
from explorer.certify.examining import examine
from explorer.errors import Invalid, Unknown
from explorer.problem import Problem
from explorer.solve.results import Trust
from explorer.statements import graph
from explorer.statements.book import PAPERS, paper_of, statement, statements
from explorer.statements.nouns import (
    Edge,
    Judgement,
    NotCheckable,
    Outcome,
    Predicate,
    Relation,
    Subject,
    Verdict,
    Witness,
)

HERE = Path(__file__).parent


#: the numbering of the four papers, written down before the book was: one id per line, in the papers' order
CATALOGUE = (HERE / "statement_ids.txt").read_text(encoding="ascii").split()


def test_every_numbered_statement_is_in_the_book() -> None:
    found = [s.id for s in statements()]
    assert len(set(found)) == len(found)
    assert set(CATALOGUE) == set(found), (set(CATALOGUE) - set(found), set(found) - set(CATALOGUE))
    assert len(CATALOGUE) == 137


def test_every_entry_says_what_it_must() -> None:
    for s in statements():
        assert s.title, s.id
        assert len(s.text) >= 30, s.id
        assert s.latex.strip(), s.id
        assert s.because, s.id
        assert s.concepts, s.id
        assert isinstance(s.conclusion, (Predicate, NotCheckable)), s.id
        if s.checkable:
            assert any(e.smallest for e in s.examples), f"{s.id} has no smallest instance"
        names = [e.name for e in s.examples]
        assert len(set(names)) == len(names), s.id
        if s.verdict in (Verdict.FALSE, Verdict.NEEDS_REPAIR):
            assert s.finding, s.id
        if s.is_error:
            assert any(e.outcome is Outcome.REFUTED for e in s.examples), s.id


def test_the_goals_of_the_audit() -> None:
    """At most 25 entries are not checkable; every false one is refuted by certificate, and two thirds of those in need of repair."""
    every = statements()
    assert sum(not s.checkable for s in every) <= 25

    def refuted(v: Verdict) -> list[bool]:
        return [any(e.outcome is Outcome.REFUTED for e in s.examples) for s in every if s.verdict is v]

    false, repair = refuted(Verdict.FALSE), refuted(Verdict.NEEDS_REPAIR)
    assert all(false), [
        s.id for s in every if s.verdict is Verdict.FALSE and not any(e.outcome is Outcome.REFUTED for e in s.examples)
    ]
    assert 3 * sum(repair) >= 2 * len(repair)


def test_the_graph_has_no_dangling_edge_and_no_circle() -> None:
    assert graph.graph().number_of_nodes() == len(statements())
    assert graph.cycles() == []


def test_a_dangling_edge_is_an_error() -> None:
    s = replace(statement("kawaguchi2019.thm-1"), edges=(Edge(Relation.USES, "nobody.thm-1"),))
    with pytest.raises(Invalid, match="nobody"):
        graph.graph(over=[s])


def test_what_breaks() -> None:
    """By hand from the paper: Theorem 1 rests on Lemma 2, Example 2 and the bridge rest on Theorem 1."""
    lost = graph.breaks("kawaguchi2019.lem-2")
    assert {"kawaguchi2019.thm-1", "kawaguchi2019.ex-2", "kawaguchi2019.edge-claim-VI.3"} <= set(lost)
    assert "kawaguchi2019.ass-1" not in lost


# -- examine on made-up statements: what it may and may not say ---------------------------------------------------------


def toy(hypothesis: bool | None, conclusion: Judgement) -> object:
    base = statement("kawaguchi2019.lem-2")
    h = Predicate("h", "the hypothesis", lambda s: Judgement(hypothesis, "because"))
    return replace(
        base, hypotheses=(h,), conclusion=Predicate("c", "the conclusion", lambda s: conclusion), repair=None
    )


P = Problem.dense(widths=[1, 1, 1], inputs=[1], targets=[1])  # (v w - 1)^2
TRUE_CLAIM = Witness("not-global", {"w1_1_1": 0, "w2_1_1": 0}, {"w1_1_1": 1, "w2_1_1": 1})
FALSE_CLAIM = Witness("global-minimum", {"w1_1_1": 0, "w2_1_1": 0})


@pytest.mark.parametrize(
    ("hypothesis", "conclusion", "outcome", "trust"),
    [
        (False, Judgement(False, "x", shows=(TRUE_CLAIM,)), Outcome.VACUOUS, Trust.COMPUTED),
        (True, Judgement(False, "x", shows=(TRUE_CLAIM,)), Outcome.REFUTED, Trust.VERIFIED),
        (True, Judgement(False, "x", shows=(FALSE_CLAIM,)), Outcome.UNDECIDED, Trust.COMPUTED),
        (True, Judgement(False, "x"), Outcome.UNDECIDED, Trust.COMPUTED),
        (None, Judgement(False, "x", shows=(TRUE_CLAIM,)), Outcome.UNDECIDED, Trust.COMPUTED),
        (None, Judgement(True, "x"), Outcome.HOLDS, Trust.COMPUTED),
        (True, Judgement(True, "x", shows=(TRUE_CLAIM,)), Outcome.HOLDS, Trust.VERIFIED),
        (True, Judgement(True, "x", shows=(TRUE_CLAIM, FALSE_CLAIM)), Outcome.HOLDS, Trust.COMPUTED),
        (True, Judgement(True, "x", shows=(TRUE_CLAIM,), partial=True), Outcome.HOLDS, Trust.COMPUTED),
        (True, Judgement(True, "x", Trust.NUMERICAL), Outcome.HOLDS, Trust.NUMERICAL),
        (True, Judgement(None, "x"), Outcome.UNDECIDED, Trust.COMPUTED),
    ],
)
def test_examine_claims_no_more_than_the_checker_accepts(hypothesis, conclusion, outcome, trust) -> None:
    found = examine(toy(hypothesis, conclusion), P)
    assert (found.outcome, found.trust) == (outcome, trust)
    assert all(c.check().status == "verified" for c in found.certificates)


def test_repaired_needs_a_repair() -> None:
    with pytest.raises(Invalid, match="repair"):
        examine(toy(True, Judgement(True, "x")), P, repaired=True)


def test_unknown_ids_are_told_the_near_ones() -> None:
    with pytest.raises(Unknown, match=r"kawaguchi2019\.thm-1"):
        statement("THM-1")


# -- the command line ---------------------------------------------------------------------------------------------------


def run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "explorer", *arguments], capture_output=True, text=True, cwd=cwd)


def test_statements_json_keeps_the_contract() -> None:
    done = run("statements", "--json")
    assert done.returncode == 0, done.stderr
    listed = json.loads(done.stdout)
    assert len(listed) == len(statements())
    for entry in listed:
        assert {"id", "paper", "kind", "title", "verdict", "checkable"} <= set(entry)
    only = json.loads(run("statements", "--paper", "kawaguchi2019", "--json").stdout)
    assert [e["id"] for e in only] == [s.id for s in PAPERS["kawaguchi2019"]]
    assert run("statements", "--paper", "nobody").returncode == 1


def test_examine_json_and_its_certificate(tmp_path: Path) -> None:
    done = run("examine", "kawaguchi2019.thm-1", "vw", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    body = json.loads(done.stdout)
    assert {"statement", "outcome", "hypotheses", "conclusion", "trust", "certificate"} <= set(body)
    assert body["outcome"] == "holds"
    assert all({"text", "holds", "because"} <= set(h) for h in body["hypotheses"])
    assert list(tmp_path.iterdir()) == []
    problem = tmp_path / "relu.json"
    problem.write_text(
        json.dumps(Problem.dense(widths=[1, 1, 1], activation="relu", inputs=[1], targets=[-1]).to_json())
    )
    done = run("examine", "kawaguchi2019.def-Omega", str(problem), "--json", cwd=tmp_path)
    body = json.loads(done.stdout)
    assert (done.returncode, body["outcome"], body["trust"]) == (0, "refuted", "verified")
    assert run("check", str(problem), body["certificate"], cwd=tmp_path).returncode == 0


def test_refute_by_id_of_the_book(tmp_path: Path) -> None:
    done = run("refute", "kawaguchi2019.geo-view", "-o", str(tmp_path / "out"), "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["instances"]
    assert found
    for instance in found:
        for c in instance["certificates"]:
            assert run("check", instance["problem"], c["path"]).returncode == 0
    assert run("refute", "kawaguchi2019.thm-1", "-o", str(tmp_path / "x")).returncode == 2
    assert not (tmp_path / "x").exists()


def test_graph_and_table() -> None:
    assert run("statements", "--graph", "dot").stdout.startswith("digraph")
    assert {"nodes", "edges"} == set(json.loads(run("statements", "--graph", "json").stdout))
    assert run("statements", "--graph", "pie").returncode == 1
    table = json.loads(run("statements", "--table", "--json").stdout)
    assert table["all"]["entries"] == len(statements())
    assert table == audit(statements())


# -- the pages ----------------------------------------------------------------------------------------------------------


def test_committed_pages_are_those_of_the_book() -> None:
    folder = HERE.parent / "docs" / "statements"
    made = pages_of_the_book()
    assert {p.name for p in folder.iterdir()} == set(made), "run 'explorer statements --pages docs/statements'"
    stale = [n for n, text in made.items() if (folder / n).read_text(encoding="utf-8") != text]
    assert stale == [], "run 'explorer statements --pages docs/statements'"


def test_links_between_pages_lead_somewhere() -> None:
    made = pages_of_the_book()
    for name, text in made.items():
        for target in re.findall(r"\]\(([\w.-]+\.md)\)", text):
            assert target in made, f"{name} links to {target}"


def test_json_of_every_statement_is_json() -> None:
    for s in statements():
        assert json.loads(json.dumps(whole(s)))["paper"] == paper_of(s.id)


def test_predicates_survive_problems_of_every_kind() -> None:
    """A toy polynomial, a deep network, a wide one: hypotheses answer, nothing crashes."""
    problems = [
        Problem.dense(widths=[1, 1], activation=[], inputs=[0], targets=[0]),
        Problem.dense(
            widths=[2, 3, 3, 2], activation="sigmoid", inputs=[[1, 2], [0, 1]], targets=[[1, 0], [0, 1]], bias=True
        ),
        Problem.dense(widths=[1, 2, 1], activation="relu", inputs=[1, -1], targets=[1, -1], loss="logistic"),
    ]
    from explorer.certify.examining import judge

    for s in statements():
        for problem in problems:
            for h in s.hypotheses[:2]:
                assert judge(h, Subject(problem)).holds in (True, False, None)
