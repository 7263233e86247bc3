"""Section 4: gradient descent, Theorem 4.1 with its induction, the deterministic margin certificate."""

from __future__ import annotations

from fractions import Fraction

from explorer.errors import Unsupported
from explorer.gram.limit import is_unit
from explorer.gram.training import Hidden, keeps_patterns, step_is_stable
from explorer.statements.du2019.conditions import (
    GRAM_EVENT,
    MARGIN,
    MODEL,
    POSITIVE,
    SIGNS,
    STEPS,
    UNIT,
    WIDE_FOR_DESCENT,
    decided,
    hidden,
    least,
    most,
    predicate,
    rate,
    reach,
)
from explorer.statements.du2019.instances import one, opposite, same_signs, sixty_degrees
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

USES = Relation.USES
MAX_WORK = 4_000  # pairs of a unit and a sample, times steps


def run(subject: Subject, steps: int) -> tuple[Hidden, ...]:
    """W(0), ..., W(steps) with the step lambda_0/(4 n^2), exactly; `Unsupported` where that is long."""
    here, eta = hidden(subject), rate(subject)
    if eta <= 0:
        raise Unsupported("the step", expected="a positive lambda_0", got="no positive lower bound")
    if len(here.rows) * len(here.inputs) * steps > MAX_WORK:
        raise Unsupported("an exact run", expected=f"at most {MAX_WORK} units times samples times steps", got="more")
    clock, out = subject.budget.start(), []
    for point in here.run(eta, steps):
        clock.check("following gradient descent exactly")
        out.append(point)
    return tuple(out)


def followed(subject: Subject, steps: int) -> Witness:
    return Witness("hidden-descent", subject.point, options={"rate": rate(subject), "steps": steps})


def _linear(subject: Subject, step: Fraction) -> Witness:
    return Witness("linear-descent", subject.point, options={"rate": step})


def _above(path: tuple[Hidden, ...], factor: Fraction) -> int | None:
    """The first k with |y - u(k)|^2 > factor^k |y - u(0)|^2."""
    start = path[0].squared_error
    return next((k for k, here in enumerate(path) if here.squared_error > factor**k * start), None)


def _rate_for_ever(subject: Subject) -> Judgement:
    here, eta = hidden(subject), rate(subject)
    if keeps_patterns(here) and step_is_stable(here, eta) and 2 * here.least.lower >= most(subject):
        why = f"no pattern ever changes; every step multiplies the residual by I - eta H(0), lambda_min(H(0)) {here.least.text}"
        return Judgement(True, why, shows=(_linear(subject, eta),))
    path = run(subject, STEPS)
    first = _above(path, 1 - eta * least(subject) / 2)
    if first is not None:
        return Judgement(False, f"the bound fails at k = {first}", shows=(followed(subject, first),))
    return Judgement.unknown(f"the bound holds for k <= {STEPS} exactly; there is no margin that proves it for all k")


DESCENT_RATE = predicate(
    "rate-descent",
    "|u(k) - y|^2 <= (1 - eta lambda_0/2)^k |u(0) - y|^2 for all k",
    _rate_for_ever,
    r"\|u(k)-y\|^2\le(1-\tfrac{\eta\lambda_0}2)^k\|u(0)-y\|^2",
)

THEOREM = Statement(
    id="du2019.thm-4.1",
    sort=Sort.THEOREM,
    section="4",
    title="Linear convergence of gradient descent",
    text="Under the hypotheses of Theorem 3.1, gradient descent with a constant step of order lambda_0/n^2, whatever the width, converges linearly to zero loss, with high probability.",
    latex=r"\eta=O(\lambda_0/n^2)\;\Rightarrow\;\text{w.h.p. }\forall k:\ \|u(k)-y\|^2\le(1-\tfrac{\eta\lambda_0}2)^k\|u(0)-y\|^2",
    quantifiers="probability over W(0), a at least 1 - 3 delta, for all k",
    hypotheses=(MODEL, UNIT, POSITIVE, WIDE_FOR_DESCENT, SIGNS),
    conclusion=DESCENT_RATE,
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    fairness=Fairness.PEDANTIC,
    because="true with high probability once the constants are restored; on given weights the margin certificate shows it for all k",
    repair=Repair(
        "On one given W(0), without probability: with the margin of the deterministic certificate and eta = lambda_0/(4 n^2) the bound holds for all k.",
        (MODEL, UNIT, POSITIVE, SIGNS, MARGIN, GRAM_EVENT),
        DESCENT_RATE,
    ),
    remarks=(
        "R = sqrt(2 pi) delta lambda_0/(32 n^2), the constant 2/(sqrt(2 pi) delta) of Lemma 4.1 and eta <= lambda_0/(4 n^2) close the induction; then m > (8192/pi)(C^2 + 1/2) n^6/(lambda_0^4 delta^3) suffices. Two orthogonal inputs, C = 1, delta = 1/10: 4.0 * 10^9.",
        "It fails without width or without mixed signs: one sample, four positive units, label -1: every unit dies and the loss stays 1/2.",
        "Without flips the sharp limit of stability is eta < 2/lambda_max(H).",
    ),
    edges=(
        Edge(Relation.RELATED, "jiang2019.claim-3.3.3-convergence"),
        Edge(Relation.RELATED, "jiang2019.thm-2"),
        Edge(Relation.RELATED, "sun2020.claim-VII.1"),
        Edge(Relation.RELATED, "sun2020.conj-VII.1"),
        *(
            Edge(USES, f"du2019.{k}")
            for k in ("claim-decomposition", "claim-init", "cond-4.1", "cor-4.1", "eq-4", "fact-lambda0")
        ),
        *(Edge(USES, f"du2019.{k}") for k in ("lem-3.1", "lem-3.2", "lem-4.1")),
        Edge(Relation.RELATED, "du2019.x-margin"),
    ),
    concepts=(Concept.DYNAMICS, Concept.WIDTH, Concept.GRAM),
    examples=(
        Example(
            "one unit, nearly fitted",
            False,
            Outcome.VACUOUS,
            lambda: one("1/2", 1),
            repaired=Outcome.HOLDS,
            smallest=True,
            source="by hand: movement 1/2 < 1",
        ),
        Example("60 degrees", True, Outcome.VACUOUS, sixty_degrees, repaired=Outcome.HOLDS, source="by hand: 8/3 < 16"),
        Example("antiparallel", True, Outcome.VACUOUS, opposite, repaired=Outcome.HOLDS),
        Example(
            "only positive signs",
            False,
            Outcome.VACUOUS,
            same_signs,
            repaired=Outcome.VACUOUS,
            source="by hand: stuck at loss 1/2",
        ),
    ),
)


def own_step(subject: Subject) -> Fraction:
    """lambda_0/(4 n^2) where that makes sense, else 1/trace H(0)."""
    here = hidden(subject)
    if is_unit(here.inputs) and least(subject) > 0:
        return rate(subject)
    trace = sum((row[i] for i, row in enumerate(here.gram)), Fraction(0))
    if trace == 0:
        raise Unsupported("the step", expected="a unit that is active somewhere", got="H(0) = 0")
    return 1 / trace


def _definite(subject: Subject) -> Judgement:
    found = hidden(subject).least
    return decided(found.lower > 0, f"lambda_min(H(0)) is {found.text}")


def _stable_step(subject: Subject) -> Judgement:
    eta = own_step(subject)
    holds = step_is_stable(hidden(subject), eta)
    return decided(holds, f"eta = {eta} is {'' if holds else 'not '}at most 1/lambda_max(H(0))")


def _for_ever(subject: Subject) -> Judgement:
    here, eta = hidden(subject), own_step(subject)
    for k, point in enumerate(here.run(eta, 3)):  # the definition itself, for a few steps
        if here.flips(point):
            return Judgement(
                False,
                f"a pattern changes at k = {k}",
                shows=(Witness("hidden-descent", subject.point, options={"rate": eta, "steps": k}),),
            )
    return Judgement(True, f"with eta = {eta} no pattern ever changes", shows=(_linear(subject, eta),))


MARGIN_THEOREM = Statement(
    id="du2019.x-margin",
    sort=Sort.AUDIT,
    section="audit of Theorem 4.1",
    title="Deterministic margin certificate, for all k and without probability",
    text="If H(0) is positive definite, the step is at most 1/lambda_max(H(0)) and every pre-activation is farther from 0 than its weights can move in total, then no pattern ever changes and training is exactly linear.",
    latex=r"\min_{r,i}|w_r(0)^\top x_i|>\tfrac{\sqrt n\|y-u(0)\|}{\sqrt m\,\lambda_{\min}(H(0))},\ \eta\le\tfrac1{\lambda_{\max}(H(0))}\;\Rightarrow\;u(k)-y=(I-\eta H(0))^k(u(0)-y)\ \forall k",
    quantifiers="for all k, on one instance",
    hypotheses=(
        MODEL,
        predicate("definite", "H(0) is positive definite", _definite, r"H(0)\succ0"),
        predicate("stable-step", "the step is at most 1/lambda_max(H(0))", _stable_step),
        MARGIN,
    ),
    conclusion=predicate(
        "linear-for-ever",
        "no pattern ever changes, and the residual is multiplied by I - eta H(0) in every step",
        _for_ever,
    ),
    verdict=Verdict.TRUE,
    ground=Ground.INSTANCES,
    because="the movement is a geometric series; a certificate shows it for all k at once",
    edges=(Edge(USES, "du2019.eq-4"), Edge(Relation.RELATED, "du2019.thm-4.1")),
    concepts=(Concept.DYNAMICS, Concept.GRAM),
    examples=(
        Example(
            "one unit, nearly fitted",
            True,
            Outcome.HOLDS,
            lambda: one("1/2", 1),
            smallest=True,
            source="by hand: movement 1/2 < 1",
        ),
        Example("60 degrees", True, Outcome.HOLDS, sixty_degrees, source="by hand: lambda 3/8, movement 8/3 < 16"),
        Example("only positive signs", False, Outcome.VACUOUS, same_signs, source="by hand: margin 1, movement 3/2"),
    ),
)


def _printed_condition(subject: Subject) -> Judgement:
    after = run(subject, 1)[1]
    if after.squared_error == 0:
        return decided(True, "the residual is 0 after one step")
    why = f"at k = 1 the same number |y - u(1)|^2 = {after.squared_error} > 0 stands on both sides, with a factor below 1 on the right"
    return Judgement(False, why, shows=(followed(subject, 1),))


def condition(subject: Subject, steps: int = STEPS) -> Judgement:
    first = _above(run(subject, steps), 1 - rate(subject) * least(subject) / 2)
    return decided(first is None, f"exact for k <= {steps}" if first is None else f"fails at k = {first}")


INDUCTION = predicate("condition", f"|y - u(k)|^2 <= (1 - eta lambda_0/2)^k |y - u(0)|^2 for k <= {STEPS}", condition)

CONDITION = Statement(
    id="du2019.cond-4.1",
    sort=Sort.ASSUMPTION,
    section="4.1",
    title="The induction hypothesis",
    text="The squared residual at step k is at most (1 - eta lambda_0/2)^k times a squared residual, printed as that of step k itself.",
    latex=r"\|y-u(k)\|^2\le(1-\tfrac{\eta\lambda_0}2)^k\|y-u(k)\|^2\ \text{(as printed)}",
    quantifiers="for a given k",
    hypotheses=(MODEL, UNIT, POSITIVE, SIGNS),
    conclusion=predicate("condition-printed", "|y - u(1)|^2 <= (1 - eta lambda_0/2) |y - u(1)|^2", _printed_condition),
    verdict=Verdict.NEEDS_REPAIR,
    ground=Ground.VERIFIED,
    fairness=Fairness.PEDANTIC,
    because="a misprint: u(0) is meant on the right; a certificate gives the residual after one exact step",
    finding="With u(k) on the right the condition forces u(k) = y for k >= 1.",
    repair=Repair("u(0) on the right.", (MODEL, UNIT, POSITIVE, SIGNS), INDUCTION),
    concepts=(Concept.DYNAMICS,),
    examples=(
        Example(
            "one unit",
            False,
            Outcome.REFUTED,
            lambda: one("1/2", 1),
            repaired=Outcome.HOLDS,
            smallest=True,
            source="by hand",
        ),
        Example("60 degrees", False, Outcome.REFUTED, sixty_degrees, repaired=Outcome.HOLDS, source="an exact run"),
        Example("fitted", True, Outcome.HOLDS, lambda: one(2, 2), repaired=Outcome.HOLDS),
    ),
)


def _movement(subject: Subject) -> Judgement:
    path, bound = run(subject, STEPS), reach(subject, factor=4, largest=False)
    far = max(path[0].distance(point) for point in path)
    if far <= bound:
        return decided(True, f"the largest movement up to k = {STEPS} is below R'")
    first = next(k for k, point in enumerate(path) if path[0].distance(point) > bound)
    return Judgement(False, f"at k = {first} a unit has moved farther than R'", shows=(followed(subject, first),))


MOVEMENT = Statement(
    id="du2019.cor-4.1",
    sort=Sort.COROLLARY,
    section="4.1, equation (6)",
    title="Movement bound for gradient descent",
    text="While the induction hypothesis holds, no weight vector has moved by more than R'.",
    latex=r"\|w_r(k+1)-w_r(0)\|\le\tfrac{4\sqrt n\|y-u(0)\|}{\sqrt m\,\lambda_0}=R'",
    quantifiers=f"for all units, up to the step to which the condition holds (here {STEPS})",
    hypotheses=(MODEL, UNIT, POSITIVE, SIGNS, INDUCTION),
    conclusion=predicate("movement", "every weight vector stays within R' of its start", _movement),
    verdict=Verdict.TRUE,
    ground=Ground.ARGUED,
    because="a geometric series with 1 - sqrt(1 - z) >= z/2; exact runs agree",
    edges=(Edge(USES, "du2019.cond-4.1"),),
    concepts=(Concept.DYNAMICS,),
    examples=(
        Example("one unit", True, Outcome.HOLDS, lambda: one("1/2", 1), smallest=True),
        Example("60 degrees", True, Outcome.HOLDS, sixty_degrees, source="by hand: R' = 12"),
        Example("dead units", False, Outcome.VACUOUS, lambda: one(1, -1), source="by hand: the residual stays 1"),
    ),
)

STATEMENTS = (THEOREM, MARGIN_THEOREM, CONDITION, MOVEMENT)
