"""Sentences about how things are: properties, places, ages, prices."""

from . import adverbials as adv
from . import english, german
from .adjectives import BY_NOUN
from .clause_maker import make_spot
from .clauses import BE, Clause, english_clause, german_main, german_question
from .nouns import NOUNS, select
from .participants import make_adjective, make_owner, make_person, make_relative
from .phrases import Fixed, Name, NounPhrase, PrepositionalPhrase, Pronoun, Trace
from .verbs import BY_ENGLISH

THINGS = "furniture clothes pair vehicle machine small readable building tidy instrument dishes " \
         "luggage container toy =hotel =restaurant =garden =street =village =school"
DEGREES = {"very": "sehr", "too": "zu", "really": "wirklich", "quite": "ziemlich", "": ""}
STANDING = select("upright furniture =bicycle =television =plate")
LYING = select("lying =ring =umbrella =doll =glove =ball")
OWN_THINGS = "furniture clothes pair vehicle small building instrument luggage"


def predicate(adjective, degree=""):
    """very old, too expensive: an adjective after "be" has no ending in German."""
    de = DEGREES[degree]
    lexemes = (adjective.lexeme,) + (((degree, de),) if degree else ())
    return Fixed(f"{degree} {adjective.en}".strip(), f"{de} {adjective.de}".strip(), (), lexemes)


def make_thing_subject(rng, wanted=THINGS, plural_percent=15):
    """the car, her new coat, these shoes: something to talk about."""
    noun = rng.choice(select(wanted))
    own = rng.chance(35) and bool(noun.groups & frozenset(OWN_THINGS.split()))
    plural = bool(noun.de_plural) and rng.chance(70 if "pair" in noun.groups else plural_percent)
    return NounPhrase(make_owner(rng) if own else "the", noun, None, plural)


def stand_in(phrase):
    """The pronoun for a thing: it with the noun's gender, or they."""
    return Pronoun("they") if phrase.plural else Pronoun("it", phrase.noun.gender)


def be(subject, adjective, form="simple", negated=False, degree="", time=None):
    return Clause(subject, BE, form, negated=negated, predicate=predicate(adjective, degree),
                  time=time)


def copula_sentence(rng):
    """The blue jacket is expensive, but it is very warm."""
    subject = make_thing_subject(rng)
    choices = BY_NOUN[subject.noun.en]
    if len(choices) < 3:
        return None
    form = "past" if rng.chance(25) else "simple"
    described = make_adjective(rng, subject.noun, 35)
    subject = NounPhrase(subject.determiner, subject.noun, described, subject.plural)
    first = rng.choice([item for item in choices if item is not described])
    second = rng.choice(choices)
    if second in (first, described) or "=" in (first.value, second.value):
        return None
    word, word_de = ("and", "und") if first.value == second.value else ("but", "aber")
    if exclusive(first, second) or described and (exclusive(first, described)
                                                   or exclusive(second, described)):
        return None
    left = be(subject, first, form, degree=rng.weighted({"": 50, "very": 20, "quite": 15,
                                                         "really": 15}))
    right = be(stand_in(subject), second, form, degree=rng.weighted({"": 50, "very": 30, "too": 20})
               if second.value == "-" else rng.weighted({"": 50, "very": 50}))
    trace = Trace()
    trace.lexemes.add((word, word_de))
    target = f"{german_main(left, trace)}, {word_de} {german_main(right, trace)}"
    return f"{english_clause(left)}, {word} {english_clause(right)}", target, ".", trace


OPPOSITES = (
    ("big", "small"), ("old", "new", "modern", "young"), ("expensive", "cheap"),
    ("beautiful", "ugly", "elegant"), ("heavy", "light"), ("long", "short"), ("fast", "slow"),
    ("good", "bad"), ("warm", "cold", "hot", "fresh"), ("interesting", "boring", "funny"),
    ("difficult", "easy"), ("quiet", "loud"), ("clean", "dirty"), ("full", "empty"),
    ("dark", "bright"), ("wet", "dry"), ("wide", "narrow"), ("thick", "thin"), ("rich", "poor"),
    ("red", "blue", "green", "yellow", "white", "black", "brown"), ("lazy", "hard-working"),
    ("dirty", "new"), ("broken", "new"), ("broken", "good"), ("ugly", "good"),
    ("good", "beautiful"),
)


def exclusive(first, second):
    """True if nobody would say both of one thing."""
    return any(first.en in group and second.en in group for group in OPPOSITES)


def existence_sentence(rng):
    """There are two old trees behind the house. Hinter dem Haus gibt es zwei alte Bäume."""
    en, de = rng.choice(adv.SURROUNDINGS)
    place = PrepositionalPhrase(en, de, "dat",
                                NounPhrase("the", NOUNS[rng.choice(
                                    ("school", "station", "church", "hotel", "hospital", "museum",
                                     "library", "castle", "park", "theatre", "house", "cinema"))]))
    wanted = "=restaurant =café =garden =tree =bridge =supermarket =bakery =pharmacy =tower " \
             "=garage =lake =park =river =forest =market =street =hotel =cinema"
    noun = rng.choice([item for item in select(wanted) if item is not place.phrase.noun])
    plural = rng.chance(40)
    count = 2 + rng.below(4) if plural else 0
    item = NounPhrase("a", noun, make_adjective(rng, noun, 65), plural, count)
    past = rng.chance(15)
    trace = Trace()
    trace.add("verb_second")
    trace.lexemes.add(("there is", "es gibt"))
    verb = ("were" if past else "are") if plural else ("was" if past else "is")
    target = f"{place.german(trace)} {'gab' if past else 'gibt'} es {item.german('acc', trace)}"
    return f"there {verb} {item.en_object} {place.en}", target, ".", trace


def location_sentence(rng):
    """The yellow vase is standing on the table; Where is ... lying?"""
    standing = rng.chance(50)
    nouns = [noun for noun in (STANDING if standing else LYING)
             if noun.en not in ("mirror", "clock", "carpet", "house")]
    noun = rng.choice(nouns)
    movable = not noun.groups & {"furniture"}
    place = make_spot(rng, "dat", noun.en)
    on_furniture = place.en_preposition in ("on", "under")
    if on_furniture and not movable or noun.en == "bicycle" and on_furniture:
        return None
    plural = rng.chance(25)
    owned = noun.groups & {"small", "readable", "vehicle", "luggage"} and rng.chance(40)
    shape = "a" if plural and rng.chance(50) else "the"
    subject = NounPhrase(make_owner(rng) if owned else shape, noun,
                         make_adjective(rng, noun, 40), plural,
                         2 + rng.below(4) if plural and shape == "a" and not owned else 0)
    verb = BY_ENGLISH["stand"] if standing else BY_ENGLISH["lie"]
    form = rng.weighted({"progressive": 65, "past": 25, "question": 10})
    time = Fixed("yesterday", "gestern", (), (("yesterday", "gestern"),)) \
        if form == "past" and rng.chance(60) else None
    clause = Clause(subject, verb, "progressive" if form == "question" else form, place=place,
                    time=time)
    trace = Trace()
    if form == "question":
        return english_clause(clause, question=True), german_question(clause, trace), "?", trace
    return english_clause(clause), german_main(clause, trace), ".", trace



def age_sentence(rng):
    """My sister is twenty-five years old. Meine Schwester ist fünfundzwanzig Jahre alt."""
    subject = make_relative(rng, None) if rng.chance(60) else make_person(rng)
    if rng.chance(25):
        name = rng.choice(sorted(adv.NAMES))
        subject = Name((name,), adv.NAMES[name])
    if not subject.definite or getattr(subject, "adjective", None) or \
            getattr(subject, "count", 0):
        return None
    noun = getattr(subject, "noun", None)
    low, high = (3, 12) if noun and "child" in noun.groups else (18, 50)
    if noun and noun.en in ("grandmother", "grandfather"):
        low, high = 60, 99
    en, de = adv.number(low + rng.below(high - low))
    time = phrase_of_next(rng)
    trace = Trace()
    trace.add("number", "plural")
    trace.lexemes.update({("year", "Jahr"), ("old", "alt"), (en, de)})
    person = subject.person
    subject_de = subject.german("nom", trace)
    if time is None:
        return (f"{subject.en_subject} {english.BE_PRESENT[person]} already {en} years old",
                f"{subject_de} {german.SEIN[person]} schon {de} Jahre alt", ".", trace)
    time_de = time.german(trace)
    return (f"{subject.en_subject} {english.BE_PAST[person]} {en} years old {time.en}",
            f"{subject_de} {german.PRETERITE['sein'][person]} {time_de} {de} Jahre alt", ".", trace)


def phrase_of_next(rng):
    if rng.chance(50):
        return None
    return Fixed("last year", "letztes Jahr", ("time",))


def price_sentence(rng):
    """The red coat costs eighty euros."""
    wanted = "clothes pair furniture device =bicycle =camera =phone =book =ticket =guitar =vase " \
             "=umbrella =suitcase =backpack =dictionary =violin =washing_machine"
    subject = make_thing_subject(rng, wanted, 0)
    subject = NounPhrase("the", subject.noun, make_adjective(rng, subject.noun, 60), False)
    en, de = adv.number(12 + rng.below(88))
    place = rng.choice(("market", "city", "supermarket", "station", ""))
    trace = Trace()
    trace.add("number")
    trace.lexemes.update({("cost", "kosten"), ("euro", "Euro"), (en, de)})
    source = f"{subject.en_subject} costs {en} euros"
    subject_de = subject.german("nom", trace)
    if rng.chance(30):
        return (f"does {subject.en_subject} really cost {en} euros",
                question(trace, f"kostet {subject_de} wirklich {de} Euro"), "?", trace)
    if place and rng.chance(40):
        en_at, at, _, _ = adv.PLACES[place]
        where = PrepositionalPhrase(en_at, at, "dat", NounPhrase("the", NOUNS[place]))
        return (f"{source} {where.en}",
                f"{subject_de} kostet {where.german(trace)} {de} Euro", ".", trace)
    return f"{source} now", f"{subject_de} kostet jetzt {de} Euro", ".", trace


def question(trace, text):
    trace.add("question")
    return text
