"""The sections of the page that are about models: guarantees, codes, complexities."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from html import escape

import numpy as np

from ncbounds.codes.beside import beside
from ncbounds.measure.complexity import TreeComplexity, tree_rademacher
from ncbounds.report.compare import ModelBound
from ncbounds.report.margin_plot import plot_margin
from ncbounds.report.model import Model
from ncbounds.report.page.words import number, picture
from ncbounds.report.proximity_plots import plot_proximity
from ncbounds.report.rademacher_bounds import theory_bounds
from ncbounds.theory.evaluate import evaluate

#: Depths and number of samples of the tree networks whose complexity is computed.
TREE_DEPTHS, TREE_SAMPLES = (1, 2, 3), 6


def proximity(models: Sequence[Model]) -> str:
    """The section on what a small loss guarantees, beside what is measured."""
    reports = {m.name: m.report for m in models}
    figure = plot_proximity(reports, {m.name: m.group for m in models})
    rows = "".join(_proximity_row(m) for m in models)
    facts = list(dict.fromkeys(name for m in models for name in m.facts))
    head = "".join(f"<th>{escape(name)}</th>" for name in facts)
    return f"""
<section id="guarantees"><h2>What a small loss guarantees</h2>
<p>From three measured numbers, the mean loss, the feature norm and the weight norm, our sharp form
of <a href="#bnwd:theorem-2.1">bnwd:theorem-2.1</a> bounds how far a network can be from collapse.
Dots are measured, bars are guaranteed, the darker the more information is used. The printed
theorem leaves a constant &kappa; open; it is told for a generous &kappa; = 1/10 and for 1.</p>
<figure class="light broad">{picture(figure, "Measured collapse and guarantees of every network")}
</figure>
<div class="wide"><table class="numbers"><thead><tr><th>network</th>{head}<th>loss</th><th>s</th>
<th>variability (NC1)</th><th>1 &minus; cosine (NC3)</th><th>worst intra-class cosine</th>
<th>printed bound, &kappa; = 1/10</th><th>printed bound, &kappa; = 1</th></tr></thead>
<tbody>{rows}</tbody></table></div>
<p class="note">Each guaranteed cell reads measured &le; guaranteed. s is the proximity gap
1 &minus; &phi;<sup>&minus;1</sup>(loss)/T; the guarantees are 2s &minus; s&sup2; and s.</p>
</section>"""


def _proximity_row(m: Model) -> str:
    by_reading = {(b.quantity, b.variant, b.reading): b for b in m.report.bounds}

    def pick(quantity: str, variant: str, reading: str = "") -> ModelBound | None:
        for (q, v, r), b in by_reading.items():
            if q == quantity and v == variant and (not reading or r == reading):
                return b
        return None

    spread, cosine = pick("nc1.relative", "sharp"), pick("1 - nc3.cosine", "sharp")
    intra = [pick("cosine.intra.min", "printed", f"kappa = {k}") for k in (Fraction(1, 10), 1)]
    metrics = m.report.measurement.metrics
    cells = [
        f"<th scope='row'>{escape(m.name)}</th>",
        *(f"<td>{escape(value)}</td>" for value in m.facts.values()),
        f"<td>{number(metrics['loss.cross_entropy'])}</td>",
        f"<td>{number(float(cosine.bound))}</td>" if cosine else "<td>&ndash;</td>",
        _pair(spread),
        _pair(cosine),
        f"<td>{metrics['cosine.intra.min']:.4f}</td>" if intra[0] else "<td>&ndash;</td>",
        *(_limit(b) for b in intra),
    ]
    return f"<tr>{''.join(cells)}</tr>"


def softmax_code(models: Sequence[Model]) -> str:
    """The section on the largest margin of many classes in few dimensions."""
    numbers = sorted({m.report.measurement.K for m in models} | {1000})
    K = numbers[-1]
    figure = plot_margin({"d": "2:512:60:log", "K": str(K)})
    words = f"Bounds on the one-vs-rest distance against d for K = {K}"
    rows = ""
    for d, count in ((2, 10), (3, 12), (8, 240), (64, 1000), (512, 10**6)):
        found = evaluate("gnc:theorem-3.9", digits=6, d=d, K=count)
        best = {
            e.direction: e
            for e in beside("gnc:theorem-3.9", found, digits=6)
            if e.variant == "proved"
        }
        printed = {e.direction: e for e in found if e.variant == "printed"}
        cells = "".join(
            f"<td class='{'vacuous' if e.vacuous else ''}'>"
            f"{escape(e.decimal.value if e.decimal else '')}</td>"
            for side in ("lower", "upper")
            for e in (printed[side], best[side])
        )
        cells += f"<td>{escape(best['upper'].reading)}</td>"
        rows += f"<tr><th scope='row'>{d}</th><td>{count}</td>{cells}</tr>"
    return f"""
<section id="codes"><h2>How far apart K classes can be in d dimensions</h2>
<p>The largest possible one-vs-rest distance of K unit vectors, bounded by
<a href="#gnc:theorem-3.9">gnc:theorem-3.9</a>. The printed upper side has half the right exponent.
By <a href="#gnc:sharp-1">gnc:sharp-1</a> the distance is one less the largest inner product of the
best spherical code, so that every bound on those is one on margins.</p>
<figure class="light">{picture(figure, words)}</figure>
<div class="wide"><table><thead><tr><th>d</th><th>K</th><th>printed lower</th><th>best lower</th>
<th>printed upper</th><th>best upper</th><th>by</th></tr></thead><tbody>{rows}</tbody></table></div>
<p class="note">Six certified digits; best of what is proved here or cited. Grey: vacuous.</p>
</section>"""


def tree_complexities(models: Sequence[Model]) -> list[TreeComplexity]:
    """Certified complexities of small tree networks on features of the first model.

    Depths whose 2^L inputs the features do not have are left out.
    """
    features = np.asarray(models[0].features, dtype=np.float64)
    count = min(TREE_SAMPLES, len(features))
    picked = features[np.linspace(0, len(features) - 1, count).astype(int)]
    return [
        tree_rademacher(picked[:, : 2**depth])
        for depth in TREE_DEPTHS
        if 2**depth <= picked.shape[1] and np.any(picked[:, : 2**depth])
    ]


def complexity(models: Sequence[Model]) -> str:
    """The section on true complexities and their bounds; empty where there is none."""
    found = tree_complexities(models)
    if not found:
        return ""
    rows = ""
    features = np.asarray(models[0].features, dtype=np.float64)
    picked = features[np.linspace(0, len(features) - 1, found[0].m).astype(int)]
    for truth in found:
        norm = float(np.sqrt((picked[:, : truth.d] ** 2).sum()))
        bounds = _best_bounds(truth, norm)
        cells = "".join(
            f"<td>{number(value)} <small>({value / truth.lower:.1f}&times;)</small></td>"
            for value in (
                bounds["square:theorem-4", "sharp"],
                bounds["square:theorem-4", "printed"],
                bounds["square:eq-25", "corrected"],
                bounds["square:eq-25", "printed"],
            )
        )
        upper = "?" if truth.upper is None else f"{truth.upper:.5g}"
        rows += (
            f"<tr><th scope='row'>{truth.depth}</th><td>{truth.d}</td><td>{truth.m}</td>"
            f"<td>[{truth.lower:.5g}, {upper}]</td>{cells}</tr>"
        )
    return f"""
<section id="complexity"><h2>Rademacher complexity of small convolutional networks</h2>
<p>The true empirical complexity of the binary-tree networks of
<a href="#square:theorem-4">square:theorem-4</a> on real features ({escape(models[0].name)}), by
going through all sign vectors with a certified supremum, beside the bounds.</p>
<div class="wide"><table class="numbers"><thead><tr><th>levels L</th><th>inputs d</th>
<th>samples m</th><th>certified truth</th><th>our bound</th><th>printed bound</th>
<th>dense, corrected</th>
<th>dense, printed</th></tr></thead><tbody>{rows}</tbody></table></div>
<p class="note">Definition 1 of the paper, kernel norms at most 1. In brackets: bound over truth.
</p></section>"""


def _best_bounds(truth: TreeComplexity, norm: float) -> dict[tuple[str, str], float]:
    """The least bound of each statement and variant, whatever order of moments it takes."""
    point = {
        "L": Fraction(truth.depth),
        "rho": Fraction(truth.rho),
        "m": Fraction(truth.m),
        "norm": Fraction(norm),
    }
    best: dict[tuple[str, str], float] = {}
    for k in range(1, truth.depth + 1):
        for one in theory_bounds(point | {"k": Fraction(k)}):
            key = one.id, one.variant
            best[key] = min(one.value, best.get(key, math.inf))
    return best


def _pair(b: ModelBound | None) -> str:
    if b is None:
        return "<td>&ndash;</td>"
    kind = "vacuous" if b.vacuous else ""
    return f"<td class='{kind}'>{number(b.measured)} &le; {number(float(b.bound))}</td>"


def _limit(b: ModelBound | None) -> str:
    if b is None:
        return "<td>&ndash;</td>"
    value = float(b.bound)
    sign = "&minus;" if value < 0 else ""
    size = f"{abs(value):.3g}" if abs(value) < 1e3 else f"10<sup>{b.bound.log10:.1f}</sup>"
    return f"<td class='{'vacuous' if b.vacuous else ''}'>{sign}{size}</td>"
