"""How much memory and time it takes to measure a file, and to compare it with theory, by its size.

Files of random features, d = 512 in float32, with labels of 100 classes, weights and bias, as
`.safetensors`, as `.npz` and, up to 1 GB, as compressed `.npz`; each is measured in a process of
its own, in chunks by `measure_file` and, up to 1 GB, whole by `measure` of `read_features`. Printed
is the peak of the process above what it had after its imports and a first small measurement.
`compare` is measured likewise, of `.safetensors`, where it is asked for.

Run as ``python -m benchmarks.reading [--compare] [GIGABYTES ...]``; the files go to the folder for
temporary ones, which needs as much room as the largest.
"""

import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

D, K, ROWS = 512, 100, 2**14
SIZES = (0.1, 0.3, 1.0)
#: Gigabytes up to which a file is compressed, or read whole.
MOST = 1.0
WAYS = {
    "safetensors": (".safetensors", "measure"),
    "npz": (".npz", "measure"),
    "compressed": (".compressed.npz", "measure"),
    "whole": (".safetensors", "whole"),
    "compare": (".safetensors", "compare"),
}
MEASURED = """
import resource, sys, time
import numpy as np
from ncbounds import compare
from ncbounds.measure import measure, measure_file, read_features
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
rng = np.random.default_rng(0)
features = rng.normal(size=(4000, 512)).astype("f4")
known = compare if sys.argv[2] == "compare" else measure
known(features, np.arange(4000) % 100, rng.normal(size=(100, 512)))
before, started = peak(), time.perf_counter()
if sys.argv[2] == "measure":
    measure_file(sys.argv[1])
else:
    data = read_features(sys.argv[1], leave_features=sys.argv[2] == "compare")
    known(data.features, data.labels, data.weights, data.bias)
print(time.perf_counter() - started, peak() - before)
"""


def layer_and_labels(n: int) -> dict[str, Any]:
    """The small arrays of a file of n samples."""
    rng = np.random.default_rng(0)
    return {
        "weights": rng.normal(size=(K, D)).astype(np.float32),
        "bias": np.zeros(K, np.float32),
        "labels": np.arange(n) % K,
    }


def blocks(n: int) -> Iterator[memoryview]:
    """The features of n samples, a block of random ones over and over."""
    block = np.random.default_rng(1).normal(size=(ROWS, D)).astype(np.float32)
    for start in range(0, n, ROWS):
        yield block[: n - start].reshape(-1).view(np.uint8).data


def write_safetensors(path: Path, n: int) -> None:
    """Write a file of n samples without holding it."""
    arrays = layer_and_labels(n)
    header, at = {}, 0
    for name, array in arrays.items():
        kind = "I64" if array.dtype == np.int64 else "F32"
        offsets = [at, at + array.nbytes]
        header[name] = {"dtype": kind, "shape": array.shape, "data_offsets": offsets}
        at += array.nbytes
    header["features"] = {"dtype": "F32", "shape": [n, D], "data_offsets": [at, at + 4 * D * n]}
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for array in arrays.values():
            file.write(array.tobytes())
        file.writelines(blocks(n))


def write_npz(path: Path, n: int) -> None:
    """Write the same as an archive, compressed where its name says so."""
    compressed = ".compressed" in path.suffixes
    how = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", how, compresslevel=1) as archive:
        for name, array in layer_and_labels(n).items():
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, array)
        with archive.open("features.npy", "w", force_zip64=True) as member:
            header = {"descr": "<f4", "fortran_order": False, "shape": (n, D)}
            np.lib.format.write_array_header_1_0(member, header)
            for block in blocks(n):
                member.write(block)


def main(sizes: list[float], ways: list[str]) -> None:
    """Print a line for each size."""
    print(f"{'GB':>6} {'n':>9}  " + "  ".join(f"{way:>11}: s {'MiB':>5}" for way in ways))
    for size in sizes:
        n = int(size * 1e9 / (4 * D))
        line, written = f"{size:6g} {n:9}  ", ""
        with tempfile.TemporaryDirectory() as folder:
            for way in ways:
                suffix, call = WAYS[way]
                if size > MOST and way in ("compressed", "whole"):
                    line += f"{'':21}"
                    continue
                path = Path(folder) / f"run{suffix}"
                if suffix != written:
                    for old in Path(folder).iterdir():
                        old.unlink()
                    (write_npz if suffix.endswith("npz") else write_safetensors)(path, n)
                    written = suffix
                command = [sys.executable, "-c", MEASURED, str(path), call]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                seconds, risen = map(float, done.stdout.split())
                line += f"{seconds:14.2f} {risen:5.0f} "
        print(line.rstrip(), flush=True)


if __name__ == "__main__":
    given = sys.argv[1:]
    asked = ["compare"] if "--compare" in given else [way for way in WAYS if way != "compare"]
    main([float(size) for size in given if size != "--compare"] or list(SIZES), asked)
