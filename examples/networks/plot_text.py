"""
Sorting sentences by topic
==========================

From raw strings to the words that tell topics apart: sixty sentences become
a sparse matrix of word weights, a network learns their topics from it, and
by striking out one word at a time we find out which words it relies on.
"""

# %%
# Twenty sentences on each of three topics, written for this page.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import (
    RepeatedStratifiedKFold,
    StratifiedKFold,
    cross_val_predict,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline

from sknn import MLPClassifier

TEXTS = {
    "weather": """
        Heavy rain is moving in from the coast. The wind turns to the north
        and snow may fall at night. A thin cloud hides the sun over the
        hills. Fog fills the valley until the sun is up. Thunder and rain
        follow a hot afternoon. Frost will cover the fields before dawn. The
        storm tore roofs off with gusts of wind. Tomorrow stays dry with a
        light wind from the south. Clear sky and frost are likely tonight.
        Snow on the pass closes the road for a day. The temperature drops
        below zero in the hills. A warm front brings cloud and rain by
        evening. Hail broke windows when the storm hit the coast. Dry air
        and a clear sky keep the night cold. A rainbow stood in the sky
        after the rain. Low pressure means more cloud and wind. The forecast
        promises a hot and sunny week. Drizzle and fog make a grey morning.
        Ice on the lake melts as the temperature rises. Lightning lit the
        cloud far out over the sea.""",
    "cooking": """
        Melt the butter in a pan and add the onion. Whisk the eggs with
        sugar until they are pale. Let the dough rest under a cloth for an
        hour. Fry the garlic in oil but do not burn it. Bake the bread in a
        hot oven until the crust is brown. Simmer the sauce with tomatoes
        and a pinch of salt. Chop the onion and the herbs as fine as you
        can. Fold the flour into the eggs with a spoon. Season the soup with
        salt and pepper. Roast the carrots in the oven with oil and honey.
        Boil the potatoes in water with salt. Stir the rice so that it does
        not stick to the pan. Grate some cheese over the hot pasta. Knead
        flour, water and yeast to a smooth dough. Serve the soup with fresh
        bread and butter. Slice the lemon and squeeze it over the fish.
        Cream and sugar make the sauce sweet. Toast the nuts in a dry pan.
        Cool the cake before you slice it. Taste the stew and add pepper or
        garlic.""",
    "sports": """
        The striker scored the only goal of the match. Our team won the
        final after extra time. She ran the last lap faster than any rival.
        The coach changed two players at half time. He missed the penalty
        and the crowd went silent. The goalkeeper saved a shot in the last
        minute. They lost the match but played well as a team. A new record
        was set in the long jump. The referee showed the captain a red card.
        Both players reached the final of the cup. The team trains twice a
        day before the season. Fans filled the stadium for the first game.
        Her serve was too fast for the other player. The runner won gold by
        a tenth of a second. Three points in the last minute decided the
        game. The league starts its season with a derby. The captain lifted
        the cup after the game. A late goal gave the home team the win. The
        cyclist attacked on the last climb of the race. The swimmer took
        silver in the final race.""",
}

texts, topics = [], []
for topic, text in TEXTS.items():
    sentences = " ".join(text.split()).rstrip(".").split(". ")
    texts += sentences
    topics += [topic] * len(sentences)
topics = np.array(topics)

# %%
# From strings to topics
# ----------------------
#
# ``TfidfVectorizer`` makes a column of each word; rare words weigh more,
# and words such as "the" are left out. Few entries differ from 0, so the
# matrix is sparse, and the network takes it as it is (see
# :doc:`/guide/data`).
#
# With 60 sentences the score of one split means little, so we take the mean
# over ten folds, three times.

model = make_pipeline(
    TfidfVectorizer(stop_words="english"),
    MLPClassifier(
        (20,),
        alpha=0.1,
        learning_rate_init=0.01,
        max_iter=500,
        random_state=0,
    ),
)
folds = RepeatedStratifiedKFold(n_splits=10, n_repeats=3, random_state=0)
accuracy = cross_val_score(model, texts, topics, cv=folds).mean()

vectorizer, net = model.fit(texts, topics)
X = vectorizer.transform(texts)
words = vectorizer.get_feature_names_out()
filled = X.nnz / np.prod(X.shape)
print(f"{len(texts)} sentences, {len(words)} words, {filled:.1%} filled")
print(f"accuracy on sentences held out: {accuracy:.3f}")

# %%
# New sentences, and those that it got wrong
# ------------------------------------------
#
# A sentence is sorted by the words that it shares with those learnt from.
# Where it has none of them, as the last one here, the network can only
# guess, and its probability is near 1/3. The four sentences that are sorted
# wrong when held out share few words with the others, and one of them
# occurs in another topic: "day", "hot", "serve".

for text in (
    "Rain delayed the final game.",
    "Snow on the mountain pass.",
    "Pepper!",
    "Whatever.",
):
    probability = model.predict_proba([text]).max()
    print(f"{text:30} {model.predict([text])[0]}, {probability:.0%}")

folds = StratifiedKFold(10, shuffle=True, random_state=0)
predicted = cross_val_predict(model, texts, topics, cv=folds)
print("\nsorted wrong when held out:")
for text, topic, answer in zip(texts, topics, predicted, strict=True):
    if answer != topic:
        print(f"  {text}: {answer}")

# %%
# Which words it relies on
# ------------------------
#
# We strike out one word in all sentences and look how far the
# log-probability of the right topic falls, summed over the sentences of
# that topic.

loss = np.empty((len(words), len(net.classes_)))
is_topic = net.classes_[:, np.newaxis] == topics
before = net.predict_log_proba(X).T
for i in range(len(words)):
    without = X.multiply(np.arange(len(words)) != i).tocsr()
    after = net.predict_log_proba(without).T
    loss[i] = np.where(is_topic, before - after, 0).sum(axis=1)

for k, topic in enumerate(net.classes_):
    print(f"{topic:8}", *words[np.argsort(-loss[:, k])[:5]])

# %%
# Most are words that a person would name, too. The scale says something
# else: without its most telling word, the twenty sentences of a topic lose
# about 0.2 of log-probability together, 0.01 each. The network, which has
# seen these very sentences, relies on many words and on none of them much.

fig, axes = plt.subplots(
    1, 3, figsize=(10, 4), sharex=True, layout="constrained"
)
COLORS = ["#0072B2", "#D55E00", "#009E73"]
for k, (ax, topic) in enumerate(zip(axes, net.classes_, strict=True)):
    top = np.argsort(loss[:, k])[-10:]
    ax.barh(words[top], loss[top, k], color=COLORS[k])
    ax.set_title(topic)
    ax.spines[["top", "right"]].set_visible(False)
fig.suptitle(
    f"{accuracy:.0%} of unseen sentences are sorted right; "
    "these words tell most"
)
fig.supxlabel(
    "log-probability that the topic's sentences lose without the word",
    size=10,
)
plt.show()
