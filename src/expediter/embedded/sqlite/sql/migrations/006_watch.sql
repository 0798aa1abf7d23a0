-- Which trouble of which order operators were told of, and when: once, whatever happens to the mail.
CREATE TABLE told (
  order_no INTEGER NOT NULL REFERENCES claim (no),
  trouble  TEXT NOT NULL,
  at       INTEGER NOT NULL,
  PRIMARY KEY (order_no, trouble)
) STRICT, WITHOUT ROWID;
