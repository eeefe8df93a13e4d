-- 0011_connector_events: what changed about a connector, and whether the webhook of the settings was told.
CREATE TABLE connector_event (
    -- Fixed at birth.
    id         BIGINT NOT NULL PRIMARY KEY,
    connector  TEXT   NOT NULL,
    at         BIGINT NOT NULL,
    kind       TEXT   NOT NULL,                  -- see im_store::connector_events::Kind
    subject    TEXT   NOT NULL,                  -- an incident, INC-7; empty: the connector itself
    from_state TEXT   NOT NULL,
    to_state   TEXT   NOT NULL,
    reasons    TEXT   NOT NULL,                  -- JSON, a list of texts
    next       TEXT,                             -- what to do
    -- Changes with each attempt to tell it.
    telling    TEXT   NOT NULL,                  -- see im_store::connector_events::Telling
    due_at     BIGINT NOT NULL,
    attempt    BIGINT NOT NULL DEFAULT 0 CHECK (attempt >= 0),
    failure    TEXT                              -- why the last attempt failed
);
CREATE INDEX connector_event_of ON connector_event (connector, kind, subject, id);
CREATE INDEX connector_event_due ON connector_event (due_at) WHERE telling = 'waiting';
