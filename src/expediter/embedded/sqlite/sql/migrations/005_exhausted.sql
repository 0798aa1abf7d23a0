-- Messages that were received as often as they may be. Without it every receive would look for them in the whole queue,
-- and a long queue would be taken in slower the longer it is.
CREATE INDEX message_exhausted ON message (visible_at) WHERE receive_count >= 3;
