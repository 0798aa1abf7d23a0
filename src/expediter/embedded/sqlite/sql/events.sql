-- name: add
INSERT INTO event (provider, id, type, order_id, body, at, due_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)
ON CONFLICT DO NOTHING

-- name: due
SELECT provider, id, body, tries, at FROM event WHERE due_at <= ?1 ORDER BY due_at LIMIT ?2

-- name: next_due
SELECT min(due_at) FROM event WHERE due_at IS NOT NULL

-- name: taken
UPDATE event SET due_at = NULL, tries = tries + 1, reason = NULL, unknown = ?3, body = iif(?3, body, x'')
WHERE provider = ?1 AND id = ?2

-- name: failed
UPDATE event SET due_at = ?3, dead_at = ?4, reason = ?5, tries = tries + 1 WHERE provider = ?1 AND id = ?2

-- name: dead
SELECT id, provider, type, body, at, reason FROM event WHERE dead_at IS NOT NULL ORDER BY dead_at LIMIT ?1

-- name: redrive
UPDATE event SET due_at = ?2, dead_at = NULL, tries = 0 WHERE id = ?1 AND dead_at IS NOT NULL RETURNING id

-- name: delete
DELETE FROM event WHERE id = ?1 AND dead_at IS NOT NULL RETURNING id

-- name: counts
SELECT count(dead_at), coalesce(sum(unknown), 0) FROM event

-- name: forget
DELETE FROM event WHERE at < ?1 AND due_at IS NULL AND dead_at IS NULL
