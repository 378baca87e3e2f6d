"""Verbs: English, German, case frame, who does it to what and where, fitting times.

English: base/past/participle, then what follows: "+on" is a particle (turn the lamp on), "for"
belongs to the object (look for it). German: prefix|infinitive, second and third person where
irregular, participle; "sein" at the end for the perfect with sein.
Frame: none, acc, dat, dat+acc, or a preposition with its case.
Use: "subjects: objects @ places", several separated by "/"; without "subjects:" any person.
Times: d part of a day, c clock, s season or month, u duration; "v" marks states, which have no
progressive; "w" together with somebody, "f" for somebody, "p" a present habit is usual,
"x" not with a modal verb.
"""

from dataclasses import dataclass

from . import english, german

TABLE = """
buy/bought/bought ; kaufen gekauft ; acc ; food drink @ supermarket market / clothes pair @ city / furniture device instrument vehicle =camera =phone =vase =umbrella @ city / readable @ station city / gift toy @ market city / building ; d s f
eat/ate/eaten ; essen isst isst gegessen ; acc ; food @ kitchen garden restaurant / pet: =meat =fish @ garden kitchen / =horse =cow: =apple =bread @ garden ; d c p
drink/drank/drunk ; trinken getrunken ; acc ; drink @ kitchen garden café balcony ; d c p
read/read/read ; lesen liest liest gelesen ; acc ; readable @ garden library bedroom balcony living_room ; d p
write/wrote/written ; schreiben geschrieben ; acc ; text =postcard @ office library hotel ; d f
see/saw/seen ; sehen siehst sieht gesehen ; acc ; person kin @ station park market city / animal @ forest park zoo farm / landmark ; d v
find/found/found ; finden gefunden ; acc ; small toy lying @ garden bedroom garage living_room ; d o
look for ; suchen gesucht ; acc ; small toy @ garden bedroom living_room office / =flat =hotel @ city / pet @ park street ; d
lose/lost/lost ; verlieren verloren ; acc ; small toy =glove =scarf =hat @ park city forest zoo ; d o x
forget/forgot/forgotten ; vergessen vergisst vergisst vergessen ; acc ; small =birthday =backpack =meeting =scarf =gift ; d o x
need ; brauchen gebraucht ; acc ; small furniture device outer pair vehicle =money =bread =flat =dictionary ; v x
have/had/had ; haben hast hat gehabt ; acc ; =brother =sister =daughter =son pet vehicle instrument device =question =problem =idea =flat =garden =camera =phone ; v x
like ; mögen magst mag gemocht ; acc ; food drink music sight pet animal show ; v x
love ; lieben geliebt ; acc ; sight music animal nature instrument ; v x
know/knew/known ; kennen gekannt ; acc ; person sight =song =film =hotel =story =poem =restaurant =novel ; v x
visit ; besuchen besucht ; acc ; kin person / sight =library =theatre =concert =course =school ; d s
meet/met/met ; treffen triffst trifft getroffen ; acc ; person kin @ station park café library restaurant cinema airport market ; d c
ask ; fragen gefragt ; acc ; profession kin @ station hotel office ; d
understand/understood/understood ; verstehen verstanden ; acc ; talk =story =film =poem =report =teacher =boss ; v
hear/heard/heard ; hören gehört ; acc ; music =concert =radio =story / =bird =dog @ garden forest / =cow =duck @ farm ; d v x
call ; an|rufen angerufen ; acc ; kin profession ; d c
pick +up ; ab|holen abgeholt ; acc ; kin child @ station airport school / =parcel =bicycle =car ; d c
invite ; ein|laden lädst lädt eingeladen ; acc ; kin person ; d
wash ; waschen wäschst wäscht gewaschen ; acc ; clothes =car =dog =window =horse @ garden / fruit vegetable @ kitchen ; d
repair ; reparieren repariert ; acc ; machine device vehicle seat =door =table =chair @ garage ; d s f
clean ; putzen geputzt ; acc ; tidy opening pair =mirror =bicycle ; d
cook ; kochen gekocht ; acc ; cooked @ kitchen ; d f
bake ; backen bäckst bäckt gebacken ; acc ; =cake =bread =pizza =bread_roll =biscuit @ kitchen ; d f
cut/cut/cut ; schneiden geschnitten ; acc ; fruit vegetable =bread =cheese =cake =meat =sausage @ kitchen ; d
carry ; tragen trägst trägt getragen ; acc ; luggage container > house hotel station / seat =table =television =mirror =sofa =bed =carpet =desk =lamp =shelf =cupboard =clock > house kitchen garage ; d
wear/wore/worn ; tragen trägst trägt getragen ; acc ; clothes pair =ring @ office school ; d
open ; auf|machen aufgemacht ; acc ; opening luggage mail =bottle =gift =umbrella ; d
close ; zu|machen zugemacht ; acc ; opening =suitcase =box =book =bag =umbrella =cupboard =backpack ; d
turn +on ; ein|schalten eingeschaltet ; acc ; device @ kitchen living_room office bedroom / =washing_machine @ kitchen bathroom ; d c
turn +off ; aus|schalten ausgeschaltet ; acc ; device @ kitchen living_room office bedroom / =washing_machine @ kitchen bathroom ; d c
put/put/put +on ; an|ziehen angezogen ; acc ; outer pair ; d
take/took/taken +off ; aus|ziehen ausgezogen ; acc ; =coat =jacket =sweater pair =suit =shoe ; d
try +on ; an|probieren anprobiert ; acc ; clothes pair @ city ; d
help ; helfen hilfst hilft geholfen ; dat ; kin person @ kitchen garden office ; d
thank ; danken gedankt ; dat ; kin profession ; d
answer ; antworten geantwortet ; dat ; kin profession =tourist =woman =man ; d
listen to ; zu|hören zugehört ; dat ; kin profession =child =girl ; d
congratulate ; gratulieren gratuliert ; dat ; kin =actress =student =pupil =waiter ; d
give/gave/given ; geben gibst gibt gegeben ; dat+acc ; gift toy =book =newspaper =letter small dishes fruit ; d
show/showed/shown ; zeigen gezeigt ; dat+acc ; image small =house =garden =flat building mail =way =dress ; d
send/sent/sent ; schicken geschickt ; dat+acc ; mail image gift =bill =report =book ; d
lend/lent/lent ; leihen geliehen ; dat+acc ; vehicle =umbrella =camera =pen =book =novel =dictionary =guitar =suitcase =money ; d
bring/brought/brought ; bringen gebracht ; dat+acc ; hot =juice =lemonade =beer gift dish dishes =newspaper =bill =chair =key =letter ; d
sell/sold/sold ; verkaufen verkauft ; acc ; vehicle instrument building furniture =horse =camera @ city / profession: food @ market ; d s
pay/paid/paid for ; bezahlen bezahlt ; acc ; =dinner =trip =hotel =taxi =lunch =course =breakfast ; d
order ; bestellen bestellt ; acc ; dish drink =cake @ restaurant café hotel / clothes pair device ; d f
rent ; mieten gemietet ; acc ; vehicle building =room =garage @ city village ; d s
use ; benutzen benutzt ; acc ; device machine cutlery =dictionary =suitcase =basket =pen =umbrella ; d
borrow ; aus|leihen ausgeliehen ; acc ; =book =novel =magazine =dictionary =film @ library ; d
throw/threw/thrown +away ; weg|werfen wirfst wirft weggeworfen ; acc ; =letter =newspaper =bottle =box =shoe =ticket =pen =postcard =magazine =umbrella =doll =boot ; d
tidy +up ; auf|räumen aufgeräumt ; acc ; tidy =room =office =cupboard =desk =shelf =flat ; d
hang/hung/hung +up ; auf|hängen aufgehängt ; acc ; hung =coat =jacket =photo =dress =shirt @ living_room bedroom office ; d
prepare ; vor|bereiten vorbereitet ; acc ; meal feast =party =meeting =trip =exam ; d
celebrate ; feiern gefeiert ; acc ; feast @ restaurant garden hotel ; d s
miss ; verpassen verpasst ; acc ; =bus =train =tram =plane =ship =meeting =concert =film ; d o x
watch ; an|schauen angeschaut ; acc ; =film @ cinema living_room / =game @ living_room ; d
look at ; an|schauen angeschaut ; acc ; image =flat =house =castle =bicycle =car =bill ; d
take/took/taken ; nehmen nimmst nimmt genommen ; acc ; ride ; d c
play ; spielen gespielt ; acc ; instrument =song @ living_room church ; d
sing/sang/sung ; singen gesungen ; acc ; =song @ school church kitchen ; d
learn ; lernen gelernt ; acc ; =poem =word =song =rule @ school ; d
explain ; erklären erklärt ; acc+to ; talk error =film =game =poem ; d
tell/told/told ; erzählen erzählt ; dat+acc ; =story ; d
paint ; malen gemalt ; acc ; =picture animal =flower =bridge =church =castle =tower =tree =rose =mountain =river =boat =house @ park school garden balcony ; d
build/built/built ; bauen gebaut ; acc ; building =boat =shelf =table =bed =garage =church @ village ; s
plant ; pflanzen gepflanzt ; acc ; plant vegetable @ garden park ; d s
water ; gießen gegossen ; acc ; plant vegetable @ garden balcony ; d
feed/fed/fed ; füttern gefüttert ; acc ; animal infant @ garden farm ; d c
correct ; korrigieren korrigiert ; acc ; error text =exercise =word @ office school ; d
discuss ; besprechen besprichst bespricht besprochen ; acc ; =problem =question =idea =trip =report =mistake =bill @ office ; d
fill/filled/filled +in ; aus|füllen ausgefüllt ; acc ; =form @ office hospital ; d
bring/brought/brought +along ; mit|bringen mitgebracht ; acc ; gift =cake =bottle =salad =camera =wine =umbrella =ball =guitar =photo ; d
put/put/put ; stellen gestellt ; acc ; upright =chair > !spot ; d
lay/laid/laid ; legen gelegt ; acc ; lying > !spot ; d
wait for ; warten gewartet ; auf acc for ; ride kin =plane =ship @ station / =letter =answer =parcel =waiter =message ; d c
think/thought/thought about ; denken gedacht ; an acc about ; kin =exam =trip =wedding =problem =money =meeting ; d
talk to ; sprechen sprichst spricht gesprochen ; mit dat to ; kin profession @ office garden hospital kitchen ; d
dream of ; träumen geträumt ; von dat of ; =trip =house =boat =horse =beach =wedding =castle =lake ; d
ask/asked/asked about ; fragen gefragt ; nach dat about ; =bill =way =key =train =bus =room =ticket ; d
play with ; spielen gespielt ; mit dat with ; pet =child =baby =friend @ garden park living_room / child: toy @ garden school ; d
laugh about ; lachen gelacht ; über acc about ; =story =mistake =film =picture =photo =hat =message =question ; d
belong to ; gehören gehört ; dat ; thing: kin profession ; v x
work ; arbeiten gearbeitet ; none ; @ office hospital library hotel restaurant farm bakery museum pharmacy garden ; d u s p w
sleep/slept/slept ; schlafen schläfst schläft geschlafen ; none ; @ hotel living_room bedroom / animal: @ garden kitchen balcony ; d u
live ; wohnen gewohnt ; none ; @ city village !town ; s v x
stay ; bleiben geblieben sein ; none ; @ !home hotel office !town ; d u s
sit/sat/sat ; sitzen gesessen ; none ; @ park garden café kitchen library balcony ; d u
stand/stood/stood ; stehen gestanden ; none ; @ street station balcony market bridge ; d
lie/lay/lain ; liegen gelegen ; none ; @ bedroom garden beach living_room ; d u
dance ; tanzen getanzt ; none ; @ garden park hotel street ; d u w p
swim/swam/swum ; schwimmen geschwommen sein ; none ; @ lake river ; d s p w
run/ran/run ; laufen läufst läuft gelaufen sein ; none ; > park forest beach school house / animal: > garden forest house ; d w
go/went/gone ; gehen gegangen sein ; none ; > park school cinema theatre market supermarket church library museum pharmacy zoo bakery café beach !bed ; d c w p
drive/drove/driven ; fahren fährst fährt gefahren sein ; none ; > station airport hospital lake city office hotel !town ; d c w b
travel/travelled/travelled ; reisen gereist sein ; none ; > !town !country ; s w b
fly/flew/flown ; fliegen geflogen sein ; none ; > !town !country ; d s w
come/came/come ; kommen gekommen sein ; none ; > party hospital school hotel office restaurant ; d c b
come/came/come +back ; zurück|kommen zurückgekommen sein ; none ; < park school cinema market library hospital office theatre !town ; d c
arrive ; an|kommen angekommen sein ; none ; @ station airport hotel !town / =bus =train =tram: @ station / =plane: @ airport / =ship: ; d c
depart ; ab|fahren fährst fährt abgefahren sein ; none ; =bus =train =tram: @ station / =ship: ; d c
get/got/got +up ; auf|stehen aufgestanden sein ; none ; ; d c p e
wake/woke/woken +up ; auf|wachen aufgewacht sein ; none ; ; d c p
fall/fell/fallen asleep ; ein|schlafen schläfst schläft eingeschlafen sein ; none ; @ living_room bedroom cinema library ; d c
go/went/gone shopping ; ein|kaufen eingekauft ; none ; @ supermarket market city ; d p w
go/went/gone for a walk ; spazieren_|gehen spazieren_gegangen sein ; none ; @ park forest beach ; d p w
come/came/come along ; mit|kommen mitgekommen sein ; none ; > park cinema museum beach theatre zoo ; d
watch television ; fern|sehen siehst sieht ferngesehen ; none ; @ bedroom living_room ; d u p
start ; an|fangen fängst fängt angefangen ; none ; event: @ hotel school church / show: ; d c x
"""


@dataclass(frozen=True)
class Use:
    """One sensible use of a verb."""
    subjects: str  # person, or groups of nouns
    objects: str  # groups of nouns; empty for none
    place_kind: str  # at, to, from; empty for none
    places: tuple


@dataclass(frozen=True)
class Verb:
    """One verb in both languages."""
    base: str
    past: str
    participle: str
    rest: str  # what follows the verb: a particle, a preposition, a phrase
    particle: bool  # rest may be parted from the verb: turn it on
    infinitive: str  # German, without its prefix
    prefix: str
    present: dict  # German, by person
    de_participle: str
    auxiliary: str
    frame: str
    preposition: str  # of the German object
    case: str  # of that object
    uses: tuple
    flags: frozenset

    @property
    def en(self):
        return f"{self.base} {self.rest}".strip()

    @property
    def lexeme(self):
        return (self.en, joined(self.prefix, self.infinitive))

    def joined(self, form):
        """The form with its prefix, as it stands at the end of a clause."""
        return joined(self.prefix, form)


def joined(prefix, form):
    return f"{prefix[:-1]} {form}" if prefix.endswith("_") else prefix + form


def read_use(text):
    """One use: "event: =film @ hotel"."""
    subjects, colon, rest = text.rpartition(":")
    for sign, kind in (("@", "at"), (">", "to"), ("<", "from")):
        if sign in rest:
            objects, _, places = rest.partition(sign)
            return Use(subjects.strip() or "person", objects.strip(), kind, tuple(places.split()))
    return Use(subjects.strip() if colon else "person", rest.strip(), "", ())


def read_verb(line):
    en, de, frame, uses, flags = (part.strip() for part in line.split(";"))
    forms, _, rest = en.partition(" ")
    base, *irregular_en = forms.split("/")
    past, participle = irregular_en or [english.past(base)] * 2
    words = de.split()
    auxiliary = words.pop() if words[-1] == "sein" else "haben"
    prefix, _, infinitive = words[0].rpartition("|")
    irregular = words[1:-1]
    present = german.conjugate(infinitive, *irregular,
                               first="mag" if infinitive == "mögen" else "")
    preposition, _, case = frame.partition(" ")
    governed = bool(case)
    return Verb(base, past, participle, rest.lstrip("+"), rest.startswith("+"), infinitive, prefix,
                present, words[-1].replace("_", " "), auxiliary,
                "prep" if governed else frame, preposition if governed else "",
                case.split()[0] if governed else "",
                tuple(read_use(use) for use in uses.split("/")), frozenset(flags.split()))


VERBS = [read_verb(line) for line in TABLE.strip().splitlines()]
BY_ENGLISH = {verb.en: verb for verb in VERBS}
