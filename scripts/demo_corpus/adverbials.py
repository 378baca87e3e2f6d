"""Times, places, manners, numbers, names: the small words around a clause."""

NAMES = {"Anna": "she", "Maria": "she", "Julia": "she", "Laura": "she", "Emma": "she",
         "Sophie": "she", "Lisa": "she", "Clara": "she", "Peter": "he", "Thomas": "he",
         "Paul": "he", "Max": "he", "Felix": "he", "Jonas": "he", "David": "he", "Leon": "he"}

TOWNS = {"Berlin": "Berlin", "Hamburg": "Hamburg", "Munich": "München", "Vienna": "Wien",
         "Paris": "Paris", "London": "London", "Rome": "Rom", "Cologne": "Köln"}
COUNTRIES = {"Germany": "Deutschland", "Italy": "Italien", "France": "Frankreich",
             "Spain": "Spanien", "Austria": "Österreich", "Greece": "Griechenland"}

# Noun: English preposition of place, German prepositions for at (dative), to, from (dative).
# "to" takes the accusative, but zu the dative.
PLACES = {
    "kitchen": ("in", "in", "in", "aus"), "garden": ("in", "in", "in", "aus"),
    "bathroom": ("in", "in", "in", "aus"), "living room": ("in", "in", "in", "aus"), "bedroom": ("in", "in", "in", "aus"),
    "garage": ("in", "in", "in", "aus"), "house": ("in", "in", "in", "aus"),
    "park": ("in", "in", "in", "aus"), "school": ("at", "in", "in", "aus"),
    "office": ("at", "in", "in", "aus"), "library": ("in", "in", "in", "aus"),
    "museum": ("in", "in", "in", "aus"), "cinema": ("at", "in", "in", "aus"),
    "theatre": ("at", "in", "in", "aus"), "restaurant": ("in", "in", "in", "aus"),
    "hotel": ("in", "in", "in", "aus"), "café": ("in", "in", "in", "aus"),
    "supermarket": ("in", "in", "in", "aus"), "market": ("at", "auf", "auf", "von"),
    "station": ("at", "an", "zu", "von"), "airport": ("at", "an", "zu", "von"),
    "hospital": ("in", "in", "in", "aus"), "pharmacy": ("in", "in", "zu", "aus"),
    "bakery": ("in", "in", "zu", "aus"), "forest": ("in", "in", "in", "aus"),
    "lake": ("in", "in", "zu", "von"), "river": ("in", "in", "zu", "von"),
    "beach": ("on", "an", "an", "von"), "city": ("in", "in", "in", "aus"),
    "village": ("in", "in", "in", "aus"), "church": ("in", "in", "in", "aus"),
    "zoo": ("in", "in", "in", "aus"), "farm": ("on", "auf", "auf", "von"),
    "balcony": ("on", "auf", "auf", "von"), "bridge": ("on", "auf", "auf", "von"),
    "street": ("in", "auf", "auf", "von"), "party": ("at", "auf", "zu", "von"),
}
# Fixed phrases, by kind of place.
FIXED_PLACES = {"!home": {"at": ("at home", "zu Hause")}, "!bed": {"to": ("to bed", "ins Bett")}}

# Where a thing can be put or can be: English preposition, German preposition, nouns.
SPOTS = (
    ("on", "auf", ("table", "bed", "chair", "desk", "sofa", "carpet", "armchair")),
    ("under", "unter", ("table", "bed", "chair", "tree", "window", "desk", "sofa")),
    ("next to", "neben", ("door", "bed", "sofa", "lamp", "cupboard", "window", "computer",
                          "mirror", "television", "shelf")),
    ("behind", "hinter", ("door", "sofa", "house", "cupboard", "armchair", "tree", "television")),
    ("in front of", "vor", ("door", "mirror", "house", "window", "bed", "shelf", "garage")),
)
SURROUNDINGS = (
    ("behind", "hinter"), ("next to", "neben"), ("in front of", "vor"),
)

VEHICLES = ("bus", "train", "tram", "car", "bicycle", "taxi")

FREQUENCIES = {"often": "oft", "always": "immer", "sometimes": "manchmal", "usually": "meistens",
               "rarely": "selten", "never": "nie"}
MANNERS = {"slowly": "langsam", "quickly": "schnell", "carefully": "vorsichtig", "loudly": "laut",
           "quietly": "leise", "alone": "allein", "together": "zusammen", "well": "gut",
           "badly": "schlecht", "early": "früh", "late": "spät"}
# By German verb with its prefix; "together" is added for plural subjects where "alone" fits.
FITTING_MANNERS = {
    "fahren": ("slowly", "quickly", "carefully"), "laufen": ("slowly", "quickly"),
    "schneiden": ("slowly", "carefully", "quickly"), "tragen": ("carefully", "alone"),
    "aufmachen": ("slowly", "carefully", "quietly"), "zumachen": ("quietly", "slowly", "quickly"),
    "singen": ("loudly", "quietly", "together", "alone"), "essen": ("slowly", "quickly", "alone"),
    "schlafen": ("well", "badly"), "tanzen": ("well", "alone", "badly"),
    "aufstehen": ("early", "late", "slowly"), "aufwachen": ("early", "late"),
    "einschlafen": ("early", "late", "quickly"), "ankommen": ("early", "late"),
    "zurückkommen": ("early", "late", "alone"), "reisen": ("alone",), "kochen": ("alone",),
    "arbeiten": ("alone", "quickly", "slowly"), "spielen": ("well", "badly", "alone"),
    "lesen": ("slowly", "quickly", "loudly"), "reparieren": ("quickly", "alone", "carefully"),
    "schreiben": ("quickly", "slowly"), "aufräumen": ("quickly", "alone"),
    "putzen": ("quickly", "carefully", "alone"), "trinken": ("slowly", "quickly"),
    "erklären": ("slowly",), "spazieren gehen": ("alone",), "einkaufen": ("alone",),
    "wohnen": ("alone",), "lernen": ("quickly", "slowly", "alone"), "stellen": ("carefully",),
    "schwimmen": ("well", "slowly", "alone"), "gehen": ("slowly", "quickly", "alone"),
}

UNITS = ("", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
         "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
         "nineteen")
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
DE_UNITS = ("", "ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn",
            "elf", "zwölf", "dreizehn", "vierzehn", "fünfzehn", "sechzehn", "siebzehn", "achtzehn",
            "neunzehn")
DE_TENS = ("", "", "zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig",
           "neunzig")


def number(value):
    """A number from 2 to 99 in both languages: 25 -> twenty-five, fünfundzwanzig."""
    if value < 20:
        return UNITS[value], DE_UNITS[value]
    tens, unit = divmod(value, 10)
    if not unit:
        return TENS[tens], DE_TENS[tens]
    return f"{TENS[tens]}-{UNITS[unit]}", f"{DE_UNITS[unit]}und{DE_TENS[tens]}"


DAYS = {"Monday": "Montag", "Tuesday": "Dienstag", "Wednesday": "Mittwoch",
        "Thursday": "Donnerstag", "Friday": "Freitag", "Saturday": "Samstag", "Sunday": "Sonntag"}
MONTHS = {"January": "Januar", "February": "Februar", "March": "März", "April": "April",
          "May": "Mai", "June": "Juni", "July": "Juli", "August": "August",
          "September": "September", "October": "Oktober", "November": "November",
          "December": "Dezember"}
SEASONS = {"spring": "Frühling", "summer": "Sommer", "autumn": "Herbst", "winter": "Winter"}

# Single adverbs and fixed phrases: English -> German.
NOW = {"now": "jetzt", "today": "heute", "this evening": "heute Abend",
       "this afternoon": "heute Nachmittag", "at the moment": "im Moment"}
SOON = {"today": "heute", "tomorrow": "morgen", "tomorrow morning": "morgen früh",
        "tomorrow evening": "morgen Abend", "this evening": "heute Abend",
        "next week": "nächste Woche", "at the weekend": "am Wochenende"}
LATER = {"next week": "nächste Woche", "next month": "nächsten Monat",
         "next year": "nächstes Jahr"}
BEFORE = {"yesterday": "gestern", "this morning": "heute Morgen",
          "yesterday evening": "gestern Abend", "last week": "letzte Woche",
          "at the weekend": "am Wochenende", "yesterday afternoon": "gestern Nachmittag"}
LONG_BEFORE = {"last week": "letzte Woche", "last month": "letzten Monat",
               "last year": "letztes Jahr", "last summer": "letzten Sommer",
               "last winter": "letzten Winter"}
REGULAR = {"every day": "jeden Tag", "every morning": "jeden Morgen",
           "every evening": "jeden Abend", "every week": "jede Woche",
           "every weekend": "jedes Wochenende", "in the morning": "am Morgen",
           "in the afternoon": "am Nachmittag", "in the evening": "am Abend",
           "after work": "nach der Arbeit", "before breakfast": "vor dem Frühstück",
           "after dinner": "nach dem Abendessen", "before lunch": "vor dem Mittagessen"}
SEASONAL = {"every summer": "jeden Sommer", "every winter": "jeden Winter",
            "every year": "jedes Jahr", "every month": "jeden Monat"}
SINGLE_ADVERBS = {"now", "today", "tomorrow", "yesterday"}
WITH_PREPOSITION = ("am ", "im ", "nach ", "vor ", "in ", "um ")
