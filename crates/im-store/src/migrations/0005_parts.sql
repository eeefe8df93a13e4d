-- 0005_parts: incidents of several services, with a part for each (docs/adr/0009).

-- How many parts it has; the parts are rows of their own, with numbers from 1,099,511,627,776 on.
ALTER TABLE incident ADD COLUMN parts BIGINT NOT NULL DEFAULT 0;
