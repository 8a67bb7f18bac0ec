"""Small networks, several weight decays of one architecture trained at once by full-batch Adam.

The networks follow section 3 of `bnwd`: linear or convolutional layers with ReLU, and a last layer
without bias. With batch normalisation a layer `h = gamma * (v - mean v) / std v`, without shift,
stands before every layer but the first; so the features have mean zero and mean squared norm
`|gamma|^2` (`bnwd:proposition-2.1`, up to the floor under the variance). The loss is cross-entropy,
or the square loss `|W h - (e_c - 1/C)|^2` (`square`, section 5), plus
`(lambda / 2)(sum |W|^2 + sum |gamma|^2)` over all layers. Training is full-batch, hence the
statistics of the batch are those of the training set; evaluation is in float64 with the same
statistics. All weight decays train at once: axis 0 of every parameter is the run.

Samples are the last axis everywhere, so that the statistics run over contiguous memory. A
convolution is a linear layer on patches, its positions and samples together on the last axis.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.training.data import Split, missing
from experiments.training.runs import Floats, Run
from ncbounds.errors import InputError
from ncbounds.measure.defects import loss_gap

if TYPE_CHECKING:
    from torch import Tensor

# A full batch has no noise to average: the usual 0.999 remembers stale gradients and overshoots.
_ADAM_BETAS = (0.9, 0.99)
# So small that only a unit which hardly varies is off its scale gamma: |gamma|^2 to 1e-4 or so.
_VARIANCE_FLOOR = 1e-10
_STEPS_KEPT = 40


@dataclass(frozen=True)
class Architecture:
    """Layers before the last one: `channels` of 3 x 3 convolutions of stride 2, then `widths`."""

    name: str
    widths: tuple[int, ...]
    channels: tuple[int, ...] = ()
    batch_norm: bool = True
    outputs: int | None = None
    """Rows of the last layer, where they are not the classes."""

    def shapes(self, data: Split) -> list[tuple[int, int]]:
        """Rows and columns of the weights of every layer, for the inputs and classes of a data set.

        >>> from experiments.training.data import digits
        >>> Architecture("net", (8,), (4,)).shapes(digits(0))
        [(4, 9), (8, 64), (10, 8)]
        """
        found, (height, width), planes = [], data.image, 1
        for channels in self.channels:
            found.append((channels, 9 * planes))
            height, width, planes = -(-height // 2), -(-width // 2), channels
        last = height * width * planes
        for rows in (*self.widths, self.outputs or data.K):
            found.append((rows, last))
            last = rows
        return found


def check(seed: int, weight_decays: Sequence[float], epochs: int, device: str) -> None:
    """Raise InputError for a seed, weight decays, epochs or device that cannot be."""
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
    if device == "cuda" and not torch_module().cuda.is_available():
        raise InputError("device", device, "cpu on this machine: torch finds no GPU")


def train_networks(
    architecture: Architecture,
    data: Split,
    *,
    name: str,
    data_name: str,
    seed: int,
    weight_decays: Sequence[float],
    epochs: int,
    learning_rate: float,
    loss: str = "cross-entropy",
    device: str = "cpu",
    report: Callable[[int], None] = lambda done: None,
) -> list[Run]:
    """Train one architecture at all weight decays: one run each, named `name` and the decay.

    `loss` is "cross-entropy" or "square"; only with the first are its defects recorded.

    `seed` fixes the initial weights, which all weight decays share: the same seed gives the same
    numbers on the same machine. One CPU thread is used: more are slower on matrices of this size.
    `report(done)` is called after every epoch. Raises MissingDependencyError without torch.
    """
    torch = torch_module()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return _train(
            architecture, data, name, data_name, seed, weight_decays, epochs, learning_rate, loss,
            device, report,
        )  # fmt: skip
    finally:
        torch.set_num_threads(threads)


def _train(
    architecture: Architecture,
    data: Split,
    name: str,
    data_name: str,
    seed: int,
    weight_decays: Sequence[float],
    epochs: int,
    learning_rate: float,
    loss_name: str,
    device: str,
    report: Callable[[int], None],
) -> list[Run]:
    torch = torch_module()
    started = time.perf_counter()
    decay = torch.tensor(weight_decays, dtype=torch.float32, device=device)
    parameters = initialise(architecture, data, seed, len(weight_decays), device)
    x = inputs_of(data.train_x, architecture, data).to(device, torch.float32)
    y = torch.tensor(data.train_y, device=device)
    targets = y.expand(len(weight_decays), -1)
    optimiser = torch.optim.Adam(list(parameters.values()), lr=learning_rate, betas=_ADAM_BETAS)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    kept = set(np.unique(np.geomspace(1, epochs, _STEPS_KEPT).round().astype(int)).tolist())
    losses, errors, gaps = [], [], []
    for epoch in range(epochs):
        logits = forward(architecture, parameters, x)[1]
        loss = LOSSES[loss_name](logits, targets)
        # The runs share no parameter, so the gradient of the sum is each run's own.
        optimiser.zero_grad()
        (loss + decay / 2 * squared_norm(parameters)).sum().backward()
        optimiser.step()
        schedule.step()
        losses.append(loss.detach())
        errors.append(error_rate(logits.detach(), targets))
        if epoch + 1 in kept and loss_name == "cross-entropy":
            found = evaluate(architecture, data, parameters)
            gaps.append(
                [
                    loss_gap(features.T, data.train_y, weights, weight_decay)
                    for features, weights, weight_decay in zip(
                        found.features, found.weights, weight_decays, strict=True
                    )
                ]
            )
        report(epoch + 1)
    final = evaluate(architecture, data, parameters, test=True)
    history = {"loss": torch.stack(losses, 1), "train_error": torch.stack(errors, 1)}
    seconds = (time.perf_counter() - started) / len(weight_decays)
    return [
        Run(
            name=f"{name}-{weight_decay:g}",
            data=data_name,
            network=architecture.name,
            batch_norm=architecture.batch_norm,
            weight_decay=float(weight_decay),
            train_accuracy=float(np.mean(final.guesses[k] == data.train_y)),
            test_accuracy=float(np.mean(final.test_guesses[k] == data.test_y)),
            seconds=seconds,
            features=np.ascontiguousarray(final.features[k].T),
            labels=data.train_y,
            weights=final.weights[k],
            gamma=None if final.gamma is None else final.gamma[k],
            history={key: values[k].cpu().numpy() for key, values in history.items()},
            defects=_recorded(sorted(kept), [gap[k] for gap in gaps]),
        )
        for k, weight_decay in enumerate(weight_decays)
    ]


def _cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """The mean over samples (R,) of logits (R, C, n)."""
    found: Tensor = (
        torch_module().nn.functional.cross_entropy(logits, targets, reduction="none").mean(1)
    )
    return found


def _square_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    """The mean square distance to the centred one-hot targets, (R,)."""
    C = outputs.shape[1]
    wanted = torch_module().nn.functional.one_hot(targets, C).transpose(1, 2) - 1 / C
    found: Tensor = (outputs - wanted).square().sum(1).mean(1)
    return found


LOSSES = {"cross-entropy": _cross_entropy, "square": _square_loss}


def _recorded(steps: list[int], gaps: list[dict[str, float]]) -> dict[str, Floats]:
    """The loss gaps of a run by name, and the steps they were recorded after; nothing for none."""
    if not gaps:
        return {}
    found = {key: np.array([gap[key] for gap in gaps]) for key in gaps[0]}
    return {"step": np.array(steps, dtype=np.float64), **found}


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What networks do in float64; features are (runs, d, n), weights (runs, K, d)."""

    features: Floats
    weights: Floats
    gamma: Floats | None
    guesses: Any
    test_guesses: Any


def evaluate(
    architecture: Architecture, data: Split, parameters: dict[str, Tensor], test: bool = False
) -> Evaluation:
    """What trained networks do on their training set and, if asked, on the test set."""
    exact = {key: value.detach().cpu().double() for key, value in parameters.items()}
    x = inputs_of(data.train_x, architecture, data)
    features, logits = forward(architecture, exact, x)
    test_guesses = None
    if test:
        inputs = inputs_of(data.test_x, architecture, data)
        test_guesses = forward(architecture, exact, inputs, x)[1].argmax(1).numpy()
    last = max(int(key.split(".")[1]) for key in exact)
    gamma = exact.get(f"gamma.{last - 1}")
    return Evaluation(
        features.numpy(),
        exact[f"weight.{last}"].numpy(),
        None if gamma is None else gamma[:, :, 0].numpy(),
        logits.argmax(1).numpy(),
        test_guesses,
    )


def inputs_of(x: Floats, architecture: Architecture, data: Split) -> Tensor:
    """Samples as columns, (1, d, n); as patches where the first layer is a convolution."""
    columns: Tensor = torch_module().tensor(x.T)[None]
    if not architecture.channels:
        return columns
    return patches(columns.reshape(1, 1, *data.image, -1))


def initialise(
    architecture: Architecture, data: Split, seed: int, runs: int, device: str
) -> dict[str, Tensor]:
    """Weights (runs, out, in) after He et al., biases 0, scales 1; the same for every run."""
    torch = torch_module()
    generator = torch.Generator().manual_seed(seed)
    parameters = {}
    shapes = architecture.shapes(data)
    for layer, (fan_out, fan_in) in enumerate(shapes):
        weight = torch.randn(1, fan_out, fan_in, generator=generator) * math.sqrt(2 / fan_in)
        parameters[f"weight.{layer}"] = weight.repeat(runs, 1, 1)
        if layer < len(shapes) - 1:
            parameters[f"bias.{layer}"] = torch.zeros(runs, fan_out, 1)
            if architecture.batch_norm:
                parameters[f"gamma.{layer}"] = torch.ones(runs, fan_out, 1)
    return {key: value.to(device).requires_grad_() for key, value in parameters.items()}


def forward(
    architecture: Architecture,
    parameters: dict[str, Tensor],
    x: Tensor,
    reference: Tensor | None = None,
    fused: bool = False,
) -> tuple[Tensor, Tensor]:
    """Features and logits, (runs, ., n), normalised by the statistics of `reference`, or of `x`.

    `x` and `reference` have 1 or as many as runs on axis 0. `fused`, without a reference, takes
    torch's own normalisation: the same formula in two passes over memory, where ours takes six.
    """
    torch = torch_module()
    runs = len(parameters["weight.0"])
    # The reference goes through the layers beside the samples: its statistics are those used.
    both = [v.expand(runs, *v.shape[1:]) for v in (x, reference) if v is not None]
    last = len(architecture.channels) + len(architecture.widths)
    for layer in range(last):
        weight, bias = parameters[f"weight.{layer}"], parameters[f"bias.{layer}"]
        if layer < len(architecture.channels):
            both = both if layer == 0 else [patches(v) for v in both]
            places = [v.shape[2:] for v in both]
            both = [v.reshape(runs, v.shape[1], -1) for v in both]
        else:
            places = [v.shape[-1:] for v in both]
            both = [v.reshape(runs, -1, v.shape[-1]) for v in both]
        both = [torch.relu(torch.baddbmm(bias, weight, v)) for v in both]
        gamma = parameters.get(f"gamma.{layer}")
        if gamma is not None and fused:
            both = [_fused_normalisation(both[0], gamma)]
        elif gamma is not None:
            mean = both[-1].mean(2, keepdim=True)
            both = [v - mean for v in both]
            variance = both[-1].square().mean(2, keepdim=True)
            scale = gamma * torch.rsqrt(variance + _VARIANCE_FLOOR)
            both = [v * scale for v in both]
        both = [v.reshape(runs, -1, *place) for v, place in zip(both, places, strict=True)]
    features = both[0].reshape(runs, -1, x.shape[-1])
    return features, parameters[f"weight.{last}"] @ features


def _fused_normalisation(v: Tensor, gamma: Tensor) -> Tensor:
    """`gamma (v - mean v) / sqrt(var v + floor)` of (runs, units, n): each unit is a channel."""
    units = v.reshape(1, -1, v.shape[2])
    found: Tensor = torch_module().nn.functional.batch_norm(
        units, None, None, gamma.reshape(-1), training=True, eps=_VARIANCE_FLOOR
    )
    return found.reshape(v.shape)


def patches(v: Tensor) -> Tensor:
    """Patches of 3 x 3 at every other pixel: (., c, h, w, n) to (., 9 c, h/2, w/2, n)."""
    torch = torch_module()
    channels, height, width, n = v.shape[1:]
    rows = torch.arange(0, height, 2)[:, None] + torch.arange(-1, 2)[:, None, None, None]
    columns = torch.arange(0, width, 2) + torch.arange(-1, 2)[:, None, None]
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    # One pixel more, of zeros, is what stands outside.
    index = torch.where(inside, rows * width + columns, height * width).to(v.device)
    pixels = torch.nn.functional.pad(v.reshape(-1, channels, height * width, n), (0, 0, 0, 1))
    found: Tensor = pixels.index_select(2, index.flatten())
    return found.reshape(-1, 9 * channels, -(-height // 2), -(-width // 2), n)


def error_rate(logits: Tensor, targets: Tensor) -> Tensor:
    """The share of columns whose largest logit is not the target's, for every run."""
    own = logits.gather(1, targets[:, None])[:, 0]
    return (own < logits.amax(1)).float().mean(1)


def squared_norm(parameters: dict[str, Tensor]) -> Tensor:
    """`sum |W|^2 + sum |gamma|^2` over all layers, one number a run: what decay penalises."""
    penalised = [value for key, value in parameters.items() if is_penalised(key)]
    norms = [value.square().sum(dim=(1, 2)) for value in penalised]
    total: Tensor = torch_module().stack(norms).sum(0)
    return total


def is_penalised(key: str) -> bool:
    """Whether weight decay acts on the parameter of that name: on all but biases."""
    return not key.startswith("bias")


def torch_module() -> Any:
    """Torch, imported here and not before; MissingDependencyError says how to install it."""
    try:
        import torch
    except ImportError as error:
        raise missing("torch") from error
    return torch
