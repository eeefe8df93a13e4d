-- 0019_environment: a header of a webhook may name the environment of its incidents.
ALTER TABLE inbox ADD COLUMN environment TEXT;
