-- What operators asked for under a key of theirs (Idempotency-Key), and the answer: asked again, it is answered so.
-- asked is the hash of the request.
CREATE TABLE answered (
  key   TEXT PRIMARY KEY,
  asked TEXT NOT NULL,
  body  BLOB NOT NULL,
  at    INTEGER NOT NULL
) STRICT;
CREATE INDEX answered_at ON answered (at);
-- kept: it counts again, since a later one was taken back. It is not taken back itself.
ALTER TABLE routing ADD COLUMN kept INTEGER NOT NULL DEFAULT 0 CHECK (kept IN (0, 1));
