"""Trained networks as the generalization bounds see them: filter norms, patches, overlap, paths.

`network_of` reads a torch module, `read_network` a file that `write_network` wrote. Either gives a
`Network`, from which `ncbounds.report.generalization` evaluates every bound that applies.
"""

from ncbounds.measure.network.files import NetworkFile, is_network, read_network, write_network
from ncbounds.measure.network.from_torch import network_of
from ncbounds.measure.network.layers import Layer, Network

__all__ = [
    "Layer",
    "Network",
    "NetworkFile",
    "is_network",
    "network_of",
    "read_network",
    "write_network",
]
