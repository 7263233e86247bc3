"""Section VI-C: the ReQU network with the cubic regularizer (equation (8))."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

from explorer.errors import ExplorerError
from explorer.probes import requ
from explorer.statements.nouns import (
    Concept,
    Edge,
    Example,
    Fairness,
    Ground,
    Judgement,
    Outcome,
    Predicate,
    Recipe,
    Relation,
    Repair,
    Sort,
    Statement,
    Subject,
    Verdict,
    Witness,
)
from explorer.statements.predicates import DISTINCT_INPUTS
from explorer.statements.sun2020.conditions import on_problem
from explorer.statements.sun2020.section6b import classified, eq8

F = Fraction
USES, RELATED = Relation.USES, Relation.RELATED


# -- Theorem VI.2 ---------------------------------------------------------------------------------------------------------

REQU = on_problem(
    "equation-8",
    "one hidden layer of ReQU units with biases, logistic loss, the cubic regularizer (equation (8))",
    requ.is_requ_network,
)
MORE_UNITS = on_problem("more-units", "there are more units than samples", lambda p: requ.is_requ_network(p) and len(p.regularizer.weights) > len(p.data or ()), latex=r"m\ge n+1")  # type: ignore[union-attr]  # fmt: skip


def _small(subject: Subject) -> Judgement:
    """The lambda_0 that the theorem leaves open is the explicit one for orthogonal extended inputs."""
    p = subject.problem
    if not requ.is_requ_network(p) or p.regularizer is None:
        return Judgement(False, "not the network of equation (8)")
    if len(set(p.regularizer.weights)) < len(p.regularizer.weights):
        return Judgement(False, "two regularizer weights are equal")
    bound = requ.orthogonal_threshold(p)
    if bound is None:
        return Judgement.unknown("a lambda_0 is known here for orthogonal extended inputs only")
    return Judgement(max(p.regularizer.weights) < bound, f"distinct weights, lambda_0 = {bound}")


def _one_value(subject: Subject) -> Judgement:
    if requ.orthogonal_threshold(subject.problem) is None:
        return Judgement.unknown("all local minima are known for orthogonal extended inputs only")
    found = requ.values(subject.problem)
    shows = (Witness("local-minima-classify"),)
    if len(found) == 1:
        both = (*shows, Witness("coercive"))
        return Judgement(True, "exactly one local minimum, and it classifies all samples", shows=both)
    if any(a < b or b < a for a, b in combinations(found, 2)):
        return Judgement(False, "two local minima of different values", shows=shows)
    return Judgement.unknown("the values of the local minima are not told apart")


def _all_classify(subject: Subject) -> Judgement:
    if requ.orthogonal_threshold(subject.problem) is None:
        return Judgement.unknown("all local minima are known for orthogonal extended inputs only")
    return Judgement(
        True,
        "every local minimum classifies all samples",
        shows=(Witness("local-minima-classify"), Witness("coercive")),
    )


SMALL_WEIGHTS = Predicate(
    "small-weights",
    "the regularizer weights are distinct and below lambda_0",
    _small,
    r"\lambda\in(0,\lambda_0)^m\setminus\mathcal C",
)


def _pair(*weights: object) -> Subject:
    return Subject(eq8([2, F(-1, 2)], [1, -1], list(weights)))


THEOREM_2 = Statement(
    id="sun2020.thm-VI.2",
    sort=Sort.THEOREM,
    section="VI-C",
    title="ReQU networks with the cubic regularizer",
    text="With at least n + 1 ReQU units and small generic regularizer weights, (1) F is coercive and (2) every local minimum is global and has zero training error.",
    latex=r"\exists\lambda_0>0,\ \mathcal C\text{ null}:\ \forall\lambda\in(0,\lambda_0)^m\setminus\mathcal C:\ \text{(1) }F\text{ coercive, (2) every local min is global with zero training error}",
    quantifiers="there are lambda_0 and a null set, for all other lambda, for all local minima",
    hypotheses=(REQU, MORE_UNITS, DISTINCT_INPUTS, SMALL_WEIGHTS),
    conclusion=Predicate(
        "coercive-and-global", "F is coercive, every local minimum is global and has zero training error", _one_value
    ),
    verdict=Verdict.FALSE,
    ground=Ground.VERIFIED,
    fairness=Fairness.SOLID,
    because="part (2) as printed in the survey: certified landscapes with exactly two local minima of different values, for weights as small as one likes; zero training error stands. The original paper was not read",
    finding="x = (2, -1/2), y = (1, -1), any number of units: with distinct small weights one local minimum gives the smallest weight to sample 1, another to sample 2, with values H(l1/5) + H(4 l2/5) and H(l2/5) + H(4 l1/5), which differ. No lambda_0 and no null set can repair this: it is so for almost every lambda.",
    repair=Repair(
        "(2') Every local minimum has zero training error.",
        (REQU, MORE_UNITS, DISTINCT_INPUTS, SMALL_WEIGHTS),
        Predicate(
            "coercive-and-classify", "F is coercive, and every local minimum classifies all samples", _all_classify
        ),
    ),
    remarks=(
        "Coercivity holds for all positive weights.",
        "Equal weights give 'an inactive unit makes a local minimum global' but no inactive unit; generic weights give the inactive unit and lose globality.",
    ),
    edges=(
        Edge(USES, "sun2020.def-VI-coercive"),
        Edge(USES, "sun2020.quote-VI-inactive"),
        Edge(RELATED, "sun2020.rem-VI-interpolation"),
    ),
    concepts=(Concept.LOCAL_MINIMA, Concept.COERCIVITY, Concept.LOSS),
    examples=(
        Example(
            "two samples, three units",
            False,
            Outcome.REFUTED,
            lambda: _pair("1/100", "1/50", "1/20"),
            repaired=Outcome.HOLDS,
            smallest=True,
            source="by hand: 0.0964612 and 0.0726723 by entropies",
        ),
        Example(
            "tiny weights",
            False,
            Outcome.REFUTED,
            lambda: _pair("1/1000000", "2/1000000", "3/1000000"),
            repaired=Outcome.HOLDS,
            source="by hand",
        ),
        Example("recipes", False, Outcome.REFUTED, recipe=Recipe("refute", "sun2020.thm-VI.2"), source="recipe"),
        Example(
            "one label",
            True,
            Outcome.HOLDS,
            lambda: Subject(eq8([2, F(-1, 2)], [1, 1], ["1/100", "1/50", "1/20"])),
            repaired=Outcome.HOLDS,
            source="by hand: one active unit",
        ),
        Example(
            "equal weights", False, Outcome.VACUOUS, lambda: _pair("1/50", "1/50", "1/20"), repaired=Outcome.VACUOUS
        ),
    ),
)


def _zero_value(subject: Subject) -> Judgement:
    return Judgement(False, "every term ln(1 + e^-z) is positive: F > 0 everywhere", shows=(Witness("positive"),))


def _can_classify(subject: Subject) -> Judgement:
    try:
        return classified(subject)
    except ExplorerError as error:
        return Judgement.unknown(error.sentence())


AT_LEAST_N = on_problem("units-at-least-samples", "there are at least as many units as samples", lambda p: requ.is_requ_network(p) and len(p.regularizer.weights) >= len(p.data or ()), latex=r"m\ge n")  # type: ignore[union-attr]  # fmt: skip

INTERPOLATION = Statement(
    id="sun2020.rem-VI-interpolation",
    sort=Sort.REMARK,
    section="VI-C",
    title="Over-parameterisation implies interpolation",
    text="With distinct inputs and more units than samples every sample can be classified, 'in other words there exists theta with F(theta) = 0'.",
    latex=r"x_i\text{ distinct},\ m>n\;\Rightarrow\;\exists\theta^*:\ F(\theta^*)=0",
    quantifiers="for all labels",
    hypotheses=(REQU, DISTINCT_INPUTS, AT_LEAST_N),
    conclusion=Predicate("zero-value", "some parameters have F = 0", _zero_value, r"\exists\theta^*:F(\theta^*)=0"),
    verdict=Verdict.NEEDS_REPAIR,
    ground=Ground.VERIFIED,
    fairness=Fairness.PEDANTIC,
    because="a slip: zero classification error is meant; a certificate says that the loss of equation (8) is positive everywhere",
    finding="F of equation (8) is a sum of positive logistic terms and a nonnegative regularizer: it has no zero. Zero classification error is attained.",
    repair=Repair(
        "Some parameters have zero classification error.",
        (REQU, DISTINCT_INPUTS, AT_LEAST_N),
        Predicate("classifies", "some parameters classify every sample", _can_classify),
    ),
    remarks=(
        "As a slogan for other networks it needs care: z^2 units with biases have features of rank 3 at most on scalar inputs, so four samples are not interpolated whatever the width.",
    ),
    edges=(Edge(RELATED, "sun2020.claim-VI.2"),),
    concepts=(Concept.WIDTH, Concept.LOSS),
    examples=(
        Example(
            "one sample, one unit",
            False,
            Outcome.REFUTED,
            lambda: Subject(eq8([1], [1], ["1"])),
            repaired=Outcome.HOLDS,
            smallest=True,
            source="by hand",
        ),
        Example(
            "three samples, three units",
            False,
            Outcome.REFUTED,
            lambda: Subject(eq8([1, 2, 3], [1, -1, 1], ["1/10"] * 3)),
            repaired=Outcome.HOLDS,
            source="by hand: kinks at 0, 1, 2, determinant 1",
        ),
        Example(
            "fewer units than samples",
            False,
            Outcome.VACUOUS,
            lambda: Subject(eq8([1, 2, 3], [1, -1, 1], ["1/10"])),
            repaired=Outcome.VACUOUS,
        ),
    ),
)

STATEMENTS = (THEOREM_2, INTERPOLATION)
