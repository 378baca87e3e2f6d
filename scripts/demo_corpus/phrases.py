"""Noun phrases and prepositional phrases in both languages, and the trace that they leave."""

from dataclasses import dataclass, field

from . import english, german
from .adverbials import number


@dataclass
class Trace:
    """What a sentence is made of: phenomena, lexemes, and the combinations that can be held out."""
    tags: set = field(default_factory=set)
    lexemes: set = field(default_factory=set)
    combinations: set = field(default_factory=set)

    def add(self, *tags):
        self.tags.update(tags)


@dataclass(frozen=True)
class Fixed:
    """A phrase that never changes: an adverb, a time, a place."""
    en: str
    de: str
    tags: tuple = ()
    lexemes: tuple = ()

    def german(self, trace):
        trace.add(*self.tags)
        trace.lexemes.update(self.lexemes)
        return self.de


@dataclass(frozen=True)
class Pronoun:
    """A personal pronoun; "it" needs the gender of the noun that it stands for."""
    pronoun: str
    gender: str = ""
    definite = True
    light = True  # stands right after the verb

    @property
    def person(self):
        return {"I": "1s", "you": "2s", "we": "p", "they": "p"}.get(self.pronoun, "3s")

    @property
    def en_subject(self):
        return self.pronoun

    @property
    def en_object(self):
        return english.OBJECT_PRONOUNS[self.pronoun]

    def german(self, case, trace):
        if self.pronoun == "it":
            trace.add("gender_agreement")
        if case != "nom":
            trace.add("case")
        forms = german.IT[self.gender] if self.pronoun == "it" else german.PRONOUNS[self.pronoun]
        trace.lexemes.add((self.pronoun, german.PRONOUNS.get(self.pronoun, german.IT["n"])["nom"]))
        return forms[case]


@dataclass(frozen=True)
class Name:
    """One name, or two joined by "and"."""
    names: tuple
    pronoun: str
    definite = True
    light = False

    @property
    def person(self):
        return "3s" if len(self.names) == 1 else "p"

    @property
    def en_subject(self):
        return " and ".join(self.names)

    en_object = en_subject

    def german(self, _case, _trace):
        return " und ".join(self.names)


@dataclass(frozen=True)
class Asked:
    """who, what: the phrase that a question asks for."""
    en: str
    forms: tuple  # nominative, accusative, dative
    definite = False
    light = False
    person = "3s"
    pronoun = ""

    @property
    def en_subject(self):
        return self.en

    en_object = en_subject

    def german(self, case, trace):
        word = self.forms[german.CASES.index(case)]
        trace.lexemes.add((self.en, self.forms[0]))
        if case != "nom":
            trace.add("case")
        return word


WHO = Asked("who", ("wer", "wen", "wem"))
WHAT = Asked("what", ("was", "was", ""))


@dataclass(frozen=True)
class NounPhrase:
    """A noun with determiner, number and adjective.

    determiner: the, a (in the plural and for masses: none), any (a under negation), which,
    how many, or the owner's pronoun (my ... their).
    """
    determiner: str
    noun: object
    adjective: object = None
    plural: bool = False
    count: int = 0
    light = False

    @property
    def definite(self):
        return self.determiner not in ("a", "any", "how many")

    @property
    def person(self):
        return "p" if self.plural else "3s"

    @property
    def gender(self):
        return self.noun.gender

    @property
    def pronoun(self):
        return "they" if self.plural and self.noun.pronoun != "it" else self.noun.pronoun

    @property
    def en_subject(self):
        words = [self.adjective.en] if self.adjective else []
        words.append(self.noun.en_plural if self.plural else self.noun.en)
        if self.count:
            words.insert(0, number(self.count)[0])
        uncounted = self.plural or self.noun.mass
        if self.determiner in english.POSSESSIVES:
            words.insert(0, english.POSSESSIVES[self.determiner])
        elif self.determiner in ("the", "which", "how many"):
            words.insert(0, self.determiner)
        elif not uncounted:
            words.insert(0, english.article(words[0]))
        elif self.determiner == "any":
            words.insert(0, "any")
        return " ".join(words)

    en_object = en_subject

    def german(self, case, trace):
        self._leave_trace(trace)
        form = self._german(case)
        if case != "nom" and form != self._german("nom"):
            trace.add("case")
        return form

    def _german(self, case):
        column = "p" if self.plural else self.noun.gender
        word, endings = self._german_determiner(case, column)
        words = [word] if word else []
        if self.count:
            words.append(number(self.count)[1])
        if self.adjective:
            words.append(german.adjective(self.adjective.de, endings, case, column))
        words.append(self._german_noun(case))
        return " ".join(words)

    def _german_determiner(self, case, column):
        """The determiner and the adjective endings that it calls for."""
        if self.determiner == "the":
            return german.DEFINITE[case][column], german.WEAK_ENDINGS
        if self.determiner == "which":
            return "welch" + german.STRONG_ENDINGS[case][column], german.WEAK_ENDINGS
        if self.determiner == "how many":
            return "wie viele", german.STRONG_ENDINGS
        if self.determiner == "a" and (self.plural or self.noun.mass):
            return "", german.STRONG_ENDINGS
        stem = {"a": "ein", "any": "kein"}.get(self.determiner)
        stem = stem or german.POSSESSIVE_STEMS[self.determiner]
        return stem + german.INDEFINITE_ENDINGS[case][column], german.MIXED_ENDINGS

    def _german_noun(self, case):
        if self.plural:
            plural = self.noun.de_plural
            return german.dative_plural(plural) if case == "dat" else plural
        return self.noun.de if case == "nom" else self.noun.oblique

    def _leave_trace(self, trace):
        trace.lexemes.add(self.noun.lexeme)
        bare = self.determiner == "a" and self.noun.mass and not self.adjective
        if self.plural:
            trace.add("plural")
        elif not bare:
            trace.add("gender_agreement")
        if self.determiner == "any":
            trace.add("negation")
        if self.count:
            trace.add("number")
            trace.lexemes.add(number(self.count))
        if self.adjective:
            trace.add("adjective")
            trace.lexemes.add(self.adjective.lexeme)
            trace.combinations.add(("adjective", self.adjective.en, self.noun.en))


@dataclass(frozen=True)
class PrepositionalPhrase:
    """A preposition with its noun phrase; the verb or the meaning chooses the case."""
    en_preposition: str
    preposition: str
    case: str
    phrase: object

    @property
    def en(self):
        return f"{self.en_preposition} {self.phrase.en_object}"

    def german(self, trace):
        trace.add("preposition")
        trace.lexemes.add((self.en_preposition, self.preposition))
        return german.preposition(self.preposition, self.phrase.german(self.case, trace))
