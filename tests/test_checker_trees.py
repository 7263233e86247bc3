"""Trees of boxes: every leaf that is called an image must be one, and every cut, point and symmetry must hold."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest
from checker_tools import checker, specimens

(LINEAR,) = [s for s in specimens("accepted") if s.name == "complete-mirror-linear"]
(EXCHANGE,) = [s for s in specimens("accepted") if s.name == "complete-mirror-exchange"]


def leaves(step: dict[str, Any]) -> list[tuple[int, list[tuple[Fraction, Fraction]]]]:
    """(place in the list, box) of every leaf, by a walk of its own."""
    out = []
    stack = [[(Fraction(a), Fraction(b)) for a, b in zip(step["lower"], step["upper"], strict=True)]]
    for place, entry in enumerate(step["tree"]):
        box = stack.pop()
        if isinstance(entry, int) and entry > 0:
            low, high = box[entry - 1]
            for part in (((low + high) / 2, high), (low, (low + high) / 2)):
                stack.append([*box[: entry - 1], part, *box[entry:]])
        else:
            out.append((place, box))
    assert not stack
    return out


@pytest.mark.parametrize("specimen", [LINEAR, EXCHANGE], ids=lambda s: s.name)
def test_only_images_may_be_called_images(specimen: Any) -> None:
    """Every leaf in turn is called an image: right where w1 < 0 all over it (an odd unit), or w1 < w2 (two equal units), by hand."""
    body = json.loads(specimen.certificate)
    (step,) = [s for s in body["steps"] if s["rule"] == "complete-in-box"]
    verdicts = set()
    for place, box in leaves(step):
        changed = {**step, "tree": [*step["tree"][:place], "image", *step["tree"][place + 1 :]]}
        steps = [changed if s is step else s for s in body["steps"]]
        verdict = checker.check(specimen.problem, json.dumps({**body, "steps": steps}).encode())
        raised = box[0][1] < 0 if specimen is LINEAR else box[0][1] < box[1][0]
        assert (verdict.status == "verified") == raised, (place, verdict)
        verdicts.add(verdict.status)
    assert verdicts == {"verified", "rejected"}


@pytest.mark.parametrize("specimen", [LINEAR, EXCHANGE], ids=lambda s: s.name)
def test_a_tree_without_any_part_proves_nothing(specimen: Any) -> None:
    """Entries left out, doubled, or exchanged with their neighbours."""
    body = json.loads(specimen.certificate)
    (step,) = [s for s in body["steps"] if s["rule"] == "complete-in-box"]
    tree, accepted = step["tree"], 0
    for k in range(len(tree)):
        for changed in (tree[:k] + tree[k + 1 :], [*tree[: k + 1], *tree[k:]]):
            steps = [{**step, "tree": changed} if s is step else s for s in body["steps"]]
            accepted += (
                checker.check(specimen.problem, json.dumps({**body, "steps": steps}).encode()).status == "verified"
            )
    assert not accepted
