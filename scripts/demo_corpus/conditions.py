"""What happens if, or when: conditions, weather, moods, habits."""

from . import adverbials as adv
from . import german
from .clause_maker import make_clause
from .clauses import CAN, Clause, HAVE_TO, MUST, WANT_TO
from .linked import (COMFORTS, ERRANDS, HELPABLE, INDOORS, OUTDOORS, PLEASURES, TIME, action, feel,
                     link, make_actor, make_helper, make_motion, pronoun_of, purpose, simply,
                     with_have)
from .nouns import NOUNS
from .phrases import Fixed, NounPhrase, PrepositionalPhrase, Pronoun
from .times import phrase
from .verbs import BY_ENGLISH, Verb


class Weather:
    """it as the subject of the weather: always es."""
    person, pronoun, en_subject, light, definite = "3s", "", "it", True, True

    @staticmethod
    def german(_case, _trace):
        return "es"


class Sun(Weather):
    """the sun"""
    en_subject = "the sun"

    @staticmethod
    def german(_case, trace):
        trace.lexemes.add(("sun", "Sonne"))
        return "die Sonne"


def weather_verb(base, de, participle):
    return Verb(base, base + "ed", base + "ed", "", False, de, "", german.conjugate(de), participle,
                "haben", "none", "", "", (), frozenset())


RAIN = weather_verb("rain", "regnen", "geregnet")
SNOW = weather_verb("snow", "schneien", "geschneit")
SHINE = weather_verb("shine", "scheinen", "geschienen")


def if_sentence(rng):
    kind = rng.weighted({free: 25, supported: 18, bad_weather: 14, good_weather: 14, moody: 15,
                         advice: 22, routine: 14})
    made = kind(rng)
    if made is None or made[1] is None or made[2] is None:
        return None
    word, main, other = made
    # A pronoun follows what it stands for.
    taken_up = isinstance(main.subject, Pronoun) and not isinstance(other.subject, Weather)
    return link(rng, main, word, "wenn", other, first=taken_up or rng.chance(45))


def coming_time(rng):
    en = rng.choice(sorted(adv.SOON))
    return phrase(en, adv.SOON[en])


def free(rng):
    """If Anna has time tomorrow, she wants to visit her aunt."""
    actor = make_actor(rng)
    main = simply(action(rng, pronoun_of(actor), PLEASURES, modal=rng.choice((WANT_TO, CAN)),
                         negated=False))
    return "if", main, with_have(actor, TIME, time=coming_time(rng))


def supported(rng):
    """If my brother helps me, I can repair the car tomorrow."""
    actor = make_actor(rng)
    main = action(rng, pronoun_of(actor), HELPABLE, modal=CAN, negated=False)
    if main is None:
        return None
    helper = make_helper(rng, actor)
    item = actor if not isinstance(actor, Pronoun) else pronoun_of(actor)
    if not isinstance(actor, Pronoun) and helper.pronoun == actor.pronoun:
        return None  # "she" would not be clear
    main.frequency = None
    return "if", main, Clause(helper, BY_ENGLISH["help"], "simple", dative=item)


def placed_clause(rng, subject, choices, modal):
    """One of (verb, place), with an object that fits the place."""
    name, place = rng.choice(choices)
    verb = BY_ENGLISH[name]
    if place == "!home":
        return Clause(subject, verb, "modal", modal, place=Fixed("at home", "zu Hause"))
    if name == "go":
        clause = make_motion(rng, subject, place, modal=modal)
        return simply(clause)
    uses = [use for use in verb.uses if use.subjects == "person"
            and (not place or place in use.places)]
    clause = make_clause(rng, subject, verb, uses[0], modal=modal, negated=False, extras=False,
                         time=False)
    if clause and place and not clause.direction:
        en_at, at, to, _ = adv.PLACES[place]
        if uses[0].place_kind == "to":
            clause.direction = PrepositionalPhrase("to", to, "acc", NounPhrase("the", NOUNS[place]))
        else:
            clause.place = PrepositionalPhrase(en_at, at, "dat", NounPhrase("the", NOUNS[place]))
    return clause


def bad_weather(rng):
    """If it is raining tomorrow, we have to stay at home."""
    actor = make_actor(rng)
    modal = rng.choice((WANT_TO, HAVE_TO, CAN, MUST))
    if rng.chance(45):
        main = placed_clause(rng, actor, OUTDOORS, CAN)
        if main is None or main.denied_by_article or not deny_outing(main):
            return None
    else:
        main = placed_clause(rng, actor, INDOORS, modal)
    return "if", main, Clause(Weather(), rng.choice((RAIN, RAIN, SNOW)), "simple",
                              time=coming_time(rng))


def deny_outing(clause):
    """cannot swim in the lake; an indefinite object would need kein and is left out."""
    if clause.accusative and not clause.accusative.definite:
        return False
    if clause.accusative or clause.dative:
        clause.place = None
    clause.negated = True
    return True


def good_weather(rng):
    """If the sun is shining at the weekend, the children can play in the garden."""
    main = placed_clause(rng, make_actor(rng), OUTDOORS, rng.choice((WANT_TO, CAN)))
    return "if", main, Clause(Sun(), SHINE, "simple", time=coming_time(rng))


def moody(rng):
    """When my uncle is sad, he sometimes goes for a walk."""
    actor = make_actor(rng)
    verb = BY_ENGLISH[rng.choice(COMFORTS)]
    main = make_clause(rng, pronoun_of(actor), verb, forms=("simple",), negated=False, extras=False,
                       time=False)
    if main is None:
        main = make_clause(rng, pronoun_of(actor), BY_ENGLISH["lie"], negated=False, extras=False,
                           modal=WANT_TO, time=False)
    state = rng.choice(("tired", "sad", "happy", "nervous"))
    add_frequency(rng, main)
    return "when", main, feel(actor, state, degree=rng.weighted({"": 60, "very": 40}))


def add_frequency(rng, clause):
    if clause and clause.form == "simple" and rng.chance(70):
        word = rng.choice(("often", "always", "sometimes", "usually"))
        clause.frequency = Fixed(word, adv.FREQUENCIES[word], (), ((word, adv.FREQUENCIES[word]),))


def advice(rng):
    """If you want to buy apples, you have to go to the market."""
    place, verb, objects = rng.choice(ERRANDS)
    actor = Pronoun("you") if rng.chance(35) else make_actor(rng)
    main = make_motion(rng, pronoun_of(actor), place, modal=rng.choice((HAVE_TO, MUST, CAN)))
    return "if", simply(main), purpose(rng, actor, verb, objects, WANT_TO)


def routine(rng):
    """When Maria wakes up, she always drinks tea."""
    actor = make_actor(rng)
    start = rng.choice(("get up", "wake up", "come back", "go shopping", "cook",
                        "watch television"))
    other = make_clause(rng, actor, BY_ENGLISH[start], forms=("simple",), negated=False,
                        extras=False, time=False)
    name = rng.choice({"get up": ("drink", "eat", "read", "feed", "wash", "put on"),
                       "wake up": ("drink", "get up", "eat", "sing", "read"),
                       "come back": ("cook", "drink", "tidy up", "call", "feed", "sleep"),
                       "go shopping": ("meet", "take", "forget"),
                       "cook": ("sing", "listen to", "drink", "call"),
                       "watch television": ("eat", "drink", "fall asleep")}[start])
    main = make_clause(rng, pronoun_of(actor), BY_ENGLISH[name], forms=("simple",), negated=False,
                       extras=False, time=False)
    add_frequency(rng, main)
    return "when", main, other
