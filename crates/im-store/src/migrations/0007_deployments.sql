-- 0007_deployments: changes that were brought out, as people and pipelines tell of them.
CREATE TABLE deployment (
    -- Fixed at birth.
    id            TEXT   NOT NULL PRIMARY KEY,     -- the teller's, or dep_…
    -- Changes with each report.
    service       TEXT   NOT NULL,                 -- PagerDuty's id, or our name where it has none
    environment   TEXT,
    version       TEXT,
    started_at    BIGINT NOT NULL,
    finished_at   BIGINT,                          -- NULL: under way
    status        TEXT   NOT NULL,                 -- see im_store::deployments::Status
    unplanned_fix BIGINT NOT NULL CHECK (unplanned_fix IN (0, 1)),
    commits       TEXT   NOT NULL,                 -- JSON array of {sha, time}
    changed       BIGINT NOT NULL                  -- commit order of the last report
);
CREATE UNIQUE INDEX deployment_changed ON deployment (changed);
CREATE INDEX deployment_newest ON deployment (started_at, id);
