"""One file for each type of state. ``TYPES`` in ``compiler/state_types.py`` lists them."""
