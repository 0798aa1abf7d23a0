-- Tasks that wait for whoever brings their token back. Only the token's hash (SHA-256) is kept.
-- busy: the task's own call is under way, so nobody can be sure to have the token yet. timeout_at and heartbeat_at:
-- when it is too late, in milliseconds; NULL: never.
CREATE TABLE task_token (
  hash              TEXT PRIMARY KEY,
  execution         INTEGER NOT NULL REFERENCES execution (no),
  task              INTEGER NOT NULL,
  busy              INTEGER NOT NULL,
  timeout_at        INTEGER,
  heartbeat_seconds INTEGER,
  heartbeat_at      INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX task_token_execution ON task_token (execution);
