"""Estimators used at random, and what must hold whatever is done with them."""

import contextlib
import copy
import io
import pickle
import shutil
import traceback
import warnings
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn

import sknn
from sknn.tabular import TableEncoder
from tests.estimators.random_uses import (
    CLASSIFIERS,
    ESTIMATORS,
    NAMES,
    NETWORKS,
    POOLS,
    draw,
)

OURS, THEIRS = Path(sknn.__file__).parent, Path(sklearn.__file__).parent
REFUSALS = (ValueError, TypeError, AttributeError)
"""What a step may raise; AttributeError where there is no such method or attribute."""


LEFT_TO_THEM = tuple(str(THEIRS / folder) for folder in ("metrics", "model_selection"))


class Fault(AssertionError):
    """A law that a use has broken."""


def play(use, folder):
    """Run a use; return what it has found, a list of bytes, or raise Fault."""
    space = NAMES | {"folder": folder}
    np.random.seed(use.number % 2**32)
    for line in use.data:
        exec(line, space)
    given = {name: space[name] for name in space.keys() - NAMES.keys() - {"folder"}}
    before = bits(given)
    found = []
    for line in use.steps:
        found.append(take_step(line, space))
        require(bits(given) == before, line, "has written to what it was given")
    return found


def take_step(line, space):
    """Run a line; return what it has changed or found, as bytes."""
    model = space.get("model")
    state, parameters = bits_of(model), parameters_of(model)
    answers = answers_of(model, space) if line.startswith("model = ") else None
    space.pop("found", None)
    with only_meant_warnings(line), contextlib.redirect_stdout(io.StringIO()):
        try:
            exec(line, space)
            error = None
        except Exception as caught_error:
            error = caught_error
    if error is not None:
        check_error(line, error)
        require(bits_of(model) == state, line, f"has failed and changed the model: {error}")
        return f"{type(error).__name__}: {error}".encode()
    if model is None or line.startswith("model.set_params("):
        return b""
    if line.startswith("model.") or ".fit" in line:
        require(parameters_of(model) == parameters, line, "has changed parameters")
        check_answers(line, model, space)
        return bits(answers_of(model, space))
    if line.startswith("model = ") and "clone(" not in line:
        check_same(line, model, answers, space)
    if line.startswith("model = "):
        require(parameters_of(space["model"]) == parameters, line, "has other parameters")
    return bits(space.get("found"))


def require(is_kept, line, law):
    if not is_kept:
        raise Fault(f"{line}\n... {law}")


# Errors and warnings.


def check_error(line, error):
    """Raise Fault unless somebody has meant to raise an error, and has said why."""
    story = "".join(traceback.format_exception(error))
    if not isinstance(error, REFUSALS) or len(str(error)) < 15:
        raise Fault(f"{line}\n... has raised {story}")
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(OURS) or Path(frame.filename).is_relative_to(THEIRS)
    ]
    # scikit-learn's checks convert what they are given, which NumPy and pandas may refuse.
    is_meant = bool(frames) and (
        Path(frames[-1].filename).is_relative_to(THEIRS) or frames[-1].line.startswith("raise")
    )
    if not is_meant:
        raise Fault(f"{line}\n... has come upon {story}")


@contextlib.contextmanager
def only_meant_warnings(line):
    """Raise Fault at the end if something has been warned of that nobody has meant to say."""
    faults = []

    def look(message, category, *where):
        if issubclass(category, UserWarning) or category.__module__.startswith("sklearn."):
            return
        stack = traceback.extract_stack()[:-1]
        # What scikit-learn's scorers and splitters say of odd numbers is left to them.
        if not any(frame.filename.startswith(LEFT_TO_THEM) for frame in stack):
            faults.append(
                f"{category.__name__}: {message}\n{''.join(traceback.format_list(stack))}"
            )

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = look
        yield
    require(not faults, line, f"has warned of {'; '.join(faults[:1])}")


# Models.


def bits(value):
    """Return what tells a value from others."""
    if isinstance(value, dict):
        return pickle.dumps([(name, bits(value[name])) for name in sorted(value)])
    if isinstance(value, (list, tuple)):
        return pickle.dumps([type(value).__name__, *map(bits, value)])
    if isinstance(value, np.ndarray) and value.dtype != object:
        return pickle.dumps((value.dtype.str, value.shape, np.asarray(value).tobytes()))
    if sp.issparse(value):
        value = value.tocoo()
        return bits([value.data, value.row, value.col])
    if isinstance(value, np.ma.MaskedArray):
        return bits([value.data, value.mask])
    if hasattr(value, "__array__"):
        return pickle.dumps(np.asarray(value))
    if callable(value):
        return value.__qualname__.encode() if hasattr(value, "__qualname__") else b""
    if hasattr(value, "__dict__"):
        return bits([type(value).__qualname__, vars(value)])
    return pickle.dumps(value)


def bits_of(model):
    """Return all that a model holds; of random states only that there are some."""
    if model is None:
        return b""
    return pickle.dumps({name: v for name, v in vars(model).items() if name != "random_state"})


def parameters_of(model):
    if model is None:
        return b""
    return bits({n: v for n, v in model.get_params().items() if n != "random_state"})


def is_fitted(model):
    return any(name.endswith("_") for name in vars(model)) if model is not None else False


def answers_of(model, space):
    """Return what a model says of the data, and what has been published of its training."""
    if not is_fitted(model):
        return None
    answers = {
        name: value
        for name, value in vars(model).items()
        if name.endswith("_") and name not in ("_metadata_request",)
    }
    for data in ("X", "new"):
        for method in ("predict", "predict_proba", "predict_log_proba", "transform"):
            if hasattr(model, method):
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    try:
                        answers[f"{method}({data})"] = getattr(model, method)(space[data])
                    except REFUSALS as error:
                        answers[f"{method}({data})"] = str(error)
    return answers


def check_answers(line, model, space):
    """Raise Fault unless a fitted model answers with finite numbers."""
    is_near = is_within_reach(model, space)
    with only_meant_warnings(f"{line}; predict") if is_near else warnings.catch_warnings():
        if not is_near:
            warnings.simplefilter("ignore")
        for data in ("X", "new") if is_near else ("X",):
            try:
                check_answer(line, model, data, space[data])
            except REFUSALS as error:
                check_error(f"{line}; model.predict({data})", error)


def check_answer(line, model, data, X):
    what = f"is followed by wrong answers for {data}:"
    if isinstance(model, TableEncoder):
        found = np.asarray(model.transform(X))
        require(np.isfinite(found).all(), line, f"{what} {found}")
        return
    predicted = model.predict(X)
    if not isinstance(model, CLASSIFIERS):
        require(np.isfinite(predicted).all(), line, f"{what} {predicted}")
        return
    for each in listed(model.predict_proba(X)):
        require(((each >= 0) & (each <= 1)).all(), line, f"{what} {each}")
        if sums_to_one(model):
            require(np.abs(each.sum(axis=1) - 1).max() < 1e-5, line, f"{what} {each}")
    for each in listed(model.predict_log_proba(X)):
        require(np.isfinite(each).all(), line, f"{what} {each}")


def is_within_reach(model, space):
    """Whether no answer of a network can overflow, also for rows that it has not seen."""
    if not isinstance(model, NETWORKS):
        return True
    coefs = [np.abs(coef).max(initial=1) for coef in model.coefs_ + model.intercepts_]
    rows = [
        sp.csr_matrix(
            space[data].to_numpy() if hasattr(space[data], "to_numpy") else space[data], dtype=float
        ).data
        for data in ("X", "new")
    ]
    most = sum(map(np.log10, coefs)) + np.log10(max(np.abs(row).max(initial=1) for row in rows))
    return most < (25 if model.coefs_[0].dtype == np.float32 else 200)


def listed(value):
    return value if isinstance(value, list) else [value]


def sums_to_one(model):
    return type(model._targets).__name__ != "Labels"


def check_same(line, old, answers, space):
    """Raise Fault unless a copy says what the model has said, also after a further step."""
    new = space["model"]
    require(bits(answers_of(new, space)) == bits(answers), line, "answers differently")
    if "trim" in line or not hasattr(old, "partial_fit"):
        return
    after = []
    for each in (copy.deepcopy(old), copy.deepcopy(new)):
        np.random.seed(0)
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            try:
                each.partial_fit(space["X"], space["y"])
                after.append(bits(answers_of(each, space)))
            except REFUSALS as error:
                after.append(str(error).encode())
    require(after[0] == after[1], line, "goes on differently")


# The tests.


def find_faults(Estimator, numbers, folder):
    """Return what is wrong with some uses, in words."""
    faults = []
    for number in numbers:
        use = draw(Estimator, number)
        try:
            check_use(use, folder / str(number))
        except Fault as fault:
            faults.append(f"{use}\n# {fault}")
    return faults


def check_use(use, folder):
    """Raise Fault if a use breaks a law, or differs when it is repeated."""
    first, second = (play(use, fresh(folder)) for _ in range(2))
    if any("max_time=1e-9" in step for step in use.steps):
        return
    for line, one, other in zip(use.steps, first, second, strict=True):
        require(one == other, line, f"differs when it is repeated\n{one!r}\n{other!r}"[:2000])


def fresh(folder):
    """Return an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder
