"""All Cypher of reading and intake: constant texts, every value a parameter.

Labels and types come from `graph.labels`. Every text that reads content for somebody holds the visibility clause
(`visible`, `live`), inside its traversals, so that what is hidden is absent in counts and paths too. The texts run on
Neo4j 5.26 and on 2026.x.
"""

from typing import Final

from graph.labels import DISTRUSTED, LEAVING, LINK, LINKS, MARKED, MENTIONS, Label, Nodes, Part, Relationships, Tie

LINK_TYPES: Final = "|".join(LINKS)


def visible(name: str) -> str:
    """Return the clause that a reader may see the signal, mention or link `name`: its handling code and markings.

    Parameters: `handling` and `markings`, what the reader is cleared for.
    """
    return (
        f"({name}.handling IN $handling AND all(marking IN {name}.markings WHERE marking IN $markings)"
        f" AND {name}.{DISTRUSTED.name} IS NULL)"
    )


def live(name: str) -> str:
    """Return the clause that the subject `name` is not hidden on civil date `today`, nor past its term."""
    return (
        f"({name}.hidden_from > $today AND {name}.remove_by > $today AND NOT {name}.restricted"
        f" AND {name}.{DISTRUSTED.name} IS NULL)"
    )


def _end(name: str) -> str:
    return f"({name}:{Label.PORT} OR {live(name)})"


def bare(declared: Nodes | Relationships) -> str:
    """Return the items of a map projection that reads facts and MAC, nothing sealed."""
    return ", ".join(f".{one.name}" for one in declared.properties if one.part in (Part.FACT, Part.MAC))


LINK_ROW: Final = (
    f"r {{{bare(LINK)}, type: type(r), from_: startNode(r).id, to: coalesce(endNode(r).id, endNode(r).code),"
    f" to_port: endNode(r):{Label.PORT}}}"
)
_MENTION: Final = "m {.*, signal: g.id, subject: s.id, received_on: g.received_on}"
BARE_MENTION: Final = f"m {{{bare(MENTIONS)}, signal: g.id, subject: s.id}}"

# Both ends are found before the links between them, or the planner walks through all links of one end.
BETWEEN: Final = "WITH DISTINCT g, a, b WHERE a <> b"

# A node is locked by writing to it; what is read after that in the same statement is what the lock protects.
LOCK: Final = "SET {0}.locked = true REMOVE {0}.locked"

# Intake.

SIGNALS_PRESENT: Final = f"UNWIND $ids AS id MATCH (g:{Label.SIGNAL} {{id: id}}) RETURN g.id AS id"

CARRIERS_PRESENT: Final = f"""
UNWIND $ids AS id
MATCH (i:{Label.IDENTIFIER} {{id: id}})
RETURN i.id AS id, COLLECT {{ MATCH (i)<-[:{Tie.CARRIES}]-(s:{Label.SUBJECT}) RETURN s.id }} AS subjects
"""

SUBJECTS_TRUSTED: Final = f"""
UNWIND $ids AS id
MATCH (s:{Label.SUBJECT} {{id: id}}) WHERE s.{DISTRUSTED.name} IS NULL AND s.{LEAVING.name} IS NULL
RETURN s {{.*}} AS subject
"""

# Nearly always none is: the count of a label is at hand, and no id is then looked up.
GONE: Final = f"""
CALL () {{ MATCH (x:{Label.GONE}) RETURN count(x) AS gone }}
WITH gone WHERE gone > 0
UNWIND $ids AS id
MATCH (x:{Label.GONE} {{id: id}})
RETURN x.id AS id
"""

MOVE_SUBJECTS: Final = f"""
UNWIND $rows AS row
MATCH (s:{Label.SUBJECT} {{id: row.id}})
{LOCK.format("s")}
WITH s, row WHERE s.revision = row.revision - 1 AND s.{LEAVING.name} IS NULL
SET s += row
RETURN count(s) AS done
"""

# One statement, since each would be a round trip. The marks of a purge come last: one that deleted an id before its
# creation here has committed its mark by then.
RECORD: Final = f"""
CALL () {{
    UNWIND $moved AS row
    MATCH (s:{Label.SUBJECT} {{id: row.id}})
    {LOCK.format("s")}
    WITH s, row WHERE s.revision = row.revision - 1 AND s.{LEAVING.name} IS NULL
    SET s += row
    RETURN count(s) AS moved
}}
CALL () {{
    UNWIND $held AS id
    MATCH (i:{Label.IDENTIFIER} {{id: id}})
    {LOCK.format("i")}
    RETURN count(i) AS held
}}
CALL () {{ UNWIND $created AS row CREATE (s:{Label.SUBJECT}:$(row.label)) SET s = row.properties }}
CALL () {{ UNWIND $new_identifiers AS row CREATE (i:{Label.IDENTIFIER}) SET i = row }}
CALL () {{ UNWIND $harbours AS row MERGE (p:{Label.PORT} {{code: row.code}}) ON CREATE SET p = row }}
CALL () {{
    UNWIND $signals AS row
    CREATE (g:{Label.SIGNAL}) SET g = row.properties
    WITH g, row
    CALL (g, row) {{
        UNWIND row.properties.ports AS code
        MATCH (p:{Label.PORT} {{code: code}})
        CREATE (g)-[:{Tie.AT}]->(p)
        RETURN count(*) AS placed
    }}
    CALL (g, row) {{
        UNWIND row.mentions AS mention
        MATCH (s:{Label.SUBJECT} {{id: mention.subject}})
        CREATE (g)-[m:{Tie.MENTIONS}]->(s) SET m = mention.properties
        RETURN count(*) AS named
    }}
    RETURN sum(placed) AS placed, sum(named) AS named
}}
CALL () {{
    UNWIND $carries AS row
    MATCH (s:{Label.SUBJECT} {{id: row.subject}})
    MATCH (i:{Label.IDENTIFIER} {{id: row.identifier}})
    MERGE (s)-[:{Tie.CARRIES}]->(i)
    RETURN count(*) AS carried
}}
CALL () {{
    UNWIND $links AS row
    MATCH (a:{Label.SUBJECT} {{id: row.from_}})
    MATCH (b:{Label.SUBJECT} {{id: row.to}})
    CREATE (a)-[r:$(row.type)]->(b) SET r = row.properties
    RETURN count(*) AS linked
}}
CALL () {{
    UNWIND $port_links AS row
    MATCH (a:{Label.SUBJECT} {{id: row.from_}})
    MATCH (b:{Label.PORT} {{code: row.to}})
    CREATE (a)-[r:$(row.type)]->(b) SET r = row.properties
    RETURN count(*) AS moored
}}
CALL () {{
    CALL () {{ MATCH (x:{Label.GONE}) RETURN count(x) AS marks }}
    WITH marks WHERE marks > 0
    UNWIND $ids AS id
    MATCH (x:{Label.GONE} {{id: id}})
    RETURN count(x) AS gone
}}
RETURN moved, held, placed, named, carried, linked, moored, gone
"""

# The audit trail.

CREATE_ENTRIES: Final = f"UNWIND $rows AS row CREATE (e:{Label.ENTRY}) SET e = row"

APPEND_ENTRIES: Final = f"""
UNWIND $rows AS row
MERGE (e:{Label.ENTRY} {{at: row.at, id: row.id}}) ON CREATE SET e = row
RETURN e.stamp AS stamp
"""

UNLOGGED_ENTRIES: Final = f"""
MATCH (e:{Label.ENTRY}) WHERE e.waits > -1
RETURN e {{.*, node: elementId(e)}} AS entry ORDER BY e.waits, e.id LIMIT $limit
"""

LOGGED_ENTRIES: Final = f"""
UNWIND $rows AS row
MATCH (e:{Label.ENTRY}) WHERE elementId(e) = row.node SET e.index = row.index REMOVE e.waits
"""

SET_ASIDE_ENTRIES: Final = f"""
UNWIND $rows AS row
MATCH (e:{Label.ENTRY}) WHERE elementId(e) = row.node REMOVE e.waits
"""

ENTRIES_BETWEEN: Final = f"""
MATCH (e:{Label.ENTRY}) WHERE e.index >= $first AND e.index < $end
RETURN e {{.*, node: elementId(e)}} AS entry ORDER BY e.index
"""

STAMPED_ENTRIES: Final = f"""
UNWIND $rows AS row
MATCH (e:{Label.ENTRY} {{stamp: row.stamp}})
RETURN e.stamp AS stamp, e.index AS index, e.waits IS NOT NULL AS waits
"""

NUMBER_OF_ENTRIES: Final = f"""
RETURN COUNT {{ MATCH (e:{Label.ENTRY}) }} AS all,
    COUNT {{ MATCH (e:{Label.ENTRY}) WHERE e.waits > -1 }} AS waiting,
    COUNT {{ MATCH (e:{Label.ENTRY}) WHERE e.index >= $beyond }} AS beyond
"""

DELETE_ENTRIES: Final = f"UNWIND $places AS place MATCH (e:{Label.ENTRY} {{index: place}}) DELETE e"

# Names.

_ROSTER: Final = f"""
WITH g ORDER BY g.id LIMIT $page
RETURN g.id AS signal,
    COLLECT {{
        MATCH (g)-[m:{Tie.MENTIONS}]->(s:{Label.SUBJECT}) RETURN [m.id, s.id, m.names, m.handling, m.markings]
    }} AS mentions
ORDER BY signal
"""

ROSTER: Final = f"MATCH (g:{Label.SIGNAL}) WHERE g.id > $after {_ROSTER}"

ROSTER_SINCE: Final = f"MATCH (g:{Label.SIGNAL}) WHERE g.entered_at >= $since AND g.id > $after {_ROSTER}"

ROSTER_MARKED: Final = f"MATCH (g:{Label.SIGNAL}) WHERE g.{MARKED.name} >= $since AND g.id > $after {_ROSTER}"

# Reading for somebody.

OPEN_SIGNAL: Final = f"""
MATCH (g:{Label.SIGNAL} {{id: $id}})
WHERE {visible("g")} AND (
    EXISTS {{ MATCH (g)-[:{Tie.MENTIONS}]->(s:{Label.SUBJECT}) WHERE {live("s")} }}
    OR (g.remove_by > $today AND NOT EXISTS {{ (g)-[:{Tie.MENTIONS}]->() }}))
RETURN g {{.*}} AS signal,
    COLLECT {{
        MATCH (g)-[m:{Tie.MENTIONS}]->(s:{Label.SUBJECT}) WHERE {visible("m")} AND {live("s")}
        RETURN {_MENTION}
    }} AS mentions,
    COLLECT {{
        MATCH (g)-[:{Tie.MENTIONS}]->(a:{Label.SUBJECT}) WHERE {live("a")}
        MATCH (g)-[:{Tie.MENTIONS}|{Tie.AT}]->(b) WHERE {_end("b")}
        {BETWEEN}
        MATCH (a)-[r:{LINK_TYPES}]->(b) WHERE r.signal = g.id AND {visible("r")}
        RETURN DISTINCT {LINK_ROW}
    }} AS links
"""

_NAMED: Final = f"""
CALL (s) {{
    MATCH (g:{Label.SIGNAL})-[m:{Tie.MENTIONS}]->(s) WHERE {visible("m")}
    RETURN {_MENTION} AS mention LIMIT 1
}}
"""

VISIBLE_SUBJECTS: Final = f"""
UNWIND $ids AS id
MATCH (s:{Label.SUBJECT} {{id: id}})
WHERE {live("s")} AND EXISTS {{ MATCH (s)<-[m:{Tie.MENTIONS}]-() WHERE {visible("m")} }}
RETURN s.id AS id
"""

NAMED_SUBJECTS: Final = f"""
UNWIND $ids AS id
MATCH (s:{Label.SUBJECT} {{id: id}}) WHERE {live("s")}
{_NAMED}
RETURN s {{.*}} AS subject, mention
"""

CARRIERS: Final = f"""
UNWIND $ids AS id
MATCH (:{Label.IDENTIFIER} {{id: id}})<-[:{Tie.CARRIES}]-(s:{Label.SUBJECT}) WHERE {live("s")}
WITH DISTINCT s
CALL (s) {{
    MATCH (g:{Label.SIGNAL})-[m:{Tie.MENTIONS}]->(s)
    WHERE {visible("m")} AND any(identifier IN m.identifiers WHERE identifier IN $ids)
    RETURN {_MENTION} AS mention LIMIT 1
}}
RETURN s {{.*}} AS subject, mention ORDER BY s.id
"""

NAMED_MENTIONS: Final = f"""
UNWIND $ids AS id
MATCH (g:{Label.SIGNAL})-[m:{Tie.MENTIONS} {{id: id}}]->(s:{Label.SUBJECT}) WHERE {visible("m")} AND {live("s")}
RETURN s {{.*}} AS subject, {_MENTION} AS mention
"""

SUBJECT_VIEW: Final = f"""
MATCH (s:{Label.SUBJECT} {{id: $id}}) WHERE {live("s")}
RETURN s {{.*}} AS subject,
    COLLECT {{ MATCH (g:{Label.SIGNAL})-[m:{Tie.MENTIONS}]->(s) WHERE {visible("m")} RETURN {_MENTION} }} AS mentions,
    COLLECT {{ MATCH (s)-[r:{LINK_TYPES}]-(b) WHERE {visible("r")} AND {_end("b")} RETURN {LINK_ROW} }} AS links
"""

PORTS: Final = f"UNWIND $codes AS code MATCH (p:{Label.PORT} {{code: code}}) RETURN p {{.*}} AS port ORDER BY p.code"

NETWORK_RING: Final = f"""
UNWIND $frontier AS id
MATCH (a:{Label.SUBJECT} {{id: id}})-[r:{LINK_TYPES}]-(b)
WHERE {live("a")} AND type(r) IN $types AND {visible("r")} AND {_end("b")} AND (b:{Label.PORT} OR NOT b.id IN $inner)
WITH DISTINCT r ORDER BY r.id
WITH collect(r) AS found
RETURN size(found) AS found, [r IN found[..$left] | {LINK_ROW}] AS links
"""

MOST_PATHS: Final = 5000
"""How many shortest paths, parallel links counted apart, are looked at before the choice is made."""


def _paths(stop: str) -> str:
    return f"""
MATCH (a:{Label.SUBJECT} {{id: $a}}), (b:{Label.SUBJECT} {{id: $b}})
MATCH p = ALL SHORTEST
    (a) (()-[r:{LINK_TYPES}]-(n WHERE {stop}) WHERE type(r) IN $types AND {visible("r")}){{1,6}} (b)
WITH p LIMIT {MOST_PATHS}
WITH p WHERE length(p) <= $steps
WITH [n IN nodes(p) | coalesce(n.id, n.code)] AS stops, relationships(p) AS ties, [r IN relationships(p) | r.id] AS ids
ORDER BY stops, ids
WITH stops, collect(ties)[0] AS ties ORDER BY stops LIMIT $most
RETURN stops, [r IN ties | {LINK_ROW}] AS links
"""


PATHS: Final = _paths(f"n:{Label.SUBJECT} AND {live('n')}")

PATHS_BY_PORT: Final = _paths(_end("n"))
