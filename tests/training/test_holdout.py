"""A splitter as validation_fraction: what is held out respects groups and time."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn
from sklearn.base import clone
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    LeaveOneGroupOut,
    LeaveOneOut,
    PredefinedSplit,
    RepeatedKFold,
    ShuffleSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    TimeSeriesSplit,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.fixes import parse_version

import sknn
from sknn import MLPClassifier, MLPRegressor
from sknn.estimators.settings import make_recipe
from sknn.losses import CLASSIFICATION_LOSSES
from sknn.samples import as_samples
from sknn.targets import TargetSettings, learn_classes
from sknn.training import HeldOut, TrainingSet
from sknn.training.holdout import hold_out

N_SUBJECTS, N_ROWS = 30, 8
rng = np.random.default_rng(0)
GROUPS = np.repeat([f"subject {i}" for i in range(N_SUBJECTS)], N_ROWS)
X = np.repeat(rng.standard_normal((N_SUBJECTS, 6)), N_ROWS, axis=0)
X += 0.1 * rng.standard_normal(X.shape)  # some measurements of each subject
Y = np.repeat(rng.permutation(N_SUBJECTS) % 2, N_ROWS)  # which say nothing about another one
LABELS = np.where(Y == 1, "ill", "well")
NUMBERS = np.column_stack([X[:, 0], X[:, 1]])
N = len(X)
STOPPING = {"early_stopping": True, "max_iter": 3, "batch_size": 50, "random_state": 0}

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
pytestmark = quiet

SPLITTERS = {
    "GroupShuffleSplit": GroupShuffleSplit(3, test_size=0.2, random_state=1),
    "GroupKFold": GroupKFold(4),
    "StratifiedGroupKFold": StratifiedGroupKFold(4),
    "LeaveOneGroupOut": LeaveOneGroupOut(),
    "PredefinedSplit": PredefinedSplit(np.where(np.arange(N) < 60, 0, -1)),
    "TimeSeriesSplit": TimeSeriesSplit(4),
    "TimeSeriesSplit with a gap": TimeSeriesSplit(4, gap=20),
    "KFold": KFold(5),
    "StratifiedKFold": StratifiedKFold(3),
}


class Own:
    """A splitter of one's own that yields given splits, and notes what it is asked."""

    def __init__(self, *splits):
        self.splits = splits
        self.seen = []

    def split(self, X, y=None, groups=None):
        self.seen.append((X, y, groups))
        yield from self.splits


def last_split(splitter, groups=GROUPS):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # some splitters do not look at groups
        return list(splitter.split(X, LABELS, groups))[-1]


def assert_same_model(model, expected):
    for array, other in zip(model.coefs_, expected.coefs_, strict=True):
        np.testing.assert_array_equal(array, other)
    assert model.validation_scores_ == expected.validation_scores_


def rows_held_out(groups=None, **parameters):
    """Return the rows that the classifier validates on."""
    seen = []

    def spy(estimator, X, y):
        seen.append(X[:, 0])
        return 0.5

    model = MLPClassifier((2,), scoring=spy, **STOPPING | {"max_iter": 1} | parameters)
    model.fit(np.column_stack([np.arange(N), X]), LABELS, groups=groups)
    return seen[0].astype(int)


@pytest.mark.filterwarnings("ignore:The groups parameter is ignored")
@pytest.mark.parametrize("name", SPLITTERS)
def test_the_last_split_is_held_out_as_if_it_had_been_passed(name):
    train, held_out = last_split(SPLITTERS[name])
    model = MLPClassifier((5,), validation_fraction=SPLITTERS[name], **STOPPING)
    model.fit(X, LABELS, groups=GROUPS)
    expected = MLPClassifier((5,), **STOPPING)
    expected.fit(X[train], LABELS[train], X_val=X[held_out], y_val=LABELS[held_out])

    assert_same_model(model, expected)
    assert model.t_ == model.n_iter_ * len(train)  # rows of a gap are in neither part


def test_the_last_split_of_a_series_trains_on_the_most_rows():
    np.testing.assert_array_equal(
        rows_held_out(validation_fraction=TimeSeriesSplit(5)), np.arange(N)[-40:]
    )


def test_a_regressor_takes_a_splitter():
    train, held_out = last_split(SPLITTERS["GroupShuffleSplit"])
    model = MLPRegressor((5,), validation_fraction=SPLITTERS["GroupShuffleSplit"], **STOPPING)
    expected = MLPRegressor((5,), **STOPPING)
    expected.fit(X[train], NUMBERS[train], X_val=X[held_out], y_val=NUMBERS[held_out])

    assert_same_model(model.fit(X, NUMBERS, groups=GROUPS), expected)


def test_subjects_do_not_leak_into_the_validation_score():
    subjects = np.repeat(np.arange(800), 4)
    rng = np.random.default_rng(0)
    data = rng.standard_normal((800, 20))[subjects] + 0.1 * rng.standard_normal((3200, 20))
    target = rng.permutation(800)[subjects] % 2
    seen = subjects < 400

    def fit(validation_fraction, groups):
        numbers = STOPPING | {"max_iter": 30, "learning_rate_init": 0.01}
        model = MLPClassifier(validation_fraction=validation_fraction, **numbers)
        model.fit(data[seen], target[seen], groups=groups)
        return model.best_validation_score_, model.score(data[~seen], target[~seen])

    leaky, unseen = fit(0.2, None)
    assert leaky == 1.0
    assert unseen < 0.6
    honest, unseen = fit(GroupShuffleSplit(1, test_size=0.3), subjects[seen])
    assert abs(honest - unseen) < 0.1


# What the splitter is given, and what it may return.


@pytest.mark.parametrize(
    ("Estimator", "y"),
    [
        (MLPClassifier, LABELS),
        (MLPClassifier, LABELS.tolist()),
        (MLPClassifier, np.column_stack([Y, 1 - Y, Y])),  # labels
        (MLPClassifier, np.column_stack([Y, 1 - Y]) * 0.8 + 0.1),  # probabilities
        (MLPClassifier, np.column_stack([Y, np.arange(N) % 3])),  # several targets
        (MLPRegressor, NUMBERS),
    ],
)
def test_the_splitter_sees_validated_samples_and_targets_as_given(Estimator, y):
    splitter = Own((np.arange(200), np.arange(200, N)))
    model = Estimator((3,), validation_fraction=splitter, **STOPPING)
    model.fit(pd.DataFrame(X).add_prefix("f"), y, groups=GROUPS)

    [(samples, targets, groups)] = splitter.seen
    np.testing.assert_array_equal(samples, X)
    assert type(samples) is np.ndarray
    assert targets is y
    assert groups is GROUPS


def test_a_stratified_splitter_keeps_the_shares_of_the_labels():
    held_out = rows_held_out(validation_fraction=StratifiedKFold(5))
    assert Y[held_out].mean() == Y.mean()


@pytest.mark.parametrize("form", [list, tuple, pd.Index, lambda rows: np.isin(np.arange(N), rows)])
def test_rows_may_be_sequences_or_masks(form):
    train, held_out = np.arange(100), np.arange(150, N)
    found = rows_held_out(validation_fraction=Own((form(train), form(held_out))))
    np.testing.assert_array_equal(found, held_out)


def test_a_matrix_on_disk_is_not_read_for_the_split(tmp_path):
    X_file = np.memmap(tmp_path / "X.bin", X.dtype, "w+", shape=X.shape)
    X_file[...] = X
    splitter = Own((np.arange(200), np.arange(200, N)))
    model = MLPClassifier((5,), validation_fraction=splitter, **STOPPING).fit(X_file, LABELS)
    expected = MLPClassifier((5,), validation_fraction=splitter, **STOPPING).fit(X, LABELS)

    assert splitter.seen[0][0].shape == (N, 1)
    assert not splitter.seen[0][0].any()
    np.testing.assert_allclose(model.coefs_[0], expected.coefs_[0], rtol=1e-12)


@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_weights_follow_the_rows(class_weight):
    train, held_out = last_split(KFold(3))
    weight = rng.uniform(1, 2, N)
    model = MLPClassifier(
        (5,), class_weight=class_weight, validation_fraction=KFold(3), scoring="loss", **STOPPING
    ).fit(X, LABELS, weight)

    factor = 1.0
    if class_weight:
        total = {label: weight[label == LABELS].sum() for label in ("ill", "well")}
        factor = np.array([weight.sum() / (2 * total[label]) for label in LABELS])
    expected = MLPClassifier((5,), scoring="loss", **STOPPING).fit(
        X[train],
        LABELS[train],
        (factor * weight)[train],
        X_val=X[held_out],
        y_val=LABELS[held_out],
        sample_weight_val=(factor * weight)[held_out],
    )

    np.testing.assert_allclose(model.validation_scores_, expected.validation_scores_, rtol=1e-9)


def test_weights_of_zero_for_a_part_are_refused():
    weight = np.where(np.arange(N) < 160, 1.0, 0.0)
    with pytest.raises(ValueError, match="sample_weight is 0 for all samples of a part"):
        MLPClassifier(validation_fraction=KFold(3), **STOPPING).fit(X, LABELS, weight)


def test_refit_full_trains_on_all_rows():
    splitter = TimeSeriesSplit(4, gap=20)
    model = MLPClassifier((5,), validation_fraction=splitter, refit_full=True, **STOPPING)
    model.fit(X, LABELS)

    assert model.t_ == model.n_iter_ * N


def test_given_samples_win_over_a_splitter():
    splitter = Own()
    model = MLPClassifier((5,), validation_fraction=splitter, **STOPPING)
    model.fit(X, LABELS, X_val=X[:50], y_val=LABELS[:50])

    assert splitter.seen == []
    assert model.t_ == model.n_iter_ * N


def test_without_early_stopping_a_splitter_changes_nothing():
    splitter = Own()
    numbers = STOPPING | {"early_stopping": False}
    model = MLPClassifier((5,), validation_fraction=splitter, **numbers)
    model.fit(X, LABELS, groups=GROUPS)  # as in a search over early_stopping

    assert splitter.seen == []
    expected = MLPClassifier((5,), **numbers).fit(X, LABELS)
    np.testing.assert_array_equal(model.coefs_[0], expected.coefs_[0])


# The random state.


@pytest.mark.parametrize(
    "splitter", [GroupShuffleSplit(2, test_size=0.2), RepeatedKFold(), KFold(3, shuffle=True)]
)
@pytest.mark.filterwarnings("ignore:The groups parameter is ignored")
def test_a_splitter_without_a_seed_draws_from_the_random_state_of_the_estimator(splitter):
    first = rows_held_out(GROUPS, validation_fraction=splitter)
    np.testing.assert_array_equal(first, rows_held_out(GROUPS, validation_fraction=splitter))
    other = rows_held_out(GROUPS, validation_fraction=splitter, random_state=1)
    assert not np.array_equal(first, other)
    assert splitter.random_state is None


def test_a_splitter_with_a_seed_keeps_it():
    splitter = ShuffleSplit(2, random_state=5)
    expected = last_split(splitter)[1]
    for seed in 0, 1:
        found = rows_held_out(validation_fraction=splitter, random_state=seed)
        np.testing.assert_array_equal(found, expected)


# What goes wrong.


@pytest.mark.parametrize("groups", [GROUPS[:-1], "subject", np.zeros((1, N))])
@pytest.mark.parametrize("early_stopping", [True, False])
def test_groups_are_one_for_each_sample(groups, early_stopping):
    model = MLPClassifier(validation_fraction=GroupKFold(3), early_stopping=early_stopping)
    with pytest.raises(ValueError, match=rf"groups has shape .*X has {N} rows") as caught:
        model.fit(X, LABELS, groups=groups)
    assert str(np.shape(groups)) in str(caught.value)


@pytest.mark.parametrize("early_stopping", [True, False])
def test_groups_that_nothing_uses_are_warned_about(early_stopping):
    model = MLPClassifier((2,), **STOPPING | {"early_stopping": early_stopping})
    message = rf"groups has no effect.*early_stopping={early_stopping}.*validation_fraction=0\.1"
    with pytest.warns(UserWarning, match=message):
        model.fit(X, LABELS, groups=GROUPS)


def test_groups_beside_given_samples_are_warned_about():
    model = MLPClassifier((2,), validation_fraction=GroupKFold(3), **STOPPING)
    with pytest.warns(UserWarning, match="groups has no effect.*X_val"):
        model.fit(X, LABELS, X_val=X, y_val=LABELS, groups=GROUPS)


@pytest.mark.parametrize("splitter", [GroupShuffleSplit(), GroupKFold(), LeaveOneGroupOut()])
def test_a_splitter_that_misses_groups_says_how_to_pass_them(splitter):
    message = r"validation_fraction=.*'groups' parameter should not be None.*fit\(X, y, groups="
    with pytest.raises(ValueError, match=message):
        MLPClassifier(validation_fraction=splitter, **STOPPING).fit(X, LABELS)


ROWS = np.arange(N)
UNFIT = {
    "no split": (Own(), "yields no split"),
    "no split at all": (PredefinedSplit(np.full(N, -1)), "yields no split"),
    "nothing to train on": (Own((ROWS[:0], ROWS)), "0 rows to train on"),
    "one row": (LeaveOneOut(), "1 to validate on"),
    "empty lists": (Own(([], [])), "0 rows to train on"),
    "rows that do not exist": (Own((ROWS, [0, N])), "out of bounds"),
    "a mask of another length": (Own((ROWS, np.ones(N - 1, bool))), "boolean|mismatch"),
    "floats": (Own((ROWS, [0.5, 1.5])), "integer"),
    "a number": (Own((ROWS, 3)), "one axis"),
    "no pair": (Own((ROWS,)), "unpack"),
    "too many splits": (GroupKFold(31), "greater than the number of groups"),
}


@pytest.mark.parametrize("case", UNFIT)
def test_splits_that_do_not_serve_are_refused(case):
    splitter, message = UNFIT[case]
    model = MLPClassifier(validation_fraction=splitter, **STOPPING)
    groups = GROUPS if isinstance(splitter, GroupKFold) else None
    with pytest.raises(ValueError, match=f"validation_fraction=.*({message})"):
        model.fit(X, LABELS, groups=groups)


@pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize("value", ["0.1", None, [], TimeSeriesSplit])
def test_what_is_neither_a_part_nor_a_splitter_is_named(Estimator, value):
    message = r"'validation_fraction' parameter .* a float in the range \[0, 1\) or .* split\(X, y,"
    with pytest.raises(ValueError, match=message) as caught:
        Estimator(validation_fraction=value).fit(X, Y)
    assert repr(value) in str(caught.value)


def test_partial_fit_takes_no_groups():
    with pytest.raises(TypeError, match="groups"):
        MLPClassifier().partial_fit(X, LABELS, classes=["ill", "well"], groups=GROUPS)


# As a parameter of the estimator, and in scikit-learn's tools.


def test_a_splitter_is_a_parameter_like_any_other():
    splitter = GroupShuffleSplit(3, random_state=0)
    model = MLPClassifier((5,), validation_fraction=splitter, **STOPPING)

    assert model.get_params()["validation_fraction"] is splitter
    assert "validation_fraction=GroupShuffleSplit(n_splits=3" in repr(model)
    expected = model.fit(X, LABELS, groups=GROUPS)
    for copy in clone(model), pickle.loads(pickle.dumps(model)):
        assert_same_model(copy.fit(X, LABELS, groups=GROUPS), expected)


def test_defaults_hold_out_at_random_as_before():
    held_out = rows_held_out()
    assert len(held_out) == N // 10
    assert len(np.unique(GROUPS[held_out])) > 10


def test_a_search_over_fractions_and_splitters_is_the_same_in_lockstep():
    grid = {"validation_fraction": [0.1, 0.2, TimeSeriesSplit(3), KFold(4), ShuffleSplit(1)]}

    def search():
        return GridSearchCV(MLPClassifier((5,), **STOPPING), grid, cv=3).fit(X, LABELS)

    expected = search()
    with sknn.lockstep():
        found = search()
    scores = found.cv_results_["mean_test_score"]
    np.testing.assert_array_equal(scores, expected.cv_results_["mean_test_score"])
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("in_lockstep", [False, True])
def test_a_search_passes_groups_to_its_folds_and_to_the_network(in_lockstep):
    splitter = GroupShuffleSplit(1, test_size=0.25)
    with sklearn.config_context(enable_metadata_routing=True):
        net = MLPClassifier((5,), validation_fraction=splitter, **STOPPING)
        net.set_fit_request(groups=True, sample_weight=True).set_score_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        pipeline = make_pipeline(scaler, net)
        search = GridSearchCV(pipeline, {"mlpclassifier__alpha": [0.0, 1.0]}, cv=GroupKFold(3))
        # Before version 1.7 a Pipeline's own score does not ask its last step for weights.
        is_old = parse_version(sklearn.__version__) < parse_version("1.7")
        metadata = {"groups": GROUPS, **({} if is_old else {"sample_weight": np.ones(N)})}
        if in_lockstep:
            with sknn.lockstep():
                search.fit(X, LABELS, **metadata)
        else:
            search.fit(X, LABELS, **metadata)

    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    best = search.best_estimator_[-1]
    assert best.t_ == best.n_iter_ * 22 * N_ROWS  # of the 30 subjects 8 are held out


def test_with_metadata_routing_groups_of_the_folds_are_not_the_networks_unless_asked_for():
    with sklearn.config_context(enable_metadata_routing=True):
        net = MLPClassifier((5,), **STOPPING)
        search = GridSearchCV(net, {"alpha": [0.0, 1.0]}, cv=GroupKFold(3))
        search.fit(X, LABELS, groups=GROUPS)  # as before there were groups, no error, no warning

    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_groups_reach_a_pipeline_without_metadata_routing():
    splitter = Own((ROWS[:200], ROWS[200:]))
    net = MLPClassifier((5,), validation_fraction=splitter, **STOPPING)
    make_pipeline(StandardScaler(), net).fit(X, LABELS, mlpclassifier__groups=GROUPS)

    assert splitter.seen[0][2] is GROUPS


def test_a_fraction_may_be_a_number_of_numpy():
    X, y = np.arange(40.0).reshape(20, 2), np.arange(20) % 2
    model = MLPClassifier(
        (3,), early_stopping=True, max_iter=2, validation_fraction=np.float32(0.5)
    )

    assert len(model.fit(X, y).validation_scores_) == 2


# By hand.


def hold(y=None, weight=None, given_weight=None, held_out=None, groups=None, **parameters):
    """Return the rows to train on and the samples to validate on of a classifier."""
    y = Y if y is None else y
    settings = TargetSettings(loss=CLASSIFICATION_LOSSES.resolve("log_loss"))
    targets = learn_classes(y, None, "auto", settings)
    data = TrainingSet(as_samples(X), targets.encode(y), y, given_weight, groups, held_out)
    recipe = make_recipe(MLPClassifier(**{"early_stopping": True} | parameters))
    return hold_out(recipe, targets, data, weight, np.random.RandomState(0), np.dtype(np.float32))


def test_without_early_stopping_nothing_is_held_out():
    assert hold(early_stopping=False) == (None, None)


def test_a_random_part_is_stratified_and_the_rest_is_trained_on():
    y = np.where(np.arange(N) % 4 == 0, "rare", "frequent")
    rows, held_out = hold(y, validation_fraction=0.2)

    assert len(held_out.y) == N // 5
    assert np.mean(held_out.labels == "rare") == 0.25
    np.testing.assert_array_equal(held_out.y[:, 0], held_out.labels == "rare")
    found = [
        np.flatnonzero((X.astype(np.float32) == x).all(axis=1))[0] for x in held_out.samples[:]
    ]
    np.testing.assert_array_equal(np.sort([*rows, *found]), np.arange(N))
    assert held_out.samples.dtype == np.float32


def test_both_weights_follow_the_rows_that_are_held_out():
    given, weight = np.arange(N) + 1.0, np.arange(N) + 0.5
    splitter = Own(([0, 1], [7, 3]))
    rows, held_out = hold(weight=weight, given_weight=given, validation_fraction=splitter)

    np.testing.assert_array_equal(rows, [0, 1])
    np.testing.assert_array_equal(held_out.given_weight, [8, 4])
    np.testing.assert_array_equal(held_out.sample_weight, [7.5, 3.5])
    np.testing.assert_array_equal(held_out.labels, Y[[7, 3]])


@pytest.mark.parametrize("early_stopping", [False, True])
def test_given_samples_are_taken_in_the_dtype_of_the_parameters(early_stopping):
    given = HeldOut(samples=as_samples(X[:5]), y=Y[:5, np.newaxis] == 1, labels=Y[:5])
    rows, held_out = hold(held_out=given, early_stopping=early_stopping)

    assert rows is None
    assert held_out.samples.dtype == np.float32
    assert given.samples.dtype == np.float64
    assert held_out.y is given.y


def test_sparse_labels_stay_sparse_for_scorers():
    y = sp.csc_matrix(np.column_stack([Y, 1 - Y]))
    _, held_out = hold(y, validation_fraction=Own(([0, 1], [7, 3])))

    np.testing.assert_array_equal(held_out.labels.toarray(), y.toarray()[[7, 3]])
