"""Real inputs for published classifiers: files of this machine, rendered lines of text, tones."""

from __future__ import annotations

import json
import os
import string
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.published.heads import folder
from ncbounds.errors import MissingDependencyError

Pixels = NDArray[np.float32]
Sound = NDArray[np.float32]

#: The standard library and what is installed beside it; shared files of the system, if any.
_OWN = ("stdlib", "platstdlib", "purelib", "platlib")
_SHARED = ("/usr/share", "/usr/include", "/usr/lib")
#: Files smaller than this say too little of their type.
_FEWEST_BYTES = 16

_FONTS = (
    *("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSansMono"),
    *("DejaVuSansMono-Bold", "DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic"),
)
RATE, WINDOW = 16000, 1024


def files_of_types(
    labels: list[str], most: int, least: int, seed: int, roots: Iterable[Path] | None = None
) -> tuple[list[Path], list[int]]:
    """Files whose ending belongs to one type alone, and the number of each one's type.

    Types with fewer than `least` files are left out; of more than `most`, as many at random.
    """
    kinds = json.loads((folder("magika") / "config" / "content_types_kb.min.json").read_text())
    owners: dict[str, list[int]] = {}
    for k, label in enumerate(labels):
        for ending in kinds[label]["extensions"]:
            owners.setdefault(f".{ending}", []).append(k)
    only = {ending: found[0] for ending, found in owners.items() if len(found) == 1}
    by_type: dict[int, set[Path]] = {}
    for path in _files(_roots() if roots is None else roots):
        if (kind := path.suffix.lower()) in only:
            by_type.setdefault(only[kind], set()).add(path)
    random = np.random.default_rng(seed)
    paths: list[Path] = []
    numbers: list[int] = []
    for k, known in sorted(by_type.items()):
        ordered = sorted(known)
        chosen = [ordered[i] for i in random.permutation(len(ordered))[: 2 * most]]
        chosen = [path for path in chosen if path.stat().st_size >= _FEWEST_BYTES][:most]
        if len(chosen) >= least:
            paths += chosen
            numbers += [k] * len(chosen)
    return paths, numbers


def _roots() -> list[Path]:
    own = {sysconfig.get_paths()[name] for name in _OWN}
    return [Path(root) for root in sorted({*own, f"{sys.base_prefix}/share", *_SHARED})]


def _files(roots: Iterable[Path]) -> Iterator[Path]:
    for root in roots:
        for place, _, names in os.walk(root):
            for name in names:
                if not (path := Path(place, name)).is_symlink():
                    yield path


def characters_of(names: list[str]) -> dict[str, int]:
    """The letters, digits and punctuation of ASCII among the names, with the class of each.

    >>> characters_of(["", "b", "\N{GREEK SMALL LETTER ALPHA}", "7", " "])
    {'b': 1, '7': 3}
    """
    known = string.ascii_letters + string.digits + string.punctuation
    return {name: k for k, name in enumerate(names) if len(name) == 1 and name in known}


def lines(
    characters: dict[str, int], times: int, length: int, height: int, seed: int
) -> Iterator[tuple[Pixels, list[int]]]:
    """Rendered lines of random characters, each one `times` times, with the classes in order.

    Dark on light in one of eight fonts, of several sizes and places, with a little noise; an image
    is (height, width) with values in [0, 1].
    """
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ImportError as error:
        raise MissingDependencyError("rendered text needs pillow: pip install pillow") from error
    random = np.random.default_rng(seed)
    letters = np.concatenate([random.permutation(list(characters)) for _ in range(times)])
    for start in range(0, len(letters), length):
        text = "".join(letters[start : start + length])
        size = int(height * random.uniform(0.5, 0.7))
        font = ImageFont.truetype(str(_font(_FONTS[random.integers(len(_FONTS))])), size)
        left, top, right, bottom = font.getbbox(text)
        side, room = int(random.integers(4, 16)), max(0, height - int(bottom - top))
        paper, ink = int(random.integers(200, 256)), int(random.integers(0, 80))
        image = Image.new("L", (int(right - left) + 2 * side, height), paper)
        above = room // 2 + int(random.integers(-2, 3))
        ImageDraw.Draw(image).text((side - left, above - top), text, fill=ink, font=font)
        pixels = np.asarray(image, dtype=np.float32) / 255
        noise = random.normal(0, 0.02, pixels.shape).astype(np.float32)
        noisy: Pixels = np.clip(pixels + noise, 0, 1)
        yield noisy, [characters[c] for c in text]


def _font(name: str) -> Path:
    try:
        import matplotlib as mpl
    except ImportError as error:
        raise MissingDependencyError(
            "rendered text needs matplotlib: pip install matplotlib"
        ) from (error)
    return Path(mpl.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf"


def tones(frequencies: NDArray[np.float64], times: int, cents: float, seed: int) -> Sound:
    """Harmonic tones, `times` of each frequency one after the other, (n, 1024) at 16 kHz.

    Within `cents` of the frequency; twelve harmonics of random phase whose amplitudes fall like
    a random power, and noise 20 to 40 decibels below. Each frame has mean 0 and variance 1.
    """
    random = np.random.default_rng(seed)
    pitch = np.repeat(frequencies, times)
    n, harmonics = len(pitch), np.arange(1, 13)
    pitch = pitch * 2 ** (random.uniform(-cents, cents, n) / 1200)
    amplitudes = harmonics ** -random.uniform(0.5, 2, (n, 1)) * random.uniform(0.3, 1, (n, 12))
    amplitudes[pitch[:, None] * harmonics > 0.45 * RATE] = 0
    phases = random.uniform(0, 2 * np.pi, (n, 12, 1))
    angle = 2 * np.pi * pitch[:, None] * np.arange(WINDOW) / RATE
    sound = np.zeros((n, WINDOW))
    for h in range(12):
        sound += amplitudes[:, h, None] * np.sin(harmonics[h] * angle + phases[:, h])
    level = sound.std(axis=1, keepdims=True) * 10 ** -random.uniform(1, 2, (n, 1))
    sound += level * random.normal(size=sound.shape)
    sound -= sound.mean(axis=1, keepdims=True)
    frames: Sound = (sound / sound.std(axis=1, keepdims=True)).astype(np.float32)
    return frames
