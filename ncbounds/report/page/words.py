"""The small pieces of the page: prose, numbers, badges, pictures, arrays."""

from __future__ import annotations

import re
from html import escape
from typing import Any
from zlib import crc32

from ncbounds.errors import MissingDependencyError
from ncbounds.report.page.plain_mathematics import typeset
from ncbounds.report.plots import svg

_STATEMENT = re.compile(r"((?:bnwd|review|square|gnc):[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)")
#: The name of a function right before its argument.
_FUNCTION = re.compile(
    r"<mi>(\w{2,})</mi>(?=(?:<m[in]>\d</m[in]></msup>)?<m(?:i>\w|n>|frac|sqrt|sub|sup))"
)
#: A formula with the punctuation after it, which no line may begin with.
_FOLLOWED = re.compile(r"(<math(?:(?!</math>).)*</math>)([,.;:)]+)", re.S)
#: What latex2mathml writes, and what it means: a minus, primes, a close slash.
_MEANT = {
    "<mo>-</mo>": "<mo>−</mo>",
    "<mi>′</mi>": "<mo>′</mo>",
    "<mi>″</mi>": "<mo>″</mo>",
    "<mo>/</mo>": "<mi>/</mi>",
}
#: A bar over an expression, which may have accents: a border, as few fonts have bars that grow.
_BARRED = re.compile(
    r"<mover>((?:<mover>(?:(?!</?mover>).)*</mover>|(?!</?mover>).)*)"
    r'<mo accent="true">―</mo></mover>'
)
#: Brackets stretch and know their side without being told.
_STRETCHED = re.compile(
    r'<mo stretchy="true" form="(?:prefix">([(\[{⟨⌊⌈])|postfix">([)\]}⟩⌋⌉]))</mo>'
)
_CODE = re.compile(r"`([^`]+)`")
#: Attributes that latex2mathml writes and browsers do not need.
_IDLE = re.compile(r' (?:xmlns="[^"]*"|display="inline"|separator="true"|fence="\w+")(?=[ >])')


def prose(text: str, linked: bool = True) -> str:
    """Set prose: LaTeX between dollars and formulas in plain text as MathML, ids as links."""
    parts = re.split(r"\$(.+?)\$", text, flags=re.S)
    whole = "".join(latex(part) if i % 2 else _plain(part, linked) for i, part in enumerate(parts))
    return _FOLLOWED.sub(r'<span class="n">\1\2</span>', whole)


def _plain(text: str, linked: bool) -> str:
    found = []
    for i, part in enumerate(_CODE.split(text)):
        if i % 2:
            found.append(f"<code>{escape(part)}</code>")
            continue
        for j, piece in enumerate(_STATEMENT.split(part)):
            if j % 2:
                found.append(f'<a href="#{piece}">{piece}</a>' if linked else piece)
            else:
                found.append(typeset(piece))
    return "".join(found)


def latex(formula: str, block: bool = False) -> str:
    """Set LaTeX as MathML, in a line or as a block of its own."""
    try:
        from latex2mathml.converter import convert
    except ImportError as error:
        raise MissingDependencyError(
            'latex2mathml is missing: pip install "ncbounds[plot]"'
        ) from error
    return _compact(convert(formula, display="block" if block else "inline"))


def _compact(mathml: str) -> str:
    """MathML without what a page does not need, and with room after the names of functions."""
    shorter = re.sub(
        r"&#x([0-9A-F]+);",
        lambda m: escape(chr(int(m[1], 16)), quote=False),
        _IDLE.sub("", mathml),
    )
    for written, meant in _MEANT.items():
        shorter = shorter.replace(written, meant)
    shorter = _BARRED.sub(r'<mrow class="bar">\1</mrow>', shorter)
    shorter = re.sub(r'<mo stretchy="false"(?: form="\w+")?>([^<])</mo>', r"<mi>\1</mi>", shorter)
    shorter = _STRETCHED.sub(r"<mo>\1\2</mo>", shorter)
    shorter = re.sub(r"(<mi>[(\[{]</mi>)<mo>−</mo>", r"\1<mi>−</mi>", shorter)
    shorter = _FUNCTION.sub("<mi>\\1\u2009</mi>", shorter)
    return re.sub(r"<mrow>(<(m[ion])[^>]*>[^<]*</\2>)</mrow>", r"\1", shorter)


def badge(verdict: str) -> str:
    """A verdict as a badge; nothing for a definition, which has none."""
    return f'<span class="badge {verdict}">{verdict}</span>' if verdict else ""


def number(value: float) -> str:
    """Three significant digits, with a power of ten only where zeros would hide them."""
    if value == 0:
        return "0"
    if 1e-4 <= abs(value) < 1e5:
        return f"{value:.3g}"
    mantissa, power = f"{value:.2e}".split("e")
    return f"{mantissa}&middot;10<sup>{int(power)}</sup>"


def picture(figure: Any, words: str) -> str:
    """A figure of matplotlib as an inline picture with alternative text.

    Its ids are kept where something refers to them, and made its own.
    """
    drawn = svg(figure)
    used = set(re.findall(r'(?:url\(|href=")#([^")]+)', drawn))
    mark = f"f{crc32(words.encode()):x}-"
    drawn = re.sub(r' id="([^"]+)"', lambda m: f' id="{mark}{m[1]}"' if m[1] in used else "", drawn)
    drawn = re.sub(r'(url\(|href=")#', rf"\1#{mark}", drawn)
    return drawn.replace("<svg", f'<svg role="img" aria-label="{escape(words)}"', 1)


def shortened(enclosure: str) -> str:
    """A ball by its first digits; the evidence has the rest."""
    match = re.match(r"\[?(-?[\d.]+)(e[+-]?\d+)?(?: \+/- |$)", enclosure)
    if match is None:
        return escape(enclosure)
    digits, power = match[1].replace("-", "&minus;"), match[2] or ""
    if "+/-" not in enclosure:
        exact = digits.rstrip("0").rstrip(".") if "." in digits else digits
        return exact + _power(power)
    return f"{digits[: 9 + len(digits) - len(match[1])]}&hellip;{_power(power)}"


def _power(text: str) -> str:
    return f"&middot;10<sup>{int(text[1:])}</sup>".replace("-", "&minus;") if text else ""
