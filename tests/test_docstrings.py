"""What the documentation of public objects must have: numpydoc's rules, and which do not hold here.

Public is what has a page (docs/api) and what the rooms name in their ``__all__``.
"""

import dataclasses
import functools
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest
from numpydoc.docscrape import NumpyDocString, get_doc_object
from numpydoc.validate import validate

import sknn

API = sorted((Path(sknn.__file__).parent.parent / "docs" / "api").glob("*.rst"))

NOT_HERE = {
    "GL01": "a summary stands beside the opening quotes, as ruff wants it",
    "GL02": "a docstring of one line closes in that line",
    "ES01": "what a summary says completely needs no second paragraph",
    "RT02": "scikit-learn, too, names what is returned (self)",
}
"""Rules for nobody, and why."""

FOR_PAGES = {
    "SA01": "a method's neighbours are on its class's page, and what has no page is for the house",
    "EX01": "a class's example shows its methods",
}
"""Rules for classes and functions that have a page, and why for them only."""

REQUESTS = re.compile(r"set_\w+_request$")
"""Methods that scikit-learn makes, with documentation of its own."""


def names_on_pages():
    """Return the full names of what the API pages list."""
    text = "\n".join(path.read_text() for path in API)
    blocks = re.findall(r"^\.\. autosummary::\n((?:   .*\n|\n)+)", text, re.M)
    entries = (line.strip() for block in blocks for line in block.splitlines())
    names = [f"sknn.{entry}" for entry in entries if re.fullmatch(r"[\w.]+", entry)]
    data = re.findall(r"^\.\. py:currentmodule:: ([\w.]+)\n\.\. py:data:: (\w+)$", text, re.M)
    return names + [".".join(parts) for parts in data]


def names_in_rooms():
    """Yield the full names that the package and its rooms list as public."""
    rooms = (f"sknn.{info.name}" for info in pkgutil.iter_modules(sknn.__path__) if info.ispkg)
    for room in ("sknn", *rooms):
        for name in importlib.import_module(room).__all__:
            yield f"{room}.{name}"


@functools.cache
def load(name):
    """Return the object of a full name."""
    room, _, attribute = name.rpartition(".")
    try:
        return importlib.import_module(name)
    except ImportError:
        return getattr(load(room), attribute)


def is_documented_here(value):
    is_code = inspect.isclass(value) or inspect.isroutine(value)
    return is_code and value.__module__.startswith("sknn.")


def members_of(cls):
    """Yield the names of public methods and properties that a class documents itself.

    What overrides another one says the same, and inherits its documentation.
    """
    for name, member in vars(cls).items():
        # What decorators have made, as of methods that only some solvers have.
        member = getattr(member, "fn", member)
        is_method = inspect.isroutine(member) or isinstance(member, (classmethod, property))
        if name.startswith("_") or not is_method or REQUESTS.match(name):
            continue
        if member.__doc__ or not any(hasattr(base, name) for base in cls.__mro__[1:]):
            yield name


def collect():
    """Return the public names: of classes and functions, and of what classes have."""
    found, members = {}, {}
    for name in (*names_on_pages(), *names_in_rooms()):
        value = load(name)
        if is_documented_here(value):
            found.setdefault(value, name)
    classes = [value for value in found if inspect.isclass(value)]
    for cls in sorted(classes, key=lambda cls: len(cls.__mro__)):  # bases before what they share
        for base in cls.__mro__:
            if not base.__module__.startswith("sknn."):
                continue
            for name in members_of(base):
                is_own = inspect.getattr_static(cls, name) is vars(base)[name]
                if is_own or base not in found:
                    members.setdefault((base, name), f"{found[cls]}.{name}")
    return sorted(found.values()), sorted(members.values())


OBJECTS, MEMBERS = collect()
LISTED = set(names_on_pages())
PAGES = sorted(name for name in LISTED if is_documented_here(load(name)))


def is_wrapper(value):
    """Return whether scikit-learn's page is the one about it."""
    return value.__module__ == "sknn.model_selection.tools"


def is_contract(value):
    """Return whether it is what other classes, which have pages, have in common."""
    others = filter(inspect.isclass, map(load, PAGES))
    return inspect.isclass(value) and any(value in other.__mro__[1:] for other in others)


def fields_of(cls):
    """Return the names of a record's fields; empty for what is none."""
    if dataclasses.is_dataclass(cls):
        return [field.name for field in dataclasses.fields(cls)]
    return list(getattr(cls, "_fields", ()))


def find_errors(name):
    """Return what numpydoc has against the docstring of an object."""
    value, left_out = load(name), set(NOT_HERE)
    if name not in PAGES:
        left_out |= set(FOR_PAGES)
    elif is_contract(value) or is_wrapper(value):
        left_out.add("EX01")  # docs/extending.rst has them, or scikit-learn's page
    if fields_of(value):
        left_out.add("PR01")  # who meets a record reads its attributes
    errors = [error for error in validate(name)["errors"] if error[0] not in left_out]
    return errors + find_undocumented_fields(value)


def find_undocumented_fields(value):
    """Return the fields of a record that stand nowhere, or without type and description."""
    if not fields_of(value):
        return []
    documented = {}
    for base in reversed(value.__mro__):
        for item in NumpyDocString(inspect.cleandoc(vars(base).get("__doc__") or ""))["Attributes"]:
            documented |= dict.fromkeys(item.name.split(", "), item.type and item.desc)
    return [("PR01", field) for field in fields_of(value) if not documented.get(field)]


def test_public_objects_are_found():
    assert len(OBJECTS) > 150
    assert len(MEMBERS) > 150
    assert {"sknn.MLPClassifier", "sknn.lockstep", "sknn.ledger.TrainingReport"} <= set(PAGES)
    assert "sknn.model_selection.GridSearchCV" in OBJECTS
    assert "sknn.MLPClassifier.partial_fit" in MEMBERS
    assert set(PAGES) <= set(OBJECTS)


@pytest.mark.parametrize("name", OBJECTS)
def test_classes_and_functions_are_documented_by_the_rules(name):
    assert find_errors(name) == []


@pytest.mark.parametrize("name", MEMBERS)
def test_methods_and_properties_are_documented_by_the_rules(name):
    assert find_errors(name) == []


def neighbours_of(name):
    """Return the names in the section See Also."""
    sections = NumpyDocString(inspect.getdoc(load(name)))
    return [other for others, _ in sections["See Also"] for other, _ in others]


@pytest.mark.parametrize("name", [*PAGES, *(n for n in OBJECTS if is_wrapper(load(n)))])
def test_readers_are_led_to_neighbours_that_exist(name):
    neighbours = neighbours_of(name)

    assert 2 <= len(neighbours) <= 4
    assert name not in neighbours
    for neighbour in neighbours:
        value = load(neighbour)
        if neighbour.startswith("sknn.") and not inspect.ismodule(value):
            assert neighbour in LISTED or is_wrapper(value), neighbour


def undocumented(x):
    """does something"""
    return x


def test_what_is_wrong_would_be_found():
    codes = {code for code, _ in validate(get_doc_object(undocumented))["errors"]}

    assert {"SS02", "SS03", "PR01", "RT01", "SA01"} <= codes
