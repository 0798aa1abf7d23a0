-- Keys of programs: id is what a key begins with, hash the SHA-256 of the whole key, scopes stand with spaces between them.
CREATE TABLE api_key (
  no         INTEGER PRIMARY KEY,
  id         TEXT NOT NULL UNIQUE,
  name       TEXT NOT NULL,
  hash       TEXT NOT NULL,
  scopes     TEXT NOT NULL,
  made_at    INTEGER NOT NULL,
  ends_at    INTEGER,
  revoked_at INTEGER,
  used_at    INTEGER
) STRICT;
