-- What our clock showed last: it goes on from there at the next start, also when the machine's clock was set back.
ALTER TABLE health ADD COLUMN seen_at INTEGER NOT NULL DEFAULT 0;
