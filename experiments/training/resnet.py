"""Residual layers (He et al., 2016) in the form that images of 32 x 32 pixels take.

The first convolution keeps the resolution, and no maximum follows it; every stage but the first
halves the image. ResNet18 is stages of 64, 128, 256 and 512 channels with two blocks each, a wide
ResNet of depth 28 three stages of four.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from experiments.training.networks import torch_module

if TYPE_CHECKING:
    from torch import Tensor, nn


def residual_layers(channels: int, widths: Sequence[int], blocks: int) -> list[nn.Module]:
    """Layers from images of so many channels to `widths[-1]` channels, all with batch norm."""
    layers: list[nn.Module] = [*_normalised(channels, widths[0], 3, 1), torch_module().nn.ReLU()]
    last = widths[0]
    for stage, width in enumerate(widths):
        for block in range(blocks):
            layers.append(_block(last, width, 2 if stage and not block else 1))
            last = width
    return layers


def _normalised(before: int, after: int, size: int, stride: int) -> list[Any]:
    """A convolution and its batch norm."""
    nn = torch_module().nn
    convolution = nn.Conv2d(before, after, size, stride, padding=size // 2, bias=False)
    return [convolution, nn.BatchNorm2d(after)]


def _block(before: int, after: int, stride: int) -> nn.Module:
    """ReLU of two normalised convolutions plus the input, projected where shapes differ."""
    torch = torch_module()

    class Residual(torch.nn.Module):  # type: ignore[misc, name-defined]
        """Torch is imported late, so that this class is made late as well."""

        def __init__(self) -> None:
            super().__init__()
            first, second = (
                _normalised(before, after, 3, stride),
                _normalised(after, after, 3, 1),
            )
            self.main = torch.nn.Sequential(*first, torch.nn.ReLU(), *second)
            same = before == after and stride == 1
            self.short = torch.nn.Sequential(
                *([] if same else _normalised(before, after, 1, stride))
            )

        def forward(self, x: Tensor) -> Tensor:
            found: Tensor = torch.relu(self.main(x) + self.short(x))
            return found

    return Residual()
