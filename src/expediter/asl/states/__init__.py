"""One file per state type; ``TYPES`` in ``compiler/state_types.py`` is the table of them."""
