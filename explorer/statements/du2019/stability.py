"""Section 4.1: flips, stable units, the one-step decomposition, the share of patterns that change."""

from __future__ import annotations

from fractions import Fraction
from math import isqrt

from explorer.errors import Unsupported
from explorer.gram import chances
from explorer.gram.training import Hidden
from explorer.statements.du2019.conditions import (
    DELTA,
    MODEL,
    POSITIVE,
    SIGNS,
    STEPS,
    UNIT,
    decided,
    hidden,
    least,
    most,
    predicate,
    radius,
    rate,
    reach,
)
from explorer.statements.du2019.descent import condition, followed, run
from explorer.statements.du2019.instances import data, one, same_signs, sixty_degrees
from explorer.statements.nouns import (
    Concept,
    Edge,
    Example,
    Fairness,
    Ground,
    Judgement,
    Outcome,
    Predicate,
    Relation,
    Repair,
    Sort,
    Statement,
    Subject,
    Verdict,
)

USES = Relation.USES


def _first_flip(path: tuple[Hidden, ...]) -> int:
    """The first step at which a pattern has changed, or the last step."""
    return next((k for k, here in enumerate(path) if path[0].flips(here)), len(path) - 1)


def _stay(subject: Subject, *, printed: bool) -> Judgement:
    """R is the movement of a run up to its first flip. The printed S_i holds the units with A_ir, the repaired one the others."""
    path = run(subject, STEPS)
    k = _first_flip(path)
    start, end = path[0], path[k]
    squared = start.distance(end)
    for r, (old, new) in enumerate(zip(start.reach, end.reach, strict=True)):
        for i, (a, b) in enumerate(zip(old, new, strict=True)):
            reached = a * a < squared or (a * a == squared and a < 0) or (a == 0 and squared > 0)
            if (a >= 0) != (b >= 0) and reached == printed:
                why = f"unit {r + 1} changes its pattern at sample {i + 1} within the radius of k = {k} steps"
                return Judgement(False, why, shows=(followed(subject, k),))
    return decided(True, f"no unit of S_i changes its pattern within the movement of {k} steps")


FLIPS = Statement(
    id="du2019.def-Air",
    sort=Sort.DEFINITION,
    section="3.1, 4.1",
    title="Flip event and stable units",
    text="A_ir says that unit r can change its pattern at sample i within distance R of its start. S_i, printed as the units with A_ir, is used as the set of units that cannot change.",
    latex=r"A_{ir}=\{\exists w:\|w-w_r(0)\|\le R,\ I\{x_i^\top w_r(0)\ge0\}\ne I\{x_i^\top w\ge0\}\},\qquad S_i=\{r:I\{A_{ir}\}=1\}\ \text{(as printed)}",
    quantifiers="for all units and samples",
    hypotheses=(MODEL, UNIT, POSITIVE, SIGNS),
    conclusion=predicate(
        "stable-units",
        "units of S_i keep their pattern at sample i while they move at most R (as printed: A_ir holds on S_i)",
        lambda s: _stay(s, printed=True),
    ),
    verdict=Verdict.NEEDS_REPAIR,
    ground=Ground.VERIFIED,
    fairness=Fairness.PEDANTIC,
    because="a misprint: S_i is used as the complement; a certificate follows a unit of the printed S_i over its kink",
    finding="S_i must collect the units without A_ir. Also, 'A_ir exactly if |w_r(0).x_i| < R' misses the tie w.x = -R, where the closed ball reaches 0 and the indicator is 1 (a null event).",
    repair=Repair(
        "S_i = {r : not A_ir}; with unit inputs A_ir means -R <= w_r(0).x_i < R.",
        (MODEL, UNIT, POSITIVE, SIGNS),
        predicate(
            "stable-units",
            "units without A_ir keep their pattern at sample i while they move at most R",
            lambda s: _stay(s, printed=False),
        ),
    ),
    concepts=(Concept.DYNAMICS, Concept.RELU),
    examples=(
        Example(
            "one unit over its kink",
            False,
            Outcome.REFUTED,
            lambda: one(-1, "1/16"),
            repaired=Outcome.HOLDS,
            smallest=True,
            source="by hand: 1/16 - 17/128 < 0",
        ),
        Example(
            "only positive signs", False, Outcome.REFUTED, same_signs, repaired=Outcome.HOLDS, source="an exact run"
        ),
        Example(
            "60 degrees",
            True,
            Outcome.HOLDS,
            sixty_degrees,
            repaired=Outcome.HOLDS,
            source="by hand: no unit comes near its kink",
        ),
    ),
)


def _few_unstable(subject: Subject) -> Judgement:
    """Markov: E sum_i |S_i^c| = m n P(|z| < R), and the bound is m n R 2/(sqrt(2 pi) delta)."""
    size = radius(subject)
    if size <= 0:
        raise Unsupported("R", expected="a positive lambda_0", got="no positive lower bound")
    chance, bound = chances.near_tie_chance(size)
    because = f"Pr[|w.x| < R] <= 2R/sqrt(2 pi) for R = {size}, so the expected count over the bound is at most delta = {DELTA}"
    return decided(bool(chance <= bound), because)


UNSTABLE = Statement(
    id="du2019.lem-4.1",
    sort=Sort.LEMMA,
    section="4.1, appendix A, equations (7) and (8)",
    title="Few unstable units",
    text="With high probability the number of pairs of a unit and a sample whose pattern can change within R is at most a constant times m n R.",
    latex=r"\sum_i|S_i^\perp|\le C\,mnR",
    quantifiers="probability at least 1 - delta over W(0), with C = 2/(sqrt(2 pi) delta)",
    hypotheses=(MODEL, UNIT, POSITIVE),
    conclusion=predicate(
        "few-unstable", "with C = 2/(sqrt(2 pi) delta) the bound fails with probability at most delta", _few_unstable
    ),
    verdict=Verdict.TRUE,
    ground=Ground.ARGUED,
    because="the density of a standard normal variable is at most 1/sqrt(2 pi), and Markov's inequality",
    remarks=(
        "C is not an absolute constant: Markov's inequality puts 1/delta into it. Independence over the units would give Bernstein's bound without it.",
    ),
    edges=(Edge(USES, "du2019.def-Air"),),
    concepts=(Concept.WIDTH, Concept.DYNAMICS),
    examples=(
        Example("one input", True, Outcome.HOLDS, data([1]), smallest=True),
        Example("60 degrees", True, Outcome.HOLDS, sixty_degrees),
        Example("repeated input", False, Outcome.VACUOUS, data([1, 1])),
    ),
)


def _root(n: int, *, up: bool) -> Fraction:
    """A rational bound of sqrt(n)."""
    scaled = isqrt(n << 60)
    return Fraction(scaled + (1 if up and scaled * scaled != n << 60 else 0), 1 << 30)


def _small_reach(subject: Subject) -> Judgement:
    holds = reach(subject, factor=4, largest=True) < radius(subject) ** 2
    return decided(holds, f"R' is {'' if holds else 'not '}below R = {radius(subject)}")


def _half_gram(subject: Subject) -> Judgement:
    found = hidden(subject).least
    if found.lower * 2 >= most(subject):
        return decided(True, f"lambda_min(H(k)) is {found.text}")
    return (
        decided(False, f"lambda_min(H(k)) is {found.text}")
        if found.upper * 2 < least(subject)
        else Judgement.unknown("the bounds overlap")
    )


def _contraction(subject: Subject, *, counted: bool) -> Judgement:
    """The last display for k = 0: with R (the constant of Lemma 4.1 dropped), or with the counted share of unstable pairs."""
    before, after = run(subject, 1)
    n, eta = len(before.inputs), rate(subject)
    share = Fraction(before.near_ties(radius(subject) ** 2), len(before.rows) * n) if counted else radius(subject)
    factor = (
        1 - eta * least(subject) + 2 * eta * n * n * share + 2 * eta * n * _root(n, up=True) * share + eta**2 * n**2
    )
    if after.squared_error <= factor * before.squared_error:
        return decided(True, "the inequality holds for this step")
    return Judgement(
        False,
        f"the squared residual falls by the factor {after.squared_error / before.squared_error} only",
        shows=(followed(subject, 1),),
    )


def _step(counted: bool) -> Predicate:
    text = "the share of unstable pairs" if counted else "R"
    return predicate(
        "contraction",
        f"|y - u(k+1)|^2 <= (1 - eta lambda_0 + 2 eta n^2 s + 2 eta n^(3/2) s + eta^2 n^2) |y - u(k)|^2 with s = {text}",
        lambda s: _contraction(s, counted=counted),
    )


NEAR = (
    MODEL,
    UNIT,
    POSITIVE,
    SIGNS,
    predicate("small-reach", "R' < R = lambda_0/(8 n^2)", _small_reach),
    predicate("half-gram", "the smallest eigenvalue of H(k) is at least lambda_0/2", _half_gram),
)

DECOMPOSITION = Statement(
    id="du2019.claim-decomposition",
    sort=Sort.CLAIM,
    section="4.1",
    title="One step: stable units act linearly, unstable ones are a small perturbation",
    text="The change of the predictions in one step splits into the part of the stable units and the rest; together they contract the residual by the displayed factor.",
    latex=r"\|y-u(k+1)\|^2\le\big(1-\eta\lambda_0+2\eta n^2R+2\eta n^{3/2}R+\eta^2n^2\big)\|y-u(k)\|^2",
    quantifiers="for each k, given that all movement stays below R' < R",
    hypotheses=NEAR,
    conclusion=_step(False),
    verdict=Verdict.NEEDS_REPAIR,
    ground=Ground.VERIFIED,
    fairness=Fairness.PEDANTIC,
    because="the last display drops the constant of Lemma 4.1; a certificate follows one exact step of one unit that falls over its kink",
    finding="The algebra is right, but the share of unstable pairs is at most C R with C = 2/(sqrt(2 pi) delta), not R. One unit close to its kink: n = m = d = 1, y = -1/256, w = 2^-16, eta = 1/8: the factor is (256/257)^2, the printed bound 63/64.",
    repair=Repair("Insert the constant of Lemma 4.1, or the counted share of unstable pairs.", NEAR, _step(True)),
    edges=(Edge(USES, "du2019.lem-3.2"), Edge(USES, "du2019.lem-4.1")),
    concepts=(Concept.DYNAMICS, Concept.GRAM),
    examples=(
        Example(
            "a unit falls over its kink",
            False,
            Outcome.REFUTED,
            lambda: one("-1/256", "1/65536"),
            repaired=Outcome.HOLDS,
            smallest=True,
            source="by hand: the output goes to 0",
        ),
        Example(
            "no flips",
            True,
            Outcome.HOLDS,
            lambda: one("255/256", 1),
            repaired=Outcome.HOLDS,
            source="by hand: the factor is (1 - eta)^2",
        ),
        Example(
            "60 degrees", False, Outcome.VACUOUS, sixty_degrees, repaired=Outcome.VACUOUS, source="by hand: R' = 12"
        ),
    ),
)

LONG = 80  # the run with positive signs only leaves the bound at k = 70


def _long_condition(subject: Subject) -> Judgement:
    return condition(subject, LONG)


def _share(subject: Subject) -> Judgement:
    path, near = run(subject, LONG), hidden(subject).near_ties(reach(subject, factor=4, largest=True))
    most_flips = max(path[0].flips(here) for here in path)
    pairs = len(path[0].rows) * len(path[0].inputs)
    because = (
        f"at most {most_flips} of {pairs} patterns differ from the start, and {near} pre-activations are within R'"
    )
    return decided(most_flips <= near, because)


PATTERNS = Statement(
    id="du2019.claim-pattern-stability",
    sort=Sort.CLAIM,
    section="1, 3, 5",
    title="Most activation patterns do not change",
    text="During training the share of pairs of a unit and a sample whose pattern differs from the start is of the order of R', hence of m^-1/2.",
    latex=r"\tfrac1{mn}\#\{(r,i):I\{w_r(k)^\top x_i\ge0\}\ne I\{w_r(0)^\top x_i\ge0\}\}\lesssim R'\sim m^{-1/2}",
    quantifiers=f"for all k, with high probability (here: exactly, for k <= {LONG})",
    hypotheses=(
        MODEL,
        UNIT,
        POSITIVE,
        SIGNS,
        predicate("condition-long", f"the induction hypothesis holds for k <= {LONG}", _long_condition),
    ),
    conclusion=predicate("flip-share", "no more patterns change than there are pre-activations within R' of 0", _share),
    verdict=Verdict.TRUE,
    ground=Ground.ARGUED,
    because="a flip needs a movement of |w_r(0).x_i|, which is at most R', and the share of such pairs is of the order of R'",
    remarks=(
        "The absolute number of flips still grows like the square root of the width, so ties of the flow cannot be ignored.",
    ),
    edges=(Edge(USES, "du2019.cor-4.1"), Edge(USES, "du2019.def-Air"), Edge(Relation.RELATED, "du2019.lem-3.2")),
    concepts=(Concept.DYNAMICS, Concept.WIDTH),
    examples=(
        Example("one unit", True, Outcome.HOLDS, lambda: one("1/2", 1), smallest=True),
        Example("60 degrees", True, Outcome.HOLDS, sixty_degrees, source="an exact run: no flips"),
        Example(
            "only positive signs",
            False,
            Outcome.VACUOUS,
            same_signs,
            source="an exact run: all four units die and the residual stays 1",
        ),
    ),
)

STATEMENTS = (FLIPS, UNSTABLE, DECOMPOSITION, PATTERNS)
