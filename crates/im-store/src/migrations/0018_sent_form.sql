-- 0018_sent_form: forms that were sent, so that one that is sent twice makes one thing.
CREATE TABLE sent_form (
    digest   TEXT   NOT NULL PRIMARY KEY, -- of the form's own word and all that was typed
    incident BIGINT NOT NULL,             -- what it was about; it may be gone since
    sent_at  BIGINT NOT NULL
);
CREATE INDEX sent_form_sent_at ON sent_form (sent_at);
