"""One clause in both languages: brackets, word order, negation.

German main clauses put the finite verb second and the rest of the verb at the end (hat ...
gekauft, will ... kaufen, macht ... auf); subordinate clauses end with the finite verb. Between
them stand, in this order: pronouns, definite dative objects, frequency, definite accusative
objects, time, nicht, manner, company, place, indefinite objects, prepositional objects, direction,
predicate.
"""

from dataclasses import dataclass
from typing import Optional

from . import english, german
from .verbs import Verb

BE = Verb("be", "was", "been", "", False, "sein", "", german.SEIN, "gewesen", "sein", "none", "",
          "", (), frozenset("v"))


@dataclass(frozen=True)
class Modal:
    """A modal verb. English kinds: word (can), be (is allowed to), verb (wants to)."""
    en: str
    kind: str
    past: bool
    present: dict

    @property
    def lexeme(self):
        return (self.en, self.present["p"])


def modal_forms(first, second, plural):
    return {"1s": first, "2s": second, "3s": first, "p": plural}


CAN = Modal("can", "word", False, modal_forms("kann", "kannst", "können"))
MUST = Modal("must", "word", False, modal_forms("muss", "musst", "müssen"))
HAVE_TO = Modal("have to", "verb", False, MUST.present)
WANT_TO = Modal("want to", "verb", False, modal_forms("will", "willst", "wollen"))
SHOULD = Modal("should", "word", False, modal_forms("sollte", "solltest", "sollten"))
WOULD_LIKE_TO = Modal("would like to", "word", False,
                      modal_forms("möchte", "möchtest", "möchten"))
ALLOWED_TO = Modal("allowed to", "be", False, modal_forms("darf", "darfst", "dürfen"))
COULD = Modal("could", "word", True, modal_forms("konnte", "konntest", "konnten"))
HAD_TO = Modal("had to", "verb", True, modal_forms("musste", "musstest", "mussten"))
WANTED_TO = Modal("wanted to", "verb", True, modal_forms("wollte", "wolltest", "wollten"))
WAS_ALLOWED_TO = Modal("was allowed to", "be", True, modal_forms("durfte", "durftest", "durften"))
PRESENT_MODALS = (CAN, MUST, HAVE_TO, WANT_TO, SHOULD, WOULD_LIKE_TO, ALLOWED_TO)
PAST_MODALS = (COULD, HAD_TO, WANTED_TO, WAS_ALLOWED_TO)
NEVER_NEGATED = (MUST, WOULD_LIKE_TO)


@dataclass
class Clause:
    """The parts of one clause. form: simple, progressive, past, perfect, modal."""
    subject: object
    verb: Verb
    form: str
    modal: Optional[Modal] = None
    negated: bool = False
    accusative: object = None
    dative: object = None
    dative_with_to: bool = False  # explain it to the child, not: give the child a book
    prepositional: object = None
    predicate: object = None
    time: object = None
    fronted: bool = False  # the time stands before the subject
    frequency: object = None
    particle: object = None  # already, yet
    manner: object = None
    company: object = None
    place: object = None
    beneficiary: object = None
    direction: object = None

    @property
    def denied_by_article(self):
        """True where German says kein instead of nicht."""
        return getattr(self.accusative, "determiner", "") == "any"


# --- English --------------------------------------------------------------------------------------


def english_verb(clause, asked):
    """The auxiliary (empty if none) and the words of the verb that follow the subject."""
    verb, person = clause.verb, clause.subject.person
    third = person == "3s"
    if clause.form == "modal":
        return english_modal(clause, asked)
    if clause.form == "progressive":
        return english.BE_PRESENT[person], english.progressive(verb.base)
    if clause.form == "perfect":
        return ("has" if third else "have"), verb.participle
    past = clause.form == "past"
    if verb is BE:
        return (english.BE_PAST if past else english.BE_PRESENT)[person], ""
    if clause.negated or asked:
        return ("did" if past else "does" if third else "do"), verb.base
    if past:
        return "", verb.past
    return "", english.third_person(verb.base) if third else verb.base


def english_modal(clause, asked):
    modal, person, base = clause.modal, clause.subject.person, clause.verb.base
    if modal.kind == "word":
        first, _, rest = modal.en.partition(" ")
        return first, f"{rest} {base}".strip()
    if modal.kind == "be":
        table = english.BE_PAST if modal.past else english.BE_PRESENT
        return table[person], f"allowed to {base}"
    plain = {"had to": "have to", "wanted to": "want to"}.get(modal.en, modal.en)
    if clause.negated or asked:
        helper = "did" if modal.past else "does" if person == "3s" else "do"
        return helper, f"{plain} {base}"
    if modal.past or person != "3s":
        return "", f"{modal.en} {base}"
    first, _, rest = modal.en.partition(" ")
    return "", f"{english.third_person(first)} {rest} {base}"


def english_objects(clause):
    """What follows the verb directly: particle, objects, predicate."""
    rest, verb = [clause.verb.rest] if clause.verb.rest else [], clause.verb
    accusative = clause.accusative.en_object if clause.accusative else ""
    dative = clause.dative.en_object if clause.dative else ""
    if clause.accusative and clause.accusative.light:
        words = [accusative] + rest if verb.particle else rest + [accusative]
        return words + ([f"to {dative}"] if dative else [])
    if clause.dative_with_to:
        return rest + [accusative, f"to {dative}"]
    prepositional = clause.prepositional.phrase.en_object if clause.prepositional else ""
    predicate = clause.predicate.en if clause.predicate else ""
    return rest + [dative, accusative, prepositional, predicate]


def english_clause(clause, question_word=None, question=False):
    """The English words, lower case at the start unless the word is a name."""
    by_subject = question_word is clause.subject and question
    asked = question and not by_subject
    auxiliary, tail = english_verb(clause, asked)
    denial = "not" if clause.negated else ""
    if auxiliary == "can" and denial:
        auxiliary, denial = "cannot", ""
    subject = clause.subject.en_subject
    head = [auxiliary, subject] if asked else [subject, auxiliary]
    if question_word and not by_subject:
        head.insert(0, question_word.en)
    already = clause.particle if clause.particle and not clause.negated else None
    words = head + [denial] + [part.en for part in (clause.frequency, already) if part] + [tail]
    words += english_objects(clause)
    parts = (clause.beneficiary, clause.direction, clause.place, clause.manner, clause.company)
    words += [part.en for part in parts if part]
    if clause.particle and clause.negated:
        words.append("yet")
    if clause.time:
        words.insert(0 if clause.fronted else len(words), clause.time.en)
    return " ".join(word for word in words if word)


# --- German ---------------------------------------------------------------------------------------


def german_verb(clause, trace):
    """The finite verb and the verb's remaining words at the end of the clause."""
    verb, person = clause.verb, clause.subject.person
    trace.lexemes.add(verb.lexeme)
    if verb.prefix:
        trace.add("separable")
    if clause.form == "modal":
        trace.add("modal")
        trace.lexemes.add(clause.modal.lexeme)
        return clause.modal.present[person], verb.joined(verb.infinitive)
    if clause.form in ("past", "perfect"):
        if verb.infinitive in german.PRETERITE:
            return german.PRETERITE[verb.infinitive][person], ""
        trace.add("perfect")
        auxiliary = german.SEIN if verb.auxiliary == "sein" else german.HABEN
        return auxiliary[person], verb.de_participle
    return verb.present[person], verb.prefix.rstrip("_")


def german_middle(clause, trace):
    """What stands between the two parts of the verb, the subject aside."""
    objects = [(clause.accusative, "acc"), (clause.dative, "dat")]
    light = [item.german(case, trace) for item, case in objects if item and item.light]
    heavy = [(item, case) for item, case in reversed(objects) if item and not item.light]
    definite = [(item, case) for item, case in heavy if item.definite]
    words = light + [item.german(case, trace) for item, case in definite if case == "dat"]
    words += [clause.frequency.german(trace)] if clause.frequency else []
    words += [item.german(case, trace) for item, case in definite if case == "acc"]
    if clause.time and not clause.fronted:
        words.append(clause.time.german(trace))
    words += [clause.particle.german(trace)] if clause.particle else []
    if clause.negated and not clause.denied_by_article:
        trace.add("negation")
        words.append("nicht")
    partner = clause.prepositional
    together = partner is not None and partner.preposition == "mit"
    parts = (clause.manner, clause.company, partner if together else None, clause.place)
    words += [part.german(trace) for part in parts if part]
    words += [item.german(case, trace) for item, case in heavy if not item.definite]
    parts = (None if together else partner, clause.beneficiary, clause.direction, clause.predicate)
    return words + [part.german(trace) for part in parts if part]


def note_combination(clause, trace):
    """Verb and object together are a combination that can be held out."""
    complement = clause.accusative or clause.dative
    if clause.prepositional:
        complement = clause.prepositional.phrase
    if complement is not None and hasattr(complement, "noun"):
        trace.combinations.add(("verb", clause.verb.en, complement.noun.en))


def german_main(clause, trace, front=None):
    """A clause with the verb second; `front` stands before it instead of subject or time."""
    finite, end = german_verb(clause, trace)
    note_combination(clause, trace)
    subject = clause.subject.german("nom", trace)
    if clause.time and clause.fronted:
        front = clause.time.german(trace)
    if front is None:
        head = [subject, finite]
    else:
        trace.add("verb_second")
        head = [front, finite] + ([subject] if front != subject else [])
    return " ".join(word for word in head + german_middle(clause, trace) + [end] if word)


def german_question(clause, trace, word=None):
    """A question: the verb first, or second after a question word."""
    trace.add("question")
    finite, end = german_verb(clause, trace)
    note_combination(clause, trace)
    subject = [] if word == "by subject" else [clause.subject.german("nom", trace)]
    if word == "by subject":
        word = clause.subject.german("nom", trace)
    head = ([word] if word else []) + [finite] + subject
    return " ".join(part for part in head + german_middle(clause, trace) + [end] if part)


def german_subordinate(clause, trace):
    """A clause with the finite verb at its end, without its conjunction."""
    trace.add("subordinate")
    finite, end = german_verb(clause, trace)
    note_combination(clause, trace)
    words = [clause.subject.german("nom", trace)] + german_middle(clause, trace)
    if clause.form in ("simple", "progressive"):
        words.append(clause.verb.joined(finite))
    else:
        words += [end, finite]
    return " ".join(word for word in words if word)
