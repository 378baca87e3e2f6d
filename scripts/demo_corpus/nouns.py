"""Nouns: English (with an irregular plural), German article, singular, plural, groups.

A third German form is the accusative and dative singular of weak nouns (den Jungen). Nouns with
"-" for a plural have none. The groups say what a noun can be used for.
"""

from dataclasses import dataclass
from functools import lru_cache

from . import english

TABLE = """
mother | die Mutter Mütter | kin female
father | der Vater Väter | kin male
sister | die Schwester Schwestern | kin female
brother | der Bruder Brüder | kin male
aunt | die Tante Tanten | kin female
uncle | der Onkel Onkel | kin male
grandmother | die Großmutter Großmütter | kin female
grandfather | der Großvater Großväter | kin male
daughter | die Tochter Töchter | kin female
son | der Sohn Söhne | kin male
wife/wives | die Frau - | kin female
husband | der Mann - | kin male
friend | der Freund Freunde | kin male
neighbour | der Nachbar Nachbarn Nachbarn | person kin male
colleague | der Kollege Kollegen Kollegen | person kin male
woman/women | die Frau Frauen | person female
man/men | der Mann Männer | person male
boy | der Junge Jungen Jungen | person child male
girl | das Mädchen Mädchen | person child
child/children | das Kind Kinder | person child
baby | das Baby Babys | infant
teacher | der Lehrer Lehrer | person profession male
doctor | der Arzt Ärzte | person profession male
student | der Student Studenten Studenten | person male
pupil | der Schüler Schüler | person child male
waiter | der Kellner Kellner | person profession male
waitress | die Kellnerin Kellnerinnen | person profession female
baker | der Bäcker Bäcker | person profession male
policeman/policemen | der Polizist Polizisten Polizisten | person profession male
tourist | der Tourist Touristen Touristen | person male
boss | der Chef Chefs | kin male
nurse | die Krankenschwester Krankenschwestern | person profession female
actress | die Schauspielerin Schauspielerinnen | person profession female
saleswoman/saleswomen | die Verkäuferin Verkäuferinnen | person profession female
gardener | der Gärtner Gärtner | person profession male
guest | der Gast Gäste | person male
farmer | der Bauer Bauern Bauern | person profession male
dog | der Hund Hunde | animal pet
cat | die Katze Katzen | animal pet
horse | das Pferd Pferde | animal
bird | der Vogel Vögel | animal bird
cow | die Kuh Kühe | animal
duck | die Ente Enten | animal bird
mouse/mice | die Maus Mäuse | rodent
apple | der Apfel Äpfel | food fruit
banana | die Banane Bananen | food fruit
orange | die Orange Orangen | food fruit
pear | die Birne Birnen | food fruit
egg | das Ei Eier | food cooked
potato/potatoes | die Kartoffel Kartoffeln | food cooked vegetable
tomato/tomatoes | die Tomate Tomaten | food vegetable
cake | der Kuchen Kuchen | food baked
pizza | die Pizza Pizzen | food baked dish
sausage | die Wurst Würste | food dish
bread roll | das Brötchen Brötchen | food baked
biscuit | der Keks Kekse | food baked
soup | die Suppe Suppen | food cooked dish
salad | der Salat Salate | food dish
bread | das Brot - | food mass
cheese | der Käse - | food mass
fish | der Fisch - | food mass cooked dish
meat | das Fleisch - | food mass cooked
rice | der Reis - | food mass cooked
chocolate | die Schokolade - | food mass
coffee | der Kaffee - | drink hot mass
tea | der Tee - | drink hot mass
milk | die Milch - | drink mass
water | das Wasser - | drink mass
juice | der Saft - | drink mass
beer | das Bier - | drink alcohol mass
wine | der Wein - | drink alcohol mass
lemonade | die Limonade - | drink mass
coat | der Mantel Mäntel | clothes outer
jacket | die Jacke Jacken | clothes outer
dress | das Kleid Kleider | clothes
shirt | das Hemd Hemden | clothes
blouse | die Bluse Blusen | clothes
skirt | der Rock Röcke | clothes
hat | der Hut Hüte | clothes outer
scarf | der Schal Schals | clothes outer
sweater | der Pullover Pullover | clothes
suit | der Anzug Anzüge | clothes
shoe | der Schuh Schuhe | pair
glove | der Handschuh Handschuhe | pair
boot | der Stiefel Stiefel | pair
book | das Buch Bücher | readable lying
newspaper | die Zeitung Zeitungen | readable lying
magazine | die Zeitschrift Zeitschriften | readable lying
novel | der Roman Romane | readable text
letter | der Brief Briefe | readable text mail lying
message | die Nachricht Nachrichten | readable text mail
postcard | die Postkarte Postkarten | readable mail lying
poem | das Gedicht Gedichte | readable text
report | der Bericht Berichte | readable text
story/stories | die Geschichte Geschichten | readable text tale
dictionary/dictionaries | das Wörterbuch Wörterbücher | lying
table | der Tisch Tische | furniture surface
chair | der Stuhl Stühle | furniture seat surface
bed | das Bett Betten | furniture surface
lamp | die Lampe Lampen | furniture device upright
cupboard | der Schrank Schränke | furniture
sofa | das Sofa Sofas | furniture surface
shelf/shelves | das Regal Regale | furniture
armchair | der Sessel Sessel | furniture seat
carpet | der Teppich Teppiche | furniture surface
mirror | der Spiegel Spiegel | furniture hung
desk | der Schreibtisch Schreibtische | furniture surface
clock | die Uhr Uhren | furniture machine hung
key | der Schlüssel Schlüssel | small lying
bag | die Tasche Taschen | small luggage upright
umbrella | der Regenschirm Regenschirme | small
phone | das Handy Handys | small lying
ring | der Ring Ringe | small lying
pen | der Stift Stifte | small lying
ticket | die Fahrkarte Fahrkarten | small lying
passport | der Pass Pässe | small lying
camera | die Kamera Kameras | small machine lying
ball | der Ball Bälle | toy
doll | die Puppe Puppen | toy
toy | das Spielzeug - | toy
knife/knives | das Messer Messer | cutlery lying
spoon | der Löffel Löffel | cutlery lying
fork | die Gabel Gabeln | cutlery lying
cup | die Tasse Tassen | dishes upright
glass | das Glas Gläser | dishes upright
plate | der Teller Teller | dishes upright
bottle | die Flasche Flaschen | container upright
vase | die Vase Vasen | dishes upright
basket | der Korb Körbe | container upright luggage
box | die Kiste Kisten | container luggage
suitcase | der Koffer Koffer | luggage upright
backpack | der Rucksack Rucksäcke | luggage
parcel | das Paket Pakete | mail container
photo | das Foto Fotos | image lying
picture | das Bild Bilder | image hung
gift | das Geschenk Geschenke | gift
flower | die Blume Blumen | plant gift
rose | die Rose Rosen | plant gift
tree | der Baum Bäume | plant landmark
computer | der Computer Computer | device machine
radio | das Radio Radios | device machine
television | der Fernseher Fernseher | device machine
washing machine | die Waschmaschine Waschmaschinen | machine
heater | die Heizung Heizungen | device
car | das Auto Autos | vehicle machine
bicycle | das Fahrrad Fahrräder | vehicle machine
motorbike | das Motorrad Motorräder | vehicle machine
boat | das Boot Boote | vehicle
bus | der Bus Busse | transport ride
train | der Zug Züge | transport ride
tram | die Straßenbahn Straßenbahnen | transport ride
plane | das Flugzeug Flugzeuge | transport
ship | das Schiff Schiffe | transport
taxi | das Taxi Taxis | ride
guitar | die Gitarre Gitarren | instrument
piano | das Klavier Klaviere | instrument
violin | die Geige Geigen | instrument
window | das Fenster Fenster | opening
door | die Tür Türen | opening
house | das Haus Häuser | building landmark
flat | die Wohnung Wohnungen | building
room | das Zimmer Zimmer | tidy
kitchen | die Küche Küchen | tidy place
garden | der Garten Gärten | place
living room | das Wohnzimmer - | tidy place
bathroom | das Badezimmer - | tidy place
bedroom | das Schlafzimmer - | tidy place
garage | die Garage Garagen | tidy place landmark
park | der Park Parks | place sight
school | die Schule Schulen | place landmark
office | das Büro Büros | place
library/libraries | die Bibliothek Bibliotheken | place landmark
museum | das Museum Museen | place sight landmark
cinema | das Kino Kinos | place landmark
theatre | das Theater Theater | place landmark
restaurant | das Restaurant Restaurants | place landmark
hotel | das Hotel Hotels | place landmark
café | das Café Cafés | place
supermarket | der Supermarkt Supermärkte | place landmark
market | der Markt Märkte | place
station | der Bahnhof Bahnhöfe | place landmark
airport | der Flughafen - | place
hospital | das Krankenhaus Krankenhäuser | place landmark
pharmacy | die Apotheke Apotheken | place landmark
bakery | die Bäckerei Bäckereien | place landmark
forest | der Wald Wälder | place nature
lake | der See Seen | place nature
beach | der Strand Strände | place nature
city | die Stadt Städte | place sight
village | das Dorf Dörfer | place sight
church | die Kirche Kirchen | place sight landmark
castle | das Schloss Schlösser | sight landmark place
zoo | der Zoo Zoos | place sight
farm | der Bauernhof Bauernhöfe | place
balcony | der Balkon Balkone | place
bridge | die Brücke Brücken | landmark
tower | der Turm Türme | landmark sight
street | die Straße Straßen | place
mountain | der Berg Berge | nature
river | der Fluss Flüsse | nature
song | das Lied Lieder | music
film | der Film Filme | show
concert | das Konzert Konzerte | event show
party | die Party Partys | event
meeting | die Besprechung Besprechungen | event
course | der Kurs Kurse | event
game | das Spiel Spiele | event
wedding | die Hochzeit Hochzeiten | feast
birthday | der Geburtstag Geburtstage | feast
question | die Frage Fragen | talk
answer | die Antwort Antworten | talk
problem | das Problem Probleme | talk
rule | die Regel Regeln | talk
word | das Wort Wörter | talk
idea | die Idee Ideen | talk
exercise | die Übung Übungen | talk
mistake | der Fehler Fehler | error
trip | die Reise Reisen | journey
bill | die Rechnung Rechnungen | paper
form | das Formular Formulare | paper
exam | die Prüfung Prüfungen | exam
way | der Weg - | abstract
money | das Geld - | abstract mass
time | die Zeit - | abstract mass
breakfast | das Frühstück - | meal
dinner | das Abendessen - | meal
lunch | das Mittagessen - | meal
work | die Arbeit - | abstract
sun | die Sonne - | abstract
weather | das Wetter - | abstract
"""


@dataclass(frozen=True)
class Noun:
    """One noun in both languages."""
    en: str
    en_plural: str
    de: str
    gender: str
    de_plural: str  # empty if there is none
    oblique: str  # accusative and dative singular
    groups: frozenset

    @property
    def lexeme(self):
        return (self.en, self.de)

    @property
    def mass(self):
        return "mass" in self.groups

    @property
    def pronoun(self):
        """he, she or it; empty where English and German usage leave a choice (girl, child)."""
        if "male" in self.groups:
            return "he"
        if "female" in self.groups:
            return "she"
        alive = self.groups & {"person", "animal", "infant", "rodent"}
        return "" if alive else "it"


def read_table():
    """The nouns of the table by their English name."""
    nouns = {}
    for line in TABLE.strip().splitlines():
        en, de, groups = (part.strip() for part in line.split("|"))
        en, _, en_plural = en.partition("/")
        article, singular, plural, *weak = de.split()
        gender = {"der": "m", "die": "f", "das": "n"}[article]
        nouns[en] = Noun(en, en_plural or english.plural(en), singular, gender,
                         "" if plural == "-" else plural, weak[0] if weak else singular,
                         frozenset(groups.split()))
    return nouns


NOUNS = read_table()


@lru_cache(maxsize=None)
def select(description):
    """The nouns of a list of group names and =nouns: "food =key"."""
    wanted = description.split()
    single = {word[1:].replace("_", " ") for word in wanted if word.startswith("=")}
    groups = {word for word in wanted if not word.startswith("=")}
    found = [noun for noun in NOUNS.values() if noun.en in single or noun.groups & groups]
    assert found and single <= set(NOUNS), description
    return tuple(found)
