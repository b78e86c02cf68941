"""All Cypher of names that signals do not state: constant texts, every value a parameter.

Nothing here is read for a person, so there is no visibility clause: what is hidden names people as well.
"""

from typing import Final

from graph.labels import DISTRUSTED, Label, Tie

NAMES_OF: Final = f"""
UNWIND $ids AS id
MATCH (s:{Label.SUBJECT} {{id: id}})<-[m:{Tie.MENTIONS}]-(:{Label.SIGNAL})
RETURN collect([m.id, s.id, m.names]) AS page
"""

_UNSTATED: Final = f"g.unstated IS NOT NULL AND g.redacted_on IS NULL AND g.{DISTRUSTED.name} IS NULL"

UNSTATED_PAGE: Final = f"""
MATCH (g:{Label.SIGNAL}) WHERE g.id > $after AND {_UNSTATED}
WITH g ORDER BY g.id LIMIT $page
RETURN collect([g {{.*}}]) AS page
"""

UNSTATED_BY_ID: Final = f"""
UNWIND $ids AS id
MATCH (g:{Label.SIGNAL} {{id: id}}) WHERE {_UNSTATED}
WITH g ORDER BY g.id
RETURN collect([g {{.*}}]) AS page
"""
