CREATE INDEX subject_hidden_from IF NOT EXISTS FOR (n:Subject) ON (n.hidden_from);
CREATE INDEX signal_remove_by IF NOT EXISTS FOR (n:Signal) ON (n.remove_by);
