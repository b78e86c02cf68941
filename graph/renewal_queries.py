"""All Cypher of keys that are renewed: constant texts, every value a parameter.

Nothing here is read for a person, so there is no visibility clause: what is hidden is sealed anew like all else.
"""

from typing import Final

from graph.labels import DISTRUSTED, SUBJECT, Label, Tie
from graph.queries import bare

_TRUSTED: Final = f"{DISTRUSTED.name} IS NULL"

SUBJECT_TO_RENEW: Final = f"""
MATCH (s:{Label.SUBJECT} {{id: $id}}) WHERE s.remove_by > $on AND s.{_TRUSTED}
RETURN s {{{bare(SUBJECT)}}} AS subject,
    COLLECT {{
        MATCH (g:{Label.SIGNAL})-[m:{Tie.MENTIONS}]->(s) RETURN m {{.*, signal: g.id, subject: s.id}}
    }} AS mentions
"""

SIGNAL_TO_RENEW: Final = f"""
MATCH (g:{Label.SIGNAL} {{id: $id}})
WHERE g.{_TRUSTED} AND CASE
    WHEN g.remove_by IS NULL THEN EXISTS {{ (g)-[:{Tie.MENTIONS}]->(s:{Label.SUBJECT}) WHERE s.remove_by > $on }}
    ELSE g.remove_by > $on
END
RETURN g {{.*}} AS signal
"""

RESEAL_MENTIONS: Final = f"""
UNWIND $rows AS row
MATCH (g:{Label.SIGNAL} {{id: row.signal}})-[m:{Tie.MENTIONS} {{id: row.id}}]->()
SET m += row.values
RETURN count(m) AS done
"""
