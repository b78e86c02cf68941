"""The result of a verification in words, in English and Dutch: what was checked, and what it does not prove."""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from evidence import phrases
from evidence.manifest import BackupResult
from evidence.result import Finding, Result, Status
from evidence.survey import LogResult

Language: TypeAlias = Literal["en", "nl"]

_STATUS: Final = {
    Status.VALID: (
        "VALID: the certificate is genuine, logged, and seen by the witnesses asked for.",
        "GELDIG: het certificaat is echt, staat in het logboek en is gezien door de gevraagde getuigen.",
    ),
    Status.NOT_WITNESSED: (
        "VALID, BUT NOT WITNESSED: the certificate is genuine and logged, but nobody outside has seen the log.",
        "GELDIG, MAAR ZONDER GETUIGEN: het certificaat is echt en staat in het logboek, maar niemand van buiten heeft"
        " het logboek gezien.",
    ),
    Status.STALE: (
        "STALE: the certificate was genuine, but it is superseded or nothing recent confirms the log.",
        "ACHTERHAALD: het certificaat was echt, maar het is vervangen of niets van kort geleden bevestigt het logboek.",
    ),
    Status.INVALID: (
        "INVALID: do not rely on this certificate.",
        "ONGELDIG: ga niet op dit certificaat af.",
    ),
}

_CHECKS: Final = {
    "form": (
        "size, depth and keys are those of an envelope, and nothing stands twice",
        "omvang, diepte en sleutels zijn die van een envelop, en niets staat er dubbel in",
    ),
    "payload-type": ("the payload is an in-toto statement", "de inhoud is een in-toto-verklaring"),
    "base64": (
        "every encoded part is spelt in the one right way",
        "elk gecodeerd deel is op de enige juiste wijze gespeld",
    ),
    "signatures": (
        "enough distinct trusted keys signed it, each valid at the time of the log",
        "genoeg verschillende vertrouwde sleutels hebben getekend, elk geldig op de tijd van het logboek",
    ),
    "sense": (
        "it states all it must and nothing more, its counts add up, every deadline lies before the act, keys changed,"
        " and no copy is left out in silence",
        "het vermeldt alles wat moet en niets meer, de aantallen kloppen, elke termijn ligt voor de daad, de sleutels"
        " zijn vervangen en geen kopie is stil weggelaten",
    ),
    "leaf": (
        "the logged entry is the issue of this very certificate",
        "de logregel is de afgifte van precies dit certificaat",
    ),
    "inclusion": (
        "the entry is in the log at the stated place",
        "de regel staat in het logboek op de genoemde plaats",
    ),
    "checkpoint": (
        "the state of the log is signed by the trusted log, after the run ended",
        "de stand van het logboek is getekend door het vertrouwde logboek, na afloop van de run",
    ),
    "witnesses": (
        "enough witnesses saw the same log",
        "genoeg getuigen hebben hetzelfde logboek gezien",
    ),
    "consistency": (
        "the log continues the one that was known before",
        "het logboek is het vervolg op het eerder bekende",
    ),
    "revocation": ("no key that was used had been revoked", "geen gebruikte sleutel was ingetrokken"),
    "verdict": ("the checks together", "de controles samen"),
}

_FINDINGS: Final = {
    Finding.PASSED: ("passed", "in orde"),
    Finding.FAILED: ("FAILED", "NIET IN ORDE"),
    Finding.NOT_DONE: ("not done", "niet gedaan"),
    Finding.NOT_REACHED: ("not reached", "niet aan toegekomen"),
}

_REASONS: Final = {
    "witness.none": (
        "no witness cosigned, and none was asked for",
        "geen getuige heeft meegetekend, en er is er geen gevraagd",
    ),
    "witness.quorum": (
        "fewer witnesses cosigned than are asked for",
        "minder getuigen hebben meegetekend dan gevraagd",
    ),
    "consistency.none": (
        "no checkpoint known from elsewhere was handed in",
        "er is geen van elders bekende stand van het logboek opgegeven",
    ),
    "stale.superseded": ("a later certificate supersedes this one", "een later certificaat vervangt dit"),
    "stale.age": ("nothing recent confirms the log", "niets van kort geleden bevestigt het logboek"),
}

_LIMITS: Final = {
    "other-copies": (
        "that no copy exists outside the places it lists: prints, exports, memories of people",
        "dat er buiten de genoemde plaatsen geen kopie is: afdrukken, uitvoer, het geheugen van mensen",
    ),
    "truth-of-statement": (
        "that the software told the truth: it proves who stated what and when, and that this is not changed unnoticed",
        "dat de programmatuur de waarheid sprak: het bewijst wie wat wanneer verklaarde, en dat dit niet ongemerkt te"
        " wijzigen is",
    ),
    "not-witnessed": (
        "that the log shows everybody the same: without witnesses its keeper could keep two",
        "dat het logboek iedereen hetzelfde toont: zonder getuigen kan de beheerder er twee bijhouden",
    ),
    "no-earlier-checkpoint": (
        "that the log was not rewritten since somebody last looked: hand in a checkpoint kept earlier",
        "dat het logboek niet herschreven is sinds iemand voor het laatst keek: geef een eerder bewaarde stand op",
    ),
    "policy-text": (
        "what the policy says: hand in its text to compare it with the digest",
        "wat het beleid zegt: geef de tekst op om die met het kenmerk te vergelijken",
    ),
    "ids-list": (
        "which ids are gone: hand in the list of digests to compare it with the root",
        "welke kenmerken verdwenen zijn: geef de lijst op om die met de wortel te vergelijken",
    ),
    "assurance-logical": (
        "that a copy of the key folder, made before, cannot reopen what was purged (assurance: logical)",
        "dat een eerder gemaakte kopie van de sleutelmap het vernietigde niet weer opent (zekerheid: logisch)",
    ),
    "assurance-clear": (
        "that a backup of the key server's own storage, made before, cannot reopen what was purged (assurance: clear)",
        "dat een eerdere reservekopie van de opslag van de sleutelserver het vernietigde niet weer opent (zekerheid:"
        " clear)",
    ),
    "exceptions": (
        "anything about the copies it names as exceptions",
        "iets over de kopieën die het als uitzondering noemt",
    ),
    "backups": (
        "that backups are unreadable before the day it names",
        "dat reservekopieën onleesbaar zijn voor de genoemde dag",
    ),
    "recalls-owed": (
        "that recipients have destroyed what they were told to: some have not confirmed",
        "dat ontvangers hebben vernietigd wat hun is gevraagd: niet allen hebben bevestigd",
    ),
    "no-approvals": (
        "that a second person approved: it names none",
        "dat een tweede persoon instemde: het noemt niemand",
    ),
    "rehearsal-register": (
        "anything about real data: it comes from a register made for rehearsal",
        "iets over echte gegevens: het komt uit een oefenregister",
    ),
    "rehearsal-paper": (
        "that anything was purged: it is a rehearsal on paper",
        "dat iets vernietigd is: het is een oefening op papier",
    ),
}

_NUMBERS: Final = {
    "en": "{result.size} entries; {result.bodies} bodies are there, {result.gone} were deleted after their term.",
    "nl": "{result.size} regels; {result.bodies} teksten zijn er, {result.gone} zijn na hun termijn gewist.",
}
_LABELS: Final = {"en": ("Not proved", "Reason"), "nl": ("Niet bewezen", "Reden")}


def explain(result: Result | LogResult | BackupResult, language: Language) -> tuple[str, ...]:
    """Return the result as lines for people: the status, each check, and what is not proved."""
    column = 0 if language == "en" else 1
    status, checks, limits = _tables(result)
    not_proved, reason = _LABELS[language]
    lines = [status[result.status][column]]
    for check in result.checks:
        line = f"{check.number:2d}. {_FINDINGS[check.finding][column]}: {checks[check.code][column]}"
        if check.reason:
            known = _REASONS.get(check.reason) or phrases.REASONS.get(check.reason)
            said = known[column] if known else f"{check.detail} [{check.reason}]"
            line += f". {reason}: {said}"
        lines.append(line)
    if isinstance(result, LogResult) and result.status is not Status.INVALID:
        lines.append(_NUMBERS[language].format(result=result))
    return (*lines, *(f"{not_proved}: {limits[limit][column]}." for limit in result.limits))


def _tables(
    result: Result | LogResult | BackupResult,
) -> tuple[Mapping[Status, phrases.Both], Mapping[str, phrases.Both], Mapping[str, phrases.Both]]:
    if isinstance(result, LogResult):
        return phrases.LOG_STATUS, phrases.LOG_CHECKS, {**_LIMITS, **phrases.LIMITS}
    if isinstance(result, BackupResult):
        return phrases.BACKUP_STATUS, phrases.BACKUP_CHECKS, phrases.LIMITS
    return _STATUS, _CHECKS, _LIMITS
