import numpy as np
import pytest

from sknn.solvers import Stochastic
from sknn.solvers.stack import Stack
from sknn.tabular.course import shorten, train
from sknn.tabular.training import Training
from sknn.training import Hooks
from tests.tabular.fits import interrupt_after
from tests.tabular.tables import learn, left_over, make, rows
from tests.tabular.test_training import prepare


def test_trainings_are_shortened_alike():
    trainings = prepare("number", preset="fast", max_iter=10)
    whole = sum(10 * training.operations_per_epoch for training in trainings)

    shorten(trainings, whole / 2)
    assert [training.n_epochs for training in trainings] == [5] * len(trainings)
    shorten(trainings, 2 * whole)
    assert [training.n_epochs for training in trainings] == [5] * len(trainings)
    shorten(trainings, 1)
    assert [training.n_epochs for training in trainings] == [1] * len(trainings)


def test_networks_in_memory_are_trained_together(monkeypatch):
    trainings, sizes = prepare("number", preset="fast"), []
    minimize = Stochastic.minimize

    def note(solver, problems):
        sizes.append(len(problems))
        return minimize(solver, problems)

    monkeypatch.setattr(Stochastic, "minimize", note)
    train(trainings, [Hooks()] * len(trainings))

    assert sum(sizes) == 3 * len(trainings)
    assert len(sizes) <= len(trainings)


def test_networks_of_a_table_in_files_are_trained_one_by_one(monkeypatch, tmp_path):
    pytest.importorskip("pyarrow")
    alone, pose = [], Training._pose

    def note(training, *args, **hooks):
        alone.append(len(left_over(tmp_path)))
        return pose(training, *args, **hooks)

    monkeypatch.setattr(Training, "_pose", note)
    model = learn(make(max_iter=1), rows(folder=tmp_path))

    # Two kinds with two folds each; beside the table there is one file at a time.
    assert alone == [2] * 4
    assert [len(members.members) for members in model.members_] == [2, 2]


def test_epochs_of_a_table_in_files_are_told_of(capsys):
    pytest.importorskip("pyarrow")
    learn(make(max_iter=2, verbose=True), rows())

    lines = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in lines] == [
        f"Kind {kind} of 2: epoch {epoch} of 2" for kind in (1, 2) for epoch in (1, 2)
    ]


def test_ctrl_c_keeps_the_kinds_that_have_been_trained(monkeypatch, tmp_path):
    pytest.importorskip("pyarrow")
    interrupt_after(monkeypatch, 3)  # one epoch each for two folds of two kinds

    with pytest.warns(UserWarning, match="interrupted"):
        model = learn(make(max_iter=1), rows(folder=tmp_path))

    assert len(model.members_) == 1
    assert model.score(rows()) > 0.5
    assert left_over(tmp_path) == []


def test_ctrl_c_before_a_kind_has_been_trained_is_raised(monkeypatch, tmp_path):
    pytest.importorskip("pyarrow")
    interrupt_after(monkeypatch, 1)

    with pytest.warns(UserWarning, match="interrupted"), pytest.raises(KeyboardInterrupt):
        learn(make(max_iter=1), rows(folder=tmp_path))
    assert left_over(tmp_path) == []


def test_a_fit_from_files_that_died_goes_on(monkeypatch, tmp_path):
    pytest.importorskip("pyarrow")
    options = {"max_iter": 2, "checkpoint": tmp_path / "fit.sknn", "checkpoint_seconds": 0.0}
    expected = learn(make(max_iter=2), rows())
    run_epoch, epochs = Stack.run_epoch, []

    def die(stack):
        epochs.append(1)
        if len(epochs) == 6:  # in the third network of four
            raise SystemExit
        return run_epoch(stack)

    with monkeypatch.context() as patch:
        patch.setattr(Stack, "run_epoch", die)
        with pytest.raises(SystemExit):
            learn(make(**options), rows())
    epochs.clear()
    monkeypatch.setattr(Stack, "run_epoch", lambda stack: epochs.append(1) or run_epoch(stack))
    model = learn(make(**options), rows())

    assert len(epochs) == 3
    np.testing.assert_array_equal(model.oof_prediction_, expected.oof_prediction_)
