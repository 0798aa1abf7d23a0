-- Events of payment providers, each once by the provider's own id. due_at: when it is taken in (again); NULL: it was, or
-- is dead. unknown: nothing follows from it. The body of one that was taken in is not kept.
CREATE TABLE event (
  provider TEXT NOT NULL,
  id       TEXT NOT NULL,
  type     TEXT NOT NULL,
  order_id TEXT,
  body     BLOB NOT NULL,
  at       INTEGER NOT NULL,
  tries    INTEGER NOT NULL DEFAULT 0,
  due_at   INTEGER,
  dead_at  INTEGER,
  reason   TEXT,
  unknown  INTEGER NOT NULL DEFAULT 0 CHECK (unknown IN (0, 1)),
  PRIMARY KEY (provider, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX event_due ON event (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX event_dead ON event (dead_at) WHERE dead_at IS NOT NULL;
CREATE INDEX event_order ON event (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX event_at ON event (at);
