"""Searches over an estimator whose fit forks; the tests run them in a process of their own.

``python -m tests.parallel.forks KIND`` prints what a search gives inside and outside of lockstep.
"""

import concurrent.futures
import multiprocessing
import os
import pickle
import signal
import sys
import warnings

import joblib
import numpy as np
from joblib._parallel_backends import MultiprocessingBackend
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

import sknn

X = np.random.default_rng(0).standard_normal((60, 3))
Y = (X[:, 0] > 0).astype(int)


def train(X, y, seed):
    return sknn.MLPClassifier(4, max_iter=3, random_state=seed).fit(X, y)


class Signals(TransformerMixin, BaseEstimator):
    """Sets a signal handler, which only the main thread may."""

    def fit(self, X, y=None):
        signal.signal(signal.SIGUSR1, signal.SIG_DFL)
        return self

    def transform(self, X):
        return X


def search(X, y, seed):
    model = make_pipeline(Signals(), sknn.MLPClassifier(4, max_iter=3, random_state=seed))
    cross_val_score(model, X, y, cv=2, error_score="raise")
    return model.fit(X, y)


# How to have calls of a function made in children.


def by_multiprocessing(function, calls):
    with multiprocessing.get_context("fork").Pool(2) as pool:
        return pool.starmap(function, calls)


def by_futures(function, calls):
    context = multiprocessing.get_context("fork")
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
        return list(pool.map(function, *zip(*calls, strict=True)))


def by_os_fork(function, calls):
    return [fork_once(function, call) for call in calls]


def fork_once(function, call):
    receiver, sender = os.pipe()
    child = os.fork()
    if child == 0:
        with os.fdopen(sender, "wb") as pipe:
            pickle.dump(function(*call), pipe)
        os._exit(0)
    os.close(sender)
    with os.fdopen(receiver, "rb") as pipe:
        result = pickle.load(pipe)
    os.waitpid(child, 0)
    return result


def by_joblib(function, calls):
    # By its name the backend would not fork below the main thread.
    backend = MultiprocessingBackend(nesting_level=0)
    return joblib.Parallel(2, backend=backend)(joblib.delayed(function)(*call) for call in calls)


def by_name(function, calls):
    parallel = joblib.Parallel(2, backend="multiprocessing")
    return parallel(joblib.delayed(function)(*call) for call in calls)


KINDS = {
    "multiprocessing": (by_multiprocessing, train),
    "futures": (by_futures, train),
    "os.fork": (by_os_fork, train),
    "joblib": (by_joblib, train),
    "joblib by name": (by_name, train),
    "searches in the children": (by_multiprocessing, search),
}


class Forking(ClassifierMixin, BaseEstimator):
    """A vote of networks, most of them trained in children."""

    def __init__(self, kind):
        self.kind = kind

    def fit(self, X, y):
        call_all, function = KINDS[self.kind]
        self.classes_ = np.unique(y)
        self.members_ = call_all(function, [(X, y, seed) for seed in range(2)])
        self.members_.append(train(X, y, 2))  # after the children their parent meets the others
        return self

    def predict(self, X):
        return np.median([member.predict(X) for member in self.members_], axis=0).astype(int)


def fit_one(kind, rows):
    return Forking(kind).fit(X[rows:], Y[rows:]).predict(X).sum()


def scores(kind):
    sums = joblib.Parallel()(joblib.delayed(fit_one)(kind, rows) for rows in range(3))
    return [*cross_val_score(Forking(kind), X, Y, cv=3, error_score="raise"), *sums]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    with sknn.lockstep():
        print(scores(sys.argv[1]))
    print(scores(sys.argv[1]))
