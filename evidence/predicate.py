"""The structure of a purge certificate's statement, version 1: what docs/formats/certificate-v1.schema.json says.

`evidence.statement` adds whether it makes sense.
"""

from typing import Final

from evidence.shape import closed, listed, number, one_of, optional, text, truth

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "urn:theme-register:certificate:v1"

_ID: Final = text("[0-9a-f]{32}")
_SHA256: Final = text("[0-9a-f]{64}")
_DAY: Final = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_DATE: Final = text(_DAY)
_INSTANT: Final = text(f"{_DAY}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z")
_CODE: Final = text("[a-z][a-z0-9]{0,19}(-[a-z0-9]{1,20}){0,5}")
_RULE: Final = text("[a-z0-9]{1,20}([.-][a-z0-9]{1,20}){0,9}")
_TEXT: Final = text(r"[^\u0000-\u001f\u007f]{1,200}")
_COUNT: Final = number()
_KIND: Final = one_of(
    "subject", "signal", "mention", "link", "identifier", "archived-record", "hold", "review", "decision", "request",
    "note", "judgement", "chart", "watch", "receipt", "export",
)  # fmt: skip
_ACT: Final = one_of("removed", "destroyed")
_STORE: Final = one_of("graph", "key-store", "anchor", "archive", "memory", "replica", "backup")
_ASSURANCE: Final = one_of("none", "logical", "clear", "purge", "destroy")
_ACTOR_CODE: Final = text("[a-z0-9][a-z0-9.-]{1,39}")
_ACTOR: Final = closed({"role": _CODE, "actor": _ACTOR_CODE})
_ID_SET: Final = closed({"count": _COUNT, "root": _SHA256})

_KEYS: Final = closed(
    {
        "generation_before": _COUNT,
        "generation_after": _COUNT,
        "rows_dropped": _COUNT,
        "tokens_dropped": _COUNT,
        "rows_rewrapped": _COUNT,
        "lookup_key_replaced": truth,
        "anchor": closed(
            {
                "provider": one_of("file", "passphrase", "transit", "hardware"),
                "version_before": _COUNT,
                "version_after": _COUNT,
                "destroyed_at": _INSTANT,
                "old_root_opens": truth,
                "assurance": _ASSURANCE,
            }
        ),
    }
)
_PREDICATE: Final = closed(
    {
        "certificate": closed(
            {
                "id": _ID,
                "sequence": number(least=1),
                "rehearsal": one_of("none", "register", "paper"),
                "previous": optional(_SHA256),
                "supersedes": listed(
                    closed(
                        {
                            "sha256": _SHA256,
                            "reason": one_of(
                                "replica-attested", "struck-off", "custodian-attested", "restore-replayed", "corrected"
                            ),
                        }
                    ),
                    most=1000,
                ),
            }
        ),
        "register": closed({"id": _ID, "origin": text("[0-9a-z][0-9a-z./-]{0,199}")}),
        "controller": closed({"name": _TEXT}),
        "run": closed(
            {
                "id": _ID,
                "trigger": one_of("schedule", "order", "early-end", "restore-replay", "rehearsal"),
                "fence": _COUNT,
                "plan": _SHA256,
                "site": optional(_CODE),
            }
        ),
        "policy": closed({"name": _RULE, "valid_from": _DATE, "sha256": _SHA256}),
        "grounds": listed(
            closed(
                {
                    "rule": _RULE,
                    "act": _ACT,
                    "category": _CODE,
                    "citation": closed({"article": _TEXT, "source": _TEXT, "version_on": optional(_DATE)}),
                    "count": _COUNT,
                }
            ),
            most=200,
        ),
        "terms": listed(
            closed(
                {
                    "rule": _RULE,
                    "act": _ACT,
                    "event": _CODE,
                    "event_on": _DATE,
                    "period": text("P(0|[1-9][0-9]{0,3})[YMWD]"),
                    "due_on": _DATE,
                    "count": _COUNT,
                }
            ),
            most=10000,
        ),
        "scope": closed(
            {
                "counts": listed(closed({"kind": _KIND, "act": _ACT, "count": _COUNT}), most=100),
                "ids": _ID_SET,
                "redacted": listed(closed({"kind": _KIND, "count": _COUNT}), most=100),
            }
        ),
        "stores": listed(
            closed(
                {
                    "store": _STORE,
                    "name": optional(_CODE),
                    "method": one_of(
                        "row-delete",
                        "key-destruction",
                        "index-removal",
                        "file-deletion",
                        "media-destruction",
                        "process-replacement",
                        "expiry",
                        "none",
                    ),
                    "result": one_of("done", "not-reached", "failed", "pending", "planned"),
                    "assurance": _ASSURANCE,
                    "count": _COUNT,
                }
            ),
            least=1,
            most=200,
        ),
        "keys": optional(_KEYS),
        "readback": listed(
            closed(
                {
                    "store": _STORE,
                    "check": _CODE,
                    "asked": _COUNT,
                    "expected": _COUNT,
                    "found": _COUNT,
                    "at": _INSTANT,
                }
            ),
            most=200,
        ),
        "cascade": listed(closed({"kind": _KIND, "act": _ACT, "through": optional(_KIND), "count": _COUNT}), most=1000),
        "skipped": listed(
            closed(
                {
                    "kind": _KIND,
                    "reason": one_of(
                        "held", "changed", "cannot-evaluate", "no-archive-key", "unreadable", "unknown", "stopped"
                    ),
                    "count": _COUNT,
                }
            ),
            most=200,
        ),
        "holds": listed(closed({"ground": _RULE, "considered": _COUNT, "kept": _COUNT}), most=50),
        "exceptions": listed(
            closed(
                {
                    "store": _STORE,
                    "name": optional(_CODE),
                    "reason": one_of(
                        "not-reached", "failed", "escrowed", "open-until-month-key-destroyed", "in-older-backups"
                    ),
                    "until": optional(_DATE),
                }
            ),
            most=200,
        ),
        "requested_by": _ACTOR,
        "approvals": listed(
            closed(
                {
                    "of": one_of("plan", "policy", "early-end", "striking-off"),
                    "sha256": _SHA256,
                    "role": _CODE,
                    "actor": _ACTOR_CODE,
                    "at": _INSTANT,
                }
            ),
            most=100,
        ),
        "operator": _ACTOR,
        "software": closed(
            {
                "name": one_of("theme-register"),
                "version": text("[0-9A-Za-z][0-9A-Za-z.+-]{0,39}"),
                "settings": optional(_SHA256),
            }
        ),
        "times": closed({"as_of": _DATE, "started_at": _INSTANT, "ended_at": _INSTANT}),
        "backups": closed(
            {
                "unreadable_by": optional(_DATE),
                "sets": listed(
                    closed({"id": _ID, "key": one_of("live", "destroyed"), "key_destroyed_by": _DATE}), most=500
                ),
            }
        ),
        "recalls": closed({"sent": _COUNT, "confirmed": _COUNT, "owed": _COUNT}),
        "stubs": _ID_SET,
    }
)
STATEMENT: Final = closed(
    {
        "_type": one_of(STATEMENT_TYPE),
        "subject": listed(
            closed({"name": one_of("purged-ids"), "digest": closed({"sha256": _SHA256})}), least=1, most=1
        ),
        "predicateType": one_of(PREDICATE_TYPE),
        "predicate": _PREDICATE,
    }
)
