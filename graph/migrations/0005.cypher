CREATE INDEX subject_remove_by IF NOT EXISTS FOR (n:Subject) ON (n.remove_by);
CREATE INDEX signal_remove_by IF NOT EXISTS FOR (n:Signal) ON (n.remove_by);
