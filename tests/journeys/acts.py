"""What every route and every command leaves in the audit log: the table, line by line, that a new one has to join."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from register.audit import Act

NOBODY: Final = "0" * 32
"""A well-formed id of nothing."""

OVERSIGHT: Final = {"Purpose": "oversight", "Case": "AUDIT/2026-1"}
NECESSITY: Final = {"Purpose": "necessity-review", "Case": "RR-2026/1"}
THEME: Final = {"Purpose": "theme-insight", "Case": "TEST-2026/1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One route, asked by somebody who may.

    Attributes:
        act: what a refusal is written as, and the asking itself if it discloses or does something; None: nothing is.
        by: role of who may.
        status: what the answer must be. 404: the act is written also about what is not there.
        because: why the answer discloses nothing that is logged; or where its success is shown, if not here.
        keeps: names under which fields of the answer are kept, for the routes after it (`{name}` in path and body).
        query: of the address.
    """

    act: Act | None
    by: str = "analyst"
    status: int = 200
    because: str = ""
    body: Any = None
    why: Mapping[str, str] = field(default_factory=dict)
    keeps: Mapping[str, str] = field(default_factory=dict)
    query: str = ""


def _theme(act: Act, **more: Any) -> Route:
    return Route(act=act, why=THEME, **more)


def _review(act: Act, by: str = "reviewer", **more: Any) -> Route:
    return Route(act=act, by=by, why=NECESSITY, **more)


def _audit(act: Act = Act.AUDIT_SHOW, **more: Any) -> Route:
    return Route(act=act, by="compliance-officer", why=OVERSIGHT, **more)


def _custody(act: Act, **more: Any) -> Route:
    return Route(act=act, by="compliance-officer", **more)


_YES: Final = dict.fromkeys(
    ("still-serves-the-theme", "category-still-fits", "no-more-than-needed", "correct-as-far-as-known"), True
)
_DAYS: Final = "since=2026-01-01&until=2026-12-31"

ROUTES: Final[Mapping[str, Route]] = {
    "GET /healthz": Route(act=None, by="", because="that the process answers"),
    "GET /readyz": Route(act=None, by="", because="states and counts, for monitoring"),
    "GET /metrics": Route(act=None, by="", because="numbers, for monitoring, to listed addresses only"),
    "GET /v1/openapi.json": Route(act=None, because="the description of the API"),
    "GET /v1/ports": Route(act=None, because="public reference data (UN/LOCODE)", query="text=Rotterdam"),
    "POST /v1/signals": Route(
        act=Act.SIGNAL_RECORD, by="contributor", status=201, body="{signal}", keeps={"receipt": "receipt"}
    ),
    "POST /v1/signals/batch": Route(act=Act.SIGNAL_RECORD, by="contributor", body="{other}"),
    "GET /v1/receipts/{receipt}": Route(act=Act.RECEIPT_SHOW, by="contributor"),
    "POST /v1/subjects/search": _theme(
        Act.SUBJECT_FIND, body={"name": "Klaas Rietgors"}, keeps={"subject": "hits.0.subject"}
    ),
    "GET /v1/subjects/{subject}": _theme(Act.SUBJECT_OPEN),
    "POST /v1/batches": _theme(
        Act.BATCH_ORDER,
        status=201,
        body={"names": [{"name": "Klaas Rietgors"}], "reason": "A list of the harbour office."},
        keeps={"batch": "batch"},
    ),
    "GET /v1/batches": _audit(Act.BATCH_LIST),
    "POST /v1/batches/{batch}/settlement": _audit(
        Act.BATCH_SETTLE, body={"agreed": False, "reason": "It is not needed."}
    ),
    "POST /v1/batches/{batch}/results": _theme(
        Act.BATCH_RUN,
        status=409,
        body={"names": [{"name": "Klaas Rietgors"}]},
        because="it was declined; tests/journeys/test_batches.py collects one that was agreed to",
    ),
    "POST /v1/network": _theme(Act.NETWORK_SHOW, body={"start": "{subject}"}),
    "POST /v1/paths": _theme(Act.PATHS_SHOW, status=404, body={"from": "{subject}", "to": NOBODY}),
    "GET /v1/reviews": _review(Act.REVIEW_QUEUE),
    "GET /v1/reviews/{subject}": _review(
        Act.REVIEW_OPEN, keeps={"revision": "revision", "signal_id": "signals.0.signal"}
    ),
    "GET /v1/signals/{signal}": _theme(Act.SIGNAL_OPEN),
    "POST /v1/signals/{signal}/source": _theme(
        Act.SOURCE_OPEN,
        by="desk-officer",
        status=404,
        body={"ground": "reliability"},
    ),
    "POST /v1/reviews/{subject}/decisions": _review(
        Act.REVIEW_DECIDE,
        status=201,
        body={"revision": "{revision}", "outcome": "still-needed", "reason": "It is needed.", "answers": _YES},
    ),
    "POST /v1/decisions": _review(
        Act.EARLY_END_PROPOSE,
        status=201,
        body={"signal": "{signal_id}", "ground": "incorrect", "reason": "It is not true."},
        keeps={"dossier": "dossier"},
    ),
    "GET /v1/decisions": _review(Act.EARLY_END_LIST),
    "POST /v1/decisions/{dossier}/settlement": _review(
        Act.EARLY_END_SETTLE, "desk-officer", body={"agreed": False, "reason": "It is true after all."}
    ),
    "GET /v1/desk": _review(Act.DESK_QUEUE, "desk-officer"),
    "POST /v1/desk/{signal}/leave": _review(
        Act.DESK_JUDGE,
        "desk-officer",
        status=404,
        body={"revision": 1, "reason": "Nothing in it tells who it was."},
        because="nothing waits for the desk here; tests/register/test_ending.py judges one that does",
    ),
    "POST /v1/returns": _theme(
        Act.RETURN_PROPOSE,
        by="privacy-officer",
        status=404,
        body={
            "record": {
                "format": "theme-register returned record v1",
                "archive": NOBODY,
                "record": {"signals": [], "facts": {}},
            },
            "authority": "Public prosecutor",
            "ordered_on": "2026-01-01",
            "reason": "Ordered.",
        },
        because="nothing is archived here; tests/journeys/test_returns.py brings a record back",
    ),
    "POST /v1/returns/{dossier}/settlement": _theme(
        Act.RETURN_SETTLE,
        by="privacy-officer",
        status=404,
        body={"agreed": False, "reason": "No."},
        because="no return is proposed here; tests/journeys/test_returns.py has a second person",
    ),
    "POST /v1/holds": _custody(
        Act.HOLD_LAY,
        status=201,
        body={
            "case": "WOO-2026/1",
            "title": "Enquiry",
            "mandate": "Letter of the ministry",
            "ground": "wpg-14-4",
            "reason": "Asked for.",
            "from": "2026-11-01",
            "review_on": "2027-05-01",
            "subjects": ["{subject}"],
        },
        keeps={"hold": "hold"},
    ),
    "GET /v1/holds": _custody(Act.HOLD_SHOW),
    "GET /v1/holds/{hold}": _custody(Act.HOLD_SHOW),
    "POST /v1/holds/{hold}/lifting": _custody(
        Act.HOLD_LIFT, status=204, body={"case": "WOO-2026/1", "reason": "It has ended."}
    ),
    "POST /v1/retention/plans": _custody(Act.RETENTION_PLAN, body={}),
    "GET /v1/retention/cases": _custody(Act.RETENTION_EXPLAIN),
    "GET /v1/retention/calendar": _custody(Act.RETENTION_PLAN),
    "GET /v1/retention/rehearsal": _custody(Act.RETENTION_PLAN),
    "GET /v1/retention/processing": _custody(Act.RETENTION_SEE),
    "GET /v1/retention/subjects/{subject}": _custody(Act.RETENTION_EXPLAIN),
    "POST /v1/retention/runs": _custody(Act.RETENTION_ORDER, status=202, body={}, keeps={"run": "run"}),
    "GET /v1/retention/clock": _custody(Act.RETENTION_SEE),
    "POST /v1/retention/clock/confirmation": _custody(Act.CLOCK_CONFIRM),
    "GET /v1/retention/runs": _custody(Act.RETENTION_SEE),
    "POST /v1/retention/runs/{run}/approval": _custody(
        Act.RETENTION_APPROVE,
        status=404,
        body={"digest": "0" * 64},
        because="no plan waits without a keeper; tests/journeys/test_oversight.py compares approvals with the log",
    ),
    "POST /v1/retention/policies/{digest}/approval": _custody(
        Act.POLICY_APPROVE,
        status=404,
        body={"impact": "0" * 64},
        because="nothing is proposed yet; tests/journeys/test_policies.py has a version, and a second person",
    ),
    "GET /v1/retention/policies": _custody(Act.POLICY_SHOW),
    "POST /v1/retention/policies": _custody(
        Act.POLICY_PROPOSE,
        status=201,
        body={"file": "2027-01-01-theme-bribery.toml", "text": "{policy_text}"},
        keeps={"digest": "policy"},
    ),
    "GET /v1/retention/policies/{digest}": _custody(Act.POLICY_SHOW),
    "POST /v1/retention/policies/{digest}/impact": _custody(Act.POLICY_IMPACT),
    "POST /v1/retention/policies/{digest}/withdrawal": _custody(Act.POLICY_WITHDRAW),
    "GET /v1/retention/certificates": _custody(Act.CERTIFICATE_SHOW),
    "GET /v1/retention/certificates/{certificate}": _custody(Act.CERTIFICATE_SHOW, status=404),
    "GET /v1/retention/certificates/{certificate}/print": _custody(Act.CERTIFICATE_SHOW, status=404),
    "GET /v1/audit/entries": _audit(),
    "GET /v1/audit/checkpoint": _audit(because="a size and a hash, signed to be shown to anybody"),
    "GET /v1/audit/proofs/{entry}": _audit(status=404),
    "GET /v1/audit/report": _audit(query=_DAYS),
    "GET /v1/audit/export": _audit(Act.AUDIT_EXPORT),
    "GET /v1/audit/report/export": _audit(query=_DAYS),
    "GET /v1/audit/pack": _audit(Act.AUDIT_EXPORT, query=_DAYS),
    "POST /v1/absence": Route(
        act=Act.ABSENCE_STATE, by="privacy-officer", why=OVERSIGHT, body={"name": "Wubbo Nergensvandaan"}
    ),
    "POST /v1/actors": Route(
        act=Act.ACTOR_ENROL, by="administrator", status=201, body={"code": "new-1", "role": "analyst"}
    ),
    "GET /v1/actors": Route(act=Act.ACTOR_LIST, by="administrator"),
    "DELETE /v1/actors/{code}": Route(act=Act.ACTOR_END, by="administrator", status=204),
}
"""Every route, in an order in which each can be asked once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command.

    Attributes:
        refused: what a refusal of its first question to the API is written as; None: it speaks to no API.
        act: what it writes by itself, on the folders; None: nothing.
        arguments: with which it is run; `{file}` is one with words, `{new}` a path where nothing is.
        because: why it writes nothing by itself, or what else writes for it.
    """

    refused: Act | None = None
    act: Act | None = None
    arguments: tuple[str, ...] = ()
    because: str = ""


def _asks(refused: Act, *arguments: str) -> Command:
    return Command(refused=refused, arguments=arguments)


def _does(act: Act, *arguments: str) -> Command:
    return Command(act=act, arguments=arguments)


def _silent(because: str) -> Command:
    return Command(because=because)


_CASE: Final = ("--case", "RR-2026/1")
_REASON: Final = ("--reason-file", "{file}")
_PERIOD: Final = ("--since", "2026-01-01", "--until", "2026-12-31")
_KEY: Final = ("--key", "{custodian}", "--passphrase-file", "{passphrase}")
_OFFLINE: Final = "works on files that were handed out, which was logged then; opens no register"
_CUSTODIAN: Final = "the custodian's own signed log has it, which `archive import-log` brings in"
_PARENT: Final = "starts the processes that act; each act of theirs is an entry"

COMMANDS: Final[Mapping[str, Command]] = {
    "init": _does(Act.ACTOR_ENROL),
    "serve": _silent(_PARENT),
    "keep": _silent(_PARENT),
    "demo": _silent("a made-up register, through the commands of this list"),
    "import": _does(Act.SIGNAL_RECORD, "{signals}"),
    "doctor": _silent("states and codes, to who holds the folders; opens no record"),
    "find": _asks(Act.SUBJECT_FIND, "Klaas Rietgors", *_CASE),
    "subject": _asks(Act.SUBJECT_OPEN, NOBODY, *_CASE),
    "signal": _asks(Act.SIGNAL_OPEN, NOBODY, *_CASE),
    "source": _asks(Act.SOURCE_OPEN, NOBODY, "--ground", "safety", *_CASE),
    "network": _asks(Act.NETWORK_SHOW, NOBODY, *_CASE),
    "paths": _asks(Act.PATHS_SHOW, NOBODY, "1" * 32, *_CASE),
    "batch list": _asks(Act.BATCH_LIST, *_CASE),
    "batch agree": _asks(Act.BATCH_SETTLE, NOBODY, *_CASE, *_REASON),
    "batch decline": _asks(Act.BATCH_SETTLE, NOBODY, *_CASE, *_REASON),
    "ports load": _silent("public reference data (UN/LOCODE)"),
    "review queue": _asks(Act.REVIEW_QUEUE, *_CASE),
    "review show": _asks(Act.REVIEW_OPEN, NOBODY, *_CASE),
    "review decide": _asks(Act.REVIEW_DECIDE, NOBODY, "still-needed", "--revision", "1", *_CASE, *_REASON),
    "end propose": _asks(Act.EARLY_END_PROPOSE, "incorrect", "--signal", NOBODY, *_CASE, *_REASON),
    "end list": _asks(Act.EARLY_END_LIST, *_CASE),
    "end agree": _asks(Act.EARLY_END_SETTLE, NOBODY, *_CASE, *_REASON),
    "end decline": _asks(Act.EARLY_END_SETTLE, NOBODY, *_CASE, *_REASON),
    "desk queue": _asks(Act.DESK_QUEUE, *_CASE),
    "desk leave": _asks(Act.DESK_JUDGE, NOBODY, "--revision", "1", *_CASE, *_REASON),
    "return propose": _asks(
        Act.RETURN_PROPOSE,
        "{export}",
        *("--authority", "Public prosecutor", "--ordered-on", "2026-01-01", *_REASON, *_CASE),
    ),
    "return agree": _asks(Act.RETURN_SETTLE, NOBODY, "{export}", *_CASE, *_REASON),
    "return decline": _asks(Act.RETURN_SETTLE, NOBODY, *_CASE, *_REASON),
    "hold lay": _asks(
        Act.HOLD_LAY,
        "wpg-14-4",
        *("--title-file", "{file}", "--mandate-file", "{file}", *_REASON, *_CASE),
        *("--from", "2026-11-01", "--review-on", "2027-05-01", "--subject", NOBODY),
    ),
    "hold list": _asks(Act.HOLD_SHOW),
    "hold show": _asks(Act.HOLD_SHOW, NOBODY),
    "hold lift": _asks(Act.HOLD_LIFT, NOBODY, *_CASE, *_REASON),
    "retention plan": _asks(Act.RETENTION_PLAN),
    "retention run": _asks(Act.RETENTION_ORDER),
    "retention clock": _asks(Act.RETENTION_SEE),
    "retention runs": _asks(Act.RETENTION_SEE),
    "retention approve": _asks(Act.RETENTION_APPROVE, NOBODY, "0" * 64),
    "retention evaluate": _silent("reckons about cases in a file, without any register"),
    "retention policies shipped": _silent("the policies that are published with the program"),
    "retention policies list": _asks(Act.POLICY_SHOW),
    "retention policies propose": _asks(Act.POLICY_PROPOSE, "{file}"),
    "retention policies show": _asks(Act.POLICY_SHOW, "0" * 64),
    "retention policies impact": _asks(Act.POLICY_IMPACT, "0" * 64),
    "retention policies approve": _asks(Act.POLICY_APPROVE, "0" * 64, "--impact", "0" * 64),
    "retention policies withdraw": _asks(Act.POLICY_WITHDRAW, "0" * 64),
    "retention impact": _silent("reckons about cases in a file, without any register"),
    "retention cases": _asks(Act.RETENTION_EXPLAIN),
    "retention explain": _asks(Act.RETENTION_EXPLAIN, NOBODY),
    "retention calendar": _asks(Act.RETENTION_PLAN),
    "retention processing": _asks(Act.RETENTION_SEE),
    "retention rehearse": _asks(Act.RETENTION_PLAN),
    "certificate list": _asks(Act.CERTIFICATE_SHOW),
    "certificate show": _asks(Act.CERTIFICATE_SHOW, NOBODY),
    "certificate print": _silent("sets a certificate from its files; no personal data stands in one"),
    "archive init": _does(Act.ARCHIVE_KEYS),
    "archive extend": _does(Act.ARCHIVE_KEYS, *_KEY),
    "archive import-log": _does(Act.ARCHIVE_OPEN, "{custodians-log}"),
    "archive find": _silent(_CUSTODIAN),
    "archive open": _silent(_CUSTODIAN),
    "archive reseal": _silent("one entry for each record that it seals anew: tests/journeys/test_returns.py"),
    "archive destroy-month": _silent(_CUSTODIAN),
    "audit entries": _asks(Act.AUDIT_SHOW, *_CASE),
    "audit report": _asks(Act.AUDIT_SHOW, *_PERIOD, *_CASE),
    "audit prove": _asks(Act.AUDIT_SHOW, NOBODY, "--output", "{new}", *_CASE),
    "audit checkpoint": _asks(Act.AUDIT_SHOW),
    "audit export": _asks(Act.AUDIT_EXPORT, "--output", "{new}", *_CASE),
    "audit pack": _asks(Act.AUDIT_EXPORT, *_PERIOD, "--output", "{new}", *_CASE),
    "audit absence": _asks(Act.ABSENCE_STATE, "--output", "{new}", *_CASE),
    "audit check": _silent(_OFFLINE),
    "backup create": _does(Act.BACKUP_MADE, "--to", "{new}"),
    "backup restore": _silent("writes a copy that serves nobody until `backup replay` has opened it"),
    "backup replay": _silent("its children write the entries of what is done again: tests/journeys/test_restore.py"),
    "backup verify": _silent("says how many lines of a backup open; shows none"),
    "verify certificate": _silent(_OFFLINE),
    "verify log": _silent(_OFFLINE),
    "verify backup": _silent(_OFFLINE),
    "witness init": _silent("a witness's own folder, on another machine"),
    "witness request": _silent("a checkpoint, signed to be shown to anybody"),
    "witness sign": _silent("a witness's own folder, on another machine"),
    "witness follow": _silent("a witness's own folder, on another machine"),
    "witness add": _silent("cosignatures, published beside the checkpoint"),
    "keys status": _silent("numbers of keys and versions, to who holds the folders"),
    "keys check": _silent("ids of damaged keys, to who holds the folders; opens no record"),
    "keys rotate": _does(Act.KEYS_REPLACED),
    "keys renew": _silent("of a record that is there: tests/journeys/test_renewing.py"),
    "keys export-public": _silent("public keys"),
    "keys replicate add": _does(Act.REPLICA_ATTESTED, "vault-two", "--to", "{replica}"),
    "keys replicate run": _silent("attests where a generation is new: tests/journeys/test_replicas.py"),
    "keys replicate status": _silent("codes of replicas and what each lacks, to who holds the folders"),
    "keys replicate strike": _silent("two officers are needed: tests/journeys/test_replicas.py"),
    "keys replicate restore": _silent("there is no register yet: what comes back is what the replica held"),
    "users add": _asks(Act.ACTOR_ENROL, "new-2", "analyst"),
    "users list": _asks(Act.ACTOR_LIST),
    "users end": _asks(Act.ACTOR_END, "new-2"),
    "worker serve": _silent(_PARENT),
    "worker run": _silent(_PARENT),
    "worker finish": _silent(_PARENT),
    "worker replicate": _silent("attests where a generation is new: tests/journeys/test_replicas.py"),
    "worker import": _silent(_PARENT),
    "worker expire": _silent(_PARENT),
    "worker replay": _silent(_PARENT),
    "worker state": _silent(_PARENT),
    "worker reopen": _silent(_PARENT),
}
"""Every command."""
