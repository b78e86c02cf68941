CREATE INDEX signal_marked_at IF NOT EXISTS FOR (n:Signal) ON (n.marked_at)
