"""A quoted result of section 2, and the case of one sample, where the probability of success is known exactly."""

from __future__ import annotations

from fractions import Fraction

from explorer.gram import chances
from explorer.gram.flow import output_pushed
from explorer.gram.limit import dot
from explorer.gram.training import is_model
from explorer.point import Point
from explorer.problem import DenseNetwork, Problem
from explorer.statements.du2019.conditions import MODEL, NO_TIES, SIGNS, UNIT, decided, hidden, inputs, predicate
from explorer.statements.du2019.instances import at, data, one, relu
from explorer.statements.nouns import (
    Concept,
    Edge,
    Example,
    Fairness,
    Ground,
    Judgement,
    Outcome,
    Relation,
    Repair,
    Sort,
    Statement,
    Subject,
    Verdict,
    Witness,
)


def _enough(subject: Subject) -> Judgement:
    net, problem = subject.problem.network, subject.problem
    if not isinstance(net, DenseNetwork) or problem.data is None or net.depth < 2:
        return decided(False, "the problem is not a network with a hidden layer")
    size = net.widths[0] * net.widths[1]
    return decided(size >= len(problem.data), f"m d = {size}, n = {len(problem.data)}")


def _dead_and_better(problem: Problem) -> tuple[Point, Point] | None:
    """All units strictly inactive at every sample, and one unit that does better than the output 0; None if not seen."""
    assert isinstance(problem.network, DenseNetwork)
    assert problem.data is not None
    x, y = problem.data.inputs, [row[0] for row in problem.data.targets]
    d, m, _ = problem.network.widths
    away = tuple(-sum(column, Fraction(0)) for column in zip(*x, strict=True))
    if any(dot(away, v) >= 0 for v in x):
        return None
    for w in x:
        seen = [max(dot(w, v), Fraction(0)) for v in x]
        gain = dot(seen, y)
        if gain != 0:
            better = [*w, *[Fraction(0)] * (d * (m - 1)), gain / dot(seen, seen), *[Fraction(0)] * (m - 1)]
            return Point.rational([*away * m, *[Fraction(1)] * m]), Point.rational(better)
    return None


def _no_bad(subject: Subject) -> Judgement:
    if is_model(subject.problem):
        return Judgement.unknown("only the model (1)-(2) is decided here")
    found = _dead_and_better(subject.problem)
    if found is None:
        return Judgement.unknown(
            "no point is seen at which all units are off at all samples while another one does better"
        )
    point = found[0] if subject.point is None else subject.point
    if subject.point is not None and any(z >= 0 for row in hidden(subject).reach for z in row):
        return Judgement.unknown("at this point some unit is on: it may be a global minimum, or no local minimum")
    return Judgement(
        False,
        "all units are off at all samples: a differentiable local minimum with positive error",
        shows=(Witness("spurious-local-minimum", point, found[1]),),
    )


def _leaky(subject: Subject) -> Judgement:
    net = subject.problem.network
    holds = (
        isinstance(net, DenseNetwork)
        and net.depth == 2
        and net.activations[0].kind == "leaky_relu"
        and net.activations[0].slope != 0
    )
    return decided(holds, "leaky ReLU" if holds else "the activation is not a leaky ReLU with a nonzero slope")


def _leaky_minima(subject: Subject) -> Judgement:
    found = subject.critical
    if found.spurious:
        return decided(False, "the solver lists a sub-optimal local minimum")
    return (
        decided(True, "no sub-optimal local minimum")
        if found.coverage.complete
        else Judgement.unknown(found.coverage.reason)
    )


def leaky() -> Subject:
    return Subject(relu([1], [1], activation="leaky_relu", slope="1/10"))


QUOTED = Statement(
    id="du2019.ext-soudry-carmon",
    sort=Sort.QUOTE,
    section="2, 5",
    title="A result of Soudry and Carmon (2016), as quoted",
    text="If m d >= n, every differentiable local minimum of the model has zero training error.",
    latex=r"md\ge n\;\Rightarrow\;\text{the training error is zero at every differentiable local minimum}",
    quantifiers="for all differentiable local minima",
    hypotheses=(
        MODEL,
        predicate("enough-weights", "there are at least as many hidden weights as samples", _enough, r"md\ge n"),
    ),
    conclusion=predicate("zero-error", "every differentiable local minimum has zero error", _no_bad),
    verdict=Verdict.NEEDS_REPAIR,
    ground=Ground.VERIFIED,
    fairness=Fairness.PEDANTIC,
    because="as paraphrased for plain ReLU units it fails at dead units; the quoted paper has other hypotheses and was not re-read",
    finding="n = m = d = 1, x = y = 1, w = -1: the unit is off near this point, so it is a differentiable (flat) local minimum with positive error.",
    repair=Repair(
        "Leaky ReLU units, almost every data set, and noise on the activations (the hypotheses of the quoted paper, as far as this one reports them).",
        (
            predicate("leaky", "the units are leaky ReLU units", _leaky),
            predicate("enough-weights", "there are at least as many hidden weights as samples", _enough),
        ),
        predicate("zero-error", "every differentiable local minimum has zero error", _leaky_minima),
    ),
    edges=(
        Edge(Relation.RELATED, "jiang2019.claim-3.3.1"),
        Edge(Relation.RELATED, "kawaguchi2019.thm-1"),
    ),
    concepts=(Concept.LOCAL_MINIMA, Concept.RELU),
    examples=(
        Example(
            "one dead unit",
            False,
            Outcome.REFUTED,
            lambda: one(1, -1),
            repaired=Outcome.VACUOUS,
            smallest=True,
            source="by hand",
        ),
        Example(
            "two inputs, two dead units",
            False,
            Outcome.REFUTED,
            lambda: Subject(relu([(1, 0), (0, 1)], [1, -1], 2)),
            repaired=Outcome.VACUOUS,
            source="by hand: w = (-1, -1)",
        ),
        Example("leaky unit", True, Outcome.VACUOUS, leaky, repaired=Outcome.HOLDS, source="the solver's critical set"),
    ),
)


def _single(subject: Subject) -> Judgement:
    count = len(inputs(subject))
    return decided(count == 1, f"n = {count}")


def _negative(subject: Subject) -> Judgement:
    data_of = subject.problem.data
    holds = data_of is not None and all(y[0] < 0 for y in data_of.targets)
    return decided(holds, "y < 0" if holds else "the label is not negative")


def _success(subject: Subject) -> Judgement:
    """The closed form of the flow against the criterion."""
    here = hidden(subject)
    share = here.outer[0] ** 2
    late = (abs(here.labels[0]) + 1 + sum((abs(row[0]) for row in here.reach), Fraction(0))) / share
    reaches = output_pushed(here, late) <= here.labels[0]
    said = any(v < 0 and row[0] > 0 for v, row in zip(here.outer, here.reach, strict=True))
    text = "reaches the label" if reaches else "ends with every active unit dead, at output 0"
    because, m = f"the flow {text}; {'an' if said else 'no'} active unit has a negative sign", len(here.rows)
    if m > 6:
        return decided(reaches == said, because)
    chance = chances.chance_of_success_one_sample(m)  # by running through the 4^m equally likely states
    holds = reaches == said and chance == 1 - Fraction(3, 4) ** m
    return decided(holds, f"{because}; so it is in {chance} of the 4^{m} states of signs and activity")


ONE_SAMPLE = Statement(
    id="du2019.n1",
    sort=Sort.AUDIT,
    section="audit of Theorem 3.1",
    title="One sample: the exact probability of success",
    text="With one unit input and a negative label, gradient flow (as an inclusion) reaches zero loss exactly if some unit is active with a negative sign at the start, hence with probability 1 - (3/4)^m.",
    latex=r"n=1,\ y<0:\quad\Pr[L\to0]=1-(3/4)^m",
    quantifiers="equivalence for every W(0) without ties",
    hypotheses=(
        MODEL,
        UNIT,
        predicate("one-sample", "there is one sample", _single),
        predicate("negative", "the label is negative", _negative),
        SIGNS,
        NO_TIES,
    ),
    conclusion=predicate(
        "success", "the flow reaches the label exactly if an active unit has a negative sign", _success
    ),
    verdict=Verdict.TRUE,
    ground=Ground.ARGUED,
    because="the output decreases while it is above the label; positive units die, negative active ones grow without bound",
    edges=(Edge(Relation.USES, "du2019.eq-5"),),
    concepts=(Concept.DYNAMICS, Concept.WIDTH),
    examples=(
        Example(
            "one positive unit",
            True,
            Outcome.HOLDS,
            lambda: one(-1, 1),
            smallest=True,
            source="by hand: w = 2 e^-t - 1 dies",
        ),
        Example("one negative unit", True, Outcome.HOLDS, lambda: one(-1, 1, sign=-1), source="by hand"),
        Example(
            "four mixed units",
            True,
            Outcome.HOLDS,
            lambda: at(relu([1], [-1], 4), [1, 2, -1, 3], ["1/2", "-1/2", "-1/2", "1/2"]),
        ),
        Example("positive label", False, Outcome.VACUOUS, lambda: one(1, 1)),
        Example("two samples", False, Outcome.VACUOUS, data([1, -1], [-1, -1])),
    ),
)

STATEMENTS = (QUOTED, ONE_SAMPLE)
