-- name: record
INSERT INTO audit (at, who, kind, subject, detail, via, address) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)

-- name: audit
SELECT at, who, kind, subject, detail, via, address, no FROM audit WHERE subject = ?1 ORDER BY no DESC LIMIT ?2

-- name: audit_page
SELECT at, who, kind, subject, detail, via, address, no FROM audit WHERE no < ?1 ORDER BY no DESC LIMIT ?2

-- name: mails
SELECT claim.id, status, recipient, subject, text, order_no, at, tries, next_at, sent_at, problem, given_up_at
FROM mail JOIN claim ON claim.no = mail.order_no
WHERE (order_no, status, recipient) < (?1, ?2, ?3)
ORDER BY order_no DESC, status DESC, recipient DESC LIMIT ?4

-- name: mails_of
SELECT claim.id, status, recipient, subject, text, order_no, at, tries, next_at, sent_at, problem, given_up_at
FROM claim JOIN mail ON claim.no = mail.order_no WHERE claim.id = ?1 ORDER BY at

-- name: resend
UPDATE mail SET next_at = ?4, tries = 0, problem = NULL, given_up_at = NULL
WHERE order_no = (SELECT no FROM claim WHERE id = ?1) AND status = ?2 AND recipient = ?3

-- name: definition
SELECT definition.body FROM claim JOIN execution USING (no) JOIN definition ON definition.no = execution.definition
WHERE claim.id = ?1

-- name: status
SELECT status FROM claim JOIN execution USING (no) WHERE claim.id = ?1

-- name: mark
SELECT coalesce(orders.version, 0) || '.' || coalesce(length(history), 0) || '.'
  || (SELECT count(*) FROM audit WHERE subject = ?1) || '.'
  || (SELECT coalesce(total(tries + (next_at IS NULL) + 1), 0) FROM mail WHERE order_no = claim.no)
FROM claim LEFT JOIN orders USING (no) LEFT JOIN execution USING (no) WHERE claim.id = ?1

-- name: versions
-- Where there is one only, all that are under way are on it: no row of them has to be read.
SELECT no, hash, body, first_used, CASE (SELECT count(*) FROM definition)
  WHEN 1 THEN (SELECT count(*) FROM execution WHERE due_at IS NOT NULL)
  ELSE (SELECT count(*) FROM execution WHERE definition = definition.no AND due_at IS NOT NULL) END
FROM definition ORDER BY no DESC

-- name: states_of_version
-- The states of those of the next ?4 executions under way that are on version ?1; null for the others.
SELECT due_at, no, CASE definition WHEN ?1 THEN coalesce(json_extract(state, '$.frames."0".state'), '') END
FROM execution INDEXED BY execution_due
WHERE due_at IS NOT NULL AND (due_at, no) > (?2, ?3) ORDER BY due_at, no LIMIT ?4

-- name: version
SELECT no, hash, body, first_used, (SELECT count(*) FROM execution WHERE definition = ?1 AND due_at IS NOT NULL)
FROM definition WHERE no = ?1

-- name: orders
SELECT count(*) FROM orders

-- name: rare
-- Without SUCCESS, of which there are most: the index leaves them out.
SELECT status, count(*) FROM orders INDEXED BY orders_status WHERE status <> 'SUCCESS' GROUP BY status

-- name: deleted
SELECT status, count(*) FROM orders INDEXED BY orders_deleted WHERE deleted = 1 GROUP BY status

-- name: oldest
SELECT claim.id, body FROM orders INDEXED BY orders_status JOIN claim USING (no)
WHERE status = ?1 AND status <> 'SUCCESS' AND deleted = 0 ORDER BY orders.no LIMIT 1

-- name: failed
-- Not those that a workflow started: the workflow that started them handles the failure.
SELECT count(*), min(no) FROM execution INDEXED BY execution_failed JOIN claim USING (no)
WHERE status <> 'RUNNING' AND status <> 'SUCCEEDED' AND instr(claim.id, ':') = 0

-- name: order_by_no
SELECT claim.id, orders.body FROM claim JOIN orders USING (no) WHERE claim.no = ?1

-- name: oldest_dead
SELECT count(*), min(died_at) FROM dead_letter

-- name: keep_minute
INSERT INTO minute (at, body) VALUES (?1, ?2) ON CONFLICT (at) DO UPDATE SET body = excluded.body

-- name: drop_minutes
DELETE FROM minute WHERE at < ?1

-- name: minutes
SELECT body FROM minute WHERE at >= ?1 ORDER BY at
