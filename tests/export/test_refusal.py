import pytest

from sknn.activations import ReLU, Tanh
from sknn.export.refusal import of_package, refusal


class Own(ReLU):
    pass


def test_a_refusal_says_what_where_and_what_to_do():
    error = refusal("residual=True", "there", "Do without.")

    assert str(error) == "residual=True cannot be expressed there. Do without."
    assert str(refusal("x", "there")) == "x cannot be expressed there."


def test_what_the_table_has_is_found():
    assert of_package(ReLU(), {ReLU: 1, Tanh: 2}, "activation") == 1


def test_a_class_derived_from_one_of_ours_may_compute_anything():
    message = "activation has a Own of .*test_refusal, .* only ReLU, Tanh of sknn can"
    with pytest.raises(ValueError, match=message):
        of_package(Own(), {ReLU: 1, Tanh: 2}, "activation")
