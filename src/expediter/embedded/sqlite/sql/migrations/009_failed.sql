-- The few workflows that ended in an error, as 002 had it, in other words: for a list (IN) SQLite makes a table of its
-- own, in memory, at every write of an execution. That was a third of what an order costs SQLite.
DROP INDEX execution_failed;
CREATE INDEX execution_failed ON execution (no) WHERE status <> 'RUNNING' AND status <> 'SUCCEEDED';
