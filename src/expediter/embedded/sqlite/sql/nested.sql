-- name: wait
INSERT INTO nested (child, parent, task, parsed) VALUES (?1, ?2, ?3, ?4)

-- name: parents
DELETE FROM nested WHERE child = ?1 RETURNING parent, task, parsed
