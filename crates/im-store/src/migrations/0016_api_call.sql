-- 0016_api_call: every call to PagerDuty, for people who want to know what was done with a key.
-- Never a query and never a body: what people wrote stands there.
CREATE TABLE api_call (
    id        BIGINT NOT NULL PRIMARY KEY,
    at        BIGINT NOT NULL, -- when it left
    connector TEXT   NOT NULL, -- its name, which stays here when the connector goes
    why       TEXT   NOT NULL, -- see im_store::calls::Why
    method    TEXT   NOT NULL,
    path      TEXT   NOT NULL,
    key       TEXT   NOT NULL, -- the end of a key, or the app of a sign-in
    status    BIGINT,          -- of HTTP; absent: nobody answered
    outcome   TEXT   NOT NULL, -- in a word
    ms        BIGINT NOT NULL  -- how long it took
);
CREATE INDEX api_call_of ON api_call (connector, id);
CREATE INDEX api_call_at ON api_call (at);
