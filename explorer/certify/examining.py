"""`examine`: one statement on one subject. A refutation counts only with a certificate that the checker accepts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from explorer.budget import Budget
from explorer.certify.canonical import CANONICAL_WRITERS
from explorer.certify.certificate import Certificate, Instance
from explorer.certify.features import FEATURES
from explorer.certify.goals import GOALS, certify
from explorer.certify.showing import PATHS_AND_SETS
from explorer.certify.training import TRAINING
from explorer.errors import BudgetExceeded, ExplorerError, Invalid, NotCertifiable, Unknown, Unsupported
from explorer.point import AnyPoint
from explorer.problem import Problem
from explorer.shown import Shown
from explorer.solve.results import Trust
from explorer.statements.book import statement as find
from explorer.statements.nouns import (
    Example,
    Judgement,
    NotCheckable,
    Outcome,
    Predicate,
    Statement,
    Subject,
    Witness,
)

#: goal kind -> writer, for the goals that `certify` does not write: they get the problem, the witness and the budget
WRITERS: dict[str, Callable[[Problem, Witness, Budget], Certificate]] = {
    **FEATURES,
    **PATHS_AND_SETS,
    **TRAINING,
    **CANONICAL_WRITERS,
}


@dataclass(frozen=True)
class Checked:
    """A predicate with its judgement on the subject."""

    predicate: Predicate
    judgement: Judgement

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.predicate.name,
            "text": self.predicate.text,
            "holds": self.judgement.holds,
            "because": self.judgement.because,
            "trust": self.judgement.trust.word,
        }


@dataclass(frozen=True)
class Finding(Shown):
    """What examining gave: hypotheses one by one, the conclusion, the outcome, how sure, and the certificates."""

    statement: Statement
    problem: Problem
    hypotheses: tuple[Checked, ...]
    conclusion: Judgement
    outcome: Outcome
    because: str
    trust: Trust
    certificates: tuple[Certificate, ...] = ()
    repaired: bool = False

    def to_json(self, *, certificate: str | None = None) -> dict[str, Any]:
        """The document of ``explorer examine --json``; ``certificate`` is the path to which one was saved."""
        return {
            "statement": self.statement.id,
            "problem": self.problem.digest,
            "repaired": self.repaired,
            "outcome": self.outcome.value,
            "because": self.because,
            "hypotheses": [h.to_json() for h in self.hypotheses],
            "conclusion": {"holds": self.conclusion.holds, "because": self.conclusion.because},
            "trust": self.trust.word,
            "certificate": certificate,
        }


def examine(
    statement: str | Statement,
    problem: Problem | Subject,
    *,
    at: AnyPoint | Mapping[str, Any] | None = None,
    repaired: bool = False,
    budget: Budget | None = None,
) -> Finding:
    """Does ``statement`` apply to ``problem``, and does its conclusion hold there?

    ``at``: the point that the statement speaks of, where it speaks of one (default: every critical point listed).
    ``repaired``: examine the repaired form. ``holds`` means "on this problem"; it proves nothing in general.
    """
    found = find(statement) if isinstance(statement, str) else statement
    subject = _subject(problem, at, budget)
    if isinstance(found.conclusion, NotCheckable):
        reason = f"not checkable: {found.conclusion.reason}"
        return _finding(found, subject, (), Judgement.unknown(reason), Outcome.UNDECIDED, reason, repaired=repaired)
    hypotheses, conclusion = found.hypotheses, found.conclusion
    if repaired:
        if found.repair is None:
            raise Invalid(
                f"repair of {found.id}", expected="a statement with a repair", got="none", remedy="leave it out"
            )
        hypotheses, conclusion = found.repair.hypotheses, found.repair.conclusion
    checked = tuple(Checked(h, judge(h, subject)) for h in hypotheses)
    failing = [c.predicate.text for c in checked if c.judgement.holds is False]
    if failing:
        because = f"does not apply: it is not so that {failing[0]}"
        skipped = Judgement.unknown("not looked at: a hypothesis fails")
        return _finding(found, subject, checked, skipped, Outcome.VACUOUS, because, repaired=repaired)
    judged = judge(conclusion, subject)
    unknown = [c for c in checked if c.judgement.holds is None]
    if judged.holds is None:
        return _finding(found, subject, checked, judged, Outcome.UNDECIDED, judged.because, repaired=repaired)
    if judged.holds:
        return _holding(found, subject, checked, judged, repaired=repaired)
    if unknown:
        because = (
            f"the conclusion fails, but it is open whether {unknown[0].predicate.text}: {unknown[0].judgement.because}"
        )
        return _finding(found, subject, checked, judged, Outcome.UNDECIDED, because, repaired=repaired)
    return _refuted(found, subject, checked, judged, repaired=repaired)


def judge(predicate: Predicate, subject: Subject) -> Judgement:
    """The predicate's judgement; what no method decides is unknown, with the reason, and never an error."""
    try:
        return predicate.test(subject)
    except (Unsupported, BudgetExceeded, NotCertifiable) as error:
        return Judgement.unknown(error.sentence())


def certificate_of(problem: Problem, witness: Witness, budget: Budget) -> Certificate:
    """A certificate of the witness's claim, accepted by the checker; `NotCertifiable` with the reason otherwise."""
    if witness.goal in GOALS:
        return certify(
            problem,
            witness.goal,
            at=witness.at,
            better=witness.better,
            hypotheses=witness.hypotheses,
            ranks=witness.options.get("ranks", ()),
            budget=budget,
        )
    if witness.goal not in WRITERS:
        raise Unknown("goal", expected=f"one of {', '.join([*GOALS, *WRITERS])}", got=repr(witness.goal)[:60])
    return WRITERS[witness.goal](problem, witness, budget)


def refuting_instances(statement: Statement, example: Example, *, seed: int = 0) -> tuple[Instance, ...]:
    """The example as certified instances: its recipe's, or its subject with the certificate of the refutation."""
    if example.recipe is not None:
        from explorer.certify.asking import exhibit, refute

        verb = refute if example.recipe.verb == "refute" else exhibit
        return verb(example.recipe.statement, seed=seed, **example.recipe.options)
    assert example.subject is not None
    finding = examine(statement, example.subject())
    if finding.outcome is not Outcome.REFUTED:
        raise NotCertifiable(f"{statement.id} on {example.name}", expected="a refutation", got=finding.because)
    named = tuple((f"refutation-{k}" if k else "refutation", c) for k, c in enumerate(finding.certificates))
    return (Instance(_slug(statement.id, example.name), finding.problem, named),)


def _slug(identifier: str, name: str) -> str:
    raw = f"{identifier}-{name}".lower().replace(".", "-")
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in raw)[:60].strip("-")


def _subject(problem: Problem | Subject, at: Any, budget: Budget | None) -> Subject:
    if isinstance(problem, Subject):
        return problem
    from explorer.certify.points import located

    point = None if at is None else located(problem, "p", at, None).point
    return Subject(problem, point) if budget is None else Subject(problem, point, budget=budget)


def _holding(
    found: Statement, subject: Subject, checked: tuple[Checked, ...], judged: Judgement, *, repaired: bool
) -> Finding:
    written: list[Certificate] = []
    for witness in judged.shows:
        try:
            checked, certificate = _with_ranks(subject, checked, witness)
            written.append(certificate)
        except ExplorerError:
            break
    proved = bool(judged.shows) and len(written) == len(judged.shows) and not judged.partial
    checked, more = _ranks_alone(subject, checked)
    written += more
    trust = Trust.VERIFIED if proved else judged.trust
    because = f"on this problem: {judged.because}"
    return _finding(
        found,
        subject,
        checked,
        judged,
        Outcome.HOLDS,
        because,
        trust=trust,
        certificates=tuple(written),
        repaired=repaired,
    )


def _refuted(
    found: Statement, subject: Subject, checked: tuple[Checked, ...], judged: Judgement, *, repaired: bool
) -> Finding:
    why = "no certificate was proposed"
    for witness in judged.shows:
        try:
            checked, written = _with_ranks(subject, checked, witness)
        except ExplorerError as error:
            why = error.sentence()
            continue
        return _finding(
            found,
            subject,
            checked,
            judged,
            Outcome.REFUTED,
            judged.because,
            trust=Trust.VERIFIED,
            certificates=(written,),
            repaired=repaired,
        )
    because = f"the conclusion seems to fail ({judged.because}), but nothing the checker accepts shows it: {why}"
    return _finding(found, subject, checked, judged, Outcome.UNDECIDED, because, repaired=repaired)


def _about_ranks(c: Checked) -> Witness | None:
    """The rank that a hypothesis which holds is about, and that no certificate shows so far."""
    judgement = c.judgement
    open_one = judgement.holds is True and judgement.trust is not Trust.VERIFIED
    return next((w for w in judgement.shows if w.goal == "rank"), None) if open_one else None


def _verified(checked: tuple[Checked, ...], shown: list[Witness]) -> tuple[Checked, ...]:
    """The hypotheses, those that the witnesses ``shown`` are about *verified*."""
    return tuple(
        replace(c, judgement=replace(c.judgement, trust=Trust.VERIFIED)) if _about_ranks(c) in shown else c
        for c in checked
    )


def _with_ranks(
    subject: Subject, checked: tuple[Checked, ...], witness: Witness
) -> tuple[tuple[Checked, ...], Certificate]:
    """A certificate of the witness that also states the ranks which hypotheses at its point speak of, where it can."""
    ranks = [w for w in map(_about_ranks, checked) if w is not None and w.at == witness.at]
    if ranks and witness.goal in GOALS and witness.at is not None:
        names = {name for w in (witness, *ranks) for name in w.options.get("ranks", ())}
        beside = replace(witness, options={**witness.options, "ranks": tuple(sorted(names))})
        try:
            return _verified(checked, ranks), certificate_of(subject.problem, beside, subject.budget)
        except ExplorerError:
            pass
    return checked, certificate_of(subject.problem, witness, subject.budget)


def _ranks_alone(subject: Subject, checked: tuple[Checked, ...]) -> tuple[tuple[Checked, ...], list[Certificate]]:
    """Certificates of the ranks in hypotheses that no other certificate states."""
    written = []
    for c in checked:
        witness = _about_ranks(c)
        try:
            if witness is not None:
                written.append(certificate_of(subject.problem, witness, subject.budget))
                checked = _verified(checked, [witness])
        except ExplorerError:
            continue
    return checked, written


def _finding(
    found: Statement,
    subject: Subject,
    checked: tuple[Checked, ...],
    judged: Judgement,
    outcome: Outcome,
    because: str,
    *,
    trust: Trust | None = None,
    certificates: tuple[Certificate, ...] = (),
    repaired: bool,
) -> Finding:
    if trust is None:
        known = [c.judgement.trust for c in checked] + [judged.trust]
        trust = Trust.NUMERICAL if Trust.NUMERICAL in known else Trust.COMPUTED
    return Finding(
        found, subject.problem, checked, judged, outcome, because, trust, certificates=certificates, repaired=repaired
    )
