-- name: find
SELECT asked, body FROM answered WHERE key = ?1

-- name: keep
INSERT INTO answered (key, asked, body, at) VALUES (?1, ?2, ?3, ?4)

-- name: forget
DELETE FROM answered WHERE at < ?1
