"""Neural collapse as a `torchmetrics` metric: in a `MetricCollection`, over several processes."""

from __future__ import annotations

from collections.abc import Collection
from functools import reduce
from typing import Any

from ncbounds.errors import InputError, MissingDependencyError
from ncbounds.measure.accumulator import Accumulator
from ncbounds.measure.definitions import METRICS
from ncbounds.measure.door import Missing
from ncbounds.measure.metrics import select

try:
    import torch
    import torchmetrics
    from torchmetrics.utilities import rank_zero_warn
except ImportError as error:
    raise MissingDependencyError(
        'torchmetrics is missing: pip install "ncbounds[torchmetrics]"'
    ) from error


class NeuralCollapse(torchmetrics.Metric):
    """Metrics of features and labels that come in batches, with the state of an `Accumulator`.

    ``update(features, labels)`` costs nothing beyond the accumulator's own; its sums travel as one
    tensor of bytes when torchmetrics synchronises, merges, copies or saves the state. Metrics of
    two passes (``METRICS[name].passes == 2``) need `next_pass` and all samples a second time.

    Parameters:
        metrics: one name, for a single number; or names and patterns such as ``nc1.*``, for a
            dictionary. Unless given, all metrics of one pass.
        classes: K, the number of classes; told by the weights unless given.
        dimension: d, of the features; told by the weights unless given.
        weights: (K, d) weights of the last layer, as they are now.
        bias: (K,) bias of the last layer.
        temperature: of `loss.cross_entropy.spherical`.
        missing: what becomes of classes without samples, as in `ncbounds.measure`: ``"leave out"``
            where `forward` should measure single batches.
        scatter: True for NC1 in one pass, as in `Accumulator`; or the counts of the classes, with
            which `forward` refuses to measure single batches.
        options: those of `torchmetrics.Metric`.

    `compute` gives float64 tensors, nan where a metric does not exist for the samples; it warns of
    those that wait for the second pass.

    Raises:
        InputError: an unknown metric, one of the weights without weights, unknown K or d.

    >>> metric = NeuralCollapse(["nc1.trace", "cdnv.mean"], classes=2, dimension=2)
    >>> metric.update(torch.tensor([[2.0, 1.0], [-2.0, 1.0]]), torch.tensor([0, 1]))
    >>> metric.update(torch.tensor([[2.0, -1.0], [-2.0, -1.0]]), torch.tensor([0, 1]))
    >>> {name: value.item() for name, value in metric.compute().items()}
    {'nc1.trace': 0.25, 'cdnv.mean': 0.0625}
    """

    is_differentiable = False
    full_state_update = False

    def __init__(
        self,
        metrics: str | Collection[str] | None = None,
        *,
        classes: int | None = None,
        dimension: int | None = None,
        weights: Any = None,
        bias: object = None,
        temperature: float = 1.0,
        missing: Missing = "refuse",
        scatter: object = False,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        if dimension is None:
            if weights is None:
                raise InputError("dimension", "missing", "given where weights are not")
            dimension = len(weights[0])
        self.names = _usable(metrics, weights is not None)
        """The metrics that are computed."""
        self._single = isinstance(metrics, str) and metrics in METRICS
        self._missing: Missing = missing
        self._accumulator = Accumulator(classes, weights, bias, temperature, dimension, scatter)
        self._packed: torch.Tensor | None = None
        self.add_state("sums", _packed(self._accumulator), dist_reduce_fx=_merged)

    @property
    def higher_is_better(self) -> bool | None:  # type: ignore[override]
        """For a single metric, which way neural collapse moves it."""
        direction = METRICS[self.names[0]].direction if self._single else "neither"
        return {"higher": True, "lower": False}.get(direction)

    @property
    def sums(self) -> torch.Tensor:
        """The state as torchmetrics knows it: the bytes of the accumulator, made when asked for."""
        if self._packed is None:
            self._packed = _packed(self._accumulator).to(self.device)
        return self._packed

    @sums.setter
    def sums(self, packed: torch.Tensor) -> None:
        self._packed = packed
        self._accumulator = _unpacked(packed)

    def update(self, features: torch.Tensor, labels: torch.Tensor) -> None:
        """Add a batch: features (b, d) and integer labels (b,)."""
        self._accumulator.update(features, labels)
        self._packed = None

    def next_pass(self) -> None:
        """Fix the class means, of all processes: each gives its samples to `update` once more."""
        with self.sync_context(should_unsync=False):
            self._accumulator.next_pass()
        self._packed, self._computed, self._is_synced, self._cache = None, None, False, None

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Update, and return the metrics of this batch alone; in the first pass only."""
        if self._accumulator.passes == 2:
            raise InputError("pass", 2, "1 for the metrics of a batch alone", "call update")
        return super().forward(*args, **kwargs)

    def set_dtype(self, dst_type: str | torch.dtype) -> NeuralCollapse:
        """Change nothing: sums are kept in float64 whatever the features are."""
        return self

    def compute(self) -> torch.Tensor | dict[str, torch.Tensor]:
        """The metric, or all of them by name."""
        accumulator = self._accumulator
        found = accumulator.compute(self._missing).metrics
        if accumulator.passes == 1 and (late := [n for n in self.names if METRICS[n].passes == 2]):
            rank_zero_warn(
                f"{', '.join(late)}: nan, as a second pass over the samples is needed; call "
                "next_pass, and update with all samples again"
            )
        values = {
            name: torch.tensor(found.get(name, torch.nan), dtype=torch.float64, device=self.device)
            for name in self.names
        }
        return values[self.names[0]] if self._single else values


def _usable(metrics: str | Collection[str] | None, with_weights: bool) -> tuple[str, ...]:
    """The names that are meant, less those of weights where there are none."""
    chosen = select("*" if metrics is None else metrics)
    found = tuple(
        name
        for name in chosen
        if (with_weights or not METRICS[name].needs_weights)
        and (metrics is not None or METRICS[name].passes == 1)
    )
    if not found:
        raise InputError("metrics", repr(metrics), "of features alone where there are no weights")
    return found


def _packed(accumulator: Accumulator) -> torch.Tensor:
    return torch.frombuffer(bytearray(accumulator.to_bytes()), dtype=torch.uint8)


def _unpacked(packed: torch.Tensor) -> Accumulator:
    return Accumulator.from_bytes(packed.cpu().numpy().tobytes())


def _merged(packed: torch.Tensor) -> torch.Tensor:
    """One state of several, (m, bytes): how torchmetrics reduces it."""
    found = reduce(Accumulator.merge, (_unpacked(row) for row in packed))
    return _packed(found).to(packed.device)
