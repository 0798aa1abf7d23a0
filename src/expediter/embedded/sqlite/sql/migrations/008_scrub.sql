-- Zeros that are written over free pages after somebody was erased, and removed at once.
CREATE TABLE scrub (
  no    INTEGER PRIMARY KEY,
  zeros BLOB NOT NULL
) STRICT;
