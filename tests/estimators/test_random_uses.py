"""Estimators used at random, and what must hold whatever is done with them."""

import contextlib
import copy
import io
import os
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
from sknn import MLPClassifier
from sknn.tabular import TableEncoder
from tests.estimators.random_uses import (
    CLASSIFIERS,
    ESTIMATORS,
    NAMES,
    NETWORKS,
    POOLS,
    Use,
    draw,
)

OURS, THEIRS = Path(sknn.__file__).parent, Path(sklearn.__file__).parent
LEFT_TO_THEM = tuple(str(THEIRS / folder) for folder in ("metrics", "model_selection"))
"""Whose warnings are not ours: scorers and splitters that are called by us, with odd numbers."""

REFUSALS = (ValueError, TypeError, AttributeError)
"""What a step may raise; AttributeError where there is no such method or attribute."""

REFUSED = b"refused "

BLOCK = 100
SHORT = dict(zip(ESTIMATORS, (110, 110, 20, 20, 40), strict=True))
LONG = dict(zip(ESTIMATORS, (4000, 4000, 400, 400, 1200), strict=True))
"""How many uses each has in a short and in a long run."""


class Fault(AssertionError):
    """A law that a use has broken."""


def play(use, folder):
    """Run a use; return what each step has found, as bytes, or raise Fault."""
    space = NAMES | {"folder": folder}
    np.random.seed(use.number)  # noqa: NPY002, for random_state=None
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
    is_strict = not line.startswith("found = ") or is_within_reach(model, space)
    with only_meant_warnings(line, is_strict), contextlib.redirect_stdout(io.StringIO()):
        try:
            exec(line, space)
            error = None
        except Exception as caught_error:
            error = caught_error
    if error is not None:
        check_error(line, error)
        require(bits_of(model) == state, line, f"has failed and changed the model: {error}")
        return REFUSED + f"{type(error).__name__}: {error}".encode()
    if model is None or line.startswith("model.set_params("):
        return b""
    if line.startswith("model.") or ".fit" in line:
        require(parameters_of(model) == parameters, line, "has changed parameters")
        check_answers(line, model, space)
        return bits(answers_of(model, space))
    if line.startswith("model = ") and "clone(" not in line:
        check_same(line, model, answers, space)
    if line.startswith("model = "):
        if "trim" in line:  # which forgets the file of a checkpoint
            parameters = parameters_of(model.set_params(checkpoint=None))
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
def only_meant_warnings(line, is_strict=True):
    """Raise Fault at the end if something has been warned of that nobody has meant to say.

    That is any warning of NumPy; unless numbers may overflow, of which it may warn.
    """
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
    require(not (faults and is_strict), line, f"has warned of {'; '.join(faults[:1])}")


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
    parameters = {n: v for n, v in model.get_params().items() if n != "random_state"}
    if isinstance(parameters.get("checkpoint"), os.PathLike):  # in pickles it is a text
        parameters["checkpoint"] = os.fspath(parameters["checkpoint"])
    return bits(parameters)


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
    with only_meant_warnings(f"{line}; predict", is_near):
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
    if not (isinstance(model, NETWORKS) and is_fitted(model)):
        return True
    arrays = [*model.coefs_, *model.intercepts_, largest_of(space["X"]), largest_of(space["new"])]
    most = sum(np.log10(np.abs(array).max(initial=1)) for array in arrays)
    if model.out_activation_ == "exp":
        return most < 2
    return most < (25 if model.coefs_[0].dtype == np.float32 else 200)


def largest_of(X):
    """Return the largest numbers of rows; 1 where they are no numbers."""
    try:
        return np.abs(X.tocoo().data if sp.issparse(X) else np.asarray(X, float)).max(initial=1)
    except (TypeError, ValueError):
        return 1.0


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
        np.random.seed(0)  # noqa: NPY002, for random_state=None
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            try:
                each.partial_fit(space["X"], space["y"])
                after.append(bits(answers_of(each, space)))
            except REFUSALS as error:
                after.append(str(error).encode())
    require(after[0] == after[1], line, "goes on differently")


# The tests.


def check_use(use, folder):
    """Return what a use has found; raise Fault if it breaks a law, or differs when repeated."""
    first = play(use, fresh(folder))
    # What a folder of checkpoints has is gone on from, to the same bits.
    is_own = any(each in str(use) for each in ("random_state=None", "RandomState(", "max_time"))
    goes_on = "checkpoint=str(folder) + '/'" in str(use) and not is_own
    second = play(use, folder if goes_on else fresh(folder))
    if not any("max_time=1e-9" in step for step in use.steps):
        for line, one, other in zip(use.steps, first, second, strict=True):
            require(one == other, line, f"differs when it is repeated: {one!r}, {other!r}")
    return first


def fresh(folder):
    """Return an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def check_uses(Estimator, numbers, folder):
    """Assert that uses keep the laws, and that many of them come to train something."""
    faults, n_trained = [], 0
    for number in numbers:
        use = draw(Estimator, number)
        try:
            found = check_use(use, folder / "files")
        except Fault as fault:
            faults.append(f"{use}\n# {fault}")
            continue
        steps = zip(use.steps, found, strict=True)
        n_trained += any(".fit" in line and not f.startswith(REFUSED) for line, f in steps)
    assert not faults, "\n\n".join([f"{len(faults)} of {len(numbers)} uses:", *faults[:3]])
    assert n_trained > len(numbers) / 5


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_random_uses_keep_the_laws(Estimator, tmp_path):
    check_uses(Estimator, range(SHORT[Estimator]), tmp_path)


@pytest.mark.long
@pytest.mark.parametrize(
    ("Estimator", "start"),
    [(each, start) for each in ESTIMATORS for start in range(0, LONG[each], BLOCK)],
)
def test_many_random_uses_keep_the_laws(Estimator, start, tmp_path):
    check_uses(Estimator, range(start, min(start + BLOCK, LONG[Estimator])), tmp_path)


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_every_parameter_has_values_to_draw_from(Estimator):
    assert set(POOLS[Estimator]) == set(Estimator().get_params(deep=False))


DATA = ["X = make_X(0, (8, 2))", "y = make_y(0, 8, 'binary')", "new = make_X(1, (3, 2))"]
MADE = "model = MLPClassifier((3,), max_iter=2, random_state=0)"
BROKEN = {
    "has written to": ["model.fit(X, y); X[0] = 0"],
    "has raised": ["model.fit(X, y); 1 / 0"],
    "has come upon": ["model.fit(X, y)", "found = np.ones(2) @ np.ones(3)"],
    "has failed and changed": ["model.fit(X, y); model.predict(X[:, :1])"],
    "has warned of RuntimeWarning": ["model.fit(X, y); np.float64(1e300) * 1e300"],
    "has changed parameters": ["model.fit(X, y); model.alpha = 2"],
    "followed by wrong answers": ["model.fit(X, y); model.coefs_[0][:] = np.nan"],
    "answers differently": ["model.fit(X, y)", "model = model.trim(); model.coefs_[0][:] = 9"],
    "goes on differently": ["model.fit(X, y)", "model = copy.copy(model); model._state = None"],
    "has other parameters": ["model = clone(model); model.alpha = 2"],
    "differs when it is repeated": ["found = np.random.default_rng().random()"],
}


@pytest.mark.parametrize("law", BROKEN)
def test_a_broken_law_is_noticed(law, tmp_path):
    with pytest.raises(Fault, match=law):
        check_use(Use(MLPClassifier, 0, DATA, [MADE, *BROKEN[law]]), tmp_path / "files")


def test_a_use_is_told_as_a_program():
    program = str(draw(MLPClassifier, 5))

    assert program == str(draw(MLPClassifier, 5)) != str(draw(MLPClassifier, 6))
    assert program.startswith("# Use 5 of MLPClassifier")
    compile(program, "use", "exec")
