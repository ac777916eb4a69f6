"""Whether the parts of a fitted model that comes from a file fit together."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np


def try_out(model: Any) -> None:
    """Have what is fitted answer one row, so that parts which do not fit together are found now.

    Raises
    ------
    Exception
        Of any kind.
    """
    fitted = vars(model)
    with np.errstate(all="ignore"):
        if "_network" in fitted:
            trained = model._trained()
            trained.network.publication.check_shapes(trained.parameters)
            row = np.zeros((1, trained.network.n_features))
            trained.targets.predict(trained.raw_scores(row))
        elif "_ensemble" in fitted:
            answer, targets = model._answer(_gaps(model._ensemble.columns)), model._ensemble.targets
            if not targets.are_numbers:
                targets.decode(targets.decide(answer))
        elif "_columns" in fitted:
            model.encode(model._columns.read(_gaps(model._columns)))


def _gaps(columns: Any) -> Any:
    """Return a table with one row that has nothing."""
    import pandas as pd

    _check(columns)
    row = np.full((1, len(columns.names)), None)
    if not columns._has_names:
        return row
    return pd.DataFrame(row, columns=pd.Index(columns.names, tupleize_cols=False))


def _check(columns: Any) -> None:
    """Raise ValueError unless columns are of known kinds: gaps are read without a look at them."""
    from sknn.tabular.table import CATEGORY, CLOCK, DATE, NUMBER, PARTS

    dates = {name for name, kind in columns.kinds.items() if kind == DATE} - {*columns._empty}
    parts = columns._parts
    if (
        not set(columns.kinds.values()) <= {CATEGORY, CLOCK, DATE, NUMBER}
        or not dates == set(parts) == set(columns._first_dates)
        or not set(itertools.chain(*parts.values())) <= set(PARTS)
        or not all(levels.is_unique for levels in columns.levels)
    ):
        raise ValueError("the columns of its table do not fit together")
