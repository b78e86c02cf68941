"""All Cypher of oversight, counts and presence: constant texts, every value a parameter. Nobody is shown a record."""

from typing import Final

from graph.labels import Label, Tie

SUBJECTS: Final = f"MATCH (s:{Label.SUBJECT}) RETURN count(s) AS number"

SIGNALS: Final = f"MATCH (g:{Label.SIGNAL}) RETURN count(g) AS number"

DUE: Final = f"MATCH (s:{Label.SUBJECT}) WHERE s.remove_by <= $today RETURN count(s) AS number"

LATE_REVIEWS: Final = f"""
MATCH (s:{Label.SUBJECT}) WHERE s.review_by < $today AND s.remove_by > $today RETURN count(s) AS number
"""

OLDEST: Final = f"""
CALL () {{
  MATCH (s:{Label.SUBJECT}) WHERE s.remove_by <= $today RETURN s.remove_by AS due ORDER BY due LIMIT 1
  UNION ALL
  MATCH (n:{Label.SIGNAL}) WHERE n.remove_by <= $today RETURN n.remove_by AS due ORDER BY due LIMIT 1
}}
RETURN min(due) AS oldest
"""

# Without the visibility clause: nothing of what is found is shown, only whether there is any.

MENTIONED: Final = f"""
UNWIND $mentions AS id
MATCH ()-[m:{Tie.MENTIONS} {{id: id}}]->()
RETURN true AS there LIMIT 1
"""

CARRIED: Final = f"""
UNWIND $identifiers AS id
MATCH (i:{Label.IDENTIFIER} {{id: id}})
RETURN true AS there LIMIT 1
"""
