"""The data flow of a state, in both query languages, compiled to two functions: one before its work, one after it.

JSONPath: InputPath, Parameters, then the work, then ResultSelector, Assign, ResultPath (onto the raw input) and
OutputPath.
JSONata: Arguments, then the work, then Assign and Output, both from ``$states``.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from expediter.asl.compiler.reader import Reader
from expediter.asl.errors import PathMissing, StateFailure, runtime_failure
from expediter.asl.execution import Frame
from expediter.asl.expressions.paths import compile_reference, keep_input
from expediter.asl.expressions.scope import Scope
from expediter.asl.expressions.templates import CompiledTemplate, Template, compile_template
from expediter.asl.protocol import Json
from expediter.asl.states.retry import CatchOutput
from expediter.asl.states.state import Arguments, Finish, Put
from expediter.asl.texts import did_you_mean

if TYPE_CHECKING:
    # JSONata takes half of the package's time to load, so only a definition that uses it imports it.
    from expediter.asl.expressions.jsonata.expression import Expression

Assigned: TypeAlias = dict[str, Json] | None
Get: TypeAlias = Callable[[Json, Scope], Json]


# --- one field ---------------------------------------------------------------------------------------------------


def template(reader: Reader, field: str) -> Template | None:
    """A payload template field of the state's query language; absent is None."""
    if not reader.has(field):
        return None
    return compiled_template(reader, field).get


def compiled_template(reader: Reader, field: str) -> CompiledTemplate:
    def at(inner: str) -> str:
        return f"{field}{'' if not inner or inner[0] == '[' else '.'}{inner}"

    def complain(inner: str, message: str) -> None:
        reader.complain(at(inner), message)

    spec = reader.spec[field]
    if reader.jsonata:
        from expediter.asl.expressions.jsonata.expression import compile_jsonata  # noqa: PLC0415  # see the imports

        def note(inner: str, expression: "Expression") -> None:
            saw_expression(reader, field, expression, at(inner))

        return compile_jsonata(spec, complain, field, note)
    for twice in _set_twice(spec, field):
        reader.refuse(twice, "is set here and by the field of the same name with '.$': leave one out")
    compiled = compile_template(spec, complain)
    reader.notes.saw(compiled.paths)
    return compiled


def _set_twice(spec: Json, place: str) -> Iterator[str]:
    """The places in a template at which a key is given twice: once as it is, and once with ``.$`` at its end."""
    if isinstance(spec, list):
        for index, item in enumerate(spec):
            yield from _set_twice(item, f"{place}[{index}]")
    elif isinstance(spec, dict):
        yield from (f"{place}.{key}" for key in spec if f"{key}.$" in spec)
        for key, inner in spec.items():
            yield from _set_twice(inner, f"{place}.{key}")


def saw_expression(reader: Reader, field: str, expression: "Expression", place: str) -> None:
    """Notes what an expression reads, and reports what it cannot read in this field. ``place``: the path of the
    expression in the field."""
    notes = reader.notes
    if (outside := expression.references.outside) is not None:
        reader.refuse(place, f"'{outside}' reads an input document, and there is none: begin at $states.input")
    for member in sorted(expression.references.members - {"input", "context", _special(reader, field)}):
        if member in _WHERE:
            reader.refuse(place, f"$states.{member} is not there: {_WHERE[member]}")
        else:
            reader.warn(place, f"There is no $states.{member}{did_you_mean(member, _MEMBERS)}")
    for function in expression.unknown:  # AWS creates the workflow
        reader.warn(place, f"The state fails when it calls {function}", "UNKNOWN_FUNCTION")
    if expression.variables:
        notes.variables.setdefault(notes.state, set()).update(expression.variables)
    notes.keeps_input = notes.keeps_input or expression.context


_WHERE = {
    "result": "only Assign and Output of a Task, Parallel or Map read it",
    "errorOutput": "only Assign and Output of a Catch read it",
}
_MEMBERS = ("input", "context", *_WHERE)


def _special(reader: Reader, field: str) -> str:
    """The member of $states that this field alone reads; every field reads input and context.

    Source: "Passing data between states with variables" (AWS developer guide), "Reserved variable: $states".
    """
    if field not in {"Assign", "Output"}:
        return ""
    if reader.place.rpartition(".")[2].startswith("Catch["):
        return "errorOutput"
    return "result" if reader.spec.get("Type") in {"Task", "Parallel", "Map"} else ""


def assignment(reader: Reader) -> Template | None:
    """Assign: an object whose keys are names of variables."""
    found = reader.spec.get("Assign")
    if found is None and not reader.has("Assign"):
        return None
    if not isinstance(found, dict):
        reader.complain("Assign", "must be an object")
        return None
    for key in found:
        name = key if reader.jsonata else key.removesuffix(".$")
        if not name.isidentifier() or len(name) > 80 or name == "states":
            reader.complain(f"Assign.{key}", f"'{name}' is not a valid variable name")
    return template(reader, "Assign")


def shaping_path(reader: Reader, field: str) -> Get | None:
    """InputPath or OutputPath: null stands for an empty object; the state fails if the path selects nothing."""
    if not reader.has(field):
        return None
    if reader.spec[field] is None:
        return lambda _value, _scope: {}
    path = reader.path(field)
    if path is None or path.text == "$":
        return None
    get = path.get

    def read(value: Json, scope: Scope) -> Json:
        try:
            return get(value, scope)
        except PathMissing as missing:
            raise runtime_failure(f"Invalid path '{path.text}' : {missing}") from None

    return read


def result_path(reader: Reader) -> Put | None:
    """ResultPath: null keeps the raw input and drops the result."""
    if not reader.has("ResultPath"):
        return None
    if reader.spec["ResultPath"] is None:
        return keep_input
    if reader.spec["ResultPath"] == "$":
        return None
    return reader.compiled("ResultPath", compile_reference)


def growth(reader: Reader) -> int | None:
    """The bytes (or more) that ResultPath adds to those of input and result. None: other fields shape the output
    too."""
    if reader.jsonata or reader.has("ResultSelector") or reader.has("OutputPath") or not reader.has("ResultPath"):
        return None
    path = reader.spec["ResultPath"]
    # A name of n bytes takes at most 6 n bytes with all of it escaped, and 6 for quotes, colon, comma and braces.
    return 12 * len(path.encode()) if isinstance(path, str) else None


# --- before the work ---------------------------------------------------------------------------------------------


def arguments(reader: Reader, field: str | None = None) -> Arguments | None:
    """The function from the raw input to the input of the work. None: that is the raw input itself.

    ``field`` is the state's template for it, if its type has one.
    """
    shape = template(reader, field) if field else None
    if reader.jsonata:
        return None if shape is None else lambda scope, frame: shape({"input": frame.input}, scope)
    return _shaped(shaping_path(reader, "InputPath"), shape)


def effective_input(reader: Reader) -> Arguments | None:
    """The part of the raw input that InputPath selects. The other paths of a JSONPath state begin there. None: all of
    it."""
    return None if reader.jsonata else _shaped(shaping_path(reader, "InputPath"), None)


def _shaped(path: Get | None, shape: Template | None) -> Arguments | None:
    if path is None:
        return None if shape is None else lambda scope, frame: shape(frame.input, scope)
    if shape is None:
        return lambda scope, frame: path(frame.input, scope)
    return lambda scope, frame: shape(path(frame.input, scope), scope)


# --- after the work ----------------------------------------------------------------------------------------------


def finish(reader: Reader, *, has_result: bool) -> Finish | None:
    """The function from the work's result to the output and the assigned variables. None: the result is the output."""
    assign = assignment(reader)
    if reader.jsonata:
        return _jsonata_finish(assign, template(reader, "Output"), has_result=has_result)
    if not _shapes_more_than_result_path(reader):
        return None
    selector = template(reader, "ResultSelector")
    return _jsonpath_finish(selector, assign, result_path(reader), shaping_path(reader, "OutputPath"))


def result_only(reader: Reader) -> Put | None:
    """ResultPath where no other field shapes the output: ``finish`` is None then."""
    return None if reader.jsonata or _shapes_more_than_result_path(reader) else result_path(reader)


def _shapes_more_than_result_path(reader: Reader) -> bool:
    return any(reader.has(field) for field in ("ResultSelector", "Assign", "OutputPath"))


def _jsonpath_finish(selector: Template | None, assign: Template | None, put: Put | None, path: Get | None) -> Finish:
    def shape(scope: Scope, frame: Frame, result: Json) -> tuple[Json, Assigned]:
        if selector is not None:
            result = selector(result, scope)
        assigned = None if assign is None else assign(result, scope)
        output = result if put is None else put(frame.input, result)
        return output if path is None else path(output, scope), assigned

    return shape


def _jsonata_finish(assign: Template | None, output: Template | None, *, has_result: bool) -> Finish | None:
    if assign is None and output is None:
        return None

    def shape(scope: Scope, frame: Frame, result: Json) -> tuple[Json, Assigned]:
        states = {"input": frame.input, "result": result} if has_result else {"input": frame.input}
        assigned = None if assign is None else assign(states, scope)
        return result if output is None else output(states, scope), assigned

    return shape


def catch_output(reader: Reader) -> CatchOutput:
    """One Catch entry: where its error output goes. The state's own shaping fields do not apply to it."""
    assign = assignment(reader)
    if reader.jsonata:
        output = template(reader, "Output")

        def jsonata(scope: Scope, frame: Frame, failure: StateFailure) -> tuple[Json, Assigned]:
            states = {"input": frame.input, "errorOutput": failure.output()}
            assigned = None if assign is None else assign(states, scope)
            return failure.output() if output is None else output(states, scope), assigned

        return jsonata
    put = result_path(reader)

    def jsonpath(scope: Scope, frame: Frame, failure: StateFailure) -> tuple[Json, Assigned]:
        found = failure.output()
        assigned = None if assign is None else assign(found, scope)
        return found if put is None else put(frame.input, found), assigned

    return jsonpath
