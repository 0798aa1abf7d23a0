-- REPLACE takes the place of the row that has the number already, and no DELETE trigger runs for that
-- (https://www.sqlite.org/lang_conflict.html).
CREATE TRIGGER audit_replaces_nothing BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE no = NEW.no)
BEGIN
  SELECT RAISE(ABORT, 'the audit keeps its entries');
END;
