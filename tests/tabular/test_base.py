import pickle
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy.special import softmax
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    RepeatedKFold,
    ShuffleSplit,
    TimeSeriesSplit,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_html_repr
from sklearn.utils.estimator_checks import parametrize_with_checks

import sknn
from sknn.parallel.tasks import Task
from sknn.solvers import grouping
from sknn.tabular import TabularMLPClassifier, TabularMLPRegressor
from sknn.tabular.base import check_confidence
from sknn.tabular.presets import PRESETS
from sknn.tabular.training import Training
from tests.parallel.threads import needs_threads
from tests.tabular.fits import (
    GROUPS,
    KIND,
    NEW,
    SCORES,
    SMALL,
    TARGETS,
    Machine,
    X,
    fit,
    interrupt_after,
    make,
    publish,
    say_out_of_fold,
    use_preset,
)

every_target = pytest.mark.parametrize("what", TARGETS)
one_of_each = pytest.mark.parametrize("what", ["number", "multiclass"])
Y = TARGETS["number"]


def as_columns(published):
    """Return published predictions of several outputs as one matrix."""
    if isinstance(published, list):
        return np.hstack(published)
    return published.reshape(len(published), -1)


def assert_same(one, other):
    """Assert that two estimators have the same networks, to the bit, and say the same."""
    for kind, of_other in zip(one.members_, other.members_, strict=True):
        for member, expected in zip(kind.members, of_other.members, strict=True):
            assert list(member.thetas) == list(expected.thetas)
            for moment, theta in member.thetas.items():
                np.testing.assert_array_equal(theta, expected.thetas[moment])
    np.testing.assert_array_equal(
        as_columns(one.oof_prediction_), as_columns(other.oof_prediction_)
    )


# What is published.


@every_target
@pytest.mark.parametrize("preset", ["fast", "best"])
def test_out_of_fold_a_row_is_predicted_by_networks_that_have_not_seen_it(what, preset):
    model = fit(what, preset=preset)
    expected = publish(model, say_out_of_fold(model, X), out_of_fold=True)

    np.testing.assert_allclose(as_columns(model.oof_prediction_), expected, rtol=1e-4, atol=1e-5)
    assert not np.allclose(as_columns(model.oof_prediction_), columns_of_all(model, what))


def columns_of_all(model, what):
    predict = model.predict if what.startswith("number") else model.predict_proba
    return as_columns(predict(X))


@every_target
def test_what_a_row_holds_changes_nothing_of_its_own_prediction_out_of_fold(what):
    """Its target, that is: the splits are those of a splitter, which does not see it."""
    cv = [(np.arange(60), np.arange(60, 90)), (np.arange(30, 90), np.arange(30))]
    y = TARGETS[what].copy()
    one = make(what, cv=cv).fit(X, y)
    y[60:] = y[60:][::-1]
    other = make(what, cv=cv).fit(X, y)
    first, second = (model.members_[0].members[0] for model in (one, other))

    for moment, theta in first.thetas.items():
        np.testing.assert_array_equal(theta, second.thetas[moment])


@every_target
def test_rows_that_are_never_held_out_have_no_prediction_and_no_part_in_the_score(what):
    model = make(what, cv=TimeSeriesSplit(3)).fit(X, TARGETS[what])
    published = as_columns(model.oof_prediction_)
    is_judged = np.arange(90) >= 24  # 90 rows in 4 parts, of which the first has what is left over

    np.testing.assert_array_equal(np.isnan(published).any(axis=1), ~is_judged)
    np.testing.assert_array_equal(np.isnan(published).all(axis=1), ~is_judged)
    expected = publish(model, say_out_of_fold(model, X), out_of_fold=True)[is_judged]
    np.testing.assert_allclose(published[is_judged], expected, rtol=1e-4, atol=1e-5)
    assert np.isfinite(model.oof_score_)
    assert np.isfinite(columns_of_all(model, what)).all()


def test_where_rows_are_held_out_several_times_the_mean_is_published():
    for cv in (
        RepeatedKFold(n_splits=3, n_repeats=2, random_state=0),
        ShuffleSplit(4, test_size=9),
    ):
        model = make("number", cv=cv).fit(X, Y)
        expected = say_out_of_fold(model, X)[0]

        np.testing.assert_allclose(model.oof_prediction_, expected, rtol=1e-4, atol=1e-5)


@one_of_each
def test_preset_has_the_numbers_that_were_used(what):
    model = fit(what)

    assert model.get_params()["dropout"] is None
    assert model.preset_["dropout"] == PRESETS["default"].dropout
    assert model.preset_["cv"] == 3
    assert {kind["hidden_layer_sizes"] for kind in model.preset_["kinds"]} == {(8,)}
    assert model.preset_["batch_size"] == model.members_[0].batch_size
    assert len(model.preset_["kinds"]) == len(model.members_)
    for numbers, kind, n_epochs in zip(
        model.preset_["kinds"], model.members_, model.n_iter_, strict=True
    ):
        assert numbers["max_iter"] == kind.max_iter == n_epochs == SMALL["max_iter"]
        assert numbers["n_bins"] == kind.kind.n_bins


@one_of_each
@pytest.mark.parametrize("preset", PRESETS)
def test_weights_are_published_for_each_kind_at_each_moment(what, preset):
    model = fit(what, preset=preset)
    table = model.member_weights_
    places = [(k, moment) for k, m in enumerate(model.members_) for moment in range(m.n_moments)]

    assert table.index.tolist() == places
    assert table.index.names == ["kind", "moment"]
    assert table["weight"].sum() == pytest.approx(1)
    assert table["weight"].min() >= 0
    assert list(table) == (["weight"] if what == "number" else ["weight", "temperature"])
    np.testing.assert_array_equal(table["weight"], model._ensemble.blend.weights)


def test_names_are_published_where_there_are_some():
    named = make("number").fit(pd.DataFrame(X, columns=["a", "b", "c"]), Y)

    assert named.feature_names_in_.tolist() == ["a", "b", "c"]
    assert (named.n_features_in_, fit("number").n_features_in_) == (3, 3)
    named.fit(X, Y)
    assert not hasattr(named, "feature_names_in_")


# What a user chooses in place of the preset.


def net(model):
    return model.members_[0].network


OVERRIDES = {
    "max_iter": (3, lambda model: set(model.n_iter_), {3}),
    "n_bins": (3, lambda model: {m.encoder.n_bins for m in model.members_}, {3}),
    "cv": (5, lambda model: {len(m.members) for m in model.members_}, {5}),
    "batch_size": (11, lambda model: {m.batch_size for m in model.members_}, {11}),
    "hidden_layer_sizes": ((6, 5), lambda model: net(model).hidden_sizes, [6, 5]),
    "activation": ("tanh", lambda model: {m.kind.activation for m in model.members_}, {"tanh"}),
    "learning_rate_init": (
        0.003,
        lambda model: {kind["learning_rate_init"] for kind in model.preset_["kinds"]},
        {0.003},
    ),
    "dropout": (0.5, lambda model: model.preset_["dropout"], 0.5),
    "weight_decay": (0.7, lambda model: model.preset_["weight_decay"], 0.7),
}


@one_of_each
@pytest.mark.parametrize("name", OVERRIDES)
def test_what_is_given_takes_the_place_of_the_presets_number(name, what):
    value, look, expected = OVERRIDES[name]
    model = fit(what, **{name: value})

    assert look(model) == expected
    assert not np.array_equal(model.oof_prediction_, fit(what).oof_prediction_)


@one_of_each
@pytest.mark.parametrize("max_iter", [1, 2, 7, 40])
def test_there_are_as_many_epochs_as_are_asked_for(what, max_iter):
    """However few the rows are."""
    model = fit(what, max_iter=max_iter)

    assert model.n_iter_ == [max_iter] * len(model.members_)


@one_of_each
def test_a_preset_may_be_chosen_anew(what):
    model = make(what, preset="fast").fit(X, TARGETS[what])
    again = clone(fit(what)).fit(X, TARGETS[what])

    assert_same(model.set_params(preset="default").fit(X, TARGETS[what]), again)


def test_kinds_of_different_repeats_have_different_folds(monkeypatch):
    use_preset(monkeypatch, KIND, replace(KIND, n_bins=8), replace(KIND, repeat=1))
    for what in ("number", "multiclass"):
        model = make(what, preset="fast").fit(X, TARGETS[what])
        first, same, other = (
            [member.fold.held_out.tolist() for member in m.members] for m in model.members_
        )
        assert first == same
        assert first != other


@one_of_each
def test_all_rows_are_in_turn_held_out(what):
    for kind in fit(what, preset="best").members_:
        held_out = np.concatenate([member.fold.held_out for member in kind.members])
        np.testing.assert_array_equal(np.sort(held_out), np.arange(90))
        for member in kind.members:
            rows = np.concatenate([member.fold.train, member.fold.held_out])
            np.testing.assert_array_equal(np.sort(rows), np.arange(90))


# Groups.


@pytest.mark.parametrize("what", ["number", "numbers", "binary", "multiclass", "labels"])
@pytest.mark.parametrize("cv", [3, GroupKFold(3)], ids=["number", "splitter"])
def test_no_network_is_judged_by_a_group_that_it_was_trained_on(what, cv):
    names = np.array([f"group {g}" for g in GROUPS])
    for groups in (GROUPS, names, list(names)):
        model = make(what, cv=cv, max_iter=1).fit(X, TARGETS[what], groups=groups)
        for kind in model.members_:
            for member in kind.members:
                trained, judged = (GROUPS[rows] for rows in member.fold)
                assert not np.intersect1d(trained, judged).size
        assert not np.isnan(as_columns(model.oof_prediction_)).any()


def test_without_groups_they_are_torn_apart():
    model = fit("number")

    assert any(
        np.intersect1d(*(GROUPS[rows] for rows in member.fold)).size
        for member in model.members_[0].members
    )


def test_bad_groups_are_refused():
    with pytest.raises(ValueError, match="inconsistent"):
        make("number").fit(X, Y, groups=GROUPS[:-1])
    with pytest.raises(ValueError, match="groups"):
        make("number").fit(X, Y, groups=np.zeros(90))
    with pytest.raises(ValueError, match="groups"):
        make("number", cv=GroupKFold(3)).fit(X, Y)


# Weights.


@one_of_each
def test_weights_have_an_effect(what):
    weight = np.where(X[:, 0] > 0, 1.0, 0.1)
    plain = fit(what)
    weighted = make(what).fit(X, TARGETS[what], sample_weight=weight)

    assert not np.allclose(as_columns(plain.oof_prediction_), as_columns(weighted.oof_prediction_))


@one_of_each
def test_equal_weights_have_none(what):
    plain = fit(what)
    for weight in (1.0, np.full(90, 3.0), np.ones(90, np.float32)):
        weighted = make(what).fit(X, TARGETS[what], sample_weight=weight)
        np.testing.assert_allclose(
            as_columns(weighted.oof_prediction_),
            as_columns(plain.oof_prediction_),
            rtol=1e-3,
            atol=1e-3,
        )
        assert weighted.oof_score_ == pytest.approx(plain.oof_score_, abs=1e-3)


def test_bad_weights_are_refused():
    for weight, message in [
        (np.zeros(90), "non-zero"),
        (-np.ones(90), "Negative"),
        (np.ones(89), "sample_weight.shape"),
        (np.full(90, np.nan), "NaN"),
    ]:
        with pytest.raises(ValueError, match=message):
            make("number").fit(X, Y, sample_weight=weight)


# Bad data.


@one_of_each
def test_bad_targets_are_refused(what):
    y = TARGETS[what]
    model = make(what)
    for bad, message in [
        (None, r"requires y to be passed, but the target y is None"),
        (y[:-1], r"inconsistent numbers of samples.*90.*89"),
        (np.where(np.arange(90) == 7, None, y.astype(object)), "NaN"),
        (np.where(np.arange(90) == 7, np.nan, y.astype(object)), "NaN"),
        (y.reshape(3, 30, 1), r"dim"),
        (5, r"array|Singleton|shape|Unknown label"),
    ]:
        with pytest.raises(ValueError, match=message):
            model.fit(X, bad)
    assert vars(model) == vars(make(what))


@one_of_each
def test_a_column_is_a_target_with_a_warning(what):
    with pytest.warns(sklearn.exceptions.DataConversionWarning):
        model = make(what).fit(X, TARGETS[what][:, np.newaxis])

    assert_same(model, fit(what))
    assert model.predict(NEW).shape == (40,)


@one_of_each
@pytest.mark.parametrize("n_rows", [0, 1])
def test_too_few_rows_are_refused(what, n_rows):
    with pytest.raises(ValueError, match=rf"{n_rows} sample"):
        make(what).fit(X[:n_rows], TARGETS[what][:n_rows])


@one_of_each
@pytest.mark.parametrize("n_rows", [2, 3, 4])
def test_fewer_rows_than_folds_are_learnt_from_with_a_warning(what, n_rows):
    y = np.arange(n_rows) if what == "number" else np.zeros(n_rows)
    with pytest.warns(UserWarning, match=f"cv=5 folds need as many rows.*{n_rows}"):
        model = make(what, cv=5).fit(X[:n_rows], y)

    assert {len(kind.members) for kind in model.members_} == {n_rows}
    assert np.isfinite(model.predict(NEW)).all()


@one_of_each
def test_tables_that_are_none_are_refused(what):
    y = TARGETS[what]
    for bad in (X[:, 0], X[np.newaxis], np.empty((90, 0)), X * 1j):
        with pytest.raises(ValueError, match=r"array|feature|Complex"):
            make(what).fit(bad, y)


@one_of_each
def test_a_table_of_which_nothing_can_be_learnt_is_refused_in_words(what):
    for table in (np.ones((90, 2)), pd.DataFrame({"a": [np.nan] * 90, "b": ["same"] * 90})):
        with pytest.raises(ValueError, match=r"X .*(column|varies|constant|single value)"):
            make(what).fit(table, TARGETS[what])


@one_of_each
@pytest.mark.parametrize("part", ["trained on", "held out"])
def test_a_fold_without_weights_is_refused_by_name(what, part):
    train, held_out = np.arange(60), np.arange(60, 90)
    weight = np.ones(90)
    weight[train if part == "trained on" else held_out] = 0
    with pytest.raises(ValueError, match="sample_weight"):
        make(what, cv=[(train, held_out)]).fit(X, TARGETS[what], sample_weight=weight)


@one_of_each
def test_before_fit_nothing_is_predicted(what):
    model = make(what)
    names = ["predict", *(["predict_interval"] if what == "number" else ["predict_set"])]
    for name in [*names, *(["predict_proba", "predict_log_proba"] if what != "number" else [])]:
        with pytest.raises(NotFittedError):
            getattr(model, name)(X)


@one_of_each
def test_other_columns_are_refused_at_predict(what):
    with pytest.raises(ValueError, match="X has 2 features"):
        fit(what).predict(X[:, :2])


@pytest.mark.parametrize("confidence", [0, 1, 0.0, 1.0, -0.1, 1.5, np.nan, "0.9", None, True, 90])
def test_a_confidence_is_a_share(confidence):
    with pytest.raises(ValueError, match="confidence must be a float in the range"):
        check_confidence(confidence)
    with pytest.raises(ValueError, match="confidence"):
        fit("number").predict_interval(X, confidence)
    with pytest.raises(ValueError, match="confidence"):
        fit("binary").predict_set(X, confidence)


def test_a_confidence_may_be_numpys():
    assert check_confidence(np.float64(0.9)) == 0.9
    assert check_confidence(np.float32(0.5)) == 0.5


# Copies.


@one_of_each
@pytest.mark.parametrize(
    ("rows", "parameters", "targets"),
    [
        (X[:, 0], {}, None),
        (X, {"max_iter": 0}, None),
        (X, {"hidden_layer_sizes": (8, 0)}, None),
        (X, {"cv": GroupKFold(2)}, None),
        (X, {"categorical_features": ["no such"]}, None),
        (X[:5], {}, None),
    ],
)
def test_a_fit_that_fails_leaves_the_estimator_as_it_was(what, rows, parameters, targets):
    model = make(what).fit(X, TARGETS[what])
    before, predicted = dict(vars(model)), model.predict(NEW)
    model.set_params(**parameters)
    with pytest.raises(ValueError, match=r"."):
        model.fit(rows, TARGETS[what])

    assert vars(model) == before | parameters
    np.testing.assert_array_equal(model.predict(NEW), predicted)


@every_target
def test_the_same_seed_gives_the_same_bits(what):
    again = make(what).fit(X, TARGETS[what])

    assert_same(again, fit(what))
    np.testing.assert_array_equal(
        as_columns(again.predict(NEW)), as_columns(fit(what).predict(NEW))
    )


@one_of_each
def test_other_seeds_give_others(what):
    for seed in (1, None, np.random.RandomState(0)):
        model = make(what, random_state=seed).fit(X, TARGETS[what])
        if isinstance(seed, np.random.RandomState):
            assert_same(model, fit(what))  # it begins as seed 0 does, and goes on
            model.fit(X, TARGETS[what])
        assert not np.array_equal(model.oof_prediction_, fit(what).oof_prediction_)


@one_of_each
def test_fit_does_not_change_what_it_is_given(what):
    weight, y = np.linspace(0.5, 1, 90), TARGETS[what].copy()
    rows = X.copy()
    table = pd.DataFrame(rows, columns=["a", "b", "c"])
    for given in (rows, table):
        make(what, n_bins=4).fit(given, y, sample_weight=weight).predict(given)
    np.testing.assert_array_equal(rows, X)
    np.testing.assert_array_equal(y, TARGETS[what])
    np.testing.assert_array_equal(weight, np.linspace(0.5, 1, 90))


@every_target
def test_a_pickle_predicts_the_same(what):
    model = fit(what)
    again = pickle.loads(pickle.dumps(model))

    np.testing.assert_array_equal(as_columns(again.predict(NEW)), as_columns(model.predict(NEW)))
    assert_same(again, model)
    assert again.get_params() == model.get_params()
    if what == "number":
        np.testing.assert_array_equal(again.predict_interval(NEW), model.predict_interval(NEW))
    if what == "multiclass":
        np.testing.assert_array_equal(again.predict_set(NEW), model.predict_set(NEW))


def test_a_pickle_holds_no_training_rows():
    """Neither X nor what became of it: only misses and the numbers of rows."""
    many = np.tile(X, (20, 20))
    model = make("number", preset="fast", max_iter=1, n_bins=2, hidden_layer_sizes=(2,))
    model.fit(many, np.tile(Y, 20))

    assert len(pickle.dumps(model)) < many.nbytes / 4


@one_of_each
def test_a_clone_has_the_parameters_only(what):
    model = fit(what, dropout=0.3)
    copy = clone(model)

    assert copy.get_params() == model.get_params()
    assert not hasattr(copy, "members_")
    assert_same(copy.fit(X, TARGETS[what]), model)


@one_of_each
def test_an_estimator_shows_what_was_chosen(what):
    model = fit(what)
    text = repr(model)

    assert text.startswith(f"{type(model).__name__}(cv=3, ")
    assert "dropout" not in text
    assert type(model).__name__ in estimator_html_repr(model)
    assert "max_iter" in estimator_html_repr(make(what))


# Tables.


@one_of_each
def test_columns_may_come_in_another_order(what):
    table = pd.DataFrame(X, columns=["a", "b", "c"])
    model = make(what).fit(table, TARGETS[what])
    mixed = table[["c", "a", "b"]]

    np.testing.assert_array_equal(model.predict(mixed), model.predict(table))
    if what == "number":
        for chosen, expected in zip(
            (model.predict_interval(mixed), *model.predict(mixed, return_std=True)),
            (model.predict_interval(table), *model.predict(table, return_std=True)),
            strict=True,
        ):
            np.testing.assert_array_equal(chosen, expected)
    else:
        np.testing.assert_array_equal(model.predict_proba(mixed), model.predict_proba(table))
        np.testing.assert_array_equal(model.predict_set(mixed), model.predict_set(table))


@one_of_each
def test_tables_of_all_kinds_with_gaps_are_learnt(what):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "number": np.where(rng.random(90) < 0.2, np.nan, X[:, 0]),
            "word": np.where(rng.random(90) < 0.2, None, rng.choice(list("uvw"), 90)),
            "many": pd.Categorical(rng.integers(0, 20, 90)),
            "day": pd.date_range("2026-01-01", periods=90),
            "is": X[:, 1] > 0,
            "constant": 1.0,
        }
    )
    model = make(what).fit(table, TARGETS[what])
    new = table.iloc[:3].assign(word="new", number=np.inf)

    assert np.isfinite(as_columns(model.oof_prediction_)).all()
    assert np.isfinite(columns_of_all_rows(model, what, new)).all()


def columns_of_all_rows(model, what, table):
    return as_columns(model.predict(table) if what == "number" else model.predict_proba(table))


def test_out_of_fold_no_row_sees_its_own_target_by_the_mean_of_its_category():
    """Categories of which nothing can be learnt are not learnt."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"category": pd.Categorical(rng.integers(0, 40, 120))})
    y = rng.standard_normal(120)
    model = make("number", preset="fast", max_iter=30).fit(table, y)

    assert model.oof_score_ < 0.1


# Warm starts.


@every_target
def test_a_further_fit_adds_kinds(what):
    model = make(what, warm_start=True).fit(X, TARGETS[what])
    n_kinds, first = len(model.members_), model.members_
    model.set_params(random_state=1).fit(X, TARGETS[what])

    assert len(model.members_) == 2 * n_kinds
    assert all(one is other for one, other in zip(model.members_, first, strict=False))
    assert len(model.n_iter_) == len(model.preset_["kinds"]) == 2 * n_kinds
    assert model.member_weights_.index.get_level_values("kind").nunique() == 2 * n_kinds
    assert model.member_weights_["weight"].sum() == pytest.approx(1)
    expected = publish(model, say_out_of_fold(model, X), out_of_fold=True)
    np.testing.assert_allclose(as_columns(model.oof_prediction_), expected, rtol=1e-4, atol=1e-5)
    assert np.isfinite(columns_of_all(model, what)).all()


def test_a_third_fit_adds_to_both():
    model = make("number", warm_start=True, preset="fast")
    for seed in range(3):
        model.set_params(random_state=seed).fit(X, Y)

    assert len(model.members_) == 3 * len(fit("number", preset="fast").members_)
    expected = say_out_of_fold(model, X)[0]
    np.testing.assert_allclose(model.oof_prediction_, expected, rtol=1e-4, atol=1e-5)
    assert np.isfinite(model.predict_interval(NEW)).all()


def test_a_first_fit_may_be_told_to_go_on():
    one = make("number", warm_start=True).fit(X, Y)

    assert_same(one, fit("number"))


def test_without_warm_start_a_further_fit_begins_anew():
    model = make("number", warm_start=True).fit(X, Y)
    model.set_params(warm_start=False).fit(X, Y)

    assert_same(model, fit("number"))


def test_numbers_far_from_zero_are_known_as_exactly_in_a_further_fit():
    """What earlier networks have said is kept to more than seven digits."""
    y = 1e9 + TARGETS["numbers"][:, 0]
    model = make("number", warm_start=True, preset="fast").fit(X, y)
    before = model.oof_prediction_ - 1e9
    model.set_params(random_state=1).fit(X, y)
    weights = model.member_weights_["weight"]

    assert np.corrcoef(before, y - 1e9)[0, 1] > 0.3
    expected = say_out_of_fold(model, X)[0] - 1e9
    np.testing.assert_allclose(model.oof_prediction_ - 1e9, expected, atol=1e-3)
    assert weights[0].sum() > 0


def test_a_further_fit_of_what_was_fitted_for_good_is_refused_or_adds_kinds():
    """It must not go on with networks whose answers are not known any more."""
    model = make("number").fit(X, Y).set_params(warm_start=True, random_state=1)
    try:
        model.fit(X, Y)
    except ValueError as error:
        assert "warm_start" in str(error)  # noqa: PT017 - either is well
        assert len(model.members_) == len(fit("number").members_)
    else:
        expected = say_out_of_fold(model, X)[0]
        np.testing.assert_allclose(model.oof_prediction_, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("what", "y"),
    [
        ("number", TARGETS["numbers"]),
        ("binary", TARGETS["multiclass"]),
        ("binary", np.where(TARGETS["binary"], 2, 5)),
        ("multiclass", TARGETS["labels"]),
        ("labels", TARGETS["multiclass"]),
        ("labels", TARGETS["labels"][:, :2]),
        ("labels", SCORES.argmax(axis=1)),
        ("labels", softmax(SCORES, axis=1)),
        ("several", TARGETS["several"][:, ::-1]),
    ],
)
def test_a_further_fit_needs_targets_of_the_same_kind(what, y):
    model = make(what, warm_start=True).fit(X, TARGETS[what])
    with pytest.raises(ValueError, match=r"warm_start|same classes"):
        model.fit(X, y)

    assert_same(model, fit(what))


@one_of_each
@pytest.mark.parametrize(
    "table",
    [X[:80], np.hstack([X, X]), pd.DataFrame(X, columns=["a", "b", "c"])],
    ids=["rows", "columns", "names"],
)
def test_a_further_fit_needs_the_same_table(what, table):
    model = make(what, warm_start=True).fit(X, TARGETS[what])
    with pytest.raises(ValueError, match="warm_start=True adds networks"):
        model.fit(table, TARGETS[what][: len(table)])

    assert_same(model, fit(what))


def test_a_further_fit_needs_the_same_categories():
    words = np.random.default_rng(0).choice(list("aabc"), 90)
    model = make("number", warm_start=True, preset="fast")
    model.fit(pd.DataFrame({"word": words}), Y)
    others = pd.DataFrame({"word": np.where(words == "a", "z", words)})
    with pytest.raises(ValueError, match="warm_start"):
        model.fit(others, Y)


# Ctrl-C.


@one_of_each
@pytest.mark.parametrize("max_time", [None, 1e9])
def test_ctrl_c_keeps_what_was_learnt(monkeypatch, what, max_time):
    use_preset(monkeypatch, KIND)
    Machine(monkeypatch, seconds_per_step=1e-3)
    model = make(what, preset="fast", max_iter=12, max_time=max_time)
    n_probed = 0 if max_time is None else 3
    interrupt_after(monkeypatch, n_probed + 5)
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(X, TARGETS[what])

    assert model.n_iter_ == [5]
    expected = publish(model, say_out_of_fold(model, X), out_of_fold=True)
    np.testing.assert_allclose(as_columns(model.oof_prediction_), expected, rtol=1e-4, atol=1e-5)
    assert np.isfinite(columns_of_all(model, what)).all()


@pytest.mark.parametrize("max_time", [None, 1e9])
def test_after_ctrl_c_nothing_else_is_trained(monkeypatch, max_time):
    use_preset(monkeypatch, KIND, replace(KIND, numeric=("robust", "fourier")))
    Machine(monkeypatch, seconds_per_step=1e-3)
    epochs = interrupt_after(monkeypatch, (0 if max_time is None else 6) + 5)
    with pytest.warns(UserWarning, match="interrupted"):
        model = make("number", preset="fast", max_iter=12, max_time=max_time).fit(X, Y)

    assert len(model.members_) == 1
    assert len(epochs) == (0 if max_time is None else 6) + 6


def test_after_ctrl_c_kinds_that_have_learnt_are_judged_by_their_own_inputs(monkeypatch):
    """Whichever of them those are: here what the last two have learnt, not the first."""
    other = replace(KIND, numeric=("robust", "fourier"))
    use_preset(monkeypatch, KIND, other, replace(KIND, repeat=1))
    finish = Training.finish
    trainings = []

    def forget_the_first(training, states):
        trainings.append(training)
        found = finish(training, states)
        return None if len(trainings) == 1 else found

    monkeypatch.setattr(Training, "finish", forget_the_first)
    model = make("number", preset="fast").fit(X, Y)

    assert [m.kind.numeric for m in model.members_] == [("robust", "fourier"), ("robust",)]
    expected = say_out_of_fold(model, X)[0]
    np.testing.assert_allclose(model.oof_prediction_, expected, rtol=1e-4, atol=1e-5)


@one_of_each
@pytest.mark.parametrize("max_time", [None, 1e9])
def test_ctrl_c_before_anything_was_learnt_leaves_all_as_it_was(monkeypatch, what, max_time):
    use_preset(monkeypatch, KIND)
    Machine(monkeypatch, seconds_per_step=1e-3)
    model = make(what, preset="fast", max_time=max_time).fit(X, TARGETS[what])
    before = dict(vars(model))
    n_probed = 0 if max_time is None else 3
    interrupt_after(monkeypatch, n_probed)
    with (
        pytest.raises(KeyboardInterrupt),
        pytest.warns(UserWarning, match="interrupted"),
    ):
        model.fit(X, TARGETS[what])

    assert vars(model) == before


@pytest.mark.parametrize("n_epochs", [0, 1, 2])
def test_ctrl_c_while_the_length_of_an_epoch_is_found_is_raised(monkeypatch, n_epochs):
    """It is not taken for the end of that, after which the training begins."""
    Machine(monkeypatch, seconds_per_step=1e-3)
    model = make("number", max_time=1e9)
    epochs = interrupt_after(monkeypatch, n_epochs)
    with (
        pytest.raises(KeyboardInterrupt),
        pytest.warns(UserWarning, match="interrupted"),
    ):
        model.fit(X, Y)

    assert len(epochs) == n_epochs + 1
    assert not hasattr(model, "members_")


# Time.


def fit_in(monkeypatch, max_time, what="number", seconds_per_step=1.0, **parameters):
    """Fit on a machine whose time passes only while networks are trained."""
    machine = Machine(monkeypatch, seconds_per_step)
    model = make(what, max_time=max_time, **parameters)
    model.fit(X, TARGETS[what])
    return model, machine


def seconds_of(what="number", max_iter=30, **parameters):
    """Return how long all epochs take on a machine of a step a second, without the search."""
    with pytest.MonkeyPatch.context() as patch:
        machine = Machine(patch, 1.0)
        make(what, max_iter=max_iter, **parameters).fit(X, TARGETS[what])
    return machine.seconds


@one_of_each
def test_with_enough_time_nothing_is_given_up(monkeypatch, what):
    model, _ = fit_in(monkeypatch, 1e6, what, max_iter=30)
    plain = fit(what, max_iter=30)

    assert model.n_iter_ == pytest.approx(plain.n_iter_, abs=PRESETS["default"].n_cycles)
    assert len(model.members_) == len(plain.members_)
    assert model.member_weights_.index.equals(plain.member_weights_.index)


@one_of_each
@pytest.mark.parametrize("share", [0.5, 0.7, 0.9])
def test_with_less_time_there_are_fewer_epochs_and_a_warning(monkeypatch, what, share):
    max_time = share * seconds_of(what)
    with pytest.warns(UserWarning, match=r"max_time=.* enough for about \d+ of 30 epochs") as said:
        model, machine = fit_in(monkeypatch, max_time, what, max_iter=30)

    n_said = int(re.search(r"about (\d+) of", str(said[0].message))[1])
    assert machine.seconds <= max_time
    assert machine.seconds >= 0.75 * max_time
    assert all(1 <= n_iter < 30 for n_iter in model.n_iter_)
    assert model.n_iter_[0] == pytest.approx(n_said, abs=3)
    assert len(model.members_) == len(fit(what).members_)


def test_with_still_less_time_there_are_fewer_kinds(monkeypatch):
    use_preset(monkeypatch, KIND, replace(KIND, repeat=1), replace(KIND, repeat=2))
    whole = seconds_of(preset="fast", max_iter=40)
    with pytest.warns(UserWarning, match=r"about \d+ of 40 epochs, 2 of 3 kinds of networks"):
        model, machine = fit_in(monkeypatch, 0.19 * whole, preset="fast", max_iter=40)

    assert machine.seconds <= 0.19 * whole
    assert [m.kind.repeat for m in model.members_] == [0, 1]
    assert all(1 <= n_iter < 40 for n_iter in model.n_iter_)


def test_with_hardly_any_time_there_are_fewer_folds(monkeypatch):
    use_preset(monkeypatch, KIND)
    whole = 200 * 15 * 6  # epochs x steps x folds
    options = {"preset": "fast", "max_iter": 200, "cv": 6, "batch_size": 5}
    with pytest.warns(UserWarning, match=r"of 200 epochs.*[2345] of 6 folds"):
        model, machine = fit_in(monkeypatch, 0.015 * whole, **options)

    assert 2 <= len(model.members_[0].members) < 6
    assert machine.seconds <= 0.02 * whole
    assert np.isfinite(model.oof_prediction_).all()


@one_of_each
def test_too_little_time_is_refused_by_name(monkeypatch, what):
    with pytest.raises(ValueError, match=r"max_time=0.5 seconds are too short"):
        fit_in(monkeypatch, 0.5, what)


def test_folds_of_a_splitter_are_not_given_up(monkeypatch):
    use_preset(monkeypatch, KIND)
    whole = 200 * 15 * 6  # epochs x steps x folds
    options = {"preset": "fast", "max_iter": 200, "cv": KFold(6), "batch_size": 5}
    with pytest.raises(ValueError, match="too short") as said:
        fit_in(monkeypatch, 0.015 * whole, **options)

    # What is said to be needed is two epochs of all six.
    named = float(re.search(r"about ([\d.e+]+) seconds", str(said.value))[1])
    assert named == pytest.approx(2 * whole / 200, rel=0.1)


def test_the_length_of_an_epoch_decides(monkeypatch):
    """Not a clock: however fast the machine is."""
    monkeypatch.setattr(Training, "seconds_per_epoch", 1e9)
    with pytest.raises(ValueError, match="max_time=3600 seconds are too short"):
        make("number", max_time=3600).fit(X, Y)


def test_folds_of_different_sizes_keep_to_the_time_together(monkeypatch):
    """They are stacks of their own, one trained after the other."""
    use_preset(monkeypatch, KIND)
    parameters = {"cv": TimeSeriesSplit(4), "max_iter": 60, "batch_size": 6, "preset": "fast"}
    whole = seconds_of(**parameters)
    with pytest.warns(UserWarning, match="max_time"):
        _, machine = fit_in(monkeypatch, 0.5 * whole, **parameters)

    assert machine.seconds <= 0.6 * whole


def test_stacks_of_some_of_the_folds_keep_to_the_time_together(monkeypatch):
    """Where the networks of all folds would not fit into the cache."""
    use_preset(monkeypatch, KIND)
    monkeypatch.setattr(grouping, "stack_size", lambda problem, n_models, memory: 2)
    parameters = {"cv": 6, "max_iter": 60, "preset": "fast"}
    whole = seconds_of(**parameters)
    with pytest.warns(UserWarning, match="max_time"):
        model, machine = fit_in(monkeypatch, 0.5 * whole, **parameters)

    assert machine.seconds <= 0.55 * whole
    assert len(model.members_[0].members) == 6


def test_a_machine_that_becomes_slower_is_noticed(monkeypatch):
    use_preset(monkeypatch, KIND)
    whole = seconds_of(preset="fast", max_iter=60)
    machine = Machine(monkeypatch, 1.0)
    probe = vars(Training)["seconds_per_epoch"]

    def probe_then_slow_down(training):
        seconds = probe.__get__(training, Training)
        machine.is_slower_by = 3.0
        return seconds

    monkeypatch.setattr(Training, "seconds_per_epoch", property(probe_then_slow_down))
    model = make("number", preset="fast", max_iter=60, max_time=1.5 * whole).fit(X, Y)

    assert machine.seconds <= 1.6 * whole
    assert model.n_iter_[0] < 40


# Tools.


def test_an_ensemble_says_how_far_it_is_if_it_is_asked(capsys):
    make("number").fit(X, Y)
    assert capsys.readouterr().out == ""
    model = make("multiclass", verbose=True).fit(X, TARGETS["multiclass"])
    lines = capsys.readouterr().out.splitlines()

    assert len(lines) == sum(model.n_iter_)
    assert all(re.search(r"poch \d+ of 4, loss \d", line) for line in lines)


@needs_threads
@one_of_each
def test_in_lockstep_scores_are_the_same_to_the_bit(monkeypatch, stack_sizes, what):
    """And the networks of all fits are stacks: 3 folds of each of 4."""
    use_preset(monkeypatch, KIND)
    model, rows, y = make(what, preset="fast", batch_size=20), X[:84], TARGETS[what][:84]
    outside = cross_val_score(model, rows, y, cv=KFold(4))
    assert max(stack_sizes) == 3
    with sknn.lockstep():
        inside = cross_val_score(model, rows, y, cv=KFold(4))

    np.testing.assert_array_equal(inside, outside)
    assert max(stack_sizes) == 12


@one_of_each
def test_folds_that_differ_by_a_row_are_one_stack(monkeypatch, stack_sizes, what):
    """Though the smallest of them is a single batch."""
    use_preset(monkeypatch, KIND)
    make(what, preset="fast").fit(X[:67], TARGETS[what][:67])

    assert stack_sizes == [3]


@one_of_each
def test_in_lockstep_a_training_by_the_clock_is_the_same_to_the_bit(monkeypatch, what):
    """And no fit stands still because it waits for what another one, which waits for it, has."""
    use_preset(monkeypatch, KIND)
    Machine(monkeypatch, seconds_per_step=1e-6)
    model, waits, wait = make(what, preset="fast", max_time=1e6), [], Task.wait

    def note(task, seconds):
        waits.append(wait(task, seconds))
        return waits[-1]

    outside = cross_val_score(model, X, TARGETS[what], cv=2)
    monkeypatch.setattr(Task, "wait", note)
    with sknn.lockstep():
        inside = cross_val_score(model, X, TARGETS[what], cv=2)

    np.testing.assert_array_equal(inside, outside)
    assert all(waits)


@one_of_each
def test_a_search_finds_the_best_of_presets_and_epochs(what):
    grid = {"preset": ["fast", "default"], "max_iter": [1, 6]}
    search = GridSearchCV(make(what), grid, cv=2).fit(X, TARGETS[what])

    assert search.best_params_["max_iter"] == 6
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    with sknn.lockstep():
        inside = GridSearchCV(make(what), grid, cv=2).fit(X, TARGETS[what])
    np.testing.assert_array_equal(
        inside.cv_results_["mean_test_score"], search.cv_results_["mean_test_score"]
    )


@one_of_each
def test_a_pipeline_is_searched_over(what):
    model = make(what)
    name = type(model).__name__.lower()
    pipe = make_pipeline(StandardScaler(), model)
    search = GridSearchCV(pipe, {f"{name}__max_iter": [1, 6]}, cv=2).fit(X, TARGETS[what])

    assert search.best_params_ == {f"{name}__max_iter": 6}
    assert search.predict(NEW).shape == (40,)


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@one_of_each
@pytest.mark.usefixtures("routing")
def test_groups_and_weights_are_routed(monkeypatch, what):
    seen, kind = [], type(make(what))
    original = kind._fit

    def note(self, X, y, sample_weight, groups):
        seen.append((sample_weight, groups))
        return original(self, X, y, sample_weight, groups)

    monkeypatch.setattr(kind, "_fit", note)
    model = make(what).set_fit_request(groups=True, sample_weight=True)
    model.set_score_request(sample_weight=True)
    weight = np.linspace(0.5, 1.5, 90)
    result = cross_validate(
        model,
        X,
        TARGETS[what],
        cv=GroupKFold(3),
        params={"groups": GROUPS, "sample_weight": weight},
        return_indices=True,
        error_score="raise",
    )

    assert len(seen) == 3
    for (sample_weight, groups), rows in zip(seen, result["indices"]["train"], strict=True):
        np.testing.assert_array_equal(sample_weight, weight[rows])
        np.testing.assert_array_equal(groups, GROUPS[rows])


@one_of_each
@pytest.mark.usefixtures("routing")
def test_groups_that_are_not_asked_for_are_the_splitters_only(what):
    result = cross_validate(
        make(what), X, TARGETS[what], cv=GroupKFold(3), params={"groups": GROUPS}
    )

    assert np.isfinite(result["test_score"]).all()


EXPECTED = dict.fromkeys(
    [
        "check_sample_weight_equivalence_on_dense_data",
        "check_sample_weight_equivalence_on_sparse_data",
    ],
    "a row twice may be in two folds, one of double weight is in one",
)
PLACE = "check_methods_sample_order_invariance"
"""In single precision a row's last digit may depend on its place in a batch; it need not."""


@parametrize_with_checks(
    [
        TabularMLPClassifier(cv=2, max_iter=6, hidden_layer_sizes=(16,)),
        TabularMLPRegressor(cv=2, max_iter=6, hidden_layer_sizes=(16,)),
    ],
    expected_failed_checks=lambda estimator: EXPECTED,
)
@pytest.mark.filterwarnings("ignore")  # of tiny data sets in many ways
def test_common_checks(estimator, check):
    if check.func.__name__ == PLACE:
        pytest.skip("see test_the_order_of_rows_changes_no_more_than_rounding")
    check(estimator)


@every_target
def test_the_order_of_rows_changes_no_more_than_rounding(what):
    order = np.random.default_rng(1).permutation(40)
    model = fit(what)
    predict = model.predict if what.startswith("number") else model.predict_proba

    np.testing.assert_allclose(
        as_columns(predict(NEW[order])), as_columns(predict(NEW))[order], rtol=1e-4, atol=1e-5
    )
    for row in range(5):
        np.testing.assert_allclose(
            as_columns(predict(NEW[row : row + 1])),
            as_columns(predict(NEW))[row : row + 1],
            rtol=1e-4,
            atol=1e-5,
        )


# What earlier users of such tools have met.


@pytest.mark.parametrize("with_groups", [False, True])
def test_out_of_fold_there_is_nothing_to_be_learnt_of_noise_by_category(with_groups):
    """Means of targets that all folds share would tell each network of those it is judged by."""
    rng, n = np.random.default_rng(0), 120
    cities = pd.DataFrame({"city": (np.arange(n) % 15).astype(str)})
    groups = np.arange(n) % 30 if with_groups else None
    model = TabularMLPRegressor("fast", max_iter=20, cv=4, random_state=0)

    assert model.fit(cities, rng.normal(size=n), groups=groups).oof_score_ < 0.05


def test_a_number_that_is_missing_for_the_first_time_counts_as_ordinary():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(200, 2)), columns=["a", "b"])
    model = TabularMLPRegressor("fast", max_iter=20, cv=2, random_state=0).fit(X, X["a"])

    predicted = model.predict(X.assign(a=np.nan))
    assert np.abs(predicted).max() < 1 < -model.predict(X.assign(a=X["a"].min())).max()


def test_networks_that_are_added_are_others():
    model = TabularMLPRegressor("fast", max_iter=1, cv=2, random_state=0, warm_start=True)
    model.fit(X, TARGETS["number"])
    n_kinds = len(model.members_)
    model.fit(X, TARGETS["number"])

    first, added = (model.members_[k].members[0].thetas[0] for k in (0, n_kinds))
    assert len(model.members_) == 2 * n_kinds
    assert not np.array_equal(first, added)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X, y: (X, y[::-1].copy()), "the same rows in the same order"),
        (lambda X, y: (X[::-1], y[::-1]), "the same rows in the same order"),
    ],
)
def test_networks_are_added_for_the_same_rows_only(change, message):
    y = TARGETS["number"]
    model = TabularMLPRegressor("fast", max_iter=1, cv=2, random_state=0, warm_start=True)
    model.fit(X, y)
    with pytest.raises(ValueError, match=message):
        model.fit(*change(X, y))


def test_networks_are_added_with_folds_that_leave_out_the_same_rows_only():
    cv = ShuffleSplit(2, test_size=0.3)
    model = TabularMLPRegressor("fast", max_iter=1, cv=cv, random_state=0, warm_start=True)
    model.fit(X, TARGETS["number"])
    with pytest.raises(ValueError, match="needs folds that leave out each row as often as before"):
        model.fit(X, TARGETS["number"])


def test_rows_that_are_trained_on_are_no_judges():
    every = np.arange(90)
    with pytest.raises(ValueError, match="holds out rows which it trains on, too"):
        TabularMLPRegressor("fast", cv=[(every, every)]).fit(X, TARGETS["number"])


def test_no_rows_have_no_intervals():
    model = fit("number")

    assert model.predict_interval(X[:0]).shape == (0, 2)
    assert model.predict(X[:0]).shape == (0,)


def test_the_score_out_of_fold_knows_the_weights_that_were_given_only():
    y = (TARGETS["number"] > np.quantile(TARGETS["number"], 0.8)).astype(int)
    options = {"max_iter": 2, "cv": 2, "random_state": 0}
    model = TabularMLPClassifier("fast", class_weight="balanced", **options).fit(X, y)

    assert model.oof_score_ == np.mean(model.oof_prediction_.argmax(axis=1) == y)
