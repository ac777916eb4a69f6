"""The laws of the house that can be checked by reading the code."""

import ast
import re
from pathlib import Path

import pytest

import sknn

ROOT = Path(sknn.__file__).parent
FLOORS = {
    "_names": -1,
    "_version": -1,
    "_constraints": 0,
    "_math": 0,
    "_warn": 0,
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
    "objective": 6,
    "summary": 6,
    "solvers": 7,
    "training": 8,
    "estimators": 9,
    "inspection": 10,
    "parallel": 10,
    "model_selection": 11,
    "__init__": 12,
}
FILES = sorted(ROOT.rglob("*.py"))
files = pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))


def imports_of(path):
    """Yield the dotted names that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            yield node.module


def room_of(path):
    """Return the room of a file: its folder below sknn, or its own name."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def find_violations(path, imported):
    """Return the imports of a file that do not lead strictly down, or stay in its room."""
    room = room_of(path)
    rooms = (name.split(".")[1] for name in imported if name.startswith("sknn."))
    return [other for other in rooms if other != room and FLOORS[other] >= FLOORS[room]]


@files
def test_rooms_import_only_from_lower_floors(path):
    assert find_violations(path, imports_of(path)) == []


def test_a_violation_would_be_found():
    assert find_violations(ROOT / "losses" / "x.py", ["sknn.solvers.lbfgs"]) == ["solvers"]
    assert find_violations(ROOT / "samples.py", ["sknn.architecture"]) == ["architecture"]


@files
def test_no_private_module_of_scikit_learn_or_scipy_is_imported(path):
    private = re.compile(r"^(sklearn|scipy)\..*\b_")
    assert [name for name in imports_of(path) if private.match(name)] == []


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


def test_every_floor_is_a_room():
    assert {room_of(path) for path in FILES} == set(FLOORS)
