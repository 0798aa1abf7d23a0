-- The audit, under its name: who did what, when, through which interface and from where. Failed sign-ins stand in it too.
ALTER TABLE act RENAME TO audit;
ALTER TABLE audit ADD COLUMN via TEXT NOT NULL DEFAULT 'console';
ALTER TABLE audit ADD COLUMN address TEXT NOT NULL DEFAULT '';

-- Nobody removes an entry or alters one, by mistake or otherwise. An erasure takes away what tells of a person: the act
-- stays, its detail and its address go.
CREATE TRIGGER audit_keeps_entries BEFORE DELETE ON audit
BEGIN
  SELECT RAISE(ABORT, 'the audit keeps its entries');
END;
CREATE TRIGGER audit_alters_nothing BEFORE UPDATE ON audit
WHEN NEW.no IS NOT OLD.no OR NEW.at IS NOT OLD.at OR NEW.who IS NOT OLD.who OR NEW.kind IS NOT OLD.kind
  OR NEW.subject IS NOT OLD.subject OR NEW.via IS NOT OLD.via
  OR NEW.detail NOT IN (OLD.detail, '') OR NEW.address NOT IN (OLD.address, '')
BEGIN
  SELECT RAISE(ABORT, 'the audit alters nothing');
END;
