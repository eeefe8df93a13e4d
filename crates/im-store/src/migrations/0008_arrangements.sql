-- 0011_arrangements: what an organisation settles, what people say of an incident beside its facts, what a token may.
CREATE TABLE arrangement (
    kind TEXT NOT NULL, -- see im_store::arrangements::Sort
    id   TEXT NOT NULL,
    body TEXT NOT NULL, -- JSON
    PRIMARY KEY (kind, id)
);

CREATE TABLE annotation (
    seq        BIGINT NOT NULL PRIMARY KEY, -- commit order
    incident   BIGINT NOT NULL REFERENCES incident (number),
    field      TEXT   NOT NULL, -- see im_store::annotations::Field
    value      TEXT,            -- NULL: taken back
    reason     TEXT,
    at         BIGINT NOT NULL,
    actor_kind TEXT   NOT NULL,
    actor_id   TEXT,
    actor_name TEXT
);
CREATE INDEX annotation_incident ON annotation (incident, seq);

ALTER TABLE token ADD COLUMN scopes TEXT NOT NULL DEFAULT ''; -- words with blanks between, see im_store::tokens::Scope
