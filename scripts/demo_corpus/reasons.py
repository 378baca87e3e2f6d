"""Why somebody does something, or does it all the same: because, although."""

from .adjectives import BY_NOUN
from .clause_maker import make_clause
from .clauses import BE, CAN, COULD, Clause, HAD_TO, HAVE_TO, MUST, WANTED_TO, WANT_TO
from .linked import (ACTIONS, ERRANDS, EXCUSES, HELPABLE, NO_TIME, PLEASURES, action, feel, link,
                     make_actor, make_helper, make_motion, pronoun_of, purpose, simply, with_have)
from .nouns import NOUNS, select
from .participants import make_object, make_thing
from .phrases import Fixed, NounPhrase
from .states import exclusive, predicate, stand_in
from .verbs import BY_ENGLISH


def because_sentence(rng):
    kind = rng.weighted({no_time: 30, helped: 12, errand: 24, praised: 22, weary: 12})
    main, other = kind(rng)
    return link(rng, main, "because", "weil", other)


def no_time(rng):
    """Anna is not visiting her aunt today because she has to repair her bicycle."""
    actor = make_actor(rng)
    past = rng.chance(40)
    verbs = PLEASURES if rng.chance(60) else ACTIONS
    main = action(rng, actor, verbs, forms=("past",) if past else ("progressive",), negated=True)
    if main is None:
        return None, None
    main.frequency = None
    again = pronoun_of(actor)
    form = "past" if past else "simple"
    kind = rng.weighted({"time": 25, "state": 20, "duty": 55})
    if kind == "time":
        return main, with_have(again, NO_TIME, form)
    if kind == "state":
        return main, feel(again, rng.choice(EXCUSES), form,
                          rng.weighted({"": 40, "very": 25, "too": 35}))
    duty = HAD_TO if past else rng.choice((MUST, HAVE_TO))
    return main, simply(action(rng, again, modal=duty, negated=False))


def helped(rng):
    """We can repair the car today because my uncle is helping us."""
    actor = make_actor(rng)
    past = rng.chance(40)
    main = action(rng, actor, HELPABLE, modal=COULD if past else CAN, negated=False)
    if main is None:
        return None, None
    helper = make_helper(rng, actor)
    return main, Clause(helper, BY_ENGLISH["help"], "past" if past else "progressive",
                        dative=pronoun_of(actor))


def errand(rng):
    """Peter is going to the market because he wants to buy six apples."""
    actor = make_actor(rng)
    place, verb, objects = rng.choice(ERRANDS)
    past = rng.chance(40)
    main = make_motion(rng, actor, place, past)
    if main is None:
        return None, None
    return main, purpose(rng, pronoun_of(actor), verb, objects, WANTED_TO if past else WANT_TO)


def praised(rng):
    """Laura is buying the red jacket because it is cheap and warm."""
    actor = make_actor(rng)
    verb, wanted, value = rng.choice((
        ("buy", "clothes pair furniture device vehicle instrument =camera =phone", "+"),
        ("like", "clothes building vehicle readable show music =village =hotel =school", "+"),
        ("love", "=garden =house =city =village =book =song =flat =bicycle =guitar", "+"),
        ("wear", "clothes", "+"), ("read", "readable", "+"), ("order", "dish =cake", "+"),
        ("sell", "vehicle furniture building instrument", "-"),
        ("clean", "tidy opening =mirror =bicycle", "dirty"),
        ("repair", "machine device vehicle =chair", "broken"),
        ("wash", "clothes =car =dog =window", "dirty"),
        ("throw away", "=shoe =umbrella =pen =boot =box =bottle", "-")))
    negated = value == "+" and rng.chance(25)
    past = rng.chance(35) and verb not in ("like", "love")
    form = "simple" if verb in ("like", "love") else "past" if past else "progressive"
    noun = rng.choice([item for item in NOUNS.values() if BY_NOUN[item.en]
                       and item in select(wanted)])
    wished = [item for item in BY_NOUN[noun.en] if fits(item, value, negated)]
    if not wished:
        return None, None
    adjective = rng.choice(wished)
    main = make_clause(rng, actor, BY_ENGLISH[verb], forms=(form,), negated=False, extras=False)
    if main is None:
        return None, None
    item = make_thing(rng, noun, actor, BY_ENGLISH["open"])
    if item.adjective is adjective or item.adjective and exclusive(item.adjective, adjective):
        item = NounPhrase(item.determiner, noun, None, item.plural)
    main.accusative, main.negated, main.beneficiary = item, negated, None
    return main, Clause(stand_in(item), BE, "past" if past else "simple",
                        predicate=predicate(adjective, rng.weighted(
                            {"": 50, "very": 20, "too": 15, "really": 15}
                            if adjective.value == "-" and adjective.en not in ("broken",)
                            else {"": 65, "very": 20, "really": 15}
                            if adjective.en != "broken" else {"": 1})))


def fits(adjective, value, negated):
    if value in ("dirty", "broken"):
        return adjective.en == value
    return adjective.value == ("-" if negated else value) and adjective.en != "clean"


def weary(rng):
    """My brother is going to bed because he is very tired."""
    actor = make_actor(rng)
    past = rng.chance(40)
    name, state = rng.choice((("stay", "tired"), ("stay", "ill"), ("eat", "hungry"),
                              ("drink", "thirsty"), ("sing", "happy"), ("dance", "happy"),
                              ("sleep", "tired"), ("call", "sad"), ("cook", "hungry"),
                              ("fall asleep", "tired"), ("order", "hungry"), ("call", "nervous")))
    main = make_clause(rng, actor, BY_ENGLISH[name], negated=False,
                       forms=("past",) if past or name == "fall asleep" else ("progressive",))
    if main is None:
        return None, None
    if name == "stay":
        main.place = Fixed("at home", "zu Hause")
    if name == "order":
        main.place = None
        main.beneficiary = None
        main.accusative = make_object(rng, "dish", actor, BY_ENGLISH["order"])
    form = "past" if main.form == "past" else "simple"
    return main, feel(pronoun_of(actor), state, form, rng.weighted({"": 45, "very": 55}))


def although_sentence(rng):
    """Max is working in the garden although he is ill."""
    actor = make_actor(rng)
    past = rng.chance(40)
    main = action(rng, actor, forms=("past",) if past else ("progressive",), negated=False)
    form = "past" if past else "simple"
    if rng.chance(35):
        other = with_have(pronoun_of(actor), NO_TIME, form)
    else:
        other = feel(pronoun_of(actor), rng.choice(("tired", "ill", "hungry")), form,
                     rng.weighted({"": 50, "very": 50}))
    return link(rng, main, "although", "obwohl", other)
