import inspect
import types

import pytest
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import sknn
from sknn._links import DOCUMENTATION, page_of
from sknn.losses import Quantile
from sknn.model_selection import GridSearchCV, LearningRateSearchCV
from sknn.schedules import Cosine
from sknn.tabular import TableEncoder
from tests.test_docstrings import LISTED, load

TOOLTIP = 'class="param-doc-description"'
NEEDED = {
    "boundaries": [],
    "estimator": LogisticRegression(),
    "function": abs,
    "n_units": 2,
    "n_warmup": 2,
    "param_distributions": {},
    "param_grid": {},
    "schedule": Cosine(),
    "schedules": [Cosine()],
}
"""Values for parameters that have no default."""


def subclasses_of(cls):
    for sub in cls.__subclasses__():
        yield sub
        yield from subclasses_of(sub)


def is_ours(cls):
    return cls.__module__.startswith("sknn.") and not inspect.isabstract(cls)


# All rooms were imported where the listed names were collected.
CLASSES = sorted(filter(is_ours, {*subclasses_of(BaseEstimator)}), key=lambda cls: cls.__name__)
NAMES = {cls: name for name in LISTED if (cls := load(name)) in CLASSES}
WITH_PAGE = [cls for cls in CLASSES if cls in NAMES]

classes = pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
shown = pytest.mark.parametrize("cls", WITH_PAGE, ids=lambda cls: cls.__name__)


def link_of(cls):
    """Return where the diagrams of a class's instances link to."""
    return cls.__new__(cls)._get_doc_link()


def parameters_of(cls):
    return inspect.signature(cls).parameters


def make(cls):
    parameters = parameters_of(cls).values()
    return cls(**{p.name: NEEDED[p.name] for p in parameters if p.default is p.empty})


@pytest.mark.parametrize(
    ("cls", "page"),
    [
        (sknn.MLPClassifier, "sknn.MLPClassifier"),
        (sknn.TabularMLPRegressor, "sknn.TabularMLPRegressor"),
        (TableEncoder, "sknn.tabular.TableEncoder"),
        (Quantile, "sknn.losses.Quantile"),
        (GridSearchCV, "sknn.model_selection.GridSearchCV"),
        (LearningRateSearchCV, "sknn.model_selection.LearningRateSearchCV"),
    ],
)
def test_diagrams_link_to_the_page_under_the_public_name(cls, page):
    assert link_of(cls) == f"{DOCUMENTATION}/generated/{page}.html"


@classes
def test_there_is_a_link_where_there_is_a_page(cls):
    expected = f"{DOCUMENTATION}/generated/{NAMES[cls]}.html" if cls in NAMES else ""

    assert link_of(cls) == page_of(cls) == expected


def test_what_users_derive_has_no_link():
    module = types.ModuleType("users_module")
    source = "from sknn import MLPClassifier\nclass Mine(MLPClassifier):\n    pass\n"
    exec(source, vars(module))

    assert link_of(module.Mine) == ""
    assert DOCUMENTATION not in module.Mine()._repr_html_()


def test_a_class_that_is_not_found_under_its_name_has_no_page():
    hidden = type("MLPClassifier", (), {"__module__": "sknn.estimators.classifier"})

    assert page_of(hidden) == ""


def test_a_diagram_links_to_the_pages_of_all_of_its_steps():
    html = make_pipeline(TableEncoder(), sknn.MLPClassifier())._repr_html_()

    assert f'href="{page_of(TableEncoder)}"' in html
    assert f'href="{page_of(sknn.MLPClassifier)}"' in html


@shown
@pytest.mark.skipif(
    TOOLTIP not in LogisticRegression()._repr_html_(),
    reason="this scikit-learn has no tooltips",
)
def test_diagrams_say_what_the_parameters_mean(cls):
    html = make(cls)._repr_html_()

    for name in parameters_of(cls):
        assert f'"anchor-name: --doc-link-{name};"' in html, name
    assert html.count(TOOLTIP) >= len(parameters_of(cls))
