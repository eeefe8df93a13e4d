-- 0009_conflicts: fields that both sides changed, and what became of each.
CREATE TABLE conflict (
    -- Fixed at birth.
    id         BIGINT NOT NULL PRIMARY KEY,
    connector  TEXT   NOT NULL,
    incident   BIGINT NOT NULL,
    field      TEXT   NOT NULL,                 -- see im_core::Field
    base       TEXT   NOT NULL,                 -- what PagerDuty showed before
    ours       TEXT   NOT NULL,
    ours_at    BIGINT NOT NULL,
    ours_by    TEXT,
    command    TEXT   NOT NULL,                 -- the last that asked for ours
    strategy   TEXT   NOT NULL,
    found_at   BIGINT NOT NULL,
    -- Told anew while it waits.
    theirs     TEXT   NOT NULL,
    theirs_at  BIGINT NOT NULL,
    -- Changes once, when it is decided; of one that waits, what it will be decided to.
    state      TEXT   NOT NULL,                 -- pending, resolved, ignored
    kept       TEXT,                            -- platform, external
    reason     TEXT,
    decided_at BIGINT,
    decided_by TEXT
);
CREATE UNIQUE INDEX conflict_pending ON conflict (incident, field) WHERE state = 'pending';
CREATE INDEX conflict_connector ON conflict (connector, id);
