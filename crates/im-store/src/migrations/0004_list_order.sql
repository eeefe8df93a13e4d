-- 0004_list_order: lists show first what began last.
CREATE INDEX incident_created ON incident (created_at, number);
