"""The nouns of the theorem book: what a statement says, when it applies, what decides it on one subject. Plain data.

A statement never proves anything here: its predicates look at one subject and answer with a `Judgement`. Whether a
refutation counts is decided by `explorer.certify.examining`, which asks the independent checker.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any

from explorer.budget import Budget
from explorer.errors import BudgetExceeded, ExplorerError, Unsupported
from explorer.point import AnyPoint
from explorer.problem import Problem
from explorer.shown import Shown
from explorer.solve.results import CriticalSet, Trust


class Sort(Enum):
    """What kind of numbered item the source prints (or ``AUDIT``: a lemma found while auditing)."""

    DEFINITION = "definition"
    ASSUMPTION = "assumption"
    THEOREM = "theorem"
    PROPOSITION = "proposition"
    LEMMA = "lemma"
    COROLLARY = "corollary"
    CLAIM = "claim"
    CONJECTURE = "conjecture"
    EXAMPLE = "example"
    FACT = "fact"
    REMARK = "remark"
    QUOTE = "quoted result"
    EQUATION = "equation"
    QUESTION = "open question"
    AUDIT = "audit lemma"


class Verdict(Enum):
    """Whether the statement is true *as printed*. ``INFORMAL``: no literal truth value; ``DEPENDS``: on a reading."""

    TRUE = "true"
    FALSE = "false"
    NEEDS_REPAIR = "needs-repair"
    OPEN = "open"
    INFORMAL = "informal"
    DEPENDS = "depends"


class Ground(Enum):
    """What the verdict rests on."""

    VERIFIED = "verified: a certificate that the independent checker accepts shows it"
    INSTANCES = "instances: verified on the listed instances, argued in general"
    ARGUED = "argued: by the text of the page, no certificate"
    CITED = "cited: the source proves it, not re-proved here"

    @property
    def word(self) -> str:
        return self.name.lower()


class Fairness(Enum):
    """How a finding may be presented; only ``SOLID`` findings are called errors (of the text quoted, no other)."""

    SOLID = "the literal statement is false under a fair reading"
    PEDANTIC = "a degenerate case or a convention: a remark, not an error"
    IN_CONTEXT = "the paper is right in context: no error is claimed"


class Outcome(Enum):
    """What examining one statement on one subject gave."""

    HOLDS = "holds"
    REFUTED = "refuted"
    VACUOUS = "vacuous"
    UNDECIDED = "undecided"


class Relation(Enum):
    """Edges of the dependency graph. ``USES`` and ``IMPLIED_BY`` carry truth (see `explorer.statements.graph`)."""

    USES = "uses"
    IMPLIED_BY = "is implied by"
    SPECIAL_CASE_OF = "is a special case of"
    REFUTES = "refutes"
    REPAIRS = "repairs"
    CONTRASTS = "contrasts with"
    RELATED = "is related to"


class Concept(Enum):
    """The index by subject."""

    LOCAL_MINIMA = "local minima"
    GLOBAL_MINIMA = "global minima"
    SADDLES = "saddles"
    VALLEYS = "valleys and basins"
    PATHS = "paths and connectivity"
    COERCIVITY = "coercivity and infinity"
    DEEP_LINEAR = "deep linear networks"
    RELU = "ReLU and piecewise activations"
    SMOOTH = "smooth activations"
    WIDTH = "over-parameterisation"
    GRAM = "Gram matrices and tangent kernels"
    DYNAMICS = "gradient descent and flow"
    TANGENT = "tangent models and gradient bases"
    CANONICAL = "canonical space and disparity"
    LOSS = "loss functions and regularizers"
    SLICES = "slices and interpolation"


@dataclass(frozen=True)
class Subject:
    """What a statement is examined on: a problem, and a point or several where the statement speaks of one.

    ``point`` None lets a predicate about points look at every critical point that the solver lists.
    """

    problem: Problem
    point: AnyPoint | None = None
    points: tuple[AnyPoint, ...] = ()
    budget: Budget = field(default_factory=lambda: Budget(20))

    @property
    def critical(self) -> CriticalSet:
        """The critical set of the problem, computed once. Raises what `critical_set` raises, each time."""
        if isinstance(self._solved, ExplorerError):
            raise self._solved
        return self._solved

    @cached_property
    def _solved(self) -> CriticalSet | ExplorerError:
        from explorer.solve.critical import critical_set

        try:
            return critical_set(self.problem, budget=self.budget)
        except (Unsupported, BudgetExceeded) as error:  # an answer too: not to be paid for twice
            return error


@dataclass(frozen=True)
class Witness:
    """A claim in the checker's own language that would show a judgement: a goal kind with its points.

    ``options`` are further keyword arguments of the certificate's writer (see `explorer.certify.examining`).
    """

    goal: str
    at: AnyPoint | Mapping[str, Any] | None = None
    better: AnyPoint | Mapping[str, Any] | None = None
    hypotheses: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Judgement:
    """True, false or unknown (None), the reason in a sentence, how sure, and what a certificate could show of it.

    ``shows`` are the witnesses: of falsity if ``holds`` is False (any one of them suffices), of truth if it is True
    (all of them together; unless ``partial``: then they show it of listed points, and that the list is complete is not
    among what they show, so the judgement stays *computed*).
    """

    holds: bool | None
    because: str
    trust: Trust = Trust.COMPUTED
    shows: tuple[Witness, ...] = ()
    partial: bool = False

    @classmethod
    def unknown(cls, because: str) -> Judgement:
        return cls(None, because)


Test = Callable[[Subject], Judgement]


@dataclass(frozen=True)
class Predicate:
    """A named condition on a subject. ``text`` is one line in plain words, ``latex`` the formula."""

    name: str
    text: str
    test: Test
    latex: str = ""
    #: the hypothesis of docs/certificate.md that says the same, where there is one
    certified_as: str | None = None


@dataclass(frozen=True)
class NotCheckable:
    """Why no program can decide the statement on one subject (an asymptotic rate, a historical remark, ...)."""

    reason: str


@dataclass(frozen=True)
class Repair:
    """The repaired form: what changes, and its own hypotheses and conclusion."""

    text: str
    hypotheses: tuple[Predicate, ...]
    conclusion: Predicate


@dataclass(frozen=True)
class Recipe:
    """A certified instance by its recipe: ``verb`` is refute or exhibit, ``statement`` the recipe's id."""

    verb: str
    statement: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Example:
    """One small instance: a subject with the outcome that is known for it, or a recipe of certified instances.

    ``positive``: hypotheses and conclusion hold; otherwise a hypothesis is dropped or the literal text fails.
    ``outcome`` is what `examine` must say; ``repaired`` what it must say of the repaired form (None: not asked).
    ``source``: where the expectation comes from (a hand computation, an independent method).
    """

    name: str
    positive: bool
    outcome: Outcome
    subject: Callable[[], Subject] | None = None
    recipe: Recipe | None = None
    repaired: Outcome | None = None
    smallest: bool = False
    source: str = "by hand"


@dataclass(frozen=True)
class Edge:
    """An arrow of the dependency graph, from the statement that carries it."""

    relation: Relation
    to: str


@dataclass(frozen=True)
class Statement(Shown):
    """A numbered statement of a paper, in our own words, executable on a subject.

    ``conclusion`` is a predicate or `NotCheckable`. ``remarks`` are edge cases and findings that are not errors;
    ``finding`` says what is wrong with the literal text where ``verdict`` is false or needs-repair.
    """

    id: str
    sort: Sort
    section: str
    title: str
    text: str
    latex: str
    quantifiers: str
    hypotheses: tuple[Predicate, ...]
    conclusion: Predicate | NotCheckable
    verdict: Verdict
    ground: Ground
    because: str
    fairness: Fairness | None = None
    finding: str = ""
    repair: Repair | None = None
    remarks: tuple[str, ...] = ()
    edges: tuple[Edge, ...] = ()
    concepts: tuple[Concept, ...] = ()
    examples: tuple[Example, ...] = ()
    references: tuple[str, ...] = ()

    @property
    def checkable(self) -> bool:
        return isinstance(self.conclusion, Predicate)

    @property
    def is_error(self) -> bool:
        """Whether the statement may be called an error: a verified refutation, and a fair reading."""
        return (
            self.verdict in (Verdict.FALSE, Verdict.NEEDS_REPAIR)
            and self.ground is Ground.VERIFIED
            and self.fairness is Fairness.SOLID
        )
