"""The rules a signal or a decision can break: stable codes, each with a sentence in English and Dutch.

Sentences say what is expected and never hold a value that was handed in; `{...}` stands for a limit of the rule itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from register.errors import Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule in words, in English and in Dutch."""

    en: str
    nl: str


_JSON = {
    "json.size": Rule(en="is larger than {limit} bytes", nl="is groter dan {limit} bytes"),
    "json.encoding": Rule(en="is not UTF-8", nl="is geen UTF-8"),
    "json.bom": Rule(en="begins with a byte order mark", nl="begint met een byte order mark"),
    "json.syntax": Rule(
        en="is not JSON (RFC 8259), at character {at} of line {line}",
        nl="is geen JSON (RFC 8259), bij teken {at} van regel {line}",
    ),
    "json.depth": Rule(en="is nested deeper than {limit} levels", nl="is dieper genest dan {limit} niveaus"),
    "json.duplicate-key": Rule(en="names a field twice", nl="noemt een veld tweemaal"),
    "json.number": Rule(
        en="is not a number JSON can carry safely: finite, and an integer of at most {limit} digits",
        nl="is geen getal dat JSON veilig kan dragen: eindig, en een geheel getal van hoogstens {limit} cijfers",
    ),
}

_SCHEMA = {
    "schema.type": Rule(en="must be of type {expected}", nl="moet van type {expected} zijn"),
    "schema.required": Rule(en="is missing", nl="ontbreekt"),
    "schema.unknown-field": Rule(
        en="has a field that the format does not know", nl="heeft een veld dat het formaat niet kent"
    ),
    "schema.not-allowed": Rule(
        en="must be absent: the evaluation scheme has no such code",
        nl="moet ontbreken: het evaluatieschema kent zo'n code niet",
    ),
    "schema.enum": Rule(en="must be one of: {expected}", nl="moet een van deze zijn: {expected}"),
    "schema.const": Rule(en="must be {expected}", nl="moet {expected} zijn"),
    "schema.pattern": Rule(en="must match {expected}", nl="moet voldoen aan {expected}"),
    "schema.format": Rule(
        en="must be a real date, written YYYY-MM-DD", nl="moet een bestaande datum zijn, geschreven als JJJJ-MM-DD"
    ),
    "schema.min-length": Rule(en="needs at least {expected} character", nl="heeft minstens {expected} teken nodig"),
    "schema.max-length": Rule(en="has more than {expected} characters", nl="heeft meer dan {expected} tekens"),
    "schema.min-items": Rule(en="needs at least {expected} item", nl="heeft minstens {expected} element nodig"),
    "schema.max-items": Rule(en="has more than {expected} items", nl="heeft meer dan {expected} elementen"),
    "schema.unique": Rule(en="names an item twice", nl="noemt een element tweemaal"),
}

_CONTENT = {
    "date.future": Rule(en="lies in the future", nl="ligt in de toekomst"),
    "date.order": Rule(
        en="lies before the date at which the period begins", nl="ligt voor de datum waarop de periode begint"
    ),
    "term.past": Rule(
        en="is so long ago that the term for keeping such a signal is over (Wpg art. 10(6))",
        nl="is zo lang geleden dat de bewaartermijn van zo'n signaal voorbij is (Wpg art. 10, zesde lid)",
    ),
    "informant.late": Rule(
        en="lies more than {months} months before the signal was handed in; an informant's signal may be handed on only"
        " within that time (Wpg art. 12(2))",
        nl="ligt meer dan {months} maanden voor de aanlevering; een signaal van een informant mag alleen daarbinnen"
        " worden doorgegeven (Wpg art. 12, tweede lid)",
    ),
    "born.implausible": Rule(
        en="must be a real date (or year, or month) in the past, of a person at most {years} years ago",
        nl="moet een bestaande datum (of jaar, of maand) in het verleden zijn, bij een persoon hoogstens {years} jaar"
        " geleden",
    ),
    "ref.duplicate": Rule(
        en="is the ref of an earlier subject of this signal", nl="is de ref van een eerder subject in dit signaal"
    ),
    "port.unknown": Rule(en="is not the UN/LOCODE of a known harbour", nl="is niet de UN/LOCODE van een bekende haven"),
    "link.end-unknown": Rule(
        en="must be the ref of a subject of this signal (or, at the far end, a harbour named in `ports`)",
        nl="moet de ref van een subject in dit signaal zijn (of, aan het verre eind, een haven uit `ports`)",
    ),
    "link.self": Rule(en="must be another than `from`", nl="moet een ander zijn dan `from`"),
    "special.reason": Rule(
        en="may be given only when unavoidable: `necessity` must name this category and say why it is needed, in a"
        " sentence of at least {words} words (Wpg art. 5)",
        nl="mag alleen als het onvermijdelijk is: `necessity` moet deze categorie noemen en zeggen waarom zij nodig is,"
        " in een zin van minstens {words} woorden (Wpg art. 5)",
    ),
    "identifier.duplicate": Rule(en="is stated twice for this subject", nl="is tweemaal vermeld bij dit subject"),
    "identifier.empty": Rule(
        en="cannot be an identifier of this kind: it is blank, a filler, or too short to tell one subject from another",
        nl="kan geen kenmerk van deze soort zijn: het is leeg, een opvulling, of te kort om subjecten te onderscheiden",
    ),
    "same-as.form": Rule(
        en="must be the id of a subject: 32 lower-case hexadecimal digits",
        nl="moet het id van een subject zijn: 32 kleine hexadecimale cijfers",
    ),
    "same-as.unknown": Rule(
        en="names no subject of that type, or one that another subject of this signal names too",
        nl="noemt geen subject van dat type, of een dat een ander subject in dit signaal ook noemt",
    ),
    "text.blank": Rule(en="must hold a visible character", nl="moet een zichtbaar teken bevatten"),
    "text.characters": Rule(
        en="holds U+0000 or half of a surrogate pair", nl="bevat U+0000 of de helft van een surrogaatpaar"
    ),
    "text.control": Rule(
        en="holds a control character, a line break or a sign that overrides the direction of writing",
        nl="bevat een stuurteken, een regeleinde of een teken dat de schrijfrichting omkeert",
    ),
    "text.form": Rule(en="is not in Unicode normalisation form C", nl="staat niet in Unicode-normalisatievorm C"),
}

DECISIONS: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "text.long": Rule(en="has more than {limit} characters", nl="heeft meer dan {limit} tekens"),
        "number.range": Rule(en="must be 1 to {limit}", nl="moet 1 tot en met {limit} zijn"),
        "case.malformed": Rule(
            en="a case reference is needed, matching {expected}", nl="een zaakkenmerk is nodig, volgens {expected}"
        ),
        "id.form": Rule(
            en="must be an id: 32 lower-case hexadecimal digits", nl="moet een id zijn: 32 kleine hexadecimale cijfers"
        ),
        "answers.none": Rule(
            en="a restriction is no review: no answers", nl="een beperking is geen toetsing: geen antwoorden"
        ),
        "answers.all": Rule(
            en="every question needs an answer: {expected}", nl="elke vraag heeft een antwoord nodig: {expected}"
        ),
        "answers.contradict": Rule(
            en="what no longer serves the theme is not kept", nl="wat het thema niet meer dient, wordt niet bewaard"
        ),
        "information.needed": Rule(
            en="new information, and it alone, is named by its signals",
            nl="nieuwe informatie, en alleen die, wordt met haar signalen genoemd",
        ),
        "information.old": Rule(
            en="names no signal about the subject that was accepted since the last check",
            nl="noemt geen signaal over het subject dat sinds de laatste toetsing is aanvaard",
        ),
        "review.too-late": Rule(
            en="its time for a review has passed: it goes", nl="de tijd voor een toetsing is voorbij: het gaat weg"
        ),
        "restriction.stands": Rule(en="it is restricted already", nl="het is al beperkt"),
        "restriction.none": Rule(en="it is not restricted", nl="het is niet beperkt"),
        "restriction.ground": Rule(
            en="a restriction, and it alone, has a ground", nl="een beperking, en alleen die, heeft een grond"
        ),
        "end.ground": Rule(en="must be one of: {expected}", nl="moet een van deze zijn: {expected}"),
        "hold.ground": Rule(
            en="a hold needs a ground of the law: {expected}", nl="aanhouden vraagt een grond in de wet: {expected}"
        ),
        "hold.over": Rule(
            en="ends before it begins, or is over already", nl="eindigt voordat het begint, of is al voorbij"
        ),
        "hold.review": Rule(
            en="must lie from today to the last day of the hold",
            nl="moet tussen vandaag en de laatste dag van het aanhouden liggen",
        ),
        "hold.scope": Rule(
            en="a hold lies on subjects, signals, archived records or a query",
            nl="aangehouden worden subjecten, signalen, gearchiveerde gegevens of een zoekvraag",
        ),
        "hold.depth": Rule(
            en="a query has a start and a depth of 1 to 3", nl="een zoekvraag heeft een begin en een diepte van 1 tot 3"
        ),
        "return.order": Rule(
            en="must lie between the removal and today", nl="moet tussen de verwijdering en vandaag liggen"
        ),
        "return.nobody": Rule(
            en="holds no signal about a person or organisation: only such a record can be returned",
            nl="bevat geen signaal over een persoon of organisatie: alleen zulke gegevens kunnen terugkeren",
        ),
        "hold.unknown": Rule(en="names nothing that is there", nl="noemt niets dat er is"),
    }
)
"""Rules that a review, a restriction, an early end or a hold can break."""

SIGNALS: Final[Mapping[str, Rule]] = MappingProxyType(_JSON | _SCHEMA | _CONTENT)
"""Rules that a signal can break; programs of contributors rely on the codes."""

RULES: Final[Mapping[str, Rule]] = MappingProxyType({**SIGNALS, **DECISIONS})
"""Every rule by its code. Codes are stable."""


def fault(pointer: str, rule: str, **limits: object) -> Fault:
    """Return the fault of breaking `rule` at `pointer`, in English; `limits` fill the sentence's places."""
    return Fault(pointer=pointer, rule=rule, message=RULES[rule].en.format_map(limits))
