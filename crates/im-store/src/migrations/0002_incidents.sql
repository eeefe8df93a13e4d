-- 0002_incidents: connectors, incidents, their facts, and what is owed and heard.
-- Times are microseconds since 1970 in UTC; 0/1 columns are flags; JSON is TEXT.

CREATE TABLE connector (
    -- Fixed at birth.
    name            TEXT   NOT NULL PRIMARY KEY,
    created_at      BIGINT NOT NULL,
    -- Set by people.
    config          TEXT   NOT NULL,             -- JSON, see im_engine::connector::Settings; no secret in it
    api_key         TEXT   NOT NULL,             -- sealed
    webhook_secrets TEXT   NOT NULL DEFAULT '[]', -- JSON array of sealed texts
    subscription    TEXT,                        -- PagerDuty's id of our webhook subscription
    -- Set by the engine.
    state           TEXT   NOT NULL,             -- see im_store::connectors::State
    state_reason    TEXT,
    blocked_until   BIGINT NOT NULL DEFAULT 0,   -- rate limit or outage: no calls before
    log_cursor      BIGINT,                      -- PagerDuty's log is known up to here
    next_sync_at    BIGINT NOT NULL,
    sync_cause      TEXT   NOT NULL DEFAULT 'interval',
    last_sync_at    BIGINT,
    last_heard_at   BIGINT,                      -- last verified webhook
    gap_from        BIGINT,                      -- webhooks were missing from here …
    gap_to          BIGINT,                      -- … to here
    gap_repaired    BIGINT NOT NULL DEFAULT 0    -- … and this many facts came back by repair
);

CREATE TABLE incident (
    -- Fixed at birth.
    number          BIGINT NOT NULL PRIMARY KEY,
    connector       TEXT,
    pd_key          TEXT,                        -- the incident_key that we make its twin with
    -- Folded from the facts; rebuilt, never edited.
    pd_id           TEXT,
    pd_number       BIGINT,
    pd_url          TEXT,
    pd_status       TEXT,
    status          TEXT   NOT NULL,             -- see im_core::Status
    title           TEXT   NOT NULL,
    severity        TEXT,
    severity_source TEXT,
    service         TEXT,
    assignees       TEXT   NOT NULL,             -- JSON array of im_core::Person
    created_at      BIGINT NOT NULL,
    acknowledged_at BIGINT,
    resolved_at     BIGINT,
    updated_at      BIGINT NOT NULL,
    deleted         BIGINT NOT NULL DEFAULT 0 CHECK (deleted IN (0, 1)),
    -- Changes with each write and each look at the other side.
    version         BIGINT NOT NULL,
    seen_run        BIGINT NOT NULL DEFAULT 0    -- the last sync run that listed it as open
);
CREATE UNIQUE INDEX incident_twin ON incident (connector, pd_id) WHERE pd_id IS NOT NULL;
CREATE UNIQUE INDEX incident_key ON incident (connector, pd_key) WHERE pd_key IS NOT NULL;
CREATE INDEX incident_status ON incident (status, number);
CREATE INDEX incident_twin_open ON incident (connector, number) WHERE pd_status <> 'resolved';
CREATE INDEX incident_updated ON incident (connector, updated_at);

-- What metrics read, narrow; what else a report held is in fact_source.
CREATE TABLE fact (
    seq        BIGINT NOT NULL PRIMARY KEY,      -- commit order
    incident   BIGINT NOT NULL,
    source     TEXT   NOT NULL,                  -- see im_core::Source
    source_id  TEXT   NOT NULL,
    kind       TEXT   NOT NULL,                  -- see im_core::Kind
    at         BIGINT NOT NULL,
    actor_kind TEXT   NOT NULL,
    actor_id   TEXT,
    actor_name TEXT,
    people     TEXT,                             -- JSON array of im_core::Person; NULL for nobody
    value      TEXT,
    detail     TEXT,
    answers    TEXT,
    -- Out of the snapshot, where the source showed one.
    service    TEXT,
    policy     TEXT,
    urgency    TEXT,
    priority   TEXT
);
CREATE UNIQUE INDEX fact_report ON fact (incident, source, source_id);

CREATE TABLE fact_source (
    seq      BIGINT NOT NULL PRIMARY KEY,
    snapshot TEXT,                               -- JSON, see im_core::Snapshot
    raw      TEXT                                -- the report as it came, where it is kept nowhere else
);

-- Webhooks as they came. Stored before they are answered; digested afterwards.
CREATE TABLE inbox (
    id          BIGINT NOT NULL PRIMARY KEY,
    connector   TEXT   NOT NULL,
    event_id    TEXT   NOT NULL,
    delivery_id TEXT,                            -- X-Webhook-Id: evidence only
    verified    BIGINT NOT NULL CHECK (verified IN (0, 1)),
    received_at BIGINT NOT NULL,
    body        TEXT   NOT NULL,
    copies      BIGINT NOT NULL DEFAULT 1,
    -- Changes when it is digested.
    state       TEXT   NOT NULL,                 -- waiting, done, ignored, unknown, unreadable, orphan
    due_at      BIGINT NOT NULL
);
CREATE UNIQUE INDEX inbox_event ON inbox (connector, event_id);
CREATE INDEX inbox_due ON inbox (due_at) WHERE state = 'waiting';

-- What PagerDuty still has to hear of.
CREATE TABLE outbox (
    -- Fixed at birth.
    id          BIGINT NOT NULL PRIMARY KEY,
    connector   TEXT   NOT NULL,
    incident    BIGINT NOT NULL,
    since       BIGINT NOT NULL,
    -- Replaced by a newer intent while nobody has the lease.
    effect      TEXT   NOT NULL,                 -- JSON, see im_core::Effect
    commands    TEXT   NOT NULL,                 -- JSON array: the commands that it carries
    actor       TEXT   NOT NULL,                 -- JSON, see im_core::Actor
    -- Changes with each attempt.
    state       TEXT   NOT NULL,                 -- waiting, parked
    reason      TEXT,
    due_at      BIGINT NOT NULL,
    lease_until BIGINT NOT NULL DEFAULT 0,       -- 0: nobody has it
    attempt     BIGINT NOT NULL DEFAULT 0,
    checked_at  BIGINT,                          -- when the other side was last looked at for it
    plain_from  BIGINT NOT NULL DEFAULT 0        -- 1: the actor's own address was refused
);
CREATE INDEX outbox_incident ON outbox (incident, id);
CREATE INDEX outbox_due ON outbox (due_at) WHERE state = 'waiting';

-- PagerDuty incidents that have to be read: met in a log or a webhook, and not known well enough.
CREATE TABLE wanted (
    connector   TEXT   NOT NULL,
    pd_id       TEXT   NOT NULL,
    run         BIGINT NOT NULL DEFAULT 0,       -- the sync run that wants it, 0: none
    with_log    BIGINT NOT NULL CHECK (with_log IN (0, 1)),
    log_offset  BIGINT,                          -- NULL: the incident itself comes first
    due_at      BIGINT NOT NULL,
    lease_until BIGINT NOT NULL DEFAULT 0,
    attempt     BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (connector, pd_id)
);

-- One repair, from its start to its end.
CREATE TABLE sync_run (
    id          BIGINT NOT NULL PRIMARY KEY,
    connector   TEXT   NOT NULL,
    cause       TEXT   NOT NULL,
    started_at  BIGINT NOT NULL,
    finished_at BIGINT,
    lease_until BIGINT NOT NULL DEFAULT 0,
    due_at      BIGINT NOT NULL,
    attempt     BIGINT NOT NULL DEFAULT 0,
    progress    TEXT   NOT NULL,                 -- JSON, see im_engine::reconcile::Progress
    created     BIGINT NOT NULL DEFAULT 0,
    updated     BIGINT NOT NULL DEFAULT 0,
    unchanged   BIGINT NOT NULL DEFAULT 0,
    failed      BIGINT NOT NULL DEFAULT 0,
    repaired    BIGINT NOT NULL DEFAULT 0,
    message     TEXT                             -- what is incomplete, if anything
);
CREATE INDEX sync_run_connector ON sync_run (connector, id);

-- PagerDuty's people, as read.
CREATE TABLE pd_user (
    connector TEXT NOT NULL,
    id        TEXT NOT NULL,
    email     TEXT NOT NULL,                     -- lower case
    name      TEXT,
    PRIMARY KEY (connector, id)
);
CREATE INDEX pd_user_email ON pd_user (connector, email);

-- Counts per minute, for status and health.
CREATE TABLE tally (
    connector TEXT   NOT NULL,
    minute    BIGINT NOT NULL,                   -- minutes since 1970
    what      TEXT   NOT NULL,
    n         BIGINT NOT NULL,
    PRIMARY KEY (connector, minute, what)
);

CREATE TABLE token (
    name       TEXT   NOT NULL PRIMARY KEY,
    hash       TEXT   NOT NULL UNIQUE,           -- SHA-256 of the secret, in hex
    email      TEXT,                             -- the person it speaks for
    created_at BIGINT NOT NULL,
    used_at    BIGINT
);
