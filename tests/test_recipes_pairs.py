"""Every (statement, options) pair gives certificates that the checker accepts; its points are looked at in floating point too.

The floating loss of tests/independent/floating.py reads the problem file itself. Tolerance: a random neighbour of a
certified local minimum may seem lower by 1e-11 (1 + |F(p)|), the rounding of a sum of up to twelve squares.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from independent import floating
from recipe_tools import PAIRS, REFUTED, made, name_of

from explorer.app.main import run
from explorer.certify import witnesses_paths
from explorer.certify.witnesses import EXHIBITS, REFUTATIONS

MINIMA = ("spurious-local-minimum", "local-minimum", "strict-local-minimum")
ONES = [pytest.param(pair, id=name_of(pair)) for pair in PAIRS]


def test_there_are_enough_pairs() -> None:
    assert len({name_of(pair) for pair in PAIRS}) >= 60
    elsewhere = {
        "sun2020.prop-IV.2",
        "sun2020.ex-IV-activations",
        "sun2020.toy-IV-fig2",
        *witnesses_paths.EXHIBITS,  # test_paths_witnesses.py
        "safran2018.thm-1",  # this and the next: test_checker_tied.py, test_catalogue_twins.py
        "explorer.spurious-every-width",
    }
    assert {s for s, _ in PAIRS} >= set(EXHIBITS) - elsewhere
    assert set(REFUTED) == set(REFUTATIONS) - set(witnesses_paths.REFUTATIONS)


@pytest.mark.parametrize("pair", ONES)
def test_verified(pair: tuple[str, dict[str, Any]]) -> None:
    instances = made(pair)
    assert instances
    for instance in instances:
        assert instance.certificates
        problem = instance.problem.to_json()
        for name, certificate in instance.certificates:
            verdict = certificate.check()
            assert verdict.status == "verified", f"{instance.slug} {name}: {verdict.line}"
            body = certificate.to_json()
            p = floating.vector(body["points"]["p"])
            here = floating.loss(problem, p[None, :])[0]
            slack = 1e-11 * (1 + abs(here))
            if body["goal"]["kind"] in MINIMA:
                least = floating.lowest_nearby(problem, p, tries=300, seed=0, radii=(1e-3, 1e-4))[1]
                assert least >= here - slack
            if "q" in body["points"]:
                q = floating.vector(body["points"]["q"])
                assert floating.loss(problem, q[None, :])[0] < here
            if body["goal"]["kind"] == "global-minimum":
                assert abs(here) < 1e-9


def test_the_same_request_gives_the_same_bytes() -> None:
    from explorer.certify import exhibit

    for pair in (PAIRS[1], PAIRS[17], PAIRS[30]):
        again = exhibit(pair[0], **pair[1])
        assert [i.to_files() for i in again] == [i.to_files() for i in made(pair)]


def test_seeds_give_other_instances() -> None:
    from explorer.certify import exhibit

    digests = {exhibit("sun2020.quote-IV-ding", seed=s)[0].problem.digest for s in range(6)}
    assert len(digests) == 6


def test_from_the_command_line(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    inputs = "[[3, 0], [0, 3], [-3, -3], [0, 0]]"
    options = ["--activation", "tanh", "--depth", "3", "--width", "2", "--inputs", inputs]
    assert run(["exhibit", "sun2020.quote-IV-ding", *options, "-o", str(tmp_path), "--json"]) == 0
    (instance,) = json.loads(capsys.readouterr().out)["instances"]
    assert instance["certificates"][0]["trust"] == "verified"
    activation = '{"kind": "polynomial", "coefficients": ["-2", "0", "1"]}'
    assert run(["exhibit", "sun2020.prop-IV.1", "--activation", activation, "-o", str(tmp_path), "--json"]) == 0
    (instance,) = json.loads(capsys.readouterr().out)["instances"]
    assert [c["goal"]["kind"] for c in instance["certificates"]] == ["global-minimum", "strict-saddle", "strict-saddle"]
    assert (
        run(["exhibit", "sun2020.quote-IV-ding", "--inputs", "[[1,1],[1,-1],[-1,1],[-1,-1]]", "-o", str(tmp_path)]) == 2
    )
    assert "inputs on the quadric x1^2 " in capsys.readouterr().err
