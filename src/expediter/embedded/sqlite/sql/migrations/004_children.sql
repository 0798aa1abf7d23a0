-- Which task of which execution waits for a nested execution to end. parsed: it gets the output as JSON, not as text.
CREATE TABLE nested (
  child  INTEGER NOT NULL REFERENCES execution (no),
  parent INTEGER NOT NULL REFERENCES execution (no),
  task   INTEGER NOT NULL,
  parsed INTEGER NOT NULL,
  PRIMARY KEY (child, parent, task)
) STRICT, WITHOUT ROWID;
