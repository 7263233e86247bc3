"""Text, rich, HTML and LaTeX of the nouns, all from the same `Sheet`."""

from __future__ import annotations

import html as _html
import io
import sys
from typing import TYPE_CHECKING, Any

from explorer.app import formats
from explorer.app.output import PIPE_WIDTH
from explorer.app.sheets import MAKERS, Sheet, formats_inertia, sheet, value

if TYPE_CHECKING:
    from rich.console import Group

#: a tuple of more nouns is shown by their titles
FEW = 4


def rich(noun: Any) -> Group:
    """A rich renderable: title, facts, table, foot."""
    from rich.console import Group
    from rich.text import Text

    page = sheet(noun)
    parts: list[Any] = [Text(page.title, style="bold"), facts_grid(page)]
    if page.columns:
        parts.append(table(page))
    parts += [Text(line, style="dim") for line in page.foot]
    return Group(*parts)


def facts_grid(page: Sheet) -> Any:
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for label, said in page.facts:
        grid.add_row(Text(label), Text(said))
    return grid


def table(page: Sheet) -> Any:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    out = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in page.columns:
        out.add_column(name, overflow="fold")
    for row in page.rows:
        out.add_row(*map(Text, row))
    return out


def text(noun: Any) -> str:
    """Plain text, the same bytes on every terminal; lines end where their text ends."""
    from rich.console import Console

    stream = io.StringIO()
    Console(file=stream, width=PIPE_WIDTH, highlight=False, color_system=None, legacy_windows=False).print(rich(noun))
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()).rstrip()


def html(noun: Any) -> str:
    """HTML for notebooks; everything is escaped."""
    page, esc = sheet(noun), _html.escape
    out = [f'<div class="explorer"><strong>{esc(page.title)}</strong>']
    if page.facts:
        cells = "".join(f"<dt>{esc(k)}</dt><dd>{esc(v)}</dd>" for k, v in page.facts)
        out.append(f"<dl>{cells}</dl>")
    if page.columns:
        head = "".join(f"<th>{esc(c)}</th>" for c in page.columns)
        body = "".join("<tr>" + "".join(f"<td>{esc(c)}</td>" for c in row) + "</tr>" for row in page.rows)
        out.append(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")
    out += [f"<p>{esc(line)}</p>" for line in page.foot]
    return "".join([*out, "</div>"])


def latex(noun: Any) -> str:
    r"""LaTeX between dollars, for notebooks and papers."""
    names = {kind.__name__ for kind in type(noun).__mro__ if kind.__module__.startswith("explorer.")}
    if "Problem" in names:
        return f"$\\displaystyle {formats.latex_loss(noun)}$"
    if "Landscape" in names:
        return f"$\\displaystyle {_latex_landscape(noun)}$"
    if "CriticalSet" in names:
        return f"$\\displaystyle {_latex_critical_set(noun)}$"
    page = sheet(noun)
    lines = [rf"\textbf{{{_tex(page.title)}}}", *(rf"\text{{{_tex(k)}: {_tex(v)}}}" for k, v in page.facts)]
    return r"$\begin{array}{l} " + r" \\ ".join(lines) + r" \end{array}$"


def _latex_landscape(landscape: Any) -> str:
    if len(landscape.parameters) > 12:  # the expression would fill pages
        return formats.latex_loss(landscape.problem)
    from sympy import latex as sympy_latex

    names = {s: formats.latex_name(str(s)) for s in landscape.parameters}
    left = ", ".join(names.values())
    return rf"F({left}) = {sympy_latex(landscape.loss, symbol_names=names)}"


def _latex_critical_set(c: Any) -> str:
    rows = []
    for x in c.components[:20]:
        size = rf"\dim {x.dimension}" if x.orbit is None else str(x.orbit)
        inertia = "?" if x.inertia is None else formats_inertia(x.inertia)
        where = formats.latex_point(x.sample, c.parameters)
        rows.append(
            rf"{size} & {where} & {formats.latex_number(value(x.value))} & ({inertia}) & \text{{{x.kind.value}}}"
        )
    if len(c.components) > 20:
        rows.append(rf"\dots & \text{{{len(c.components) - 20} more}} & & &")
    head = r"\text{points} & \text{sample} & F & (+/0/-) & \text{kind}"
    cover = r"\text{complete}" if c.coverage.complete else r"\text{not complete}"
    body = r" \\ ".join([head + r" \\ \hline " + (rows[0] if rows else ""), *rows[1:]])
    return rf"\begin{{array}}{{rllll}} {body} \end{{array}} \quad {cover}"


def _tex(said: str) -> str:
    for plain, safe in (("\\", r"\backslash "), ("{", r"\{"), ("}", r"\}"), ("_", r"\_"), ("^", r"\^{}"), ("%", r"\%"), ("&", r"\&"), ("#", r"\#"), ("$", r"\$")):  # fmt: skip
        said = said.replace(plain, safe)
    return said


# -- hooks ------------------------------------------------------------------------------------------------------


def teach_ipython() -> None:
    """Teach a running IPython the nouns that cannot know explorer's displays (the checker's Verdict, points)."""
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    if shell is None:
        return
    formatters = shell.display_formatter.formatters
    for noun in (("explorer.checker", "Verdict"), ("explorer.point", "Point"), ("explorer.point", "EnclosedPoint")):
        formatters["text/plain"].for_type_by_name(*noun, lambda v, p, cycle: p.text(text(v)))
        formatters["text/html"].for_type_by_name(*noun, html)
        formatters["text/latex"].for_type_by_name(*noun, latex)


def displayhook(shown: Any) -> None:
    """``sys.displayhook`` of the plain REPL: nouns as text, tuples of nouns one after the other (many of them: by their
    titles), everything else as Python shows it."""
    if _is_noun(shown):
        said = text(shown)
    elif isinstance(shown, tuple) and shown and all(map(_is_noun, shown)):
        few = len(shown) <= FEW
        said = (
            "\n\n".join(map(text, shown)) if few else "\n".join(f"[{k}] {sheet(x).title}" for k, x in enumerate(shown))
        )
    else:
        sys.__displayhook__(shown)
        return
    import builtins

    builtins._ = shown  # type: ignore[attr-defined]
    print(said)


def _is_noun(shown: Any) -> bool:
    return any(k.__name__ in MAKERS and k.__module__.startswith("explorer.") for k in type(shown).__mro__)
