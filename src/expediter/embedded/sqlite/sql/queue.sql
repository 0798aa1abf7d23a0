-- name: send
INSERT INTO message (no, order_id, body, attributes, sent_at, visible_at, receive_count, deliveries, reason)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)

-- name: last
-- AUTOINCREMENT's own memory: the number of a message that is gone is not given again.
SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'message'

-- name: bury_exhausted
-- Messages received too often without being deleted move to the dead-letter queue, as SQS does at the next receive.
-- The 3 stands in the index too: with a parameter SQLite would read the whole queue at every receive.
INSERT INTO dead_letter (no, order_id, body, attributes, sent_at, died_at, receive_count, deliveries, reason)
SELECT no, order_id, body, attributes, sent_at, ?1, receive_count, deliveries,
       coalesce(reason, 'received ' || receive_count || ' times and never deleted')
FROM message INDEXED BY message_exhausted WHERE receive_count >= 3 AND visible_at <= ?1

-- name: drop_exhausted
DELETE FROM message INDEXED BY message_exhausted WHERE receive_count >= 3 AND visible_at <= ?1

-- name: receive
SELECT no, body, attributes, sent_at, visible_at, receive_count, deliveries, reason
FROM message WHERE visible_at <= ?1 AND receive_count < ?3 ORDER BY no LIMIT ?2

-- name: find
SELECT no, body, attributes, sent_at, visible_at, receive_count, deliveries, reason FROM message WHERE no = ?1

-- name: move
UPDATE message SET visible_at = ?2, receive_count = ?3, deliveries = ?4, reason = ?5 WHERE no = ?1

-- name: any_exhausted
SELECT 1 FROM message INDEXED BY message_exhausted WHERE receive_count >= 3 AND visible_at <= ?1 LIMIT 1

-- name: delete
DELETE FROM message WHERE no = ?1

-- name: waiting
-- The oldest is the one that has the lowest number: min(sent_at) would read every message.
SELECT count(*), (SELECT sent_at FROM message ORDER BY no LIMIT 1) FROM message

-- name: receivable
SELECT count(*) FROM (SELECT 1 FROM message WHERE visible_at <= ?1 LIMIT ?2)

-- name: by_order
-- An accepted order whose message died is still an accepted order.
SELECT body, attributes, sent_at FROM message WHERE order_id = ?1
UNION ALL SELECT body, attributes, sent_at FROM dead_letter WHERE order_id = ?1 LIMIT 1

-- name: bury
INSERT INTO dead_letter (no, order_id, body, attributes, sent_at, died_at, receive_count, deliveries, reason)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)

-- name: dead_page
SELECT no, body, attributes, sent_at, died_at, receive_count, reason FROM dead_letter WHERE no > ?1 ORDER BY no LIMIT ?2

-- name: dead_find
SELECT no, body, attributes, sent_at, died_at, receive_count, reason FROM dead_letter WHERE no = ?1

-- name: dead_count
SELECT count(*) FROM dead_letter

-- name: dead_revive
-- One delivery more, so that the receipt of the last one reaches nothing any more.
INSERT INTO message (no, order_id, body, attributes, sent_at, visible_at, deliveries)
SELECT no, order_id, body, attributes, sent_at, ?2, deliveries + 1 FROM dead_letter WHERE no = ?1

-- name: dead_delete
DELETE FROM dead_letter WHERE no = ?1 RETURNING no
