-- name: checked
SELECT checked_at FROM health

-- name: seen
SELECT coalesce(max(seen_at), 0) FROM health

-- name: note
-- Without a time of a check the one that stands there stays.
INSERT INTO health (no, checked_at, seen_at) VALUES (1, coalesce(?1, 0), ?2)
ON CONFLICT (no) DO UPDATE SET checked_at = coalesce(?1, checked_at), seen_at = max(seen_at, ?2)
