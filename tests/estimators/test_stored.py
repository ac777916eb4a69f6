"""Rows in files, in place of X and y."""

import copy

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    ShuffleSplit,
    StratifiedShuffleSplit,
    cross_val_predict,
    cross_val_score,
)

import sknn
from sknn import MLPClassifier, MLPRegressor, streamed
from sknn.data import from_memmap, from_parquet
from sknn.data.mapped import Mapped
from sknn.training.checkpoint import Checkpoint
from tests.parallel.threads import refuse_threads

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore:Early stopping has watched"
)
rng = np.random.default_rng(0)
N = 1200
X = rng.standard_normal((N, 5)).astype(np.float32)
NUMBER = (X[:, 0] - X[:, 1] * X[:, 2]).astype(np.float32)
LABEL = np.where(NUMBER > 0.5, "high", np.where(NUMBER < -0.5, "low", "middle"))
SHARE = (1 / (1 + np.exp(NUMBER))).astype(np.float32)
WEIGHT = rng.random(N).astype(np.float32)
FEW = 14_000
"""Memory for a few windows."""


@pytest.fixture
def store(tmp_path):
    """Return a function that puts samples into a file."""
    names = (tmp_path / f"X{number}.npy" for number in range(9))

    def store(y=None, weight=None, memory=FEW, X=X):
        path = next(names)
        np.save(path, X)
        return from_memmap(np.load(path, mmap_mode="r"), y, weight, memory=memory)

    return store


def make(cls=MLPClassifier, **parameters):
    settings = {"hidden_layer_sizes": (8,), "max_iter": 4, "random_state": 0, "batch_size": 50}
    return cls(**copy.deepcopy(settings | parameters))


def bits_of(model):
    curves = [np.array(model.loss_curve_), np.array(model.validation_scores_ or ())]
    return [*model.coefs_, *model.intercepts_, *curves]


def assert_same_bits(one, other):
    for a, b in zip(bits_of(one), bits_of(other), strict=True):
        np.testing.assert_array_equal(a, b)


# The same as in memory.

CASES = {
    "classes": (MLPClassifier, LABEL, {}),
    "two classes": (MLPClassifier, NUMBER > 0, {}),
    "numbers": (MLPRegressor, NUMBER, {}),
    "two numbers": (MLPRegressor, X[:, :2], {}),
    "several targets": (MLPClassifier, np.column_stack([LABEL, LABEL[::-1]]), {}),
    "labels": (MLPClassifier, (X[:, :3] > 0).astype(int), {}),
    "probabilities": (MLPClassifier, np.column_stack([SHARE, 1 - SHARE]), {}),
    "weights of classes": (MLPClassifier, LABEL, {"class_weight": "balanced"}),
    "quantile": (MLPRegressor, NUMBER, {"loss": "quantile", "quantile": 0.8}),
    "growing batch": (MLPRegressor, NUMBER, {"batch_size": "adaptive"}),
    "range test": (MLPClassifier, LABEL, {"learning_rate_init": "auto"}),
    "from the data": (MLPRegressor, NUMBER, {"initializer": "data", "normalization": "batch"}),
    "uneven batches": (MLPRegressor, NUMBER, {"batch_size": 37}),
    "large batch": (MLPRegressor, NUMBER, {"batch_size": N // 2}),
    "average": (MLPRegressor, NUMBER, {"weight_averaging": "ema", "on_divergence": "recover"}),
}


@pytest.mark.parametrize("is_weighted", [False, True])
@pytest.mark.parametrize(("cls", "y", "parameters"), CASES.values(), ids=CASES)
def test_without_shuffling_it_is_the_model_from_memory(store, cls, y, parameters, is_weighted):
    weight = WEIGHT if is_weighted else None
    data = store(y, weight)
    model = make(cls, shuffle=False, **parameters).fit(data)
    expected = make(cls, shuffle=False, **parameters).fit(X, y, weight)

    for array, other in zip(model.coefs_, expected.coefs_, strict=True):
        np.testing.assert_allclose(array, other, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(model.loss_curve_, expected.loss_curve_, rtol=1e-6)
    assert model.score(data) == pytest.approx(expected.score(X, y, weight), rel=1e-5)
    np.testing.assert_array_equal(model.predict(data), model.predict(X))


def test_what_is_asked_of_a_classifier_is_the_same(store):
    data = store(LABEL)
    model = make().fit(data)

    for ask in (model.predict, model.predict_proba, model.predict_log_proba):
        np.testing.assert_array_equal(ask(data), ask(X))
    np.testing.assert_array_equal(model.predict(data[::-7]), model.predict(X[::-7]))


def test_deviations_are_predicted(store):
    data = store(NUMBER)
    model = make(MLPRegressor, loss="gaussian").fit(data)

    for one, other in zip(
        model.predict(data, return_std=True), model.predict(X, return_std=True), strict=True
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("cls", [MLPClassifier, MLPRegressor])
def test_shuffled_it_learns_as_from_memory(store, cls):
    y = LABEL if cls is MLPClassifier else NUMBER
    model = make(cls, max_iter=30, learning_rate_init=0.01)
    stored, expected = copy.deepcopy(model).fit(store(y)), model.fit(X, y)

    assert stored.score(X, y) == pytest.approx(expected.score(X, y), abs=0.03)
    assert stored.loss_ != expected.loss_


def test_threads_change_nothing(store, monkeypatch):
    data = store(LABEL)
    model = make().fit(data)
    refuse_threads(monkeypatch)

    assert_same_bits(make().fit(data), model)


@pytest.mark.parametrize("cls", [MLPClassifier, MLPRegressor])
def test_sorted_files_train_as_well_as_shuffled_ones(store, cls, monkeypatch):
    y = LABEL if cls is MLPClassifier else NUMBER
    order = np.argsort(NUMBER)
    mixed, in_order = store(y), store(y[order], X=X[order])
    model = make(cls, learning_rate_init=0.03, batch_size=10)
    scores = [
        [
            copy.deepcopy(model).set_params(random_state=seed).fit(data).score(X, y)
            for seed in (0, 1)
        ]
        for data in (mixed, in_order)
    ]
    # Windows of neighbours would not do, though each is mixed.
    monkeypatch.setattr(streamed, "_deal", lambda blocks, n, _: np.array_split(blocks, n))
    sequential = copy.deepcopy(model).fit(in_order).score(X, y)

    assert np.mean(scores[1]) > np.mean(scores[0]) - 0.03
    assert sequential < np.mean(scores[0]) - 0.1


# Validation.


@pytest.mark.parametrize("cls", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize("is_weighted", [False, True])
def test_early_stopping_scores_rows_that_are_not_trained_on(store, cls, is_weighted):
    y, weight = (LABEL if cls is MLPClassifier else NUMBER), WEIGHT if is_weighted else None
    rows, held_out = np.arange(200, N), np.arange(200)
    splitter = [(rows, held_out)]
    model = make(cls, early_stopping=True, validation_fraction=Given(splitter), shuffle=False)
    stored = copy.deepcopy(model).fit(store(y, weight))
    expected = copy.deepcopy(model).fit(X, y, weight)

    np.testing.assert_allclose(stored.validation_scores_, expected.validation_scores_, rtol=1e-5)
    for array, other in zip(stored.coefs_, expected.coefs_, strict=True):
        np.testing.assert_allclose(array, other, rtol=1e-5, atol=1e-7)


class Given:
    """A splitter with splits that are known."""

    def __init__(self, splits):
        self._splits = splits

    def split(self, X, y=None, groups=None):
        return iter(self._splits)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"scoring": "loss"},
        {"refit_full": True},
        {"validation_fraction": StratifiedShuffleSplit(1, random_state=0)},
    ],
)
def test_early_stopping_holds_out_a_part_of_the_rows(store, parameters):
    data = store(LABEL, WEIGHT)
    model = make(
        early_stopping=True, max_iter=10, learning_rate_init=0.02, **copy.deepcopy(parameters)
    ).fit(data)

    assert len(model.validation_scores_) > 5
    assert model.score(data) > 0.8


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("cls", [MLPClassifier, MLPRegressor])
def test_samples_to_validate_on_may_be_rows_in_files(store, method, cls):
    y = LABEL if cls is MLPClassifier else NUMBER
    held_out = store(y[:300], WEIGHT[:300], X=X[:300])
    options = (
        {"classes": np.unique(LABEL)} if (method, cls) == ("partial_fit", MLPClassifier) else {}
    )
    model, expected = make(cls, early_stopping=True), make(cls, early_stopping=True)
    getattr(model, method)(X, y, X_val=held_out, **options)
    getattr(expected, method)(
        X, y, X_val=X[:300], y_val=y[:300], sample_weight_val=WEIGHT[:300], **options
    )

    assert model.validation_scores_ == pytest.approx(expected.validation_scores_, rel=1e-5)


# Going on.


class Killed(Exception):
    """Stands for the end of a process."""


@pytest.mark.parametrize(
    "parameters",
    [{}, {"early_stopping": True}, {"learning_rate_init": "auto", "batch_size": "adaptive"}],
)
def test_a_fit_goes_on_from_its_checkpoint_to_the_same_bits(store, tmp_path, parameters):
    data, other = store(LABEL, WEIGHT), store(LABEL[::-1], WEIGHT)
    path = tmp_path / "fit.sknn"
    expected = make(**parameters).fit(data)
    model = make(checkpoint=path, checkpoint_seconds=0, **parameters)
    written, write = [], Checkpoint.write

    def die(checkpoint):
        write(checkpoint)
        written.append(checkpoint)
        if len(written) == 3:
            raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Checkpoint, "write", die)
        with pytest.raises(Killed):
            copy.deepcopy(model).fit(data)
    with pytest.raises(ValueError, match="other data"):
        copy.deepcopy(model).fit(other)
    with pytest.raises(ValueError, match="other data"):
        copy.deepcopy(model).fit(data[1:])

    assert_same_bits(model.fit(data), expected)


def test_warm_start_goes_on(store):
    data = store(LABEL)
    model = make(warm_start=True).fit(data)
    before = model.score(data)
    for _ in range(5):
        model.fit(data)

    assert model.score(data) > before
    with pytest.raises(ValueError, match="the same classes as in the previous"):
        model.fit(store(np.where(LABEL == "low", "high", LABEL)))


@pytest.mark.parametrize("cls", [MLPClassifier, MLPRegressor])
def test_partial_fit_is_an_epoch(store, cls):
    y = LABEL if cls is MLPClassifier else NUMBER
    data, options = store(y, WEIGHT), {"classes": np.unique(LABEL)} if cls is MLPClassifier else {}
    model, expected = make(cls, shuffle=False), make(cls, shuffle=False)
    for part in (slice(0, 700), slice(700, N)):
        model.partial_fit(data[part], **options)
        expected.partial_fit(X[part], y[part], WEIGHT[part], **options)

    for array, other in zip(model.coefs_, expected.coefs_, strict=True):
        np.testing.assert_allclose(array, other, rtol=1e-5, atol=1e-7)


def test_partial_fit_knows_its_classes(store):
    data = store(LABEL)
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        make().partial_fit(data)
    with pytest.raises(ValueError, match="`y` has classes not in"):
        make().partial_fit(data, classes=["high", "low"])
    few = data[np.flatnonzero(LABEL != "low")]

    assert list(make().partial_fit(few, classes=["high", "low", "middle"]).classes_) == [
        "high",
        "low",
        "middle",
    ]


def test_what_has_been_fitted_in_float32_goes_on_with_float64(store):
    model = make(MLPRegressor).partial_fit(store(NUMBER))
    model.partial_fit(store(NUMBER, X=X.astype(np.float64)))
    assert model.coefs_[0].dtype == np.float32
    large = store(NUMBER, X=np.where(X > 3, 1e300, X.astype(np.float64)))

    with pytest.raises(ValueError, match=r"values up to 1e\+300, too large for float32"):
        model.partial_fit(large)


# scikit-learn's tools.


@pytest.mark.parametrize("n_jobs", [None, pytest.param(2, marks=pytest.mark.long)])
def test_searches_split_the_rows(store, n_jobs):
    data, folds = store(NUMBER), KFold(3, shuffle=True, random_state=0)
    model = make(MLPRegressor, shuffle=False, max_iter=2)
    grid = {"learning_rate_init": [0.001, 0.01]}
    search = GridSearchCV(model, grid, cv=folds, n_jobs=n_jobs).fit(data)
    expected = GridSearchCV(model, grid, cv=folds).fit(X, NUMBER)

    for name in ("split0_test_score", "mean_test_score"):
        np.testing.assert_allclose(search.cv_results_[name], expected.cv_results_[name], rtol=1e-4)
    np.testing.assert_array_equal(search.predict(data), search.predict(X))


def test_predictions_out_of_fold_are_those_of_their_rows(store):
    data, folds = store(NUMBER), KFold(3, shuffle=True, random_state=0)
    model = make(MLPRegressor, shuffle=False)

    np.testing.assert_allclose(
        cross_val_predict(model, data, cv=folds),
        cross_val_predict(model, X, NUMBER, cv=folds),
        rtol=1e-3,
        atol=1e-4,
    )


def test_targets_of_ones_own_are_split_with_the_rows(store):
    bare, splits = store(), ShuffleSplit(2, test_size=0.3, random_state=0)  # in any order
    model = make(max_iter=20, learning_rate_init=0.01)
    scores = cross_val_score(model, bare, LABEL, cv=splits)

    np.testing.assert_allclose(scores, cross_val_score(model, X, LABEL, cv=splits), atol=0.05)


def test_in_lockstep_it_is_the_same(store):
    data, model = store(LABEL), make(max_iter=2)
    expected = cross_val_score(model, data, cv=KFold(3))
    with sknn.lockstep():
        scores = cross_val_score(model, data, cv=KFold(3))

    np.testing.assert_array_equal(scores, expected)


# What is refused.


def test_features_are_checked_by_their_names(tmp_path):
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame(X, columns=list("abcde")).assign(y=LABEL)
    frame.to_parquet(tmp_path / "rows")
    data = from_parquet(tmp_path / "rows", target="y", memory=FEW)
    model = make().fit(data)

    assert list(model.feature_names_in_) == list("abcde")
    np.testing.assert_array_equal(model.predict(data), model.predict(frame[list("abcde")]))
    assert model.score(data) == model.score(frame[list("abcde")], frame["y"])
    for features in (list("edcba"), list("abcd")):
        with pytest.raises(ValueError, match="feature names should match"):
            model.predict(from_parquet(tmp_path / "rows", features))
    with pytest.raises(ValueError, match="feature names should match"):
        model.partial_fit(from_parquet(tmp_path / "rows", list("ab"), "y"))


def test_the_number_of_features_is_checked(store):
    model = make().fit(store(LABEL))

    with pytest.raises(ValueError, match="X has 4 features, but MLPClassifier is expecting 5"):
        model.predict(store(X=X[:, :4].copy()))


def test_it_has_to_be_fitted(store):
    for ask in (make().predict, make().score):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            ask(store(LABEL))


REFUSED = {
    "lbfgs": ({"solver": "lbfgs"}, "solver='lbfgs' works on all samples at once"),
    "scorer": ({"early_stopping": True, "scoring": "f1_macro"}, "scoring='f1_macro' needs the"),
}


@pytest.mark.parametrize(("parameters", "message"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("splitter", [0.1, ShuffleSplit(1)])
def test_what_needs_all_rows_in_memory_is_refused(store, parameters, message, splitter):
    model = make(validation_fraction=splitter, **parameters)

    with pytest.raises(ValueError, match=message):
        model.fit(store(LABEL))
    with pytest.raises(ValueError, match=message):
        model.fit(X, LABEL, X_val=store(LABEL))


def test_batches_that_have_no_room_in_the_memory_are_refused(store):
    with pytest.raises(ValueError, match=r"batch_size=9000 needs 0.024 MB .* memory=0.014 MB"):
        make(batch_size=9000).fit(store(LABEL))
    assert make(batch_size=N).fit(store(LABEL, memory=24_000)).n_iter_ == 4


def test_targets_and_weights_come_from_one_place(store):
    data, bare = store(LABEL, WEIGHT), store()
    model = make().fit(data)

    for call in (make().fit, model.score, model.partial_fit):
        with pytest.raises(ValueError, match="has targets of its own; leave out y"):
            call(data, LABEL)
        with pytest.raises(ValueError, match="has weights of its own; leave out sample_weight"):
            call(data, sample_weight=WEIGHT)
        with pytest.raises(ValueError, match=r"y to be passed, .* Name it in from_parquet\(target"):
            call(bare)
    with pytest.raises(ValueError, match="leave out y"):
        make().fit(data, X_val=data, y_val=LABEL)


@pytest.mark.parametrize("cls", [MLPClassifier, MLPRegressor])
def test_what_is_passed_has_an_entry_for_each_row(store, cls):
    y = LABEL if cls is MLPClassifier else NUMBER
    model = make(cls).fit(store(y))

    for call in (model.fit, model.score):
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            call(store(), y[1:])
    with pytest.raises(ValueError, match=r"inconsistent|expected \(1200,\)"):
        model.fit(store(), y, WEIGHT[1:])
    with pytest.raises(ValueError, match="inconsistent"):
        model.score(store(), y, WEIGHT[1:])


def test_no_rows_are_refused(store):
    data = store(LABEL)
    model = make().fit(data)

    for call in (make().fit, model.predict, model.score):
        with pytest.raises(ValueError, match=r"0 sample\(s\)"):
            call(data[:0])


# Odd sizes.


@pytest.mark.parametrize("n_rows", [1, 2, 7])
def test_a_few_rows_are_enough(store, n_rows):
    data = store(NUMBER[:n_rows], X=X[:n_rows])

    assert make(MLPRegressor, batch_size="auto").fit(data).n_iter_ == 4
    assert make(MLPRegressor, batch_size="auto").fit(data[:1]).predict(data).shape == (n_rows,)


def test_one_class_is_one(store):
    data = store(np.full(N, "same"))

    assert make().fit(data).score(data) == 1


def test_rows_may_be_larger_than_the_memory(store):
    wide = np.random.default_rng(0).standard_normal((30, 4000)).astype(np.float32)
    data = store(wide[:, 0], X=wide, memory=10_000)

    assert make(MLPRegressor, batch_size="auto").fit(data).predict(data).shape == (30,)


@pytest.mark.parametrize("y", [LABEL, sp.csr_matrix((X[:, :2] > 0).astype(int))])
def test_a_score_weighs_what_it_is_told(store, y):
    bare = store()
    model = make().fit(bare, y)
    weight = np.where(np.arange(N) < 5, 1000 * WEIGHT, 0)

    assert model.score(bare, y) == pytest.approx(model.score(X, y))
    assert model.score(bare, y, weight) == pytest.approx(model.score(X, y, weight))
    with pytest.raises(ValueError, match="All of sample_weight is 0"):
        model.score(bare, y, np.zeros(N))


def test_blocks_that_are_scored_count_by_their_weight(store, monkeypatch):
    monkeypatch.setattr("sknn.streamed.BLOCK_BYTES", 500 * 20)  # 500, 500 and 200 rows
    data = store(LABEL, WEIGHT)[::-1]
    model = make().fit(data)

    assert model.score(data) == pytest.approx(model.score(X, LABEL, WEIGHT))


def test_warnings_are_those_of_a_fit(store):
    with pytest.warns(ConvergenceWarning):
        make(max_iter=1).fit(store(LABEL))


def test_rows_are_looked_at_once(store, monkeypatch):
    looks, frames = [], Mapped.frames

    def look(self):
        looks.append(self)
        return frames(self)

    monkeypatch.setattr(Mapped, "frames", look)
    data = store(LABEL)
    make().fit(data)
    make().fit(data[5:])

    assert len(looks) == 1


def test_scorers_have_what_they_need_where_arrays_are_validated_on(store):
    options, data = {"scoring": "f1_macro", "early_stopping": True, "shuffle": False}, store(LABEL)
    model, expected = make(**options), make(**options)
    model.fit(data, X_val=X[:300], y_val=LABEL[:300])
    expected.fit(X, LABEL, X_val=X[:300], y_val=LABEL[:300])
    assert model.validation_scores_ == pytest.approx(expected.validation_scores_)
    with pytest.raises(ValueError, match="scoring='f1_macro' needs the samples"):
        make(scoring="f1_macro").fit(X, LABEL, X_val=data)
