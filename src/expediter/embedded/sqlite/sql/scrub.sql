-- name: free_pages
SELECT freelist_count, page_size FROM pragma_freelist_count, pragma_page_size

-- name: fill
INSERT INTO scrub (zeros) VALUES (zeroblob(?1))

-- name: empty_one
DELETE FROM scrub WHERE no = (SELECT min(no) FROM scrub) RETURNING no
