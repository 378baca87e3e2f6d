"""The page beside the corpus: what it is and its measured figures."""

from .corpus import PHENOMENA, SIZES, words, write

MEANING = {
    "gender_agreement": ("article, possessive or pronoun chosen by a noun's gender",
                         "*the lamp ..., but it ...* -> *die Lampe ..., aber **sie** ...*"),
    "case": ("accusative or dative that differs from the nominative",
             "*helps the boy* -> *hilft **dem Jungen***"),
    "adjective": ("ending by gender, case, number and article",
                  "*a new coat* -> *einen neu**en** Mantel*"),
    "verb_second": ("something other than the subject comes first",
                    "*Today Anna is buying ...* -> *Heute **kauft Anna** ...*"),
    "subordinate": ("finite verb last, after weil, dass, wenn, ob, obwohl, warum",
                    "*because she is tired* -> *weil sie müde **ist***"),
    "modal": ("modal second, infinitive last",
              "*can repair the car* -> ***kann** das Auto **reparieren***"),
    "perfect": ("haben or sein second, participle last",
                "*went to the park* -> ***ist** in den Park **gegangen***"),
    "separable": ("prefix parted from its verb, or joined to it",
                  "*is opening the door* -> ***macht** die Tür **auf***"),
    "plural": ("plural noun, with -n in the dative", "*with the dogs* -> *mit den Hunde**n***"),
    "negation": ("nicht or kein, and where nicht stands",
                 "*is not buying a hat* -> *kauft **keinen** Hut*"),
    "question": ("verb first, or question word and verb",
                 "*Which dress ...?* -> ***Welches** Kleid ...?*"),
    "preposition": ("preposition with its case",
                    "*on the table* -> *auf **dem** Tisch*, *auf **den** Tisch*"),
    "number": ("numbers from 2 to 99", "*twenty-five* -> *fünfundzwanzig*"),
    "time": ("clock, days, months, seasons, durations", "*at half past seven* -> *um halb acht*"),
    "held_out": ("a verb and object, or adjective and noun, that never meet in train", ""),
}

TEXT = """# The demo corpus

English sentences and their German translations, made by a grammar that was written for this
project. They are meant for one purpose: to show within minutes, on any machine, whether a
translation model learns what German asks for. The licence is the project's own (`LICENSE`).

Every sentence is meant to be one that a person might say, and its German is correct. The
translation is a function of the source: *you* is always *du*, a past tense is a *Perfekt* (but
*war*, *hatte* and *konnte*, *musste*, *wollte*, *durfte*), and the order of the words is fixed:
pronouns, definite dative objects, frequency, definite accusative objects, time, *nicht*, manner,
company, place, indefinite objects, direction.

| file | content |
|---|---|
| `train.en`, `train.de` | {train} pairs, one sentence per line |
| `validation.en`, `validation.de` | {validation} pairs |
| `test.en`, `test.de` | {test} pairs |
| `*.phenomena` | for every pair the names of its phenomena, separated by spaces |

No source sentence occurs twice. About one in ten combinations of a verb with its object, and of an
adjective with its noun, is held out: the two words never occur in one sentence of `train` or
`validation`, but {held_out} sentences of `test` contain such a combination. Every word form of
`validation` and `test` occurs at least 12 times in `train`.

{figures}

## Phenomena

Share of the pairs that show each phenomenon, in percent.

| name | what it asks for | example | train | validation | test |
|---|---|---|---|---|---|
{rows}

## Making it again

    python3 scripts/make_demo_corpus.py
    python3 scripts/check_demo_corpus.py

The first writes these files, this page included; the second checks every promise made here. Both
need Python 3 and nothing else, and the output is the same, byte by byte, on every machine.
"""


def share(entries, name):
    """Percent of the entries that show a phenomenon."""
    return 100 * sum(name in item.phenomena for item in entries) / len(entries)


def figures(splits):
    """Sizes in words, as a table."""
    rows = ["| split | words, English | words, German | words per sentence, English | German |",
            "|---|---|---|---|---|"]
    for name, entries in splits.items():
        counts = [sum(len(text.split()) for text in texts) for texts in
                  ([item.source for item in entries], [item.target for item in entries])]
        means = [count / len(entries) for count in counts]
        rows.append(f"| {name} | {counts[0]} | {counts[1]} | {means[0]:.1f} | {means[1]:.1f} |")
    train = splits["train"]
    lexemes = set().union(*(item.pair.lexemes for item in train))
    forms = [len({word.lower() for text in texts for word in words(text)}) for texts in
             ([item.source for item in train], [item.target for item in train])]
    rows.append(f"\nLexemes (pairs of an English and a German dictionary word) in `train`: "
                f"{len(lexemes)}. Word forms in `train`: {forms[0]} English, {forms[1]} German.")
    return "\n".join(rows)


def write_readme(splits, folder):
    """README.md with the figures of these splits."""
    rows = []
    for name in PHENOMENA:
        shares = " | ".join(f"{share(splits[split], name):.1f}" for split in SIZES)
        rows.append(f"| `{name}` | {MEANING[name][0]} | {MEANING[name][1]} | {shares} |")
    held_out = sum("held_out" in item.phenomena for item in splits["test"])
    text = TEXT.format(**SIZES, held_out=held_out, figures=figures(splits), rows="\n".join(rows))
    write(folder, "README.md", text.rstrip("\n").split("\n"))
