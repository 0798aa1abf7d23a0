"""One file per state type; ``TYPES`` in ``compile.py`` is the table of them."""
