"""Files of features: what is written is read again, and nothing untrusted gets through."""

import pickle
import zipfile

import numpy as np
import pytest

from ncbounds.errors import InputError
from ncbounds.measure import read_features, write_features

FORMATS = [".npz", ".safetensors"]


def arrays(dtype=np.float32):
    rng = np.random.default_rng(0)
    return {
        "features": rng.normal(size=(6, 3)).astype(dtype),
        "labels": np.array([0, 1, 0, 1, 2, 2], np.int32),
        "weights": rng.normal(size=(3, 3)).astype(dtype),
        "bias": np.zeros(3, dtype),
    }


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_what_is_written_is_read_with_its_type(tmp_path, suffix, dtype):
    given = arrays(dtype)
    layers = {"conv1": np.ones((6, 4, 2)), "fc": np.zeros((6, 2), np.float32)}
    extra = {"epoch": 7, "lr": np.array([0.1, 0.01]), "done": np.array(True)}
    write_features(tmp_path / f"run{suffix}", **given, layers=layers, extra=extra)
    found = read_features(tmp_path / f"run{suffix}")
    for name, array in given.items():
        stored = getattr(found, name)
        assert stored.dtype == array.dtype and np.array_equal(stored, array)
    assert found.layers.keys() == layers.keys() and found.extra.keys() == extra.keys()
    assert found.layers["conv1"].shape == (6, 4, 2)
    assert found.extra["epoch"] == 7 and found.extra["epoch"].shape == ()


@pytest.mark.parametrize("suffix", FORMATS)
def test_weights_and_bias_may_be_absent(tmp_path, suffix):
    given = arrays()
    write_features(tmp_path / f"run{suffix}", given["features"], given["labels"])
    found = read_features(tmp_path / f"run{suffix}")
    assert found.weights is None and found.bias is None and found.layers == {}


def test_tensors_are_written_and_bfloat16_is_read(tmp_path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    features = torch.tensor([[1.5, -2.0], [0.25, 3.0e38]], dtype=torch.bfloat16)
    save_file({"features": features, "labels": torch.tensor([0, 1])}, tmp_path / "a.safetensors")
    found = read_features(tmp_path / "a.safetensors")
    assert found.features.dtype == np.float32
    assert np.array_equal(found.features, features.float().numpy())
    write_features(tmp_path / "b.npz", features, torch.tensor([0, 1]))
    assert np.array_equal(read_features(tmp_path / "b.npz").features, found.features)


def refused(path, *words, **options):
    with pytest.raises(InputError) as caught:
        read_features(path, **options)
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("kept", [0, 0.3, 0.6, 0.95])
def test_a_truncated_file_is_refused(tmp_path, suffix, kept):
    path = tmp_path / f"run{suffix}"
    write_features(path, **arrays())
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    refused(path, path.name)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("content", [b"hello", pickle.dumps({"features": [1]}), bytes(10_000)])
def test_a_foreign_file_is_refused(tmp_path, suffix, content):
    path = tmp_path / f"run{suffix}"
    path.write_bytes(content)
    refused(path, path.name)


class Trap:
    """Unpickling this would leave a file behind."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_a_pickle_inside_an_archive_is_refused_and_not_run(tmp_path):
    path, proof = tmp_path / "run.npz", tmp_path / "executed"
    np.savez(path, **arrays() | {"labels": np.array([Trap(proof)] * 6, dtype=object)})
    refused(path, "allow_pickle=False")
    assert not proof.exists()


def test_a_bare_pickle_named_npz_is_refused_and_not_run(tmp_path):
    path, proof = tmp_path / "run.npz", tmp_path / "executed"
    path.write_bytes(pickle.dumps(Trap(proof)))
    refused(path)
    assert not proof.exists()


def test_an_array_that_claims_more_than_the_file_holds_is_refused(tmp_path):
    path = tmp_path / "run.npz"
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1152921504606846976, 8), }"
    member = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("features.npy", member)
    refused(path)


def test_an_archive_that_unpacks_to_too_much_is_refused_before_unpacking(tmp_path):
    path = tmp_path / "run.npz"
    np.savez_compressed(path, features=np.zeros((10_000, 10)), labels=np.zeros(10_000, int))
    refused(path, "max_bytes", max_bytes=100_000)


def test_a_missing_file_a_folder_and_another_suffix_are_refused(tmp_path):
    refused(tmp_path / "none.npz", "existing")
    (tmp_path / "folder.npz").mkdir()
    refused(tmp_path / "folder.npz", "existing")
    refused(tmp_path / "model.pt", "*.npz or *.safetensors")


@pytest.mark.parametrize("missing", ["features", "labels"])
def test_a_missing_array_is_named(tmp_path, missing):
    given = arrays()
    del given[missing]
    np.savez(tmp_path / "run.npz", **given)
    refused(tmp_path / "run.npz", f"missing: {missing}", "found: ")


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("labels", np.zeros(5, np.int64)),
        ("labels", np.zeros(6)),
        ("weights", np.zeros((3, 4))),
        ("bias", np.zeros(2)),
        ("features", np.zeros(6)),
        ("features", np.full((6, 3), "text")),
        ("layer.conv", np.zeros((5, 2))),
        ("surprise", np.zeros((2, 2))),
    ],
)
def test_arrays_that_do_not_fit_are_named(tmp_path, name, array):
    np.savez(tmp_path / "run.npz", **arrays() | {name: array})
    refused(tmp_path / "run.npz", name)


@pytest.mark.parametrize("name", ["features", "layer.a", "file", "allow_pickle", ""])
def test_extra_arrays_cannot_take_a_name_that_means_something(tmp_path, name):
    with pytest.raises(InputError, match="extra"):
        write_features(tmp_path / "run.npz", **arrays(), extra={name: 1})


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_refused_write_leaves_the_old_file_and_nothing_else(tmp_path, suffix):
    path = tmp_path / f"run{suffix}"
    write_features(path, **arrays())
    before = path.read_bytes()
    with pytest.raises(InputError):
        write_features(path, **arrays(), extra={"model": object()})
    if suffix == ".safetensors":
        with pytest.raises(InputError, match="text"):
            write_features(path, **arrays(), extra={"name": "resnet"})
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", ["npz", "safetensors"])
def test_a_file_is_for_all_who_may_read_others_beside_it(tmp_path, suffix):
    plain, file = tmp_path / "plain", tmp_path / f"run.{suffix}"
    plain.write_text("")
    write_features(file, [[1.0], [2.0]], [0, 1])
    assert file.stat().st_mode == plain.stat().st_mode
    assert {path.name for path in tmp_path.iterdir()} == {"plain", file.name}
