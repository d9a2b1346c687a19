"""The page of a study: the answer first, then tables and plots, sentences, and what all of it was made from."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from xner._support.pages import Html, asset, colours, element, fill, lines
from xner.experiments.pages.plots import plot_style
from xner.experiments.pages.provenance import libraries, machine
from xner.experiments.pages.tables import figure_column, number, table_html, text_column

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from xner.experiments.pages.plots import Plot
    from xner.experiments.pages.provenance import Data

__all__ = ["made_by", "page", "plots_html"]


def page(title: str, answer: Sequence[str], sections: Mapping[str, str]) -> str:
    """A page that carries all that it needs and runs nothing.

    Args:
        title: of the page.
        answer: what was found, in a few sentences.
        sections: markup by heading.
    """
    anchors = {heading: f"section-{number}" for number, heading in enumerate(sections, 1)}
    parts = {
        "title": html.escape(title),
        "style": "\n".join((colours(), asset("xner.experiments.pages", "style.css"), plot_style())),
        "answer": element("div", lines(element("p", sentence) for sentence in answer), class_="answer"),
        "links": lines(element("a", heading, href=f"#{anchor}") for heading, anchor in anchors.items()),
        "sections": lines(
            element("section", lines([element("h2", heading), body]), id=anchors[heading])
            for heading, body in sections.items()
        ),
    }
    return fill(asset("xner.experiments.pages", "template.html"), parts)


def plots_html(plots: Iterable[Plot]) -> Html:
    """Plots with their captions."""
    return element(
        "div",
        lines(
            element("figure", element("figcaption", element("b", f"{one.caption}."), " ", one.help), one.svg)
            for one in plots
        ),
        class_="plots",
    )


def made_by(
    command: str | None,
    signature: str,
    data: Sequence[Data],
    used: Sequence[str] = (),
    machines: Mapping[str, Mapping[str, str]] | None = None,
) -> Html:
    """What a study was made by, and from: command, versions, data, machine.

    Args:
        command: line that made it; None for a study of a program's.
        signature: of the study.
        data: that it was made from.
        used: distributions that computed, beside xner's own needs.
        machines: where times were measured, and what is to be said of it, by name; None for this machine.
    """
    facts = {
        "command": element("code", command) if command else "none: made in Python",
        "signature": element("code", signature),
        "versions": ", ".join(f"{name} {version}" for name, version in libraries(used).items()),
    }
    parts = [_facts(facts)]
    if data:
        columns = [
            text_column("data", "name", "the file's name, or what the data were called"),
            figure_column("rows", "rows", number(0), "sentences, those that were left out included"),
            text_column(
                "SHA-256", "digest", "the first 16 digits of a digest of the content, whatever file it came in"
            ),
        ]
        rows = [{"name": one.name, "use": one.use, "rows": one.rows, "digest": one.digest[:16]} for one in data]
        if any(one.use for one in data):
            columns.insert(1, text_column("use", "use", "what was done with them"))
        parts.append(table_html("Data", "The same digests mean the same words, labels and links.", {"": rows}, columns))
    for name, its in ({"Machine": machine()} if machines is None else machines).items():
        parts += [element("h3", name), element("p", "Times depend on it.", class_="quiet"), _facts(its)]
    return lines(parts)


def _facts(facts: Mapping[str, str]) -> Html:
    return element(
        "dl",
        *(element(*pair) for fact in facts.items() for pair in zip(("dt", "dd"), fact, strict=True)),
        class_="facts",
    )
