-- How often the links of an order were revoked. Those of an earlier generation open nothing; without a row it is 0.
CREATE TABLE link_generation (
  order_no   INTEGER PRIMARY KEY REFERENCES claim (no),
  generation INTEGER NOT NULL
) STRICT;
