"""A Lightning callback that measures neural collapse while a network trains."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ncbounds.errors import InputError, MissingDependencyError
from ncbounds.measure.metrics import Measurement, select
from ncbounds.measure.model import Unpack, measure_model, unpack_batch

try:
    from lightning.pytorch import Callback
except ImportError as error:
    raise MissingDependencyError(
        'lightning is missing: pip install "ncbounds[lightning]"'
    ) from error

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule, Trainer

_SHOWN = ("nc1.pinv", "nc2.etf", "nc3.etf", "nc4.disagreement", "accuracy", "loss.cross_entropy")


@dataclass(frozen=True)
class MeasuredEpoch:
    """What was measured at the end of an epoch; the first epoch is 0."""

    epoch: int
    measurement: Measurement


class MeasureCollapse(Callback):  # type: ignore[misc]
    """Measure a network at the end of chosen epochs, and log the metrics as ``nc/nc1.pinv``.

    The network is measured in evaluation mode and the trainer's precision, over a loader that is
    read twice, by `ncbounds.measure_model`; training goes on as if nothing had happened. Under
    several processes each measures what its own loader gives it, and all log the metrics of the
    samples of all.

    Parameters:
        loader: what to measure on: the loader of the training samples unless given.
        epochs: a number n: every n-th epoch and the last; or the epochs themselves, from 0.
        metrics: names or patterns such as ``nc1.*`` of what is logged; everything is in `history`.
        prefix: of the logged names.
        network: name of the part of the Lightning module that is the classifier, the module itself
            unless given.
        head, temperature, missing, ignore, unpack: as in `ncbounds.measure_model`.

    Raises:
        InputError: a pattern without any metric, epochs that are none.

    >>> callback = MeasureCollapse(epochs=10, metrics=["nc1.*", "ncc.error"])
    >>> callback.metrics[:2]
    ('nc1.pinv', 'nc1.pinv.samples')
    """

    def __init__(
        self,
        loader: Iterable[Any] | None = None,
        epochs: int | Collection[int] = 1,
        metrics: Collection[str] = _SHOWN,
        *,
        prefix: str = "nc/",
        network: str = "",
        head: str | None = None,
        temperature: float = 1.0,
        missing: Any = "refuse",
        ignore: int | None = None,
        unpack: Unpack | None = None,
    ) -> None:
        super().__init__()
        if not _usable(epochs):
            raise InputError("epochs", repr(epochs), "a number of at least 1, or epochs from 0")
        self.metrics = select(metrics)
        self.history: list[MeasuredEpoch] = []
        """One entry for each epoch that was measured."""
        self._loader, self._epochs = loader, epochs
        self._prefix, self._network = prefix, network
        self._options = {
            "head": head,
            "temperature": temperature,
            "missing": missing,
            "ignore": ignore,
        }
        self._unpack = unpack_batch if unpack is None else unpack

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Refuse a network that is not there before an epoch is spent."""
        known = dict(pl_module.named_modules())
        if self._network not in known:
            parts = ", ".join(name for name, _ in pl_module.named_children())
            domain = "the name of a part of the Lightning module"
            raise InputError("network", repr(self._network), domain, f"its parts are {parts}")

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Measure and log where the epoch is one of those chosen."""
        epoch = trainer.current_epoch
        if not self._chosen(epoch, trainer.max_epochs):
            return
        loader = trainer.train_dataloader if self._loader is None else self._loader
        precision = trainer.precision_plugin
        with precision.forward_context():
            found = measure_model(
                pl_module.get_submodule(self._network),
                loader,
                pl_module.device,
                all_processes=True,
                unpack=lambda batch: self._unpack(precision.convert_input(batch)),
                **self._options,
            )
        self.history.append(MeasuredEpoch(epoch, found))
        logged = {
            self._prefix + name: found.metrics[name]
            for name in self.metrics
            if name in found.metrics
        }
        pl_module.log_dict(logged, on_step=False, on_epoch=True, sync_dist=False)

    def state_dict(self) -> dict[str, Any]:
        """The history, for checkpoints."""
        return {"history": [(entry.epoch, entry.measurement.to_dict()) for entry in self.history]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with the history of a checkpoint."""
        self.history = [
            MeasuredEpoch(epoch, Measurement(**kept)) for epoch, kept in state_dict["history"]
        ]

    def _chosen(self, epoch: int, epochs: int | None) -> bool:
        if isinstance(self._epochs, int):
            return (epoch + 1) % self._epochs == 0 or epoch + 1 == epochs
        return epoch in self._epochs


def _usable(epochs: object) -> bool:
    """Whether it is a number of epochs, or epochs."""
    if isinstance(epochs, int):
        return not isinstance(epochs, bool) and epochs >= 1
    every = epochs if isinstance(epochs, Collection) else ()
    return len(every) > 0 and all(isinstance(one, int) and one >= 0 for one in every)
