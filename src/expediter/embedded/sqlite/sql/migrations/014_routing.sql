-- On which versions of the workflow new orders start: the newest row counts, and without one all of them start on the
-- version of the configured file. So many of a hundred start on the version ``first``, the others on ``second``.
CREATE TABLE routing (
  no         INTEGER PRIMARY KEY,
  configured INTEGER NOT NULL REFERENCES definition (no),
  first      INTEGER NOT NULL REFERENCES definition (no),
  percent    INTEGER NOT NULL CHECK (percent BETWEEN 1 AND 100),
  second     INTEGER REFERENCES definition (no),
  CHECK ((second IS NULL) = (percent = 100))
) STRICT;
