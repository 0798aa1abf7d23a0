-- When the whole file was checked last, in one row: it is done once a day, however often the server starts.
CREATE TABLE health (
  no         INTEGER PRIMARY KEY CHECK (no = 1),
  checked_at INTEGER NOT NULL
) STRICT;
