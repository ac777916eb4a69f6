"""Trainings that are kept in a file go on from it, to the same bits."""

import copy
import functools
import os
import sys
import warnings
from contextlib import nullcontext

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, KFold, ShuffleSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sknn
from sknn.averaging import SWA
from sknn.container import read, write
from sknn.optimizers import SGD
from sknn.schedules import Cosine
from sknn.solvers import Stochastic, lbfgs
from sknn.training import checkpoint as module
from sknn.training.checkpoint import Checkpoint, is_same_past
from tests.training.killed import run_in_child

X, Y = load_digits(return_X_y=True)
X, Y = X[:300] / 16, Y[:300]
TABLE, WINES = load_wine(return_X_y=True, as_frame=True)
TABLE = TABLE.iloc[:, :4].assign(color=np.array(["red", "white", "green"])[np.arange(178) % 3])
pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore:Early stopping has watched"
)


class Killed(Exception):
    """Stands for the end of a process."""


def seed_global(seed):
    """Seed what ``random_state=None`` draws from."""
    np.random.seed(seed)  # noqa: NPY002


def make(cls=sknn.MLPClassifier, **parameters):
    settings = {"hidden_layer_sizes": (9,), "max_iter": 8, "random_state": 0, "batch_size": 64}
    return cls(**copy.deepcopy(settings | parameters))


def bits_of(model):
    """Return what has been fitted, in arrays."""
    if hasattr(model, "members_"):
        members = [member for kind in model.members_ for member in kind.members]
        return [theta for member in members for theta in member.thetas.values()]
    state = model._state
    moments = [] if state.moments is None else list(state.moments.values())
    curves = [np.array(model.loss_curve_), np.array(model.validation_scores_ or ())]
    return [*model.coefs_, *model.intercepts_, *moments, *curves]


def assert_same_bits(one, other):
    for a, b in zip(bits_of(one), bits_of(other), strict=True):
        np.testing.assert_array_equal(a, b)


def fit_with_kills(model, X, y, n_writes=(2, 1, 3), **options):
    """Fit a model again and again, and let it die when a file has been written so many times."""
    for n in (*n_writes, None):
        fitted, written = copy.deepcopy(model), []

        def write(checkpoint, n=n, written=written, original=Checkpoint.write):
            original(checkpoint)
            written.append(checkpoint.path)
            if len(written) == n:
                raise Killed

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Checkpoint, "write", write)
            try:
                return fitted.fit(X, y, **options)
            except Killed:
                assert n is not None
    raise AssertionError("never reached")


CASES = {
    "plain": {},
    "float32": {},
    "early stopping": {"early_stopping": True},
    "anew on all samples": {"early_stopping": True, "refit_full": True},
    "range test": {"learning_rate_init": "auto"},
    "lbfgs": {"solver": "lbfgs"},
    "dropout": {"dropout": 0.3, "normalization": "batch"},
    "average": {"weight_averaging": "ema", "solver": "sgd", "learning_rate": "adaptive"},
    "swapped": {"augmentation": "mixup", "warmup": 2, "learning_rate": "cosine"},
    "growing": {"batch_size": "adaptive", "solver": SGD(0.5)},
    "recovering": {"on_divergence": "recover", "learning_rate_init": 0.5, "solver": "sgd"},
    "budget": {"max_flops": 1.2e7},
    "front": {"front": ["scale", "piecewise_linear"], "initializer": "data"},
}


@pytest.mark.parametrize("seed", [0, None, "instance"])
@pytest.mark.parametrize("name", CASES)
def test_a_fit_goes_on_to_the_same_bits(name, seed, tmp_path):
    if seed is not None and list(CASES).index(name) % 2 == (seed == 0):
        return_early = name not in ("plain", "anew on all samples")
        if return_early:  # every case meets two kinds of seeds
            seed = None
    options = CASES[name] | {"random_state": np.random.RandomState(3) if seed else seed}
    rows = X.astype(np.float32) if name == "float32" else X
    seed_global(7)
    whole = make(**options).fit(rows, Y)
    seed_global(7)
    kept = make(**options, checkpoint=tmp_path / "fit.sknn", checkpoint_seconds=0)
    found = fit_with_kills(kept, rows, Y)

    assert_same_bits(found, whole)
    assert found.training_report_.flops == whole.training_report_.flops


@pytest.mark.parametrize("cls", [sknn.TabularMLPClassifier, sknn.TabularMLPRegressor])
def test_an_ensemble_goes_on_to_the_same_bits(cls, tmp_path):
    settings = {"preset": "fast", "max_iter": 4, "cv": 3, "random_state": 0}
    whole = cls(**settings).fit(TABLE, WINES)
    kept = cls(**settings, checkpoint=tmp_path / "fit.sknn", checkpoint_seconds=0)
    found = fit_with_kills(kept, TABLE, WINES, n_writes=(1, 1, 2))

    assert_same_bits(found, whole)
    np.testing.assert_array_equal(found.predict(TABLE), whole.predict(TABLE))


def test_a_regressor_with_weights_and_samples_to_validate_on_goes_on(tmp_path):
    options = {"sample_weight": Y + 1.0, "X_val": X[:50], "y_val": Y[:50]}
    whole = make(sknn.MLPRegressor).fit(X, Y, **options)
    kept = make(sknn.MLPRegressor, checkpoint=tmp_path / "a", checkpoint_seconds=0)

    assert_same_bits(fit_with_kills(kept, X, Y, **options), whole)


# A process that is killed.


BODY = """
    import os
    net = sknn.MLPClassifier((20,), max_iter=40, random_state=None, tol=0, checkpoint={path!r},
                             checkpoint_seconds=0, early_stopping=True, n_iter_no_change=99)
    np.random.seed(5 if not os.path.exists({path!r}) else 6)
    net.fit(X, y)
    sknn.save(net, {path!r} + ".model")
"""


def assert_a_kill_does_not_matter(tmp_path, delays):
    path = str(tmp_path / "fit.sknn")
    for delay in delays:
        run_in_child(BODY.format(path=path), delay)
        if os.path.exists(path):
            read(path)  # there is always a whole one
    assert run_in_child(BODY.format(path=path))
    found = sknn.load(path + ".model")
    seed_global(5)
    data, target = load_digits(return_X_y=True)
    whole = sknn.MLPClassifier(
        (20,), max_iter=40, random_state=None, tol=0, early_stopping=True, n_iter_no_change=99
    ).fit(data, target)
    assert_same_bits(found, whole)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_process_does_not_matter(tmp_path):
    assert_a_kill_does_not_matter(tmp_path, [0.15])


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_twenty_killed_processes_do_not_matter(tmp_path):
    delays = np.random.default_rng(0).uniform(0.005, 0.25, 20)
    assert_a_kill_does_not_matter(tmp_path, delays.tolist())


def test_a_program_that_seeds_all_draws_goes_on_drawing_the_same(tmp_path):
    drawn = []
    for _ in range(3):
        seed_global(0)
        make(random_state=None, checkpoint=tmp_path / "a").fit(X, Y)
        drawn.append(np.random.randint(1 << 30))  # noqa: NPY002

    assert len(set(drawn)) == 1


# A file of a fit that has ended.


@pytest.mark.parametrize("seed", [0, None, "instance"])
def test_a_fit_that_has_ended_is_not_made_again(seed, tmp_path, monkeypatch):
    def make_one():
        rng = np.random.RandomState(3) if seed == "instance" else seed
        return sknn.MLPClassifier((9,), max_iter=4, random_state=rng, checkpoint=tmp_path / "a")

    first, second = make_one().fit(X, Y), make_one()
    monkeypatch.setattr(Stochastic, "minimize", lambda self, problems: 1 / 0)
    assert_same_bits(second.fit(X, Y), first)
    if seed == "instance":  # the user's generator is where the fit would have left it
        assert second.random_state.randint(1 << 30) == first.random_state.randint(1 << 30)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_fit_that_is_taken_from_its_file_says_again_that_it_is_short(solver, tmp_path):
    for _ in range(2):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            make(max_iter=2, solver=solver, checkpoint=tmp_path / "a").fit(X, Y)
        assert [w.category for w in caught] == [ConvergenceWarning]
    assert "checkpoint=" in str(caught[0].message)


def test_a_verbose_fit_says_where_it_goes_on(tmp_path, capsys):
    kept = make(checkpoint=tmp_path / "a", checkpoint_seconds=0, verbose=True)
    fit_with_kills(kept, X, Y, n_writes=(3,))

    assert "goes on after iteration 2" in capsys.readouterr().out


def test_more_epochs_go_on_from_fewer(tmp_path):
    path = tmp_path / "a"
    make(max_iter=3, checkpoint=path).fit(X, Y)
    found = make(max_iter=8, checkpoint=path).fit(X, Y)

    assert_same_bits(found, make(max_iter=8).fit(X, Y))


def test_more_epochs_of_lbfgs_are_those_of_one_fit(tmp_path):
    path = tmp_path / "a"
    make(max_iter=3, checkpoint=path, solver="lbfgs").fit(X, Y)
    found = make(max_iter=8, checkpoint=path, solver="lbfgs").fit(X, Y)

    assert_same_bits(found, make(max_iter=8, solver="lbfgs").fit(X, Y))


def test_more_epochs_of_a_fit_that_is_made_anew_find_their_best_one_again(tmp_path):
    options = {"early_stopping": True, "refit_full": True, "n_iter_no_change": 50}
    make(max_iter=3, checkpoint=tmp_path / "a", **options).fit(X, Y)
    found = make(max_iter=12, checkpoint=tmp_path / "a", **options).fit(X, Y)

    assert_same_bits(found, make(max_iter=12, **options).fit(X, Y))


def test_what_has_stopped_by_itself_is_returned_with_more_epochs_too(tmp_path):
    options = {"tol": 10.0, "n_iter_no_change": 1, "checkpoint": tmp_path / "a"}
    first = make(max_iter=8, **options).fit(X, Y)
    found = make(max_iter=100, **options).fit(X, Y)

    assert first.n_iter_ < 8
    assert_same_bits(found, first)


@pytest.mark.parametrize(
    "parameters",
    [
        {"learning_rate": "cosine"},
        {"learning_rate": Cosine(), "warmup": 1},
        {"weight_decay_schedule": "cosine", "weight_decay": 0.1},
        {"dropout_schedule": "flat_cos", "dropout": 0.1},
        {"weight_averaging": SWA(start=0.5)},
    ],
    ids=str,
)
def test_more_epochs_are_refused_where_the_schedule_depends_on_them(parameters, tmp_path):
    make(max_iter=4, checkpoint=tmp_path / "a", **parameters).fit(X, Y)
    with pytest.raises(ValueError, match=r"checkpoint=.*max_iter=4, on which its schedule depends"):
        make(max_iter=8, checkpoint=tmp_path / "a", **parameters).fit(X, Y)


def test_fewer_epochs_than_there_have_been_are_refused(tmp_path):
    make(max_iter=4, checkpoint=tmp_path / "a").fit(X, Y)
    with pytest.raises(ValueError, match=r"checkpoint=.* has 4 epochs, more than max_iter=2"):
        make(max_iter=2, checkpoint=tmp_path / "a").fit(X, Y)


def test_epochs_that_do_not_depend_on_their_number_have_the_same_past():
    def solver(schedule):
        net = make(learning_rate=schedule)
        from sknn.estimators.settings import make_solver

        return make_solver(net)

    assert is_same_past(solver("constant"), 5, 10, 20)
    assert is_same_past(solver(lambda epoch: 0.9**epoch), 5, 10, 20)
    assert not is_same_past(solver("cosine"), 5, 10, 20)
    assert is_same_past(solver("cosine"), 1, 10, 20)  # the first epoch is the same in any case


# What is another fit.


@pytest.mark.parametrize(
    ("parameters", "data", "differing"),
    [
        ({"alpha": 0.1}, {}, "alpha"),
        ({"random_state": 1}, {}, "random_state"),
        ({"solver": SGD(0.1)}, {}, "solver"),
        ({"learning_rate": lambda epoch: 1.0, "alpha": 0.1}, {}, "alpha, learning_rate"),
        ({}, {"X": X + 1e-9}, "X"),
        ({}, {"X": X.astype(np.float32)}, "X"),
        ({}, {"y": (Y + 1) % 10}, "y"),
        ({}, {"y": Y.astype(str)}, "targets"),
        ({}, {"sample_weight": np.ones(300)}, "sample_weight"),
        ({}, {"X_val": X[:9], "y_val": Y[:9]}, "X_val, y_val"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_other_parameters_or_data_are_refused_by_name(parameters, data, differing, tmp_path):
    make(checkpoint=tmp_path / "a", max_iter=1).fit(X, Y)
    other = make(**{"checkpoint": tmp_path / "a", "max_iter": 1} | parameters)
    message = rf"checkpoint=.*other parameters or other data \({differing}\). Delete the file"
    with pytest.raises(ValueError, match=message):
        other.fit(**{"X": X, "y": Y} | data)


def test_a_class_derived_from_ours_is_another_fit(tmp_path):
    class Other(sknn.MLPClassifier):
        pass

    make(checkpoint=tmp_path / "a", max_iter=1).fit(X, Y)
    with pytest.raises(ValueError, match=r"checkpoint=.*\(estimator\)"):
        make(Other, checkpoint=tmp_path / "a", max_iter=1).fit(X, Y)


def power(epoch, base):
    return base**epoch


def test_functions_that_differ_in_what_they_hold_have_files_of_their_own(tmp_path):
    schedules = [functools.partial(power, base=base) for base in (1.0, 0.1)]
    schedules += [lambda epoch, base=base: base**epoch for base in (0.9, 0.2)]
    grid = {"learning_rate": schedules}

    def search(**options):
        net = make(hidden_layer_sizes=(4,), max_iter=3, learning_rate_init=0.01, **options)
        return GridSearchCV(net, grid, cv=2, refit=False).fit(X, Y).cv_results_

    for _ in range(2):  # the second one takes what it finds
        found = search(checkpoint=f"{tmp_path}/")["mean_test_score"]
        np.testing.assert_array_equal(found, search()["mean_test_score"])
    assert len(list(tmp_path.iterdir())) == 8


def test_what_does_not_matter_may_change(tmp_path, capsys):
    first = make(checkpoint=tmp_path / "a").fit(X, Y)
    found = make(checkpoint=tmp_path / "a", verbose=True, checkpoint_seconds=3).fit(X, Y)

    assert_same_bits(found, first)


def test_a_splitter_with_draws_of_its_own_goes_on(tmp_path):
    def options():
        splitter = ShuffleSplit(1, random_state=np.random.RandomState(4))
        return {"early_stopping": True, "validation_fraction": splitter}

    kept = make(checkpoint=tmp_path / "a", checkpoint_seconds=0, **options())

    assert_same_bits(fit_with_kills(kept, X, Y), make(**options()).fit(X, Y))


def test_a_warm_start_is_another_fit(tmp_path):
    net = make(max_iter=2, warm_start=True, checkpoint=f"{tmp_path}/").fit(X, Y)
    net.fit(X, Y)
    other = make(max_iter=2, warm_start=True).fit(X, Y).fit(X, Y)

    assert_same_bits(net, other)
    assert len(list(tmp_path.iterdir())) == 2


def test_partial_fit_leaves_the_file_alone(tmp_path):
    net = make(checkpoint=tmp_path / "a", max_iter=1).fit(X, Y)
    before = (tmp_path / "a").read_bytes()
    net.partial_fit(X, Y)

    assert (tmp_path / "a").read_bytes() == before


# Ctrl-C.


def test_ctrl_c_leaves_a_file_to_go_on_from(tmp_path):
    calls = []

    def interrupt(net, X, y):
        calls.append(1)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return float(len(calls))

    def score(net, X, y):
        return net.score(X, y)

    options = {"early_stopping": True, "n_iter_no_change": 99}
    score.__qualname__ = interrupt.__qualname__ = "score"
    kept = {"checkpoint": tmp_path / "a", "checkpoint_seconds": 0}
    with pytest.warns(UserWarning, match="interrupted"):
        make(scoring=interrupt, **kept, **options).fit(X, Y)
    tree, _ = read(tmp_path / "a")

    assert tree["trainings"]["first"]["state"]["n_iter"] == 4
    assert "has_finished" not in tree["trainings"]["first"]


# Searches.


@pytest.mark.parametrize("in_lockstep", [False, True])
def test_an_interrupted_search_takes_finished_fits_from_its_folder(in_lockstep, tmp_path):
    grid = {"alpha": [1e-4, 1.0], "max_iter": [4, 8]}
    folder = f"{tmp_path}/kept/"

    def search(**options):
        net = make(hidden_layer_sizes=(5,), **options)
        pipeline = make_pipeline(StandardScaler(), net)
        names = {f"mlpclassifier__{name}": values for name, values in grid.items()}
        return GridSearchCV(pipeline, names, cv=2, error_score="raise")

    whole = search().fit(X, Y)
    kept = search(checkpoint=folder, checkpoint_seconds=0)
    with sknn.lockstep() if in_lockstep else nullcontext():
        found = fit_with_kills(kept, X, Y, n_writes=(5, 8))

    for key in ("mean_test_score", "std_test_score"):
        np.testing.assert_array_equal(found.cv_results_[key], whole.cv_results_[key])
    assert_same_bits(found.best_estimator_[-1], whole.best_estimator_[-1])
    assert len(os.listdir(folder)) == 4 * 2 + 1


def test_a_search_run_again_trains_nothing(tmp_path, monkeypatch):
    net = make(checkpoint=tmp_path, max_iter=2)
    first = cross_val_score(net, X, Y, cv=KFold(3))
    monkeypatch.setattr(Stochastic, "minimize", lambda self, problems: 1 / 0)

    np.testing.assert_array_equal(cross_val_score(net, X, Y, cv=KFold(3)), first)


def test_lbfgs_begins_again_with_as_many_workers(tmp_path, monkeypatch):
    counts = []

    def count(theta, n_samples, n=3):
        counts.append(n)
        return n

    monkeypatch.setattr(lbfgs, "count_row_workers", count)
    kept = make(solver="lbfgs", checkpoint=tmp_path / "a")
    monkeypatch.setattr(Checkpoint, "finish", lambda *args: None)  # as if it had been killed
    kept.fit(X, Y)
    monkeypatch.setattr(lbfgs, "count_row_workers", lambda theta, n_samples: 1 / 0)
    kept.fit(X, Y)

    assert counts == [3]


@pytest.mark.parametrize("part", ["fingerprints", "trainings"])
def test_a_checkpoint_without_its_parts_is_refused(part, tmp_path):
    make(max_iter=1, checkpoint=tmp_path / "a").fit(X, Y)
    tree, header = read(tmp_path / "a")
    del tree[part]
    write(tmp_path / "a", tree, {"class": header["class"]})
    with pytest.raises(ValueError, match=r"checkpoint=.*cannot be read"):
        make(max_iter=1, checkpoint=tmp_path / "a").fit(X, Y)


def test_a_checkpoint_whose_state_is_none_is_refused(tmp_path):
    make(max_iter=1, checkpoint=tmp_path / "a").fit(X, Y)
    tree, header = read(tmp_path / "a")
    tree["trainings"]["first"]["state"] = {"~": "solvers.TrainingState", "strange": 1}
    write(tmp_path / "a", tree, {"class": header["class"]})
    with pytest.raises(ValueError, match=r"checkpoint=.*cannot be read"):
        make(max_iter=1, checkpoint=tmp_path / "a").fit(X, Y)


# Paths.


def test_a_folder_that_does_not_exist_is_refused_before_training(tmp_path):
    with pytest.raises(ValueError, match=r"checkpoint=.*a folder that does not exist"):
        make(checkpoint=tmp_path / "nowhere" / "a").fit(X, Y)


@pytest.mark.parametrize("content", [b"not a checkpoint", b"PK\x03\x04 nor this"])
def test_a_file_that_is_no_checkpoint_is_refused_and_left(content, tmp_path):
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(ValueError, match=r"checkpoint=.*cannot be read"):
        make(checkpoint=tmp_path / "a").fit(X, Y)
    assert (tmp_path / "a").read_bytes() == content


def test_an_empty_file_is_taken_over(tmp_path):
    (tmp_path / "a").touch()
    make(max_iter=1, checkpoint=tmp_path / "a").fit(X, Y)

    assert read(tmp_path / "a")[1]["class"] == "checkpoint"


def test_a_damaged_file_of_a_folder_is_made_anew(tmp_path):
    first = make(checkpoint=f"{tmp_path}/").fit(X, Y)
    [path] = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.warns(UserWarning, match=r"checkpoint=.*cannot be read.*begins anew"):
        second = make(checkpoint=f"{tmp_path}/").fit(X, Y)

    assert_same_bits(second, first)
    read(path)


def test_a_file_that_cannot_be_written_is_refused_before_training(tmp_path, monkeypatch):
    def refuse(*args):
        raise PermissionError("not here")

    monkeypatch.setattr(module, "write", refuse)
    monkeypatch.setattr(Stochastic, "minimize", lambda self, problems: 1 / 0)
    with pytest.raises(PermissionError, match="not here"):
        make(checkpoint=tmp_path / "a").fit(X, Y)


def test_a_full_disk_costs_the_file_and_not_the_fit(tmp_path, monkeypatch):
    writes, original = [], module.write

    def write(*args):
        writes.append(1)
        if len(writes) > 2:
            raise OSError(28, "No space left on device")
        original(*args)

    monkeypatch.setattr(module, "write", write)
    kept = make(checkpoint=tmp_path / "a", checkpoint_seconds=0)
    with pytest.warns(UserWarning, match=r"checkpoint=.*could not be written.*No space left"):
        kept.fit(X, Y)

    assert_same_bits(kept, make().fit(X, Y))
    read(tmp_path / "a")


def test_an_iterator_is_refused_since_it_cannot_be_told_from_others(tmp_path):
    splits = iter([(np.arange(100), np.arange(100, 178))])
    model = sknn.TabularMLPClassifier("fast", cv=splits, checkpoint=tmp_path / "a")
    with pytest.raises(ValueError, match=r"cv holds <list_iterator.*a checkpoint needs that"):
        model.fit(TABLE, WINES)


def test_a_model_is_no_checkpoint_and_a_checkpoint_no_model(tmp_path):
    net = make(max_iter=1, checkpoint=tmp_path / "a").fit(X, Y)
    sknn.save(net, tmp_path / "model")
    with pytest.raises(ValueError, match=r"checkpoint=.*is no checkpoint"):
        make(checkpoint=tmp_path / "model").fit(X, Y)
    with pytest.raises(ValueError, match="a checkpoint is passed to the estimator"):
        sknn.load(tmp_path / "a")


@pytest.mark.parametrize("parameters", [{"checkpoint": 3}, {"checkpoint_seconds": -1}], ids=str)
def test_parameters_are_checked(parameters):
    with pytest.raises(ValueError, match=next(iter(parameters))):
        make(**parameters).fit(X, Y)


def test_an_ensemble_by_the_clock_cannot_be_kept(tmp_path):
    model = sknn.TabularMLPClassifier("fast", max_time=5.0, checkpoint=tmp_path / "a")
    with pytest.raises(ValueError, match=r"checkpoint=.*max_time=5.0"):
        model.fit(TABLE, WINES)


# When it is written.


class Clock:
    """A clock that a test sets."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def open_one(path, seconds=10.0):
    return Checkpoint(path, seconds, {"alpha": 1.0, "X": X}, 8)


@pytest.fixture
def watched(clock, tmp_path):
    """Return a checkpoint that notes when it would keep and write."""
    kept = open_one(tmp_path / "a")
    kept.noted, kept.writes = [], []
    kept._note = lambda name, *args: kept.noted.append((clock.now, name))

    def write():
        kept.writes.append(clock.now)
        kept._written = clock.now
        kept._fresh.clear()

    kept.write = write
    return kept


def test_the_file_is_written_no_more_often_than_asked(clock, watched):
    for now in range(35):
        clock.now = float(now)
        watched.keep("one", lambda: None)

    assert watched.writes == [10.0, 20.0, 30.0]
    assert watched.noted == [(now, "one") for now in watched.writes]


def test_trainings_that_run_beside_each_other_are_written_together(clock, watched):
    for now in range(9, 14):
        clock.now = float(now)
        for name in ("one", "other"):
            watched.keep(name, lambda: None, alone=False)

    assert watched.noted == [(10.0, "one"), (10.0, "other")]
    assert watched.writes == [11.0]


def test_what_is_made_once_is_not_made_again(tmp_path):
    kept = open_one(tmp_path / "a")
    assert kept.once("rate", lambda: 0.5) == 0.5
    kept.write()

    assert open_one(tmp_path / "a").once("rate", lambda: 1 / 0) == 0.5


def test_seconds_of_all_runs_add_up(clock, tmp_path):
    kept = open_one(tmp_path / "a")
    clock.now = 7.0
    kept.write()
    again = open_one(tmp_path / "a")
    clock.now = 9.0
    again.write()

    assert again.seconds_before == 7.0
    assert open_one(tmp_path / "a").seconds_before == 9.0


def test_time_that_was_used_before_counts(tmp_path, monkeypatch):
    kept = make(max_iter=200, max_time=1000.0, checkpoint=tmp_path / "a", checkpoint_seconds=0)
    original = Checkpoint.write

    def write(self):
        self.seconds_before = 2000.0
        original(self)
        raise Killed

    monkeypatch.setattr(Checkpoint, "write", write)
    with pytest.raises(Killed):
        kept.fit(X, Y)
    monkeypatch.setattr(Checkpoint, "write", original)

    assert kept.fit(X, Y).n_iter_ == 1  # it finds that time is over


def test_warnings_of_a_fit_that_goes_on_are_its_own(tmp_path):
    kept = make(checkpoint=tmp_path / "a", checkpoint_seconds=0, max_iter=4)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit_with_kills(kept, X, Y, n_writes=(2,))

    assert sum("Maximum iterations (4) reached" in str(item.message) for item in caught) == 1
