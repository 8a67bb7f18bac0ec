"""Grids of a formula in float64 (numpy or torch), in log space wherever plain floats give out.

`grid` compiles the symbolic form of a formula once. Every node of it carries a plain value, and
beside it the logarithm of its magnitude for entries whose plain value has left the comfortable
range: Gamma(2048) is infinite in float64, its quotient with Gamma(2048.5) is not. A result that
float64 can represent is therefore represented; `log10_grid` gives the rest. Logarithms of 1 + x
and exponentials less 1 keep their digits for small x.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import sympy

from ncbounds.arithmetic import symbolic
from ncbounds.arithmetic.floats import FloatNamespace, numpy_namespace, torch_namespace
from ncbounds.arithmetic.formula import Algorithm, Formula
from ncbounds.errors import InputError

#: Magnitudes between which a plain float64 is used as it is.
_SAFE = (1e-290, 1e290)


class Scaled(NamedTuple):
    """An array by plain value, and by sign and logarithm of magnitude."""

    plain: Any
    sign: Any
    log: Any


Node = Callable[[FloatNamespace, dict[str, Any]], Scaled]


def grid(formula: Formula, **arrays: Any) -> Any:
    """Evaluate a formula on arrays of parameters, float64 in and float64 out.

    Parameters are numpy arrays, torch tensors or numbers, and broadcast. Entries outside the
    formula's domain give NaN or whatever the formula means there; no entry raises. Where a
    formula itself cancels (a gap near its zero) float64 loses digits: `certify` does not.

    Raises
    ------
    InputError
        When a parameter is missing or unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from ncbounds.theory.softmax_code.gamma_bounds import sharp_upper
    >>> bool(grid(sharp_upper, d=np.array([4096.0]), K=1e12)[0] < 2)
    True
    """
    xp, values = _arrays(formula, arrays)
    if isinstance(formula, Algorithm):
        return formula(xp, **values)
    with np.errstate(all="ignore"):
        result = _compiled(formula)(xp, values)
        by_log = result.sign * xp.exp(result.log)
        return xp.where(_is_safe(xp, result.plain), result.plain, by_log)


def log10_grid(formula: Formula, **arrays: Any) -> Any:
    """Return log10 of the magnitude on arrays of parameters, for values that no float holds."""
    xp, values = _arrays(formula, arrays)
    with np.errstate(all="ignore"):
        return _compiled(formula)(xp, values).log / math.log(10.0)


def _arrays(formula: Formula, arrays: dict[str, Any]) -> tuple[FloatNamespace, dict[str, Any]]:
    names = {p.argument for p in formula.parameters}
    if arrays.keys() != names:
        wrong = sorted(names ^ arrays.keys())[0]
        raise InputError(wrong, "missing or unknown", f"one of {', '.join(sorted(names))}")
    torches = [v for v in arrays.values() if type(v).__module__.split(".")[0] == "torch"]
    if not torches:
        xp = numpy_namespace()
        return xp, {k: xp.asarray(v, dtype=xp.float64) for k, v in arrays.items()}
    xp, device = torch_namespace(), torches[0].device
    return xp, {k: xp.asarray(v, dtype=xp.float64, device=device) for k, v in arrays.items()}


@cache
def _compiled(formula: Formula) -> Node:
    return _compile(symbolic.expression(formula))


def _compile(expression: sympy.Expr) -> Node:
    if expression.is_Symbol:
        name = str(expression)
        return lambda xp, values: _scaled(xp, values[name])
    if expression.is_number:
        constant = float(expression.evalf(40))
        return lambda xp, values: _scaled(
            xp, xp.asarray(constant, dtype=xp.float64, device=_device(values))
        )
    if expression.is_Mul:
        return _fold([_compile(a) for a in expression.args], _multiply)
    if expression.is_Add:
        return _compile_sum(expression)
    if expression.func is sympy.exp:
        return _unary(expression.args[0], _exp)
    if expression.is_Pow:
        return _compile_power(*expression.as_base_exp())
    if expression.func is sympy.log:
        return _compile_log(expression.args[0])
    if expression.func is sympy.gamma:
        return _unary(expression.args[0], _gamma)
    if expression.func is sympy.Abs:
        return _unary(expression.args[0], lambda xp, x: Scaled(xp.abs(x.plain), x.sign**2, x.log))
    plain = {sympy.cos: "cos", sympy.sin: "sin", sympy.sinc: "sinc"}.get(expression.func)
    if plain is not None:
        name = plain
        return _unary(expression.args[0], lambda xp, x: _scaled(xp, getattr(xp, name)(x.plain)))
    if expression.func in (sympy.Max, sympy.Min):
        pick = "maximum" if expression.func is sympy.Max else "minimum"
        return _fold(
            [_compile(a) for a in expression.args],
            lambda xp, x, y: _scaled(xp, getattr(xp, pick)(x.plain, y.plain)),
        )
    raise NotImplementedError(f"no grid rule for {expression.func}")


def _device(values: dict[str, Any]) -> Any:
    return getattr(next(iter(values.values())), "device", None)


def _is_safe(xp: FloatNamespace, plain: Any) -> Any:
    size = xp.abs(plain)
    return (plain == 0) | ((size > _SAFE[0]) & (size < _SAFE[1]))


def _scaled(xp: FloatNamespace, plain: Any) -> Scaled:
    return Scaled(plain, xp.sign(plain), xp.log(xp.abs(plain)))


def _join(xp: FloatNamespace, plain: Any, sign: Any, log: Any, trust_zero: Any = True) -> Scaled:
    """Keep the plain value where it is comfortable, its logarithm elsewhere."""
    safe = _is_safe(xp, plain) & ((plain != 0) | trust_zero)
    exact = _scaled(xp, xp.where(safe, plain, 1.0 + 0.0 * sign))
    return Scaled(
        xp.where(safe, plain, sign * xp.exp(log)),
        xp.where(safe, exact.sign, sign),
        xp.where(safe & (plain != 0), exact.log, log),
    )


def _unary(argument: sympy.Expr, rule: Callable[[FloatNamespace, Scaled], Scaled]) -> Node:
    inner = _compile(argument)
    return lambda xp, values: rule(xp, inner(xp, values))


def _fold(nodes: list[Node], rule: Callable[[FloatNamespace, Scaled, Scaled], Scaled]) -> Node:
    def run(xp: FloatNamespace, values: dict[str, Any]) -> Scaled:
        result = nodes[0](xp, values)
        for node in nodes[1:]:
            result = rule(xp, result, node(xp, values))
        return result

    return run


def _multiply(xp: FloatNamespace, x: Scaled, y: Scaled) -> Scaled:
    both = _is_safe(xp, x.plain) & _is_safe(xp, y.plain)
    plain = xp.where(both, x.plain * y.plain, xp.inf)
    return _join(xp, plain, x.sign * y.sign, x.log + y.log, x.sign * y.sign == 0)


def _add(xp: FloatNamespace, x: Scaled, y: Scaled) -> Scaled:
    top = xp.maximum(x.log, y.log)
    top = xp.where(top > -xp.inf, top, 0.0 * top)
    top = xp.where(xp.isfinite(top), top, 0.0)
    scaled = x.sign * xp.exp(x.log - top) + y.sign * xp.exp(y.log - top)
    both = _is_safe(xp, x.plain) & _is_safe(xp, y.plain)
    plain = xp.where(both, x.plain + y.plain, xp.inf)
    return _join(xp, plain, xp.sign(scaled), top + xp.log(xp.abs(scaled)))


def _compile_sum(expression: sympy.Add) -> Node:
    """Sum the terms; ``exp(y) - 1`` goes by expm1."""
    exponentials = [a for a in expression.args if a.func is sympy.exp]
    if sympy.Integer(-1) in expression.args and exponentials:
        inner = _compile(exponentials[0].args[0])

        def less_one(xp: FloatNamespace, values: dict[str, Any]) -> Scaled:
            exponent = inner(xp, values)
            log = xp.where(exponent.plain > 1, exponent.plain, exponent.log)
            return _join(xp, xp.expm1(exponent.plain), exponent.sign, log, exponent.sign == 0)

        rest = [a for a in expression.args if a != -1 and a is not exponentials[0]]
        return _fold([less_one, *(_compile(a) for a in rest)], _add)
    return _fold([_compile(a) for a in expression.args], _add)


def _compile_power(base: sympy.Expr, exponent: sympy.Expr) -> Node:
    base_node, exponent_node = _compile(base), _compile(exponent)
    whole = bool(exponent.is_Integer)
    parity = int(exponent) % 2 if whole else 0

    def run(xp: FloatNamespace, values: dict[str, Any]) -> Scaled:
        x, y = base_node(xp, values), exponent_node(xp, values)
        sign = (x.sign if parity else x.sign**2) if whole else x.sign
        plain = xp.where(_is_safe(xp, x.plain), x.plain**y.plain, xp.inf)
        return _join(xp, plain, sign, y.plain * x.log, x.sign == 0)

    return run


def _exp(xp: FloatNamespace, x: Scaled) -> Scaled:
    return _join(xp, xp.exp(x.plain), 1.0 + 0.0 * x.sign, x.plain, False)


def _gamma(xp: FloatNamespace, x: Scaled) -> Scaled:
    log = xp.lgamma(x.plain)
    return _join(xp, xp.exp(log), 1.0 + 0.0 * x.sign, log, False)


def _compile_log(argument: sympy.Expr) -> Node:
    """Logarithm; of 1 + x by log1p."""
    if argument.is_Add and sympy.Integer(1) in argument.args:
        rest = _compile(argument - 1)

        def one_plus(xp: FloatNamespace, values: dict[str, Any]) -> Scaled:
            x = rest(xp, values)
            plain = xp.where(x.plain < _SAFE[1], xp.log1p(x.plain), x.log)
            return _join(xp, plain, x.sign, x.log, x.sign == 0)

        return one_plus
    return _unary(argument, lambda xp, x: _scaled(xp, x.log))
