"""The scripts in tests/typing, which `make types` gives to mypy and pyright."""

import ast
import importlib
import importlib.util
import inspect
from pathlib import Path

import pytest

import sknn
from sknn._component import Component
from sknn.model_selection import tools
from sknn.model_selection.cost import COSTS, CostName
from tests.test_docstrings import names_on_pages

FOLDER = Path(__file__).parent / "typing"
ROOMS = ("export", "inspection", "model_selection", "persistence", "tabular")
OF_COMPONENTS = (
    "activations",
    "augmentation",
    "averaging",
    "initializers",
    "losses",
    "optimizers",
    "penalties",
    "schedules",
)
TOOLS = ast.parse(Path(tools.__file__).read_text())


def names_used(path):
    """Return the names and attributes in a script, imports left out."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    return names | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def public_names():
    """Yield what users import: what has a page, rooms list, or is a component."""
    yield from (name.rpartition(".")[2] for name in names_on_pages())
    yield from sknn.__all__
    for room in ROOMS:
        yield from importlib.import_module(f"sknn.{room}").__all__
    for family in OF_COMPONENTS:
        module = importlib.import_module(f"sknn.{family}")
        for name, value in vars(module).items():
            is_theirs = inspect.isclass(value) and value.__module__.startswith(module.__name__)
            if name[0] != "_" and is_theirs and issubclass(value, Component):
                yield name


def test_the_script_uses_every_public_name():
    assert set(public_names()) - names_used(FOLDER / "user.py") == set()


def test_the_script_runs(capsys):
    plt = pytest.importorskip("matplotlib.pyplot")
    spec = importlib.util.spec_from_file_location("user", FOLDER / "user.py")
    user = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(user)
    user.main()
    plt.close("all")

    assert "Quantile" in capsys.readouterr().out


def test_each_mistake_is_to_be_flagged():
    lines = (FOLDER / "mistakes.py").read_text().splitlines()
    tree = ast.parse("\n".join(lines))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    for statement in (statement for function in functions for statement in function.body):
        assert "# pyright: ignore[" in lines[statement.lineno - 1], lines[statement.lineno - 1]


def test_checkers_see_modules_that_are_there():
    [block] = [node for node in ast.parse(inspect.getsource(sknn)).body if is_for_checkers(node)]
    for statement in block.body:
        for alias in statement.names:
            assert hasattr(sknn, alias.name), alias.name


def is_for_checkers(node):
    return (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Name)
        and node.test.id == "TYPE_CHECKING"
    )


def declared_for_checkers():
    """Yield the tools whose signatures only type checkers see, and these."""
    for node in TOOLS.body:
        if is_for_checkers(node):
            yield from ((function.name, function) for function in node.body)
        if isinstance(node, ast.ClassDef):
            for block in filter(is_for_checkers, node.body):
                yield from ((node.name, f) for f in block.body if f.name == "__init__")


SIGNATURES = list(declared_for_checkers())


@pytest.mark.parametrize(("name", "node"), SIGNATURES)
def test_signatures_for_checkers_are_those_of_scikit_learn(name, node):
    known = inspect.signature(getattr(tools, name)).parameters
    theirs = [p for p in known.values() if p.name != "fit_params"]  # of versions before 1.8
    positional = [each for each in node.args.args if each.arg != "self"]
    given = dict(zip(reversed(positional), reversed(node.args.defaults), strict=False))
    given |= dict(zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True))

    assert [each.arg for each in positional] == [
        p.name for p in theirs if p.kind is p.POSITIONAL_OR_KEYWORD
    ]
    assert {each.arg for each in node.args.kwonlyargs} == {
        p.name for p in theirs if p.kind is p.KEYWORD_ONLY
    }
    for argument, default in given.items():
        if default is not None and ast.unparse(default) != "...":
            assert ast.literal_eval(default) == known[argument.arg].default, argument.arg


def test_signatures_for_checkers_are_many():
    assert len(SIGNATURES) == 11


def test_costs_have_the_names_of_a_report():
    assert CostName.__args__ == COSTS
