"""Expediter: accepts orders, walks each through a workflow, and never loses one."""

__version__ = "0.1.0"
