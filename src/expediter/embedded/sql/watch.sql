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
