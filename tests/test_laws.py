"""The laws of the house that can be checked by reading the code."""

import ast
import graphlib
import re
from pathlib import Path

import pytest

import sknn

ROOT = Path(sknn.__file__).parent
FLOORS = {
    "_names": -1,
    "plain": -1,
    "container": 1,
    "_version": 0,
    "_constraints": 0,
    "_links": 0,
    "_math": 0,
    "_warn": 0,
    "operations": 0,
    "energy": 1,
    "ledger": 2,
    "_component": 1,
    "_random": 1,
    "_blas": 1,
    "_machine": 1,
    "_crew": 2,
    "activations": 2,
    "averaging": 2,
    "augmentation": 2,
    "initializers": 2,
    "penalties": 2,
    "schedules": 2,
    "parameters": 1,
    "losses": 2,
    "optimizers": 2,
    "publication": 2,
    "layers": 3,
    "targets": 3,
    "architecture": 4,
    "samples": 4,
    "network": 5,
    "streamed": 5,
    "data": 6,
    "objective": 6,
    "summary": 6,
    "solvers": 7,
    "training": 8,
    "estimators": 9,
    "inspection": 10,
    "tabular": 11,
    "parallel": 10,
    "dask": 10,
    "model_selection": 11,
    "export": 12,
    "persistence": 12,
    "__init__": 13,
}
FILES = sorted(ROOT.rglob("*.py"))
TESTS = Path(__file__).parent


def id_of(path):
    return str(path.relative_to(ROOT))


files = pytest.mark.parametrize("path", FILES, ids=id_of)
mirrored = pytest.mark.parametrize(
    "path", [path for path in FILES if path.stem != "__init__"], ids=id_of
)


def module_of(path):
    """Return the dotted name of a file; that of a room is the name of its __init__."""
    parts = ("sknn", *path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts).removesuffix(".__init__")


SOURCES = {module_of(path): path.read_text() for path in FILES}


def imports_of(source):
    """Yield the modules that a source imports, wherever it does, and the names from them."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import"
            if node.module != "sknn":  # "from sknn import _math" means the file only
                yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


# Floors


def room_of(module):
    """Return the room of a module: its folder below sknn, or its own name."""
    return [*module.split("."), "__init__"][1]


def find_violations(module, source):
    """Return the imports of a source that do not lead strictly down, or stay in its room."""
    room = room_of(module)
    rooms = {room_of(name) for name in imports_of(source) if name.split(".")[0] == "sknn"}
    # What is no room comes from the package's own __init__.
    floors = {other: FLOORS.get(other, FLOORS["__init__"]) for other in rooms - {room}}
    return sorted(other for other, floor in floors.items() if floor >= FLOORS[room])


@files
def test_rooms_import_only_from_lower_floors(path):
    module = module_of(path)

    assert find_violations(module, SOURCES[module]) == []


@pytest.mark.parametrize(
    ("module", "source", "expected"),
    [
        ("sknn.losses.x", "from sknn.solvers.lbfgs import LBFGS", ["solvers"]),
        ("sknn.losses.x", "import sknn.solvers.lbfgs", ["solvers"]),
        ("sknn.losses.x", "def f():\n    from sknn import solvers", ["solvers"]),
        ("sknn.samples", "from sknn.architecture import build_layers", ["architecture"]),
        ("sknn.samples", "from sknn import MLPClassifier", ["MLPClassifier"]),
        ("sknn.samples", "import sknn\nfrom sknn._math import Array", ["__init__"]),
        ("sknn.losses.x", "from sknn.losses.links import softmax\nimport numpy.linalg", []),
        ("sknn.losses.x", "from sknn import _math", []),
        ("sknn", "from sknn.estimators import MLPClassifier", []),
    ],
)
def test_a_violation_would_be_found(module, source, expected):
    assert find_violations(module, source) == expected


def test_every_floor_is_a_room():
    assert {room_of(module) for module in SOURCES} == set(FLOORS)


# Circles


def find_circle(sources):
    """Return the names of modules that import each other in a circle, or an empty list.

    ``from sknn.room import name`` imports the room's __init__ and, if there is one of that name, a
    module. The package's own __init__, which imports what users see, is left out.
    """
    modules = set(sources) - {"sknn"}
    graph = {name: modules & set(imports_of(sources[name])) - {name} for name in modules}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return error.args[1]
    return []


def test_files_do_not_import_each_other_in_a_circle():
    assert find_circle(SOURCES) == []


CIRCLES = {
    "two files": {"sknn.a": "import sknn.b", "sknn.b": "from sknn.a import f"},
    "within a room": {
        "sknn.room": "",
        "sknn.room.a": "from sknn.room.b import f",
        "sknn.room.b": "from sknn.room.c import f",
        "sknn.room.c": "from sknn.room.a import f",
    },
    "for types only": {
        "sknn.a": "if TYPE_CHECKING:\n    from sknn.b import B",
        "sknn.b": "from sknn.a import A",
    },
    "in a method": {
        "sknn.a": "class A:\n    def f(self):\n        from sknn.b import B",
        "sknn.b": "from sknn.a import A",
    },
    "by the own room": {
        "sknn.room": "from sknn.room.a import f",
        "sknn.room.a": "from sknn.room import g",
    },
    "by the name of a file": {
        "sknn.room": "",
        "sknn.room.a": "from sknn.room import b",
        "sknn.room.b": "import sknn.room.a as a",
    },
}


@pytest.mark.parametrize("sources", CIRCLES.values(), ids=CIRCLES)
def test_a_circle_would_be_found(sources):
    expected = {name for name in sources if name != "sknn.room" or "import" in sources[name]}

    assert set(find_circle(sources)) == expected


def test_what_is_no_circle_is_none():
    sources = {
        "sknn": "from sknn.room import f",
        "sknn.a": "import sknn",
        "sknn.room": "from sknn.room.b import f",
        "sknn.room.b": "from sknn.room.c import f\nfrom sknn import a\nimport sknn.room.b",
        "sknn.room.c": "from sknn.a import f",
    }

    assert find_circle(sources) == []


# Tests


def mirror_of(path):
    """Return where the tests of a file are."""
    folder = TESTS / path.relative_to(ROOT).parent
    return folder / f"test_{path.stem.lstrip('_')}.py"


@mirrored
def test_every_file_has_its_test_file(path):
    mirror = mirror_of(path)

    assert mirror.exists(), mirror
    assert "\ndef test_" in mirror.read_text()


def test_files_have_test_files_of_their_own():
    assert mirror_of(ROOT / "losses" / "_base.py") == TESTS / "losses" / "test_base.py"
    assert mirror_of(ROOT / "network.py") == TESTS / "test_network.py"
    mirrors = [mirror_of(path) for path in FILES if path.stem != "__init__"]
    assert len(set(mirrors)) == len(mirrors)


# Code


@files
def test_no_private_module_of_scikit_learn_or_scipy_is_imported(path):
    private = re.compile(r"^(sklearn|scipy)\..*\b_(?!_)")
    assert [name for name in imports_of(path.read_text()) if private.match(name)] == []


def count_code(node, lines):
    """Return how many lines of a module, class or function hold code: no docstring, no comment."""
    documentation = set()
    for inner in ast.walk(node):
        match getattr(inner, "body", None):
            case [*statements]:
                for statement in statements:
                    match statement:
                        case ast.Expr(value=ast.Constant(value=str())):
                            documentation.update(range(statement.lineno, statement.end_lineno + 1))
    first, last = getattr(node, "lineno", 1), getattr(node, "end_lineno", len(lines))
    code = (n for n in range(first, last + 1) if n not in documentation)
    return sum(
        lines[n - 1].strip() != "" and not lines[n - 1].strip().startswith("#") for n in code
    )


@files
def test_files_and_functions_are_short(path):
    text = path.read_text()
    lines, tree = text.splitlines(), ast.parse(text)
    assert count_code(tree, lines) <= 400
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name != "__init__":
            assert count_code(node, lines) <= 40, node.name
