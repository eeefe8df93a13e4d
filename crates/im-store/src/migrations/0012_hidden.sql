-- 0012_hidden: incidents on a service that is not chosen to be synced are kept, and neither listed nor counted.
-- Where services were chosen already, the incidents follow when the program runs (im_engine::connector::attach).
ALTER TABLE incident ADD COLUMN hidden BIGINT NOT NULL DEFAULT 0 CHECK (hidden IN (0, 1));
CREATE INDEX incident_hidden ON incident (connector, number) WHERE hidden = 1;
CREATE INDEX conflict_incident ON conflict (incident);
INSERT INTO setting (name, value)
    SELECT 'attached_to:' || name, '0' FROM connector WHERE config LIKE '%"synced_services"%'
        ON CONFLICT (name) DO UPDATE SET value = excluded.value;
