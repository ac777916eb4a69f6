"""Targets as formulas: what an estimator answers to raw scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from sknn._math import Array
from sknn.export.formula import (
    Value,
    arg_max,
    cast,
    concatenate,
    look_up,
    never_zero,
    reshape,
    take,
)
from sknn.export.links import invert_link
from sknn.export.refusal import of_package
from sknn.targets import Classes, Labels, Numbers, Probabilities, SeveralClasses, Targets


class Answers(NamedTuple):
    """What an estimator answers.

    Attributes
    ----------
    prediction : Value
        Labels of shape (n_samples, *shape), or numbers; of these (n_samples, 1) is a single one.
    shape : tuple of int
        Of what `predict` returns for a sample.
    labels : dtype or None
        That of labels; None of numbers.
    probabilities : list of Value
        For each target (n_samples, n_classes), or of all labels; none of numbers.
    widths : list of int
        How many columns they have.
    """

    prediction: Value
    shape: tuple[int, ...]
    labels: Any = None
    probabilities: Sequence[Value] = ()
    widths: Sequence[int] = ()


@dataclass(frozen=True)
class Model:
    """A fitted estimator.

    Attributes
    ----------
    raw : Value
        The raw scores, or numbers, of shape (n_samples, n_raw).
    answers : Answers
        What is made of them.
    columns : list or None
        The names of the columns of a table; None for a matrix.
    names : list or None
        The names that the columns of a matrix had in fit; None if they had none.
    """

    raw: Value
    answers: Answers
    columns: list[Any] | None = None
    names: list[str] | None = None


def answer(raw: Value, targets: Targets) -> Answers:
    """Return what an estimator answers to raw scores (n_samples, n_raw)."""
    return of_package(targets, ANSWERS, "y")(raw, targets)


def _numbers(raw: Value, targets: Numbers) -> Answers:
    n_targets, loss = targets.n_outputs, targets.loss
    shape: tuple[int, ...] = (n_targets,) if n_targets > 1 else ()
    if loss.score_levels:
        shape += (len(loss.score_levels),)
    return Answers(invert_link(raw, loss, n_targets), shape)


def _classes(raw: Value, targets: Classes) -> Answers:
    labels = as_labels(targets.classes)
    if targets.has_one_class:
        first = arg_max(raw)  # of one column
        certain = look_up(np.ones((1, 1)), first, "certain")
        return Answers(look_up(labels, first, "classes"), (), labels.dtype, [certain], [1])
    if targets.is_one_of_many:
        return _one_of_many(raw, targets)
    both = concatenate([raw * -1.0, raw])
    is_second = invert_link(raw, targets.loss, 1) > 0.5
    second = reshape(cast(is_second, "int64"), ())
    probability = never_zero(invert_link(both, targets.loss, 2))
    return Answers(look_up(labels, second, "classes"), (), labels.dtype, [probability], [2])


def _one_of_many(raw: Value, targets: Classes | Probabilities) -> Answers:
    labels, n_classes = as_labels(targets.classes), targets.n_outputs
    probability = invert_link(raw, targets.loss, n_classes).called("p")
    prediction = look_up(labels, arg_max(probability), "classes")
    return Answers(prediction, (), labels.dtype, [never_zero(probability)], [n_classes])


def _labels(raw: Value, targets: Labels) -> Answers:
    n_labels = targets.n_outputs
    probability = invert_link(raw, targets.loss, n_labels).called("p")
    prediction, dtype = cast(probability > 0.5, "int64"), np.dtype(np.int64)
    return Answers(prediction, (n_labels,), dtype, [never_zero(probability)], [n_labels])


def _several(raw: Value, targets: SeveralClasses) -> Answers:
    together = invert_link(raw, targets.loss, targets.n_outputs).called("p")
    # Stacked labels have one dtype.
    dtype = as_labels(np.concatenate(targets.classes)).dtype
    columns, probabilities, first = list[Value](), list[Value](), 0
    for classes in targets.classes:
        part = take(together, range(first, first + len(classes))).called("part")
        labels = as_labels(classes.astype(dtype))[:, np.newaxis]
        columns.append(look_up(labels, arg_max(part), "classes"))
        probabilities.append(never_zero(part))
        first += len(classes)
    shape = (len(columns),)
    return Answers(concatenate(columns), shape, dtype, probabilities, targets.sizes)


def as_labels(classes: Array) -> Array:
    """Return classes as they can be written down: bools, numbers or words."""
    if classes.dtype.kind in "biufU":
        return classes
    items = classes.tolist()
    if all(isinstance(label, str) for label in items):
        return np.array([str(label) for label in items])
    for kind in (bool, int, float):
        if all(type(label) is kind for label in items):
            return np.array(items)
    strange = next((label for label in items if not isinstance(label, str)), items[0])
    raise ValueError(
        f"y has the class {strange!r} of type {type(strange).__name__}, which cannot be exported: "
        "classes must be words, numbers or bools, all of one kind."
    )


ANSWERS: dict[type, Callable[[Value, Any], Answers]] = {
    Classes: _classes,
    Labels: _labels,
    Numbers: _numbers,
    Probabilities: _one_of_many,
    SeveralClasses: _several,
}
"""What is answered by targets of each kind."""
