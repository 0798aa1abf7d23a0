-- Every table hangs on claim.no: one small integer per order, so that only one index holds random keys.

-- The ids that are taken, and by what. Kept as long as the order, its tombstone included.
CREATE TABLE claim (
  no          INTEGER PRIMARY KEY,
  id          TEXT NOT NULL UNIQUE,
  fingerprint TEXT NOT NULL
) STRICT;

-- The queue. A message is hidden until visible_at; deliveries never goes back, so a receipt is never given twice.
CREATE TABLE message (
  no            INTEGER PRIMARY KEY AUTOINCREMENT,
  order_id      TEXT,
  body          BLOB NOT NULL,
  attributes    TEXT NOT NULL,
  sent_at       INTEGER NOT NULL,
  visible_at    INTEGER NOT NULL,
  receive_count INTEGER NOT NULL DEFAULT 0,
  deliveries    INTEGER NOT NULL DEFAULT 0,
  reason        TEXT
) STRICT;
CREATE INDEX message_order ON message (order_id) WHERE order_id IS NOT NULL;

CREATE TABLE dead_letter (
  no            INTEGER PRIMARY KEY,
  order_id      TEXT,
  body          BLOB NOT NULL,
  attributes    TEXT NOT NULL,
  sent_at       INTEGER NOT NULL,
  died_at       INTEGER NOT NULL,
  receive_count INTEGER NOT NULL,
  deliveries    INTEGER NOT NULL,
  reason        TEXT NOT NULL
) STRICT;
CREATE INDEX dead_letter_order ON dead_letter (order_id) WHERE order_id IS NOT NULL;

-- The workflow definitions ever used; an execution keeps to the one it started with.
CREATE TABLE definition (
  no         INTEGER PRIMARY KEY,
  hash       TEXT NOT NULL UNIQUE,
  body       TEXT NOT NULL,
  first_used INTEGER NOT NULL
) STRICT;

-- One row per order's workflow. history holds the events that came in, one JSON value a line: the whole AWS-shaped
-- history follows from them. due_at is its next timer (never: far in the future), NULL once it ended; busy says that
-- a task's call is under way, which a new process has to take up again.
CREATE TABLE execution (
  no         INTEGER PRIMARY KEY REFERENCES claim (no),
  definition INTEGER NOT NULL REFERENCES definition (no),
  status     TEXT NOT NULL,
  due_at     INTEGER,
  busy       INTEGER NOT NULL,
  state      TEXT NOT NULL,
  history    TEXT NOT NULL
) STRICT;
CREATE INDEX execution_due ON execution (due_at) WHERE due_at IS NOT NULL;

-- The order table: the order as JSON beside the columns that lists are filtered by. Newest first is no DESC.
CREATE TABLE orders (
  no            INTEGER PRIMARY KEY REFERENCES claim (no),
  user_id       TEXT NOT NULL,
  restaurant_id TEXT NOT NULL,
  status        TEXT NOT NULL,
  deleted       INTEGER NOT NULL,
  version       INTEGER NOT NULL,
  body          TEXT NOT NULL
) STRICT;
CREATE INDEX orders_user ON orders (user_id);
CREATE INDEX orders_restaurant ON orders (restaurant_id);
-- Most orders are SUCCESS: a list of those is dense on the table itself, the index is for finding the rare ones.
CREATE INDEX orders_status ON orders (status) WHERE status <> 'SUCCESS';

CREATE TABLE ledger (
  order_no  INTEGER NOT NULL REFERENCES claim (no),
  kind      TEXT NOT NULL,
  key       TEXT NOT NULL,
  amount    INTEGER NOT NULL,
  currency  TEXT NOT NULL,
  at        INTEGER NOT NULL,
  reference TEXT,
  PRIMARY KEY (order_no, kind, key)
) STRICT, WITHOUT ROWID;

-- The outbox. next_at is when to try (again) to send it, NULL once it is sent, given up, or kept in the mailbox only.
CREATE TABLE mail (
  order_no  INTEGER NOT NULL REFERENCES claim (no),
  status    TEXT NOT NULL,
  recipient TEXT NOT NULL,
  subject   TEXT NOT NULL,
  text      TEXT NOT NULL,
  at        INTEGER NOT NULL,
  tries     INTEGER NOT NULL DEFAULT 0,
  next_at   INTEGER,
  sent_at   INTEGER,
  problem   TEXT,
  PRIMARY KEY (order_no, status, recipient)
) STRICT, WITHOUT ROWID;
CREATE INDEX mail_next ON mail (next_at) WHERE next_at IS NOT NULL;
