-- 0006_outbox_of_connector: what one connector owes is found without what the others owe.
DROP INDEX outbox_due;
CREATE INDEX outbox_due ON outbox (connector, due_at) WHERE state = 'waiting';
-- What is under way is little, however much waits.
CREATE INDEX outbox_leased ON outbox (lease_until) WHERE lease_until > 0;
