"""What the tests of losses share: every form of every loss, and how to evaluate one."""

from typing import Any, NamedTuple

import numpy as np
import pytest

from sknn.losses import CLASSIFICATION_LOSSES, BinaryLogLoss, Focal, Grouped, LabelWeighted, LogLoss
from tests.cases import LOSS_CASES, make_targets, name_of


class Case(NamedTuple):
    """A loss and whether its targets may lie between 0 and 1."""

    loss: Any
    is_soft: bool = False

    def make(self, n_samples=8, n_outputs=3, seed=0):
        """Return raw scores and targets, output by output."""
        rng = np.random.default_rng(seed)
        if isinstance(self.loss, Grouped):
            y = np.hstack([make_targets(self.loss, n_samples, n, rng) for n in self.loss.sizes])
        elif self.is_soft and self.loss.out_activation == "softmax":
            y = rng.dirichlet(np.ones(n_outputs), n_samples)
        elif self.is_soft:
            y = rng.random((n_samples, n_outputs))
        else:
            y = make_targets(self.loss, n_samples, n_outputs, rng)
        n_raw = y.shape[1] * self.loss.raw_per_target
        return rng.standard_normal((n_raw, n_samples)), y.T


SOFT_CASES = [
    Case(CLASSIFICATION_LOSSES.resolve(name).for_targets(one_of_many, True), True)
    for name in CLASSIFICATION_LOSSES
    for one_of_many in (True, False)
]
CASES = [
    *map(Case, LOSS_CASES),
    *SOFT_CASES,
    Case(Grouped(LogLoss(), (2, 3))),
    Case(Grouped(Focal(), (2, 3))),
    Case(LabelWeighted(BinaryLogLoss(), (0.5, 3.0, 1.0))),
    Case(LabelWeighted(BinaryLogLoss(is_soft=True), (0.5, 3.0, 1.0)), True),
]

dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def id_of(case):
    """Return a readable test id."""
    inner = getattr(case.loss, "loss", None)
    return "-".join(
        [name_of(case.loss), *([name_of(inner)] if inner else []), *["soft"] * case.is_soft]
    )


grid = pytest.mark.parametrize("case", CASES, ids=id_of)


def evaluate(loss, raw, target, dtype=np.float64):
    """Return each sample's value and the gradient for unit weights."""
    raw, target = raw.astype(dtype), target.astype(dtype)
    record, scratch = np.empty_like(raw), np.empty((2, *raw.shape), dtype)
    constants = [np.asarray(value, dtype) for value in loss.constants()]
    loss.gradient(raw, target, np.ones((), dtype), record, scratch, *constants)
    return loss.values(record, target, scratch, *constants).copy(), raw
