"""Each name on the right-hand side of the tables in docs/migrating.rst is there and works."""

import ast
import importlib
import inspect
import re
import warnings
from pathlib import Path

import numpy as np
import pytest

import sknn
from sknn.schedules import Constant, Cosine

PAGE = Path(__file__).parents[1] / "docs" / "migrating.rst"
FAMILIES = ("activations", "augmentation", "averaging", "losses", "optimizers", "schedules")
COMPONENTS = {
    name: value
    for family in FAMILIES
    for name, value in vars(importlib.import_module(f"sknn.{family}")).items()
    if inspect.isclass(value)
}
GIVEN = {
    "batch_size": 20,
    "n_outputs": 1,
    "c": 0.01,
    "f": lambda epoch: 0.9**epoch,
    "a": Constant(),
    "b": Cosine(),
}
"""What the names stand for that a reader of the tables has to fill in."""

ESTIMATORS = (sknn.MLPClassifier, sknn.MLPRegressor)
X = np.random.default_rng(0).standard_normal((40, 3))
Y = (X[:, 0] > 0).astype(int)
SOFT = np.column_stack([Y, 1 - Y]).astype(float)


def read_cells(text):
    """Yield (sknn's cell, remark) for each row of the list tables, without their headers."""
    rows = re.findall(r"^   \* - (?:.|\n(?!   \* -|\n))*", text, re.M)
    for row in rows:
        cells = re.split(r"\n     - ?", row)
        assert len(cells) == 3, row
        if cells[1] != "sknn":
            yield cells[1], cells[2]


def read_codes():
    """Return the pieces of code on the right: of sknn's column all, of remarks the parameters."""
    codes = []
    for ours, remark in read_cells(PAGE.read_text()):
        found = re.findall(r"``(.+?)``", ours)
        assert found or ours.startswith("none") or ":class:" in ours, ours
        codes += found + re.findall(r"``(\w+=.+?)``", remark)
    return sorted(set(codes))


CODES = read_codes()


def parameters_of(code):
    """Return the parameters that a piece of code sets, or None if it is something else."""
    if not re.match(r"\w+=", code):
        return None
    keywords = ast.parse(f"f({code})", mode="eval").body.keywords
    scope = {**COMPONENTS, **GIVEN}
    return {
        keyword.arg: eval(compile(ast.Expression(keyword.value), "<table>", "eval"), scope)
        for keyword in keywords
    }


def fit_one(parameters):
    """Fit an estimator that has the parameters and takes their values."""
    known = [
        cls for cls in ESTIMATORS if parameters.keys() <= set(inspect.signature(cls).parameters)
    ]
    assert known, f"no estimator has all of {sorted(parameters)}"
    y = SOFT if parameters.get("target_type") == "soft" else Y
    errors = []
    for cls in known:
        try:
            return cls(**{"hidden_layer_sizes": (4, 4), "max_iter": 3} | parameters).fit(X, y)
        except ValueError as error:
            errors.append(error)
    raise errors[-1]


def test_the_tables_were_read():
    assert len(CODES) > 80
    assert {
        'max_iter=100, n_iter_no_change=float("inf")',
        "tol=0",
        "history_",
        "sknn.load(path)",
    } <= set(CODES)
    assert "fit(X, y, X_val=X_val, y_val=y_val)" in CODES


@pytest.mark.parametrize("code", [code for code in CODES if parameters_of(code) is not None])
def test_parameters_are_there_and_take_the_values(code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where a checkpoint is written to
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")

        fit_one(parameters_of(code))


def resolve(code):
    """Return what a piece of code calls or names: of a fitted network, or of the package."""
    name = re.match(r"[\w.]+", code)[0]
    if name.startswith("sknn."):
        value = sknn
        for part in name.split(".")[1:]:
            value = getattr(value, part)
        return value
    value = fit_one({"target_loss": 10.0})
    for part in name.split("."):
        value = getattr(value, part)
    return value


@pytest.mark.parametrize("code", [code for code in CODES if parameters_of(code) is None])
def test_attributes_and_calls_are_there(code):
    found = resolve(code)

    call = ast.parse(code, mode="eval").body
    if isinstance(call, ast.Call) and "pandas" not in type(found).__module__:
        keywords = {keyword.arg: None for keyword in call.keywords}
        inspect.signature(found).bind(*call.args, **keywords)


@pytest.mark.parametrize(
    ("code", "error"), [("epochs=3", AssertionError), ('activation="swish"', ValueError)]
)
def test_what_is_not_there_would_be_found(code, error):
    with pytest.raises(error):
        fit_one(parameters_of(code))


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_alpha_has_the_factor_of_the_page(kind):
    n, c = len(X), 0.05
    if kind == "classification":
        net = sknn.MLPClassifier((3,), solver="lbfgs", alpha=2 * n * c, random_state=0)
        p = net.fit(X, Y).predict_proba(X)
        theirs, ours = -np.log(p[np.arange(n), Y]).mean(), net.loss_
    else:
        net = sknn.MLPRegressor((3,), solver="lbfgs", alpha=n * c, random_state=0)
        theirs = ((net.fit(X, X[:, 1]).predict(X) - X[:, 1]) ** 2).mean()
        ours = 2 * net.loss_

    assert ours == pytest.approx(theirs + c * sum((coef**2).sum() for coef in net.coefs_))
