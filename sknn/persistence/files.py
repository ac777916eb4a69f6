"""Estimators and components in files without pickle."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import sklearn
from sklearn.base import BaseEstimator, MetaEstimatorMixin

from sknn._component import Component
from sknn._version import Versioned, __version__
from sknn.container import TOO_DEEP, NewerFileError, read, understood, write
from sknn.estimators.words import Path
from sknn.persistence.foreign import Decoder, Encoder, OwnCodeError
from sknn.persistence.trial import try_out
from sknn.plain import as_plain, from_plain

RELEASE = re.compile(r"(\d{1,9})\.(\d{1,9})(?:\.|$)")
"""The first two numbers of a version."""

REQUESTS = "metadata_requests"
"""Under which key a file has what `set_fit_request` and its like have set."""


def save(estimator: Component | Versioned, path: Path, with_state: bool = True) -> None:
    """Store an estimator or a component in a file that anyone may open.

    The file is a zip of arrays in NumPy's format and of a JSON header, without pickle. What was at
    `path` is replaced at once: a process that is killed leaves the old file, or the new one.
    Callbacks are not stored, and neither is `checkpoint`, a path of this machine.

    Parameters
    ----------
    estimator : estimator or component of sknn
        Fitted or not.
    path : str or path-like
        Where to; ``.sknn`` is a good ending.
    with_state : bool, default=True
        Whether the training state is stored, too: moments of the optimizer and the like, with which
        `partial_fit` goes on to the same bits. Without it the file has little more than the
        parameters, see ``trim``.

    Raises
    ------
    ValueError
        If it is an estimator of somebody else, or holds what no file can; with its place.
    OSError
        If the file cannot be written.

    See Also
    --------
    sknn.load : Reads the file.
    sknn.export.to_onnx : A format for programs without Python.
    sknn.export.to_python : A module that needs NumPy alone.

    Examples
    --------
    >>> import os, tempfile
    >>> import sknn
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> X = X / X.max(axis=0)
    >>> net = sknn.MLPClassifier(
    ...     10, learning_rate_init=0.01, tol=0.01, random_state=0
    ... ).fit(X, y)
    >>> path = os.path.join(tempfile.mkdtemp(), "iris.sknn")
    >>> sknn.save(net, path)
    >>> same = sknn.load(path)
    >>> bool((same.predict_proba(X) == net.predict_proba(X)).all())
    True
    """
    if not isinstance(with_state, bool):
        raise ValueError(f"with_state must be True or False; got {with_state!r}.")
    if not isinstance(estimator, (Component, Versioned)) or isinstance(
        estimator, MetaEstimatorMixin
    ):
        raise _refusal(estimator)
    if not with_state and hasattr(estimator, "trim"):
        estimator = estimator.trim()
    write(path, _take_apart(estimator), {"sknn": __version__, "class": type(estimator).__name__})


def load(path: Path, components: Iterable[Any] = ()) -> Any:
    """Return the estimator or component that a file of `save` has.

    Only classes of sknn, scikit-learn's splitters and NumPy's random states are made from it, so no
    file can run code; sizes are checked before anything is allocated.

    Parameters
    ----------
    path : str or path-like
        The file.
    components : iterable of class or function, default=()
        Classes and functions of your own that the file may use, as losses, activations, scorers or
        schedules: they are found among these by their names.

    Returns
    -------
    estimator or component of sknn
        It predicts, and goes on training, to the same bits.

    Raises
    ------
    ValueError
        If the file is damaged or not of sknn, comes from a newer version, or needs code that is not
        among `components`.
    OSError
        If the file cannot be read.

    See Also
    --------
    sknn.save : Writes the file.
    sknn.persistence.TRUSTED_TYPES : What pickles and skops have to be allowed.

    Examples
    --------
    >>> import os, tempfile
    >>> import sknn
    >>> path = os.path.join(tempfile.mkdtemp(), "rule.sknn")
    >>> sknn.save(sknn.optimizers.Adam(beta_1=0.95), path)
    >>> sknn.load(path)
    Adam(beta_1=0.95)
    """
    decoder = Decoder(components)
    tree, header = read(path)
    return understood(path, lambda: _make(tree, decoder, str(header.get("sknn"))))


def _take_apart(estimator: Any) -> dict[str, Any]:
    """Return a tree of which the estimator can be made again."""
    encoder = Encoder()
    try:
        tree: dict[str, Any] = {"model": as_plain(estimator, encoder)}
    except RecursionError as error:
        raise ValueError(f"{TOO_DEEP}; this has more, or holds itself.") from error
    if requests := _requests_of(estimator):
        tree[REQUESTS] = requests
    try:
        _put_together(tree, Decoder(encoder.own.values()))
    except Exception as error:  # of somebody's attributes and classes anything may come
        raise ValueError(
            f"This {type(estimator).__name__} cannot be stored in a file, since it could not be "
            f"loaded again: {type(error).__name__}: {error}"
        ) from error
    return tree


def _release(version: str) -> tuple[int, ...]:
    """Return the numbers of a version that change with what a file may hold; none for others."""
    found = RELEASE.match(version)
    return () if found is None else tuple(map(int, found.groups()))


def _make(tree: Any, decoder: Decoder, version: str) -> Any:
    """Return what is in a file that a version of sknn has written."""
    if _release(version) > _release(__version__):
        raise NewerFileError(
            f"The file comes from sknn {version}, and this is {__version__}; update sknn to read "
            "it."
        )
    try:
        return _put_together(tree, decoder)
    except OwnCodeError:
        raise
    except Exception as error:
        if version == __version__:
            raise
        raise ValueError(
            f"{error}; it comes from sknn {version}, and this is {__version__}"
        ) from error


def _put_together(tree: Any, decoder: Decoder) -> Any:
    if not isinstance(tree, dict) or "model" not in tree:
        raise ValueError("it has no model; a checkpoint is passed to the estimator that wrote it")
    model = from_plain(tree["model"], decoder)
    if not isinstance(model, BaseEstimator):
        raise ValueError(
            f"it has a {type(model).__name__}, which is neither an estimator nor a component"
        )
    try_out(model)
    with sklearn.config_context(enable_metadata_routing=True):
        for method, requests in tree.get(REQUESTS, {}).items():
            getattr(model, f"set_{method}_request")(**requests)
    return model


def _requests_of(estimator: Any) -> dict[str, dict[str, Any]]:
    """Return what metadata each method asks for, where the user has said it."""
    if "_metadata_request" not in vars(estimator):
        return {}
    request = estimator._metadata_request
    methods = ("fit", "partial_fit", "predict", "score", "transform")
    asked = {name: dict(getattr(request, name).requests) for name in methods}
    return {name: requests for name, requests in asked.items() if requests}


def _refusal(estimator: Any) -> ValueError:
    if isinstance(estimator, type):
        return ValueError(f"save needs an instance; got the class {estimator.__name__}.")
    kind = type(estimator).__name__
    return ValueError(
        f"sknn.save stores estimators and components of sknn; got {kind}. Pipelines, searches and "
        "other estimators are for skops.io.dump, and for skops.io.load with "
        "trusted=sknn.persistence.TRUSTED_TYPES; or save the network inside."
    )


__all__ = ["OwnCodeError", "load", "save"]
