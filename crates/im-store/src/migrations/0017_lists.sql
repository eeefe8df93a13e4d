-- 0017_lists: what is open is few of many and has an index of its own, in the order of lists. What is over is most of
-- all, and read by when it began. Services are listed and chosen by name; PostgreSQL's indexes take no long texts.
DROP INDEX incident_status;
CREATE INDEX incident_open ON incident (created_at, number) WHERE status IN ('open', 'acknowledged', 'mitigated');
CREATE INDEX incident_service ON incident (service, created_at, number) WHERE LENGTH(service) <= 200;
