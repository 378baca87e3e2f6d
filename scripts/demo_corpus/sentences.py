"""Whole sentences: one function per kind, each returning English, German and a trace, or None."""

from dataclasses import dataclass

from .clause_maker import make_clause
from .clauses import english_clause, german_main, german_question
from .conditions import if_sentence
from .histories import it_sentence
from .phrases import Fixed, NounPhrase, Trace, WHAT, WHO
from .reasons import although_sentence, because_sentence
from .reports import that_sentence, whether_sentence
from .states import (age_sentence, copula_sentence, existence_sentence, location_sentence,
                     price_sentence)

QUESTION_WORDS = {"where": "wo", "when": "wann", "why": "warum"}
# Questions for these are odd or would need another word.
NOT_ASKED = frozenset(("have", "need", "belong to", "like", "love", "know", "live"))


@dataclass(frozen=True)
class Pair:
    """One sentence in both languages."""
    source: str
    target: str
    tags: frozenset
    lexemes: frozenset
    combinations: frozenset


def statement(rng):
    clause = make_clause(rng)
    if clause is None:
        return None
    trace = Trace()
    return english_clause(clause), german_main(clause, trace), ".", trace


def yes_no_question(rng):
    clause = make_clause(rng, negated=False)
    if clause is None or clause.form != "modal" and clause.subject.person == "1s":
        return None
    clause.fronted = False
    trace = Trace()
    return english_clause(clause, question=True), german_question(clause, trace), "?", trace


def question_of_circumstance(rng):
    """where, when, why"""
    en = rng.weighted({"where": 30, "when": 30, "why": 40})
    clause = make_clause(rng, negated=en == "why" and rng.chance(25),
                         forms=("simple", "progressive", "past", "modal"), place=en == "where")
    if clause is None or clause.frequency and en != "why":
        return None
    clause.fronted = False
    if en == "where":
        if clause.place is None or clause.company or clause.verb.en == "have":
            return None
        clause.place = None
    if en == "when":
        if "v" in clause.verb.flags:
            return None
        clause.time = None
    word = Fixed(en, QUESTION_WORDS[en])
    trace = Trace()
    trace.lexemes.add((en, word.de))
    target = german_question(clause, trace, word.de)
    return english_clause(clause, word, True), target, "?", trace


def question_of_subject(rng):
    """who: wer"""
    clause = make_clause(rng, subject=WHO, negated=False)
    if clause is None or clause.frequency or clause.verb.en in ("have",):
        return None
    clause.fronted = False
    trace = Trace()
    return (english_clause(clause, WHO, True), german_question(clause, trace, "by subject"), "?",
            trace)


def question_of_object(rng):
    """what, whom, which dress, how many apples"""
    clause = make_clause(rng, negated=False)
    if clause is None or clause.verb.en in NOT_ASKED or clause.prepositional or \
            clause.beneficiary or clause.frequency or clause.verb.frame not in ("acc", "dat"):
        return None
    clause.fronted = False
    case = "acc" if clause.accusative else "dat"
    item = clause.accusative or clause.dative
    if item.light or not hasattr(item, "noun"):
        asked = WHO
    elif item.noun.groups & {"person", "kin", "infant"}:
        asked = WHO
        if case == "acc" and item.noun.groups & {"person"} and rng.chance(40):
            asked = NounPhrase("which", item.noun, item.adjective, item.plural)
    else:
        asked = asked_thing(rng, item)
    clause.accusative = clause.dative = None
    trace = Trace()
    if asked not in (WHO, WHAT):
        trace.combinations.add(("verb", clause.verb.en, asked.noun.en))
    word = asked.german(case, trace)
    trace.lexemes.add({"which": ("which", "welcher"), "how many": ("how many", "wie viele")}.get(
        getattr(asked, "determiner", ""), ("who", "wer")))
    english = Fixed(asked.en_object, word)
    return english_clause(clause, english, True), german_question(clause, trace, word), "?", trace


def asked_thing(rng, item):
    if item.noun.mass or not item.noun.de_plural:
        return WHAT
    kind = rng.weighted({"what": 25, "which": 50, "how many": 25})
    if kind == "what":
        return WHAT
    many = kind == "how many"
    return NounPhrase(kind, item.noun, item.adjective, many or item.plural)


KINDS = {
    statement: 40, yes_no_question: 11, question_of_circumstance: 8, question_of_subject: 3,
    question_of_object: 6, because_sentence: 14, although_sentence: 3, that_sentence: 11,
    whether_sentence: 5, if_sentence: 15, it_sentence: 9, copula_sentence: 5,
    existence_sentence: 2, location_sentence: 4, age_sentence: 2, price_sentence: 3,
}


def make_pair(rng):
    """One pair, or None where the random choices clash."""
    made = rng.weighted(KINDS)(rng)
    if made is None:
        return None
    source, target, mark, trace = made
    return Pair(source[0].upper() + source[1:] + mark, target[0].upper() + target[1:] + mark,
                frozenset(trace.tags), frozenset(trace.lexemes), frozenset(trace.combinations))
