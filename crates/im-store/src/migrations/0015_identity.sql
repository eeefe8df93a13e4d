-- 0015_identity: people who sign in by OpenID Connect.
-- Who an account is at the provider: remembered at the first sign-in, and from then on that one alone counts.
ALTER TABLE account ADD COLUMN issuer TEXT;
ALTER TABLE account ADD COLUMN subject TEXT;
CREATE UNIQUE INDEX account_identity ON account (issuer, subject);
