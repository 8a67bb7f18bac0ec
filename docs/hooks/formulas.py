"""Set the formulas of a page as MathML while the site is built, so that a reader needs no script.

Pages write LaTeX between dollars, as GitHub shows it too. A formula that the converter does not
know is a warning, hence a failure of a strict build.
"""

import logging
import re
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any

from ncbounds.report import page as page_of_the_report
from ncbounds.report.page.words import latex as set_formula

_log = logging.getLogger("mkdocs.plugins.formulas")  # a warning there fails a strict build
_FORMULA = re.compile(
    r'<(span|div) class="arithmatex">\\[(\[](.+?)\\[)\]]</\1>',
    re.DOTALL,
)

#: Commands of LaTeX that the converter does not know, or sets in italics, by others for the same.
_SPELLED = {r"\operatorname{": r"\mathrm{", r"\arg": r"\mathrm{arg}"}
#: The font for formulas, for readers whose system has none.
_FONT = Path(page_of_the_report.__file__).parent / "math.woff2"


def on_files(files: Any, config: Any, **_: Any) -> Any:
    """Add the font for formulas to the files of the site."""
    from mkdocs.structure.files import File

    files.append(File.generated(config, _FONT.name, content=_FONT.read_bytes()))
    return files


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """Replace every formula of a page that is otherwise done: the search has read the LaTeX."""

    def typeset(found: re.Match[str]) -> str:
        latex = unescape(found[2]).strip()
        try:
            return mathml(latex, display=found[1] == "div")
        except ValueError as error:
            _log.warning(f"formulas: {page.file.src_uri}: {error}")
            return found[0]

    return _FORMULA.sub(typeset, output)


@cache
def mathml(latex: str, display: bool = False) -> str:
    """Convert a formula to MathML.

    Raises:
        ValueError: when a command of it is not known, which the converter would print as it stands.
    """
    spelled = re.sub(r"\\tag\{([^}]*)\}", r"\\qquad\\text{(\1)}", latex)
    for command, known in _SPELLED.items():
        spelled = spelled.replace(command, known)
    try:
        found = set_formula(spelled, block=display)
    except Exception as error:
        raise ValueError(f"{type(error).__name__} in the formula {latex}") from error
    unknown = re.search(r"<m[a-z]+>(\\\w+)", found)
    if unknown:
        raise ValueError(f"unknown {unknown[1]} in the formula {latex}")
    return f'<div class="formula">{found}</div>' if display else found
