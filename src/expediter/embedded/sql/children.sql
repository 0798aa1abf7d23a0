-- name: name_of
SELECT id FROM claim WHERE no = ?1

-- name: wait
INSERT INTO child (child, parent, task, parsed) VALUES (?1, ?2, ?3, ?4)

-- name: parents
DELETE FROM child WHERE child = ?1 RETURNING parent, task, parsed
