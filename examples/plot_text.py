"""Text: a network on word counts, from raw strings to the words that tell topics apart.

Sixty sentences on three topics become a sparse matrix (TF-IDF: one column a word, rare words
weigh more), and a network learns the topics from it. The figure shows which words it relies on:
those without which it doubts the right topic most. It is saved as text.png in the folder given
as argument.
"""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from sknn import MLPClassifier

TEXTS = {
    "weather": """
        Heavy rain is moving in from the coast. The wind turns to the north and snow may fall at
        night. A thin cloud hides the sun over the hills. Fog fills the valley until the sun is up.
        Thunder and rain follow a hot afternoon. Frost will cover the fields before dawn. The storm
        tore roofs off with gusts of wind. Tomorrow stays dry with a light wind from the south.
        Clear sky and frost are likely tonight. Snow on the pass closes the road for a day. The
        temperature drops below zero in the hills. A warm front brings cloud and rain by evening.
        Hail broke windows when the storm hit the coast. Dry air and a clear sky keep the night
        cold. A rainbow stood in the sky after the rain. Low pressure means more cloud and wind.
        The forecast promises a hot and sunny week. Drizzle and fog make a grey morning. Ice on
        the lake melts as the temperature rises. Lightning lit the cloud far out over the sea.""",
    "cooking": """
        Melt the butter in a pan and add the onion. Whisk the eggs with sugar until they are pale.
        Let the dough rest under a cloth for an hour. Fry the garlic in oil but do not burn it.
        Bake the bread in a hot oven until the crust is brown. Simmer the sauce with tomatoes and a
        pinch of salt. Chop the onion and the herbs as fine as you can. Fold the flour into the
        eggs with a spoon. Season the soup with salt and pepper. Roast the carrots in the oven with
        oil and honey. Boil the potatoes in water with salt. Stir the rice so that it does not
        stick to the pan. Grate some cheese over the hot pasta. Knead flour, water and yeast to a
        smooth dough. Serve the soup with fresh bread and butter. Slice the lemon and squeeze it
        over the fish. Cream and sugar make the sauce sweet. Toast the nuts in a dry pan. Cool the
        cake before you slice it. Taste the stew and add pepper or garlic.""",
    "sports": """
        The striker scored the only goal of the match. Our team won the final after extra time. She
        ran the last lap faster than any rival. The coach changed two players at half time. He
        missed the penalty and the crowd went silent. The goalkeeper saved a shot in the last
        minute. They lost the match but played well as a team. A new record was set in the long
        jump. The referee showed the captain a red card. Both players reached the final of the
        cup. The team trains twice a day before the season. Fans filled the stadium for the first
        game. Her serve was too fast for the other player. The runner won gold by a tenth of a
        second. Three points in the last minute decided the game. The league starts its season with
        a derby. The captain lifted the cup after the game. A late goal gave the home team the win.
        The cyclist attacked on the last climb of the race. The swimmer took silver in the final
        race.""",
}


def main(folder: Path) -> None:
    sentences = {
        name: " ".join(text.split()).rstrip(".").split(". ") for name, text in TEXTS.items()
    }
    texts = [sentence for group in sentences.values() for sentence in group]
    topics = np.repeat(list(sentences), [len(group) for group in sentences.values()])

    network = MLPClassifier((20,), alpha=0.1, learning_rate_init=0.01, max_iter=500, random_state=0)
    model = make_pipeline(TfidfVectorizer(stop_words="english"), network)
    folds = RepeatedStratifiedKFold(n_splits=10, n_repeats=3, random_state=0)
    accuracy = cross_val_score(model, texts, topics, cv=folds).mean()
    words = model.fit(texts, topics)[0].get_feature_names_out()
    X = model[0].transform(texts)
    print(
        "{} sentences, {} words".format(*X.shape),
        f"{X.nnz / np.prod(X.shape):.1%} filled",
        sep=", ",
    )
    print(f"accuracy on sentences held out (10 folds, 3 times)  {accuracy:.3f}")
    for text in ("Rain delayed the final game.", "Snow on the mountain pass.", "Pepper!"):
        print(f"{text:30}", *model.predict([text]), f"{model.predict_proba([text]).max():.0%}")

    # How much log-probability do the sentences of a topic lose if a word is struck out?
    loss = np.empty((len(words), len(network.classes_)))
    right = network.classes_[:, np.newaxis] == topics
    before = network.predict_log_proba(X).T
    for i in range(len(words)):
        is_kept = sparse.diags((np.arange(len(words)) != i).astype(float), format="csr")
        after = network.predict_log_proba(X @ is_kept).T
        loss[i] = np.where(right, before - after, 0).sum(axis=1)
    figure, places = plt.subplots(1, 3, figsize=(10, 4), sharex=True, layout="constrained")
    figure.suptitle(f"{accuracy:.0%} of unseen sentences are sorted right; these words tell most")
    for k, (place, topic) in enumerate(zip(places, network.classes_, strict=True)):
        top = np.argsort(loss[:, k])[-10:]
        place.barh(words[top], loss[top, k], color=f"C{k}")
        place.set_title(topic)
        print(f"{topic:8}", *words[top[:-6:-1]])
    figure.supxlabel("log-probability that the topic's sentences lose without the word", size=10)
    figure.savefig(folder / "text.png", dpi=120)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
