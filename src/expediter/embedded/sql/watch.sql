-- name: owing
-- Deleted orders too: money is owed all the same.
SELECT count(*) FROM orders INDEXED BY orders_status WHERE status = 'REFUND_PENDING' AND status <> 'SUCCESS'

-- name: first_owing
SELECT body FROM orders INDEXED BY orders_status WHERE status = 'REFUND_PENDING' AND status <> 'SUCCESS'
ORDER BY no LIMIT ?1

-- name: failed
SELECT count(*) FROM execution INDEXED BY execution_failed WHERE status IN ('FAILED', 'TIMED_OUT', 'ABORTED')

-- name: dead
SELECT count(*), min(died_at) FROM dead_letter

-- name: mails
SELECT count(*) FROM mail WHERE next_at IS NOT NULL

-- name: under_way
-- With the troubles that were told already.
SELECT no, body, (SELECT group_concat(trouble, ' ') FROM told WHERE order_no = no)
FROM orders INDEXED BY orders_status WHERE status = ?1 AND status <> 'SUCCESS' AND no > ?2 ORDER BY no LIMIT ?3

-- name: needing_operator
SELECT no, claim.id FROM execution INDEXED BY execution_failed JOIN claim USING (no)
WHERE status IN ('FAILED', 'TIMED_OUT', 'ABORTED') AND instr(claim.id, ':') = 0
AND NOT EXISTS (SELECT 1 FROM told WHERE order_no = execution.no AND trouble = 'NEEDS_OPERATOR')
ORDER BY execution.no LIMIT ?1

-- name: on_the_queue
SELECT claim.no, claim.id, sent_at FROM (SELECT * FROM message ORDER BY no LIMIT ?2) AS oldest
JOIN claim ON claim.id = oldest.order_id
WHERE sent_at <= ?1 AND NOT EXISTS (SELECT 1 FROM told WHERE order_no = claim.no AND trouble = 'ORDER_LATE')

-- name: died
SELECT claim.no, claim.id, died_at FROM dead_letter JOIN claim ON claim.id = dead_letter.order_id
WHERE NOT EXISTS (SELECT 1 FROM told WHERE order_no = claim.no AND trouble = 'DEAD_LETTER')
ORDER BY dead_letter.no LIMIT ?1

-- name: tell
INSERT INTO told (order_no, trouble, at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING RETURNING order_no
