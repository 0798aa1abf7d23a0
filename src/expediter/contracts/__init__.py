"""The contracts: openapi.json, schema.graphql and the workflow definitions, as language-neutral files."""

from importlib.resources import files


def read(name: str) -> bytes:
    """The contract file of this name (``openapi.json``)."""
    return files(__name__).joinpath(name).read_bytes()
