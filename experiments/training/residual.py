"""ResNet18 with d outputs on images of the user's, for training on the sphere.

Images stay bytes on the
device until a batch is taken, and a batch in training is shifted and mirrored at random. On a GPU
the steps run in bfloat16 with float32 parameters. At the end batch norm uses its running means.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.training.data import Split
from experiments.training.folders import Images
from experiments.training.networks import torch_module
from experiments.training.resnet import residual_layers
from experiments.training.spheres import Trunk
from ncbounds.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

_CHANNELS = (64, 128, 256, 512)
_SHIFT = 4
_EVALUATED_AT_ONCE = 1000


def some_images(images: Images, classes: tuple[int, ...]) -> Images:
    """Only those classes, numbered in their order; all where none are named."""
    if not classes:
        return images
    found = {}
    for part in ("train", "test"):
        y = getattr(images, f"{part}_y")
        chosen = np.isin(y, classes)
        if not chosen.any():
            raise InputError("classes", repr(classes), "classes that occur among the images")
        found[f"{part}_x"] = getattr(images, f"{part}_x")[chosen]
        order = [classes.index(c) for c in y[chosen].tolist()]
        found[f"{part}_y"] = np.array(order, dtype=np.int64)
    return replace(images, **found)


def residual_trunk(images: Images, d: int, seed: int, device: str) -> tuple[Trunk, Split]:
    """ResNet18 from random weights as a trunk of one network, and the labels as a data set."""
    torch = torch_module()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = _resnet18(images.train_x.shape[1], d).to(device)
    train, test = (torch.tensor(x).to(device) for x in (images.train_x, images.test_x))
    generator = torch.Generator().manual_seed(seed)
    mean = train.float().mean(dim=(0, 2, 3), keepdim=True)
    deviation = torch.stack([part.float().std() for part in train[:5000].unbind(1)])
    deviation = deviation.clamp(min=1.0).reshape(mean.shape)

    def inputs(x: Tensor) -> Tensor:
        found: Tensor = (x.float() - mean) / deviation
        return found

    def batch(chosen: Tensor) -> Tensor:
        model.train()
        x = _moved(inputs(train[chosen[0]]), generator)
        with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
            found: Tensor = model(x).float().T[None]
        return found

    def outputs(held_out: bool) -> Tensor:
        model.eval()
        x = test if held_out else train
        with torch.no_grad():
            rows = torch.cat([model(inputs(part)) for part in x.split(_EVALUATED_AT_ONCE)])
        found: Tensor = rows.T[None]
        return found

    none = np.zeros((0, 0))
    size = images.train_x.shape[2:]
    data = Split(none, images.train_y, none, images.test_y, (size[0], size[1]))
    return Trunk(list(model.parameters()), batch, outputs), data


def _moved(x: Tensor, generator: Any) -> Tensor:
    """A batch mirrored or not, and shifted by up to four pixels over zeros, all images alike."""
    torch = torch_module()
    mirrored, down, right = torch.randint(2 * _SHIFT + 1, (3,), generator=generator).tolist()
    x = x.flip(3) if mirrored > _SHIFT else x
    padded = torch.nn.functional.pad(x, (_SHIFT,) * 4)
    height, width = x.shape[2:]
    found: Tensor = padded[:, :, down : down + height, right : right + width]
    return found


def _resnet18(channels: int, d: int) -> Any:
    """Four stages of two blocks, a mean over positions, and a linear layer of d outputs."""
    nn = torch_module().nn
    layers = residual_layers(channels, _CHANNELS, 2)
    for part in nn.Sequential(*layers).modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
    return nn.Sequential(
        *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(_CHANNELS[-1], d)
    )
