-- 0014_recorded: when a fact became known here, so that a figure that was told before can be told again.
-- Absent for facts of before.
ALTER TABLE fact ADD COLUMN recorded_at BIGINT;
