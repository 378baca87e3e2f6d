"""What sentences of two clauses have in common: actors, their plans, the joint."""

from . import adverbials as adv
from .adjectives import STATES
from .clause_maker import make_clause
from .clauses import BE, Clause, english_clause, german_main, german_subordinate
from .nouns import NOUNS
from .participants import KIN, fitting_owner, make_object, make_subject
from .phrases import Fixed, Name, NounPhrase, PrepositionalPhrase, Pronoun, Trace
from .states import predicate
from .verbs import BY_ENGLISH

# Things that somebody decides to do.
ACTIONS = [BY_ENGLISH[name] for name in (
    "buy", "cook", "bake", "read", "write", "look for", "visit", "meet", "call", "pick up",
    "invite", "wash", "repair", "clean", "help", "sell", "pay for", "tidy up", "prepare",
    "work", "go", "drive", "go shopping", "learn", "feed", "correct", "fill in", "talk to", "plant",
    "water", "wait for", "send", "borrow", "paint", "play with", "hang up", "discuss")]
# Things that go better with help.
HELPABLE = [BY_ENGLISH[name] for name in (
    "cook", "bake", "look for", "wash", "repair", "clean", "tidy up", "prepare", "learn", "feed",
    "correct", "fill in", "plant", "water", "paint", "hang up", "carry", "sell", "build")]
PLEASURES = [BY_ENGLISH[name] for name in (
    "visit", "meet", "go for a walk", "swim", "dance", "play", "read", "paint", "come along",
    "watch", "celebrate", "invite", "play with", "bake", "cook", "go", "sing", "watch television",
    "rent", "go shopping")]
OUTDOORS = (("swim", "lake"), ("go for a walk", "park"), ("go for a walk", "forest"),
            ("go for a walk", "beach"), ("run", "forest"), ("plant", "garden"), ("go", "zoo"),
            ("water", "garden"), ("dance", "garden"), ("paint", "garden"), ("go", "beach"),
            ("play with", "garden"), ("sit", "garden"), ("sit", "balcony"), ("read", "garden"),
            ("eat", "garden"), ("go", "park"), ("run", "park"))
INDOORS = (("read", ""), ("tidy up", ""), ("cook", ""), ("bake", ""), ("watch television", ""),
           ("repair", ""), ("watch", ""), ("write", ""), ("clean", ""), ("stay", "!home"),
           ("go", "museum"), ("go", "cinema"), ("go", "library"), ("go", "theatre"))
COMFORTS = ("drink", "go for a walk", "sleep", "call", "sing", "eat", "read", "watch television",
            "run", "lie", "cook", "go shopping", "talk to")
# Where people go, and what for.
ERRANDS = (("market", "buy", "food"), ("supermarket", "buy", "food drink"),
           ("library", "borrow", "=book =novel =magazine =dictionary =film"),
           ("cinema", "watch", "=film"),
           ("restaurant", "eat", "dish"), ("city", "buy", "clothes pair furniture device"),
           ("hospital", "visit", "kin"), ("station", "pick up", "kin"),
           ("airport", "pick up", "kin"), ("café", "meet", "kin"), ("park", "meet", "kin"),
           ("kitchen", "cook", "cooked"), ("garden", "water", "plant vegetable"),
           ("café", "drink", "=coffee =tea =juice =lemonade"),
           ("garage", "repair", "vehicle"), ("bakery", "buy", "=bread =cake =bread_roll"),
           ("kitchen", "bake", "=cake =bread =pizza =biscuit"),
           ("garden", "plant", "plant vegetable"), ("market", "sell", "fruit vegetable"))
EXCUSES = ("tired", "ill", "nervous", "sad")
NO_TIME = Fixed("no time", "keine Zeit", ("negation",), (NOUNS["time"].lexeme,))
TIME = Fixed("time", "Zeit", (), (NOUNS["time"].lexeme,))


def pronoun_of(subject):
    """The pronoun that takes up a subject, or None."""
    return Pronoun(subject.pronoun) if subject.pronoun and subject.pronoun != "it" else None


def make_actor(rng):
    """A person who can be taken up by a pronoun."""
    while True:
        subject = make_subject(rng)
        if subject.pronoun and subject.definite:
            return subject


def action(rng, subject, verbs=ACTIONS, **wishes):
    return make_clause(rng, subject, rng.choice(verbs), **wishes)


def simply(clause):
    """The clause without frequency and time: for the second half of a sentence."""
    if clause:
        clause.time, clause.frequency, clause.fronted = None, None, False
    return clause


def with_have(subject, what, form="simple", time=None):
    """has time: hat Zeit"""
    return Clause(subject, BY_ENGLISH["have"], form, predicate=what, time=time)


def feel(subject, state, form="simple", degree="", time=None):
    return Clause(subject, BE, form, predicate=predicate(STATES[state], degree), time=time)


def link(rng, main, word, word_de, other, first=False, mark="."):
    """Joins a main and a subordinate clause; first: the subordinate clause opens the sentence."""
    if main is None or other is None:
        return None
    trace = Trace()
    trace.lexemes.add((word, word_de))
    other.fronted = False
    subordinate_de = f"{word_de} {german_subordinate(other, trace)}"
    subordinate = f"{word} {english_clause(other)}"
    if first:
        main.fronted = False
        front = f"{subordinate_de},"
        return f"{subordinate}, {english_clause(main)}", german_main(main, trace, front), mark, trace
    return (f"{english_clause(main)} {word} {english_clause(other)}",
            f"{german_main(main, trace)}, {subordinate_de}", mark, trace)


def make_helper(rng, actor):
    """Somebody else: a relative or a name."""
    if rng.chance(35):
        taken = getattr(actor, "names", ())
        name = rng.choice([name for name in sorted(adv.NAMES) if name not in taken])
        return Name((name,), adv.NAMES[name])
    taken = getattr(actor, "noun", None)
    noun = rng.choice([noun for noun in KIN if noun is not taken])
    return NounPhrase(fitting_owner(rng, noun, actor), noun)


def make_motion(rng, actor, place, past=False, **wishes):
    """Somebody goes or drives to a place."""
    verb = BY_ENGLISH["drive" if place in ("airport", "hospital", "city") else "go"]
    if "modal" not in wishes:
        wishes["forms"] = ("past",) if past else ("progressive",)
    main = make_clause(rng, actor, verb, negated=False, extras=rng.chance(25), **wishes)
    if main is None:
        return None
    _, _, to, _ = adv.PLACES[place]
    en_to = "into" if place in ("kitchen", "garden", "garage") else "to"
    main.direction = PrepositionalPhrase(en_to, to, "dat" if to == "zu" else "acc",
                                         NounPhrase("the", NOUNS[place]))
    if place in ("kitchen", "garden", "garage") and main.company:
        main.company = None
    return main


def purpose(rng, subject, verb_name, objects, modal):
    """... wants to buy six apples"""
    verb = BY_ENGLISH[verb_name]
    clause = Clause(subject, verb, "modal", modal)
    clause.accusative = make_object(rng, objects, subject, verb)
    return clause
