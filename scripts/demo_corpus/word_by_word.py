"""The translation that a dictionary alone would give, and BLEU to measure it."""

import math
from collections import Counter, defaultdict

from .corpus import words


def learn_dictionary(pairs, rounds=3):
    """The best German word for every English one: IBM model 1 (Brown et al. 1993)."""
    texts = [(words(source), words(target)) for source, target in pairs]
    together = {}
    for source, target in texts:
        for en in source:
            together.setdefault(en, set()).update(target)
    table = {en: dict.fromkeys(found, 1.0 / len(found)) for en, found in together.items()}
    for _ in range(rounds):
        counts = {en: defaultdict(float) for en in table}
        for source, target in texts:
            for de in target:
                chances = [table[en][de] for en in source]
                total = sum(chances)
                for en, chance in zip(source, chances):
                    counts[en][de] += chance / total
        table = {}
        for en, found in counts.items():
            total = sum(found.values())
            table[en] = {de: count / total for de, count in found.items()}
    return {en: max(sorted(found), key=found.get) for en, found in table.items()}


def translate(dictionary, sentence):
    """The sentence word by word; words that are not in the dictionary stay as they are."""
    return [dictionary.get(word, word) for word in words(sentence)]


def bleu(hypotheses, references):
    """Corpus BLEU of word lists, up to four words, without smoothing (Papineni et al. 2002)."""
    matches, totals, length, reference_length = [0] * 4, [0] * 4, 0, 0
    for hypothesis, reference in zip(hypotheses, references):
        length += len(hypothesis)
        reference_length += len(reference)
        for size in range(4):
            found, wanted = (Counter(tuple(text[at:at + size + 1])
                                     for at in range(len(text) - size))
                             for text in (hypothesis, reference))
            matches[size] += sum((found & wanted).values())
            totals[size] += sum(found.values())
    if not all(matches):
        return 0.0
    precision = sum(math.log(match / total) for match, total in zip(matches, totals)) / 4
    return 100 * math.exp(precision + min(0.0, 1 - reference_length / length))
