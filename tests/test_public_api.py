import importlib
import inspect
import pkgutil
import re
import subprocess
import sys

import numpy as np
import pytest
from numpydoc.docscrape import NumpyDocString

import sknn
from sknn._component import Component, Registry

MODULES = [
    importlib.import_module(info.name)
    for info in pkgutil.walk_packages(sknn.__path__, "sknn.")
    if not info.name.rpartition(".")[2].startswith("_")
]
CLASSES = sorted(
    {
        value
        for module in MODULES
        for name, value in vars(module).items()
        if inspect.isclass(value)
        and value.__module__.startswith("sknn.")
        and not name.startswith("_")
    },
    key=lambda cls: cls.__name__,
)
ESTIMATORS = [sknn.MLPClassifier, sknn.MLPRegressor]
OF_TABLES = [sknn.TabularMLPClassifier, sknn.TabularMLPRegressor]
CHOSEN = [*ESTIMATORS, *OF_TABLES, sknn.tabular.TableEncoder]
SPECS = [cls for cls in CLASSES if issubclass(cls, Component) or cls in CHOSEN]


def test_the_public_names_are_these():
    assert set(sknn.__all__) == {
        "MLPClassifier",
        "MLPRegressor",
        "TabularMLPClassifier",
        "TabularMLPRegressor",
        "__version__",
        "export",
        "inspection",
        "load",
        "lockstep",
        "metering",
        "persistence",
        "save",
    }
    assert set(sknn.__all__) <= set(dir(sknn))
    assert all(hasattr(sknn, name) for name in sknn.__all__)
    assert re.fullmatch(r"\d+\.\d+\.\d+", sknn.__version__)


def documented_defaults(cls):
    """Yield name and documented default of the parameters in a class docstring."""
    for parameter in NumpyDocString(inspect.getdoc(cls))["Parameters"]:
        found = re.search(r"default=(.+)$", parameter.type)
        for name in parameter.name.split(", "):
            yield name, found and found.group(1)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_classes_have_a_docstring_of_their_own(cls):
    assert vars(cls).get("__doc__")


@pytest.mark.parametrize("cls", SPECS, ids=lambda cls: cls.__name__)
def test_documented_defaults_are_those_of_the_signature(cls):
    signature = inspect.signature(cls).parameters
    documented = dict(documented_defaults(cls))
    assert list(documented) == [name for name in signature if name not in ("args", "kwargs")]
    for name, default in documented.items():
        if default is None:
            assert signature[name].default is inspect.Parameter.empty, name
        else:
            assert eval(default, {"inf": np.inf}) == signature[name].default, name


@pytest.mark.parametrize("cls", ESTIMATORS, ids=lambda cls: cls.__name__)
def test_documented_attributes_are_those_of_a_fitted_estimator(cls):
    import pandas as pd

    X = pd.DataFrame(np.random.default_rng(0).standard_normal((20, 3)), columns=list("abc"))
    model = cls(max_iter=300, early_stopping=True, random_state=0)
    model.set_params(normalization="layer", learning_rate_init="auto", front="scale")
    model.fit(X, X["a"] > 0)
    documented = {item.name for item in NumpyDocString(inspect.getdoc(cls))["Attributes"]}
    published = {name for name in vars(model) if name.endswith("_") and name[0] != "_"}

    assert documented == published | {"history_", "lr_find_", "training_report_"}


@pytest.mark.parametrize("cls", OF_TABLES, ids=lambda cls: cls.__name__)
def test_documented_attributes_are_those_of_a_fitted_ensemble(cls):
    import pandas as pd

    X = pd.DataFrame(np.random.default_rng(0).standard_normal((20, 3)), columns=list("abc"))
    model = cls(max_iter=1, cv=2).fit(X, X["a"] > 0)
    documented = {item.name for item in NumpyDocString(inspect.getdoc(cls))["Attributes"]}

    published = {n for n in vars(model) if n.endswith("_") and n[0] != "_"}
    assert documented == published | {"member_weights_", "members_", "training_report_"}


@pytest.mark.parametrize("cls", [*ESTIMATORS, *OF_TABLES], ids=lambda cls: cls.__name__)
def test_public_methods_say_what_they_take_and_return(cls):
    names = "fit", "partial_fit", "predict", "predict_proba", "predict_log_proba", "score"
    for name in (*names, "predict_interval", "predict_set"):
        method = inspect.getattr_static(cls, name, None)
        if method is None:
            continue
        method = getattr(method, "fn", method)
        sections = NumpyDocString(inspect.getdoc(method))
        documented = [item.name for item in sections["Parameters"]]
        assert documented == list(inspect.signature(method).parameters)[1:], name
        assert sections["Returns"], name


def test_registries_hold_documented_members():
    found = [v for module in MODULES for v in vars(module).values() if isinstance(v, Registry)]
    assert found
    for registry in found:
        for member in registry.values():
            assert vars(member).get("__doc__"), member


def run_python(code):
    """Return what a fresh interpreter prints."""
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout


WITHOUT_OTHERS = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name in ("pandas", "matplotlib", "pyarrow", "dask", "distributed"):
            raise ImportError(name)

sys.meta_path.insert(0, Refuse())
import numpy as np, sknn
X = np.eye(20)
sknn.MLPClassifier(max_iter=500, tol=1).fit(X, np.arange(20) % 2).predict(X)
print("done")
"""


def test_importing_and_fitting_needs_none_of_the_extras_and_no_pandas():
    assert run_python(WITHOUT_OTHERS).strip() == "done"


def test_importing_sknn_imports_little_more_than_scikit_learns_mlp():
    count = "import sys, {}; print(sum(not name.startswith('sknn') for name in sys.modules))"
    ours, theirs = (int(run_python(count.format(m))) for m in ("sknn", "sklearn.neural_network"))

    assert ours <= 1.02 * theirs
