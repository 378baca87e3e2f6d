"""What somebody says, believes or asks: that, whether, why."""

from . import german
from .clause_maker import make_clause
from .clauses import Clause, SHOULD, english_clause, german_question, german_subordinate
from .linked import link, make_actor, pronoun_of
from .phrases import Pronoun, Trace
from .verbs import Verb

KNOW = Verb("know", "knew", "known", "", False, "wissen", "",
            german.conjugate("wissen", "weißt", "weiß", "weiß"), "gewusst", "haben", "none", "", "",
            (), frozenset("v"))


def opinion_verb(en, de, participle):
    base, _, past = en.partition("/")
    return Verb(base, past, past, "", False, de, "", german.conjugate(de), participle, "haben",
                "none", "", "", (), frozenset("v"))


HOPE = opinion_verb("hope/hoped", "hoffen", "gehofft")
OPINIONS = (opinion_verb("say/said", "sagen", "gesagt"), HOPE,
            opinion_verb("believe/believed", "glauben", "geglaubt"),
            opinion_verb("think/thought", "denken", "gedacht"), KNOW)
ASK = opinion_verb("ask/asked", "fragen", "gefragt")


def inner_clause(rng, speaker):
    """What somebody says or asks: often about the speaker."""
    again = pronoun_of(speaker)
    subject = again if again and rng.chance(40) else None
    clause = make_clause(rng, subject)
    if clause is None or subject is None and clause.subject.pronoun == speaker.pronoun:
        return None
    if getattr(clause.subject, "noun", 1) is getattr(speaker, "noun", 2):
        return None
    return clause


def that_sentence(rng):
    """My sister says that she has to get up at half past six tomorrow."""
    speaker = make_actor(rng)
    verb = rng.choice(OPINIONS)
    past = verb is OPINIONS[0] and rng.chance(30)
    other = inner_clause(rng, speaker)
    if verb is HOPE and other and other.modal is SHOULD:
        return None
    main = Clause(speaker, verb, "past" if past else "simple",
                  negated=verb.base in ("know", "believe") and not past and rng.chance(25))
    return link(rng, main, "that", "dass", other)


def whether_sentence(rng):
    """I do not know whether the train has already arrived."""
    speaker = make_actor(rng)
    other = inner_clause(rng, speaker)
    if other is None or other.subject.pronoun == "I" or \
            other.subject.pronoun == speaker.pronoun == "you":
        return None
    asks = rng.chance(40)
    main = Clause(speaker, ASK if asks else KNOW, "past" if asks and rng.chance(50) else "simple",
                  negated=not asks)
    if asks and main.form == "simple":
        main.form = "progressive"
    if rng.chance(40):
        if other.verb.en == "have":
            return None
        return link(rng, main, "why", "warum", other)
    if not asks and rng.chance(40):
        return whether_question(rng, other)
    return link(rng, main, "whether", "ob", other)


def whether_question(rng, other):
    """Do you know whether ...?"""
    main = Clause(Pronoun("you"), KNOW, "simple")
    trace = Trace()
    other.fronted = False
    trace.lexemes.add(("whether", "ob"))
    if other.subject.pronoun == "you":
        return None
    return (f"{english_clause(main, question=True)} whether {english_clause(other)}",
            f"{german_question(main, trace)}, ob {german_subordinate(other, trace)}", "?", trace)
