-- What operators did, and to what (an order's id, or "dlq"). Written in the unit of the act, never altered.
CREATE TABLE act (
  no      INTEGER PRIMARY KEY,
  at      INTEGER NOT NULL,
  who     TEXT NOT NULL,
  kind    TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail  TEXT NOT NULL
) STRICT;
CREATE INDEX act_subject ON act (subject);

-- What happened in one minute, as JSON: the figures of the flow, kept for a day.
CREATE TABLE minute (
  at   INTEGER PRIMARY KEY,
  body TEXT NOT NULL
) STRICT;

-- The few workflows that ended in an error: they wait for an operator.
CREATE INDEX execution_failed ON execution (no) WHERE status IN ('FAILED', 'TIMED_OUT', 'ABORTED');

-- Orders behind a tombstone, to be left out where orders are counted.
CREATE INDEX orders_deleted ON orders (status) WHERE deleted = 1;
