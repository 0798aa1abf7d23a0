-- When a mail was given up, so that operators are told and see it. Of those that a former version gave up they are not
-- told any more; they see them.
ALTER TABLE mail ADD COLUMN given_up_at INTEGER;
UPDATE mail SET given_up_at = at WHERE next_at IS NULL AND sent_at IS NULL AND problem IS NOT NULL;
INSERT INTO told (order_no, trouble, at) SELECT DISTINCT order_no, 'MAIL_GIVEN_UP', given_up_at FROM mail
WHERE given_up_at IS NOT NULL ON CONFLICT DO NOTHING;
CREATE INDEX mail_given_up ON mail (order_no) WHERE given_up_at IS NOT NULL;
