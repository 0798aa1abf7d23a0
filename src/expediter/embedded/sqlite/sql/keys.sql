-- name: add
INSERT INTO api_key (id, name, hash, scopes, made_at, ends_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)

-- name: all
SELECT id, name, hash, scopes, made_at, ends_at, revoked_at, used_at FROM api_key ORDER BY no

-- name: revoke
UPDATE api_key SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL

-- name: used
UPDATE api_key SET used_at = ?2 WHERE id = ?1
