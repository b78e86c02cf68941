CREATE INDEX entry_waits IF NOT EXISTS FOR (n:Entry) ON (n.waits);
CREATE INDEX entry_index IF NOT EXISTS FOR (n:Entry) ON (n.index);
CREATE INDEX entry_stamp IF NOT EXISTS FOR (n:Entry) ON (n.stamp);
