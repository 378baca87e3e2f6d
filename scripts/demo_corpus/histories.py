"""What happened to a thing, and what happens to it now: and, but, it."""

from . import adverbials as adv
from .clause_maker import make_clause
from .clauses import CAN, HAVE_TO, WANT_TO, english_clause, german_main
from .linked import make_actor, pronoun_of
from .nouns import select
from .participants import make_thing
from .phrases import NounPhrase, Trace
from .states import stand_in
from .times import phrase
from .verbs import BY_ENGLISH

# Past verb and its objects, then what happens to the thing now.
HISTORIES = (
    ("lose", "small =glove =scarf", "look for"), ("buy", "clothes pair", "wear"),
    ("buy", "vehicle", "use"), ("bake", "=cake =pizza =bread", "eat"), ("buy", "readable", "read"),
    ("borrow", "=book =novel =magazine", "read"), ("wash", "clothes", "hang up"),
    ("write", "=letter =report =message =postcard", "send"), ("buy", "device", "turn on"),
    ("find", "small toy", "need"), ("forget", "small", "need"), ("buy", "gift", "bring along"),
    ("paint", "=picture", "show"), ("repair", "vehicle", "sell"), ("buy", "furniture", "carry"),
    ("open", "=letter =parcel", "close"),
    ("buy", "gift", "show"), ("repair", "machine device", "use"), ("buy", "=vase =lamp", "put"),
    ("wash", "=apple =pear =tomato =potato", "cut"), ("write", "=poem =story =report", "correct"))


def it_sentence(rng):
    """My brother has lost his key and now he is looking for it."""
    actor = make_actor(rng)
    first, wanted, second = rng.choice(HISTORIES)
    past = rng.choice(("past", "perfect"))
    left = make_clause(rng, actor, BY_ENGLISH[first], forms=(past,), negated=False, extras=False)
    if left is None:
        return None
    left.particle = left.beneficiary = left.place = None
    noun = rng.choice(select(wanted))
    item = make_thing(rng, noun, actor, BY_ENGLISH["open" if rng.chance(50) else first])
    if item.plural and "pair" not in noun.groups:
        return None
    left.accusative = item
    right = make_second_half(rng, actor, second, item)
    if right is None:
        return None
    trace = Trace()
    contrast = second in ("need", "sell", "close")
    word, word_de = ("but", "aber") if contrast else ("and", "und")
    trace.lexemes.add((word, word_de))
    comma = "," if contrast else ""
    return (f"{english_clause(left)}{comma} {word} {english_clause(right)}",
            f"{german_main(left, trace)}{comma} {word_de} {german_main(right, trace)}", ".", trace)


def make_second_half(rng, actor, verb_name, item):
    """... and now he is looking for it"""
    verb = BY_ENGLISH[verb_name]
    simple = "v" in verb.flags
    modal = None if simple or rng.chance(55) else rng.choice((WANT_TO, HAVE_TO, CAN))
    uses = [use for use in verb.uses if use.objects and item.noun in select(use.objects)]
    right = make_clause(rng, pronoun_of(actor), verb, rng.choice(uses or verb.uses), negated=False,
                        extras=False, time=False,
                        modal=modal, forms=("simple",) if simple else ("progressive",))
    if right is None:
        return None
    right.accusative = stand_in(item)
    if right.direction and right.direction.phrase.noun is item.noun:
        return None
    if right.dative and not isinstance(right.dative, NounPhrase):
        return None
    en = rng.choice(("now", "today", "tomorrow") if modal else ("now",))
    right.time = phrase(en, adv.SOON.get(en) or adv.NOW[en])
    right.fronted = rng.chance(60)
    return right
