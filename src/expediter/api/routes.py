"""Finds the entry of a table for a method and a path: an operation of openapi.json, or a page of the console."""

from collections.abc import Mapping
from typing import Generic, TypeVar

import msgspec

from expediter.api.errors import MethodNotAllowed, PathUnknown

T = TypeVar("T")


class _Operation(msgspec.Struct):
    operation_id: str = msgspec.field(name="operationId")


class _Document(msgspec.Struct):
    paths: dict[str, dict[str, _Operation]]


def operations(document: bytes) -> dict[tuple[str, str], str]:
    """The operationId of every method and path of an OpenAPI document."""
    paths = msgspec.json.decode(document, type=_Document).paths
    return {
        (method.upper(), path): operation.operation_id
        for path, methods in paths.items()
        for method, operation in methods.items()
    }


class _Branch(Generic[T]):
    """One step of a path: the literal steps that may follow, the step that is a parameter, and the methods if the path
    ends here."""

    __slots__ = ("literal", "methods", "parameter")

    def __init__(self) -> None:
        self.literal: dict[str, _Branch[T]] = {}
        self.parameter: tuple[str, _Branch[T]] | None = None
        self.methods: dict[str, T] = {}


class Router(Generic[T]):
    """Finds the entry of a table for a method and a path. A literal step wins over a parameter (``{id}``)."""

    def __init__(self, table: Mapping[tuple[str, str], T]) -> None:
        self._root: _Branch[T] = _Branch()
        #: The entries of paths without parameters, which are always the same.
        self.fixed: dict[tuple[str, str], tuple[T, Mapping[str, str]]] = {}
        for (method, path), entry in table.items():
            _branch(self._root, path).methods[method] = entry
            if "{" not in path:
                self.fixed[method, path] = (entry, {})

    def find(self, method: str, path: str) -> tuple[T, Mapping[str, str]]:
        """The entry, and the values of the path's parameters. HEAD is answered as GET.

        Raises PathUnknown, MethodNotAllowed.
        """
        if found := self.fixed.get((method, path)):
            return found
        params: dict[str, str] = {}
        branch = _walk(self._root, path, params)
        if branch is None or not branch.methods:
            raise PathUnknown(f"There is nothing under {path}. See /openapi.json for calls and /console for pages.")
        entry = branch.methods.get("GET" if method == "HEAD" else method)
        if entry is None:
            raise MethodNotAllowed(", ".join(branch.methods))
        return entry, params


def _branch(root: _Branch[T], path: str) -> _Branch[T]:
    """The place of a path of the table, made where it is missing."""
    here = root
    for step in path.split("/")[1:]:
        if step.startswith("{"):
            here.parameter = here.parameter or (step[1:-1], _Branch())
            here = here.parameter[1]
        else:
            here = here.literal.setdefault(step, _Branch())
    return here


def _walk(root: _Branch[T], path: str, params: dict[str, str]) -> _Branch[T] | None:
    here = root
    for step in path.split("/")[1:]:
        if step in here.literal:
            here = here.literal[step]
        elif here.parameter is not None and step:
            name, here = here.parameter
            params[name] = step
        else:
            return None
    return here
