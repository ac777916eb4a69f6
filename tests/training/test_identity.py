"""What behaves differently has another fingerprint; what is the same has the same one, anywhere."""

import functools
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import KFold, ShuffleSplit

from sknn.losses import Quantile
from sknn.optimizers import SGD, Adam
from sknn.training.identity import fingerprint

FACTOR = 2.0


def of(value):
    return fingerprint(value, "x")


def power(epoch, base):
    return base**epoch


def closure(base):
    def schedule(epoch):
        return base**epoch

    return schedule


def nested(base):
    return lambda epoch: [step * base for step in range(epoch)]


class Plain:
    def __init__(self, number):
        self.number = number

    def at(self, epoch):
        return self.number * epoch


class Slots:
    __slots__ = ("number",)

    def __init__(self, number):
        self.number = number


def make_class(number):
    class Made:
        level = number

        def __call__(self, epoch):
            return number * epoch

        @property
        def doubled(self):
            return 2 * number

    return Made


def named(value):
    """Return an object that passes for a function."""
    return functools.update_wrapper(value, power, updated=())


PAIRS = {
    "numbers": (1, 2),
    "a number and a bool": (1, True),
    "texts": ("relu", "tanh"),
    "components": (SGD(0.1), SGD(0.2)),
    "classes of components": (SGD(), Adam()),
    "lists in components": (Quantile([0.1]), Quantile([0.2])),
    "partials": (functools.partial(power, base=1.0), functools.partial(power, base=0.5)),
    "lambdas": (lambda epoch: 0.9**epoch, lambda epoch: 0.5**epoch),
    "closures": (closure(0.9), closure(0.5)),
    "functions within functions": (nested(2), nested(3)),
    "objects": (Plain(1), Plain(2)),
    "slots": (Slots(1), Slots(2)),
    "bound methods": (Plain(1).at, Plain(2).at),
    "classes that were made": (make_class(1), make_class(2)),
    "their objects": (make_class(1)(), make_class(2)()),
    "scorers": (make_scorer(f1_score, average="macro"), make_scorer(f1_score, average="micro")),
    "splitters": (KFold(3), KFold(4)),
    "random states": (np.random.RandomState(0), np.random.RandomState(1)),
    "states of splitters": tuple(
        ShuffleSplit(random_state=np.random.RandomState(seed)) for seed in (0, 1)
    ),
    "compiled functions": (np.tanh, np.sin),
    "methods of compiled classes": (str.upper, str.lower),
    "objects that are named as a function": (named(Plain(1)), named(Plain(2))),
    "functions of libraries": (f1_score, make_scorer),
    "arrays": (np.zeros(3), np.zeros(4)),
    "dtypes of arrays": (np.zeros(3), np.zeros(3, np.float32)),
    "sparse matrices": (sp.eye(3, format="csr"), 2 * sp.eye(3, format="csr")),
    "defaults": (lambda epoch, base=1: base, lambda epoch, base=2: base),
}


@pytest.mark.parametrize(("one", "other"), PAIRS.values(), ids=PAIRS)
def test_what_differs_is_told_apart(one, other):
    assert of(one) != of(other)


MAKERS = [
    lambda: functools.partial(power, base=0.5),
    lambda: closure(0.5),
    lambda: nested(3),
    lambda: Plain([1, {"a": np.ones(2)}]),
    lambda: Slots(3),
    lambda: make_class(3),
    lambda: make_class(3)(),
    lambda: make_scorer(f1_score, average="macro"),
    lambda: ShuffleSplit(random_state=np.random.RandomState(3)),
    lambda: {"solver": SGD(0.1), "numbers": (1, 2.5, None)},
]


@pytest.mark.parametrize("make", MAKERS)
def test_what_is_made_again_is_the_same(make):
    assert of(make()) == of(make())


def test_equal_numbers_are_the_same():
    assert of(1) == of(1.0) == of(np.float64(1)) == of(np.int32(1))


def test_what_a_function_looks_up_in_its_module_counts(monkeypatch):
    def schedule(epoch):
        return FACTOR * epoch

    before = of(schedule)
    monkeypatch.setitem(globals(), "FACTOR", 3.0)

    assert of(schedule) != before


def factorial(n):
    return 1 if n < 1 else n * factorial(n - 1)


def test_what_refers_to_itself_can_be_described():
    loop = Plain(1)
    loop.self = loop

    assert of(factorial) == of(factorial)
    assert of(loop) == of(loop)


@pytest.mark.parametrize("value", [iter([1]), (n for n in range(3)), object()])
def test_what_nobody_can_tell_from_others_is_refused(value):
    with pytest.raises(ValueError, match=r"cv holds .*of which nobody can tell"):
        fingerprint(value, "cv")


def test_what_holds_too_much_is_refused():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ValueError, match="deep holds too much"):
        fingerprint(deep, "deep")


CODE = """
    import functools
    from sknn.optimizers import SGD
    from sknn.training.identity import fingerprint

    FACTOR = 3

    def power(epoch, base):
        return FACTOR * base ** epoch

    class Own:
        def __call__(self, epoch):
            return power(epoch, 0.5)

    values = [functools.partial(power, base=0.5), Own(), lambda e: Own()(e), SGD(0.1)]
    values.append({"a", "b", "c"})
    print(fingerprint(values, "values"))
"""


def test_fingerprints_are_those_of_other_processes():
    command = [sys.executable, "-c", textwrap.dedent(CODE)]
    found = {subprocess.run(command, capture_output=True, check=True).stdout for _ in range(2)}

    assert len(found) == 1
