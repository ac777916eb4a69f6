"""Small ensembles that several files look at, what they say by hand, and a clock without haste."""

import time
from dataclasses import replace
from functools import cache

import numpy as np
from scipy.special import expit, logit, softmax

from sknn._crew import Crew
from sknn.solvers.stack import Stack
from sknn.tabular import TabularMLPClassifier, TabularMLPRegressor
from sknn.tabular.clock import Clock
from sknn.tabular.presets import PRESETS, Kind

SMALL = {"cv": 3, "max_iter": 4, "hidden_layer_sizes": (8,), "random_state": 0}

rng = np.random.default_rng(0)
X = rng.standard_normal((90, 3))
SCORES = X @ rng.standard_normal((3, 3)) + 0.3 * rng.standard_normal((90, 3))
KIND = Kind(numeric=("robust",))
GROUPS = np.repeat(np.arange(15), 6)
NEW = rng.standard_normal((40, 3))
NUMBERS = 5 + 3 * SCORES[:, 0]
TARGETS = {
    "number": NUMBERS,
    "numbers": SCORES,
    "binary": SCORES[:, 0] > 0,
    "multiclass": np.array(["a", "b", "c"])[SCORES.argmax(axis=1)],
    "labels": (SCORES > 0).astype(int),
    "several": np.column_stack([SCORES.argmax(axis=1), 3 + (SCORES[:, 0] > 0)]),
}


def use_preset(monkeypatch, *kinds, name="fast", **numbers):
    """Put an ensemble of some kinds in place of a preset's."""
    preset = replace(PRESETS[name], for_numbers=kinds, for_classes=kinds, **numbers)
    monkeypatch.setitem(PRESETS, name, preset)


def make(what, **parameters):
    """Return an estimator for some targets."""
    kind = TabularMLPRegressor if what.startswith("number") else TabularMLPClassifier
    return kind(**(SMALL | parameters))


@cache
def fit(what, **parameters):
    """Return an estimator that has been fitted to all rows; nobody changes it."""
    return make(what, **parameters).fit(X, TARGETS[what])


# What an ensemble says, by hand.


def say(estimator, table):
    """Return what each network of each kind says: a list of (n_members, n_raw, n_samples).

    The moments of a network are summed with their weights.
    """
    ensemble, answers = estimator._ensemble, []
    for k, members in enumerate(estimator.members_):
        numbers = estimator.member_weights_.loc[k]
        encoded = members.encoder.transform(table)
        of_kind = []
        for member in members.members:
            total = 0
            for moment in range(members.n_moments):
                views = members.network.layout.views(member.thetas[moment])
                raw = members.network.predict(encoded, views).astype(np.float64)
                total = total + numbers["weight"][moment] * _answer(
                    raw, member.unit, numbers.get("temperature", {moment: 1})[moment], ensemble
                )
            of_kind.append(total)
        answers.append(np.stack(of_kind))
    return answers


def _answer(raw, unit, temperature, ensemble):
    targets = ensemble.targets
    if targets.are_numbers:
        numbers = raw * unit.spread[:, np.newaxis] + unit.center[:, np.newaxis]
        return np.clip(numbers, unit.lowest[:, np.newaxis], unit.highest[:, np.newaxis])
    if targets.loss.out_activation == "logistic":
        return expit(raw / temperature)
    parts = targets.split(raw) if hasattr(targets, "split") else [raw]
    return np.concatenate([softmax(part / temperature, axis=0) for part in parts])


def say_unseen(estimator, row, answers):
    """Return what the networks that have not seen a training row say of some rows, or None."""
    parts = []
    for members, of_kind in zip(estimator.members_, answers, strict=True):
        judges = [row not in set(member.fold.train.tolist()) for member in members.members]
        held_out = [row in set(member.fold.held_out.tolist()) for member in members.members]
        chosen = np.flatnonzero(np.logical_and(judges, held_out))
        if not chosen.size:
            return None
        parts.append(of_kind[chosen].mean(axis=0))
    return sum(parts)


def say_out_of_fold(estimator, table):
    """Return what an ensemble says of its training rows, (n_raw, n_samples); NaN if nothing."""
    answers = say(estimator, table)
    columns = []
    for row in range(len(table)):
        of_row = say_unseen(estimator, row, [a[..., row : row + 1] for a in answers])
        columns.append(np.full(answers[0].shape[1:2], np.nan) if of_row is None else of_row[:, 0])
    return np.stack(columns, axis=1)


def publish(estimator, answer, out_of_fold=False):
    """Return an answer (n_raw, n_samples) as it is published, (n_samples, n_columns).

    Mean probabilities have a temperature of their own. Of two classes both have a column.
    """
    targets, blend = estimator._ensemble.targets, estimator._ensemble.blend
    if targets.are_numbers:
        return answer.T
    temperature = blend.temperature_out_of_fold if out_of_fold else blend.temperature
    if targets.loss.out_activation == "logistic":
        p = expit(logit(answer) / temperature)
        return np.stack([1 - p[0], p[0]], axis=1) if len(p) == 1 else p.T
    parts = targets.split(answer) if hasattr(targets, "split") else [answer]
    return np.concatenate([softmax(np.log(part) / temperature, axis=0) for part in parts]).T


# Time.


class Machine:
    """Time that passes only while networks are trained: so much for each step of each.

    Attributes
    ----------
    seconds : float
        What has passed.
    n_epochs : int
        How many epochs stacks have run.
    """

    def __init__(self, monkeypatch, seconds_per_step):
        self.seconds, self.n_epochs, self.is_slower_by = 0.0, 0, 1.0
        self._pending = 0.0
        run_epoch, run = Stack.run_epoch, Crew.run

        def run_epoch_here(stack):
            training = [model for model in stack.models if model.is_training]
            n_steps = sum(max(1, m.problem.n_samples // m.batch_size) for m in training)
            self._pending += self.is_slower_by * seconds_per_step * n_steps
            self.n_epochs += 1
            return run_epoch(stack)

        def run_here(crew, phases):
            # The steps of an epoch are run together, after the schedules have been asked.
            self.seconds, self._pending = self.seconds + self._pending, 0.0
            return run(crew, phases)

        monkeypatch.setattr(Stack, "run_epoch", run_epoch_here)
        monkeypatch.setattr(Crew, "run", run_here)
        monkeypatch.setattr(time, "perf_counter", self.now)
        monkeypatch.setattr(Clock.__init__, "__defaults__", (self.now,))

    def now(self):
        """Return the time in seconds."""
        return self.seconds


def interrupt_after(monkeypatch, n_epochs):
    """Press Ctrl-C in the epoch of a stack that comes after so many; return which epochs ran."""
    run_epoch, epochs = Stack.run_epoch, []

    def run(stack):
        epochs.append(len(stack.models))
        if len(epochs) == n_epochs + 1:
            raise KeyboardInterrupt
        return run_epoch(stack)

    monkeypatch.setattr(Stack, "run_epoch", run)
    return epochs
