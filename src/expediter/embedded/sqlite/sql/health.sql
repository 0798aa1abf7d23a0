-- name: checked
SELECT checked_at FROM health

-- name: note
-- Without a time it writes what stands there already.
INSERT INTO health (no, checked_at) VALUES (1, coalesce(?1, 0))
ON CONFLICT (no) DO UPDATE SET checked_at = coalesce(?1, checked_at)
