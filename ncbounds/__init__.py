"""Machine-checked theory of neural collapse: every bound set beside measured models.

The uses::

    ncbounds.evaluate("gnc:theorem-3.9", d=512, K=10**6)     # a bound, to certified digits
    ncbounds.verify(["bnwd:lemma-2.1"])                      # proofs and campaigns: a ledger
    ncbounds.measure(features, labels, weights)              # the metrics of a real model
    ncbounds.measure_model(module, loader)                   # of a torch network, in little memory
    ncbounds.compare(features, labels, weights)              # measurements beside every bound
    ncbounds.compare_network(module, train, test)            # and bounds on the test error
    ncbounds.proximity_certificate(classes=10, alpha=2, beta=3, loss=0.02)  # from numbers alone
    ncbounds.square_loss_certificate(outputs=z, labels=y, targets="one-hot")  # the square loss
    ncbounds.minimum("cross-entropy", K=10, n=100, m=9, lambda_A=5e-3, lambda_F=1e-3)  # of a model
    ncbounds.certify_optimality(features, labels, weights, lambda_A=5e-3, lambda_F=1e-3)

Names are imported when they are first used, so that ``import ncbounds`` is instant.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "InputError": "ncbounds.errors",
    "MissingDependencyError": "ncbounds.errors",
    "NcboundsError": "ncbounds.errors",
    "certify_optimality": "ncbounds.laboratory.optimality",
    "compare": "ncbounds.report.compare",
    "compare_network": "ncbounds.report.generalization",
    "evaluate": "ncbounds.theory.evaluate",
    "measure": "ncbounds",
    "measure_model": "ncbounds.measure.model",
    "minimum": "ncbounds.report.minimum",
    "proximity_certificate": "ncbounds.report.certificate",
    "square_loss_certificate": "ncbounds.report.square_loss",
    "statement": "ncbounds.theory",
    "statements": "ncbounds.theory",
    "verify": "ncbounds.report.verification",
}

__all__ = [
    "InputError",
    "MissingDependencyError",
    "NcboundsError",
    "__version__",
    "certify_optimality",
    "compare",
    "compare_network",
    "evaluate",
    "measure",
    "measure_model",
    "minimum",
    "proximity_certificate",
    "square_loss_certificate",
    "statement",
    "statements",
    "verify",
]

if TYPE_CHECKING:
    from ncbounds.errors import InputError, MissingDependencyError, NcboundsError
    from ncbounds.laboratory.optimality import certify_optimality
    from ncbounds.measure import measure
    from ncbounds.measure.model import measure_model
    from ncbounds.report.certificate import proximity_certificate
    from ncbounds.report.compare import compare
    from ncbounds.report.generalization import compare_network
    from ncbounds.report.minimum import minimum
    from ncbounds.report.square_loss import square_loss_certificate
    from ncbounds.report.verification import verify
    from ncbounds.theory import statement, statements
    from ncbounds.theory.evaluate import evaluate


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'ncbounds' has no attribute {name!r}")
    if name == "measure":  # a package that is callable
        return import_module("ncbounds.measure")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value
