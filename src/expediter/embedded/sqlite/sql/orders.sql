-- name: claim
INSERT INTO claim (no, id, fingerprint) VALUES (?1, ?2, ?3)

-- name: last_claim
SELECT coalesce(max(no), 0) FROM claim

-- name: claimed
SELECT no, fingerprint FROM claim WHERE id = ?1

-- name: find
SELECT no, orders.body FROM claim JOIN orders USING (no) WHERE claim.id = ?1

-- name: add
INSERT INTO orders (no, status, deleted, version, body, user_id, restaurant_id)
VALUES (?1, ?2, ?3, ?4, CAST(?5 AS TEXT), ?6, ?7)

-- name: change
-- An UPDATE that names an indexed column rewrites its index: user and restaurant have a statement of their own.
UPDATE orders SET status = ?2, deleted = ?3, version = ?4, body = CAST(?5 AS TEXT) WHERE no = ?1

-- name: readdress
UPDATE orders SET user_id = ?2, restaurant_id = ?3 WHERE no = ?1

-- name: enter
INSERT INTO ledger (order_no, kind, key, amount, currency, at, reference) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT DO NOTHING

-- name: entries
SELECT ledger.kind, key, amount, currency, at, reference
FROM claim JOIN ledger ON ledger.order_no = claim.no WHERE claim.id = ?1 ORDER BY at

-- name: with_entries
SELECT orders.no, orders.body, ledger.kind, key, amount, currency, at, reference
FROM orders LEFT JOIN ledger ON ledger.order_no = orders.no ORDER BY orders.no, at

-- name: by_status
SELECT status, count(*) FROM orders GROUP BY status

-- name: post
INSERT INTO mail (order_no, status, recipient, subject, text, at, next_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT DO NOTHING
