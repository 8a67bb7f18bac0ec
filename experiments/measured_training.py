"""Neural collapse while a network trains: the Lightning callback on real digits.

A multilayer perceptron with batch norm is trained by Lightning to zero error and far beyond, with
`ncbounds.integrations.lightning.MeasureCollapse` as a callback on the training samples. At the end
every layer is measured on training and test samples.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.training.data import DATA_SETS
from experiments.training.networks import check
from experiments.training.perceptron import tensor
from ncbounds.measure.depth import LayerProfile, profile_layers
from ncbounds.measure.metrics import Measurement
from ncbounds.report.certificate import proximity_certificate
from ncbounds.report.measurement_plot import (
    describe_measurements,
    plot_measurements,
    save_figure,
)

if TYPE_CHECKING:
    from ncbounds.integrations.lightning import MeasureCollapse

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Settings:
    """What is trained, and when it is measured."""

    data: str = "digits"
    per_class: int = 150
    width: int = 128
    layers: int = 4
    epochs: int = 200
    batch: int = 100
    rate: float = 0.05
    decay: float = 2e-3
    measured: tuple[int, ...] = (0, 1, 2, 4, 9, 19, 49, 99, 149, 199)


SETTINGS = Settings()

#: Columns of the table: the metric, its heading and its format.
COLUMNS = {
    "accuracy": ("accuracy", "{:.4f}"),
    "loss.cross_entropy": ("loss", "{:.2e}"),
    "nc1.pinv": ("nc1.pinv", "{:.3g}"),
    "nc1.relative": ("nc1.relative", "{:.3g}"),
    "guaranteed": ("at most", "{:.3g}"),
    "nc2.etf": ("nc2.etf", "{:.4f}"),
    "nc3.etf": ("nc3.etf", "{:.4f}"),
    "nc4.disagreement": ("nc4.disagree.", "{:.4f}"),
}


def train(
    seed: int = 0,
    settings: Settings = SETTINGS,
    device: str = "cpu",
    progress: Progress | None = None,
) -> tuple[MeasureCollapse, dict[str, Any], LayerProfile]:
    """Train with the callback; return it, what Lightning logged last, and all layers measured."""
    check(seed, (settings.decay,), settings.epochs, device)
    import torch
    from lightning import pytorch as lightning
    from torch.utils.data import DataLoader, TensorDataset

    from ncbounds.integrations.lightning import MeasureCollapse  # says how to install what it needs

    class Classifier(lightning.LightningModule):  # type: ignore[misc]
        """A chain of layers, trained by SGD with a rate that falls along a cosine."""

        def __init__(self, inputs: int, classes: int) -> None:
            super().__init__()
            parts: list[Any] = []
            for _ in range(settings.layers - 1):
                parts += [
                    torch.nn.Linear(inputs, settings.width),
                    torch.nn.ReLU(),
                    torch.nn.BatchNorm1d(settings.width),
                ]
                inputs = settings.width
            self.net = torch.nn.Sequential(*parts, torch.nn.Linear(inputs, classes, bias=False))

        def forward(self, x: Any) -> Any:
            return self.net(x)

        def training_step(self, batch: Any, _: int) -> Any:
            return torch.nn.functional.cross_entropy(self(batch[0]), batch[1])

        def configure_optimizers(self) -> Any:
            optimiser = torch.optim.SGD(
                self.parameters(), settings.rate, momentum=0.9, weight_decay=settings.decay
            )
            return [optimiser], [
                torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, settings.epochs)
            ]

        def on_train_epoch_end(self) -> None:
            if progress is not None:
                progress(self.current_epoch + 1, settings.epochs)

    data = DATA_SETS[settings.data](seed, settings.per_class)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        torch.manual_seed(seed)
        samples = TensorDataset(tensor(data.train_x), torch.tensor(data.train_y))
        loader = DataLoader(samples, batch_size=settings.batch, shuffle=True)
        model = Classifier(data.train_x.shape[1], data.K)
        callback = MeasureCollapse(epochs=settings.measured, metrics=["*"])
        with _without_advice():
            trainer = lightning.Trainer(
                max_epochs=settings.epochs,
                accelerator="gpu" if device == "cuda" else "cpu",
                devices=1,
                callbacks=[callback],
                logger=False,
                enable_checkpointing=False,
                enable_progress_bar=False,
                enable_model_summary=False,
            )
            trainer.fit(model, loader)
        held_out = [(tensor(data.test_x), torch.tensor(data.test_y))]
        profile = profile_layers(model.net, loader, held_out)
    finally:
        torch.set_num_threads(threads)
    return callback, {name: float(v) for name, v in trainer.callback_metrics.items()}, profile


@contextmanager
def _without_advice() -> Iterator[None]:
    """Lightning advises on workers, loggers and accelerators; here all of them are meant."""
    log = logging.getLogger("lightning.pytorch")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)


def text(callback: MeasureCollapse, profile: LayerProfile) -> str:
    """Two tables: metrics by epoch, and by layer at the end."""
    rows = [["epoch", *(heading for heading, _ in COLUMNS.values())]]
    for entry in callback.history:
        rows.append([str(entry.epoch + 1), *_formatted(entry.measurement)])
    layers = [["layer", "nc1.pinv", "cdnv.mean", "ncc.error", "held out", "at most, by variances"]]
    for name, nearest, found in zip(
        profile.names, profile.layers, profile.measurements, strict=True
    ):
        values = (found.metrics["nc1.pinv"], nearest.cdnv, nearest.error, nearest.held_out)
        layers.append([name, *(f"{value:.3g}" for value in (*values, nearest.bound))])
    return "\n".join(
        [
            *_aligned(rows),
            "",
            "every layer of the trained network, features after it:",
            *_aligned(layers),
            f"effective depth {profile.effective_depth()} of {len(profile.layers)} layers",
        ]
    )


def _formatted(found: Measurement) -> list[str]:
    values = found.metrics | {"guaranteed": guaranteed(found)}
    return [shown.format(values[name]) for name, (_, shown) in COLUMNS.items()]


def guaranteed(found: Measurement) -> float:
    """What the norms and the mean log-odds of a network without bias guarantee: `bnwd:sharp-1`."""
    m = found.metrics
    known = proximity_certificate(
        classes=found.K, alpha=m["alpha"], beta=m["beta"], log_odds=m["logodds.mean"]
    )
    return min(1.0, float(known.best("nc1.relative").bound))


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = np.array([[len(cell) for cell in row] for row in rows]).max(axis=0)
    return ["  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in rows]


def main(
    out: Path,
    seed: int = 0,
    device: str = "cpu",
    progress: Progress | None = None,
    settings: Settings = SETTINGS,
) -> Path:
    """Write `measured_training.json`, print the tables and draw the epochs; return the plot."""
    callback, logged, profile = train(seed, settings, device, progress)
    out.mkdir(parents=True, exist_ok=True)
    kept = {"epochs": callback.state_dict()["history"], "logged": logged} | profile.to_dict()
    (out / "measured_training.json").write_text(json.dumps(kept, indent=1))
    print(text(callback, profile))
    path = out / "measured_training.png"
    epochs = {str(entry.epoch + 1): entry.measurement for entry in callback.history}
    figure = plot_measurements(epochs, along="epoch")
    save_figure(figure, path, describe_measurements(epochs, along="epoch"))
    return path
