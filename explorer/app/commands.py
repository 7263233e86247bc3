"""The verbs of the command line: arguments in, one call, one answer out. Heavy imports wait until a verb needs them.

Every verb takes --json, --seed and --budget and returns its exit code (see `explorer.app.main`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from explorer.app import options
from explorer.app.options import Existence, File, Folder, Json, ProblemName, Seconds, Seed, Statement
from explorer.app.output import emit, show, working
from explorer.errors import NotBuilt

app = typer.Typer(
    name="explorer",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Exact exploration of the loss landscapes of neural networks.\n\n"
    "Exit codes: 0 conclusive, 1 invalid input or not existing, 2 inconclusive, 3 internal error "
    "(check: 0 verified, 1 rejected, 2 malformed).",
)


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of internal errors.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> int:
    """Exact exploration of the loss landscapes of neural networks."""
    if version:
        from explorer import __version__

        print(f"explorer {__version__}")
        raise typer.Exit(0)
    if context.invoked_subcommand is None:
        print(context.get_help())
    return 0


@app.command(short_help="Solve, certify and check the built-in cases; one table.")
def tour(
    out: Folder = Path("tour-certificates"),
    only: Annotated[
        list[str] | None, typer.Option("--case", metavar="SLUG", help="Only this case (repeatable).")
    ] = None,
    as_json: Json = False,
    seed: Seed = 0,
    budget: Seconds = None,
) -> int:
    """The main job on the built-in cases: solve, classify, certify, check each certificate apart, one table."""
    from explorer.app.tour import report, run_tour

    return report(run_tour(out, only=tuple(only or ()), budget=options.budget(budget), seed=seed), as_json=as_json)


@app.command(short_help="List the built-in cases, or show one.")
def cases(
    slug: Annotated[str | None, typer.Argument(metavar="[SLUG]", help="Show this case.")] = None,
    as_json: Json = False,
    seed: Seed = 0,
    budget: Seconds = None,
) -> int:
    """List the built-in cases, or show one."""
    from explorer.app.cases import cases as find
    from explorer.app.listing import case_json, cases_json, cases_table

    if slug is None:
        emit(cases_json(find())) if as_json else show(cases_table(find()))
        return 0
    case = find(slug)
    if as_json:
        emit(case_json(case))
    else:
        from explorer.app.display import rich

        show(rich(case))
    return 0


@app.command(short_help="Every critical point of PROBLEM, as far as can be said.")
def solve(
    problem: ProblemName,
    box: Annotated[
        str | None,
        typer.Option(
            "--box", metavar="BOX", help='Only there: a number r for [-r, r], or {"lower": [...], "upper": [...]}.'
        ),
    ] = None,
    as_json: Json = False,
    seed: Seed = 0,
    budget: Seconds = None,
) -> int:
    """The critical set of PROBLEM: every component that was found, and whether that is all of them."""
    from explorer.app.display import rich
    from explorer.app.given import read_box, read_given_problem

    given, allowed = read_given_problem(problem), options.budget(budget)
    region = None if box is None else read_box(box, given)
    from explorer.solve.critical import critical_set  # slow to load: only for input that is sound

    with working(f"solving {given.slug}"):
        found = critical_set(given, budget=allowed, box=region)
    emit(found.to_json()) if as_json else show(rich(found))
    return 0 if found.coverage.complete else 2


@app.command(short_help="Write a certificate of GOAL about PROBLEM.")
def certify(
    problem: ProblemName,
    goal: Annotated[
        str,
        typer.Option(
            "--goal", metavar="GOAL", help="What to prove, e.g. global-minimum (all of them: docs/certificate.md)."
        ),
    ],
    out: File,
    at: Annotated[str | None, typer.Option("--at", metavar="POINT", help="JSON, inline or a file.")] = None,
    better: Annotated[str | None, typer.Option("--better", metavar="POINT", help="A point with a lower value.")] = None,
    hypothesis: Annotated[
        list[str] | None,
        typer.Option("--hypothesis", metavar="NAME", help="A property that the claim needs (repeatable)."),
    ] = None,
    rank: Annotated[
        list[str] | None,
        typer.Option("--rank", metavar="MATRIX", help="State the rank of features, gradients, product or disparity."),
    ] = None,
    as_json: Json = False,
    seed: Seed = 0,
    budget: Seconds = None,
) -> int:
    """Write a certificate of GOAL about PROBLEM, once the independent checker has accepted it."""
    options.spared(out, problem)
    from explorer.app.certificates import brief, certify_to_file

    answer = certify_to_file(
        problem,
        goal=goal,
        at=at,
        better=better,
        hypotheses=tuple(hypothesis or ()),
        ranks=tuple(rank or ()),
        out=out,
        budget=options.budget(budget),
    )
    if as_json:
        emit(answer)
    else:
        print(f"{answer['certificate']}\n  verified: {brief(answer['fact'])}")
    return 0


Samples = Annotated[int | None, options.count("--samples", "Number of samples.")]
Width = Annotated[int | None, options.count("--width", "Units of the hidden layer.")]
ActivationName = Annotated[str | None, typer.Option("--activation", help="Activation of the hidden units.")]
Bias = Annotated[bool | None, typer.Option("--bias/--no-bias", help="With or without hidden biases.")]
Depth = Annotated[int | None, options.count("--depth", "Number of weight layers.")]
Teacher = Annotated[int | None, options.count("--teacher", "Units of the teacher network.")]
Inputs = Annotated[str | None, typer.Option("--inputs", help="Inputs: 1,2,3 or JSON rows [[1, 0], [0, 1]].")]


@app.command(short_help="Certified counterexamples to STATEMENT.")
def refute(
    statement: Statement,
    out: Folder,
    samples: Samples = None,
    width: Width = None,
    activation: ActivationName = None,
    bias: Bias = None,
    depth: Depth = None,
    inputs: Inputs = None,
    as_json: Json = False,
    seed: Seed = 0,
    budget: Seconds = None,
) -> int:
    """Counterexamples to STATEMENT: one folder each, every certificate checked by the independent checker."""
    from explorer.app.certificates import instances_to_folder

    return instances_to_folder(
        "refute", statement, out=out, samples=samples, width=width, activation=activation, bias=bias, depth=depth,
        inputs=inputs, seed=seed, budget=options.budget(budget), as_json=as_json,
    )  # fmt: skip


@app.command(short_help="Certified witnesses of the existence STATEMENT.")
def exhibit(
    statement: Existence,
    out: Folder,
    samples: Samples = None,
    width: Width = None,
    activation: ActivationName = None,
    bias: Bias = None,
    depth: Depth = None,
    inputs: Inputs = None,
    teacher: Teacher = None,
    as_json: Json = False,
    seed: Seed = 0,
    budget: Seconds = None,
) -> int:
    """Witnesses of the existence STATEMENT: one folder each, every certificate checked by the independent checker."""
    from explorer.app.certificates import instances_to_folder

    return instances_to_folder(
        "exhibit", statement, out=out, samples=samples, width=width, activation=activation, bias=bias, depth=depth,
        inputs=inputs, teacher=teacher, seed=seed, budget=options.budget(budget), as_json=as_json,
    )  # fmt: skip


@app.command(short_help="A certified path: to infinity, downhill, between points.")
def paths(
    problem: ProblemName,
    kind: Annotated[str, typer.Option("--kind", metavar="KIND", help="escape, descend, connect or coercive.")],
    at: Annotated[str | None, typer.Option("--at", metavar="POINT", help="Where a path starts (JSON).")] = None,
    to: Annotated[str | None, typer.Option("--to", metavar="POINT", help="Where a connecting path ends.")] = None,
    out: Annotated[Path | None, options.file("Write the certificate here.")] = None,
    as_json: Json = False,
    seed: Seed = 0,
    budget: Seconds = None,
) -> int:
    """A certified path: to infinity (or: F is coercive), down from a point, or between two points below a level."""
    options.spared(out, problem)
    from explorer.app.paths import find_path

    return find_path(
        problem, kind=kind, at=at, to=to, out=out, seed=seed, budget=options.budget(budget), as_json=as_json
    )


@app.command(short_help="Ask the independent checker about certificates.")
def check(
    problem: ProblemName,
    certificate: Annotated[list[Path], typer.Argument(metavar="CERTIFICATE...", help="Certificate files.")],
    as_json: Json = False,
    seed: Seed = 0,
    budget: Seconds = None,
) -> int:
    """Ask the independent checker (the same as python -I explorer/checker.py). The worst verdict is the exit code."""
    from explorer.app.verdicts import check_files

    return check_files(problem, certificate, as_json=as_json)


@app.command(short_help="Compare PROBLEM with its floating-point twin.")
def crosscheck(
    problem: Annotated[str | None, typer.Argument(metavar="[PROBLEM]", help="A problem file or a case.")] = None,
    recipe: Annotated[
        str | None, typer.Option("--recipe", metavar="NAME", help="A family of any size instead.")
    ] = None,
    width: Width = None,
    samples: Samples = None,
    depth: Depth = None,
    starts: Annotated[int, options.count("--starts", "Number of descents.", least=0)] = 4096,
    device: Annotated[str, typer.Option("--device", help="auto, cpu, cuda or cuda:k.")] = "auto",
    report: Annotated[
        list[str] | None,
        typer.Option("--report", metavar="NAME", help="Add curvature, kernels or dynamics (repeatable)."),
    ] = None,
    out: Annotated[Path | None, options.file("Keep the run for promote.")] = None,
    as_json: Json = False,
    seed: Seed = 0,
    budget: Seconds = None,
) -> int:
    """Exact results of PROBLEM beside a float64 twin (numerical: it can agree or complain, it decides nothing)."""
    options.spared(out, problem or "")
    from explorer.app.numerical import crosscheck_command

    return crosscheck_command(
        problem, recipe=recipe, width=width, samples=samples, depth=depth, starts=starts, device=device, out=out,
        report=tuple(report or ()),         as_json=as_json, seed=seed, budget=options.budget(budget),
    )  # fmt: skip


@app.command(short_help="Turn a numerical limit into a certified exact point.")
def promote(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A file that 'crosscheck -o' wrote.")],
    limit: Annotated[int, options.count("--limit", "Which of its limits, from 0.", least=0)] = 0,
    goal: Annotated[
        str | None, typer.Option("--goal", metavar="GOAL", help="What to prove (default: what fits).")
    ] = None,
    out: Annotated[Path | None, options.file("Certificate to write.")] = None,
    as_json: Json = False,
    seed: Seed = 0,
    budget: Seconds = None,
) -> int:
    """A numerical limit of RUN -> an exact point with a certificate, or an honest failure."""
    options.spared(out, run)
    from explorer.app.numerical import promote_command

    return promote_command(run, limit=limit, goal=goal, out=out, as_json=as_json, budget=options.budget(budget))


@app.command(short_help="The theorem book: statements of papers, and their truth.")
def statements(
    identifier: Annotated[str | None, typer.Argument(metavar="[ID]", help="Show this statement whole.")] = None,
    paper: Annotated[str | None, typer.Option("--paper", metavar="P", help="Only this paper, e.g. du2019.")] = None,
    table: Annotated[bool, typer.Option("--table", help="The whole audit on one screen.")] = False,
    graph: Annotated[
        str | None, typer.Option("--graph", metavar="KIND", help="The dependency graph: text, dot or json.")
    ] = None,
    breaks: Annotated[
        str | None, typer.Option("--breaks", metavar="ID", help="What must be looked at again if this one is false.")
    ] = None,
    pages: Annotated[Path | None, options.folder("Write one page per statement and the indices.", "--pages")] = None,
    as_json: Json = False,
    seed: Seed = 0,
    budget: Seconds = None,
) -> int:
    """The theorem book: numbered statements of papers, what is true of them as printed, and how that is shown."""
    from explorer.app.theorem_book import listed

    return listed(identifier, paper=paper, table=table, graph=graph, breaks=breaks, pages=pages, as_json=as_json)


@app.command(short_help="Does STATEMENT apply to PROBLEM, and does it hold?")
def examine(
    statement: Statement,
    problem: ProblemName,
    at: Annotated[str | None, typer.Option("--at", metavar="POINT", help="The point it speaks of (JSON).")] = None,
    repaired: Annotated[bool, typer.Option("--repaired", help="Examine the repaired form.")] = False,
    out: Annotated[
        Path | None, options.file("Certificate of a refutation (default: STATEMENT.PROBLEM.certificate.json, here).")
    ] = None,
    as_json: Json = False,
    seed: Seed = 0,
    budget: Seconds = None,
) -> int:
    """One STATEMENT on one PROBLEM: hypotheses one by one, conclusion, outcome; a refutation comes with its certificate."""
    options.spared(out, problem)
    from explorer.app.examining import examine_command

    return examine_command(
        statement, problem, at=at, repaired=repaired, out=out, as_json=as_json, budget=options.budget(budget)
    )


@app.command(short_help="A picture of F, or of how its valleys merge.")
def plot(
    problem: ProblemName,
    out: Annotated[Path, options.file(".png, .svg, .html (surfaces) or .json.")],
    line: Annotated[bool, typer.Option("--slice", help="F on a line (the default).")] = False,
    surface: Annotated[bool, typer.Option("--surface", help="F on a plane.")] = False,
    tree: Annotated[bool, typer.Option("--tree", help="How the valleys merge as F rises.")] = False,
    at: Annotated[str | None, typer.Option("--at", metavar="POINT", help="A component's number, or a POINT.")] = None,
    to: Annotated[str | None, typer.Option("--to", metavar="POINT", help="The second point.")] = None,
    third: Annotated[str | None, typer.Option("--third", metavar="POINT", help="The third point of a plane.")] = None,
    curve: Annotated[str, typer.Option("--curve", help="straight, bezier or polygonal.")] = "straight",
    through: Annotated[
        str | None, typer.Option("--through", help="points, coordinates or random (filter-normalised).")
    ] = None,
    axes: Annotated[str, typer.Option("--axes", metavar="NAME,NAME", help="Two parameters of a surface.")] = "",
    extent: Annotated[float | None, typer.Option("--extent", help="How far beyond the points.")] = None,
    count: Annotated[int | None, options.count("--count", "Points per axis.", least=2)] = None,
    device: Annotated[str, typer.Option("--device", help="auto, cpu, cuda or cuda:k (curves).")] = "auto",
    as_json: Json = False,
    seed: Seed = 0,
    budget: Seconds = None,
) -> int:
    """A picture of F with its critical points, or the merge tree; settings and seed are in the file's metadata."""
    options.spared(out, problem)
    from explorer.app.plotting import plot_command

    return plot_command(
        problem, out=out, kinds={"slice": line, "surface": surface, "tree": tree}, as_json=as_json,
        at=at, to=to, third=third, curve=curve, through=through, axes=axes, extent=extent, count=count, device=device,
        seed=seed, budget=options.budget(budget),
    )  # fmt: skip


@app.command(short_help="An interactive session with explorer's public names.")
def repl(
    plain: Annotated[
        bool, typer.Option("--plain", help="Python's own console even where IPython is installed.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", hidden=True)] = False,
    seed: Seed = 0,
    budget: Seconds = None,
) -> int:
    """An interactive session with explorer's public names."""
    from explorer.app.repl import start
    from explorer.errors import Invalid

    if as_json:
        raise Invalid(
            "--json", expected="no --json", got="it", remedy="a session is not a JSON document; use the verbs"
        )
    return start(plain=plain)


@app.command(short_help="What is installed, what is missing, what that means.")
def doctor(as_json: Json = False, seed: Seed = 0, budget: Seconds = None) -> int:
    """What is installed, what is missing, and what that means."""
    from explorer.app.doctor import examination, table

    found = examination()
    emit(found) if as_json else show(table(found))
    return 0 if found["healthy"] else 1


NOT_BUILT = {
    "hunt": "search for counterexamples",
    "sweep": "many problems, resumable",
    "export": "certificates in other systems' formats",
    "atlas": "the static site of all results",
}


def _not_built(verb: str, what: str) -> None:
    @app.command(name=verb, help=f"(not built yet) {what[:1].upper()}{what[1:]}.", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})  # fmt: skip
    def later(context: typer.Context) -> int:
        raise NotBuilt(f"explorer {verb}", got="not built yet", remedy="'explorer --help' lists what is there")


for _verb, _what in NOT_BUILT.items():
    _not_built(_verb, _what)

__all__ = ["NOT_BUILT", "app"]
