"""The result of verifying a log or a backup in words, in English and Dutch. Those of certificates: `evidence.words`."""

from collections.abc import Mapping
from typing import Final, TypeAlias

from evidence.result import Status

Both: TypeAlias = tuple[str, str]
"""English and Dutch."""

LOG_STATUS: Final[Mapping[Status, Both]] = {
    Status.VALID: (
        "VALID: the log is whole, signed, and seen by the witnesses asked for.",
        "GELDIG: het logboek is heel, getekend en gezien door de gevraagde getuigen.",
    ),
    Status.NOT_WITNESSED: (
        "VALID, BUT NOT WITNESSED: the log is whole and signed, but nobody outside has seen it.",
        "GELDIG, MAAR ZONDER GETUIGEN: het logboek is heel en getekend, maar niemand van buiten heeft het gezien.",
    ),
    Status.INVALID: ("INVALID: do not rely on this log.", "ONGELDIG: ga niet op dit logboek af."),
}
LOG_CHECKS: Final[Mapping[str, Both]] = {
    "checkpoint": (
        "the newest checkpoint is signed by the trusted log",
        "de nieuwste stand is getekend door het vertrouwde logboek",
    ),
    "witnesses": ("enough witnesses saw the same log", "genoeg getuigen hebben hetzelfde logboek gezien"),
    "entries": ("every bundle of entries is there and has its form", "elke bundel regels is er en heeft zijn vorm"),
    "tiles": ("every tile is what the entries give", "elke tegel is wat de regels opleveren"),
    "root": ("the entries give the root that was signed", "de regels leveren de getekende wortel op"),
    "earlier": (
        "the log continues the checkpoint kept from before",
        "het logboek is het vervolg op de eerder bewaarde stand",
    ),
    "bodies": ("every body is what was logged", "elke tekst is wat er gelogd is"),
    "deletions": (
        "every body that is not there was deleted after its term, as an entry says",
        "elke tekst die er niet is, is na zijn termijn gewist, zoals een regel zegt",
    ),
}
BACKUP_STATUS: Final[Mapping[Status, Both]] = {
    Status.VALID: (
        "VALID: the list is genuine, and every file is the one that was backed up.",
        "GELDIG: de lijst is echt en elk bestand is wat er is veiliggesteld.",
    ),
    Status.INVALID: ("INVALID: do not restore from this backup.", "ONGELDIG: zet niets uit deze reservekopie terug."),
}
BACKUP_CHECKS: Final[Mapping[str, Both]] = {
    "form": ("size, depth and keys are those of an envelope", "omvang, diepte en sleutels zijn die van een envelop"),
    "payload-type": ("the payload is an in-toto statement", "de inhoud is een in-toto-verklaring"),
    "base64": (
        "every encoded part is spelt in the one right way",
        "elk gecodeerd deel is op de enige juiste wijze gespeld",
    ),
    "signatures": (
        "enough distinct trusted keys signed it",
        "genoeg verschillende vertrouwde sleutels hebben getekend",
    ),
    "sense": ("it states all it must and makes sense", "het vermeldt alles wat moet en klopt met zichzelf"),
    "files": ("every listed file is there, unchanged", "elk genoemd bestand is er, onveranderd"),
    "strays": ("nothing lies there that is not listed", "er ligt niets wat niet genoemd is"),
}
REASONS: Final[Mapping[str, Both]] = {
    "earlier.none": ("no checkpoint kept from before was handed in", "er is geen eerder bewaarde stand opgegeven"),
    "bodies.not-asked": ("bodies were not asked for", "er is niet naar teksten gevraagd"),
}
LIMITS: Final[Mapping[str, Both]] = {
    "complete-trail": (
        "that everything that happened was logged: it proves that what was logged is neither changed nor taken away",
        "dat alles wat gebeurde is gelogd: het bewijst dat wat gelogd is niet gewijzigd of weggehaald is",
    ),
    "truth-of-entries": (
        "that the entries are true: the software wrote them",
        "dat de regels waar zijn: de programmatuur schreef ze",
    ),
    "witnessed-earlier": (
        "that the newest entries are shown to everybody alike: witnesses saw an earlier checkpoint",
        "dat de nieuwste regels iedereen hetzelfde worden getoond: de getuigen zagen een eerdere stand",
    ),
    "bodies": (
        "what the entries say: their bodies were not checked",
        "wat de regels zeggen: hun teksten zijn niet nagegaan",
    ),
    "bodies-gone": (
        "what the deleted bodies said; their hashes stay in the tree",
        "wat de gewiste teksten zeiden; hun kenmerken blijven in de boom",
    ),
    "opens": (
        "that the files can be opened: that takes a key that is never part of a backup",
        "dat de bestanden te openen zijn: dat vergt een sleutel die nooit in een reservekopie zit",
    ),
    "restorable": (
        "that a restore works: try it (`backup verify` of the register reads it back)",
        "dat terugzetten lukt: probeer het (`backup verify` van het register leest hem terug)",
    ),
    "other-copies": ("that no other copy of these files exists", "dat er geen andere kopie van deze bestanden is"),
}
