-- 0010_ingestion: PagerDuty's people and things with their history, and the reading of its past.

-- What was so in a stretch of time: a change ends one row and begins another.
CREATE TABLE directory (
    -- Fixed at birth.
    connector TEXT   NOT NULL,
    kind      TEXT   NOT NULL,                    -- see im_store::directory::Kind
    id        TEXT   NOT NULL,                    -- PagerDuty's
    since     BIGINT NOT NULL,                    -- known to be so from here on
    name      TEXT,
    about     TEXT   NOT NULL,                    -- JSON, see im_store::directory::About
    -- Changes with what is read.
    until     BIGINT,                             -- NULL: it is still so
    state     TEXT,                               -- what changes without anybody's doing: a service's status
    seen_run  BIGINT NOT NULL,                    -- the last sync run that listed it
    missed_at BIGINT,                             -- when a list lacked it for the first time
    changed   BIGINT NOT NULL,                    -- grows with each change
    PRIMARY KEY (connector, kind, id, since)
);
CREATE INDEX directory_now ON directory (connector, kind, seen_run) WHERE until IS NULL;
CREATE UNIQUE INDEX directory_changed ON directory (changed);

-- The past of an account: one reading for each connector, from its start to its end.
CREATE TABLE backfill (
    -- Fixed at its start.
    connector   TEXT   NOT NULL PRIMARY KEY,
    since       BIGINT NOT NULL,
    until       BIGINT NOT NULL,
    started_at  BIGINT NOT NULL,
    -- Changes with each step.
    due_at      BIGINT NOT NULL,
    lease_until BIGINT NOT NULL DEFAULT 0,
    attempt     BIGINT NOT NULL DEFAULT 0,
    progress    TEXT   NOT NULL,                  -- JSON, see im_engine::backfill::Progress
    created     BIGINT NOT NULL DEFAULT 0,
    updated     BIGINT NOT NULL DEFAULT 0,
    unchanged   BIGINT NOT NULL DEFAULT 0,
    failed      BIGINT NOT NULL DEFAULT 0,
    stopped_at  BIGINT,                           -- a person stopped it
    finished_at BIGINT,
    message     TEXT                              -- what is incomplete, if anything
);

-- Incidents that the log tells of and no list did: they are read one by one, last.
CREATE TABLE backfill_wanted (
    connector TEXT NOT NULL,
    pd_id     TEXT NOT NULL,
    PRIMARY KEY (connector, pd_id)
);
