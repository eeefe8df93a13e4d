-- 0003_batches: several rows of the outbox leave in one request.

-- How many rows may leave together with this one; fewer after each refusal of such a request.
ALTER TABLE outbox ADD COLUMN batch_max BIGINT NOT NULL DEFAULT 250;
