"""Judged batches in floats: who meets the hypotheses, how much is violated, how tight it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ncbounds.theory.terms import Comparison, Judgement

#: Relative violations in floats below which rounding explains them.
NOISE = {"<=": 1e-9, "=": 1e-6}
_LEAST_SCALE = 1e-300


def meets_hypotheses(judged: Judgement) -> npt.NDArray[np.bool_]:
    """Tell which instances meet all hypotheses (up to rounding) and have defined conclusions."""
    size = max((np.shape(c.lhs)[0] for c in (*judged.hypotheses, *judged.conclusions)), default=0)
    met = np.ones(size, dtype=bool)
    for hypothesis in judged.hypotheses:
        met &= violation(hypothesis) <= NOISE["<="]
        met &= np.isfinite(_flat(hypothesis.slack)).all(axis=1)
    for conclusion in judged.conclusions:
        met &= ~np.isnan(_flat(conclusion.slack)).any(axis=1)
    return met


def violation(comparison: Comparison) -> npt.NDArray[np.float64]:
    """Relative violation of each instance: positive where the relation fails, at most 1."""
    left, right = _flat(comparison.lhs), _flat(comparison.rhs)
    gap = left - right
    if comparison.relation == "=":
        gap = np.abs(gap)
    scale = np.abs(left) + np.abs(right)
    relative = np.where(gap == 0, 0.0, gap / np.maximum(scale, _LEAST_SCALE))
    return _largest(np.where(np.isnan(relative), -np.inf, relative))


def ratio(comparison: Comparison) -> npt.NDArray[np.float64]:
    """Largest lhs/rhs of each instance, where rhs is positive."""
    left, right = _flat(comparison.lhs), _flat(comparison.rhs)
    tight = left / np.where(right > 0, right, np.nan)
    return _largest(np.where(np.isfinite(tight), tight, -np.inf))


def _largest(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Largest entry of each row of a (B, n) array."""
    return values[:, 0] if values.shape[1] == 1 else np.asarray(values.max(axis=1))


def _flat(values: Any) -> npt.NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    return array.reshape(len(array), -1)
