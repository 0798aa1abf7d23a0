-- Orders whose workflow ended at that time, and whose trace is still to be exported. Empty unless that was asked for.
CREATE TABLE untraced (
  no INTEGER PRIMARY KEY REFERENCES execution (no),
  at INTEGER NOT NULL
) STRICT;
