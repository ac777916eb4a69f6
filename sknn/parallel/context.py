"""The context in which scikit-learn's tools train their networks together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral
from typing import Any

import joblib
from joblib.parallel import get_active_backend

from sknn.parallel.backend import LockstepBackend


@contextmanager
def lockstep(
    memory: float | str = "256MB", *, n_jobs: int | None = None, backend: Any = None
) -> Iterator[None]:
    """Train the networks of searches, cross-validations and ensembles together.

    Within the context every tool that hands its work to joblib trains its networks in lockstep:
    each task runs until its fit would start to train, and when all wait, their networks are
    trained as stacks, at a fraction of the cost of one after the other. The answers are those
    that the same tool gives outside the context, for an integer ``random_state``: equal scores,
    and weights equal to rounding error. Networks that share a stack have the same layers,
    activation, loss, solver, batch size, number of full batches and dtype; learning rate, alpha
    and all other numbers may differ. Everything else (``solver="lbfgs"``, sparse X, other
    estimators) simply runs, one task after the other.

    The ``n_jobs`` of tools inside the context is ignored, and the times they report include the
    waiting. ``partial_fit`` is not affected.

    Parameters
    ----------
    memory : float or str, default="256MB"
        Bytes that the rows of waiting tasks, and the working set of a stack, should not exceed,
        in each worker: a positive number or a str such as "256MB" or "1GiB".
    n_jobs : int, default=None
        Number of workers that share the tasks, each with a meeting of its own; -1 for as many
        as there are cores. None means what `backend` has by default: 1 for the calling process
        and for joblib's own backends, all workers of a Dask cluster.
    backend : str or joblib backend, default=None
        Where the workers come from, such as "loky", "threading" or "dask"; None for joblib's
        default, "loky".

    Yields
    ------
    None
        The context has no object of its own.

    Raises
    ------
    ValueError
        If a parameter is not valid.

    See Also
    --------
    sknn.model_selection.GridSearchCV : Enters the context by itself, as all tools there do.
    sknn.model_selection.LearningRateSearchCV : Finds a learning rate in lockstep.
    joblib.parallel_config : The context of joblib that this one sets.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import GridSearchCV
    >>> import sknn
    >>> X, y = load_iris(return_X_y=True)
    >>> classifier = sknn.MLPClassifier(10, random_state=0, tol=1e-2)
    >>> rates = {"learning_rate_init": [0.001, 0.01, 0.1]}
    >>> search = GridSearchCV(classifier, rates)
    >>> with sknn.lockstep():
    ...     search.fit(X, y)
    GridSearchCV(...)
    >>> search.best_params_
    {'learning_rate_init': 0.1}
    """
    with joblib.parallel_config(backend=_make_backend(memory, n_jobs, backend), n_jobs=None):
        yield


def _check_n_jobs(n_jobs: Any) -> None:
    if n_jobs is not None and (
        isinstance(n_jobs, bool) or not isinstance(n_jobs, Integral) or n_jobs == 0
    ):
        raise ValueError(
            "The 'n_jobs' parameter of lockstep must be None, a positive int, or a negative one "
            f"that counts from all cores. Got {n_jobs!r} instead."
        )


def _make_backend(memory: Any, n_jobs: Any, backend: Any) -> LockstepBackend:
    _check_n_jobs(n_jobs)
    if backend is None and n_jobs in (None, 1):
        return LockstepBackend(memory)
    with joblib.parallel_config(backend="loky" if backend is None else backend) as config:
        # What joblib has made of the name.
        backend = config["backend"]
        has_workers = joblib.effective_n_jobs(n_jobs) > 1
    return LockstepBackend(memory, (n_jobs, backend) if has_workers else None)


@contextmanager
def ambient_lockstep(n_jobs: Any) -> Iterator[None]:
    """Train in lockstep what a tool with its own `n_jobs` does, on the ambient joblib backend.

    Parameters
    ----------
    n_jobs : int or None
        What the tool was given; None is the ambient number of jobs.

    Yields
    ------
    None
        The context has no object of its own.
    """
    backend, ambient_n_jobs = get_active_backend()
    if isinstance(backend, LockstepBackend):
        yield
        return
    n_jobs = ambient_n_jobs if n_jobs is None else n_jobs
    if not isinstance(n_jobs, Integral) or n_jobs == 0:
        n_jobs = None  # if it is wrong, the tool will say so
    with lockstep(n_jobs=n_jobs, backend=backend):
        yield
