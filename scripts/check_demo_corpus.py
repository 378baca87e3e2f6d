#!/usr/bin/env python3
"""Checks every promise of data/demo: python3 scripts/check_demo_corpus.py

Makes the corpus again in a temporary folder, compares it byte by byte, and measures it. Prints the
figures; leaves with 1 at the first broken promise.
"""

import sys
import tempfile
from collections import Counter
from pathlib import Path

from demo_corpus.corpus import (PHENOMENA, SIZES, is_held_out, make_splits, meetings, words,
                                write_splits)
from demo_corpus.readme import share, write_readme
from demo_corpus.word_by_word import bleu, learn_dictionary, translate

FOLDER = Path(__file__).resolve().parent.parent / "data" / "demo"
MIN_LEXEMES = 400
MIN_SHARE = 3.0  # percent of the pairs, for every phenomenon
MIN_MEAN_WORDS = 9.0
MIN_OCCURRENCES = 10
MIN_HELD_OUT = 150
MAX_DICTIONARY_BLEU = 35.0
DICTIONARY_PAIRS = 8000  # enough to see every frequent word; more would only take longer


def promise(kept, text):
    """Prints what was measured; ends the check if the promise is broken."""
    print(("kept    " if kept else "BROKEN  ") + text)
    if not kept:
        sys.exit(1)


def check_files(splits):
    """data/demo holds what the generator writes, and nothing else."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_splits(splits, folder)
        write_readme(splits, folder)
        made = {path.name: path.read_bytes() for path in folder.iterdir()}
    stored = {path.name: path.read_bytes() for path in FOLDER.iterdir()}
    different = sorted(name for name in made.keys() | stored.keys()
                       if made.get(name) != stored.get(name))
    promise(not different, f"{len(made)} files equal those in {FOLDER.name}, byte by byte; "
            f"different: {', '.join(different) or 'none'}")


def read(split, ending):
    return (FOLDER / f"{split}.{ending}").read_text(encoding="utf-8").split("\n")[:-1]


def check_texts(texts):
    """Sizes, repetitions, length, form, one translation per source."""
    for split, size in SIZES.items():
        found = [len(texts[split, ending]) for ending in ("en", "de", "phenomena")]
        promise(found == [size] * 3, f"{split}: {found} lines")
    sources = [line for split in SIZES for line in texts[split, "en"]]
    promise(len(sources) == len(set(sources)), f"{len(sources)} sources, no two equal: none has "
            "two translations, none stands in two splits")
    for ending in ("en", "de"):
        lines = [line for split in SIZES for line in texts[split, ending]]
        well_formed = all(line[0].isupper() and line[-1] in ".?" and line == " ".join(line.split())
                          for line in lines)
        promise(well_formed, f"{ending}: capitals at the start, a mark at the end, single spaces")
        mean = sum(len(line.split()) for line in lines) / len(lines)
        promise(mean >= MIN_MEAN_WORDS, f"{ending}: {mean:.2f} words per sentence")


def check_words(splits, texts):
    """Enough lexemes; every word of the test set can be learnt."""
    lexemes = set().union(*(item.pair.lexemes for item in splits["train"]))
    promise(len(lexemes) >= MIN_LEXEMES, f"{len(lexemes)} lexemes in train")
    for ending in ("en", "de"):
        counts = Counter(word for line in texts["train", ending] for word in words(line))
        tested = {word for line in texts["test", ending] for word in words(line)}
        rarest = min(counts[word] for word in tested)
        promise(rarest >= MIN_OCCURRENCES, f"{ending}: {len(counts)} word forms in train; the "
                f"rarest of the {len(tested)} in test occurs {rarest} times in train")


def check_phenomena(splits, texts):
    """Every phenomenon is frequent; the annotation is the generator's."""
    everything = [item for entries in splits.values() for item in entries]
    for name in PHENOMENA:
        where = splits["test"] if name == "held_out" else everything
        found = share(where, name)
        place = "the test pairs" if name == "held_out" else "all pairs"
        promise(found >= MIN_SHARE, f"{name}: {found:.1f} % of {place}")
    for split, entries in splits.items():
        equal = [" ".join(item.phenomena) for item in entries] == texts[split, "phenomena"]
        promise(equal, f"{split}: the annotation fits the sentences")


def check_held_out(splits):
    """Held-out combinations never meet in train or validation, and are tagged in test."""
    for split in ("train", "validation"):
        met = [combination for item in splits[split] for combination in meetings(item.pair)
               if is_held_out(combination)]
        promise(not met, f"{split}: {len(met)} held-out combinations")
    trained = set().union(*(meetings(item.pair) for item in splits["train"]))
    tagged = [item for item in splits["test"] if "held_out" in item.phenomena]
    new = all(any(one not in trained for one in item.pair.combinations) for item in tagged)
    promise(new and len(tagged) >= MIN_HELD_OUT,
            f"test: {len(tagged)} sentences with a combination that is new to train")
    rest = [one for item in splits["test"] if "held_out" not in item.phenomena
            for one in item.pair.combinations if is_held_out(one)]
    promise(not rest, "test: every held-out combination is tagged")


def check_dictionary(texts):
    """A dictionary is not enough."""
    pairs = list(zip(texts["train", "en"], texts["train", "de"]))
    dictionary = learn_dictionary(pairs[:DICTIONARY_PAIRS])
    hypotheses = [translate(dictionary, line) for line in texts["test", "en"]]
    score = bleu(hypotheses, [words(line) for line in texts["test", "de"]])
    promise(score < MAX_DICTIONARY_BLEU, f"word by word: BLEU {score:.2f} on test")


def main():
    splits = make_splits()
    check_files(splits)
    texts = {(split, ending): read(split, ending) for split in SIZES
             for ending in ("en", "de", "phenomena")}
    check_texts(texts)
    check_words(splits, texts)
    check_phenomena(splits, texts)
    check_held_out(splits)
    check_dictionary(texts)


if __name__ == "__main__":
    main()
