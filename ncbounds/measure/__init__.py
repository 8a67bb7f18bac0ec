"""Neural-collapse metrics of real features, labels and weights, and the files that hold them.

`measure` computes every metric of `METRICS` of arrays in memory; `measure_batches` and
`Accumulator` of samples that come in batches, in any number of processes. `read_features` and
`write_features` keep the arrays in `.npz` or `.safetensors` files. The package itself is callable,
so that both `ncbounds.measure(...)` and `from ncbounds.measure import measure` measure.
"""

import sys
from types import ModuleType
from typing import Any

from ncbounds.measure.accumulator import Accumulator, measure, measure_batches
from ncbounds.measure.definitions import HELD_OUT_METRICS, METRICS, Metric
from ncbounds.measure.files import FeatureFile, read_features, write_features
from ncbounds.measure.metrics import Measurement
from ncbounds.measure.model import measure_model
from ncbounds.measure.tap import FeatureTap

__all__ = [
    "HELD_OUT_METRICS",
    "METRICS",
    "Accumulator",
    "FeatureFile",
    "FeatureTap",
    "Measurement",
    "Metric",
    "measure",
    "measure_batches",
    "measure_model",
    "read_features",
    "write_features",
]


class _CallablePackage(ModuleType):
    def __call__(self, *args: Any, **kwargs: Any) -> Measurement:
        return measure(*args, **kwargs)


sys.modules[__name__].__class__ = _CallablePackage
