"""A real Neo4j Community server as a child process: its jars, its Java, one owner for each folder."""
