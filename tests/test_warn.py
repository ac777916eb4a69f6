import warnings
from functools import partial

import pytest

from sknn._warn import warn


def within(module, function):
    """Return a function that calls another one from a line of a module of that name."""
    scope = {"__name__": module}
    exec(compile("def call(function):\n    return function()\n", module, "exec"), scope)
    return partial(scope["call"], function)


def caught(function):
    """Return the only warning of a call."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        function()
    [warning] = found
    return warning


def test_a_warning_points_at_the_caller_of_warn():
    warning = caught(lambda: warn("careful"))

    assert warning.filename == __file__
    assert warning.category is UserWarning
    assert str(warning.message) == "careful"


@pytest.mark.parametrize(
    "inside",
    [["sknn.a"], ["sknn.a", "sknn.b.c", "sknn"], ["sknn.a", "sklearn.callback._x", "sknn.b"]],
    ids=str,
)
def test_lines_of_the_package_are_passed_over(inside):
    function = partial(warn, "careful")
    for module in inside:  # the first is the innermost
        function = within(module, function)

    assert caught(within("users_script", function)).filename == "users_script"


def test_the_innermost_of_the_users_lines_is_meant():
    function = within("users_module", within("sknn.a", partial(warn, "careful")))

    assert caught(within("users_script", function)).filename == "users_module"


@pytest.mark.parametrize("module", ["sknnx", "sknn_tools.a", "sklearn.pipeline", "my.sknn"])
def test_modules_of_like_names_are_the_users(module):
    function = within(module, within("sknn.a", partial(warn, "careful")))

    assert caught(function).filename == module


def test_the_kind_of_the_warning_is_the_given_one():
    assert caught(partial(warn, "careful", RuntimeWarning)).category is RuntimeWarning
    assert caught(partial(warn, FutureWarning("careful"))).category is FutureWarning
