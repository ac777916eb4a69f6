import pytest

from sknn._names import ELSEWHERE, SYNONYMS, closest, did_you_mean


@pytest.mark.parametrize(
    ("name", "allowed", "expected"),
    [
        ("rellu", ["tanh", "relu"], "relu"),
        ("RELU", ["tanh", "relu"], "relu"),
        (" relu ", ["tanh", "relu"], "relu"),
        ("xval", ["X_val", "y"], "X_val"),  # as it is spelt here
        ("qqq", ["tanh", "relu"], None),
        ("relu", [], None),
        (1, ["0", "1"], "1"),
    ],
)
def test_the_closest_name_is_found(name, allowed, expected):
    assert closest(name, allowed) == expected


@pytest.mark.parametrize(
    ("name", "meant"), [("swish", "silu"), ("Smooth L1", "huber"), ("L-BFGS", "lbfgs")]
)
def test_a_name_from_elsewhere_leads_to_ours(name, meant):
    assert closest(name, ["relu", meant, "silly"]) == meant


def test_a_synonym_leads_nowhere_where_its_meaning_is_not_allowed():
    assert closest("swish", ["relu", "tanh"]) is None
    assert closest("l1", ["l1", "absolute_error"]) == "l1"  # here the name itself is allowed


def test_how_alike_names_have_to_be_can_be_chosen():
    assert closest("gradient", ["radiant"]) == "radiant"
    assert closest("gradient", ["radiant"], cutoff=0.95) is None


def test_the_hint_is_a_sentence_or_nothing():
    assert did_you_mean("rellu", ["relu"]) == " Did you mean 'relu'?"
    assert did_you_mean("qqq", ["relu"]) == ""


@pytest.mark.parametrize("table", [SYNONYMS, ELSEWHERE], ids=["synonyms", "elsewhere"])
def test_names_are_looked_up_as_they_stand_in_the_tables(table):
    assert [name for name in table if name != name.lower().strip() or " " in name] == []
    assert all(table.values())


def test_a_synonym_means_no_other_synonym():
    assert not set(SYNONYMS.values()) & set(SYNONYMS)
