"""Mutation: a certificate with one thing changed must not be accepted, unless what it then says is still true.

"Still true" is decided in two ways only: the mutant is VERIFIED with literally the same fact (a hint was changed: a
preconditioner, a congruence, a higher coefficient of a curve), or the place of the change is in STILL_TRUE below and
mpmath at 50 digits (checker_oracle.py, which shares nothing with the checker) agrees with every step and with the goal.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from unittest import mock

import pytest
from checker_mutants import Mutant, category, certificate_mutants, mutants
from checker_oracle import holds
from checker_tools import Specimen, as_bytes, case_certificates, checker, specimens

from explorer.errors import Invalid
from explorer.reading import parse_problem

ACCEPTED = specimens("accepted")
FULL, SAMPLE, LEAST = 250, 80, 24  # certificates with more mutants than FULL are sampled
WORK = 300_000  # ring operations for the mutants of one certificate: about 2 s; long checks have fewer mutants, at least LEAST
PARTS = 12  # each with every twelfth specimen, so that the processes of a run share the work

STILL_TRUE = {
    "steps.lower": "a weaker (or still correct) lower bound of a value",
    "steps.upper": "a weaker (or still correct) upper bound of a value",
    "points.*.lower": "another box around the same critical point",
    "points.*.upper": "another box around the same critical point",
    "points.*.centre": "another ball or ellipsoid around the same critical point",
    "points.*.radius": "a larger or smaller ball or ellipsoid around the same critical point",
    "points.*.scale": "another ellipsoid around the same critical point",
    "points.*.field.interval": "another isolating interval of the same root",
    "points.*.field.polynomial": "another generator of the field, where the coordinates do not use it",
    "points.*.coordinates": "another point of which the goal holds as well",
    "goal.kind": "a weaker goal that the same steps prove",
    "steps.bounds": "a larger (or still sufficient) bound of a sublevel set",
    "steps.cuts": "another grid that is fine enough",
    "steps.level": "a smaller level, inside the same bounds",
    "steps.value": "a smaller (or still correct) lower bound of an eigenvalue",
    "steps.floor": "a smaller lower bound of an eigenvalue",
    "steps.rate": "another step size that is still small enough",
    "steps.steps": "a later step, where F has the same value",
    "steps.vector": "another vector of the kernel",
    "steps.frequencies": "other frequencies that the inputs alias as well",
    "steps.slope": "another (still correct) lower bound of a slope",
    "steps.at": "other fractions of the chord, or another point of the slice, for which it holds as well",
    "steps.above": "a smaller interval of the line",
    "steps.below": "a smaller interval of the line",
    "steps.directions": "a neighbouring slice",
    "steps.side": "a smaller bound",
    "steps.wall": "another hyperplane with the same property",
    "steps.interpolations": "another interpolation, with a threshold of its own",
}


def judged(problem: bytes, original: str, mutant: Mutant, certificate: bytes) -> str:
    """rejected, malformed, same fact, still true: <where>, or FALSE ACCEPT."""
    verdict = checker.check(problem, certificate)
    if verdict.status != "verified":
        return str(verdict.status)
    if verdict.fact == original:
        return "same fact"
    body = json.loads(certificate)
    if mutant.where in STILL_TRUE and holds(json.loads(problem), body):
        return f"still true: {mutant.where}"
    return f"FALSE ACCEPT {mutant.where} {mutant.what}: {verdict.line[:300]}"


def chosen(every: list[Mutant], name: str, sample: int) -> list[Mutant]:
    if len(every) <= FULL:
        return every
    return random.Random(f"mutants of {name}").sample(every, sample)


def checked(specimen: Specimen) -> tuple[str, int]:
    """The fact, and how many mutants are a fair sample: fewer where the checker's own meter says that a check is long."""
    meters = []

    class Counted(checker.Meter):
        def __init__(self, *limit):
            super().__init__(*limit)
            meters.append((self, self.left))

    with mock.patch.object(checker, "Meter", Counted):
        verdict = checker.check(specimen.problem, specimen.certificate)
    assert verdict.status == "verified", verdict.line
    spent = sum(limit - meter.left for meter, limit in meters)
    return verdict.fact, max(LEAST, min(SAMPLE, WORK // (spent + 1)))


def run(specimen: Specimen, *, whole: bool) -> Counter[str]:
    fact, fair = checked(specimen)
    counts: Counter[str] = Counter()
    body = json.loads(specimen.certificate)
    for mutant in chosen(list(certificate_mutants(body)), specimen.name, SAMPLE if whole else fair):
        changed = mutant.body
        if json.dumps(changed) != json.dumps(body):  # exchanging equal points changes nothing
            counts[judged(specimen.problem, fact, mutant, as_bytes(changed))] += 1
    return counts


def totals(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {what}" for what, count in sorted(counts.items(), key=lambda pair: -pair[1]))


#: the samples that long checks allow, and (nightly) as many mutants of a certificate whose check is long
EXTENT = pytest.mark.parametrize(
    "whole",
    [pytest.param(False, marks=pytest.mark.slow, id="fair"), pytest.param(True, marks=pytest.mark.nightly, id="whole")],
)


@EXTENT
@pytest.mark.parametrize("part", range(PARTS))
def test_no_single_field_mutant_of_a_certificate_is_falsely_accepted(part, whole, capsys):
    counts: Counter[str] = Counter()
    for specimen in [*ACCEPTED, *case_certificates()][part::PARTS]:
        counts += run(specimen, whole=whole)
    wrong = [what for what in counts if what.startswith("FALSE")]
    with capsys.disabled():
        print(f"\n{sum(counts.values())} mutants of certificates: {totals(counts)}")
    assert not wrong
    # twelve times these: at least 12,000 mutants, 1,800 of them rejected and 6,000 malformed
    assert sum(counts.values()) >= 1_000
    assert counts["rejected"] >= 150
    assert counts["malformed"] >= 500


def transplants(specimen: Specimen, sample: int) -> Iterator[tuple[Mutant, bytes, bytes]]:
    """The same certificate for a slightly different problem, with the digest of that problem put in."""
    body, certificate = json.loads(specimen.problem), json.loads(specimen.certificate)
    for mutant in chosen(list(mutants(body, [])), specimen.name, sample):
        raw = as_bytes(mutant.body)
        try:
            digest = parse_problem(raw).digest
        except Invalid:
            digest = certificate["problem"]
        yield mutant, raw, as_bytes(certificate | {"problem": digest})


@EXTENT
@pytest.mark.parametrize("part", range(PARTS))
def test_no_certificate_is_falsely_accepted_for_a_mutated_problem(part, whole, capsys):
    """Every step must be recomputed from the problem: an accepted transplant is judged by mpmath, whatever it changed."""
    counts: Counter[str] = Counter()
    for specimen in ACCEPTED[part::PARTS]:
        fact, fair = checked(specimen)
        for mutant, problem, certificate in transplants(specimen, SAMPLE if whole else fair):
            verdict = checker.check(problem, certificate)
            if verdict.status != "verified":
                counts[verdict.status] += 1
            elif verdict.fact == fact:
                counts["same fact"] += 1  # another spelling of the same number, or a label
            elif holds(json.loads(problem), json.loads(certificate)):
                counts["still true"] += 1
            else:
                counts[f"FALSE ACCEPT {specimen.name} {mutant.where} {mutant.what}"] += 1
    with capsys.disabled():
        print(f"\n{sum(counts.values())} transplants to mutated problems: {totals(counts)}")
    assert not [what for what in counts if what.startswith("FALSE")]
    assert counts["rejected"] >= 84  # 1,000 in all


@pytest.mark.parametrize("part", range(PARTS))
def test_the_second_opinion_agrees_with_every_accepted_specimen(part):
    for specimen in ACCEPTED[part::PARTS]:
        assert holds(json.loads(specimen.problem), json.loads(specimen.certificate)), specimen.name


def test_the_second_opinion_finds_forgeries():
    """mpmath says no to these, which are false and not only unproved."""
    false = {
        "family-nullity-too-large", "family-wrong-definiteness", "first-layer-indefinite-moments", "first-layer-wrong-sign",
        "kink-elu-alpha-two", "kink-power-three-descent", "krawczyk-no-critical-point", "krawczyk-two-critical-points",
        "minimum-not-critical", "minimum-semidefinite", "units-hidden-bias-span", "units-kink", "units-two-outputs",
        "units-output-activation", "units-output-bias", "units-regularizer", "value-lie", "below-equal-values",
        "curve-skips-a-lower-order", "curve-through-a-kink", "strict-saddle-not-critical", "field-wrong-root",
        "congruence-singular", "floor-false-polynomial", "ln2-below-by-approximation", "first-layer-two-outputs-cancel",
    }  # fmt: skip
    found = {specimen.name: specimen for specimen in specimens("rejected")}
    for name in sorted(false):
        assert not holds(json.loads(found[name].problem), json.loads(found[name].certificate)), name


def test_the_mutants_cover_every_kind_of_place():
    body = json.loads(next(s for s in ACCEPTED if s.name == "spurious-sigmoid-two-samples").certificate)
    places = {mutant.where for mutant in certificate_mutants(body)}
    assert places >= {"problem", "goal.kind", "goal.point", "goal.better", "goal.hypotheses", "steps", "points"}
    assert places >= {"steps.rule", "steps.point", "steps.value", "points.*.field", "points.*.coordinates"}
    assert category(("steps", 3, "family", "at", 0), []) == "steps.family.at"
