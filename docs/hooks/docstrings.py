"""Docstrings as the reference shows them: an example at the end of one is Python, not prose."""

import re
from typing import Any

import griffe

_EXAMPLE = re.compile(r"^>>>.*?(?=\n\n(?!>>>)|\Z)", re.DOTALL | re.MULTILINE)


class Examples(griffe.Extension):
    """Put the doctests that stand outside a section of examples in a block of code."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of an object that was read."""
        if obj.docstring is not None and "Examples" not in obj.docstring.value:
            fenced = _EXAMPLE.sub(lambda e: f"```pycon\n{e[0].rstrip()}\n```", obj.docstring.value)
            obj.docstring.value = fenced
