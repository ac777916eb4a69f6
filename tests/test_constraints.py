from numbers import Integral, Real

import numpy as np
import pytest

from sknn._component import Component, Registry
from sknn._constraints import (
    BOOLEAN,
    NONE,
    Check,
    Interval,
    InvalidParameterError,
    Member,
    OneOf,
    check_parameters,
)


@pytest.mark.parametrize(
    ("interval", "inside", "outside"),
    [
        (Interval(Real, 0, 1), [0, 0.0, 0.5, np.float32(0.5)], [-1e-300, 1, 1.0, np.nan]),
        (Interval(Real, 0, 1, "both"), [0, 1.0, np.int64(1)], [-0.1, 1.1, np.nan]),
        (Interval(Real, 0, 1, "neither"), [1e-300, 0.5], [0, 0.0, 1]),
        (Interval(Real, 0, None), [0, 1e300], [-1.0, np.inf, np.nan]),
        (Interval(Real, None, None), [-1e300, 0], [np.inf, -np.inf, np.nan]),
        (Interval(Integral, 1, None), [1, np.int32(7)], [0, 1.0, 2.5, np.float64(3)]),
        (Interval(Integral, 1, 3, "both"), [1, 2, 3], [0, 4]),
    ],
    ids=str,
)
def test_numbers_are_in_an_interval_or_not(interval, inside, outside):
    assert all(interval.accepts(value) for value in inside)
    assert not any(interval.accepts(value) for value in outside)


@pytest.mark.parametrize("kind", [Real, Integral])
@pytest.mark.parametrize("value", [True, False, np.True_, "1", None, [1], 1j], ids=repr)
def test_what_is_no_number_is_in_no_interval(kind, value):
    assert not Interval(kind, None, None).accepts(value)
    assert Interval(kind, None, None).accepts(1)


@pytest.mark.parametrize(
    ("constraint", "text"),
    [
        (Interval(Real, 0, 1), "a float in the range [0, 1)"),
        (Interval(Real, 0, 1, "both"), "a float in the range [0, 1]"),
        (Interval(Real, 0, None, "neither"), "a float in the range (0, inf)"),
        (Interval(Integral, None, 3, "both"), "an int in the range (-inf, 3]"),
        (OneOf(["a", None, 1]), "one of 'a', None, 1"),
        (OneOf(["auto"]), "'auto'"),
        (BOOLEAN, "a bool"),
        (NONE, "None"),
    ],
    ids=str,
)
def test_constraints_complete_a_sentence(constraint, text):
    assert str(constraint) == text


def test_values_are_told_apart_by_type_too():
    constraint = OneOf(["auto", 1, False])

    assert all(constraint.accepts(value) for value in ("auto", 1, False))
    assert not any(constraint.accepts(value) for value in ("aut", True, 0, 1.0, None, ["auto"]))


def test_a_value_that_cannot_be_compared_is_refused():
    assert not OneOf(["auto"]).accepts(np.array(["auto", "auto"]))


class Fruit(Component):
    """The base of a family."""


FRUITS = Registry("fruit")


@FRUITS.register("apple")
class Apple(Fruit):
    """A member."""


def test_members_are_names_and_instances_of_the_family():
    member = Member(FRUITS, Fruit)

    assert all(member.accepts(value) for value in ("apple", Apple(), Fruit()))
    assert not any(member.accepts(value) for value in ("pear", Apple, None, Component()))
    assert str(member) == "'apple' or an instance of Fruit"


def test_a_registry_may_grow_after_the_constraint_is_made():
    registry = Registry("fruit")
    member = Member(registry, Fruit)
    assert not member.accepts("apple")
    registry.register("apple")(Apple)

    assert member.accepts("apple")


@pytest.mark.parametrize("value", [True, False, np.True_])
def test_bools_of_numpy_are_bools(value):
    assert BOOLEAN.accepts(value)
    assert not NONE.accepts(value)


@pytest.mark.parametrize("value", [0, 1, "True", None])
def test_numbers_are_no_bools(value):
    assert not BOOLEAN.accepts(value)


class Owner:
    def __init__(self, rate=0.5, mode="fast"):
        self.rate = rate
        self.mode = mode


CONSTRAINTS = {"rate": [NONE, Interval(Real, 0, 1)], "mode": [OneOf(["fast", "exact"])]}


@pytest.mark.parametrize("owner", [Owner(), Owner(None, "exact"), Owner(0)], ids=vars)
def test_allowed_values_pass(owner):
    assert check_parameters(owner, CONSTRAINTS) is None


@pytest.mark.parametrize(
    ("owner", "message"),
    [
        (
            Owner(1.5),
            r"The 'rate' parameter of Owner must be None or a float .* Got 1\.5 instead\.$",
        ),
        (Owner(np.float64(1.5)), r"Got 1\.5 instead\.$"),
        (Owner(2, "slow"), "The 'rate' parameter"),
        (Owner(0.1, "exakt"), r"The 'mode' .* Got 'exakt' instead\. Did you mean 'exact'\?$"),
        (Owner(0.1, 3), r"The 'mode' .* one of 'fast', 'exact'\. Got 3 instead\.$"),
    ],
    ids=["value", "of numpy", "first of two", "hint", "no hint"],
)
@pytest.mark.parametrize("error", [ValueError, TypeError, InvalidParameterError])
def test_the_first_wrong_value_is_named_with_what_is_allowed(owner, message, error):
    with pytest.raises(error, match=message):
        check_parameters(owner, CONSTRAINTS)


def test_a_check_is_any_function():
    even = Check(lambda value: value % 2 == 0, "an even number")
    check_parameters(Owner(4), {"rate": [even]})
    with pytest.raises(ValueError, match=r"must be an even number\. Got 3"):
        check_parameters(Owner(3), {"rate": [even]})


@pytest.mark.parametrize("kind", [Real, Integral])
def test_an_int_beyond_all_floats_is_as_good_as_infinite(kind):
    assert not Interval(kind, 0, None).accepts(10**400)
    assert not Interval(kind, None, None).accepts(-(10**400))
    assert Interval(kind, 0, None).accepts(10**300)
