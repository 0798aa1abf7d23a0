-- name: under_way
-- Whatever has not come to a good end: what runs, what waits on the queue, and what needs an operator. As JSON, ?2 is the
-- user's name and ?3 the same with its key: for messages, and for orders whose workflow has not saved them.
SELECT claim.id FROM orders JOIN claim USING (no) LEFT JOIN execution USING (no)
WHERE user_id = ?1 AND execution.status IS NOT 'SUCCEEDED'
UNION ALL
SELECT coalesce(order_id, 'message ' || no) FROM message
WHERE CASE WHEN instr(CAST(body AS TEXT), ?2) AND json_valid(CAST(body AS TEXT))
      THEN json_extract(CAST(body AS TEXT), '$.user_id') END = ?1
UNION ALL
SELECT (SELECT id FROM claim WHERE claim.no = execution.no) FROM execution
WHERE no IN (
  SELECT no FROM execution INDEXED BY execution_due
  WHERE due_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM orders WHERE orders.no = execution.no)
) AND instr(history, ?3)
UNION ALL
SELECT claim.id FROM execution JOIN claim USING (no)
WHERE execution.status <> 'RUNNING' AND execution.status <> 'SUCCEEDED' AND instr(claim.id, ':') = 0
  AND NOT EXISTS (SELECT 1 FROM orders WHERE orders.no = execution.no) AND instr(history, ?3)
LIMIT ?4

-- name: orders
SELECT claim.id FROM orders JOIN claim USING (no) WHERE user_id = ?1 ORDER BY no LIMIT ?2

-- name: count
SELECT count(*) FROM orders WHERE user_id = ?1

-- name: letters
SELECT no FROM dead_letter
WHERE CASE WHEN json_valid(CAST(body AS TEXT)) THEN json_extract(CAST(body AS TEXT), '$.user_id') END = ?1
ORDER BY no LIMIT ?2

-- name: number
SELECT no FROM claim WHERE id = ?1

-- name: drop_mails
DELETE FROM mail WHERE order_no = ?1

-- name: drop_events
DELETE FROM event WHERE order_id = ?1 AND due_at IS NULL

-- name: disown
-- No order has this hash, so the same order under the same key is refused: the key is taken.
UPDATE claim SET fingerprint = '' WHERE id = ?1

-- name: disown_unless_begun
UPDATE claim SET fingerprint = '' WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM execution WHERE execution.no = claim.no)

-- name: blank_audit
-- Who acted for himself is 'customer'; the address that an operator acted from is the operator's.
UPDATE audit SET detail = '', address = CASE who WHEN 'customer' THEN '' ELSE address END WHERE subject = ?1

-- name: starts_others
SELECT 1 FROM definition WHERE instr(body, ':states:startExecution') LIMIT 1

-- name: nested
-- ?1: the ids of orders as a JSON array.
SELECT DISTINCT execution.no FROM claim CROSS JOIN execution USING (no) CROSS JOIN json_each(?1) AS hers
WHERE instr(claim.id, ':') AND due_at IS NULL AND instr(history, hers.value)
