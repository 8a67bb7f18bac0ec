"""Float namespaces: numpy and torch under the names that `balls` has.

`numpy_namespace` and `torch_namespace` are the array API of the library in hand, with the few
functions added that closed forms need and the standard lacks.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

from ncbounds.arithmetic import balls
from ncbounds.errors import MissingDependencyError


class FloatNamespace:
    """The array API of one library, with the special functions of the papers' formulas."""

    def __init__(self, name: str, arrays: Any, lgamma: Callable[[Any], Any]) -> None:
        self.name = name
        self._arrays = arrays
        self.lgamma = lgamma

    def __getattr__(self, name: str) -> Any:
        return getattr(self._arrays, name)

    def sqrt(self, x: Any) -> Any:
        """Square root of an array or a number."""
        return math.sqrt(x) if isinstance(x, float) else self._arrays.sqrt(x)

    def gamma_ratio(self, x: Any, y: Any) -> Any:
        """Return the quotient of Gamma(x) by Gamma(y), without overflow on the way."""
        return self.exp(self.lgamma(x) - self.lgamma(y))

    def sinc(self, x: Any) -> Any:
        """sin(x)/x, continued by 1 at zero."""
        return self._arrays.where(x == 0, 1.0 + x, self.sin(x) / self._arrays.where(x == 0, 1.0, x))

    def root(self, x: Any, n: int) -> Any:
        """The n-th root of a non-negative number."""
        return x ** (1.0 / n)

    def is_positive(self, x: Any) -> Any:
        """1 where x > 0 and 0 elsewhere, as numbers."""
        return self._arrays.where(x > 0, self._arrays.ones_like(x), self._arrays.zeros_like(x))

    def maximum(self, x: Any, y: Any) -> Any:
        """Elementwise maximum; either side may be a number."""
        return self._arrays.where(x >= y, x, y)

    def minimum(self, x: Any, y: Any) -> Any:
        """Elementwise minimum; either side may be a number."""
        return self._arrays.where(x <= y, x, y)

    def run_algorithm(self, algorithm: Any, **values: Any) -> Any:
        """Evaluate an `Algorithm` entry by entry, once for each tuple of values."""
        first = next(v for v in values.values() if hasattr(v, "shape")) * 1.0
        columns = [(first * 0 + v).reshape(-1).tolist() for v in values.values()]
        found = [_number(algorithm, *entry) for entry in zip(*columns, strict=True)]
        return self._arrays.reshape(
            self._arrays.asarray(found, dtype=first.dtype, device=first.device), first.shape
        )


@cache
def _number(algorithm: Any, *values: float) -> float:
    if not all(map(math.isfinite, values)):
        return math.nan
    with balls.precision(96):
        return float(algorithm.at(*map(balls.ball, values)).mid())


@cache
def numpy_namespace() -> FloatNamespace:
    """Return the namespace of numpy."""
    import array_api_compat.numpy
    from scipy.special import gammaln

    return FloatNamespace("numpy", array_api_compat.numpy, gammaln)


@cache
def torch_namespace() -> FloatNamespace:
    """Return the namespace of torch.

    Raises
    ------
    MissingDependencyError
        When torch is not installed.
    """
    try:
        import array_api_compat.torch as arrays
        import torch
    except ImportError as error:
        raise MissingDependencyError('torch is missing: pip install "ncbounds[torch]"') from error
    return FloatNamespace("torch", arrays, torch.lgamma)
