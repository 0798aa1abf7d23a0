-- name: generation
SELECT generation FROM link_generation JOIN claim ON claim.no = order_no WHERE claim.id = ?1

-- name: revoke
INSERT INTO link_generation (order_no, generation) SELECT no, 1 FROM claim WHERE id = ?1
ON CONFLICT (order_no) DO UPDATE SET generation = generation + 1
