"""A trained network reduced to what the bounds speak of, and the file that keeps several."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ncbounds.errors import InputError

Floats = npt.NDArray[np.floating[Any]]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Run:
    """One trained network, reduced to what the bounds speak of.

    `features` (n, d), `labels` (n,) and `weights` (K, d) belong to the balanced training set;
    `gamma` (d,) is the scale of the last batch normalisation, None without. `history` holds
    one number an epoch, before its step: `loss` (cross-entropy, unregularised) and `train_error`.
    `defects` holds what `ncbounds.measure.defects.loss_gap` says of the network after each of the
    logarithmically spaced steps `step`. `seconds` is the run's share of the time that its batch of
    runs took.
    """

    name: str
    data: str
    network: str
    batch_norm: bool
    weight_decay: float
    train_accuracy: float
    test_accuracy: float
    seconds: float
    features: Floats = field(repr=False)
    labels: Integers = field(repr=False)
    weights: Floats = field(repr=False)
    gamma: Floats | None = field(repr=False)
    history: dict[str, Floats] = field(repr=False)
    defects: dict[str, Floats] = field(repr=False)

    @property
    def interpolates(self) -> bool:
        """Whether no training error is left; the paper's comparison asks for it."""
        return self.train_accuracy == 1.0


def save_runs(path: str | Path, runs: Sequence[Run]) -> None:
    """Write runs to one safetensors file: arrays as `NAME/ARRAY`, everything else as text."""
    from safetensors.numpy import save_file

    tensors: dict[str, Floats | Integers] = {}
    for run in runs:
        arrays = {"features": run.features, "labels": run.labels, "weights": run.weights}
        arrays |= {} if run.gamma is None else {"gamma": run.gamma}
        for part in _PARTS:
            arrays |= {f"{part}.{key}": v for key, v in getattr(run, part).items()}
        tensors |= {f"{run.name}/{k}": np.ascontiguousarray(v) for k, v in arrays.items()}
    facts = [{key: getattr(run, key) for key in _FACTS} for run in runs]
    save_file(tensors, path, metadata={"format": _FORMAT, "runs": json.dumps(facts)})


def load_runs(path: str | Path) -> list[Run]:
    """Read what `save_runs` wrote. Raises InputError if the file is missing or is another."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != _FORMAT:
                raise InputError("path", str(path), f"a safetensors file of format {_FORMAT}")
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        return [_restore(facts, tensors) for facts in json.loads(metadata["runs"])]
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError("path", str(path), f"a file written by save_runs ({error})") from error


_FORMAT = "ncbounds.runs.1"
_PARTS = ("history", "defects")
_FACTS = (
    "name",
    "data",
    "network",
    "batch_norm",
    "weight_decay",
    "train_accuracy",
    "test_accuracy",
    "seconds",
)


def _restore(facts: dict[str, Any], tensors: dict[str, Any]) -> Run:
    prefix = f"{facts['name']}/"
    own = {key.removeprefix(prefix): v for key, v in tensors.items() if key.startswith(prefix)}
    history, defects = (
        {k.removeprefix(f"{part}."): v for k, v in own.items() if k.startswith(f"{part}.")}
        for part in _PARTS
    )
    return Run(
        **{key: facts[key] for key in _FACTS},
        features=own["features"],
        labels=own["labels"],
        weights=own["weights"],
        gamma=own.get("gamma"),
        history=history,
        defects=defects,
    )
