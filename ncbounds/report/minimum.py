"""Global minima of the models of free features, by the name of the model and its parameters.

The symbols are the review's: K classes of n samples each, features of dimension m, weight decays
lambda_A of the last layer, lambda_F of the features, lambda_b of the bias; Omega_A and Omega_F are
the largest mean squares of a row of weights and of a feature.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ncbounds.arithmetic.formula import Parameter, integer
from ncbounds.errors import InputError
from ncbounds.laboratory import cross_entropy, imbalance, norm_constrained, separation, square
from ncbounds.theory.evaluate import read_values

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Transition:
    """Where the phase changes: a number of the model, and its critical value."""

    quantity: str
    value: float
    critical: float


@dataclass(frozen=True, eq=False)
class ModelMinimum:
    """The global minimum of one model.

    `risk` is the least risk, from below and from above: equal where a closed form is known, and the
    upper end infinite where only the lower is. `point` has a minimiser, as arrays that
    `ncbounds.measure` takes (features (K n, m), labels, weights, bias), where one is known.
    """

    model: str
    parameters: Mapping[str, float]
    phase: str
    risk: tuple[float, float]
    transitions: tuple[Transition, ...] = ()
    quantities: Mapping[str, float] = field(default_factory=dict)
    point: Mapping[str, Floats] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, without the arrays of the point."""
        return {
            "model": self.model,
            "parameters": dict(self.parameters),
            "phase": self.phase,
            "risk": {"lower": self.risk[0], "upper": _finite(self.risk[1])},
            "transitions": [
                {"quantity": t.quantity, "value": _finite(t.value), "critical": t.critical}
                for t in self.transitions
            ],
            "quantities": {name: _finite(value) for name, value in self.quantities.items()},
        }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


@dataclass(frozen=True)
class Model:
    """A model: what it minimises, its parameters, of which the optional may be left out."""

    meaning: str
    parameters: tuple[Parameter, ...]
    solve: Callable[..., ModelMinimum]
    optional: tuple[str, ...] = ()


def minimum(model: str, **parameters: float) -> ModelMinimum:
    """Return the global minimum of a model of free features.

    Parameters
    ----------
    model
        A name of `MODELS`: "cross-entropy", "square", "extended", "norm-constrained",
        "separation", "imbalanced".
    parameters
        Numbers by the name of the parameter, as `MODELS` lists them.

    Raises
    ------
    InputError
        When the model is unknown, or a parameter is unknown, missing or outside its range.

    Examples
    --------
    >>> found = minimum("cross-entropy", K=3, n=2, m=2, lambda_A=0.1, lambda_F=0.05)
    >>> found.phase, round(found.risk[0], 6)
    ('simplex', 0.639032)
    >>> minimum("square", K=3, n=4, m=5, lambda_A=0.2, lambda_F=0.2).phase
    'zero'
    """
    if model not in MODELS:
        raise InputError("MODEL", model, f"one of {', '.join(MODELS)}")
    chosen = MODELS[model]
    names = {p.name: p for p in chosen.parameters}
    for name, raw in parameters.items():
        if name not in names:
            raise InputError(name, raw, f"one of the parameters {', '.join(names)}")
    given: dict[str, float] = {}
    for name, parameter in names.items():
        if name not in parameters:
            if name in chosen.optional:
                continue
            raise InputError(name, "missing", f"given: {parameter.meaning}")
        values = read_values(parameter, parameters[name])
        if len(values) != 1 or not parameter.contains(values[0]):
            raise InputError(name, str(parameters[name]), parameter.domain)
        given[name] = int(values[0]) if parameter.integer else _as_float(name, values[0])
    return chosen.solve(**given)


def _as_float(name: str, value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        raise InputError(name, "too large", "a number in the range of floats") from None


# -- the models -----------------------------------------------------------------------------------


def _cross_entropy(K: int, n: int, m: int, lambda_A: float, lambda_F: float) -> ModelMinimum:
    found = cross_entropy.regularised_minimum(K, n, m, lambda_A, lambda_F)
    point = None
    if found.features is not None and found.weights is not None and found.bias is not None:
        point = _point(K, n, found.features, found.weights, found.bias)
    return ModelMinimum(
        "cross-entropy",
        {"K": K, "n": n, "m": m, "lambda_A": lambda_A, "lambda_F": lambda_F},
        found.phase,
        (found.risk, found.risk if found.exact else math.inf),
        (Transition("K sqrt(n lambda_A lambda_F)", found.strength, 1.0),),
        {"margin": found.margin, "probability of a wrong class": found.wrong_probability},
        point,
    )


def _square(
    K: int, n: int, m: int, lambda_A: float, lambda_F: float, lambda_b: float | None = None
) -> ModelMinimum:
    given = {"K": K, "n": n, "m": m, "lambda_A": lambda_A, "lambda_F": lambda_F}
    if lambda_b is not None:
        given["lambda_b"] = lambda_b
    return _of_factors("square", given, K, n, (m,), (lambda_F, lambda_A), lambda_b)


def _extended(
    K: int, n: int, m: int, lambda_A2: float, lambda_A1: float, lambda_F: float
) -> ModelMinimum:
    decays = {"lambda_A2": lambda_A2, "lambda_A1": lambda_A1, "lambda_F": lambda_F}
    given = {"K": K, "n": n, "m": m, **decays}
    return _of_factors("extended", given, K, n, (m, m), (lambda_F, lambda_A1, lambda_A2), None)


def _of_factors(
    name: str,
    parameters: Mapping[str, float],
    K: int,
    n: int,
    widths: tuple[int, ...],
    decays: tuple[float, ...],
    bias_decay: float | None,
) -> ModelMinimum:
    found = square.least(square.SquareModel((n,) * K, widths, decays, bias_decay))
    features = found.features
    for layer in found.weights[:-1]:  # what the last layer sees
        features = layer @ features
    bias = np.zeros(K) if found.bias is None else found.bias
    fitted = [d for d in found.directions if d.weight > 0]  # a free bias takes the mean
    kinds = {d.name.split()[0]: d for d in fitted}
    kept = {
        kind: sum(1 for d in fitted if d.name.split()[0] == kind and d.kept > 0) for kind in kinds
    }
    phase = "zero" if not any(kept.values()) else "some directions"
    return ModelMinimum(
        name,
        parameters,
        "all directions" if all(d.kept > 0 for d in fitted) else phase,
        (found.value, found.value) if found.proved else (0.0, found.value),
        tuple(
            Transition(f"decay against the {kind} directions", float(d.ratio), d.threshold)
            for kind, d in kinds.items()
        ),
        {
            **{f"{kind} directions kept": number for kind, number in kept.items()},
            "share that is fitted": float(max(d.kept for d in fitted)),
        },
        _point(K, n, features.T, found.weights[-1], bias),
    )


def _norm_constrained(K: int, n: int, m: int, Omega_A: float, Omega_F: float) -> ModelMinimum:
    whole = {"omega_weights": K * Omega_A, "omega_features": K * n * Omega_F}
    least = norm_constrained.least_risk(classes=K, samples=n, **whole)
    point, enough = None, m >= K - 1
    if enough:
        weights, features = norm_constrained.least_point(classes=K, samples=n, dimension=m, **whole)
        point = _point(K, n, features.reshape(K * n, m), weights, np.zeros(K))
    return ModelMinimum(
        "norm-constrained",
        {"K": K, "n": n, "m": m, "Omega_A": Omega_A, "Omega_F": Omega_F},
        "simplex" if enough else "fewer dimensions than a simplex needs",
        (least, least if enough else math.inf),
        (),
        {"largest margin": K * math.sqrt(Omega_A * Omega_F) / (K - 1)},
        point,
    )


def _separation(K: int, n: int, m: int) -> ModelMinimum:
    found, point = separation.least_norm(K, n, m), None
    if math.isfinite(found.upper):
        weights, features = separation.construction(K, n, m)
        point = _point(K, n, features.reshape(K * n, m), weights, np.zeros(K))
    return ModelMinimum(
        "separation",
        {"K": K, "n": n, "m": m},
        found.source,
        (found.lower, found.upper),
        point=point,
    )


def _imbalanced(
    K_maj: int, K_min: int, ratio: float, Omega_A: float, Omega_F: float
) -> ModelMinimum:
    root = math.sqrt(Omega_A * Omega_F)
    found = imbalance.minimum(K_maj, K_min, ratio, root)
    thresholds = {"ratio, where minority classes merge": found.threshold}
    if K_maj >= 2:
        with suppress(InputError):  # a large budget leaves something to the minority at any ratio
            gone = imbalance.vanishing_threshold(K_maj, K_min, root)
            thresholds["ratio, where they vanish"] = gone
    phases = {True: "minority collapse", False: "all classes apart", None: "at the threshold"}
    phase = "minority vanishes" if math.isnan(found.cosine) else phases[found.collapsed]
    return ModelMinimum(
        "imbalanced",
        {"K_maj": K_maj, "K_min": K_min, "ratio": ratio, "Omega_A": Omega_A, "Omega_F": Omega_F},
        phase,
        (found.risk.lower, found.risk.upper),
        tuple(Transition(name, ratio, at.upper) for name, at in thresholds.items()),
        {
            "margin of a majority class": found.majority_margin,
            "margin of a minority class": found.minority_margin,
            "cosine of two minority classifiers": found.cosine,
        },
    )


def _point(K: int, n: int, features: Floats, weights: Floats, bias: Floats) -> dict[str, Floats]:
    labels: Any = np.repeat(np.arange(K), n)
    return {"features": features, "labels": labels, "weights": weights, "bias": bias}


def _positive(name: str, meaning: str, symbol: str) -> Parameter:
    return Parameter(name, meaning, symbol, lower=Fraction(0), lower_open=True)


_K = integer("K", "number of classes", "K", 2)
_N = integer("n", "samples of each class", "n", 1)
_M = integer("m", "dimension of the features", "m", 1)
_LAMBDA_A = _positive("lambda_A", "weight decay of the last layer", r"\lambda_A")
_LAMBDA_F = _positive("lambda_F", "decay of the features", r"\lambda_F")
_LAMBDA_B = Parameter(
    "lambda_b", "decay of the bias (no bias without)", r"\lambda_b", lower=Fraction(0)
)
_OMEGA_A = _positive("Omega_A", "largest mean square of a row of weights", r"\Omega_A")
_OMEGA_F = _positive("Omega_F", "largest mean square of a feature", r"\Omega_F")

MODELS = {
    "cross-entropy": Model(
        "cross-entropy with weight decay (21), whatever the decay of the bias",
        (_K, _N, _M, _LAMBDA_A, _LAMBDA_F),
        _cross_entropy,
    ),
    "square": Model(
        "square loss with weight decay (28)",
        (_K, _N, _M, _LAMBDA_A, _LAMBDA_F, _LAMBDA_B),
        _square,
        ("lambda_b",),
    ),
    "extended": Model(
        "square loss with a further linear layer (36)",
        (
            _K,
            _N,
            _M,
            _positive("lambda_A2", "weight decay of the last layer", r"\lambda_{A_2}"),
            _positive("lambda_A1", "weight decay of the layer before it", r"\lambda_{A_1}"),
            _LAMBDA_F,
        ),
        _extended,
    ),
    "norm-constrained": Model(
        "cross-entropy under bounds on the norms (34), classes of one size",
        (_K, _N, _M, _OMEGA_A, _OMEGA_F),
        _norm_constrained,
    ),
    "separation": Model(
        "half the squared norms at margin 1 (15)",
        (_K, _N, _M),
        _separation,
    ),
    "imbalanced": Model(
        "cross-entropy under bounds on the norms (34), two class sizes, m >= K - 1",
        (
            integer("K_maj", "number of majority classes", r"K_{\mathrm{maj}}", 1),
            integer("K_min", "number of minority classes", r"K_{\mathrm{min}}", 2),
            Parameter(
                "ratio", "samples of a majority class for one of a minority", "r", lower=Fraction(1)
            ),
            _OMEGA_A,
            _OMEGA_F,
        ),
        _imbalanced,
    ),
}
