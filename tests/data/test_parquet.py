import datetime
import gc
import os
import pickle
import subprocess
import sys
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sknn import MLPClassifier, MLPRegressor
from sknn.data import from_parquet
from sknn.data import parquet as module

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
rng = np.random.default_rng(0)
N = 300
TABLE = pd.DataFrame(
    {
        "a": rng.standard_normal(N),
        "label": np.where(rng.standard_normal(N) > 0, "yes", "no"),
        "b": rng.standard_normal(N).astype(np.float32),
        "weight": rng.random(N),
        "color": np.array(["red", "green", "blue"])[np.arange(N) % 3],
    }
)


def write(folder, **columns):
    """Write the table, with other columns, and return its path."""
    path = folder / "table.parquet"
    TABLE.assign(**columns).to_parquet(path)
    return path


def write_parts(folder, *frames):
    for number, frame in enumerate(frames):
        frame.to_parquet(folder / f"part-{number}.parquet")
    return folder


def from_table(path, features=("a", "b"), target="label", **options):
    return from_parquet(path, list(features), target, **options)


def content(data):
    return np.concatenate([block for _, block in data.arrays()])


def fit(data, cls=MLPClassifier):
    return cls((3,), max_iter=2, random_state=0).fit(data)


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(module, "BLOCK_ROWS", 64)


# What the rows are.


def test_columns_become_features_targets_and_weights(tmp_path, small_blocks):
    path = write(tmp_path)
    data = from_parquet(path, ["b", "a"], "label", sample_weight="weight")

    assert repr(data) == "StoredRows(table.parquet, 300 rows of 2 features)"
    assert data.feature_names == ["b", "a"]
    np.testing.assert_array_equal(content(data), TABLE[["b", "a"]].astype(np.float32))
    np.testing.assert_array_equal(data.y, TABLE["label"])
    np.testing.assert_array_equal(data.sample_weight, TABLE["weight"].astype(np.float32))
    assert content(from_table(path, dtype="float64")).dtype == np.float64


def test_all_columns_are_features_but_targets_weights_and_the_index(tmp_path):
    TABLE.drop(columns="color").sample(frac=0.5, random_state=0).to_parquet(tmp_path / "1")
    TABLE.drop(columns="color").set_index("weight").to_parquet(tmp_path / "2")
    unnamed = from_parquet(tmp_path / "1", target="label", sample_weight="weight")

    assert unnamed.feature_names == ["a", "b"]
    assert from_parquet(tmp_path / "2", target="label").feature_names == ["a", "b"]
    assert from_parquet(tmp_path / "2", ["a", "weight"]).feature_names == ["a", "weight"]


def test_blocks_are_frames_as_in_the_file(tmp_path, small_blocks):
    data = from_table(write(tmp_path), ["a", "color"])[::-3]
    frames, labels = zip(*data.blocks(), strict=True)
    expected = TABLE.iloc[2::3]

    assert len(frames) > 3
    assert [len(frame) for frame in frames] == [len(y) for y in labels]
    assert pd.concat(frames)["color"].tolist() == expected["color"].tolist()
    np.testing.assert_array_equal(pd.concat(frames)["a"], expected["a"])
    np.testing.assert_array_equal(np.concatenate(labels), expected["label"])


FEATURES = {
    "float16": np.arange(N).astype(np.float16),
    "uint8": np.arange(N).astype(np.uint8),
    "uint64": np.full(N, 2**64 - 1, np.uint64),
    "int64": np.full(N, 2**53 + 1),
    "bool": np.arange(N) % 2 == 0,
    "nullable ints": pd.array(np.arange(N), "Int16"),
    "nullable bools": pd.array(np.arange(N) % 2 == 0, "boolean"),
    "decimals": [Decimal("1.5")] * N,
    "categories that are numbers": pd.Categorical(np.arange(N) % 3),
}


@pytest.mark.parametrize("values", FEATURES.values(), ids=FEATURES)
def test_numbers_of_all_types_are_features(tmp_path, values):
    found = content(from_table(write(tmp_path, a=values)))

    np.testing.assert_array_equal(found[:, 0], np.asarray(values).astype(np.float32))


NO_FEATURES = {
    "texts": ("red", "Column 'a' of table.parquet is .*string, not numbers. Leave it out with"),
    "categories": (pd.Categorical(TABLE["color"]), "string, not numbers"),
    "dates": (pd.Timestamp("2024-01-01"), r"timestamp\[.*\], not numbers"),
    "lists": ([[1.0]] * N, "list<.*, not numbers"),
    "gaps": (np.where(TABLE.index == 207, np.nan, 1), "NaN, .*: in row 207, column 'a', of"),
    "gaps in ints": (pd.array([*range(N - 1), None], "Int64"), "in row 299, column 'a'"),
    "gaps in bools": (pd.array([None] + [True] * (N - 1), "boolean"), "in row 0, column 'a'"),
    "nothing but gaps": (None, "in row 0, column 'a'"),
    "infinity": (np.inf, "in row 0, column 'a'"),
    "too large": (1e300, "a value too large for float32: in row 0, column 'a'"),
}


@pytest.mark.parametrize(("values", "message"), NO_FEATURES.values(), ids=NO_FEATURES)
def test_what_is_no_feature_is_named(tmp_path, small_blocks, values, message):
    data = from_table(write(tmp_path, a=values))

    with pytest.raises(ValueError, match=message):
        fit(data)
    assert next(data.blocks())[0].shape == (64, 2)  # as it is it can be read


TARGETS = {
    "texts": (TABLE["color"], object),
    "bools": (np.arange(N) % 2 == 0, bool),
    "ints": (np.arange(N) % 3, np.int64),
    "large ints": (2**53 + np.arange(N) % 3, np.int64),
    "whole numbers": (20240100.0 + np.arange(N) % 3, np.float64),
    "categories": (pd.Categorical(TABLE["color"]), object),
    "decimals": ([Decimal(n % 3) for n in range(N)], np.float32),
    "nullable": (pd.array(np.arange(N) % 3, "Int8"), np.int8),
}


@pytest.mark.parametrize(("values", "dtype"), TARGETS.values(), ids=TARGETS)
def test_labels_are_those_of_the_file(tmp_path, small_blocks, values, dtype):
    data = from_table(write(tmp_path, label=values))
    model = fit(data)

    assert data.y.dtype == dtype
    np.testing.assert_array_equal(data.y, np.asarray(values).astype(dtype))
    np.testing.assert_array_equal(model.classes_, np.unique(np.asarray(values).astype(dtype)))
    assert set(model.predict(data)) <= set(model.classes_)


def test_several_columns_are_several_targets(tmp_path):
    path = write(tmp_path, c=TABLE["a"] > 0, d=TABLE["b"] > 0)
    numbers = from_parquet(path, ["color", "label"], ["a", "b"])
    labels = from_table(path, target=["c", "d"])

    np.testing.assert_allclose(numbers.y, TABLE[["a", "b"]], rtol=1e-6)
    assert fit(labels).predict(labels).shape == (N, 2)
    assert (
        fit(from_table(path, target=["a", "weight"], features=["b"]), MLPRegressor).n_outputs_ == 2
    )


NO_TARGETS = {
    "gaps": (["a", None] * (N // 2), "Column 'label' of table.parquet has gaps, .* or more"),
    "NaN": (np.full(N, np.nan), "Column 'label' of table.parquet has gaps"),
    "dates": (pd.Timestamp("2024-01-01"), "Column 'label' of table.parquet is datetime64"),
    "days": (datetime.date(2024, 1, 1), "Column 'label' of table.parquet is datetime64"),
    "lists": ([[1]] * N, "Column 'label' of table.parquet holds ndarray"),
}


@pytest.mark.parametrize(("values", "message"), NO_TARGETS.values(), ids=NO_TARGETS)
@pytest.mark.parametrize("cls", [MLPClassifier, MLPRegressor])
def test_what_is_no_target_is_named(tmp_path, values, message, cls):
    with pytest.raises(ValueError, match=message):
        fit(from_table(write(tmp_path, label=values)), cls)


def test_nan_that_is_no_gap_to_arrow_is_one_to_us(tmp_path):
    values = pa.array([1.0, np.nan], from_pandas=False)
    pq.write_table(pa.table({"a": [1.0, 2.0], "label": values}), tmp_path / "table")

    assert values.null_count == 0
    with pytest.raises(ValueError, match="Column 'label' of table has gaps, 1 or more"):
        fit(from_table(tmp_path / "table", ["a"]), MLPRegressor)


BAD_WEIGHTS = {
    "texts": ("heavy", "Column 'weight' of table.parquet has texts; weights must be numbers"),
    "gaps": (np.where(TABLE.index == 3, np.nan, 1), "Column 'weight' .* has gaps, 1 or more"),
    "negative": (np.where(TABLE.index == 3, -1, 1), "Negative values .*-1.* at row 3"),
    "zero": (0, "all are 0"),
}


@pytest.mark.parametrize(("values", "message"), BAD_WEIGHTS.values(), ids=BAD_WEIGHTS)
def test_bad_weights_are_named(tmp_path, values, message):
    with pytest.raises(ValueError, match=message):
        fit(from_table(write(tmp_path, weight=values), sample_weight="weight"))


# Folders.


def test_files_of_a_folder_are_one_after_the_other(tmp_path, small_blocks):
    parts = [TABLE[:0], TABLE[:1], TABLE[1:200][TABLE.columns[::-1]], TABLE[:0], TABLE[200:]]
    write_parts(tmp_path, *parts)
    (tmp_path / "_SUCCESS").touch()
    (tmp_path / ".part-0.parquet.crc").write_bytes(b"crc")
    data = from_table(str(tmp_path) + os.sep)

    np.testing.assert_array_equal(content(data), TABLE[["a", "b"]].astype(np.float32))
    np.testing.assert_array_equal(data.y, TABLE["label"])
    assert 0 < fit(data).score(data) <= 1


def test_types_may_differ_from_file_to_file(tmp_path):
    first = TABLE.assign(a=1, label=2, weight=True)
    rest = TABLE.assign(label=0.5, weight=3)
    data = from_table(write_parts(tmp_path, first, rest), sample_weight="weight")

    np.testing.assert_array_equal(
        content(data)[[0, N]], [[1, TABLE["b"][0]], TABLE.loc[0, ["a", "b"]].astype(np.float32)]
    )
    np.testing.assert_array_equal(data.y[[0, N]], [2, 0.5])
    np.testing.assert_array_equal(data.sample_weight[[0, N]], [1, 3])


def test_a_class_may_occur_in_the_last_file_only(tmp_path):
    data = from_table(write_parts(tmp_path, TABLE, TABLE[:1].assign(label="perhaps")))

    assert list(fit(data).classes_) == ["no", "perhaps", "yes"]


def test_files_that_do_not_fit_are_named(tmp_path):
    folders = [tmp_path / name for name in "abc"]
    for folder in folders:
        folder.mkdir()
    write_parts(folders[0], TABLE, TABLE.drop(columns="a"))
    write_parts(folders[1], TABLE, TABLE.assign(label=1))
    write_parts(folders[2], TABLE)
    (folders[2] / "README.txt").write_text("hello")

    with pytest.raises(ValueError, match=r"part-1.parquet' has no column 'a'"):
        fit(from_table(folders[0]))
    with pytest.raises(
        ValueError, match=r"'label' of b has texts|'label' of b has numbers in some"
    ):
        fit(from_table(folders[1]))
    with pytest.raises(ValueError, match=r"cannot be read as Parquet: .*README.*begin with '_'"):
        from_table(folders[2])


def test_names_of_folders_are_columns(tmp_path, small_blocks):
    years = 2020 + np.arange(N) % 3
    kinds = np.array(["x y", "z/w"])[np.arange(N) % 2]
    TABLE.assign(year=years, kind=kinds).to_parquet(tmp_path, partition_cols=["year", "kind"])
    data = from_table(tmp_path, ["year", "a"], "kind")
    alone = from_parquet(tmp_path, ["year"], "kind")  # nothing of the files themselves

    assert sorted(data.labels()) == ["x y", "z/w"]
    rows = sorted(zip(content(data)[:, 1], content(data)[:, 0], data.y, strict=True))
    expected = sorted(zip(TABLE["a"].astype(np.float32), years, kinds, strict=True))
    assert rows == expected
    np.testing.assert_array_equal(content(alone), content(data)[:, :1])
    assert next(data.blocks())[0]["year"].dtype.kind == "i"
    assert 0 < fit(alone).score(alone) <= 1


def test_a_folder_without_a_name_has_a_gap(tmp_path):
    TABLE.assign(year=[2020, None] * (N // 2)).to_parquet(tmp_path, partition_cols=["year"])

    with pytest.raises(ValueError, match="column 'year'"):
        fit(from_table(tmp_path, ["a", "year"]))


def test_paths_may_be_relative_links_or_of_the_home(tmp_path, monkeypatch):
    folder = tmp_path / "rows"
    folder.mkdir()
    write_parts(folder, TABLE)
    os.symlink(folder, tmp_path / "link")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(folder)

    assert "rows, 300 rows" in repr(from_table("."))
    assert [from_table(path).shape[0] for path in (tmp_path / "link", "~/rows", "../rows")] == [
        N
    ] * 3


@pytest.mark.parametrize("path", ["s3://bucket/rows", "file:///rows", "/rows/*.parquet", "nowhere"])
def test_paths_that_lead_nowhere_are_named(path):
    with pytest.raises(FileNotFoundError, match=r"There is no file or folder .*this machine"):
        from_parquet(path)


def test_what_holds_no_rows_is_named(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    TABLE[:0].to_parquet(tmp_path / "empty")

    with pytest.raises(ValueError, match=r"There are no files in '.*folder'"):
        from_parquet(tmp_path / "folder")
    with pytest.raises(ValueError, match=r"table.csv' cannot be read as Parquet"):
        from_parquet(tmp_path / "table.csv")
    with pytest.raises(ValueError, match="empty has no rows"):
        from_parquet(tmp_path / "empty")


def test_files_that_were_written_anew_are_named(tmp_path):
    data, path = from_table(write(tmp_path)), tmp_path / "table.parquet"
    TABLE[::-1].reset_index(drop=True).to_parquet(path)
    os.utime(path, (1, 1))

    changed = r"table.parquet' has been written to since table.parquet was opened"
    with pytest.raises(ValueError, match=changed):
        fit(data)


def test_files_that_are_written_anew_after_a_fit_are_named(tmp_path):
    data, path = from_table(write(tmp_path)), tmp_path / "table.parquet"
    fit(data)
    os.utime(path, (1, 1))

    with pytest.raises(ValueError, match="has been written to since"):
        fit(data)


def test_a_relative_path_stays_where_it_was(tmp_path, monkeypatch):
    write(tmp_path)
    monkeypatch.chdir(tmp_path)
    data = from_table("table.parquet")
    monkeypatch.chdir("/")

    fit(data)


def test_what_is_no_parquet_beside_it_is_named(tmp_path):
    write(tmp_path)
    (tmp_path / "z.txt").write_text("notes")

    with pytest.raises(ValueError, match=r"cannot be read as Parquet.*begin with"):
        from_table(tmp_path)


# Parameters.

BAD = {
    "path": ({"path": None}, r"path=None must be a file, or a folder"),
    "list of paths": ({"path": ["x"]}, r"path=\['x'\] must be a file, or a folder"),
    "missing feature": ({"features": ["a", "B"]}, r"no column 'B'. Did you mean 'b'\? It has 'a'"),
    "missing target": ({"target": "labels"}, r"no column 'labels'. Did you mean 'label'\?"),
    "missing weight": ({"sample_weight": "w"}, "no column 'w'"),
    "a text": ({"features": "a"}, r"features='a' must be a sequence of names; write \['a'\]"),
    "no features": ({"features": []}, "has no column that is a feature"),
    "feature twice": ({"features": ["a", "a"]}, "Column 'a' is named twice"),
    "target twice": ({"target": ["label", "label"]}, "Column 'label' is named twice"),
    "target as feature": ({"features": ["a", "label"]}, "Column 'label' is named twice"),
    "target as weight": ({"sample_weight": "label"}, "Column 'label' is named twice"),
    "float16": ({"dtype": "float16"}, "dtype='float16' must be 'float32' or 'float64'"),
    "no dtype": ({"dtype": "half"}, "dtype='half' must be 'float32' or 'float64'"),
    "memory": ({"memory": "little"}, "memory='little' must be a number of bytes"),
    "folder": ({"folder": "/nowhere"}, "folder='/nowhere' must be a folder that exists"),
    "transform by name": ({"transform": "scale"}, "transform='scale' must be a function, or a"),
    "class": ({"transform": StandardScaler}, "transform=<class .* must be a function, or a fitted"),
    "number": ({"transform": 3}, "transform=3 must be a function, or a fitted"),
}


@pytest.mark.parametrize(("options", "message"), BAD.values(), ids=BAD)
def test_bad_parameters_are_named_at_once(tmp_path, options, message):
    settings = {"path": write(tmp_path), "features": ["a", "b"], "target": "label"}
    with pytest.raises(ValueError, match=message):
        from_parquet(**(settings | options))


def test_names_may_come_in_any_container(tmp_path):
    path = write(tmp_path)
    for names in (("b", "a"), pd.Index(["b", "a"]), np.array(["b", "a"]), iter(["b", "a"])):
        assert from_parquet(path, names).feature_names == ["b", "a"]


# Transformations.

TRANSFORMS = {
    "scaler": lambda: StandardScaler().fit(TABLE[["a", "b"]]),
    "sparse": lambda: make_column_transformer(
        (OneHotEncoder(), ["color"]), sparse_threshold=1.0
    ).fit(TABLE[["color"]]),
    "mixed": lambda: make_column_transformer(
        (StandardScaler(), ["a", "b"]), (OneHotEncoder(), ["color"])
    ).fit(TABLE[["a", "b", "color"]]),
    "frames": lambda: StandardScaler().set_output(transform="pandas").fit(TABLE[["a", "b"]]),
    "function": lambda: lambda frame: frame.select_dtypes("number") * 2,
}


@pytest.mark.parametrize("make", TRANSFORMS.values(), ids=TRANSFORMS)
def test_a_transformer_makes_the_features(tmp_path, small_blocks, make):
    transform = make()
    names = list(getattr(transform, "feature_names_in_", ["a", "b", "color"]))
    data = from_table(write(tmp_path), names, transform=transform)
    made = getattr(transform, "transform", transform)(TABLE[names])
    made = made.toarray() if hasattr(made, "toarray") else made
    model = fit(data)

    assert data.feature_names is None
    assert not hasattr(model, "feature_names_in_")
    assert data.shape == (N, made.shape[1])
    np.testing.assert_allclose(content(data), made, rtol=1e-4, atol=1e-6)
    assert model.score(data) == pytest.approx(
        model.score(np.asarray(made), TABLE["label"]), abs=0.01
    )


def test_gaps_may_be_filled(tmp_path):
    frame = TABLE.assign(a=np.where(TABLE.index % 5 == 0, np.nan, TABLE["a"]))
    imputer = SimpleImputer().fit(frame[["a", "b"]])
    data = from_table(write(tmp_path, a=frame["a"]), transform=imputer)

    assert np.isfinite(content(data)).all()
    assert 0 < fit(data).score(data) <= 1


class Growing:
    """Returns a column more each time."""

    n = 1

    def transform(self, frame):
        self.n += 1
        return np.zeros((len(frame), self.n))


BAD_TRANSFORMS = {
    "one axis": (lambda frame: frame["a"], r"must return a matrix .* the 64 .* of shape \(64,\)"),
    "fewer rows": (lambda frame: frame[:9], r"of shape \(9, 2\)"),
    "nothing": (lambda frame: None, r"of shape \(\)"),
    "texts": (lambda frame: frame.astype(str) + "!", "must return numbers: could not convert"),
    "gaps": (lambda frame: frame * np.nan, "NaN, .* in row 0, column number 0, of"),
    "other columns": (Growing(), "must return as many columns for all rows; it returned [34] and"),
}


@pytest.mark.parametrize(("transform", "message"), BAD_TRANSFORMS.values(), ids=BAD_TRANSFORMS)
def test_what_is_no_transformation_is_named(tmp_path, small_blocks, transform, message):
    with pytest.raises(ValueError, match=message):
        fit(from_table(write(tmp_path), transform=transform))


# The temporary file.


def files_in(folder):
    return list(folder.glob("sknn-*"))


def test_the_file_of_numbers_is_made_once_and_removed_with_the_rows(tmp_path):
    data = from_table(write(tmp_path), folder=tmp_path)
    assert files_in(tmp_path) == []
    fit(data)
    [path] = files_in(tmp_path)
    assert path.stat().st_size == N * 2 * 4
    fit(data[::2])
    copy = pickle.loads(pickle.dumps(data))
    fit(copy)
    assert files_in(tmp_path) == [path]
    del copy
    gc.collect()
    assert files_in(tmp_path) == [path]
    del data
    gc.collect()

    assert files_in(tmp_path) == []


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_nothing_is_left_of_a_file_that_is_not_finished(tmp_path, small_blocks, error):
    calls = []

    def transform(frame):
        calls.append(len(frame))
        if len(calls) == 4:
            raise error
        return frame

    data = from_table(write(tmp_path), transform=transform, folder=tmp_path)
    with pytest.raises(error):
        fit(data)
    assert files_in(tmp_path) == []
    assert 0 < fit(data).score(data) <= 1  # and one can begin anew


def test_a_file_is_not_kept_by_what_was_fitted(tmp_path):
    data = from_table(write(tmp_path), folder=tmp_path)
    model = fit(data)
    del data
    gc.collect()

    assert files_in(tmp_path) == []
    assert pickle.loads(pickle.dumps(model)).n_iter_ == 2


def test_rows_that_are_no_numbers_can_be_sent_to_other_processes(tmp_path):
    data = pickle.loads(pickle.dumps(from_table(write(tmp_path), ["a", "color"])))

    assert next(data.blocks())[0]["color"].tolist() == TABLE["color"].tolist()
    with pytest.raises(ValueError, match=r"Column 'color' of table.parquet is"):
        fit(data)


def test_the_same_rows_in_another_process_are_known_again(tmp_path):
    # Whatever the transformer says of itself: a function tells where it lies in memory.
    path = write(tmp_path)
    one, other, third = (
        from_table(path, transform=transform).samples().described()["rows"]
        for transform in (lambda f: f * 2, lambda f: f + f, lambda f: f * 3)
    )

    assert one == other != third


def test_progress_is_told(tmp_path, small_blocks, monkeypatch, capsys):
    monkeypatch.setattr(module, "TELL_EVERY", 100)
    content(from_table(write(tmp_path), verbose=True))
    told = capsys.readouterr().out.splitlines()

    assert told == [f"table.parquet: {n} of 300 rows have been read." for n in (128, 256, 300)]
    content(from_table(write(tmp_path)))
    assert capsys.readouterr().out == ""


def test_rows_of_many_columns_are_decoded_fewer_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "BLOCK_NUMBERS", 40)
    data = from_table(write(tmp_path))

    assert {len(X) for _, X in data.arrays()} == {20}


# pyarrow itself.

IMPORTS = """
import builtins, sys, traceback
original = builtins.__import__

def note(name, *arguments):
    if name.split(".")[0] == "pyarrow":
        frames = reversed(traceback.extract_stack()[:-1])
        print(next(frame.filename for frame in frames if "importlib" not in frame.filename))
    return original(name, *arguments)

builtins.__import__ = note
import sknn.data
builtins.__import__ = original
sys.modules["pyarrow"] = sys.modules["pyarrow.dataset"] = None
try:
    sknn.data.from_parquet("x")
except ImportError as error:
    print(error)
"""


@pytest.mark.long
def test_pyarrow_is_imported_when_it_is_wanted_and_may_be_missing():
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS], capture_output=True, text=True, check=True
    )
    *importing, message = done.stdout.splitlines()

    assert [path for path in importing if f"{os.sep}sknn{os.sep}" in path] == []
    assert message == "from_parquet needs pyarrow; install it with pip install 'sknn[parquet]'."
