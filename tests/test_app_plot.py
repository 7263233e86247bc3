"""`explorer plot`: data and pictures with their settings, the same bytes again, and honest refusals."""

from __future__ import annotations

import json
import os
import re
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import explorer as ex
from explorer.app.cases import cases
from explorer.app.main import run
from explorer.errors import Invalid, Unsupported

pytest.importorskip("matplotlib", reason="the extra 'plot' is not installed")


def drawn(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, Any]:
    code = run(["plot", *args, "--json"])
    return code, json.loads(capsys.readouterr().out)


def description(svg: Path) -> dict[str, Any]:
    """The settings in the metadata of an SVG file, read by another parser."""
    [text] = [e.text for e in ElementTree.parse(svg).iter("{http://purl.org/dc/elements/1.1/}description")]
    assert text is not None
    return dict(json.loads(text))


def png_text(png: Path) -> dict[str, str]:
    """The tEXt, zTXt and iTXt chunks of a PNG file (PNG specification, section 11.3.3)."""
    raw, out, at = png.read_bytes(), {}, 8
    assert raw[:8] == b"\x89PNG\r\n\x1a\n"
    while at < len(raw):
        size, kind = struct.unpack(">I4s", raw[at : at + 8])
        body = raw[at + 8 : at + 8 + size]
        key, _, rest = body.partition(b"\0")
        if kind == b"tEXt":
            out[key.decode("latin-1")] = rest.decode("latin-1")
        elif kind == b"zTXt":
            out[key.decode("latin-1")] = zlib.decompress(rest[1:]).decode("latin-1")
        elif kind == b"iTXt":
            out[key.decode("latin-1")] = rest.split(b"\0", 3)[3].decode("utf-8")
        at += 12 + size
    return out


@pytest.mark.parametrize("options", [["--slice"], ["--surface"], ["--tree"], ["--surface", "--through", "random", "--seed", "5"]])  # fmt: skip
def test_pictures_carry_their_settings_and_are_the_same_twice(options, tmp_path, capsys):
    first, second = tmp_path / "a.svg", tmp_path / "b.svg"
    for out in (first, second):
        code, document = drawn(capsys, "fig2", *options, "-o", str(out))
        assert code == 0
        assert document["trust"] == "numerical"
    assert first.read_bytes() == second.read_bytes()
    said = description(first)
    assert said["settings"] == document["settings"]
    assert said["settings"]["seed"] == (5 if "--seed" in options else 0)
    assert said["problem"] == cases("fig2").problem.digest
    assert b"<path" in first.read_bytes()


def test_png_metadata(tmp_path, capsys):
    out = tmp_path / "a.png"
    code, document = drawn(capsys, "sigmoid-neuron-2", "-o", str(out), "--seed", "3")
    assert code == 0
    said = png_text(out)
    assert json.loads(said["Description"])["settings"] == document["settings"]
    assert document["settings"]["seed"] == 3
    assert "Software" not in said


def test_a_slice_of_one_parameter_marks_every_critical_point(tmp_path, capsys):
    """sigmoid-neuron-2 has two minima and a maximum (Auer et al.; the case's derivation)."""
    _, document = drawn(capsys, "sigmoid-neuron-2", "--slice", "-o", str(tmp_path / "a.json"))
    marks = document["marks"]
    assert [(m["kind"], m["index"]) for m in marks] == [
        ("strict minimum", 0),
        ("strict minimum", 0),
        ("strict maximum", 1),
    ]
    data = json.loads((tmp_path / "a.json").read_text())
    t, f = np.array(data["axes"][0]), np.array(data["values"])
    for m in marks:  # the drawn curve passes through the marks
        assert np.interp(m["at"][0], t, f) == pytest.approx(m["value"], abs=1e-4)


def test_values_of_a_surface_are_those_of_the_formula(tmp_path, capsys):
    """F = (vw - 1)^2 on its two parameters."""
    code, document = drawn(capsys, "vw", "--surface", "--count", "7", "--extent", "2", "-o", str(tmp_path / "a.json"))
    assert code == 0
    data = json.loads((tmp_path / "a.json").read_text())
    s, t = (np.array(a) for a in data["axes"])
    assert np.allclose(data["values"], (s[:, None] * t[None] - 1) ** 2)
    assert {m["kind"] for m in document["marks"]} == {"minimum", "strict saddle"}
    for family in data["families"]:  # points of the hyperbola vw = 1
        points = np.array(family["points"])
        assert np.allclose(points[:, 0] * points[:, 1], 1)
    assert data["labels"] == ["w1_1_1", "w2_1_1"]


def test_a_plane_through_three_minima_and_chosen_points(tmp_path, capsys):
    out = tmp_path / "a.json"
    code, document = drawn(capsys, "linear-2-2-ridge", "--surface", "--at", "1.1", "--to", "1.2", "--third", "1.3", "--count", "9", "-o", str(out))  # fmt: skip
    assert code == 0
    assert {"1.1", "1.2", "1.3"} <= {m["name"] for m in document["marks"]}
    data = json.loads(out.read_text())
    assert data["settings"]["kind"] == "plane"
    assert np.shape(data["values"]) == (9, 9)
    code, document = drawn(
        capsys, "vw", "--at", '{"w1_1_1": 1, "w2_1_1": 1}', "--to", "3", "--extent", "1/2", "-o", str(out)
    )
    assert code == 1  # --extent is a number
    code, document = drawn(capsys, "vw", "--at", '{"w1_1_1": 1, "w2_1_1": 1}', "--to", "3", "-o", str(out))
    assert code == 0
    assert document["settings"]["never_rises"] is False  # up from a minimum to the saddle
    assert document["settings"]["barrier"] == 0


def test_connecting_curves(tmp_path, capsys):
    """xyz-decay: from (a, a, a) to (-a, -a, a) the straight line climbs over the saddle, a trained curve never goes higher."""
    pytest.importorskip("torch", reason="the extra 'torch' is not installed")
    for curve in ("bezier", "polygonal"):
        out = tmp_path / f"{curve}.svg"
        code, document = drawn(capsys, "xyz-decay", "--slice", "--curve", curve, "--at", "1.1", "--to", "1.2", "--seed", "2", "--device", "cpu", "-o", str(out))  # fmt: skip
        assert code == 0
        said = description(out)["settings"]
        assert said == document["settings"]
        assert said["seed"] == 2
        assert said["kind"] == f"{curve} curve"
        assert said["barrier"] <= said["straight_barrier"] + 1e-9
        # no path goes below the mountain pass, F = 1.0158814 of the saddles (expected.json)
        assert said["barrier"] >= 1.0158814 - 0.6808884 - 1e-4


def test_an_html_page_stands_alone(tmp_path, capsys):
    pytest.importorskip("plotly", reason="the extra 'plot' is not installed")
    out, again = tmp_path / "a.html", tmp_path / "b.html"
    for path in (out, again):
        code, document = drawn(capsys, "fig2", "--surface", "--count", "15", "-o", str(path))
        assert code == 0
    page = out.read_text(encoding="utf-8")
    assert page == again.read_text(encoding="utf-8")
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=", page)
    [about] = re.findall(r'<script type="application/json" id="explorer-settings">(.*?)</script>', page)
    assert json.loads(about)["settings"] == document["settings"]
    code, said = drawn(capsys, "fig2", "--tree", "-o", str(tmp_path / "c.html"))
    assert code == 1
    assert "surface" in said["error"]["message"]


@pytest.mark.parametrize(
    "args",
    [
        ["fig2", "--slice", "--tree", "-o", "a.svg"],
        ["fig2", "-o", "a.gif"],
        ["fig2", "-o", "a"],
        ["fig2", "--at", "9", "-o", "a.svg"],
        ["fig2", "--at", "1.7", "-o", "a.svg"],
        ["fig2", "--curve", "cubic", "-o", "a.svg"],
        ["fig2", "--surface", "--through", "walls", "-o", "a.svg"],
        ["fig2", "--surface", "--axes", "w1_1_1,w9", "-o", "a.svg"],
        ["fig2", "--surface", "--through", "points", "--at", "1", "--to", "1", "--third", "2", "-o", "a.svg"],
        ["fig2", "--count", "1", "-o", "a.svg"],
        ["fig2", "--extent", "-1", "-o", "a.svg"],
        ["sigmoid-neuron-2", "--surface", "-o", "a.svg"],
        ["no-such-case", "-o", "a.svg"],
    ],
)
def test_bad_questions_are_one_sentence(args, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, document = drawn(capsys, *args)
    assert code == 1
    assert document["error"]["message"]
    assert not list(tmp_path.iterdir())


def test_an_incomplete_tree_is_inconclusive(tmp_path, capsys):
    code, document = drawn(capsys, "sigmoid-n2-w1", "--tree", "-o", str(tmp_path / "a.svg"))
    assert code == 2
    assert document["complete"] is False
    assert "infinity" in document["because"]


@pytest.mark.parametrize(("package", "suffix"), [("matplotlib", ".svg"), ("plotly", ".html")])
def test_without_the_extra_the_answer_says_what_to_install(package, suffix, monkeypatch):
    picture = ex.plot(cases("vw").problem, "surface", count=5)
    for name in [m for m in sys.modules if m.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(Unsupported, match=r"landscape-explorer\[plot\]"):
        picture.rendered(suffix)
    assert json.loads(picture.rendered(".json"))["values"]


def test_in_python():
    picture = ex.plot(cases("vw").problem, "tree")
    assert "<svg" in picture._repr_svg_()
    with pytest.raises(Invalid):
        ex.plot(cases("vw").problem, "poem")


def test_pictures_leave_matplotlib_alone():
    """No pyplot, no changed settings: other people's pictures look as before."""
    program = (
        "import sys, matplotlib; kept = lambda: dict(dict.items(matplotlib.rcParams)); before = kept(); import explorer as ex; "
        "ex.plot(ex.cases('vw').problem, 'slice').rendered('.svg'); "
        "print(kept() == before and len(before) > 100, 'matplotlib.pyplot' in sys.modules, 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stdout.split() == ["True", "False", "False"]
