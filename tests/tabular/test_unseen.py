from dataclasses import replace

import numpy as np
import pytest

from sknn.tabular import unseen
from sknn.tabular.members import Fold, LeftOut
from sknn.tabular.table import Table
from sknn.tabular.unseen import Unseen, answer_unseen, find_judges, forget_folds
from tests.tabular.fits import X, fit, say_out_of_fold

NO_CODES = np.empty((90, 0), int)


class InFile:
    """A table that pretends to be in a file."""

    memory = 10**6

    def __len__(self):
        return 90

    def blocks(self):
        for rows in np.array_split(np.arange(90), 4):
            yield range(0), rows, Table(X[rows], NO_CODES[rows])


def kinds_of(model):
    """Return networks of which only the folds are their own."""
    return [
        replace(members, members=[replace(member) for member in members.members])
        for members in model.members_
    ]


def test_judges_are_those_that_have_not_seen_a_row():
    folds = [
        LeftOut(np.array([0, 3]), 5),
        Fold(np.array([0, 1]), np.array([3, 2])),
        Fold(np.array([0]), np.array([1])),
    ]

    np.testing.assert_array_equal(find_judges(folds, 5), [[0, 2, 1, 0, -1], [-1, -1, -1, 1, -1]])


@pytest.mark.parametrize("what", ["number", "numbers", "multiclass", "labels"])
def test_all_rows_are_answered_by_networks_that_have_not_seen_them(what):
    model = fit(what)

    found = Unseen(InFile(), kinds_of(model)).answer(model._ensemble)

    np.testing.assert_allclose(found, say_out_of_fold(model, X), rtol=1e-5, atol=1e-6)


def test_some_rows_are_answered_as_if_there_were_no_others():
    model = fit("number")
    some = np.array([3, 50, 51, 80])

    kinds = Unseen(InFile(), kinds_of(model)).among(some)
    answers = answer_unseen(kinds, Table(X[some], NO_CODES[some]))

    np.testing.assert_allclose(answers, model._answers[..., some], rtol=1e-5)
    held_out = [member.fold.held_out for member in kinds[0].members]
    np.testing.assert_array_equal(np.sort(np.concatenate(held_out)), np.arange(4))


def test_only_the_moments_that_count_are_asked():
    model = fit("number")
    asked = [[] for _ in model.members_]
    asked[0] = [0]

    answers = answer_unseen(kinds_of(model), Table(X, NO_CODES), asked)

    assert np.isfinite(answers[0]).all()
    assert np.isnan(answers[1:]).all()


def test_rows_that_judge_have_weight_and_come_from_all_over(monkeypatch):
    monkeypatch.setattr(unseen, "JUDGED_ROWS", 10)
    these, weight = Unseen(InFile(), kinds_of(fit("number"))), np.arange(90) % 2

    rows = these.choose_rows(weight)

    assert len(rows) == 10
    assert (rows % 2 == 1).all()
    assert (rows[0], rows[-1]) == (1, 89)
    np.testing.assert_array_equal(these.choose_rows(None)[[0, -1]], [0, 89])


def test_with_little_memory_few_rows_judge(monkeypatch):
    monkeypatch.setattr(unseen, "LEAST_JUDGED", 7)
    monkeypatch.setattr(InFile, "memory", 1000)

    assert len(Unseen(InFile(), kinds_of(fit("number"))).choose_rows(None)) == 7


def test_folds_are_forgotten():
    kinds = kinds_of(fit("number"))

    forget_folds(kinds)

    assert not any(len(m.fold.train) + len(m.fold.held_out) for k in kinds for m in k.members)
    assert len(fit("number").members_[0].members[0].fold.train)
