"""Convolutional networks on images in plain torch, one network after the other.

VGG (Simonyan and Zisserman, 2015) and ResNet18 (He et al., 2016) in the form that images of 32 x 32
pixels take: the last convolution is averaged over positions, and one linear layer without bias, of
which theory speaks, stands on the 8 * width features. Weight decay acts on weights and the scales
of batch norm, as in `networks`, not on biases and shifts.

Images stay bytes on the device until a batch is taken; training reads nothing back from it. On a
GPU the training steps, not the measurement, run in bfloat16 with float32 sums and parameters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from experiments.training.folders import Images
from experiments.training.networks import check, torch_module
from experiments.training.resnet import residual_layers
from ncbounds.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

#: Channels of the convolutions in units of the width; 0 is a maximum over 2 x 2 pixels.
_VGG = {
    "VGG11": (1, 0, 2, 0, 4, 4, 0, 8, 8, 0, 8, 8, 0),
    "VGG19": (1, 1, 0, 2, 2, 0, 4, 4, 4, 4, 0, 8, 8, 8, 8, 0, 8, 8, 8, 8, 0),
}
#: The names of the networks, and how many layers of weights their names count.
NETWORKS = {"VGG11": 11, "ResNet18": 18, "VGG19": 19}
_EVALUATED_AT_ONCE = 1000


@dataclass(frozen=True)
class ImageTraining:
    """How a network is trained: Adam, the rate falling to zero along a cosine."""

    epochs: int
    batch: int = 128
    rate: float = 1e-3
    weight_decay: float = 0.0


@dataclass(frozen=True, eq=False)
class Classifier:
    """A body that gives features, and the last layer."""

    body: Module
    head: Module


@dataclass(frozen=True, eq=False)
class Trained:
    """A network on its training set, (n, d) features and (C, d) weights, and its errors."""

    features: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]
    train_error: float
    test_error: float


def train_classifier(
    name: str,
    images: Images,
    training: ImageTraining,
    *,
    batch_norm: bool,
    seed: int,
    width: int = 64,
    device: str = "cpu",
) -> Trained:
    """Train a network from random weights and say what it does, with batch norm as in use.

    Args:
        name: one of `NETWORKS`.
        images: to train and to test on; VGG11 and VGG19 halve 32 x 32 pixels five times.
        training: epochs, batch, learning rate and weight decay.
        batch_norm: normalise after each convolution; ResNet18 always does.
        seed: of the initial weights and the order of samples.
        width: channels of the first convolution.
        device: "cpu" or "cuda".

    Raises:
        InputError: an unknown name, ResNet18 without batch norm, or numbers outside their domain.
    """
    torch = torch_module()
    check(seed, [training.weight_decay], training.epochs, device)
    for parameter, value in (("batch", training.batch), ("width", width)):
        if value < 2:
            raise InputError(parameter, value, "an integer >= 2")
    if not 0 < training.rate < math.inf:
        raise InputError("rate", training.rate, "a positive number")
    classes = int(images.train_y.max()) + 1
    start = torch.Generator().manual_seed(seed)
    model = _classifier(name, images.train_x.shape[1], classes, batch_norm, width, start)
    modules: Any = (model.body, model.head)
    for module in modules:
        module.to(device, memory_format=torch.channels_last)
    x, y = (torch.tensor(array).to(device) for array in (images.train_x, images.train_y))
    scale = _pixel_scale(images.train_x, device)
    _train(model, x, y, scale, training, seed)
    features, guesses = _evaluate(model, x, scale)
    test_guesses = _evaluate(model, torch.tensor(images.test_x).to(device), scale)[1]
    (weights,) = model.head.parameters()
    return Trained(
        features,
        weights.detach().double().cpu().numpy(),
        float(np.mean(guesses != images.train_y)),
        float(np.mean(test_guesses != images.test_y)),
    )


def _train(
    model: Classifier, x: Tensor, y: Tensor, scale: Scale, training: ImageTraining, seed: int
) -> None:
    torch = torch_module()
    device, n = x.device.type, len(x)
    batch = min(training.batch, n)
    steps = n // batch
    named = [*model.body.named_parameters(), *model.head.named_parameters()]
    groups: list[dict[str, Any]] = [
        {"params": [p for name, p in named if not name.endswith("bias")]},
        {"params": [p for name, p in named if name.endswith("bias")], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.Adam(
        [group for group in groups if group["params"]],
        lr=training.rate, weight_decay=training.weight_decay, fused=device == "cuda",
    )  # fmt: skip
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, training.epochs * steps)
    generator = torch.Generator(device).manual_seed(seed)
    model.body.train()
    for _ in range(training.epochs):
        order = torch.randperm(n, generator=generator, device=device)
        for part in range(steps):
            chosen = order[part * batch : (part + 1) * batch]
            with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
                logits = model.head(model.body(_inputs(x[chosen], scale)))
            loss = torch.nn.functional.cross_entropy(logits.float(), y[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()


def _evaluate(model: Classifier, x: Tensor, scale: Scale) -> tuple[npt.NDArray[np.float64], Any]:
    """Features in float64 and guesses, with the running statistics of batch norm."""
    torch = torch_module()
    model.body.eval()
    with torch.no_grad():
        found = torch.cat(
            [model.body(_inputs(v, scale)) for v in torch.split(x, _EVALUATED_AT_ONCE)]
        )
        guesses = model.head(found).argmax(1)
    return found.double().cpu().numpy(), guesses.cpu().numpy()


Scale = tuple["Tensor", "Tensor"]


def _pixel_scale(x: npt.NDArray[np.uint8], device: str) -> Scale:
    """Mean and standard deviation of every channel, of bytes."""
    torch = torch_module()
    mean = x.mean(axis=(0, 2, 3), keepdims=True, dtype=np.float64)
    # One after the other: the squares of all images at once would take 8 bytes a pixel.
    square = np.mean([np.square(one - mean[0]).mean(axis=(1, 2)) for one in x], axis=0)
    deviation = np.maximum(np.sqrt(square), 1.0).reshape(mean.shape)
    return tuple(torch.tensor(v, dtype=torch.float32, device=device) for v in (mean, deviation))


def _inputs(x: Tensor, scale: Scale) -> Tensor:
    mean, deviation = scale
    found: Tensor = (x.float() - mean) / deviation
    return found.contiguous(memory_format=torch_module().channels_last)


# -- the networks ----------------------------------------------------------------------------------


def _classifier(
    name: str, channels: int, classes: int, batch_norm: bool, width: int, start: Any
) -> Classifier:
    nn = torch_module().nn
    if name not in NETWORKS:
        raise InputError("network", name, f"one of {', '.join(NETWORKS)}")
    if name == "ResNet18":
        if not batch_norm:
            raise InputError("batch_norm", batch_norm, "True: ResNet18 always has it")
        features = 8 * width
        layers = residual_layers(channels, (width, 2 * width, 4 * width, features), 2)
    else:
        layers, features = _vgg(_VGG[name], channels, batch_norm, width)
    body = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    head = nn.Linear(features, classes, bias=False)
    for module in (*body.modules(), head):
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=start)
        if isinstance(module, nn.Conv2d) and module.bias is not None:
            nn.init.zeros_(module.bias)
    return Classifier(body, head)


def _vgg(
    plan: tuple[int, ...], channels: int, batch_norm: bool, width: int
) -> tuple[list[Module], int]:
    nn = torch_module().nn
    layers: list[Module] = []
    for factor in plan:
        if factor == 0:
            layers.append(nn.MaxPool2d(2))
            continue
        layers.append(nn.Conv2d(channels, factor * width, 3, padding=1, bias=not batch_norm))
        channels = factor * width
        layers += [nn.BatchNorm2d(channels)] if batch_norm else []
        layers.append(nn.ReLU())
    return layers, channels
