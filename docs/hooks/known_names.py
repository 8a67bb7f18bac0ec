"""Link what a page names in code: statements by id, metrics, and commands, to the reference."""

import re
from functools import cache
from typing import Any

from mkdocs.utils import get_relative_url

from ncbounds.cli import COMMANDS
from ncbounds.measure import HELD_OUT_METRICS, METRICS
from ncbounds.theory import statements

_CODE = re.compile(r"<(a|pre)\b.*?</\1>|<code>([^<]+)</code>", re.DOTALL)


def on_page_content(html: str, page: Any, **_: Any) -> str:
    """Make links of the names that the reference explains, except where there is a link already."""

    def linked(found: re.Match[str]) -> str:
        target = place(found[2]) if found[2] else ""
        if not target or target.partition("#")[0] == page.url:
            return found[0]
        return f'<a href="{get_relative_url(target, page.url)}">{found[0]}</a>'

    return _CODE.sub(linked, html)


@cache
def place(name: str) -> str:
    """Where in the reference a name is explained, from the root of the site; empty if nowhere."""
    if name in statements():
        return f"reference/statements/{name.partition(':')[0]}.html#{name}"
    if "." in name and name in METRICS | HELD_OUT_METRICS:  # `alpha` may be anything
        return f"reference/metrics.html#{name}"
    command = re.match(r"ncbounds ([a-z]+)\b", name)
    if command and command[1] in COMMANDS:
        return f"reference/commands.html#ncbounds-{command[1]}"
    return ""
