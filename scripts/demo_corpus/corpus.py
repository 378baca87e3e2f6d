"""The splits: which pairs go where, what is held out, and the files."""

import zlib
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from .adjectives import ADJECTIVES
from .nouns import NOUNS
from .random_stream import RandomStream
from .sentences import make_pair
from .verbs import VERBS

SEED = 20240601
SIZES = {"train": 20000, "validation": 500, "test": 500}
HELD_OUT_IN_TEST = 200
HELD_OUT_SHARE = 10  # one combination in ten is kept out of the training text
MIN_OCCURRENCES = 12  # of every word of validation and test, in the training text
PHENOMENA = ("gender_agreement", "case", "adjective", "verb_second", "subordinate", "modal",
             "perfect", "separable", "plural", "negation", "question", "preposition", "number",
             "time", "held_out")
MIN_WORDS, MAX_WORDS = 6, 24
VERB_LEXEMES = frozenset(verb.lexeme for verb in VERBS)
ADJECTIVE_LEXEMES = frozenset(item.lexeme for item in ADJECTIVES.values())


@dataclass(frozen=True)
class Entry:
    """One pair of a split with the names of its phenomena."""
    source: str
    target: str
    phenomena: tuple
    pair: object


def words(sentence):
    """The words of a sentence, its punctuation as words of its own."""
    return sentence.replace(",", " ,").replace(".", " .").replace("?", " ?").split()


@lru_cache(maxsize=None)
def is_held_out(combination):
    """Whether verb and object, or adjective and noun, never meet in the training text."""
    return zlib.crc32("/".join(combination).encode()) % HELD_OUT_SHARE == 0


def meetings(pair):
    """Every verb and noun, and every adjective and noun, that occur in one sentence."""
    nouns = [en for en, de in pair.lexemes if en in NOUNS and NOUNS[en].de == de]
    verbs = [("verb", en) for en, de in pair.lexemes if (en, de) in VERB_LEXEMES]
    adjectives = [("adjective", en) for en, de in pair.lexemes if (en, de) in ADJECTIVE_LEXEMES]
    return {(kind, en, noun) for kind, en in verbs + adjectives for noun in nouns}


def candidates():
    """Pairs without end, each source once."""
    index, seen = 0, set()
    while True:
        pair = make_pair(RandomStream(SEED, index))
        index += 1
        if pair is None or pair.source in seen:
            continue
        if MIN_WORDS <= len(pair.source.split()) <= MAX_WORDS:
            seen.add(pair.source)
            yield pair


def entry(pair, held_out):
    tags = pair.tags | ({"held_out"} if held_out else set())
    return Entry(pair.source, pair.target, tuple(name for name in PHENOMENA if name in tags), pair)


def make_splits():
    """The entries of train, validation and test."""
    stream = candidates()
    splits = {name: [] for name in SIZES}
    held_out = []
    while len(splits["train"]) < SIZES["train"]:
        pair = next(stream)
        if any(is_held_out(item) for item in pair.combinations):
            held_out.append(pair)
        elif not any(is_held_out(item) for item in meetings(pair)):
            splits["train"].append(entry(pair, False))
    counts = [Counter(word for item in splits["train"] for word in words(text(item)))
              for text in (lambda item: item.source, lambda item: item.target)]

    def learnable(pair):
        texts = (pair.source, pair.target)
        return all(count[word] >= MIN_OCCURRENCES for count, text in zip(counts, texts)
                   for word in words(text))

    new = [entry(pair, True) for pair in held_out if learnable(pair)][:HELD_OUT_IN_TEST]
    assert len(new) == HELD_OUT_IN_TEST
    plain = SIZES["test"] - HELD_OUT_IN_TEST
    fresh = []
    while len(fresh) < plain + SIZES["validation"]:
        pair = next(stream)
        if learnable(pair) and not any(is_held_out(item) for item in meetings(pair)) \
                and not any(is_held_out(item) for item in pair.combinations):
            fresh.append(entry(pair, False))
    splits["validation"] = fresh[plain:]
    # Five sentences in turn: two with a new combination, three without.
    for index in range(SIZES["test"]):
        splits["test"].append(new.pop(0) if index % 5 in (1, 3) else fresh.pop(0))
    return splits


def write(folder, name, lines):
    with open(folder / name, "w", encoding="utf-8", newline="\n") as file:
        file.write("".join(line + "\n" for line in lines))


def write_splits(splits, folder):
    """The files of every split: sentences of both languages and phenomena, one per line."""
    for name, entries in splits.items():
        write(folder, f"{name}.en", (item.source for item in entries))
        write(folder, f"{name}.de", (item.target for item in entries))
        write(folder, f"{name}.phenomena", (" ".join(item.phenomena) for item in entries))
