"""The symbolic arithmetic: a formula run over this module is a sympy expression.

The module is itself the namespace (`sqrt`, `exp`, `gamma_ratio`, ...). Below the namespace stand
the uses of the expression: the symbols of a formula, LaTeX, MathML and text.
"""

from __future__ import annotations

import re
import sys
from functools import cache
from typing import Any

import sympy
from sympy import Abs, cos, exp, gamma, log, root, sin, sinc, sqrt

from ncbounds.arithmetic.formula import Formula, Parameter

__all__ = [
    "abs",
    "cos",
    "e",
    "exp",
    "expm1",
    "expression",
    "gamma_ratio",
    "latex",
    "log",
    "log1p",
    "mathml",
    "maximum",
    "minimum",
    "pi",
    "root",
    "run_algorithm",
    "sin",
    "sinc",
    "sqrt",
    "symbols",
    "text",
]

abs = Abs
pi = sympy.pi
e = sympy.E
maximum = sympy.Max
minimum = sympy.Min


def log1p(x: Any) -> Any:
    """Logarithm of 1 + x."""
    return log(1 + x)


def expm1(x: Any) -> Any:
    """Exponential less 1."""
    return exp(x) - 1


def gamma_ratio(x: Any, y: Any) -> Any:
    """Return the quotient of Gamma(x) by Gamma(y)."""
    return gamma(x) / gamma(y)


def run_algorithm(algorithm: Any, **values: Any) -> Any:
    """An algorithm has no expression: it is an unknown function of its parameters."""
    return sympy.Function(algorithm.name, real=True)(*values.values())


def _symbol(parameter: Parameter) -> sympy.Symbol:
    lower = parameter.lower
    at_least_zero = lower is not None and lower >= 0
    is_positive = lower is not None and at_least_zero and (parameter.lower_open or lower > 0)
    return sympy.Symbol(
        parameter.argument,
        real=True,
        integer=parameter.integer or None,
        nonnegative=at_least_zero or None,
        positive=is_positive or None,
    )


@cache
def symbols(formula: Formula) -> dict[str, sympy.Symbol]:
    """Return the symbols of a formula's parameters, by argument name, with their signs known."""
    return {p.argument: _symbol(p) for p in formula.parameters}


@cache
def expression(formula: Formula) -> sympy.Expr:
    """Return the formula as a sympy expression in `symbols(formula)`."""
    return formula(sys.modules[__name__], **symbols(formula))


@cache
def _printed(formula: Formula, letters: bool) -> sympy.Expr:
    """The expression in symbols without declared signs, whose roots sympy leaves together.

    The symbols carry the parameters' LaTeX, or with `letters` plain Unicode letters.
    """
    names = {p.argument: _letter(p.symbol) if letters else p.symbol for p in formula.parameters}
    return formula(
        sys.modules[__name__], **{name: sympy.Symbol(shown) for name, shown in names.items()}
    )


def latex(formula: Formula) -> str:
    """Return the formula in LaTeX, in the symbols of its paper."""
    shown = _printed(formula, letters=False)
    return str(sympy.latex(shown, symbol_names={s: s.name for s in shown.free_symbols}))


def mathml(formula: Formula) -> str:
    """Return the formula as presentation MathML, ready to stand in a page."""
    body = sympy.mathml(_printed(formula, letters=True), printer="presentation")
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">{body}</math>'


def text(formula: Formula) -> str:
    """Return the formula drawn in Unicode over several lines."""
    return str(sympy.pretty(_printed(formula, letters=True), use_unicode=True))


def _letter(symbol: str) -> str:
    """A LaTeX symbol as the name that sympy's own printers turn into the same letter."""
    accented = re.sub(r"\\tilde\{(\w)\}", "\\1\u0303", symbol)
    return re.sub(r"[\\{}]", "", accented)
