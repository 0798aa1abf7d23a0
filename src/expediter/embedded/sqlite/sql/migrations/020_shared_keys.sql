-- Up to this claim, programs and operators shared their idempotency keys: a key was the order's id, whoever sent it.
CREATE TABLE shared_keys (last INTEGER NOT NULL) STRICT;
INSERT INTO shared_keys (last) SELECT coalesce(max(no), 0) FROM claim;
