"""All Cypher of reviews, early ends, the desk and holds: constant texts, every value a parameter.

Somebody who decides sees *all* of a subject: `whole` demands that every mention of it is visible. What only a missed
review or a restriction hides is found here; what has ended, or does not verify, is not.
"""

from typing import Final

from graph.labels import DISTRUSTED, MARKED, SIGNAL, SUBJECT, Label, Tie
from graph.queries import BARE_MENTION, BETWEEN, LINK_ROW, LINK_TYPES, LOCK, bare, visible


def _going_on(name: str) -> str:
    return f"({name}.remove_by > $today AND {name}.{DISTRUSTED.name} IS NULL)"


def whole(name: str) -> str:
    """Return the clause that the reader may see every mention of the subject `name`, and there is one."""
    return (
        f"(EXISTS {{ ({name})<-[:{Tie.MENTIONS}]-() }}"
        f" AND NOT EXISTS {{ MATCH ({name})<-[m:{Tie.MENTIONS}]-() WHERE NOT {visible('m')} }})"
    )


_SUBJECT: Final = f"s {{{bare(SUBJECT)}}}"
_SIGNAL: Final = f"g {{{bare(SIGNAL)}}}"
_FULL_MENTION: Final = "m {.*, signal: g.id, subject: s.id}"

REVIEWS_DUE: Final = f"""
MATCH (s:{Label.SUBJECT})
WHERE s.review_by >= $after_on AND s.review_by <= $until AND (s.review_by > $after_on OR s.id > $after_id)
    AND {_going_on("s")} AND {whole("s")}
WITH s ORDER BY s.review_by, s.id LIMIT $limit
CALL (s) {{
    MATCH (g:{Label.SIGNAL})-[m:{Tie.MENTIONS}]->(s) WHERE {visible("m")}
    RETURN {_FULL_MENTION} AS mention ORDER BY g.entered_at DESC, m.id LIMIT 1
}}
RETURN {_SUBJECT} AS subject, mention ORDER BY subject.review_by, subject.id
"""

WHOLE_SUBJECT: Final = f"""
MATCH (s:{Label.SUBJECT} {{id: $id}}) WHERE {_going_on("s")} AND {whole("s")}
RETURN {_SUBJECT} AS subject,
    COLLECT {{ MATCH (g:{Label.SIGNAL})-[:{Tie.MENTIONS}]->(s) RETURN [g.id, g.received_on, g.entered_at] }} AS signals,
    COLLECT {{
        MATCH (g:{Label.SIGNAL})-[m:{Tie.MENTIONS}]->(s) WHERE {visible("m")} RETURN {_FULL_MENTION}
    }} AS mentions,
    COLLECT {{
        MATCH (s)-[r:{LINK_TYPES}]-(b) WHERE {visible("r")} AND (b:{Label.PORT} OR {_going_on("b")})
        RETURN {LINK_ROW}
    }} AS links
"""

PARTIAL_SIGNALS: Final = f"""
MATCH (g:{Label.SIGNAL})
WHERE g.redacted_on >= $after_on AND (g.redacted_on > $after_on OR g.id > $after_id) AND {visible("g")}
WITH g ORDER BY g.redacted_on, g.id LIMIT $limit
RETURN g {{.*}} AS signal,
    COLLECT {{
        MATCH (g)-[m:{Tie.MENTIONS}]->(s:{Label.SUBJECT}) WHERE {visible("m")} RETURN {_FULL_MENTION}
    }} AS mentions
ORDER BY signal.redacted_on, signal.id
"""

# For the act itself: every part of a record is read, so that all of it can be certified anew.

SIGNAL_WITH_SUBJECTS: Final = f"""
MATCH (g:{Label.SIGNAL} {{id: $id}}) WHERE g.{DISTRUSTED.name} IS NULL
RETURN {_SIGNAL} AS signal,
    COLLECT {{ MATCH (g)-[m:{Tie.MENTIONS}]->(s:{Label.SUBJECT}) RETURN {BARE_MENTION} }} AS mentions,
    COLLECT {{
        MATCH (g)-[:{Tie.MENTIONS}]->(a:{Label.SUBJECT})
        MATCH (g)-[:{Tie.MENTIONS}|{Tie.AT}]->(b)
        {BETWEEN}
        MATCH (a)-[r:{LINK_TYPES}]->(b) WHERE r.signal = g.id
        RETURN DISTINCT {LINK_ROW}
    }} AS links,
    COLLECT {{
        MATCH (g)-[:{Tie.MENTIONS}]->(s:{Label.SUBJECT})
        RETURN {{
            subject: {_SUBJECT},
            signals: COLLECT {{
                MATCH (h:{Label.SIGNAL})-[:{Tie.MENTIONS}]->(s) WHERE h <> g AND h.remove_by IS NULL
                RETURN [h.received_on, h.entered_at]
            }}
        }}
    }} AS subjects
"""

MARK_MENTIONS: Final = f"""
UNWIND $rows AS row
MATCH (g:{Label.SIGNAL} {{id: row.signal}})-[m:{Tie.MENTIONS} {{id: row.id}}]->()
SET m.markings = row.markings, m.mac = row.mac, g.{MARKED.name} = row.at
RETURN count(m) AS done
"""

MARK_LINKS: Final = f"""
UNWIND $rows AS row
MATCH (:{Label.SUBJECT} {{id: row.from_}})-[r:{LINK_TYPES}]->() WHERE r.id = row.id
SET r.markings = row.markings, r.mac = row.mac
RETURN count(r) AS done
"""

CHANGE_SIGNALS: Final = f"""
UNWIND $rows AS row
MATCH (g:{Label.SIGNAL} {{id: row.id}})
{LOCK.format("g")}
WITH g, row WHERE g.revision = row.revision - 1
SET g += row
RETURN count(g) AS done
"""

CREATE_DOSSIERS: Final = f"UNWIND $rows AS row CREATE (d:{Label.DOSSIER}) SET d = row"

CHANGE_DOSSIERS: Final = f"""
UNWIND $rows AS row
MATCH (d:{Label.DOSSIER} {{id: row.id}})
{LOCK.format("d")}
WITH d, row WHERE d.revision = row.revision - 1
SET d = row
RETURN count(d) AS done
"""

CHANGE_STUBS: Final = f"""
UNWIND $rows AS row
MATCH (a:{Label.ARCHIVED} {{id: row.id}})
{LOCK.format("a")}
WITH a, row WHERE a.revision = row.revision - 1
SET a = row
RETURN count(a) AS done
"""

DOSSIERS: Final = f"UNWIND $ids AS id MATCH (d:{Label.DOSSIER} {{id: id}}) RETURN d {{.*}} AS dossier"

TEXTS_OVER: Final = f"""
MATCH (d:{Label.DOSSIER}) WHERE d.keep_until <= $today RETURN d {{.*}} AS dossier ORDER BY d.keep_until, d.id
"""

PROPOSED: Final = f"MATCH (d:{Label.DOSSIER}) WHERE d.state = $state RETURN d {{.*}} AS dossier ORDER BY d.on, d.id"

# Versions of the policy.

STAMPED_BY: Final = f"MATCH (n:{Label.REGISTER} {{key: $key}}) RETURN n.policy AS policy"

STAMP: Final = f"MATCH (n:{Label.REGISTER} {{key: $key}}) SET n.policy = $policy"

# Holds.

CREATE_HOLD: Final = f"CREATE (h:{Label.HOLD}) SET h = $row"

CHANGE_HOLD: Final = f"""
MATCH (h:{Label.HOLD} {{id: $row.id}})
{LOCK.format("h")}
WITH h WHERE h.revision = $row.revision - 1
SET h = $row
RETURN count(h) AS done
"""

BRING_BACK_HOLD: Final = f"""
MERGE (h:{Label.HOLD} {{id: $row.id}})
SET h = $row
"""

HOLDS: Final = f"MATCH (h:{Label.HOLD}) RETURN h {{.*}} AS hold ORDER BY h.on, h.id"

HOLD: Final = f"MATCH (h:{Label.HOLD} {{id: $id}}) RETURN h {{.*}} AS hold"

SUBJECTS_PRESENT: Final = f"UNWIND $ids AS id MATCH (s:{Label.SUBJECT} {{id: id}}) RETURN s.id AS id"

NEIGHBOURS: Final = f"""
UNWIND $ids AS id
MATCH (a:{Label.SUBJECT} {{id: id}})
MATCH (a)-[:{LINK_TYPES}]-(b:{Label.SUBJECT})
RETURN DISTINCT b.id AS id
"""
