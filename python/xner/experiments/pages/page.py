"""What pages of studies have in common: tables, sentences with entities, and the page around them."""

from __future__ import annotations

import html
import re
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["figures_html", "markdown_table", "marked", "page", "sentence", "table_html"]


def cells(row: Mapping[str, Any], columns: Mapping[str, str]) -> list[str]:
    """A row's values as text; a dash where there is none."""
    return [form.format(row[name]) if row[name] is not None else "–" for name, form in columns.items()]


def markdown_table(rows: Iterable[Mapping[str, Any]], columns: Mapping[str, str]) -> str:
    """Rows as a table in Markdown.

    Args:
        rows: values by column.
        columns: the form of each column's values, by name.
    """
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    lines += ["| " + " | ".join(cells(row, columns)) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def table_html(rows: Iterable[Mapping[str, Any]], columns: Mapping[str, str]) -> str:
    """Rows as a table of a page; the arguments are those of `markdown_table`."""

    def line(tag: str, values: Iterable[str]) -> str:
        inner = "".join(
            f"<{tag}{' class=text' if form == '{}' else ''}>{html.escape(value)}</{tag}>"
            for form, value in zip(columns.values(), values, strict=True)
        )
        return f"<tr>{inner}</tr>"

    body = "".join(line("td", cells(row, columns)) for row in rows)
    return f'<div class="wide"><table><thead>{line("th", columns)}</thead><tbody>{body}</tbody></table></div>'


def figures_html(figures: Iterable[tuple[str, str]]) -> str:
    """Plots with their captions.

    Args:
        figures: captions and SVG documents.
    """
    return "\n".join(
        f"<figure><figcaption>{html.escape(caption)}</figcaption>{svg}</figure>" for caption, svg in figures
    )


def sentence(name: str, lines: Mapping[str, str], *, is_open: bool) -> str:
    """A sentence in several readings, folded up unless `is_open`.

    Args:
        name: of the sentence.
        lines: HTML by the name of the reading, see `marked`.
        is_open: whether it is shown at once.
    """
    body = "".join(f'<dt>{html.escape(reading)}</dt><dd dir="auto">{text}</dd>' for reading, text in lines.items())
    return f"<details{' open' if is_open else ''}><summary>{html.escape(name)}</summary><dl>{body}</dl></details>"


def marked(tokens: Sequence[str], entities: Iterable[tuple[int, int, str]]) -> str:
    """Words with their entities marked, as HTML.

    Args:
        tokens: the words.
        entities: `(start, end, class)`.
    """
    starts = {start: (end, label) for start, end, label in entities}
    parts = []
    word = 0
    while word < len(tokens):
        if word in starts:
            end, label = starts[word]
            text = html.escape(" ".join(tokens[word:end]))
            parts.append(f"<mark>{text}<small>{html.escape(label)}</small></mark>")
            word = max(end, word + 1)
        else:
            parts.append(html.escape(tokens[word]))
            word += 1
    return " ".join(parts)


def page(title: str, signature: str, sections: Mapping[str, str]) -> str:
    """A page that carries all that it needs and runs nothing.

    Args:
        title: of the page.
        signature: one line that tells how its content was made.
        sections: HTML by heading.
    """
    anchors = {heading: f"section-{number}" for number, heading in enumerate(sections, 1)}
    parts = {
        "title": html.escape(title),
        "signature": html.escape(signature),
        "style": _asset("style.css"),
        "links": " ".join(f'<a href="#{anchor}">{html.escape(heading)}</a>' for heading, anchor in anchors.items()),
        "sections": "\n".join(
            f'<section id="{anchors[heading]}">\n<h2>{html.escape(heading)}</h2>\n{body}\n</section>'
            for heading, body in sections.items()
        ),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda marker: parts[marker[1]], _asset("template.html"))


def _asset(name: str) -> str:
    return (files("xner.experiments.pages") / name).read_text(encoding="utf-8")
