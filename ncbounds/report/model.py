"""A model as the report sees it: arrays of its last layer and a few facts about its training."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ncbounds.report.compare import ModelReport, compare


@dataclass(frozen=True)
class Model:
    """Features, labels and last layer of one trained model.

    `group` names the series that it belongs to in plots; `facts` are shown beside it. A model on
    the unit sphere may have a `temperature`, one trained with the square loss has `targets`.
    """

    name: str
    group: str
    features: Any = field(repr=False)
    labels: Any = field(repr=False)
    weights: Any = field(repr=False)
    bias: Any = field(repr=False, default=None)
    facts: dict[str, str] = field(default_factory=dict)
    temperature: float | None = None
    targets: str | None = None

    @cached_property
    def report(self) -> ModelReport:
        """The measurement of the model beside every bound that applies."""
        return compare(
            self.features,
            self.labels,
            self.weights,
            self.bias,
            temperature=self.temperature,
            targets=self.targets,
        )
