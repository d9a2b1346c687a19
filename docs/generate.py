"""Pages that are made of the package while the documentation is built, so that none goes stale: hooks of MkDocs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mkdocs.structure.files import File

import command_pages
import interface
import notebooks
import pictures

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the modules of the interface into the navigation, behind the commands."""
    nav = config.nav
    assert isinstance(nav, list), "mkdocs.yml says what is in the navigation"
    nav[-1]["Reference"].append({"Python": list(interface.pages())})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the commands, the Python interface, the pictures and the notebooks to the pages that are files."""
    made = {"commands.md": command_pages.page()} | interface.pages() | pictures.drawn() | notebooks.drawn()
    for name, text in made.items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Name the notebook below the title of a page that has one."""
    name = page.file.src_uri.removesuffix(".md")
    if name not in notebooks.NOTEBOOKS:
        return markdown
    title, line, rest = markdown.partition("\n")
    return title + line + notebooks.link(name) + rest
