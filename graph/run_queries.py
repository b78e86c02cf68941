"""All Cypher of retention runs: constant texts, every value a parameter, names from `graph.labels`.

Nothing here is read for a person, so there is no visibility clause: a run must see what nobody may see any more.
"""

from typing import Final

from graph.labels import (
    ARCHIVED,
    DISTRUSTED,
    LEAVING,
    NODES,
    RELATIONSHIPS,
    SIGNAL,
    SUBJECT,
    Kind,
    Label,
    Nodes,
    Relationships,
    Tie,
)
from graph.queries import BARE_MENTION, BETWEEN, LINK_ROW, LINK_TYPES, LOCK, bare

# The lease.

ACCEPT_LEASE: Final = f"""
MERGE (l:{Label.LEASE} {{key: $key}}) ON CREATE SET l.fence = 0
{LOCK.format("l")}
WITH l, l.fence < $fence OR (l.fence = $fence AND l.holder = $holder) AS newest
SET l.holder = CASE WHEN newest THEN $holder ELSE l.holder END, l.fence = CASE WHEN newest THEN $fence ELSE l.fence END
RETURN l.fence + CASE WHEN newest OR l.fence > $fence THEN 0 ELSE 1 END AS fence
"""

HOLD_LEASE: Final = f"""
MATCH (l:{Label.LEASE} {{key: $key}})
{LOCK.format("l")}
WITH l WHERE l.holder = $holder AND l.fence = $fence
RETURN l.fence AS fence
"""

# Every live record. A page of rows is one answer: of each answer, the driver makes far more than of each value in it.

_BARE_SUBJECT: Final = f"""
WITH s {{{bare(SUBJECT)}}} AS subject,
    COLLECT {{
        MATCH (g:{Label.SIGNAL})-[:{Tie.MENTIONS}]->(s) WHERE g.remove_by IS NULL RETURN [g.received_on, g.entered_at]
    }} AS signals
ORDER BY s.id
RETURN collect([subject, signals]) AS page
"""

SUBJECT_PAGE: Final = f"""
MATCH (s:{Label.SUBJECT}) WHERE s.id > $after
WITH s ORDER BY s.id LIMIT $page
{_BARE_SUBJECT}
"""

SUBJECTS_BY_ID: Final = f"""
UNWIND $ids AS id
MATCH (s:{Label.SUBJECT} {{id: id}})
{_BARE_SUBJECT}
"""

_WALKED: Final = 32
"""Links that are walked through, at most, from one subject to find those of a signal; of a hub it takes the pairs."""

_STATED: Final = f"""
MATCH (g)-[:{Tie.MENTIONS}]->(a:{Label.SUBJECT})
WITH DISTINCT g, a, COUNT {{ (a)-[:{LINK_TYPES}]->() }} AS out
CALL (g, a, out) {{
    WITH g, a, out WHERE out <= {_WALKED}
    MATCH (a)-[r:{LINK_TYPES}]->() WHERE r.signal = g.id
    RETURN r
    UNION ALL
    WITH g, a, out WHERE out > {_WALKED}
    MATCH (g)-[:{Tie.MENTIONS}|{Tie.AT}]->(b)
    {BETWEEN}
    MATCH (a)-[r:{LINK_TYPES}]->(b) WHERE r.signal = g.id
    RETURN r
}}
"""

_PARTED: Final = "ORDER BY g.id RETURN collect([signal, mentions, links]) AS page"

_BARE_SIGNAL: Final = f"""
WITH g, g {{{bare(SIGNAL)}}} AS signal,
    COLLECT {{ MATCH (g)-[m:{Tie.MENTIONS}]->(s:{Label.SUBJECT}) RETURN {BARE_MENTION} }} AS mentions,
    COLLECT {{ {_STATED} RETURN {LINK_ROW} }} AS links
{_PARTED}
"""

SIGNAL_PAGE: Final = f"""
MATCH (g:{Label.SIGNAL}) WHERE g.id > $after
WITH g ORDER BY g.id LIMIT $page
{_BARE_SIGNAL}
"""

SIGNALS_BY_ID: Final = f"""
UNWIND $ids AS id
MATCH (g:{Label.SIGNAL} {{id: id}})
{_BARE_SIGNAL}
"""

SIGNALS_NAMING: Final = f"""
UNWIND $ids AS id
MATCH (:{Label.SUBJECT} {{id: id}})<-[:{Tie.MENTIONS}]-(g:{Label.SIGNAL})
RETURN collect(DISTINCT g.id) AS page
"""

NAMED: Final = f"""
UNWIND $ids AS id
MATCH (g:{Label.SIGNAL} {{id: id}})
WITH g, g.id AS signal,
    COLLECT {{ MATCH (g)-[m:{Tie.MENTIONS}]->(s:{Label.SUBJECT}) RETURN [m.id, s.id, m.identifiers] }} AS mentions,
    COLLECT {{ {_STATED} RETURN [r.id, startNode(r).id, endNode(r).id] }} AS links
{_PARTED}
"""

CONTENTS: Final = f"""
UNWIND $ids AS id
MATCH (g:{Label.SIGNAL} {{id: id}})
WITH g, g {{.*}} AS signal,
    COLLECT {{
        MATCH (g)-[m:{Tie.MENTIONS}]->(s:{Label.SUBJECT})
        RETURN CASE WHEN s.id IN $going THEN m {{.*, signal: g.id, subject: s.id}} ELSE {BARE_MENTION} END
    }} AS mentions,
    COLLECT {{ {_STATED} RETURN {LINK_ROW} }} AS links
{_PARTED}
"""

# Stubs of archived records.

STUB_PAGE: Final = f"""
MATCH (x:{Label.ARCHIVED}) WHERE x.id > $after
WITH x ORDER BY x.id LIMIT $page
RETURN collect([x {{{bare(ARCHIVED)}}}]) AS page
"""

STUBS_BY_ID: Final = f"""
UNWIND $ids AS id
MATCH (x:{Label.ARCHIVED} {{id: id}})
WITH x ORDER BY x.id
RETURN collect([x {{{bare(ARCHIVED)}}}]) AS page
"""

CREATE_STUBS: Final = f"UNWIND $rows AS row CREATE (x:{Label.ARCHIVED}) SET x = row"

MARK_STUBS: Final = f"UNWIND $rows AS row MATCH (x:{Label.ARCHIVED} {{id: row.id}}) SET x = row"

HOLDS_SEEN: Final = f"MATCH (h:{Label.HOLD}) RETURN h.id AS id, h.revision AS revision ORDER BY id"

# What does not verify. A signal's mentions and links are found by what they state, not only by where they hang.

_DISTRUST: Final = f"WHERE n.{DISTRUSTED.name} IS NULL SET n.{DISTRUSTED.name} = $on"

DISTRUST: Final = (
    f"UNWIND $ids AS id MATCH (n:{Label.SUBJECT} {{id: id}}) {_DISTRUST}",
    f"UNWIND $ids AS id MATCH (n:{Label.SIGNAL} {{id: id}}) {_DISTRUST}",
    f"UNWIND $ids AS id MATCH (:{Label.SIGNAL} {{id: id}})-[n:{Tie.MENTIONS}]->() {_DISTRUST}",
    f"MATCH ()-[n:{LINK_TYPES}]->() WHERE n.signal IN $ids WITH n {_DISTRUST}",
)

DISTRUSTED_IDS: Final = tuple(
    f"MATCH (n:{label}) WHERE n.{DISTRUSTED.name} IS NOT NULL RETURN n.id AS id, n.{DISTRUSTED.name} AS on ORDER BY id"
    for label in (Label.SUBJECT, Label.SIGNAL)
)

# Orders and runs.

FILE_ORDER: Final = f"MERGE (o:{Label.ORDER} {{id: $order.id}}) ON CREATE SET o = $order"

ORDERS: Final = f"MATCH (o:{Label.ORDER}) RETURN o {{.*}} AS order ORDER BY o.requested_at, o.id"

BEGIN_RUN: Final = f"""
OPTIONAL MATCH (r:{Label.RUN} {{id: $run.id}})
WITH r WHERE r IS NULL
CREATE (new:{Label.RUN}) SET new = $run
RETURN new.id AS id
"""

DELETE_ORDER: Final = f"MATCH (o:{Label.ORDER} {{id: $id}}) DELETE o"

LOCKED_RUN: Final = f"MATCH (r:{Label.RUN} {{id: $id}}) {LOCK.format('r')} RETURN r {{.*}} AS run"

SET_RUN: Final = f"MATCH (r:{Label.RUN} {{id: $id}}) SET r += $changes RETURN r.id AS id"

RUNS: Final = f"MATCH (r:{Label.RUN}) RETURN r {{.*}} AS run ORDER BY r.started_at DESC, r.id"

APPEND_JOURNAL: Final = f"CREATE (j:{Label.JOURNAL}) SET j = $line"

JOURNAL: Final = f"""
MATCH (j:{Label.JOURNAL}) WHERE j.run = $run AND j.number IS NOT NULL AND j.part IS NOT NULL
RETURN j {{.*}} AS line ORDER BY j.number, j.part
"""

JOURNAL_LINE: Final = f"""
MATCH (j:{Label.JOURNAL}) WHERE j.run = $run AND j.number = $number AND j.part IS NOT NULL
RETURN j {{.*}} AS line ORDER BY j.part
"""

JOURNAL_PARTS: Final = f"""
MATCH (j:{Label.JOURNAL}) WHERE j.run = $run AND j.number = $number AND j.part IS NOT NULL
RETURN j.last AS last
"""

CREATE_GONE: Final = f"UNWIND $ids AS id CREATE (:{Label.GONE} {{id: id, run: $run}})"

DELETE_JOURNAL: Final = f"""
MATCH (j:{Label.JOURNAL}) WHERE j.run = $run AND j.number IS NOT NULL AND j.part IS NOT NULL
DELETE j
"""

DELETE_GONE: Final = f"MATCH (x:{Label.GONE} {{run: $run}}) DELETE x"

# Deleting, in the order in which it is done.

LOCKED_REVISIONS: Final = tuple(
    f"UNWIND $ids AS id MATCH (n:{label} {{id: id}}) {LOCK.format('n')} RETURN n.id AS id, n.revision AS revision"
    for label in (Label.SUBJECT, Label.SIGNAL, Label.ARCHIVED)
)

LEAVE: Final = f"UNWIND $ids AS id MATCH (s:{Label.SUBJECT} {{id: id}}) SET s.{LEAVING.name} = true"

STATED_LINKS: Final = f"UNWIND $ids AS id MATCH (g:{Label.SIGNAL} {{id: id}}) UNWIND g.links AS link RETURN link"

DELETE_LINKS_IN: Final = f"""
UNWIND $ids AS id
MATCH (g:{Label.SIGNAL} {{id: id}})
{_STATED}
WITH DISTINCT r, r.id AS link WHERE startNode(r).id IN $going OR endNode(r).id IN $going
DELETE r
RETURN link
"""

DELETE_LINKS_OF: Final = f"""
UNWIND $ids AS id
MATCH (:{Label.SUBJECT} {{id: id}})-[r:{LINK_TYPES}]-()
WITH DISTINCT r, r.id AS link
DELETE r
RETURN link
"""

DELETE_LOST_LINKS: Final = f"""
MATCH ()-[r:{LINK_TYPES}]->() WHERE r.id IN $ids
WITH r, r.id AS link
DELETE r
RETURN link
"""

_DELETE_MENTIONS: Final = "WITH m, m.id AS mention DELETE m RETURN mention"

DELETE_MENTIONS_IN: Final = f"""
UNWIND $ids AS id
MATCH (:{Label.SIGNAL} {{id: id}})-[m:{Tie.MENTIONS}]->(s) WHERE s.id IN $going
{_DELETE_MENTIONS}
"""

DELETE_MENTIONS_BY: Final = f"""
UNWIND $ids AS id
MATCH (:{Label.SIGNAL} {{id: id}})-[m:{Tie.MENTIONS}]->()
{_DELETE_MENTIONS}
"""

DELETE_MENTIONS_OF: Final = f"""
UNWIND $ids AS id
MATCH (:{Label.SUBJECT} {{id: id}})<-[m:{Tie.MENTIONS}]-()
{_DELETE_MENTIONS}
"""

DELETE_CARRIES: Final = f"""
UNWIND $ids AS id
MATCH (:{Label.SUBJECT} {{id: id}})-[c:{Tie.CARRIES}]->(i:{Label.IDENTIFIER})
DELETE c
WITH DISTINCT i
{LOCK.format("i")}
RETURN i.id AS id
"""

DELETE_LAST_IDENTIFIERS: Final = f"""
UNWIND $ids AS id
MATCH (i:{Label.IDENTIFIER} {{id: id}}) WHERE NOT EXISTS {{ (i)<-[:{Tie.CARRIES}]-() }}
WITH i, i.id AS identifier
DELETE i
RETURN identifier
"""

DELETE_SUBJECTS: Final = f"UNWIND $ids AS id MATCH (s:{Label.SUBJECT} {{id: id}}) DELETE s"

DELETE_SIGNALS: Final = f"""
UNWIND $ids AS id
MATCH (g:{Label.SIGNAL} {{id: id}})
CALL (g) {{ MATCH (g)-[at:{Tie.AT}]->() DELETE at }}
DELETE g
"""

REDACT_SIGNALS: Final = f"""
UNWIND $rows AS row
MATCH (g:{Label.SIGNAL} {{id: row.id}})
SET g.revision = row.revision, g.mentions = row.mentions, g.links = row.links, g.redacted_on = row.redacted_on,
    g.mac = row.mac
"""

# The made-up record stands on the one node that says which register this is.

CANARY: Final = f"""
MATCH (n:{Label.REGISTER}) RETURN n.canary_received_on AS received_on, n.canary_planted_on AS planted_on
"""

PLANT_CANARY: Final = f"""
MATCH (n:{Label.REGISTER}) SET n.canary_received_on = $received_on, n.canary_planted_on = $planted_on
"""

# What a journal line says is deleted, and may not be: by the index of each label.

THERE: Final = tuple(
    f"UNWIND $ids AS id MATCH (n:{label} {{id: id}}) RETURN collect([n.id]) AS page"
    for label in (Label.SUBJECT, Label.SIGNAL, Label.IDENTIFIER)
)

# Reading back: by looking at every record, not by an index.


def _remains(pattern: str, name: str, declared: Nodes | Relationships) -> str:
    """Return the text that finds which of `ids` stand in some property of what `pattern` matches."""
    places = [
        f"coalesce(n.{one.name}, [])" if one.kind is Kind.STRINGS else f"[n.{one.name}]"
        for one in declared.properties
        if one.name == "id" or one.names_ids
    ]
    return f"MATCH {pattern} UNWIND {' + '.join(places)} AS id WITH n, id WHERE id IN $ids RETURN DISTINCT {name}, id"


def _holds_ids(declared: Nodes | Relationships) -> bool:
    return any(one.name == "id" or one.names_ids for one in declared.properties)


REMAINS: Final = (
    *(
        _remains(f"(n:{nodes.label})", f"'{nodes.label}' AS name", nodes)
        for nodes in NODES
        if _holds_ids(nodes) and not nodes.paper
    ),
    *(
        _remains(f"()-[n:{'|'.join(ties.types)}]->()", "type(n) AS name", ties)
        for ties in RELATIONSHIPS
        if _holds_ids(ties)
    ),
)
"""Texts that together look in every place where an id of something deleted may stand; they answer `name` and `id`."""
