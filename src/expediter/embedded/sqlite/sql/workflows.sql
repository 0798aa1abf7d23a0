-- name: pin
INSERT INTO definition (hash, body, first_used) VALUES (?1, ?2, ?3) ON CONFLICT (hash) DO NOTHING

-- name: pinned
SELECT no FROM definition WHERE hash = ?1

-- name: definition
SELECT body FROM definition WHERE no = ?1

-- name: routing
SELECT first, percent, second FROM routing WHERE configured = ?1 ORDER BY no DESC LIMIT 1

-- name: route
INSERT INTO routing (configured, first, percent, second) VALUES (?1, ?2, ?3, ?4)

-- name: undo_routing
DELETE FROM routing WHERE no = (SELECT max(no) FROM routing) AND NOT kept RETURNING no

-- name: keep_routing
UPDATE routing SET kept = 1 WHERE no = (SELECT max(no) FROM routing)

-- name: end_routing
DELETE FROM routing WHERE configured <> ?1

-- name: live_definitions
-- Counted before the bodies are joined: the sorter would hold one for each of the executions.
SELECT no, body, live FROM definition JOIN
  (SELECT definition AS no, count(*) AS live FROM execution WHERE due_at IS NOT NULL GROUP BY definition) USING (no)

-- name: start
INSERT INTO execution (no, status, busy, state, history, definition, due_at)
VALUES (?1, ?2, ?3, CAST(?4 AS TEXT), CAST(?5 AS TEXT), ?6, ?7)

-- name: load
SELECT claim.id, definition, state, due_at, busy FROM execution JOIN claim USING (no) WHERE execution.no = ?1

-- name: advance
-- due_at stays as it is: an UPDATE that names an indexed column rewrites its index. Text || bytes is text.
UPDATE execution SET status = ?2, busy = ?3, state = CAST(?4 AS TEXT), history = history || ?5 WHERE no = ?1

-- name: advance_due
UPDATE execution SET status = ?2, busy = ?3, state = CAST(?4 AS TEXT), history = history || ?5, due_at = ?6 WHERE no = ?1

-- name: due
SELECT no FROM execution WHERE due_at <= ?1 ORDER BY due_at LIMIT ?2

-- name: next_due
SELECT min(due_at) FROM execution WHERE due_at > ?1

-- name: busy
-- Left alone, SQLite reads the whole table in the order of its numbers: seconds, when millions have ended.
SELECT no FROM execution INDEXED BY execution_due WHERE due_at IS NOT NULL AND busy ORDER BY no

-- name: history
SELECT definition.body, execution.history FROM claim JOIN execution USING (no)
JOIN definition ON definition.no = execution.definition WHERE claim.id = ?1

-- name: running
SELECT count(*) FROM execution WHERE due_at IS NOT NULL
