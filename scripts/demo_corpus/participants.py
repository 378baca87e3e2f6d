"""Who takes part, and with what: subjects, persons, things, their owners and properties."""

from . import adverbials as adv
from .adjectives import BY_NOUN
from .nouns import select
from .phrases import Name, NounPhrase, Pronoun

SUBJECT_KINDS = {"pronoun": 26, "name": 30, "names": 6, "kin": 18, "person": 20}
PRONOUN_WEIGHTS = {"I": 7, "you": 5, "he": 4, "she": 4, "we": 5, "they": 4}
OWNERS = {"I": 6, "you": 2, "he": 3, "she": 3, "we": 3, "they": 2}
KIN = select("kin")
SINGLE_RELATIVES = frozenset(("mother", "father", "grandmother", "grandfather", "boss"))
PERSONS = select("person")
NAMED = sorted(adv.NAMES)
# Groups of which nobody owns one, or of which an owner would sound odd.
NOT_OWNED = frozenset("landmark sight nature ride transport show event mass place talk food "
                      "person paper error music journey plant animal abstract meal exam".split())
PETS = frozenset({"pet"})
UNIQUE = frozenset("way sun weather dinner lunch breakfast birthday beach garden".split())
# Verbs that act on a particular thing, verbs that bring one into being, verbs of taste.
DEFINITE_VERBS = frozenset((
    "open", "close", "turn on", "turn off", "clean", "tidy up", "hang up", "wait for", "feed",
    "ask about", "miss", "water", "understand", "know", "look for", "lose", "forget", "take off",
    "prepare", "celebrate", "visit", "pay for", "think about", "put", "discuss", "correct", "use",
    "hear", "call", "pick up", "thank", "help", "fill in", "explain", "wash"))
INDEFINITE_VERBS = frozenset(("have", "build", "need", "dream of", "draw", "bake", "plant"))
TASTE_VERBS = frozenset(("like", "love"))
# Adjectives that would sound odd beside a verb.
GROWING = ("hot", "delicious", "fresh", "sweet", "good", "dry")
PREPARING = ("hot", "warm", "cold", "dry")
RIDING = ("comfortable", "loud", "full", "empty", "modern", "slow", "fast", "old", "dirty")
UNFITTING = {"clean": ("clean",), "wash": ("clean", "delicious"), "plant": GROWING,
             "water": GROWING, "cook": PREPARING, "bake": PREPARING, "buy": PREPARING,
             "miss": RIDING, "wait for": RIDING, "take": RIDING, "paint": ("dirty", "broken"),
             "pay for": ("old",)}
# Verbs whose object is not yet the subject's own.
GAINING_VERBS = frozenset(("buy", "write", "borrow", "rent", "order", "bake", "build"))
DRESSING_VERBS = frozenset(("wear", "put on", "take off", "try on"))
WOMENS_CLOTHES = frozenset(("dress", "skirt", "blouse"))


def make_owner(rng, subject=None):
    """Whose: mostly the subject's own."""
    own = getattr(subject, "pronoun", "")
    if own and own != "it" and rng.chance(75):
        return own
    return rng.weighted({"I": 4, "we": 2}) if subject is not None else rng.weighted(OWNERS)


def make_adjective(rng, noun, percent, verb=None):
    choices = BY_NOUN[noun.en]
    unfitting = UNFITTING.get(verb.en, ()) if verb else ()
    choices = [item for item in choices if item.en not in unfitting]
    return rng.choice(choices) if choices and rng.chance(percent) else None


def make_subject(rng, wanted="person"):
    """Somebody, or one of a list of nouns."""
    if wanted != "person":
        if wanted == "thing":
            wanted = "small clothes vehicle instrument luggage building"
        noun = rng.choice(select(wanted))
        owned = "pet" in noun.groups and rng.chance(50)
        determiner = make_owner(rng) if owned or wanted.startswith("small") and rng.chance(20) \
            else "the"
        plural = bool(noun.de_plural) and rng.chance(15)
        return NounPhrase(determiner, noun, make_adjective(rng, noun, 30), plural)
    kind = rng.weighted(SUBJECT_KINDS)
    if kind == "pronoun":
        return Pronoun(rng.weighted(PRONOUN_WEIGHTS))
    if kind == "name":
        name = rng.choice(NAMED)
        return Name((name,), adv.NAMES[name])
    if kind == "names":
        first = rng.choice(NAMED)
        second = rng.choice([name for name in NAMED if name != first])
        return Name((first, second), "they")
    if kind == "kin":
        return make_relative(rng, None)
    return make_person(rng)


def make_relative(rng, subject):
    """my mother, her old neighbour, our friends."""
    noun = rng.choice(KIN)
    plural = bool(noun.de_plural) and noun.en not in SINGLE_RELATIVES and rng.chance(20)
    adjective = make_adjective(rng, noun, 25) if "person" in noun.groups else None
    return NounPhrase(fitting_owner(rng, noun, subject), noun, adjective, plural)


def fitting_owner(rng, noun, subject):
    """The owner of a relative: his wife, her husband."""
    owner = make_owner(rng, subject)
    spouse = {"wife": "he", "husband": "she"}.get(noun.en)
    return spouse if spouse and owner not in ("I", spouse) else owner


def make_person(rng):
    """the young doctor, the children, two tourists, a famous actress."""
    noun = rng.choice(PERSONS)
    adjective = make_adjective(rng, noun, 40)
    shape = rng.weighted({"the": 60, "the many": 15, "counted": 8, "a": 6, "the counted": 5})
    if shape in ("counted", "the counted"):
        return NounPhrase("the" if shape != "counted" else "a", noun, adjective, True,
                          2 + rng.below(4))
    return NounPhrase("a" if shape == "a" else "the", noun, adjective, shape == "the many")


def make_somebody(rng, subject):
    """A person as an object."""
    kind = rng.weighted({"kin": 50, "person": 25, "name": 12, "pronoun": 13})
    if kind == "pronoun":
        taken = {subject.pronoun, "we" if subject.pronoun == "I" else "",
                 "I" if subject.pronoun == "we" else ""}
        third = {"he", "she", "they"}
        if subject.pronoun not in ("I", "you", "we"):
            taken |= third  # it would not be clear who is meant
        return Pronoun(rng.choice([word for word in PRONOUN_WEIGHTS if word not in taken]))
    if kind == "name":
        taken = getattr(subject, "names", ())
        name = rng.choice([name for name in NAMED if name not in taken])
        return Name((name,), adv.NAMES[name])
    if kind == "person":
        person = make_person(rng)
        return person if person.noun is not getattr(subject, "noun", None) else \
            make_relative(rng, subject)
    relative = make_relative(rng, subject)
    if relative.noun is getattr(subject, "noun", None):
        return make_somebody(rng, subject)
    return relative


def make_thing(rng, noun, subject, verb, habit=False):
    """An object that is a thing or an animal, with the determiner that the verb suggests."""
    own, groups = make_owner(rng, subject), noun.groups
    if verb.en in DRESSING_VERBS:
        own = subject.pronoun or own
    ownable = not groups & NOT_OWNED or groups & PETS and verb.en != "paint"
    ownable = ownable and verb.en not in GAINING_VERBS
    owned = {own: 35} if ownable else {}
    adjective = make_adjective(rng, noun, 55, verb)
    if "kin" in groups:  # "has two sisters"
        return NounPhrase("a", noun, None, True, 2 + rng.below(3)) if rng.chance(50) else \
            NounPhrase("a", noun, make_adjective(rng, noun, 30))
    if verb.en in TASTE_VERBS:
        if noun.mass or noun.de_plural and rng.chance(40):
            return NounPhrase("a", noun, adjective, not noun.mass)
        return NounPhrase(rng.weighted({"the": 45, **owned}), noun, adjective)
    if noun.mass:
        return NounPhrase("the" if rng.chance(25) and not habit else "a", noun, adjective)
    if noun.en in UNIQUE or verb.en in DEFINITE_VERBS or not noun.de_plural:
        determiner = rng.weighted({"the": 45, **owned})
        plural = noun.de_plural and noun.en not in UNIQUE and \
            rng.chance(80 if "pair" in groups else 15)
        return NounPhrase(determiner, noun, adjective, bool(plural))
    if verb.en in INDEFINITE_VERBS or habit:
        shape = rng.weighted({"a": 60, "many": 25, "counted": 0 if habit else 15})
    elif "pair" in groups:
        shape = rng.weighted({"many": 35, "the many": 40, "counted": 5, "own": 20})
    else:
        shape = rng.weighted({"the": 27, "a": 30, "many": 10, "counted": 13, "the many": 6,
                              **({"own": 22} if ownable else {})})
    if shape == "own":
        return NounPhrase(own, noun, adjective, rng.chance(80 if "pair" in groups else 15))
    count = 2 + rng.below(11) if shape == "counted" else 0
    return NounPhrase("the" if shape in ("the", "the many") else "a", noun, adjective,
                      shape in ("many", "counted", "the many"), count)


def make_object(rng, wanted, subject, verb, habit=False):
    """An object out of a list of groups: a person or a thing."""
    noun = rng.choice(select(wanted))
    if noun.en in WOMENS_CLOTHES and verb.en in DRESSING_VERBS and subject.pronoun != "she":
        return make_object(rng, wanted, subject, verb, habit)
    groups = noun.groups
    if groups & {"person", "kin"} and verb.en not in ("have", "paint"):
        listed = set(wanted.split())
        if listed & {"kin", "person"}:
            return make_somebody(rng, subject)
        if noun is getattr(subject, "noun", None):
            return make_object(rng, wanted, subject, verb, habit)
        determiner = fitting_owner(rng, noun, subject) if "kin" in groups else "the"
        return NounPhrase(determiner, noun, make_adjective(rng, noun, 30))
    return make_thing(rng, noun, subject, verb, habit)
