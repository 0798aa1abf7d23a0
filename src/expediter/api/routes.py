"""From method and path to the operation: the table is openapi.json's own paths, read once."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from expediter.api.errors import MethodNotAllowed, PathUnknown


class _Operation(msgspec.Struct):
    operation_id: str = msgspec.field(name="operationId")
    tags: tuple[str, ...] = ()


class _Document(msgspec.Struct):
    paths: dict[str, dict[str, _Operation]]


class Route(NamedTuple):
    """The operation's id and the values of the path's parameters."""

    operation: str
    params: Mapping[str, str]


class _Branch:
    """One step of a path: what stands here literally, what a parameter stands for, and the methods if it ends here."""

    __slots__ = ("literal", "methods", "parameter")

    def __init__(self) -> None:
        self.literal: dict[str, _Branch] = {}
        self.parameter: tuple[str, _Branch] | None = None
        self.methods: dict[str, str] = {}


class Router:
    """Finds the operation for a method and a path; ``tags`` by operationId. A literal step wins over a parameter."""

    def __init__(self, document: bytes) -> None:
        self._root = _Branch()
        #: Of the paths without parameters: what is found there is always the same.
        self._fixed: dict[tuple[str, str], Route] = {}
        self.tags: dict[str, tuple[str, ...]] = {}
        for path, methods in msgspec.json.decode(document, type=_Document).paths.items():
            end = _branch(self._root, path)
            for method, operation in methods.items():
                end.methods[method.upper()] = operation.operation_id
                if "{" not in path:
                    self._fixed[method.upper(), path] = Route(operation.operation_id, {})
                self.tags[operation.operation_id] = operation.tags

    def find(self, method: str, path: str) -> Route:
        """Raises PathUnknown, MethodNotAllowed. HEAD is answered as GET."""
        if fixed := self._fixed.get((method, path)):
            return fixed
        params: dict[str, str] = {}
        branch = _walk(self._root, path, params)
        if branch is None or not branch.methods:
            raise PathUnknown(f"There is nothing under {path}. See /openapi.json for what there is.")
        operation = branch.methods.get("GET" if method == "HEAD" else method)
        if operation is None:
            raise MethodNotAllowed(", ".join(branch.methods))
        return Route(operation, params)


def _branch(root: _Branch, path: str) -> _Branch:
    """The place of a path of the document, made where it is missing."""
    here = root
    for step in path.split("/")[1:]:
        if step.startswith("{"):
            here.parameter = here.parameter or (step[1:-1], _Branch())
            here = here.parameter[1]
        else:
            here = here.literal.setdefault(step, _Branch())
    return here


def _walk(root: _Branch, path: str, params: dict[str, str]) -> _Branch | None:
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
