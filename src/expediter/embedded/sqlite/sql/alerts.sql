-- name: owing
-- Deleted orders too: money is owed all the same.
SELECT count(*) FROM orders INDEXED BY orders_status WHERE status = 'REFUND_PENDING' AND status <> 'SUCCESS'

-- name: first_owing
SELECT body FROM orders INDEXED BY orders_status WHERE status = 'REFUND_PENDING' AND status <> 'SUCCESS'
ORDER BY no LIMIT ?1

-- name: failed
-- Not those that a workflow started: the workflow that started them handles the failure.
SELECT count(*) FROM execution INDEXED BY execution_failed JOIN claim USING (no)
WHERE status <> 'RUNNING' AND status <> 'SUCCEEDED' AND instr(claim.id, ':') = 0

-- name: dead
SELECT count(*), min(died_at) FROM dead_letter

-- name: mails
SELECT count(*) FROM mail WHERE next_at IS NOT NULL

-- name: mails_given_up
SELECT count(*) FROM mail INDEXED BY mail_given_up WHERE given_up_at IS NOT NULL

-- name: given_up
-- Not those of alerts: operators who cannot be reached are not told so by mail.
SELECT order_no, claim.id, max(given_up_at), EXISTS (SELECT 1 FROM told WHERE told.order_no = mail.order_no AND trouble = 'MAIL_GIVEN_UP')
FROM mail INDEXED BY mail_given_up JOIN claim ON claim.no = mail.order_no
WHERE given_up_at IS NOT NULL AND mail.status IN ('SUCCESS', 'FAILED', 'CANCELLED') AND order_no > ?1
GROUP BY order_no ORDER BY order_no LIMIT ?2

-- name: under_way
-- With the alerts that were told already, and the seconds that the order's customer was told that it is held.
SELECT no, body, (SELECT group_concat(trouble, ' ') FROM told WHERE order_no = no),
       (SELECT json_extract(substr(history, 1, instr(history, char(10)) - 1), '$.input.hold_seconds')
        FROM execution WHERE execution.no = orders.no)
FROM orders INDEXED BY orders_status WHERE status = ?3 AND status <> 'SUCCESS' AND no > ?1 ORDER BY no LIMIT ?2

-- name: needing_operator
SELECT no, claim.id, EXISTS (SELECT 1 FROM told WHERE order_no = execution.no AND trouble = 'NEEDS_OPERATOR')
FROM execution INDEXED BY execution_failed JOIN claim USING (no)
WHERE status <> 'RUNNING' AND status <> 'SUCCEEDED' AND instr(claim.id, ':') = 0 AND no > ?1 ORDER BY no LIMIT ?2

-- name: on_the_queue
SELECT claim.no, claim.id, sent_at FROM (SELECT * FROM message ORDER BY no LIMIT ?2) AS oldest
JOIN claim ON claim.id = oldest.order_id
WHERE sent_at <= ?1 AND NOT EXISTS (SELECT 1 FROM told WHERE order_no = claim.no AND trouble = 'ORDER_LATE')

-- name: died
SELECT dead_letter.no, claim.no, claim.id, died_at,
       EXISTS (SELECT 1 FROM told WHERE order_no = claim.no AND trouble = 'DEAD_LETTER')
FROM dead_letter JOIN claim ON claim.id = dead_letter.order_id WHERE dead_letter.no > ?1 ORDER BY dead_letter.no LIMIT ?2

-- name: tell
INSERT INTO told (order_no, trouble, at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING RETURNING order_no
