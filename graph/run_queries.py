"""All Cypher of retention runs: constant texts, every value a parameter, names from `graph.labels`.

Nothing here is read for a person, so there is no visibility clause: a run must see what nobody may see any more.
"""

from typing import Final

from graph.labels import (
    DISTRUSTED,
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
from graph.queries import BARE_MENTION, LINK_ROW, LINK_TYPES, LOCK, bare

# The lease.

TAKE_LEASE: Final = f"""
MERGE (l:{Label.LEASE} {{key: $key}}) ON CREATE SET l.fence = 0
{LOCK.format("l")}
WITH l, l.holder IS NULL OR l.until <= $now AS free
WHERE free OR l.holder = $holder
SET l.fence = CASE WHEN free THEN l.fence + 1 ELSE l.fence END, l.holder = $holder, l.until = $until
RETURN l.fence AS fence
"""

RELEASE_LEASE: Final = f"""
MATCH (l:{Label.LEASE} {{key: $key}})
{LOCK.format("l")}
WITH l WHERE l.holder = $holder AND l.fence = $fence
SET l.holder = null, l.until = null
"""

HOLD_LEASE: Final = f"""
MATCH (l:{Label.LEASE} {{key: $key}})
{LOCK.format("l")}
WITH l WHERE l.holder = $holder AND l.fence = $fence
RETURN l.fence AS fence
"""

# Every live record.

SUBJECT_PAGE: Final = f"""
MATCH (s:{Label.SUBJECT}) WHERE s.id > $after
WITH s ORDER BY s.id LIMIT $page
RETURN s {{{bare(SUBJECT)}}} AS subject,
    COLLECT {{ MATCH (g:{Label.SIGNAL})-[:{Tie.MENTIONS}]->(s) RETURN [g.received_on, g.entered_at] }} AS signals
ORDER BY s.id
"""

_BARE_SIGNAL: Final = f"""
RETURN g {{{bare(SIGNAL)}}} AS signal,
    COLLECT {{ MATCH (g)-[m:{Tie.MENTIONS}]->(s:{Label.SUBJECT}) RETURN {BARE_MENTION} }} AS mentions,
    COLLECT {{
        MATCH (g)-[:{Tie.MENTIONS}]->(a:{Label.SUBJECT})
        MATCH (g)-[:{Tie.MENTIONS}|{Tie.AT}]->(b)
        MATCH (a)-[r:{LINK_TYPES}]->(b) WHERE r.signal = g.id
        RETURN DISTINCT {LINK_ROW}
    }} AS links
ORDER BY g.id
"""

SIGNAL_PAGE: Final = f"""
MATCH (g:{Label.SIGNAL}) WHERE g.id > $after
WITH g ORDER BY g.id LIMIT $page
{_BARE_SIGNAL}
"""

SIGNALS_MENTIONING: Final = f"""
UNWIND $ids AS id
MATCH (:{Label.SUBJECT} {{id: id}})<-[:{Tie.MENTIONS}]-(g:{Label.SIGNAL})
WITH DISTINCT g
{_BARE_SIGNAL}
"""

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

JOURNAL: Final = f"MATCH (j:{Label.JOURNAL} {{run: $run}}) RETURN j {{.*}} AS line ORDER BY j.number"

JOURNAL_LINE: Final = f"MATCH (j:{Label.JOURNAL} {{run: $run, number: $number}}) RETURN j {{.*}} AS line"

CREATE_GONE: Final = f"UNWIND $ids AS id CREATE (:{Label.GONE} {{id: id, run: $run}})"

DELETE_PAPER: Final = tuple(f"MATCH (n:{label}) WHERE n.run = $run DELETE n" for label in (Label.JOURNAL, Label.GONE))

# Deleting, in the order in which it is done.

LOCKED_REVISIONS: Final = tuple(
    f"UNWIND $ids AS id MATCH (n:{label} {{id: id}}) {LOCK.format('n')} RETURN n.id AS id, n.revision AS revision"
    for label in (Label.SUBJECT, Label.SIGNAL)
)

STATED_LINKS: Final = f"UNWIND $ids AS id MATCH (g:{Label.SIGNAL} {{id: id}}) UNWIND g.links AS link RETURN link"

DELETE_LINKS: Final = f"""
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

_DELETE_MENTIONS: Final = f"-[m:{Tie.MENTIONS}]-() WITH m, m.id AS mention DELETE m RETURN mention"

DELETE_MENTIONS_OF: Final = f"UNWIND $ids AS id MATCH (:{Label.SUBJECT} {{id: id}}){_DELETE_MENTIONS}"

DELETE_MENTIONS_BY: Final = f"UNWIND $ids AS id MATCH (:{Label.SIGNAL} {{id: id}}){_DELETE_MENTIONS}"

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

REDACT_SIGNALS: Final = f"UNWIND $rows AS row MATCH (g:{Label.SIGNAL} {{id: row.id}}) SET g += row"

# Reading back.


def _naming(declared: Nodes | Relationships) -> tuple[tuple[str, bool], ...]:
    """Return the properties that may hold an id of something deleted, each with whether it is a list."""
    return tuple(
        (one.name, one.kind is Kind.STRINGS) for one in declared.properties if one.name == "id" or one.names_ids
    )


def _remains(pattern: str, name: str, is_list: bool) -> str:
    if is_list:
        return f"MATCH {pattern} UNWIND n.{name} AS id WITH id WHERE id IN $ids RETURN DISTINCT id"
    return f"MATCH {pattern} WHERE n.{name} IN $ids RETURN DISTINCT n.{name} AS id"


REMAINS: Final = (
    *(
        (str(nodes.label), _remains(f"(n:{nodes.label})", name, is_list))
        for nodes in NODES
        if not nodes.paper
        for name, is_list in _naming(nodes)
    ),
    *(
        (type_, _remains(f"()-[n:{type_}]->()", name, is_list))
        for ties in RELATIONSHIPS
        for type_ in ties.types
        for name, is_list in _naming(ties)
    ),
)
"""For each label and type, each place where an id may stand: the text that finds which of `ids` do."""
