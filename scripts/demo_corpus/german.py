"""German word forms: articles, adjective endings, noun cases, verb conjugation.

Genders are m, f, n; cases are nom, acc, dat; the column "p" of a table is the plural.
"""

CASES = ("nom", "acc", "dat")
DEFINITE = {
    "nom": {"m": "der", "f": "die", "n": "das", "p": "die"},
    "acc": {"m": "den", "f": "die", "n": "das", "p": "die"},
    "dat": {"m": "dem", "f": "der", "n": "dem", "p": "den"},
}
# Endings of ein, kein, mein, dein, sein, ihr, unser.
INDEFINITE_ENDINGS = {
    "nom": {"m": "", "f": "e", "n": "", "p": "e"},
    "acc": {"m": "en", "f": "e", "n": "", "p": "e"},
    "dat": {"m": "em", "f": "er", "n": "em", "p": "en"},
}
# Endings of welcher, dieser, and of an adjective without an article.
STRONG_ENDINGS = {
    "nom": {"m": "er", "f": "e", "n": "es", "p": "e"},
    "acc": {"m": "en", "f": "e", "n": "es", "p": "e"},
    "dat": {"m": "em", "f": "er", "n": "em", "p": "en"},
}
# Adjective endings after der, dieser, welcher.
WEAK_ENDINGS = {
    "nom": {"m": "e", "f": "e", "n": "e", "p": "en"},
    "acc": {"m": "en", "f": "e", "n": "e", "p": "en"},
    "dat": {"m": "en", "f": "en", "n": "en", "p": "en"},
}
# Adjective endings after ein, kein and the possessives.
MIXED_ENDINGS = {
    "nom": {"m": "er", "f": "e", "n": "es", "p": "en"},
    "acc": {"m": "en", "f": "e", "n": "es", "p": "en"},
    "dat": {"m": "en", "f": "en", "n": "en", "p": "en"},
}
PRONOUNS = {
    "I": {"nom": "ich", "acc": "mich", "dat": "mir"},
    "you": {"nom": "du", "acc": "dich", "dat": "dir"},
    "he": {"nom": "er", "acc": "ihn", "dat": "ihm"},
    "she": {"nom": "sie", "acc": "sie", "dat": "ihr"},
    "we": {"nom": "wir", "acc": "uns", "dat": "uns"},
    "they": {"nom": "sie", "acc": "sie", "dat": "ihnen"},
}
# "it" takes the gender of the noun that it stands for.
IT = {
    "m": {"nom": "er", "acc": "ihn", "dat": "ihm"},
    "f": {"nom": "sie", "acc": "sie", "dat": "ihr"},
    "n": {"nom": "es", "acc": "es", "dat": "ihm"},
}
POSSESSIVE_STEMS = {"I": "mein", "you": "dein", "he": "sein", "she": "ihr", "we": "unser",
                    "they": "ihr"}
CONTRACTIONS = {
    ("in", "dem"): "im", ("in", "das"): "ins", ("an", "dem"): "am", ("an", "das"): "ans",
    ("zu", "dem"): "zum", ("zu", "der"): "zur", ("von", "dem"): "vom", ("bei", "dem"): "beim",
}
ADJECTIVE_STEMS = {"teuer": "teur", "dunkel": "dunkl", "müde": "müd"}
HABEN = {"1s": "habe", "2s": "hast", "3s": "hat", "p": "haben"}
SEIN = {"1s": "bin", "2s": "bist", "3s": "ist", "p": "sind"}
PRETERITE = {
    "haben": {"1s": "hatte", "2s": "hattest", "3s": "hatte", "p": "hatten"},
    "sein": {"1s": "war", "2s": "warst", "3s": "war", "p": "waren"},
}


def adjective(word, endings, case, column):
    """An attributive adjective with its ending."""
    return ADJECTIVE_STEMS.get(word, word) + endings[case][column]


def preposition(word, phrase):
    """A preposition before a noun phrase, contracted where that is standard: in dem -> im."""
    first, _, rest = phrase.partition(" ")
    contracted = CONTRACTIONS.get((word, first)) if rest else None
    return f"{contracted} {rest}" if contracted else f"{word} {phrase}"


def dative_plural(plural):
    """Äpfel -> Äpfeln; Autos and Frauen stay."""
    return plural if plural.endswith(("n", "s")) else plural + "n"


def conjugate(infinitive, second="", third="", first=""):
    """The present of a verb; irregular forms are given, regular ones derived."""
    stem = infinitive[:-2] if infinitive.endswith("en") else infinitive[:-1]
    linked = stem.endswith(("t", "d", "chn", "ffn", "gn")) and not second
    regular_second = stem + ("est" if linked else "t" if stem[-1] in "sßzx" else "st")
    regular_third = stem + ("et" if linked else "t")
    return {"1s": first or stem + "e", "2s": second or regular_second,
            "3s": third or regular_third, "p": infinitive}
