-- 0013_access: people who sign in, what they and tokens may do, and who did what.
CREATE TABLE account (
    -- Fixed at birth.
    email         TEXT   NOT NULL PRIMARY KEY, -- in lower case
    created_at    BIGINT NOT NULL,
    -- Changes.
    name          TEXT   NOT NULL,
    role          TEXT   NOT NULL,             -- see im_store::accounts::Role
    personal_load BIGINT NOT NULL CHECK (personal_load IN (0, 1)),
    password      TEXT,                        -- argon2id as a PHC string; none until a link was used
    disabled_at   BIGINT
);

-- Each ends by itself: nobody reads one that is over.
CREATE TABLE session (
    hash       TEXT   NOT NULL PRIMARY KEY, -- SHA-256 of the secret in the cookie, in hex
    email      TEXT   NOT NULL REFERENCES account (email),
    made_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    address    TEXT   NOT NULL,             -- where it was made
    agent      TEXT   NOT NULL,             -- what the browser calls itself
    -- Changes with each use.
    seen_at    BIGINT NOT NULL
);
CREATE INDEX session_of ON session (email, made_at);

-- A link that lets somebody choose a password, once.
CREATE TABLE access_link (
    hash       TEXT   NOT NULL PRIMARY KEY, -- SHA-256 of the secret in the address, in hex
    purpose    TEXT   NOT NULL,             -- see im_store::links::Purpose
    email      TEXT   REFERENCES account (email), -- none: the account of the first owner is not made yet
    made_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT
);
CREATE INDEX access_link_of ON access_link (email);

-- Attempts to sign in that have not succeeded.
CREATE TABLE sign_in_attempt (
    id      BIGINT NOT NULL PRIMARY KEY,
    at      BIGINT NOT NULL,
    who     TEXT   NOT NULL, -- SHA-256 of what was typed as the e-mail address, in hex: it may be anything
    address TEXT   NOT NULL
);
CREATE INDEX sign_in_attempt_who ON sign_in_attempt (who, at);
CREATE INDEX sign_in_attempt_address ON sign_in_attempt (address, at);

-- Never a secret, never a body.
CREATE TABLE audit (
    id      BIGINT NOT NULL PRIMARY KEY,
    at      BIGINT NOT NULL,
    kind    TEXT   NOT NULL, -- see im_store::audit::Kind
    who     TEXT   NOT NULL, -- an e-mail address, the name of a token
    acts_as TEXT,            -- for whom a token acted
    address TEXT   NOT NULL, -- empty: this machine, without a network
    act     TEXT   NOT NULL, -- in words
    thing   TEXT   NOT NULL, -- what it was done to
    status  BIGINT NOT NULL  -- of HTTP
);
CREATE INDEX audit_at ON audit (at, id);

-- What a token may do. One that is there could do everything but give roles.
ALTER TABLE token ADD COLUMN role TEXT NOT NULL DEFAULT 'admin';
