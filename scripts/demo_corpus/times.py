"""Time phrases that suit a tense: tomorrow, on Monday at half past seven, three weeks ago."""

from . import adverbials as adv
from .phrases import Fixed

UNITS_OF_TIME = {"hour": ("Stunde", "Stunden"), "day": ("Tag", "Tage"), "week": ("Woche", "Wochen"),
                 "month": ("Monat", "Monate"), "year": ("Jahr", "Jahre"),
                 "minute": ("Minute", "Minuten")}
# Nouns that occur in the fixed phrases of the lexicon.
CONTENT = {"day": "Tag", "week": "Woche", "month": "Monat", "year": "Jahr", "morning": "Morgen",
           "evening": "Abend", "afternoon": "Nachmittag", "weekend": "Wochenende",
           "night": "Nacht", "moment": "Moment", "summer": "Sommer", "winter": "Winter",
           "every": "jeder", "next": "nächster", "last": "letzter", "dinner": "Abendessen",
           "breakfast": "Frühstück", "lunch": "Mittagessen", "work": "Arbeit", "today": "heute",
           "tomorrow": "morgen", "yesterday": "gestern", "now": "jetzt"}


def phrase(en, de):
    """A time phrase with its tags and lexemes."""
    tags = [] if en in adv.SINGLE_ADVERBS else ["time"]
    if de.startswith(adv.WITH_PREPOSITION):
        tags.append("preposition")
    lexemes = [(word, CONTENT[word]) for word in en.split() if word in CONTENT]
    return Fixed(en, de, tuple(tags), tuple(lexemes))


def joined(first, second):
    return Fixed(f"{first.en} {second.en}", f"{first.de} {second.de}", first.tags + second.tags,
                 first.lexemes + second.lexemes)


def clock(rng):
    """at eight o'clock, at half past seven (halb acht), at a quarter past three."""
    hour = 1 + rng.below(12)
    following = hour % 12 + 1
    kind = rng.weighted({"full": 40, "half": 25, "past": 12, "to": 12, "ten past": 6, "ten to": 5})
    en, de = adv.UNITS[hour], adv.DE_UNITS[hour]
    shown = "eins" if hour == 1 else de
    if kind == "full":
        texts = f"at {en} o'clock", f"um {de} Uhr"
    elif kind == "half":
        half = "eins" if following == 1 else adv.DE_UNITS[following]
        texts = f"at half past {en}", f"um halb {half}"
    else:
        minutes, direction = kind.split() if " " in kind else ("a quarter", kind)
        german_minutes = "zehn" if minutes == "ten" else "Viertel"
        german_direction = "nach" if direction == "past" else "vor"
        texts = f"at {minutes} {direction} {en}", f"um {german_minutes} {german_direction} {shown}"
    return Fixed(*texts, ("time", "preposition"), ((en, de),))


def dictionary_phrase(rng, table):
    en = rng.choice(sorted(table))
    return phrase(en, table[en])


def day(rng):
    en = rng.choice(sorted(adv.DAYS))
    return Fixed(f"on {en}", f"am {adv.DAYS[en]}", ("time", "preposition"), ((en, adv.DAYS[en]),))


def in_calendar(rng, table):
    """in May, in summer."""
    en = rng.choice(sorted(table))
    return Fixed(f"in {en}", f"im {table[en]}", ("time", "preposition"), ((en, table[en]),))


def counted(rng, before, after, de_before, unit):
    """three days ago: vor drei Tagen; in two weeks: in zwei Wochen."""
    amount = 2 + rng.below(9)
    en, de = adv.number(amount)
    plural = UNITS_OF_TIME[unit][1]
    dative = plural if plural.endswith("n") else plural + "n"
    return Fixed(f"{before}{en} {unit}s{after}", f"{de_before} {de} {dative}",
                 ("time", "number", "preposition", "plural", "case"),
                 ((unit, UNITS_OF_TIME[unit][0]), (en, de)))


def duration(rng, unit):
    """for two hours: zwei Stunden lang."""
    en, de = adv.number(2 + rng.below(9))
    return Fixed(f"for {en} {unit}s", f"{de} {UNITS_OF_TIME[unit][1]} lang",
                 ("time", "number", "plural"), ((unit, UNITS_OF_TIME[unit][0]), (en, de)))


def make_time(rng, form, past, verb, frequent):
    """A time for a verb in this tense, or None."""
    flags = verb.flags
    if form == "simple":
        return make_regular(rng, verb, frequent)
    if "u" in flags and rng.chance(25) and (past or form == "modal"):
        return duration(rng, rng.choice(("hour", "day") if "s" in flags else ("hour", "minute")))
    if past:
        time = make_past(rng, flags)
    elif form == "progressive":
        kinds = {"now": 45, "soon": 25, "day": 20, "later": 10}
        time = make_future(rng, rng.weighted(kinds), flags)
    else:
        time = make_future(rng, rng.weighted({"soon": 50, "day": 25, "later": 10,
                                               "in": 0 if "c" in flags else 15}), flags)
    if "c" in flags and time.en in CLOCK_AFTER and rng.chance(55) or \
            "c" in flags and time.en.startswith("on ") and rng.chance(60):
        return joined(time, clock(rng))
    return time


CLOCK_AFTER = frozenset(("today", "tomorrow", "yesterday"))


def make_past(rng, flags):
    long_ago = "s" in flags
    kind = rng.weighted({"before": 45, "day": 20, "ago": 15, "long": 20 if long_ago else 0,
                         "calendar": 15 if long_ago else 0})
    if kind == "before":
        return dictionary_phrase(rng, adv.BEFORE)
    if kind == "day":
        return day(rng)
    if kind == "long":
        return dictionary_phrase(rng, adv.LONG_BEFORE)
    if kind == "calendar":
        return in_calendar(rng, adv.MONTHS if rng.chance(50) else adv.SEASONS)
    units = ("week", "month", "year") if long_ago else ("day", "week", "hour")
    return counted(rng, "", " ago", "vor", rng.choice(units))


def make_future(rng, kind, flags):
    if kind == "now":
        return dictionary_phrase(rng, adv.NOW)
    if kind == "soon":
        return dictionary_phrase(rng, adv.SOON)
    if kind == "day":
        return day(rng)
    if kind == "later":
        return dictionary_phrase(rng, adv.LATER if "s" in flags else adv.SOON)
    return counted(rng, "in ", "", "in", rng.choice(("day", "week", "hour")))


def make_regular(rng, verb, frequent):
    """Times of habits: every day, in the morning, every summer."""
    if "s" in verb.flags and rng.chance(50 if "d" in verb.flags else 100):
        if rng.chance(50):
            return in_calendar(rng, adv.SEASONS if rng.chance(60) else adv.MONTHS)
        table = adv.SEASONAL
    else:
        table = adv.REGULAR
    if frequent:
        table = {en: de for en, de in table.items() if not en.startswith("every")}
        if not table:
            return in_calendar(rng, adv.SEASONS)
    time = dictionary_phrase(rng, table)
    if "c" in verb.flags and not frequent and time.en in ("every day", "every morning"):
        return joined(time, clock(rng))
    return time
