"""How much memory and time it takes to measure a file, by its size.

Files of random features, d = 512 in float32, with labels of 100 classes, weights and bias, as
`.safetensors`; each is measured in a process of its own, in chunks by `measure_file` and, up to
1 GB, whole by `measure` of `read_features`. Printed is the peak of the process above what it had
after its imports and a first small measurement.

Run as ``python benchmarks/reading.py [GIGABYTES ...]``; the files go to the folder for temporary
ones, which needs as much room as the largest.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

D, K, ROWS = 512, 100, 2**14
SIZES = (0.1, 0.3, 1.0)
MEASURED = """
import resource, sys, time
import numpy as np
from ncbounds.measure import measure, measure_file, read_features
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
rng = np.random.default_rng(0)
features = rng.normal(size=(4000, 512)).astype("f4")
measure(features, np.arange(4000) % 100, rng.normal(size=(100, 512)))
before, started = peak(), time.perf_counter()
if sys.argv[2] == "chunks":
    measure_file(sys.argv[1])
else:
    data = read_features(sys.argv[1])
    measure(data.features, data.labels, data.weights, data.bias)
print(time.perf_counter() - started, peak() - before)
"""


def write(path: Path, n: int) -> None:
    """Write a file of n samples, a block of random ones over and over, without holding it."""
    rng = np.random.default_rng(0)
    arrays = {
        "weights": rng.normal(size=(K, D)).astype(np.float32),
        "bias": np.zeros(K, np.float32),
        "labels": np.arange(n) % K,
    }
    header, at = {}, 0
    for name, array in arrays.items():
        kind = "I64" if array.dtype == np.int64 else "F32"
        header[name] = {
            "dtype": kind,
            "shape": array.shape,
            "data_offsets": [at, at + array.nbytes],
        }
        at += array.nbytes
    header["features"] = {"dtype": "F32", "shape": [n, D], "data_offsets": [at, at + 4 * D * n]}
    text = json.dumps(header).encode()
    block = rng.normal(size=(ROWS, D)).astype(np.float32)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for array in arrays.values():
            file.write(array.tobytes())
        for start in range(0, n, ROWS):
            file.write(block[: n - start].data)


def main(sizes: list[float]) -> None:
    """Print a line for each size."""
    print(f"{'GB':>6} {'n':>9}  {'chunks: s':>9} {'MiB':>6}  {'whole: s':>8} {'MiB':>6}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.safetensors"
        for size in sizes:
            n = int(size * 1e9 / (4 * D))
            write(path, n)
            line = f"{size:6g} {n:9}"
            for way, width in (("chunks", 9), ("whole", 8)):
                if way == "chunks" or size <= 1:
                    command = [sys.executable, "-c", MEASURED, str(path), way]
                    done = subprocess.run(command, capture_output=True, text=True, check=True)
                    seconds, risen = map(float, done.stdout.split())
                    line += f"  {seconds:{width}.2f} {risen:6.0f}"
            print(line, flush=True)


if __name__ == "__main__":
    main([float(size) for size in sys.argv[1:]] or list(SIZES))
