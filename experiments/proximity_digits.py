"""Proximity to neural collapse on digits, with and without batch normalisation.

The experiment of `bnwd`, section 3, on data that ships with scikit-learn: one multilayer
perceptron, several weight decays, with and without batch normalisation, trained until no training
error is left. What comes out are last-layer features, labels and weights: the input of every bound
on how near a network with near-optimal loss must be to neural collapse.

The network follows the paper. Four linear layers, ReLU, 64 features; the last layer has no bias.
With batch normalisation a layer `h = gamma * (v - mean v) / std v`, without shift, stands before
every linear layer but the first; so the features have mean zero and mean squared norm `|gamma|^2`
(`bnwd:proposition-2.1`, up to the floor under the variance). The loss is cross-entropy plus
`(lambda / 2)(sum |W|^2 + sum |gamma|^2)` over all layers. Training is full-batch Adam, hence the
statistics of the batch are those of the training set; evaluation is in float64 with the same
statistics. All weight decays train at once as a batch.
"""

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ncbounds.errors import InputError, MissingDependencyError

if TYPE_CHECKING:
    from torch import Tensor

Floats = npt.NDArray[np.floating[Any]]
Integers = npt.NDArray[np.int64]
Progress = Callable[[int, int], None]

WEIGHT_DECAYS = (5e-4, 1e-3, 3e-3)
EPOCHS = 800
PER_CLASS = 174
WIDTHS = (64, 64, 64, 64, 10)
LEARNING_RATE = 1e-2

# A full batch has no noise to average: the usual 0.999 remembers stale gradients and overshoots.
ADAM_BETAS = (0.9, 0.99)

# So small that only a unit which hardly varies is off its scale gamma: |gamma|^2 to 1e-4 or so.
_VARIANCE_FLOOR = 1e-10


@dataclass(frozen=True, eq=False)
class Run:
    """One trained network, reduced to what the bounds speak of.

    `features` (n, d), `labels` (n,) and `weights` (K, d) belong to the balanced training set;
    `gamma` (d,) is the scale of the last batch normalisation, None without. `history` holds one
    number an epoch, before its step: `loss` (cross-entropy, unregularised) and `train_error`.
    `seconds` is the run's share of the time that its batch of runs took.
    """

    name: str
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

    @property
    def interpolates(self) -> bool:
        """Whether no training error is left; the paper's comparison asks for it."""
        return self.train_accuracy == 1.0


def train(
    seed: int = 0,
    weight_decays: Sequence[float] = WEIGHT_DECAYS,
    epochs: int = EPOCHS,
    progress: Progress | None = None,
    device: str = "cpu",
) -> list[Run]:
    """Train with and without batch normalisation at every weight decay: two runs a decay.

    `seed` fixes the split and the initial weights, which all weight decays share: the same seed
    gives the same numbers on the same machine. `progress(done, total)` is called after every epoch
    of either batch of runs. One CPU thread is used: more are slower on matrices of this size.
    Whether a run reached zero training error is for the caller to see: `Run.interpolates`. Raises
    InputError for a seed, weight decay, number of epochs or device outside its domain, and
    MissingDependencyError without torch or scikit-learn. Source: `bnwd`, section 3.
    """
    torch = _torch()
    _check(seed, weight_decays, epochs, device)
    data = _digits(seed)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        runs = []
        for index, batch_norm in enumerate((True, False)):

            def report(done: int, offset: int = index * epochs) -> None:
                if progress is not None:
                    progress(offset + done, 2 * epochs)

            runs += _train_batch(
                data,
                seed=seed,
                batch_norm=batch_norm,
                weight_decays=weight_decays,
                epochs=epochs,
                report=report,
                device=device,
            )
        return runs
    finally:
        torch.set_num_threads(threads)


def save_runs(path: str | Path, runs: Sequence[Run]) -> None:
    """Write runs to one safetensors file: arrays as `NAME/ARRAY`, everything else as text."""
    from safetensors.numpy import save_file

    tensors: dict[str, Floats | Integers] = {}
    for run in runs:
        arrays = {"features": run.features, "labels": run.labels, "weights": run.weights}
        arrays |= {} if run.gamma is None else {"gamma": run.gamma}
        arrays |= {f"history.{key}": values for key, values in run.history.items()}
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


def main(out: Path, seed: int = 0, device: str = "cpu", progress: Progress | None = None) -> Path:
    """Train all runs and write them to `proximity_digits.safetensors` in the folder `out`."""
    runs = train(seed, epochs=EPOCHS, progress=progress, device=device)
    for run in runs:
        print(
            f"{run.name}: train accuracy {run.train_accuracy:.4f}, test {run.test_accuracy:.4f}, "
            f"loss {run.history['loss'][-1]:.2e}, {run.seconds:.1f} s"
            + ("" if run.interpolates else "  (training error left)")
        )
    out.mkdir(parents=True, exist_ok=True)
    path = out / "proximity_digits.safetensors"
    save_runs(path, runs)
    return path


_FORMAT = "ncbounds.proximity_digits.1"
_FACTS = ("name", "batch_norm", "weight_decay", "train_accuracy", "test_accuracy", "seconds")


@dataclass(frozen=True)
class _Split:
    train_x: Floats
    train_y: Integers
    test_x: Floats
    test_y: Integers


def _digits(seed: int) -> _Split:
    """Digits, pixels in [0, 1]: random images, equally many a class, to train; the rest to test."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise _missing("scikit-learn") from error
    pixels, labels = load_digits(return_X_y=True)
    rng = np.random.default_rng(seed)
    chosen = [rng.permutation(np.flatnonzero(labels == c))[:PER_CLASS] for c in range(WIDTHS[-1])]
    train = np.concatenate(chosen)
    rest = np.setdiff1d(np.arange(len(labels)), train)
    x, y = pixels / 16.0, labels.astype(np.int64)
    return _Split(x[train], y[train], x[rest], y[rest])


def _train_batch(
    data: _Split,
    *,
    seed: int,
    batch_norm: bool,
    weight_decays: Sequence[float],
    epochs: int,
    report: Callable[[int], None],
    device: str,
) -> list[Run]:
    """Train one architecture at all weight decays; axis 0 of every parameter is the run."""
    torch = _torch()
    started = time.perf_counter()
    decay = torch.tensor(weight_decays, dtype=torch.float32, device=device)
    parameters = _initialise(seed, batch_norm, len(weight_decays), device)
    x = torch.tensor(data.train_x.T, dtype=torch.float32, device=device)
    y = torch.tensor(data.train_y, device=device)
    targets = y.expand(len(weight_decays), -1)
    optimiser = torch.optim.Adam(list(parameters.values()), lr=LEARNING_RATE, betas=ADAM_BETAS)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    losses, errors = [], []
    for epoch in range(epochs):
        logits = _forward(parameters, x)[1]
        loss = torch.nn.functional.cross_entropy(logits, targets, reduction="none").mean(1)
        # The runs share no parameter, so the gradient of the sum is each run's own.
        optimiser.zero_grad()
        (loss + decay / 2 * _squared_norm(parameters)).sum().backward()
        optimiser.step()
        schedule.step()
        losses.append(loss.detach())
        errors.append(_error(logits.detach(), targets))
        report(epoch + 1)

    exact = {key: value.detach().cpu().double() for key, value in parameters.items()}
    train_x, test_x = torch.tensor(data.train_x.T), torch.tensor(data.test_x.T)
    features, logits = _forward(exact, train_x)
    guesses = logits.argmax(1).numpy()
    test_guesses = _forward(exact, test_x, train_x)[1].argmax(1).numpy()
    history = {"loss": torch.stack(losses, 1), "train_error": torch.stack(errors, 1)}
    seconds = (time.perf_counter() - started) / len(weight_decays)
    return [
        Run(
            name=f"{'bn' if batch_norm else 'plain'}-{weight_decay:g}",
            batch_norm=batch_norm,
            weight_decay=float(weight_decay),
            train_accuracy=float(np.mean(guesses[k] == data.train_y)),
            test_accuracy=float(np.mean(test_guesses[k] == data.test_y)),
            seconds=seconds,
            features=np.ascontiguousarray(features[k].numpy().T),
            labels=data.train_y,
            weights=exact[f"weight.{len(WIDTHS) - 2}"][k].numpy(),
            gamma=exact[f"gamma.{len(WIDTHS) - 3}"][k, :, 0].numpy() if batch_norm else None,
            history={key: values[k].cpu().numpy() for key, values in history.items()},
        )
        for k, weight_decay in enumerate(weight_decays)
    ]


def _initialise(seed: int, batch_norm: bool, runs: int, device: str) -> "dict[str, Tensor]":
    """Weights (runs, out, in) after He et al., biases 0, scales 1; the same for every run."""
    torch = _torch()
    generator = torch.Generator().manual_seed(seed)
    parameters = {}
    for layer, (fan_in, fan_out) in enumerate(pairwise(WIDTHS)):
        weight = torch.randn(1, fan_out, fan_in, generator=generator) * math.sqrt(2 / fan_in)
        parameters[f"weight.{layer}"] = weight.repeat(runs, 1, 1)
        if layer < len(WIDTHS) - 2:
            parameters[f"bias.{layer}"] = torch.zeros(runs, fan_out, 1)
            if batch_norm:
                parameters[f"gamma.{layer}"] = torch.ones(runs, fan_out, 1)
    return {key: value.to(device).requires_grad_() for key, value in parameters.items()}


def _forward(
    parameters: "dict[str, Tensor]", x: "Tensor", reference: "Tensor | None" = None
) -> "tuple[Tensor, Tensor]":
    """Features and logits, (runs, ., n), normalised by the statistics of `reference`, or of `x`.

    Samples are columns, so that the statistics run over contiguous memory.
    """
    torch = _torch()
    runs = len(parameters["weight.0"])
    v = x.expand(runs, *x.shape)
    r = None if reference is None else reference.expand(runs, *reference.shape)
    last = len(WIDTHS) - 2
    for layer in range(last):
        weight, bias = parameters[f"weight.{layer}"], parameters[f"bias.{layer}"]
        v = torch.relu(torch.baddbmm(bias, weight, v))
        r = None if r is None else torch.relu(torch.baddbmm(bias, weight, r))
        gamma = parameters.get(f"gamma.{layer}")
        if gamma is not None:
            mean = (v if r is None else r).mean(2, keepdim=True)
            v, r = v - mean, None if r is None else r - mean
            variance = (v if r is None else r).square().mean(2, keepdim=True)
            scale = gamma * torch.rsqrt(variance + _VARIANCE_FLOOR)
            v, r = v * scale, None if r is None else r * scale
    return v, parameters[f"weight.{last}"] @ v


def _error(logits: "Tensor", targets: "Tensor") -> "Tensor":
    """The share of columns whose largest logit is not the target's, for every run."""
    own = logits.gather(1, targets[:, None])[:, 0]
    return (own < logits.amax(1)).float().mean(1)


def _squared_norm(parameters: "dict[str, Tensor]") -> "Tensor":
    """`sum |W|^2 + sum |gamma|^2` over all layers, one number a run: what decay penalises."""
    penalised = [value for key, value in parameters.items() if not key.startswith("bias")]
    norms = [value.square().sum(dim=(1, 2)) for value in penalised]
    total: Tensor = _torch().stack(norms).sum(0)
    return total


def _restore(facts: dict[str, Any], tensors: dict[str, Any]) -> Run:
    prefix = f"{facts['name']}/"
    own = {key.removeprefix(prefix): v for key, v in tensors.items() if key.startswith(prefix)}
    history = {k.removeprefix("history."): v for k, v in own.items() if k.startswith("history.")}
    return Run(
        **{key: facts[key] for key in _FACTS},
        features=own["features"],
        labels=own["labels"],
        weights=own["weights"],
        gamma=own.get("gamma"),
        history=history,
    )


def _check(seed: int, weight_decays: Sequence[float], epochs: int, device: str) -> None:
    if seed < 0:
        raise InputError("seed", seed, "an integer >= 0")
    if not weight_decays or not all(math.isfinite(w) and w >= 0 for w in weight_decays):
        raise InputError("weight_decays", repr(weight_decays), "one or more finite numbers >= 0")
    if len(set(weight_decays)) < len(weight_decays):
        raise InputError("weight_decays", repr(weight_decays), "distinct")
    if epochs < 1:
        raise InputError("epochs", epochs, "an integer >= 1")
    if device not in ("cpu", "cuda"):
        raise InputError("device", device, "cpu or cuda")
    if device == "cuda" and not _torch().cuda.is_available():
        raise InputError("device", device, "cpu on this machine: torch finds no GPU")


def _torch() -> Any:
    try:
        import torch
    except ImportError as error:
        raise _missing("torch") from error
    return torch


def _missing(package: str) -> MissingDependencyError:
    return MissingDependencyError(
        f'the experiments need {package}: pip install "ncbounds[experiments]"'
    )
