"""Which clauses make sense: tenses, times and places that go together."""

from . import adverbials as adv
from .clauses import Clause, NEVER_NEGATED, PAST_MODALS, PRESENT_MODALS
from .nouns import NOUNS
from .participants import (PERSONS, make_adjective, make_object, make_relative, make_somebody,
                           make_subject)
from .phrases import Fixed, NounPhrase, PrepositionalPhrase
from .times import make_time
from .verbs import VERBS

HABIT_VERBS = frozenset((
    "eat", "drink", "read", "help", "call", "visit", "meet", "cook", "bake", "water", "feed",
    "tidy up", "clean", "wash", "sing", "wait for", "play", "play with", "listen to", "talk to",
    "drive", "take", "come back", "work", "dance", "swim", "go", "get up", "wake up", "put on",
    "fall asleep", "go shopping", "go for a walk", "watch television", "start", "depart",
    "arrive", "run", "wear", "write", "think about", "dream of", "sleep", "use", "turn on",
    "turn off", "order", "look at", "paint", "travel", "learn", "pick up", "invite", "tell",
    "forget"))
SCHEDULED = frozenset(("start", "depart", "arrive"))


def make_place(rng, use):
    """A place of the use, or None: a prepositional phrase or a fixed one."""
    if not use.places:
        return None
    name = rng.choice(use.places).replace("_", " ")
    if name == "!town" or name == "!country":
        table = adv.TOWNS if name == "!town" else adv.COUNTRIES
        town = rng.choice(sorted(table))
        en, de = {"at": ("in", "in"), "to": ("to", "nach"), "from": ("from", "aus")}[use.place_kind]
        return Fixed(f"{en} {town}", f"{de} {table[town]}", ("preposition",),
                     ((town, table[town]), (en, de)))
    if name == "!spot":
        return make_spot(rng, "acc")
    if name.startswith("!"):
        fixed = adv.FIXED_PLACES[name].get(use.place_kind)
        return Fixed(*fixed, ("preposition",)) if fixed else None
    en_at, at, to, source = adv.PLACES[name]
    noun = NOUNS[name]
    determiner = "we" if name in ("garden", "office", "garage") and rng.chance(12) else "the"
    big_enough = make_adjective(rng, noun, 22)
    phrase = NounPhrase(determiner, noun, big_enough)
    if use.place_kind == "at":
        return PrepositionalPhrase(en_at, at, "dat", phrase)
    if use.place_kind == "from":
        return PrepositionalPhrase("from", source, "dat", phrase)
    en_to = "into" if name in ("kitchen", "garden", "house", "forest", "garage") else "to"
    return PrepositionalPhrase(en_to, to, "dat" if to == "zu" else "acc", phrase)


def make_spot(rng, case, exclude=None):
    """on the table, under the bed: the dative says where, the accusative where to."""
    en, de, nouns = rng.choice(adv.SPOTS)
    noun = NOUNS[rng.choice([name for name in nouns if name != exclude])]
    return PrepositionalPhrase(en, de, case, NounPhrase("the", noun, make_adjective(rng, noun, 20)))


def choose_form(rng, verb, person, forms):
    """A tense that suits the verb, out of `forms` if given: form and modal verb."""
    flags = verb.flags
    if "o" in flags:
        weights = {"past": 60, "perfect": 25, "modal": 15}
    elif "v" in flags:
        weights = {"simple": 60, "past": 15, "modal": 15}
        if verb.en in ("like", "love", "know", "belong to"):
            weights.pop("past")
    elif verb.en in SCHEDULED:
        weights = {"simple": 55, "past": 45}
    else:
        weights = {"progressive": 25, "past": 27, "perfect": 11, "modal": 25,
                   "simple": 18 if verb.en in HABIT_VERBS else 0}
        if verb.en == "live":
            weights = {"simple": 40, "past": 30, "modal": 30}
    if "x" in flags:
        weights.pop("modal", None)
    if verb.base == verb.past and person != "3s" and "simple" in weights:
        weights["simple"] = 0  # "I read" would be present or past
    if forms:
        weights = {form: weight for form, weight in weights.items() if form in forms}
    if not sum(weights.values()):
        return None, None
    form = rng.weighted(weights)
    if form != "modal":
        return form, None
    return form, rng.choice(PAST_MODALS if rng.chance(30) else PRESENT_MODALS)


def make_clause(rng, subject=None, verb=None, use=None, forms=None, modal=None, negated=None,
                time=True, place=None, extras=True):
    """A clause that makes sense. What is not given is chosen; None where the wishes clash.

    forms: the tenses allowed; modal: this modal verb; negated: True, False or None for seldom;
    time, extras: whether there may be a time, a place and other additions; place: True for sure.
    """
    verb = verb or rng.choice(VERBS)
    use = use or rng.choice([item for item in verb.uses
                             if subject is None or item.subjects == "person"] or [None])
    if use is None:
        return None
    subject = subject or make_subject(rng, use.subjects)
    form = "modal" if modal else None
    if form is None:
        form, modal = choose_form(rng, verb, subject.person, forms)
    if form is None or modal and "x" in verb.flags:
        return None
    clause = Clause(subject, verb, form, modal)
    add_objects(rng, clause, use)
    if negated is None:
        negated = rng.chance(11)
    if negated and not deny(rng, clause):
        return None
    add_particle(rng, clause)
    add_place(rng, clause, use, extras, place)
    if extras:
        add_extras(rng, clause)
    if time:
        add_time(rng, clause)
    return None if repeats_itself(clause) else clause


def repeats_itself(clause):
    """True if a noun occurs twice: the lamp next to the lamp."""
    phrases = [clause.subject, clause.accusative, clause.dative]
    phrases += [part.phrase for part in (clause.prepositional, clause.place, clause.direction,
                                         clause.company, clause.beneficiary)
                if isinstance(part, PrepositionalPhrase)]
    nouns = [phrase.noun for phrase in phrases if isinstance(phrase, NounPhrase)]
    return len(nouns) > len(set(nouns))


def add_objects(rng, clause, use):
    verb, subject = clause.verb, clause.subject
    habit = clause.form == "simple" and "v" not in verb.flags
    if verb.frame in ("dat+acc", "acc+to"):
        make = make_relative if rng.chance(60) else make_somebody
        clause.dative = make(rng, subject)
        if not clause.dative.definite or clause.dative.en_subject == subject.en_subject:
            person = rng.choice([noun for noun in PERSONS
                                 if noun is not getattr(subject, "noun", None)])
            clause.dative = NounPhrase("the", person)
        clause.dative_with_to = verb.frame == "acc+to"
    if not use.objects:
        return
    item = make_object(rng, use.objects, subject, verb, habit)
    if verb.frame in ("acc", "dat+acc", "acc+to"):
        clause.accusative = item
    elif verb.frame == "dat":
        clause.dative = item
    else:
        clause.prepositional = PrepositionalPhrase(verb.rest, verb.preposition, verb.case, item)


def deny(rng, clause):
    """Negates a clause if that sounds natural."""
    if clause.modal in NEVER_NEGATED or clause.verb.en in SCHEDULED | {"put", "lay", "tell"}:
        return False
    if isinstance(clause.subject, NounPhrase) and not clause.subject.definite:
        return False
    item = clause.accusative or clause.dative
    if clause.prepositional:
        item = clause.prepositional.phrase
    if isinstance(item, NounPhrase):
        if item.count or item.determiner == "a" and (not clause.accusative):
            return False
        if item.determiner == "a":
            clause.accusative = NounPhrase("any", item.noun, item.adjective, item.plural)
    clause.negated = True
    return True


def add_particle(rng, clause):
    if clause.form == "perfect":
        if clause.negated:
            clause.particle = Fixed("yet", "noch", (), (("yet", "noch"),))
        elif rng.chance(85):
            clause.particle = Fixed("already", "schon", (), (("already", "schon"),))


def add_place(rng, clause, use, extras, wanted):
    has_object = clause.accusative or clause.dative or clause.prepositional
    if use.place_kind in ("to", "from"):
        needed = clause.verb.en in ("go", "come", "drive", "put", "lay", "travel", "fly",
                                    "run", "carry")
        if needed or wanted or rng.chance(75):
            clause.direction = make_place(rng, use)
    elif clause.verb.en in ("live", "stay", "sit", "stand", "lie") or wanted or \
            extras and rng.chance(70) and not (clause.negated and has_object):
        clause.place = make_place(rng, use)


def add_extras(rng, clause):
    """Manner, company, vehicle, beneficiary: at most one."""
    verb, flags = clause.verb, clause.verb.flags
    infinitive = verb.lexeme[1]
    manners = adv.FITTING_MANNERS.get(infinitive, ())
    simple_object = not (clause.accusative and clause.negated)
    if manners and not clause.place and simple_object and rng.chance(35):
        many = clause.subject.person == "p"
        manner = rng.choice(manners)
        if manner == "alone" and many:
            manner = "together"
        if infinitive in ("tragen",) and not clause.direction:
            return
        clause.manner = Fixed(manner, adv.MANNERS[manner], (), ((manner, adv.MANNERS[manner]),))
    elif "w" in flags and rng.chance(30):
        clause.company = PrepositionalPhrase("with", "mit", "dat",
                                             make_somebody(rng, clause.subject))
    elif "b" in flags and clause.direction and rng.chance(40):
        name = rng.choice(adv.VEHICLES)
        clause.company = Fixed(f"by {name}", "mit " + by_vehicle(name), ("preposition", "case"),
                               (NOUNS[name].lexeme, ("by", "mit")))
    elif "f" in flags and clause.accusative and not clause.accusative.definite \
            and not clause.negated and rng.chance(30):
        clause.beneficiary = PrepositionalPhrase("for", "für", "acc",
                                                 make_somebody(rng, clause.subject))


def by_vehicle(name):
    return ("der " if NOUNS[name].gender == "f" else "dem ") + NOUNS[name].de


def add_time(rng, clause):
    """A time that suits the tense; it stands in front in some statements."""
    if clause.form == "perfect" or "v" in clause.verb.flags and clause.form == "simple":
        return
    if clause.form == "simple" and not clause.negated and clause.verb.en not in SCHEDULED \
            and rng.chance(45):
        word = rng.choice(sorted(adv.FREQUENCIES))
        clause.frequency = Fixed(word, adv.FREQUENCIES[word], ("negation",) if word == "never"
                                 else (), ((word, adv.FREQUENCIES[word]),))
        if rng.chance(60):
            return
    if not rng.chance(82):
        return
    past = clause.form == "past" or clause.modal in PAST_MODALS
    clause.time = make_time(rng, clause.form, past, clause.verb, clause.frequency is not None)
    too_exact = clause.manner and clause.manner.en in ("early", "late")
    if clause.negated and clause.time.en.endswith(" ago") or too_exact and "at " in clause.time.en:
        clause.time = None
    clause.fronted = clause.time is not None and rng.chance(38)
