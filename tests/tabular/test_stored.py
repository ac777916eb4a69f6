import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import (
    GroupKFold,
    PredefinedSplit,
    RepeatedKFold,
    ShuffleSplit,
    cross_val_score,
)

import sknn
from sknn.data import from_memmap, from_parquet
from sknn.tabular import TableEncoder, TabularMLPClassifier, TabularMLPRegressor
from sknn.tabular.encoding import CROSS_FITTING
from sknn.tabular.files import LEAST_ROWS, read_sample
from sknn.tabular.stored import (
    BLOCK_ROWS,
    EncodedSamples,
    StoredTable,
    discard,
    draw_by_number,
    learn_means,
)
from sknn.tabular.table import Columns, Table
from tests.tabular.fits import Machine
from tests.tabular.tables import (
    FEATURES,
    LARGE,
    N_ROWS,
    SIZE,
    fit_in_memory,
    fit_large,
    folder,
    learn,
    left_over,
    make,
    read,
    rows,
)

pytest.importorskip("pyarrow")
both = pytest.mark.parametrize("target", ["label", "value"])


# Tables that fit.


@both
def test_a_table_that_fits_is_as_a_data_frame(target):
    model = learn(make(target), rows(target, memory=SIZE))
    expected = fit_in_memory(target)

    np.testing.assert_array_equal(model.oof_prediction_, expected.oof_prediction_)
    np.testing.assert_array_equal(
        model.predict(rows(target)[:500]), expected.predict(read()[FEATURES][:500])
    )
    assert model.feature_names_in_.tolist() == FEATURES
    assert model.score(rows(target)) == expected.score(read()[FEATURES], read()[target])


# Larger ones.


def test_classes_are_learnt_as_well_from_files():
    model, expected = fit_large(), fit_in_memory()
    table = read()

    assert model.classes_.tolist() == ["late", "no", "yes"]  # the first is in the last file only
    assert model.oof_score_ > expected.oof_score_ - 0.02 > 0.7
    assert model.score(rows()) > expected.score(table[FEATURES], table.label) - 0.02
    assert model.oof_prediction_.shape == (N_ROWS, 3)
    assert np.mean(model.classes_[model.oof_prediction_.argmax(axis=1)] == table.label) == (
        model.oof_score_
    )


def test_numbers_are_learnt_as_well_from_files():
    model, expected = fit_large("value"), fit_in_memory("value")

    assert model.oof_score_ > expected.oof_score_ - 0.03 > 0.6
    assert model.oof_prediction_.shape == (N_ROWS,)
    ends = model.predict_interval(rows("value")[::8], confidence=0.9)
    y = read().value[::8]
    assert np.mean((ends[:, 0] <= y) & (y <= ends[:, 1])) == pytest.approx(0.9, abs=0.03)


@both
def test_answers_block_by_block_are_those_of_the_whole_table(target):
    model, data, table = fit_large(target), rows(target)[2500:3500], read()[FEATURES][2500:3500]

    names = ["predict_set", "predict_proba", "predict_log_proba"]
    for name in ["predict_interval"] if target == "value" else names:
        found, expected = (getattr(model, name)(X) for X in (data, table))
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    if target == "label":
        np.testing.assert_array_equal(model.predict(data), model.predict(table))
    if target == "value":
        for found, expected in zip(
            model.predict(data, return_std=True), model.predict(table, return_std=True), strict=True
        ):
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@both
def test_answers_come_in_the_order_of_the_rows(target):
    model = fit_large(target)
    chosen = np.random.default_rng(0).permutation(N_ROWS)[:300]
    data, table = rows(target)[chosen], read()[FEATURES].iloc[chosen]

    assert model.score(data) == pytest.approx(model.score(table, read()[target].iloc[chosen]))
    if target == "value":
        found, expected = (model.predict_interval(each) for each in (data, table))
    else:
        found, expected = (model.predict_set(each) for each in (data, table))
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_rows_in_another_order_are_learnt_with_their_own_targets():
    chosen = np.random.default_rng(0).permutation(N_ROWS)
    model = learn(make(), rows()[chosen])

    assert model.oof_score_ == pytest.approx(fit_large().oof_score_, abs=0.01)
    said = model.classes_[model.oof_prediction_.argmax(axis=1)]
    assert np.mean(said == read().label.to_numpy()[chosen]) == pytest.approx(model.oof_score_)


@pytest.mark.long
def test_a_fit_can_be_repeated():
    one, other = (learn(make(max_iter=1), rows()[:8500]) for _ in range(2))

    np.testing.assert_array_equal(one.oof_prediction_, other.oof_prediction_)


def test_a_model_is_kept_without_the_rows(tmp_path):
    model = fit_large()
    sknn.save(model, tmp_path / "model.sknn")

    for other in (pickle.loads(pickle.dumps(model)), sknn.load(tmp_path / "model.sknn")):
        np.testing.assert_array_equal(
            other.predict_proba(rows()[:100]), model.predict_proba(rows()[:100])
        )
    assert not len(model.members_[0].members[0].fold.train)
    assert model.trim().predict(rows()[:5]).shape == (5,)


def test_weights_of_a_column_are_learnt_and_scored_with():
    data = rows(sample_weight="weight")
    weighted = learn(make(), data)
    passed = learn(make(), rows(), sample_weight=read().weight)

    np.testing.assert_allclose(weighted.oof_prediction_, passed.oof_prediction_, atol=1e-5)
    assert weighted.score(data) == pytest.approx(
        passed.score(read()[FEATURES], read().label, read().weight)
    )
    assert np.abs(weighted.oof_prediction_ - fit_large().oof_prediction_).max() > 1e-3


@pytest.mark.long
def test_several_targets():
    model = learn(make("value"), rows(["value", "weight"]))

    assert model.oof_prediction_.shape == (N_ROWS, 2)
    assert model.predict(rows()[:7]).shape == (7, 2)


@pytest.mark.long
def test_targets_may_be_passed():
    model = learn(make(), rows(None), read().label)

    np.testing.assert_array_equal(model.oof_prediction_, fit_large().oof_prediction_)


def test_an_array_in_a_file(tmp_path):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((6000, 3))
    X[rng.random(X.shape) < 0.1] = np.nan
    y = np.nan_to_num(X[:, 0]) > 0
    np.save(tmp_path / "X.npy", X)
    data = from_memmap(np.load(tmp_path / "X.npy", mmap_mode="r"), y, memory=100_000)
    model = learn(make(), data)

    assert model.score(data) > 0.9
    np.testing.assert_allclose(model.predict_proba(data), model.predict_proba(X), rtol=1e-5)


# Folds.


@pytest.mark.parametrize(
    ("cv", "share"),
    [
        (ShuffleSplit(2, test_size=0.25, random_state=0), 1 - 0.75**2),
        (RepeatedKFold(n_splits=2, n_repeats=2, random_state=0), 1),
        (GroupKFold(2), 1),
        (PredefinedSplit(np.repeat([-1, 0], [6000, 3000])), 1 / 3),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.long
def test_splitters(cv, share):
    groups = np.arange(N_ROWS) // 10 if isinstance(cv, GroupKFold) else None
    model = learn(make(cv=cv, max_iter=1), rows(), groups=groups)

    is_known = np.isfinite(model.oof_prediction_).all(axis=1)
    assert is_known.mean() == pytest.approx(share, abs=0.02)
    assert 0.5 < model.oof_score_ < 1


@pytest.mark.long
def test_cross_validation():
    scores = cross_val_score(make(max_iter=1), rows(), cv=2)

    assert (scores > 0.5).all()


def test_networks_are_not_judged_by_rows_that_they_have_seen():
    # Labels that nothing tells of: who has seen them knows some.
    y = np.random.default_rng(0).integers(0, 2, N_ROWS)
    table = pd.DataFrame({"id": np.arange(N_ROWS).astype(str), "x": np.zeros(N_ROWS)})
    table.to_parquet(folder().parent / f"{folder().name}-ids.parquet")
    data = from_parquet(folder().parent / f"{folder().name}-ids.parquet", memory=200_000)
    try:
        model = learn(make(max_iter=2), data, y)
    finally:
        (folder().parent / f"{folder().name}-ids.parquet").unlink()

    assert model.oof_score_ == pytest.approx(0.5, abs=0.03)


# What is on disk and in memory.


def test_temporary_files_are_removed(tmp_path):
    learn(make(max_iter=1), rows(folder=tmp_path))
    assert left_over(tmp_path) == []


def test_temporary_files_are_removed_after_an_error(tmp_path, monkeypatch):
    seen = []

    def fail(*args):
        seen.append(len(left_over(tmp_path)))
        raise RuntimeError("on purpose")

    monkeypatch.setattr(EncodedSamples, "stream", fail)
    with pytest.raises(RuntimeError, match="on purpose"):
        learn(make(max_iter=1), rows(folder=tmp_path))
    assert seen == [2]  # the table, and what has become of it
    assert left_over(tmp_path) == []


def test_no_array_has_all_rows(monkeypatch):
    sizes, read_columns, encode = [], Columns.read, TableEncoder._encode

    def note_read(columns, X):
        sizes.append(len(X))
        return read_columns(columns, X)

    def note_encoded(encoder, table):
        sizes.append(len(table))
        return encode(encoder, table)

    monkeypatch.setattr(Columns, "read", note_read)
    monkeypatch.setattr(TableEncoder, "_encode", note_encoded)
    model = learn(make(max_iter=1), rows())
    model.predict(rows())

    assert max(sizes) <= max(LEAST_ROWS, BLOCK_ROWS, 16_384 // 2)


# Other parameters.


def test_checkpoint(tmp_path):
    path = tmp_path / "fit.sknn"
    model = learn(make(checkpoint=path, checkpoint_seconds=0.0), rows())

    again = learn(make(checkpoint=path), rows())

    np.testing.assert_array_equal(model.oof_prediction_, fit_large().oof_prediction_)
    np.testing.assert_array_equal(model.oof_prediction_, again.oof_prediction_)
    with pytest.raises(ValueError, match=r"other data \(X, y"):
        learn(make(checkpoint=path), rows()[:8900])


def test_warm_start_is_refused():
    with pytest.raises(ValueError, match=r"warm_start=True needs .* increase memory="):
        learn(make(warm_start=True), rows())
    learn(make(warm_start=True, max_iter=1), rows(memory=SIZE))


@pytest.mark.long
def test_a_budget_of_operations():
    with pytest.warns(UserWarning, match="max_flops"):
        model = learn(make(max_iter=None, max_flops=5e8), rows())

    assert model.training_report_.flops <= 5e8
    assert model.training_report_.peak_bytes > 0


@pytest.mark.long
def test_a_limit_of_time(monkeypatch):
    machine = Machine(monkeypatch, seconds_per_step=1.0)
    with pytest.warns(UserWarning, match="max_time"):
        model = learn(make(max_iter=20, batch_size=500, max_time=600.0), rows())

    # 2 kinds x 2 folds x 9 steps an epoch; that of a single fold is found from a few steps.
    assert 300 < machine.seconds < 650
    assert 600 / 36 / 2 < np.mean(model.n_iter_) < 20


# Errors.


def test_targets_twice_are_refused():
    with pytest.raises(ValueError, match="has targets of its own; leave out y"):
        learn(make(), rows(), read().label)
    with pytest.raises(ValueError, match="has targets of its own; leave out y"):
        fit_large().score(rows(), read().label)
    with pytest.raises(ValueError, match="has weights of its own"):
        learn(make(), rows(sample_weight="weight"), sample_weight=1.0)


def test_no_targets_are_refused():
    with pytest.raises(ValueError, match=r"has no target. Name it in from_parquet\(target="):
        learn(make(), rows(None))
    for model in (fit_large(), fit_large("value")):
        with pytest.raises(ValueError, match="score requires y"):
            model.score(read()[FEATURES])


def test_a_column_that_is_missing_is_named():
    data = from_parquet(folder(), FEATURES[1:])

    with pytest.raises(ValueError, match=r"lacks 1 of the columns .* 'x0'"):
        fit_large().predict(data)


@pytest.mark.parametrize("kind", [TabularMLPClassifier, TabularMLPRegressor])
def test_an_unfitted_estimator_says_so(kind):
    with pytest.raises(NotFittedError):
        kind().predict(rows())


# A table in a file.


@pytest.fixture(params=[False, True], ids=["in order", "shuffled"])
def stored(request):
    chosen = np.arange(8000)
    if request.param:
        chosen = np.random.default_rng(0).permutation(chosen)
    data = rows(memory=LARGE)[chosen]
    head = read_sample(data)
    columns = Columns(head)
    table = StoredTable(data, columns, columns.read(head))
    yield table, columns.read(read()[FEATURES].iloc[chosen])
    table.discard()


def assert_equal(table, expected):
    for part, other in zip(table, expected, strict=True):
        np.testing.assert_array_equal(part, other)


def test_rows_of_a_table_in_a_file(stored):
    table, expected = stored
    some = np.array([3, 7999, 17, 4500])

    assert len(table) == 8000
    assert_equal(table.of(some), expected.of(some))
    for where, numbers, part in table.blocks():
        assert len(where) == len(numbers) <= BLOCK_ROWS
        assert_equal(part, expected.of(numbers))
    assert table.described()[0] == table.file.digest()


def test_rows_are_encoded_as_they_are_read(stored):
    table, expected = stored
    encoder = TableEncoder()
    encoder.learn(Columns(read_sample(rows())), table.sample, None, None, [], np.random)
    samples = table.encoded(encoder, None)
    some = np.array([3, 7999, 17, 4500])

    np.testing.assert_array_equal(samples[some], encoder.encode(expected.of(some)))
    written = samples.written()
    stream = written.stream(np.arange(5000))
    stream.begin_epoch(0)
    found = np.empty((5000, samples.shape[1]), np.float32)
    numbers = stream.read(found)
    np.testing.assert_array_equal(np.sort(numbers), np.arange(5000))
    np.testing.assert_array_equal(found, encoder.encode(expected.of(numbers)))
    written.discard()
    samples.discard()  # which has no file of its own


def test_rows_that_are_learnt_from_see_means_of_other_folds(stored):
    table, expected = stored
    encoder = TableEncoder()
    encoder.learn(Columns(read_sample(rows())), table.sample, None, None, [], np.random)
    y, weight = np.random.default_rng(0).standard_normal((2, 8000))
    weight, trained, city = np.abs(weight), np.arange(6000), 0
    about = [(city, encoder.about_category(city))]

    [(_, means)], samples = learn_means(
        table.encoded(encoder, None), about, lambda rows: y[rows, np.newaxis], weight, trained, 5
    )

    places = np.arange(8000) if table.places is None else table.places
    folds, codes = draw_by_number(places, 5), expected.codes[:, city]
    seen = samples[np.arange(8000)][:, -1]
    new = np.empty((8000, 1))
    means.encode(codes[:, np.newaxis], new)
    code = np.bincount(codes[codes >= 0]).argmax()
    said = {}
    for fold in [*range(CROSS_FITTING), None]:
        others = trained[folds[trained] != fold]
        same = others[codes[others] == code]
        mean = np.average(y[others], weights=weight[others])
        said[fold] = (weight[same] @ y[same] + 10 * mean) / (weight[same].sum() + 10)
    # What is seen and what new rows become are the same function of the means.
    of_code = np.flatnonzero(codes == code)
    by_fold = [seen[of_code[folds[of_code] == fold]] for fold in range(CROSS_FITTING)]
    assert all(np.ptp(values) == 0 for values in by_fold)
    numbers = [values[0] for values in by_fold]
    line = np.polyfit([said[fold] for fold in range(CROSS_FITTING)], numbers, 1)
    found = [*numbers, new[codes == code][0, 0]]
    np.testing.assert_allclose(np.polyval(line, list(said.values())), found, atol=1e-5)
    np.testing.assert_allclose(seen[trained].mean(), 0, atol=1e-5)
    np.testing.assert_allclose(seen[trained].std(), 1, atol=1e-5)


def test_folds_are_drawn_evenly_from_numbers():
    folds = draw_by_number(np.arange(100_000), 3)
    other = draw_by_number(np.arange(100_000), 4)

    np.testing.assert_allclose(np.bincount(folds) / 100_000, 1 / CROSS_FITTING, atol=0.005)
    assert np.mean(folds == other) == pytest.approx(1 / CROSS_FITTING, abs=0.01)
    assert np.mean(folds[1:] == folds[:-1]) == pytest.approx(1 / CROSS_FITTING, abs=0.01)
    np.testing.assert_array_equal(draw_by_number(np.arange(50, 60), 3), folds[50:60])


def test_a_file_is_removed_once(tmp_path):
    data = rows(folder=tmp_path)
    head = read_sample(data)
    columns = Columns(head)
    table = StoredTable(data, columns, columns.read(head))
    table.discard()  # it has not been written yet
    file = table.file
    assert len(left_over(tmp_path)) == 1

    discard(file)
    table.discard()

    assert left_over(tmp_path) == []
    with pytest.raises(FileNotFoundError):
        table.read(0, 5)
    assert isinstance(table.sample, Table)
