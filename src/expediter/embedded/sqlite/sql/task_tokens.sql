-- name: expect
INSERT INTO task_token (hash, execution, task, busy, timeout_at, heartbeat_seconds, heartbeat_at)
VALUES (?1, ?2, ?3, 1, ?4 + 1000 * ?5, ?6, ?4 + 1000 * ?6)

-- name: called
UPDATE task_token SET busy = 0 WHERE execution = ?1 AND task = ?2

-- name: awaited
SELECT task, busy, min(coalesce(timeout_at, ?2), coalesce(heartbeat_at, ?2)) FROM task_token WHERE execution = ?1

-- name: forget
DELETE FROM task_token WHERE execution = ?1 AND task NOT IN (SELECT value FROM json_each(?2))

-- name: find
SELECT execution, task, min(coalesce(timeout_at, ?2), coalesce(heartbeat_at, ?2)) FROM task_token WHERE hash = ?1

-- name: beat
-- Without HeartbeatSeconds there is nothing to move.
UPDATE task_token SET heartbeat_at = ?2 + 1000 * heartbeat_seconds WHERE hash = ?1
