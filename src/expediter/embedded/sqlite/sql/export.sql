-- name: busy
SELECT (SELECT count(*) FROM message), (SELECT count(*) FROM dead_letter),
       (SELECT count(*) FROM execution WHERE status = 'RUNNING')

-- name: fingerprints
SELECT id, fingerprint FROM claim JOIN orders USING (no) ORDER BY no
