"""How the site is built: Sphinx with the theme Furo. `make docs` builds it into out/site; warnings are errors."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ictus

ROOT = Path(__file__).parents[1]

project, author = "Ictus", "the Ictus project"
version = release = ictus.__version__
extensions = ["sphinx.ext.autodoc", "sphinx.ext.apidoc", "myst_parser"]
exclude_patterns = ["api/modules.rst"]

highlight_language = "text"
html_theme = "furo"
html_title = "Ictus"
html_static_path = ["style.css"]
html_css_files = ["style.css"]
html_show_sourcelink = html_copy_source = html_show_copyright = False

myst_heading_anchors = 3
suppress_warnings = ["myst.header"]  # model cards begin below the page's own title

# One page a package, from the docstrings.
os.environ["SPHINX_APIDOC_OPTIONS"] = "members"  # the setting of this name does not reach packages
apidoc_modules = [{"path": str(ROOT / "src/ictus"), "destination": "api"}]
apidoc_module_first = True
autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_preserve_defaults = True
autodoc_inherit_docstrings = False
autodoc_mock_imports = ["fastapi", "gradio", "starlette", "uvicorn"]  # what the studio needs and others may lack

_SECTIONS = ("Parameters", "Attributes", "Raises", "Returns", "Yields")


def restructured(lines: list[str]) -> Iterator[str]:
    """Turn a docstring as it is written here, NumPy's sections and a little Markdown, into what Sphinx reads.

    A section becomes a heading and a list of names; a table of `|` a table; an indented example code.
    """
    at, section = 0, ""
    while at < len(lines):
        line, below = lines[at], lines[at + 1] if at + 1 < len(lines) else ""
        if line in _SECTIONS and below and set(below) == {"-"}:
            section = line
            yield from ("", f".. rubric:: {section}", "")
            at += 2
        elif line.startswith("|") and below.startswith("|--"):
            block = _block(lines, at, "|")
            yield from _table(block)
            at += len(block)
        elif line.startswith("    ") and not section:
            block = _block(lines, at, "    ", "")
            yield from ("", ".. code-block:: text", "", *(f"   {code}" for code in block), "")
            at += len(block)
        else:
            yield from _prose(line, section)
            at += 1


def _block(lines: list[str], at: int, *starts: str) -> list[str]:
    """Return the lines from one on that begin so; an empty start stands for an empty line."""
    end = at
    while end < len(lines) and any(lines[end].startswith(s) if s else not lines[end].strip() for s in starts):
        end += 1
    return lines[at:end]


def _table(block: list[str]) -> Iterator[str]:
    yield from ("", ".. list-table::", "   :header-rows: 1", "")
    for row in block:
        if not re.fullmatch(r"[|\s:-]+", row):
            for number, cell in enumerate(row.strip().strip("|").split(" | ")):
                yield f"   {'  -' if number else '* -'} {_inline(cell.strip())}"
    yield ""


def _prose(line: str, section: str) -> Iterator[str]:
    """Write one line: within a section of names, each unindented one begins an item of a list."""
    names, colon, text = line.partition(" : ")
    if section == "Raises" and line and not line.startswith(" "):
        yield f"- **{line}**:"
    elif section and colon and not line.startswith(" "):
        yield f"- **{names}**: {_inline(text)}"
    elif section:
        yield f"  {_inline(line.strip())}" if line.startswith(" ") else _inline(line)
    else:
        yield _inline(re.sub("::$", ":", line))


def _inline(text: str) -> str:
    """Keep what stands in backticks as code, and everything else as it is."""
    plain, *rest = re.split(r"`+([^`]+)`+", text)
    made = _escaped(plain)
    for code, plain in zip(rest[::2], rest[1::2], strict=True):
        made += f"\\ ``{code}``\\ {_escaped(plain)}"
    return made


def _escaped(text: str) -> str:
    return re.sub(r"([\\*_|`])", r"\\\1", text)


def _docstring(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    lines[:] = list(restructured(lines))


def _cards(app: Any, page: str, source: list[str]) -> None:
    """Put the card of every shipped model, as it lies beside its weights, on one page."""
    if page == "models":
        for card in sorted((ROOT / "src/ictus/weights").glob("*/README.md")):
            source[0] += "\n" + re.sub(r"^#", "##", card.read_text("utf-8"), flags=re.MULTILINE)


def setup(app: Any) -> None:
    """Connect the two."""
    app.connect("autodoc-process-docstring", _docstring)
    app.connect("source-read", _cards)
