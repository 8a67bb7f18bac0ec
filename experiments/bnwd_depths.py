"""Cosine similarity against weight decay by depth: 3, 6 and 9 layers on four synthetic data sets.

Figure 4 of `bnwd`: a row for each depth, a column for each data set, from the conic hull to the
labels of a random network of nine layers. What is trained, measured and guaranteed is that of
`experiments.bnwd`; fewer weight decays and samples at the small scale. The paper names Adam in its
setting and SGD in its remark on deep networks without batch norm, and prints no learning rate,
width or dimension: Adam at the settings of `experiments.bnwd` is ours.

At the small scale deep networks without batch norm fit their data at every weight decay but the
largest, and batch norm gains more collapse at nine layers than at three: neither remark of the
paper on depth is seen there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from experiments import bnwd
from experiments.bnwd import DATA, Settings, collapsed, curve, places
from experiments.running import Experiment, Finding, Record
from ncbounds.report.plots import pyplot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEPTHS = (3, 6, 9)
SCALES = {
    "small": Settings(
        tuple(DATA), DEPTHS, decays=(1e-4, 1e-3, 1e-2, 1e-1), per_class=100, epochs=60, batch=50
    ),
    "paper": Settings(tuple(DATA), DEPTHS, per_class=2000, epochs=300, rate=1e-3),
}


def findings(records: Sequence[Record], settings: Settings) -> list[Finding]:
    """The claims of `experiments.bnwd` at these depths, and those of appendix B.1.2 on depth."""
    seeds = sorted({r["seed"] for r in records})
    shallow, deep = min(settings.layers), [n for n in settings.layers if n >= 6]

    def gained(seed: int, layers: int) -> float:
        at = [place for place in places(records) if place[1] == f"{layers} layers"]
        return float(np.mean([_collapse_gained(records, seed, *place) for place in at]))

    def unfitted(seed: int, layers: Sequence[int], data: Sequence[str]) -> float:
        """The share of networks without batch norm with training error left, less one half."""
        chosen = [r for r in records if r["seed"] == seed and not r["batch_norm"]]
        left = [r["train_error"] > 0 for r in chosen if r["layers"] in layers and r["data"] in data]
        return float(np.mean(left)) - 0.5

    return [
        *bnwd.findings(records, settings),
        Finding(
            "bnwd App. B.1.2",
            "six and nine layers hardly train without batch norm",
            tuple(unfitted(seed, deep, settings.data) for seed in seeds),
            "share of networks with training error left, less one half",
        ),
        Finding(
            "bnwd App. B.1.2",
            "three layers without batch norm do not fit MLP3 and MLP6 perfectly",
            tuple(unfitted(seed, [shallow], ("MLP3", "MLP6")) for seed in seeds),
            "share of networks with training error left, less one half",
        ),
        Finding(
            "bnwd Sec. 3.3",
            "what batch norm does is more pronounced in shallower networks",
            tuple(gained(seed, shallow) - gained(seed, max(settings.layers)) for seed in seeds),
            "best least intra-class cosine, with less without batch norm, at the least depth less"
            " at the greatest",
        ),
    ]


def _collapse_gained(records: Sequence[Record], seed: int, *place: str) -> float:
    with_, without = (
        max(float(r["cosine.intra.min"]) for r in curve(records, seed, batch_norm, *place))
        for batch_norm in (True, False)
    )
    return with_ - without


# -- the figure ------------------------------------------------------------------------------------


def figure(records: Sequence[Record], settings: Settings) -> Figure:
    """Least intra-class cosines from above and largest inter-class cosines from below.

    Far apart they show collapse; where they meet, classes are not told apart.
    """
    plt = pyplot()
    found: Figure
    size = (1.2 + 2.6 * len(settings.data), 0.9 + 2.3 * len(settings.layers))
    found, panels = plt.subplots(
        len(settings.layers), len(settings.data), figsize=size, sharex=True, sharey=True,
        squeeze=False,
    )  # fmt: skip
    for row, layers in zip(panels, settings.layers, strict=True):
        for axes, data in zip(row, settings.data, strict=True):
            here = [r for r in records if (r["data"], r["layers"]) == (data, layers)]
            for batch_norm in (False, True):
                chosen = [r for r in here if r["batch_norm"] == batch_norm]
                bnwd.draw_curve(axes, chosen, "cosine.intra.min", batch_norm)
                bnwd.draw_curve(axes, chosen, "cosine.inter.max", batch_norm)
                if batch_norm:
                    bnwd.draw_guarantee(
                        axes, chosen, "intra min, losses and weights", lambda b: 1 - b
                    )
            axes.axhline(collapsed(here[0]), color="#bbbbbb", linewidth=1)
            axes.set_xscale("log")
        row[0].set_ylabel(f"{layers} layers\nintra (above), inter (below)")
    for axes, data in zip(panels[0], settings.data, strict=True):
        axes.set_title(data, fontsize=10)
    for axes in panels[-1]:
        axes.set_xlabel("weight decay λ")
    panels[0, 0].set_ylim(-0.45, 1.05)
    bnwd.draw_legend(found)
    return found


EXPERIMENT = Experiment(
    "bnwd-depths",
    "bnwd Fig. 4",
    __doc__.partition("\n")[0],
    SCALES,
    bnwd.parts,
    bnwd.compute,
    findings,
    {"bnwd_depths": figure},
    bnwd.table,
)
