-- name: ended
INSERT INTO untraced (no, at) VALUES (?1, ?2) ON CONFLICT (no) DO UPDATE SET at = excluded.at

-- name: untraced
-- Once their mails are sent, or given up, or have had enough time.
SELECT no, claim.id, coalesce(orders.status, 'PENDING'), execution.definition, execution.history
FROM untraced JOIN claim USING (no) JOIN execution USING (no) LEFT JOIN orders USING (no)
WHERE execution.status <> 'RUNNING'
AND (untraced.at <= ?1 OR NOT EXISTS (SELECT 1 FROM mail WHERE order_no = no AND next_at IS NOT NULL))
ORDER BY no LIMIT ?2

-- name: mails
SELECT status, at, sent_at FROM mail WHERE order_no = ?1 ORDER BY status, recipient

-- name: traced
DELETE FROM untraced WHERE no = ?1

-- name: too_many
DELETE FROM untraced WHERE no <= (SELECT no FROM untraced ORDER BY no DESC LIMIT 1 OFFSET ?1)
