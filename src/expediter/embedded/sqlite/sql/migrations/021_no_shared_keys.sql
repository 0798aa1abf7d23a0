-- No key of a program is another caller's order any more, also not of one from before: each caller's keys are his own.
DROP TABLE shared_keys;
