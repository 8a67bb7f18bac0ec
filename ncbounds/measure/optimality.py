"""How far the last layer in a file is from a global minimum of the regularised model.

The file holds `features`, `labels`, `weights` and, unless the model has none, `bias`; the decays
are given, or are scalars of the file named `lambda_A`, `lambda_F`, `lambda_b`.
"""

from __future__ import annotations

import os

from ncbounds.errors import InputError
from ncbounds.laboratory.enclosed_risk import Loss
from ncbounds.laboratory.optimality import Optimality, certify_optimality
from ncbounds.measure.files import FeatureFile, read_features


def optimality_of_file(
    path: str | os.PathLike[str],
    *,
    lambda_A: float | None = None,
    lambda_F: float | None = None,
    lambda_b: float | None = None,
    loss: Loss = "cross-entropy",
) -> Optimality:
    """Certify how far the point in a file is from the global minimum.

    Parameters:
        path: a `.npz` or `.safetensors` file as `read_features` reads it, with weights.
        lambda_A, lambda_F, lambda_b: decay of weights, features and bias in the risk (21) or (28);
            those left out are read from the file, and lambda_b is 0 where neither has it.
        loss: "cross-entropy" or "square".

    Returns:
        What `certify_optimality` finds of it.

    Raises:
        InputError: no such file, no weights, no decay, or arrays that do not fit together.

    >>> import tempfile
    >>> from ncbounds.laboratory.cross_entropy import regularised_minimum
    >>> from ncbounds.measure.files import write_features
    >>> at = regularised_minimum(2, 3, 1, 0.1, 0.1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     place = f"{folder}/point.npz"
    ...     write_features(place, at.features, [0] * 3 + [1] * 3, at.weights, at.bias)
    ...     found = optimality_of_file(place, lambda_A=0.1, lambda_F=0.1)
    >>> found.is_minimum(), found.wide_enough
    (True, True)
    """
    file = read_features(path)
    if file.weights is None:
        raise InputError("path", str(path), "a file with an array 'weights'")
    decays = {
        "lambda_A": _decay(file, "lambda_A", lambda_A, None),
        "lambda_F": _decay(file, "lambda_F", lambda_F, None),
        "lambda_b": _decay(file, "lambda_b", lambda_b, 0.0),
    }
    return certify_optimality(
        file.features, file.labels, file.weights, file.bias, loss=loss, **decays
    )


def _decay(file: FeatureFile, name: str, given: float | None, default: float | None) -> float:
    found = file.extra.get(name)
    if given is not None:
        return given
    if found is None:
        if default is not None:
            return default
        raise InputError(name, "nothing", "a positive number", f"give it, or store a scalar {name}")
    if found.size != 1 or found.dtype.kind not in "fiu":
        raise InputError(name, f"array of shape {found.shape}", "one number")
    return float(found.item())
