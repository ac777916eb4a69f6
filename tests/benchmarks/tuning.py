"""Three forms of a study over cross-validated networks: `python -m tests.benchmarks.tuning`.

Needs Optuna: ``make test-clients`` makes an environment with it.
"""

import time
import warnings

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

import sknn

N_TRIALS, AT_ONCE, RUNS = 16, 8, 5
RANGES = {"net__learning_rate_init": (1e-3, 0.1), "net__alpha": (1e-3, 10)}
X, y = load_breast_cancer(return_X_y=True)
FOLDS = list(StratifiedKFold(5, shuffle=True, random_state=0).split(X, y))
NETWORK = sknn.MLPClassifier((20,), batch_size=64, tol=1e-3, max_iter=300, random_state=0)
MODEL = Pipeline([("scale", StandardScaler()), ("net", NETWORK)])


def make_study():
    """Return a study whose candidates are the same each time."""
    import optuna

    return optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))


def choose(trial):
    """Return the parameters of a trial."""
    return {name: trial.suggest_float(name, *ends, log=True) for name, ends in RANGES.items()}


def objective(trial):
    """Return the mean score of a trial, negative."""
    return -cross_val_score(clone(MODEL).set_params(**choose(trial)), X, y, cv=FOLDS).mean()


def plain():
    """Train one network after the other."""
    study = make_study()
    study.optimize(objective, N_TRIALS)
    return study.best_value


def by_trial():
    """Train the folds of each trial together."""
    with sknn.lockstep():
        return plain()


def score(params, train, test):
    """Return the score of one candidate on one fold."""
    fitted = clone(MODEL).set_params(**params)
    return fitted.fit(X[train], y[train]).score(X[test], y[test])


def flat():
    """Train the folds of several trials together."""
    study = make_study()
    for _ in range(N_TRIALS // AT_ONCE):
        trials = [study.ask() for _ in range(AT_ONCE)]
        chosen = [choose(trial) for trial in trials]
        with sknn.lockstep():
            scores = Parallel()(delayed(score)(c, *fold) for c in chosen for fold in FOLDS)
        for trial, of_folds in zip(trials, np.reshape(scores, (AT_ONCE, -1)), strict=True):
            study.tell(trial, -of_folds.mean())
    return study.best_value


def main():
    """Print the seconds of each form, the best of several runs in turn."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    seconds, best = {}, {}
    for _ in range(RUNS):
        for form in (plain, by_trial, flat):
            start = time.perf_counter()
            best[form] = form()
            seconds.setdefault(form, []).append(time.perf_counter() - start)
    for form, each in seconds.items():
        ratio = min(seconds[plain]) / min(each)
        print(f"{form.__name__:10} {min(each):6.2f} s  {ratio:5.2f}  best {-best[form]:.4f}")


if __name__ == "__main__":
    main()
