"""The REPL with piped input, and the displays of every noun."""

from __future__ import annotations

import html.parser
import importlib.util
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

import explorer as ex
from explorer.app import display
from explorer.app.formats import approximate, element, latex_number, short
from explorer.app.sheets import sheet
from explorer.certify import Instance
from explorer.point import Ln2Ring, NumberField, RationalField

ROOT = Path(__file__).resolve().parents[1]
SESSION = """p = cases("vw").problem
p
c = certify(p, "global-minimum", at={"w1_1_1": 2, "w2_1_1": "1/2"})
check(p, c)
print(6 * 7)
"""


def converse(*args: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "explorer", "repl", *args], input=SESSION, capture_output=True, text=True, check=False,
        cwd=ROOT, env={**os.environ, "NO_COLOR": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("plain", [True, False])
def test_a_piped_session(plain: bool) -> None:
    if not plain and importlib.util.find_spec("IPython") is None:
        pytest.skip("IPython is not installed")
    said = converse(*["--plain"] * plain)
    assert all(f"{verb}," in said for verb in ("cases", "certify", "check", "critical_set")), (
        "the banner names the verbs"
    )
    assert "Problem vw" in said
    assert "Problem(network=" not in said, "nouns are shown as people read them"
    assert "Verdict: VERIFIED" in said
    assert "42" in said


def nouns() -> dict[str, object]:
    p = ex.cases("vw").problem
    c = ex.certify(p, "global-minimum", at={"w1_1_1": 2, "w2_1_1": "1/2"})
    landscape = ex.landscape(p)
    found = ex.critical_set(p)
    return {
        "Problem": p,
        "monomial": ex.Problem.monomial(["x", "w_1"], {(2, 0): "-1/2", (0, 1): 3}),
        "logistic": ex.Problem.dense(
            widths=[1, 2, 1], inputs=[1, 2], targets=[1, -1], loss="logistic", activation="tanh", bias=True,
            regularizer={"kind": "power", "weights": 1, "exponent": 3},
        ),
        "Landscape": landscape,
        "LocalGeometry": landscape.at({"w1_1_1": 1, "w2_1_1": 1}),
        "CriticalSet": found,
        "Component": found.components[0],
        "Certificate": c,
        "Instance": Instance("vw", p, (("proof", c),)),
        "Verdict": ex.check(p, c),
        "rejected": ex.check(p, c.to_json() | {"steps": []}),
        "Case": ex.cases("vw"),
    }  # fmt: skip


class Balanced(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", sorted(nouns()))
def test_every_noun_has_text_html_and_latex(name: str) -> None:
    noun = nouns()[name]
    text = display.text(noun)
    assert text == text.rstrip()
    assert sheet(noun).title in text
    page = Balanced()
    page.feed(display.html(noun))
    assert not page.open
    latex = display.latex(noun)
    assert latex.startswith("$")
    assert latex.endswith("$")
    assert latex.count("{") == latex.count("}")
    assert latex.count(r"\begin{") == latex.count(r"\end{")
    assert "None" not in latex


def test_html_is_escaped() -> None:
    p = ex.Problem.monomial(["x"], {(1,): 1}, slug="<script>", source="a & b")
    assert "<script>" not in p._repr_html_()
    assert "a &amp; b" in p._repr_html_()


def test_latex_of_a_monomial_loss_by_hand() -> None:
    p = ex.Problem.monomial(["x", "w_1"], {(2, 0): "-1/2", (0, 1): 3})
    assert p._repr_latex_() == r"$\displaystyle F(x, \mathrm{w\_1}) = 3 \mathrm{w\_1} - \tfrac{1}{2} x^{2}$"


def test_numbers_for_people() -> None:
    from fractions import Fraction as Q

    assert short(Q(1, 3)) == "1/3"
    assert short(Q(10**40 + 1, 10**40)) == "~1"
    assert approximate(Q(10**400)) == "1.00000e+400"
    assert approximate(Q(74) - Q(1, 10**5)) == "73.99999"  # six digits would read as the integer 74
    assert element((Q(0), Q(-1)), Ln2Ring()) == "-ln2"
    assert element((Q(1, 2), Q(1), Q(3)), Ln2Ring()) == "1/2 + ln2 + 3 ln2^2"
    assert element((Q(2),), RationalField()) == "2"
    # sqrt(2) = 1.41421356...
    assert element((Q(0), Q(1)), NumberField((Q(-2), Q(0), Q(1)), (Q(1), Q(2)))) == "~1.41421"
    assert latex_number("-1/2 - ln2") == r"-\tfrac{1}{2} - \ln 2"
    assert latex_number("~1.5e-07") == r"\approx 1.5 \cdot 10^{-7}"


def test_an_unknown_noun_has_no_display() -> None:
    with pytest.raises(TypeError):
        sheet(3)


def test_tuples_of_nouns_and_points_are_shown_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    display.displayhook(ex.Point.rational([Fraction(1, 2), 3]))
    assert capsys.readouterr().out.splitlines() == ["Point", "coordinates  1/2, 3"]
    display.displayhook((ex.cases("vw"), ex.cases("xyz")))
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith("Case")] == ["Case vw", "Case xyz"]
    display.displayhook(ex.cases()[:9])
    lines = capsys.readouterr().out.splitlines()
    assert (len(lines), lines[0]) == (9, f"[0] Case {ex.cases()[0].slug}")
    display.displayhook(())
    assert capsys.readouterr().out == "()\n"
