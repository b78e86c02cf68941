"""All Cypher of copies for backups: constant texts, made from the declaration in `graph.labels`.

Nothing here is read for a person, so there is no visibility clause: a copy holds everything, sealed as it is.
"""

from collections.abc import Mapping
from typing import Final

from graph.labels import NODES, RELATIONSHIPS, Label, Nodes

LEFT_OUT: Final[Mapping[Label, str]] = {
    Label.ENTRY: "waits for the log, which is no part of a backup and is never older than one",
    Label.REGISTER: "made anew where a copy is written",
    Label.LEASE: "of the keeper that works now",
    Label.ORDER: "of the night at hand",
    Label.JOURNAL: "of a run under way, beside which no copy is made",
    Label.GONE: "of a run under way, beside which no copy is made",
}
"""Labels of which no copy is made, each with its reason."""

COPIED: Final[tuple[Nodes, ...]] = tuple(nodes for nodes in NODES if nodes.label not in LEFT_OUT)
KEYS: Final[Mapping[Label, str]] = {nodes.label: nodes.key[0] for nodes in COPIED}
BETWEEN: Final = tuple((ties, label) for ties in RELATIONSHIPS for label in ties.targets)
"""Every kind of relationship with each label it can lead to."""

NODE_PAGE: Final = tuple(
    f"""
MATCH (n:{nodes.label}) WHERE n.{nodes.key[0]} > $after
WITH n ORDER BY n.{nodes.key[0]} LIMIT $page
RETURN n.{nodes.key[0]} AS key, labels(n) AS labels, n {{.*}} AS properties ORDER BY key
"""
    for nodes in COPIED
)
"""One text for each of COPIED."""

TIE_PAGE: Final = tuple(
    f"""
MATCH (a:{ties.source}) WHERE a.{KEYS[ties.source]} > $after
WITH a ORDER BY a.{KEYS[ties.source]} LIMIT $page
RETURN a.{KEYS[ties.source]} AS key, COLLECT {{
    MATCH (a)-[r:{"|".join(ties.types)}]->(b:{label})
    RETURN {{type: type(r), target: b.{KEYS[label]}, properties: properties(r)}}
}} AS ties ORDER BY key
"""
    for ties, label in BETWEEN
)
"""One text for each of BETWEEN."""

CENSUS: Final = tuple(
    f"MATCH (n:{nodes.label}) RETURN count(n) AS nodes, sum(coalesce(n.revision, 0)) AS revisions" for nodes in COPIED
)

CREATE_NODES: Final = tuple(
    f"UNWIND $rows AS row CREATE (n:{nodes.label}) SET n = row.properties SET n:$(row.labels) RETURN count(n) AS done"
    for nodes in COPIED
)

CREATE_TIES: Final = tuple(
    f"""
UNWIND $rows AS row
MATCH (a:{ties.source} {{{KEYS[ties.source]}: row.source}})
MATCH (b:{label} {{{KEYS[label]}: row.target}})
CREATE (a)-[r:$(row.type)]->(b) SET r = row.properties
RETURN count(r) AS done
"""
    for ties, label in BETWEEN
)

ANYTHING: Final = f"MATCH (n) WHERE NOT n:{Label.REGISTER} RETURN true LIMIT 1"
