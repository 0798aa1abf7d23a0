-- name: due
SELECT claim.no, claim.id, status, recipient, subject, text, tries FROM mail JOIN claim ON claim.no = mail.order_no
WHERE next_at <= ?1 ORDER BY next_at LIMIT ?2

-- name: next_due
SELECT min(next_at) FROM mail

-- name: sent
UPDATE mail SET sent_at = ?4, next_at = NULL, tries = tries + 1, problem = NULL, given_up_at = NULL
WHERE order_no = ?1 AND status = ?2 AND recipient = ?3

-- name: postponed
UPDATE mail SET next_at = ?4, tries = tries + 1, problem = ?5, given_up_at = ?6
WHERE order_no = ?1 AND status = ?2 AND recipient = ?3

-- name: counts
SELECT count(*), count(sent_at) FROM mail
