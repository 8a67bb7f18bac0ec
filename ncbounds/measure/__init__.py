"""Neural-collapse metrics of real features, labels and weights, and the files that hold them.

`measure` computes every metric of `METRICS` of arrays in memory; `measure_batches` and
`Accumulator` of samples that come in batches, in any number of processes. `read_features` and
`write_features` keep the arrays in `.npz` or `.safetensors` files, `measure_file` measures one of
any size, `read_head` and `measure_weights` the last layer of a model alone. The package itself is
callable, so that both `ncbounds.measure(...)` and `from ncbounds.measure import measure` measure.
"""

import sys
from types import ModuleType
from typing import Any

from ncbounds.measure.accumulator import Accumulator, measure, measure_batches
from ncbounds.measure.definitions import HELD_OUT_METRICS, METRICS
from ncbounds.measure.files import FeatureFile, read_features, write_features
from ncbounds.measure.from_file import measure_file
from ncbounds.measure.heads import Head, read_head
from ncbounds.measure.metric import CHANGES, Metric
from ncbounds.measure.metrics import Measurement, measure_weights
from ncbounds.measure.model import measure_model
from ncbounds.measure.tap import FeatureTap

__all__ = [
    "CHANGES",
    "HELD_OUT_METRICS",
    "METRICS",
    "Accumulator",
    "FeatureFile",
    "FeatureTap",
    "Head",
    "Measurement",
    "Metric",
    "measure",
    "measure_batches",
    "measure_file",
    "measure_model",
    "measure_weights",
    "read_features",
    "read_head",
    "write_features",
]


class _CallablePackage(ModuleType):
    def __call__(self, *args: Any, **kwargs: Any) -> Measurement:
        return measure(*args, **kwargs)


sys.modules[__name__].__class__ = _CallablePackage
