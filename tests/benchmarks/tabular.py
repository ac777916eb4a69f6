"""How good are the estimators for tables? ``python -m tests.benchmarks.tabular [ROOT]``.

ROOT is a folder of data sets as ``tests/benchmarks/tables.py`` describes it; without it, small
sets stand in. sknn's presets ("fast", "default", "best") and their rivals, as far as they are
installed, learn the same rows of each set: a quarter is kept for the test, and every model has its
defaults. Prints a line for each model and set; then error, log loss and AUC, or for regression
the root mean squared error in standard deviations of the target (nRMSE); then means over all sets
and the differences of sknn's models to the rivals.

Options: ``--models A,B``, ``--sets A,B`` (those with several targets, and the made ones of 500,000
rows, only if they are named), ``--seeds 0,1`` (of splits and models), ``--rows N`` (of training,
at most), ``--save FILE.json`` (what it has is not computed again, so that an interrupted run goes
on) and ``--again`` (it is).
"""

import argparse
import importlib.util
import json
import os
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

import sknn
from tests.benchmarks.tables import MULTIPLE, make_large_tables, make_tables, read_tables
from tests.benchmarks.timing import describe_machine, print_table

TEST_ROWS = 10_000
"""At most; of larger sets it is a random part."""

METRICS = {"error": "error", "log_loss": "log loss", "auc": "AUC", "nrmse": "nRMSE"}
COMPARED = ["error", "log_loss", "nrmse"]
"""Metrics with geometric means: the less, the better."""

PRESETS = ["fast", "default", "best"]
BOOSTED = ["HGB", "LightGBM"]


def is_regression(task):
    return task.endswith("regression")


def make_ours(preset, task, seed):
    kind = sknn.TabularMLPRegressor if is_regression(task) else sknn.TabularMLPClassifier
    return kind(preset=preset, random_state=seed)


def make_rival(name, task, X, seed):
    """Return a rival for all targets that the task has."""
    model = RIVALS[name][1](is_regression(task), X, seed)
    if task not in MULTIPLE or name == "sk MLP":
        return model
    return MultiOutputRegressor(model) if is_regression(task) else MultiOutputClassifier(model)


def make_perceptron(regression, X, seed):
    """Return scikit-learn's network behind what everybody puts before it."""
    numbers, others = split_columns(X)
    prepare = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), numbers),
            ("others", OneHotEncoder(handle_unknown="ignore"), others),
        ]
    )
    if not regression:
        return make_pipeline(prepare, MLPClassifier(random_state=seed))
    model = make_pipeline(prepare, MLPRegressor(random_state=seed))
    return TransformedTargetRegressor(model, transformer=StandardScaler())


def make_boosting(regression, X, seed):
    kind = HistGradientBoostingRegressor if regression else HistGradientBoostingClassifier
    model = kind(random_state=seed, categorical_features="from_dtype")
    # it refuses columns that have more categories than it has bins
    return make_pipeline(make_categorizer(X, model.max_bins), model)


def make_bagged(regression, X, seed):
    kind = KFold if regression else StratifiedKFold
    return Folded(make_boosting(regression, X, seed), kind(8, shuffle=True, random_state=seed))


def make_lightgbm(regression, X, seed):
    import lightgbm

    kind = lightgbm.LGBMRegressor if regression else lightgbm.LGBMClassifier
    return make_pipeline(make_categorizer(X), kind(random_state=seed, verbose=-1))


def make_catboost(regression, X, seed):
    import catboost

    _, others = split_columns(X)
    kind = catboost.CatBoostRegressor if regression else catboost.CatBoostClassifier
    # a list is copied by the constructor, so that the model could not be cloned for each target
    words = tuple(others)
    model = kind(random_state=seed, cat_features=words, verbose=0, allow_writing_files=False)
    return make_pipeline(FunctionTransformer(write_out, kw_args={"columns": others}), model)


def make_realmlp(regression, X, seed):
    from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

    numbers, others = split_columns(X)
    write = FunctionTransformer(write_out, kw_args={"columns": others})
    fill = FunctionTransformer(fill_gaps, kw_args={"values": X[numbers].mean()})
    kind = RealMLP_TD_Regressor if regression else RealMLP_TD_Classifier
    return make_pipeline(write, fill, kind(random_state=seed))


RIVALS = {
    "sk MLP": ("sklearn", make_perceptron),
    "HGB": ("sklearn", make_boosting),
    "LightGBM": ("lightgbm", make_lightgbm),
    "CatBoost": ("catboost", make_catboost),
    "bagged HGB": ("sklearn", make_bagged),
    "RealMLP-TD": ("pytabkit", make_realmlp),
}
"""The package and the maker of each; a maker sees the rows that will be trained on."""


def find_models():
    """Return the names of all models that can be made here."""
    ours = PRESETS if hasattr(sknn, "TabularMLPClassifier") else []
    return [*ours, *(name for name, (package, _) in RIVALS.items() if is_installed(package))]


def is_installed(package):
    return importlib.util.find_spec(package) is not None


class Folded(BaseEstimator):
    """The mean of models that have not seen one of the folds each."""

    def __init__(self, model, folds):
        self.model = model
        self.folds = folds

    def fit(self, X, y):
        splits = self.folds.split(X, y)
        self.models_ = [clone(self.model).fit(X.iloc[rows], y[rows]) for rows, _ in splits]
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.mean([model.predict(X) for model in self.models_], axis=0)

    def predict_proba(self, X):
        return np.mean([model.predict_proba(X) for model in self.models_], axis=0)


def split_columns(X):
    """Return the names of the numbers in X, and of all others: these are categories."""
    numbers = list(X.select_dtypes("number"))
    return numbers, [c for c in X if c not in numbers]


def make_categorizer(X, limit=None):
    """Return a transformer that gives pandas' categories to all columns but numbers.

    They are those that occur in X, the most frequent ones if there is a limit.
    """
    counts = {c: X[c].value_counts() for c in split_columns(X)[1]}
    known = {c: sorted(count.index[count > 0][:limit]) for c, count in counts.items()}
    return FunctionTransformer(categorize, kw_args={"known": known})


def categorize(X, known):
    categories = {c: X[c].astype("category").cat.set_categories(known[c]) for c in known}
    return X.assign(**categories)


def write_out(X, columns):
    """Return X with words in these columns, also for gaps."""
    words = {c: X[c].astype(object).where(X[c].notna(), "missing").astype(str) for c in columns}
    return X.assign(**words)


def fill_gaps(X, values):
    return X.fillna(values)


def split_rows(task, y, seed, n_rows):
    """Return which rows are for training and which for the test."""
    stratify = y if task in ("binary", "multiclass") else None
    every = np.arange(len(y))
    train, test = train_test_split(every, test_size=0.25, random_state=seed, stratify=stratify)
    # they are in random order, so that the first ones are a random part
    return train[:n_rows], test[:TEST_ROWS]


def run(name, table, seed, n_rows):
    """Train and test a model; return its record."""
    X, y = table.load()
    train, test = split_rows(table.task, y, seed, n_rows)
    X_train, y_train, X_test, y_test = X.iloc[train], y[train], X.iloc[test], y[test]
    with warnings.catch_warnings():
        if name in RIVALS:
            # a rival at its defaults warns of what nobody changes here: no convergence, say
            warnings.simplefilter("ignore")
            model = make_rival(name, table.task, X_train, seed)
        else:
            model = make_ours(name, table.task, seed)
        start = time.perf_counter()
        model.fit(X_train, y_train)
        middle = time.perf_counter()
        regression = is_regression(table.task)
        answer = model.predict(X_test) if regression else model.predict_proba(X_test)
        end = time.perf_counter()
    if regression:
        metrics = measure_numbers(y_test, answer)
    elif table.task == "multilabel":
        metrics = measure_labels(y_test, answer)
    else:
        metrics = measure_classes(y_test, answer, model.classes_, y.max() + 1)
    key = {"model": name, "set": table.name, "seed": seed, "rows": n_rows}
    return {**key, **metrics, "fit": middle - start, "predict": end - middle}


def measure_numbers(y, answer):
    error = np.sqrt(np.mean((answer - y) ** 2, axis=0))
    return {"nrmse": float(np.mean(error / np.std(y, axis=0)))}


def measure_classes(y, answer, classes, n_classes):
    chances = np.zeros((len(y), n_classes))
    # a class may have no row in training
    chances[:, np.asarray(classes, dtype=int)] = answer
    metrics = {
        "error": float(np.mean(chances.argmax(axis=1) != y)),
        "log_loss": measure_log_loss(chances[np.arange(len(y)), y]),
    }
    return metrics | ({"auc": roc_auc_score(y, chances[:, 1])} if n_classes == 2 else {})


def measure_labels(y, answer):
    """Return the means over all labels."""
    # wrapped in MultiOutputClassifier, a rival answers with a list: two columns for each label
    chances = np.stack([a[:, 1] for a in answer], 1) if isinstance(answer, list) else answer
    return {
        "error": float(np.mean((chances > 0.5) != y)),
        "log_loss": measure_log_loss(np.where(y == 1, chances, 1 - chances)),
        "auc": roc_auc_score(y, chances),
    }


def measure_log_loss(chances):
    """Return the log loss from what was given to the true classes.

    scikit-learn's depends on the precision of the probabilities by now: one that is 0 costs twice
    as much in float64 as in float32. So all are clipped alike.
    """
    return float(-np.mean(np.log(np.clip(chances.astype(float), 1e-15, 1))))


def identify(record):
    return tuple(record[key] for key in ("model", "set", "seed", "rows"))


def read_records(path):
    """Return the records of a file, by what identifies them."""
    if path is None or not path.exists():
        return {}
    return {identify(record): record for record in json.loads(path.read_text())}


def save_record(path, record):
    """Add a record to a file, which is whole whenever we are interrupted."""
    records = read_records(path) | {identify(record): record}
    new = path.with_name(path.name + ".new")
    new.write_text("[\n" + ",\n".join(map(json.dumps, records.values())) + "\n]\n")
    os.replace(new, path)


def describe(record):
    values = [f"{METRICS[m]} {record[m]:.4f}" for m in METRICS if m in record]
    seconds = f"{record['fit']:.1f} s + {record['predict']:.2f} s"
    name = f"{record['model']}, {record['set']}, seed {record['seed']}"
    return f"{name}: {', '.join(values)}, {seconds}"


def mean_over_seeds(records, key):
    """Return the means by model and set, for all records that have the key."""
    values = {}
    for record in records:
        if key in record:
            values.setdefault(record["model"], {}).setdefault(record["set"], []).append(record[key])
    return {
        model: {name: np.mean(found) for name, found in sets.items()}
        for model, sets in values.items()
    }


def geometric_mean(values):
    return np.exp(np.mean(np.log(np.array(list(values)) + 0.01)))


def print_sets(records, title, key, digits):
    """Print a table with a row for each set and a column for each model."""
    means = mean_over_seeds(records, key)
    if not means:
        return
    models = list(means)
    rows = [
        [name, *(f"{means[model][name]:.{digits}f}" for model in models)]
        for name in means[models[0]]
    ]
    if key in ("fit", "predict"):
        sums = (sum(means[model].values()) for model in models)
        rows.append(["all", *(f"{value:.{digits}f}" for value in sums)])
    print()
    print_table([title, *models], rows)


def print_means(records, models):
    """Print the means over sets: geometric ones where less is better."""
    means = {metric: mean_over_seeds(records, metric) for metric in METRICS}
    metrics = [metric for metric in METRICS if means[metric]]
    rows = []
    for model in models:
        row = [model]
        for metric in metrics:
            values = means[metric][model].values()
            mean = geometric_mean(values) if metric in COMPARED else np.mean(list(values))
            row.append(f"{mean:.4f}")
        rows.append(row)
    titles = [f"{METRICS[m]} + .01" if m in COMPARED else f"mean {METRICS[m]}" for m in metrics]
    print()
    print_table(["geometric means", *titles], rows)


def print_differences(records, models):
    """Print by how many per cent sknn's models have more than the rivals."""
    ours = [model for model in models if model in PRESETS]
    columns = {}
    for metric in COMPARED:
        means = mean_over_seeds(records, metric)
        if not means:
            continue
        total = {model: geometric_mean(means[model].values()) for model in models}
        against = {model: total[model] for model in models if model not in PRESETS}
        boosted = [model for model in BOOSTED if model in models]
        if len(boosted) > 1:
            sets = zip(*(means[model].values() for model in boosted), strict=True)
            against["better of the two"] = min(total[model] for model in boosted)
            against["better on each set"] = geometric_mean(min(pair) for pair in sets)
        columns[metric] = {
            (model, rival): f"{100 * (total[model] / value - 1):+.1f}"
            for model in ours
            for rival, value in against.items()
        }
    pairs = list(next(iter(columns.values()), []))
    if pairs:
        rows = [[*pair, *(column[pair] for column in columns.values())] for pair in pairs]
        print()
        print_table(["model", "to", *(f"{METRICS[m]} %" for m in columns)], rows)


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", nargs="?")
    parser.add_argument("--models", type=split_words)
    parser.add_argument("--sets", type=split_words)
    parser.add_argument("--seeds", type=split_words, default=["0"])
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--save", type=Path)
    parser.add_argument("--again", action="store_true")
    options = parser.parse_args()
    tables = read_tables(options.root) if options.root else make_tables()
    if options.sets is None:
        options.tables = [table for table in tables if table.task not in MULTIPLE]
    else:
        known = {table.name: table for table in [*tables, *make_large_tables()]}
        options.tables = choose(parser, options.sets, known)
    options.models = choose(parser, options.models, {name: name for name in find_models()})
    return options


def split_words(text):
    return text.split(",")


def choose(parser, names, known):
    """Return what is known by these names, in their order; all of it if they are None."""
    unknown = set(names or ()) - set(known)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(known)}")
    return [known[name] for name in (known if names is None else names)]


def main():
    options = parse_options()
    print(describe_machine(), end="\n\n")
    done = read_records(options.save)
    records = []
    for seed in map(int, options.seeds):
        for table in options.tables:
            for name in options.models:
                record = done.get((name, table.name, seed, options.rows))
                if record is None or options.again:
                    record = run(name, table, seed, options.rows)
                    print(describe(record), flush=True)
                    if options.save:
                        save_record(options.save, record)
                records.append(record)
    for metric, title in METRICS.items():
        print_sets(records, title, metric, 4)
    print_sets(records, "seconds to fit", "fit", 1)
    print_sets(records, "seconds to predict", "predict", 2)
    print_means(records, options.models)
    print_differences(records, options.models)


if __name__ == "__main__":
    main()
