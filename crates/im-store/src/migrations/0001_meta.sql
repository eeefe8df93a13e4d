-- 0001_meta: what the store knows about itself.
CREATE TABLE migration (
    number     BIGINT NOT NULL PRIMARY KEY,
    name       TEXT   NOT NULL,
    checksum   TEXT   NOT NULL, -- SHA-256 of the text that ran, in hex
    needs      BIGINT NOT NULL  -- a program must know this number to use the database
);

-- Numbers in commit order, see counter.rs.
CREATE TABLE counter (
    name  TEXT   NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);

CREATE TABLE setting (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
