-- name: page
-- Reads no history: its length stands in the row's header.
SELECT no, status, due_at IS NULL AND octet_length(history) > 0, json_extract(state, '$.started_at')
FROM execution WHERE no > ?1 ORDER BY no LIMIT ?2

-- name: history
SELECT instr(claim.id, ':') > 0, history FROM execution JOIN claim USING (no) WHERE no = ?1

-- name: take_out
-- Out and in again, because SQLite joins pages that became nearly empty after a DELETE, not after an UPDATE.
DELETE FROM execution
WHERE no = ?1 AND due_at IS NULL AND NOT EXISTS (SELECT 1 FROM mail WHERE order_no = ?1 AND next_at IS NOT NULL)
RETURNING definition, status

-- name: put_back
-- An empty history is one that was taken away: every workflow has begun with an event.
INSERT INTO execution (no, definition, status, due_at, busy, state, history)
VALUES (?1, ?2, ?3, NULL, 0, json_object('status', ?3), '')

-- name: drop_mails
DELETE FROM mail WHERE order_no = ?1
