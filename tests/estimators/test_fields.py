"""Parameters that are declared in classes: what is inherited, and what is documented."""

import inspect
import subprocess
import sys
import typing

from numpydoc.docscrape import NumpyDocString

from sknn._constraints import Interval
from sknn.estimators.fields import Declared, estimator, param, with_parameters


def section(cls, title):
    """Return the entries of a section of a class docstring by name."""
    return {item.name: item for item in NumpyDocString(inspect.getdoc(cls))[title]}


@with_parameters
class Base(Declared):
    """A base.

    Attributes
    ----------
    one_ : int
        First.
    """

    first: int = param(default=1, type="int", doc="The first.", kw_only=False)
    second: float = param(default=2.0, type="float", allowed=[Interval(int, 0, 9)], doc="A number.")


@with_parameters
class Special(Base):
    """Changes a part, and adds something."""

    third: str = param(default="x", type="str", doc=f"In ``{'a ' * 60}b`` nothing breaks.")
    second: float = param(default=3.0, doc="Another number.")


@estimator
class Thing(Special):
    """A thing.

    Examples
    --------
    None.
    """


def test_a_class_may_change_a_part_of_a_parameter():
    base, special = Base._declared["second"], Special._declared["second"]

    assert (base.default, special.default) == (2.0, 3.0)
    assert (special.type, special.allowed) == (base.type, base.allowed)
    assert special.doc == "Another number."
    assert Base._declared.keys() == {"first", "second"}


def test_what_is_special_follows_what_is_given_by_position():
    assert str(inspect.signature(Thing)) == (
        "(first: int = 1, *, second: float = 3.0, third: str = 'x') -> None"
    )
    types = {"first": int, "second": float, "third": str, "return": type(None)}
    assert typing.get_type_hints(Thing.__init__) == types
    assert vars(Thing(5, third="y")) == {"first": 5, "second": 3.0, "third": "y"}
    assert (Thing.first, Thing.second) == (1, 3.0)


def test_code_is_not_broken_into_lines():
    assert f"    ``{'a ' * 60}b``\n" in Thing.__doc__
    assert Thing.__doc__.count('third : str, default="x"\n') == 1


def test_sections_are_put_before_others():
    assert list(section(Thing, "Attributes")) == ["one_"]
    assert Thing.__doc__.startswith("A thing.\n\nParameters\n----------\nfirst : int, default=1\n")
    assert Thing.__doc__.endswith("\n\nExamples\n--------\nNone.\n")


def test_without_docstrings_there_are_none():
    code = "import sknn; print(sknn.MLPClassifier.__doc__, sknn.MLPRegressor(alpha=3))"
    run = [sys.executable, "-OO", "-c", code]

    assert subprocess.check_output(run, text=True).strip() == "None MLPRegressor(alpha=3)"
