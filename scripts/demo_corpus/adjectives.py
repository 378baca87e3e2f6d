"""Adjectives: English, German, the nouns that they may describe, and their value.

The value is + for praise, - for blame, = for neither; sentences with "and" join equal values,
sentences with "but" opposite ones. Adjectives that cannot stand before a noun here are marked
"state": they say how a person feels.
"""

from dataclasses import dataclass

from .nouns import NOUNS, select

TABLE = """
big | groß | = | furniture luggage building animal toy dishes machine tidy place landmark container =cake =pizza =fish
small | klein | = | furniture luggage building animal toy dishes device machine instrument fruit child tidy landmark sight place container gift baked
old | alt | - | furniture luggage building machine vehicle instrument lying image clothes pair landmark animal toy device =man =woman =farmer =doctor =teacher =neighbour =friend =song
new | neu | + | furniture luggage building machine vehicle instrument small clothes pair device readable toy dishes show music profession =colleague =boss =neighbour =friend =pupil =bicycle =idea
young | jung | = | =woman =man profession =tourist =colleague =farmer pet =horse
red | rot | = | clothes pair vehicle toy plant =carpet =sofa =armchair =door =bag =umbrella =pen =vase =apple =suitcase =chair =backpack =lamp =flower
blue | blau | = | clothes pair vehicle toy =carpet =sofa =armchair =door =bag =umbrella =pen =vase =suitcase =chair =backpack =cup =plate =bird
green | grün | = | clothes pair vehicle toy =carpet =sofa =armchair =door =bag =umbrella =pen =vase =suitcase =chair =backpack =bottle =apple =cup =pear
yellow | gelb | = | clothes vehicle toy =plate =carpet =door =bag =umbrella =pen =vase =suitcase =cup =pear =rose =flower =bird =lamp =house
white | weiß | = | clothes pair vehicle dishes pet =horse =sofa =door =house =rose =flower =table =chair =shelf =cupboard =duck =castle
black | schwarz | = | clothes pair vehicle pet =horse =sofa =door =bag =umbrella =pen =suitcase =chair =piano =cow =armchair
brown | braun | = | clothes pair pet =horse =cow =table =bag =suitcase =desk =shelf =cupboard =bottle =basket
expensive | teuer | - | clothes pair furniture vehicle machine device instrument small luggage dishes =restaurant =hotel =flat =wine =gift =trip =course =house
cheap | billig | + | clothes pair furniture vehicle machine device instrument luggage dishes =restaurant =hotel =flat =ticket =umbrella =wine =toy
beautiful | schön | + | clothes furniture dishes instrument plant image building sight nature animal feast journey music =garden =ring =gift =poem =woman =city =story =bridge =beach =park =balcony
ugly | hässlich | - | clothes furniture dishes building landmark =vase =picture =bag =hat =tower
heavy | schwer | - | furniture luggage container =parcel =piano =motorbike =washing_machine =dictionary
light | leicht | + | luggage =parcel =bicycle =chair =camera =boat =jacket =computer =umbrella
long | lang | - | =coat =dress =skirt text journey show =letter =meeting =word =scarf =street =bridge =river =song =report =answer =beach
short | kurz | + | text journey =film =dress =skirt =meeting =word =answer =song =game =coat =exercise
fast | schnell | + | vehicle ride =plane =horse =computer =ship
slow | langsam | - | ride vehicle =computer =ship
good | gut | + | readable show music =question =answer =exercise food =coffee =tea =beer =wine =restaurant =hotel =school =doctor =teacher =friend =camera =idea =boss =waiter =baker =knife =bed
bad | schlecht | - | show music text =restaurant =hotel =answer =idea =exercise =doctor =waiter =wine =coffee
fresh | frisch | + | fruit vegetable baked =bread =fish =milk =egg =salad =meat =juice
warm | warm | + | outer pair =sweater =soup =room =milk =living_room =flat =kitchen
cold | kalt | - | =soup =room =flat =tea =coffee =bedroom =pizza =bathroom =river =lake =dinner
hot | heiß | = | hot =soup =plate =potato
sweet | süß | + | fruit =cake =biscuit =tea =wine =lemonade =juice
friendly | freundlich | + | person =dog
famous | berühmt | + | =actress =doctor =museum =castle =church =restaurant =film =song =tower =bridge =novel =poem =picture =hotel
rich | reich | + | =woman =man =tourist =farmer =uncle =aunt =neighbour =actress
poor | arm | - | =woman =man =farmer =student =boy =girl =child =neighbour
clever | klug | + | =student =pupil =boy =girl =child =woman =man =dog =question =answer =idea =colleague =teacher
hard-working | fleißig | + | =student =pupil =boy =girl =colleague =farmer =gardener =nurse =baker =waiter =waitress =saleswoman
lazy | faul | - | =student =pupil =boy =cat =colleague =waiter =dog
polite | höflich | + | =waiter =waitress =student =pupil =boy =policeman =guest =saleswoman =answer =neighbour =tourist =child
curious | neugierig | = | =child =girl =boy =tourist =neighbour =cat =pupil =dog
strong | stark | + | =man =horse =boy =dog =gardener =policeman =coffee =farmer
interesting | interessant | + | readable show sight talk journey image =course =meeting =museum
boring | langweilig | - | readable show =course =meeting =game =party =exercise =work =trip
difficult | schwierig | - | =question =answer =problem =rule =word =exercise =course =game =poem =exam
easy | einfach | + | =question =answer =rule =exercise =word =course =game =problem
important | wichtig | = | =exam talk mail paper =meeting =course =report =book =key =game
modern | modern | + | furniture building device machine =kitchen =bathroom =school =library =museum =office =theatre =hospital =airport =church =train =bus =suit
quiet | ruhig | + | =hotel =flat =street =village =room =garden =café =library =park =beach =lake =office =bedroom
loud | laut | - | =party =street =song =washing_machine =motorbike =bird =dog =restaurant =concert =radio =train =tram
clean | sauber | + | clothes dishes cutlery tidy =beach =street =window =river =car =boot =shoe =hotel =table
dirty | schmutzig | - | clothes dishes cutlery pair tidy vehicle =street =window =river =carpet =ball =table =beach
full | voll | - | transport container =glass =cup =suitcase =bag =restaurant =cinema =train =shelf =backpack
empty | leer | = | container =glass =cup =suitcase =bag =restaurant =cinema =house =street =train =bus =room =shelf =beach
comfortable | bequem | + | seat =sofa =bed =shoe =boot =car =sweater =flat =train =hotel
dark | dunkel | - | =room =forest =street =garage =kitchen =flat =suit =bedroom =coat =church =bathroom
bright | hell | + | =room =flat =kitchen =office =lamp =bedroom =living_room =bathroom
broken | kaputt | - | device machine instrument toy dishes vehicle seat opening =umbrella =bed =chair =phone =shoe
thick | dick | = | =book =novel =dictionary =coat =sweater =carpet =magazine =scarf =jacket =report
thin | dünn | = | =coat =jacket =book =scarf =blouse =cat =magazine
funny | lustig | + | =story =film =book =song =picture =postcard =hat =boy =game =poem =child =dog =message =photo
elegant | elegant | + | clothes furniture =shoe =woman =hotel =restaurant =car
practical | praktisch | + | luggage =shelf =bicycle =cupboard =gift =basket =desk =phone =jacket =backpack =idea =knife =umbrella
dangerous | gefährlich | - | =street =game =mountain =river =trip =forest =motorbike =bridge
delicious | lecker | + | food =juice =lemonade =dinner =breakfast =lunch
wet | nass | - | clothes outer pair =street =umbrella =dog =carpet =newspaper =ball =boat
dry | trocken | = | =bread =cake =wine =coat =shoe =room =boot
wide | breit | = | =street =river =bed =bridge =sofa =beach =desk =door =shelf
narrow | schmal | = | =street =bridge =bed =door =cupboard =balcony =tower
round | rund | = | =table =mirror =box =carpet =window =clock =tower =vase
German | deutsch | = | =newspaper =book =film =song =word =beer =wine =car =tourist =student =magazine =cheese =passport
tired | müde | state |
ill | krank | state |
healthy | gesund | state |
happy | glücklich | state |
sad | traurig | state |
hungry | hungrig | state |
thirsty | durstig | state |
nervous | nervös | state |
satisfied | zufrieden | state |
"""


@dataclass(frozen=True)
class Adjective:
    """One adjective in both languages, with the English names of the nouns that it fits."""
    en: str
    de: str
    value: str
    nouns: frozenset

    @property
    def lexeme(self):
        return (self.en, self.de)


def read_table():
    """The adjectives of the table by their English name."""
    adjectives = {}
    for line in TABLE.strip().splitlines():
        en, de, value, nouns = (part.strip() for part in line.split("|"))
        fitting = frozenset(noun.en for noun in select(nouns)) if nouns else frozenset()
        adjectives[en] = Adjective(en, de, value, fitting)
    return adjectives


ADJECTIVES = read_table()
STATES = {name: item for name, item in ADJECTIVES.items() if item.value == "state"}
BY_NOUN = {name: [item for item in ADJECTIVES.values() if name in item.nouns] for name in NOUNS}
