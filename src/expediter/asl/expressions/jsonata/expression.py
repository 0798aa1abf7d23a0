"""JSONata as Step Functions runs it: a string that is ``{% expression %}`` and nothing else.

Plain references (``$states.input.order.id``, ``$customer.name``) and constants are compiled to getters, because the
general library takes some 200 µs for each; it is the fallback for everything else. What AWS adds to JSONata is in
``functions``. Expressions see ``$states`` and the variables. ``$now`` and
``$random`` are derived from the event.
"""

import re
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import msgspec

from expediter.asl.errors import PathInvalid, PathMissing, query_failure
from expediter.asl.expressions.jsonata.builtins import BUILTINS, Counted
from expediter.asl.expressions.jsonata.evaluator import Evaluator
from expediter.asl.expressions.jsonata.functions import FUNCTIONS, Moment
from expediter.asl.expressions.jsonata.library import jexception, utils
from expediter.asl.expressions.jsonata.limits import EVENT_STEPS, LENGTH, LimitExceeded, Meter, recursion
from expediter.asl.expressions.jsonata.references import References, references
from expediter.asl.expressions.measured import made
from expediter.asl.expressions.scope import Scope
from expediter.asl.expressions.templates import CompiledTemplate, Complain, Template, has_many
from expediter.asl.protocol import Json
from expediter.asl.texts import decode, did_you_mean, encode

_EXPRESSION = re.compile(r"\{%(.*)%\}", re.DOTALL)
_REFERENCE = re.compile(r"\$[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)
_VARIABLE = re.compile(r"\$([A-Za-z_]\w*)")
#: From ``$states`` and the scope to the value, in the library's terms.
Evaluate: TypeAlias = Callable[[dict[str, Json], Scope], Json]
_WORDS = frozenset({"and", "or", "in", "true", "false", "null", "function"})
_MISSING = object()
_FUNCTION_NAMES = FUNCTIONS.keys() | BUILTINS.keys()
#: Errors of Python that the library raises where JSONata has an error code.
_MISTAKES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NameError,
    re.error,
    RuntimeError,
    StopIteration,
    TypeError,
    ValueError,
)


class Expression(NamedTuple):
    """``evaluate(states, scope)`` yields the value, or ``_MISSING`` when it is undefined.

    ``names``: those of a plain reference: states, input and a for ``$states.input.a``. None for anything else.
    """

    text: str
    evaluate: Evaluate
    names: tuple[str, ...] | None
    variables: frozenset[str]
    context: bool
    references: References
    #: The unknown functions that it calls, each with the known function that may be meant.
    unknown: tuple[str, ...]


def is_expression(value: Json) -> bool:
    return isinstance(value, str) and _EXPRESSION.fullmatch(value) is not None


def compile_expression(text: str) -> Expression:
    """``{% … %}`` compiled; raises PathInvalid when it is not JSONata."""
    found = _EXPRESSION.fullmatch(text)
    if found is None:
        raise PathInvalid("a JSONata expression stands between {% and %}")
    inner = found[1].strip()
    names = frozenset(_VARIABLE.findall(inner)) - {"states"}
    context = _may_read_context(inner)
    general = _Library(inner, context=context)
    variables = names - _FUNCTION_NAMES - {"eval"}
    unknown = _unknown(general.references.calls)
    return Expression(inner, general.evaluate, _plain_reference(inner), variables, context, general.references, unknown)


def _may_read_context(text: str) -> bool:
    """Whether the expression may read the context object: by its name, or as a part of the whole of ``$states``.

    ``$states`` is read as a whole, or by ``*`` or ``**``, where no name follows it. ``%`` goes back to it from one of
    its members.
    """
    whole = re.search(r"\$states(?!\s*\.\s*[A-Za-z`])", text) is not None
    return "states" in text and (whole or "context" in text or "%" in text)


def _plain_reference(text: str) -> tuple[str, ...] | None:
    """The names of a variable and of fields in it. ``$states.context`` is no field: it is made for each expression."""
    if _REFERENCE.fullmatch(text) is None:
        return None
    names = tuple(text.removeprefix("$").split("."))
    return None if names[-1] in _WORDS or names == ("states",) or names[:2] == ("states", "context") else names


def _unknown(calls: frozenset[str]) -> tuple[str, ...]:
    known = [f"${name}" for name in _FUNCTION_NAMES]
    return tuple(
        f"${name}, which is not there{'. Use $parse' if name == 'eval' else did_you_mean('$' + name, known)}"
        for name in sorted(calls - _FUNCTION_NAMES)
    )


class _Library:
    """An expression that the general library evaluates."""

    def __init__(self, text: str, *, context: bool) -> None:
        """``context``: it may read the context object, which is made only then. Raises PathInvalid."""
        self.context = context
        if len(text) > LENGTH:
            raise PathInvalid(f"an expression has at most {LENGTH} characters")
        try:
            with recursion:
                self.program = Evaluator(text)
                self.references = references(self.program.ast)
        except jexception.JException as error:
            raise PathInvalid(f"{error.get_error()}: {error}") from error
        except PathInvalid:
            raise
        except _MISTAKES as error:  # the parser raises these for odd input
            raise PathInvalid(f"not JSONata: {error}") from error

        #: The functions of Step Functions that the text names. It can call no others, because there is no $eval.
        self.functions = FUNCTIONS.keys() & set(_VARIABLE.findall(text))

    def evaluate(self, states: dict[str, Json], scope: Scope) -> Json:
        bindings: dict[str, Json] = {name: _bound(value) for name, value in scope.variables().items()}
        if self.functions:
            moment = Moment(scope.at, scope.draw())
            bindings.update((name, Counted(FUNCTIONS[name](moment))) for name in self.functions)
        bindings["states"] = {**states, "context": scope.context()} if self.context else states
        if scope.spent > EVENT_STEPS:
            raise LimitExceeded("D1012", f"The evaluations for one event take more than {EVENT_STEPS} steps together.")
        scope.pause()
        meter = Meter(scope.pause)
        try:
            with recursion:
                found = self.program.value(bindings, meter)
                return _MISSING if found is None else utils.Utils.convert_nulls(found)
        finally:
            scope.spent += meter.steps


def _bound(value: Json) -> Json:
    return utils.Utils.NULL_VALUE if value is None else value


#: Called with the place inside the template and an expression that stands there.
Note: TypeAlias = Callable[[str, Expression], None]


def compile_jsonata(spec: Json, complain: Complain, field: str, note: Note, place: str = "") -> CompiledTemplate:
    """A template of a JSONata state: expressions anywhere in it, everything else as it stands.

    ``field`` is how AWS names the place when an expression fails (``Assign/w[1]``), ``place`` how a fault does.
    """
    if isinstance(spec, dict):
        inner = [
            (key, compile_jsonata(value, complain, f"{field}/{key}", note, f"{place}.{key}" if place else key))
            for key, value in spec.items()
        ]
        return _object(spec, inner)
    if isinstance(spec, list):
        items = [
            compile_jsonata(value, complain, f"{field}[{index}]", note, f"{place}[{index}]")
            for index, value in enumerate(spec)
        ]
        return _array(spec, items)
    if not is_expression(spec):
        return CompiledTemplate(lambda _value, _scope: spec, (), constant=True)
    try:
        expression = compile_expression(spec)
    except PathInvalid as fault:
        complain(place, f"The JSONata expression is not valid: {fault}")
        return CompiledTemplate(lambda _value, _scope: None, (), constant=True)
    note(place, expression)
    return CompiledTemplate(evaluated(expression, field), (), constant=False)


def _object(spec: Json, fields: list[tuple[str, CompiledTemplate]]) -> CompiledTemplate:
    if all(field.constant for _, field in fields):
        return CompiledTemplate(lambda _value, _scope: spec, (), constant=True)
    getters = tuple((name, field.get) for name, field in fields)
    if has_many(field for _, field in fields):
        names, gets = zip(*getters, strict=True)
        return CompiledTemplate(
            lambda value, scope: dict(zip(names, made(gets, value, scope), strict=True)), (), constant=False
        )
    return CompiledTemplate(lambda value, scope: {name: get(value, scope) for name, get in getters}, (), constant=False)


def _array(spec: Json, items: list[CompiledTemplate]) -> CompiledTemplate:
    if all(item.constant for item in items):
        return CompiledTemplate(lambda _value, _scope: spec, (), constant=True)
    getters = tuple(item.get for item in items)
    if has_many(items):
        return CompiledTemplate(lambda value, scope: made(getters, value, scope), (), constant=False)
    return CompiledTemplate(lambda value, scope: [get(value, scope) for get in getters], (), constant=False)


def evaluated(expression: Expression, field: str) -> Template:
    """The expression's value as JSON. Every error is raised as a QueryEvaluationError."""
    evaluate = expression.evaluate
    where = f"The JSONata expression '{expression.text}' specified for the field '{field}'"

    def get(states: Json, scope: Scope) -> Json:
        try:
            found = evaluate(states, scope)
        except jexception.JException as error:
            raise query_failure(
                f"{where} threw an error during evaluation. {error.get_error()}: {error}", field
            ) from error
        except _MISTAKES as error:
            raise query_failure(f"{where} threw an error during evaluation. {error}", field) from error
        if found is _MISSING:
            raise query_failure(f"{where} returned nothing (undefined).", field)
        try:
            return decode(encode(found))
        except (TypeError, ValueError, msgspec.MsgspecError, RecursionError) as error:
            raise query_failure(f"{where} returned an unsupported result type.", field) from error

    return get if expression.names is None else _read(expression.names[0], expression.names[1:], get)


def _read(variable: str, fields: tuple[str, ...], general: Template) -> Template:
    """Reads nested objects itself. The library reads the rest: JSONata maps over an array on the way."""

    def get(states: Json, scope: Scope) -> Json:
        try:
            found = states if variable == "states" else scope.variable(variable)
            for field in fields:
                found = found[field]
        except (KeyError, PathMissing, TypeError):
            return general(states, scope)
        return found

    return get
