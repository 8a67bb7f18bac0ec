"""Files read in chunks: the same numbers as whole, in little memory, and nothing hostile."""

import subprocess
import sys
import zipfile

import numpy as np
import pytest

from ncbounds.errors import InputError
from ncbounds.measure import measure, measure_file, read_features, write_features
from ncbounds.measure.reading import StoredArray, chunks, stored_arrays

RNG = np.random.default_rng(0)
FEATURES = RNG.normal(size=(103, 5)).astype(np.float32)


def save(path, features, compressed=False, **others):
    (np.savez_compressed if compressed else np.savez)(path, features=features, **others)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(
    "features",
    [FEATURES, FEATURES.astype(">f8"), np.asfortranarray(FEATURES), FEATURES[:, :, None]],
    ids=["rows", "big-endian", "columns", "three axes"],
)
def test_chunks_of_an_archive_make_the_whole(tmp_path, features, compressed):
    save(tmp_path / "a.npz", features, compressed)
    stored = stored_arrays(tmp_path / "a.npz")["features"]
    assert stored.shape == features.shape and stored.dtype.isnative
    for rows in (1, 7, 103, 1000):
        blocks = list(chunks(stored, rows))
        assert max(map(len, blocks)) <= rows
        assert np.array_equal(np.concatenate(blocks), features)


def test_chunks_of_safetensors_make_the_whole_and_bfloat16_is_widened(tmp_path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    half = torch.tensor(FEATURES).bfloat16()
    save_file({"b": half, "a": torch.tensor(FEATURES)}, tmp_path / "a.safetensors")
    stored = stored_arrays(tmp_path / "a.safetensors")
    assert np.array_equal(np.concatenate(list(chunks(stored["a"], 10))), FEATURES)
    assert np.array_equal(np.concatenate(list(chunks(stored["b"], 10))), half.float().numpy())


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_features_left_in_the_file_are_measured_as_in_memory(tmp_path, monkeypatch, suffix):
    monkeypatch.setattr("ncbounds.measure.reading.CHUNK_BYTES", 300)
    write_features(tmp_path / f"a{suffix}", FEATURES, np.arange(103) % 2, layers={"1": FEATURES})
    left = read_features(tmp_path / f"a{suffix}", max_bytes=1000, leave_features=True)
    for stored in (left.features, left.layers["1"]):
        assert isinstance(stored, StoredArray) and stored.shape == FEATURES.shape
        assert np.array_equal(np.asarray(stored), FEATURES)
    found, expected = (measure(h, left.labels) for h in (left.features, FEATURES))
    assert found.metrics == pytest.approx(expected.metrics, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("with_weights", [False, True])
def test_a_file_in_chunks_measures_what_its_arrays_measure(tmp_path, monkeypatch, with_weights):
    monkeypatch.setattr("ncbounds.measure.reading.CHUNK_BYTES", 300)
    labels = RNG.permutation(np.arange(103) % 3) + (0 if with_weights else 7)
    weights, bias = (RNG.normal(size=(3, 5)), np.arange(3.0)) if with_weights else (None, None)
    write_features(tmp_path / "a.npz", FEATURES, labels, weights, bias, extra={"temperature": 0.5})
    found = measure_file(tmp_path / "a.npz")
    expected = measure(FEATURES, labels, weights, bias, temperature=0.5)
    assert found.metrics == pytest.approx(expected.metrics, rel=1e-9, abs=1e-12)
    assert found.undefined == expected.undefined


def test_the_row_of_a_hole_is_that_of_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr("ncbounds.measure.reading.CHUNK_BYTES", 300)
    spoilt = FEATURES.copy()
    spoilt[77, 3] = np.nan
    np.savez(tmp_path / "a.npz", features=spoilt, labels=np.arange(103) % 2)
    with pytest.raises(InputError, match="row 77"):
        measure_file(tmp_path / "a.npz")


def test_a_flipped_bit_in_an_archive_is_seen(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, features=FEATURES, labels=np.arange(103) % 2)
    offset = stored_arrays(path)["features"].offset + 100
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)
        file.seek(offset)
        file.write(bytes([byte[0] ^ 1]))
    with pytest.raises(InputError, match=r"sound \.npz.*CRC"):
        measure_file(path)


@pytest.mark.parametrize("shape", [(-2, -3), (3, -2), (2, 2)])
def test_a_header_that_does_not_fit_its_bytes_is_refused(tmp_path, shape):
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".encode()
    member = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(48)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("features.npy", member)
    with pytest.raises(InputError, match=r"sound \.npz"):
        stored_arrays(tmp_path / "a.npz")


#: Reads a file whose features are 1 GiB of holes, and prints how many MiB the peak rose by.
READ = """
import resource, sys
from ncbounds.measure.reading import chunks, stored_arrays
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
stored = stored_arrays(sys.argv[1])["features"]
before = peak()
print(sum(len(block) for block in chunks(stored)), peak() - before)
"""


def test_a_gigabyte_is_read_in_the_memory_of_a_chunk(tmp_path):
    path, rows = tmp_path / "large.safetensors", 2**30 // 2048
    facts = f'"dtype":"F32","shape":[{rows},512],"data_offsets":[0,{2**30}]'
    header = f'{{"features":{{{facts}}}}}'.encode()
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(8 + len(header) + 2**30)
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path)], capture_output=True, text=True, check=True
    )
    read, risen = map(int, done.stdout.split())
    assert read == rows and risen < 64
