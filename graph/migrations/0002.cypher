CREATE CONSTRAINT dossier_id IF NOT EXISTS FOR (n:Dossier) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT hold_id IF NOT EXISTS FOR (n:Hold) REQUIRE n.id IS UNIQUE;
CREATE INDEX subject_review_by IF NOT EXISTS FOR (n:Subject) ON (n.review_by);
CREATE INDEX dossier_state IF NOT EXISTS FOR (n:Dossier) ON (n.state);
CREATE INDEX signal_redacted_on IF NOT EXISTS FOR (n:Signal) ON (n.redacted_on);
