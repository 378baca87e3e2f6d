"""English word forms."""

VOWELS = "aeiou"
DOUBLED = {"put", "cut", "get", "run", "swim", "sit", "forget", "let", "plan", "travel"}
BE_PRESENT = {"1s": "am", "2s": "are", "3s": "is", "p": "are"}
BE_PAST = {"1s": "was", "2s": "were", "3s": "was", "p": "were"}
POSSESSIVES = {"I": "my", "you": "your", "he": "his", "she": "her", "it": "its", "we": "our",
               "they": "their"}
OBJECT_PRONOUNS = {"I": "me", "you": "you", "he": "him", "she": "her", "it": "it", "we": "us",
                   "they": "them"}


def article(following):
    """The indefinite article before a word."""
    return "an" if following[0].lower() in VOWELS and not following.startswith("uni") else "a"


def plural(noun):
    """The regular plural of a noun."""
    if noun.endswith(("s", "sh", "ch", "x")):
        return noun + "es"
    if noun.endswith("y") and noun[-2] not in VOWELS:
        return noun[:-1] + "ies"
    return noun + "s"


def third_person(base):
    """he ...: go -> goes, carry -> carries."""
    if base == "have":
        return "has"
    if base in ("go", "do"):
        return base + "es"
    return plural(base)


def past(base):
    """The regular past: bake -> baked, carry -> carried."""
    if base.endswith("e"):
        return base + "d"
    if base.endswith("y") and base[-2] not in VOWELS:
        return base[:-1] + "ied"
    return base + "ed"


def progressive(base):
    """The -ing form: bake -> baking, lie -> lying, cut -> cutting."""
    if base.endswith("ie"):
        return base[:-2] + "ying"
    if base in DOUBLED:
        return base + base[-1] + "ing"
    if base.endswith("e") and not base.endswith("ee"):
        return base[:-1] + "ing"
    return base + "ing"
