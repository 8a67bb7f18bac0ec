"""Mathematics as a proof step writes it (`(a + b)^2 <= 2 (a^2 + b^2)`), set as MathML.

Steps, facts and remarks are prose with formulas in plain text between the words. `typeset` finds
those formulas, sets them, and leaves everything else as it stands. A word belongs to a formula when
it carries an operator, an index or a digit, or is a symbol; what then has no matching brackets
stays text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

#: Greek letters by name.
GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "eta": "η", "kappa": "κ",
    "lambda": "λ", "mu": "μ", "nu": "ν", "omega": "ω", "phi": "φ", "pi": "π", "psi": "ψ",
    "rho": "ρ", "sigma": "σ", "tau": "τ", "theta": "θ", "xi": "ξ", "zeta": "ζ", "Delta": "Δ",
    "Gamma": "Γ", "Lambda": "Λ", "Omega": "Ω", "Phi": "Φ", "Pi": "Π", "Psi": "Ψ",
    "Sigma": "Σ", "Theta": "Θ",
}  # fmt: skip
_FUNCTIONS = frozenset(
    ["arccos", "cos", "cosh", "cot", "det", "dim", "exp", "log", "max", "min", "rank", "sin",
     "sinh", "softplus", "sqrt", "tan", "tanh", "tr", "var"]
)  # fmt: skip
_OPERATORS = {"<=": "≤", ">=": "≥", "!=": "≠", "->": "→", "-": "−", "<": "&lt;", ">": "&gt;",
              "*": "·", "+-": "±", "...": "…", "..": "…", "~": "∼"}  # fmt: skip
_INFIX = frozenset(["<=", ">=", "!=", "->", "=", "<", ">", "+", "-", "+-", "*", "/", "~"])
_TOKEN = re.compile(
    r"\d+(?:\.\d+)?(?:e[-+]\d+)?|[A-Za-z]{2,}\d+|[A-Za-z]+|<=|>=|!=|->|\+-|\.\.\.?|[⟨⟩]|[-+*/=<>^_(){}\[\]|,'!~;]"
)
_SCRIPTS = {"'": "<mo>′</mo>", "*": "<mo>*</mo>"}
_OPEN, _CLOSE = "([{⟨", ")]}⟩"
#: Letters that are also words.
_ARTICLES = frozenset("aAI")
#: An inner product, `<x, y>`.
_INNER = re.compile(r"<(?=[^\s=])([^<>]*,[^<>]*)(?<=\S)>")
_LINKED = re.compile(r"(?:bnwd|review|square|gnc):[\w.-]*\w")


def typeset(text: str) -> str:
    """Return prose as HTML with its formulas in MathML.

    Examples
    --------
    >>> typeset("so r^2 <= s as before")
    'so <math><msup><mi>r</mi><mn>2</mn></msup><mo>≤</mo><mi>s</mi></math> as before'
    """
    return "".join(
        _set(piece) if is_formula else escape(piece, quote=False)
        for piece, is_formula in _pieces(_INNER.sub("⟨\\1⟩", text))
    )


# -- which words are mathematics ------------------------------------------------------------------


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    """The text cut into formulas and the rest, in order."""
    words = re.split(r"(\s+)", text)
    kinds = [_is_mathematics(words, i) if i % 2 == 0 else None for i in range(len(words))]
    plain, i = "", 0
    while i < len(words):
        if not kinds[i]:
            plain, i = plain + words[i], i + 1
            continue
        run, end = _run(words, kinds, i)
        formula = run.rstrip(",.;:")
        if _worth_setting(formula):
            yield plain, False
            yield formula, True
            plain = run[len(formula) :]
        else:
            plain += run
        i = end
    yield plain, False


def _run(words: list[str], kinds: list[bool | None], start: int) -> tuple[str, int]:
    """The formula that begins at a word: up to the first that is none, or ends a clause."""
    run, depth, i = "", 0, start
    while i < len(words) and (i % 2 or kinds[i]):
        run += words[i]
        depth += sum((c in _OPEN) - (c in _CLOSE) for c in words[i])
        i += 1
        if i % 2 and depth <= 0 and (run[-1] in ",;:." or _valued(words, i)):
            break
    if i % 2 == 0 and run[-1:].isspace():
        run, i = run.rstrip(), i - 1
    return run, i


def _valued(words: list[str], i: int) -> bool:
    """Whether a symbol ends here and its value follows, as in `rho 1.05`: that is no product."""
    value = re.match(r"\d+\.\d", _neighbour(words, i + 1))
    return bool(value and words[i - 1][-1].isalpha() and words[i - 1] not in _FUNCTIONS)


def _is_mathematics(words: list[str], i: int) -> bool:
    word = words[i].strip("()[]{},.;:?")
    if not word:
        return "..." in words[i]
    if _LINKED.search(words[i]) or re.search(
        r"[A-Za-z]{3,}-\w|[A-Za-z]-[A-Za-z]{3,}|[A-Za-z]\.[A-Za-z]", word
    ):
        return False
    bare = word.rstrip("'")
    if re.fullmatch(r"\([a-z]\)", words[i]):  # the name of a part
        return False
    if word in _ARTICLES:
        return _by_operator(words, i)
    if re.fullmatch(r"[A-Za-z]", bare) or bare in GREEK or bare in _FUNCTIONS:
        return True
    if re.fullmatch(r"[A-Za-z]{2,}(\d*|'[a-z]?)", word):
        return _between_operators(words, i)
    if re.fullmatch(r"[A-Za-z]{3,}s?/[A-Za-z]{3,}", word):
        return False
    return bool(re.search(r"[\d^_=<>|+*/~⟨⟩]|-", word) or re.search(r"[A-Za-z]'?\(", word))


def _neighbour(words: list[str], i: int) -> str:
    return words[i] if 0 <= i < len(words) else ""


def _by_operator(words: list[str], i: int) -> bool:
    """Whether the word before or after is an operator, and no punctuation parts them."""
    before, after = _neighbour(words, i - 2), _neighbour(words, i + 2)
    led = before in _INFIX or before in _FUNCTIONS or before[:1] in ("⟨", "|")
    return led or (after in _INFIX and words[i][-1] not in ",.;:")


def _between_operators(words: list[str], i: int) -> bool:
    """Whether a name stands in the middle of a formula, as the mean in `1 - mean <= x`."""
    before, after = _neighbour(words, i - 2), _neighbour(words, i + 2)
    return before in _INFIX and after in _INFIX and words[i][-1] not in ",.;:"


def _worth_setting(formula: str) -> bool:
    """Whether a run is a formula with matching brackets, not just a number."""
    depth = 0
    for c in formula:
        depth += (c in _OPEN) - (c in _CLOSE)
        if depth < 0:
            return False
    known = "".join(_TOKEN.findall(formula)) == re.sub(r"\s", "", formula)
    says = set(re.findall(r"[A-Za-z]+|\d.*[-+*/^=<>]", formula)) - _FUNCTIONS
    return depth == 0 and known and (bool(says) or re.search("[<>=]", formula) is not None)


# -- setting a formula ----------------------------------------------------------------------------


def _set(formula: str) -> str:
    return f"<math>{_row(_TOKEN.findall(formula))}</math>"


def _row(tokens: list[str]) -> str:
    """Set a row of tokens: atoms with their scripts, operators between."""
    out: list[str] = []
    left, before = list(tokens), " "
    while left:
        if left[0] == "sqrt" and left[1:2] == ["("]:
            del left[0]
            atom, before = f"<msqrt>{_row(_group(left))}</msqrt>", ")"
        else:
            token = left.pop(0)
            signs = token == "-" and before in _OPEN
            atom = "<mi>−</mi>" if signs else _atom(token)
            if token in _FUNCTIONS and out and before not in _OPEN:
                atom = atom.replace("<mi>", "<mi>\u2009")
            before = token
        scripts: dict[str, str] = {}
        while left and left[0] in "^_'*" and (left[0] == "'" or left[0] not in scripts):
            if left[0] == "*" and not _is_star(left):
                break
            mark = left.pop(0)
            simple = _SCRIPTS.get(mark)
            scripts[mark] = scripts.get(mark, "") + simple if simple else _script(left)
        if _is_word(atom) and left and left[0] not in _OPERATORS and left[0] not in "([{)]},'":
            atom = atom.replace("</mi>", "\u2009</mi>")
        out.append(_scripted(atom, scripts))
    return "".join(out)


def _is_word(atom: str) -> bool:
    """Whether an atom is a name of several letters, which wants room before the next."""
    return re.fullmatch(r"<mi>\u2009?\w{2,}</mi>", atom) is not None


def _is_star(left: list[str]) -> bool:
    """Whether an asterisk is the star of `gamma*`, and not a product."""
    return len(left) == 1 or not (left[1][0].isalnum() or left[1] in _OPEN)


def _scripted(atom: str, scripts: dict[str, str]) -> str:
    above = [scripts[mark] for mark in "'*^" if mark in scripts]
    upper = "".join(above)
    upper = f"<mrow>{upper}</mrow>" if len(above) > 1 or upper.count("<mo>′") > 1 else upper
    lower = scripts.get("_", "")
    if upper and lower:
        return f"<msubsup>{atom}{lower}{upper}</msubsup>"
    if upper:
        return f"<msup>{atom}{upper}</msup>"
    return f"<msub>{atom}{lower}</msub>" if lower else atom


def _script(left: list[str]) -> str:
    """What stands in an exponent or index: a bracket without its brackets, or a signed atom."""
    if not left:
        return "<mrow></mrow>"
    if left[0] in ("(", "{"):
        return f"<mrow>{_row(_group(left))}</mrow>"
    if left[0] in "+-" and len(left) > 1 and left[1] not in _OPERATORS and left[1] not in _CLOSE:
        sign = _atom(left.pop(0))
        return f"<mrow>{sign}{_atom(left.pop(0))}</mrow>"
    return _atom(left.pop(0))


def _group(left: list[str]) -> list[str]:
    """Take a bracket off the front, and return what is in it."""
    depth, inside = 0, []
    while left:
        token = left.pop(0)
        depth += (token in _OPEN) - (token in _CLOSE)
        if depth == 0:
            break
        inside.append(token)
    return inside[1:]


def _atom(token: str) -> str:
    if token[0].isdigit():
        return f"<mn>{token}</mn>"
    if token[0].isalpha():
        return f"<mi>{GREEK.get(token, token)}</mi>"
    if token in "|/()[]{}⟨⟩":  # as names: operators would be given room, and stretch
        return f"<mi>{token}</mi>"
    return f"<mo>{_OPERATORS.get(token, token)}</mo>"
