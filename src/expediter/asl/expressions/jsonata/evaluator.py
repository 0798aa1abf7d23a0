"""The evaluator of jsonata-python with limits: of steps, of depth, and of the size of each value.

The library's own limits are time and depth, which it checks between two nodes. But a result that depends on time is not
the same when the history is derived again, and a single node may take for ever. So nodes are counted here, the size of
a value is measured where it is made, and the built-in functions are those of ``builtins``.
"""

import math
from collections.abc import Callable
from typing import Final, TypeAlias, final

from expediter.asl.expressions.jsonata.builtins import BUILTINS
from expediter.asl.expressions.jsonata.library import Functions, Jsonata, RegexFlags, jexception, parser, utils
from expediter.asl.expressions.jsonata.limits import DEPTH, SIZE, Meter, too_deep, too_large
from expediter.asl.expressions.regular_expressions import Pattern, compile_linear
from expediter.asl.protocol import Json

Symbol: TypeAlias = parser.Parser.Symbol
Frame: TypeAlias = Jsonata.Frame

#: Steps of a member of an object, besides those of its key and value; and of the variables of ``@``, ``#`` and ``%``.
_MEMBER: Final = 3
_TUPLE: Final = 8
#: Members of a list that are passed on, and members that are bound to variables, in the time of a step.
_PASSED: Final = 256
_BOUND: Final = 2
#: Nodes that copy lists over and over take as many steps more as the square of their length makes.
_COPYING: Final = 4_000


@final
class Evaluator(Jsonata):  # type: ignore[misc]  # the library ships no types
    """One expression. Every evaluation has a meter of its own."""

    def __init__(self, text: str) -> None:
        self.meter = Meter(lambda: None)
        self.depth = 0
        super().__init__(text, _engine(self._spend))
        self.environment = _FUNCTIONS
        self.set_output_convert_nulls(False)
        self.set_validate_input(False)

    def _spend(self, steps: int) -> None:
        self.meter.spend(steps)

    def value(self, bindings: dict[str, Json], meter: Meter) -> Json:
        """The expression's value, None when it is undefined. Raises JException, and Python's own errors.

        While an evaluation is interrupted, others may begin and end, of this expression too.
        """
        interrupted = self.meter, self.depth, getattr(Jsonata.CURRENT, "jsonata", self)  # of each thread its own
        self.meter, self.depth = meter, 0
        Jsonata.CURRENT.jsonata = self  # the library reads from here whose function is called
        try:
            found = self.evaluate(None, bindings)
            meter.weigh(found)
            return found
        finally:
            self.meter, self.depth, Jsonata.CURRENT.jsonata = interrupted

    # ── what the library calls for every node ─────────────────────────────────────────────────────────────────────

    def get_per_thread_instance(self) -> "Evaluator":
        return self

    def eval(self, expr: Symbol, input: Json, environment: Frame) -> Json:
        meter = self.meter
        meter.steps += 1
        if meter.steps > meter.turn:
            meter.check()
        self.depth += 1
        if self.depth > DEPTH:
            raise too_deep()
        kind = expr.type
        evaluate = _NODES.get(kind)
        result = None if evaluate is None else evaluate(self, expr, input, environment)
        if expr.predicate is not None:
            for stage in expr.predicate:
                result = self.evaluate_filter(stage.expr, result, environment)
            meter.weigh(result)
        if expr.group is not None and kind != "path":
            result = self.evaluate_group_expression(expr.group, result, environment)
        self.depth -= 1
        return _settled(expr, result, meter) if isinstance(result, list) else result

    def create_frame_from_tuple(self, environment: Frame, tuple: Json) -> Frame:
        self.meter.spend(_TUPLE)
        return super().create_frame_from_tuple(environment, tuple)

    def apply(self, proc: Json, args: Json, input: Json, environment: Frame) -> Json:
        self.depth += 1
        if self.depth > DEPTH:
            raise too_deep()
        result = super().apply(proc, args, input, environment)
        self.depth -= 1
        if not isinstance(proc, Jsonata.JFunctionCallable):  # those weigh what they make
            self.meter.weigh(result)
        return result

    def apply_inner(self, proc: Json, args: Json, input: Json, environment: Frame) -> Json:
        """The library prints what is no function before it refuses it, and that may be a customer's value."""
        if not (Functions.is_lambda(proc) or utils.Utils.is_function(proc) or Functions.is_regex(proc)):
            raise jexception.JException("T1006", 0)
        return super().apply_inner(proc, args, input, environment)

    # ── nodes that make values ────────────────────────────────────────────────────────────────────────────────────

    def evaluate_path(self, expr: Symbol, input: Json, environment: Frame) -> Json:
        result = super().evaluate_path(expr, input, environment)
        if utils.Utils.is_sequence(result):  # any other value was there before
            self.meter.weigh(result)
        return result

    def evaluate_unary(self, expr: Symbol, input: Json, environment: Frame) -> Json:
        if expr.value != "[":
            return super().evaluate_unary(expr, input, environment)
        result = utils.Utils.JList()
        for item in expr.expressions:
            value = self.eval(item, input, environment)
            if isinstance(value, list) and item.value != "[":
                if len(value) > SIZE:
                    raise too_large()
                result.extend(value)
            elif value is not None:
                result.append(value)
        result.cons = bool(expr.consarray)
        self.meter.weigh(result)
        return result

    def evaluate_group_expression(self, expr: Symbol, input: Json, environment: Frame) -> Json:
        self._copying(input)
        self.meter.spend(_MEMBER * len(expr.lhs_object) * (len(input) if isinstance(input, list) else 1))
        result = super().evaluate_group_expression(expr, input, environment)
        self.meter.weigh(result)
        return result

    def evaluate_string_concat(self, lhs: Json, rhs: Json) -> Json:
        self.meter.weigh(lhs)
        self.meter.weigh(rhs)
        result = super().evaluate_string_concat(lhs, rhs)
        self.meter.weigh(result)
        return result

    def evaluate_transform_expression(self, expr: Symbol, _input: Json, environment: Frame) -> Json:
        return Jsonata.JFunction(_Transformer(self, expr, environment), "<(oa):o>")

    # ── nodes that read values to their ends ──────────────────────────────────────────────────────────────────────

    def evaluate_name(self, expr: Symbol, input: Json, environment: Frame) -> Json:
        if isinstance(input, list):
            self.meter.spend(1)
            self.meter.weigh(input)
        return super().evaluate_name(expr, input, environment)

    def evaluate_wildcard(self, expr: Symbol, input: Json) -> Json:
        self.meter.weigh(input)
        self._copying(input)
        return super().evaluate_wildcard(expr, input)

    def evaluate_descendants(self, expr: Symbol, input: Json) -> Json:
        self.meter.weigh(input)
        return super().evaluate_descendants(expr, input)

    def evaluate_equality_expression(self, lhs: Json, rhs: Json, op: str) -> Json:
        self.meter.weigh(lhs)
        self.meter.weigh(rhs)
        return super().evaluate_equality_expression(lhs, rhs, op)

    def evaluate_includes_expression(self, lhs: Json, rhs: Json) -> Json:
        self.meter.weigh(lhs)
        self.meter.weigh(rhs)
        return super().evaluate_includes_expression(lhs, rhs)

    def evaluate_condition(self, expr: Symbol, input: Json, environment: Frame) -> Json:
        if self._holds(self.eval(expr.condition, input, environment)):
            return self.eval(expr.then, input, environment)
        return None if expr._else is None else self.eval(expr._else, input, environment)  # noqa: SLF001  # so named

    def evaluate_boolean_expression(self, lhs: Json, evalrhs: Callable[[], Json], op: str) -> Json:
        left = self._holds(lhs)
        return left if left is (op == "or") else self._holds(evalrhs())

    def evaluate_filter(self, predicate: Symbol, input: Json, environment: Frame) -> Json:
        if predicate.type == "number" or input is None:
            return super().evaluate_filter(predicate, input, environment)
        items = input if isinstance(input, list) else [input]
        tuples = isinstance(input, utils.Utils.JList) and input.tuple_stream
        found = utils.Utils.create_sequence()
        found.tuple_stream = tuples
        for index, item in enumerate(items):
            context, frame = item, environment
            if tuples:
                context, frame = item["@"], self.create_frame_from_tuple(environment, item)
            found.extend([item] * self._kept(self.eval(predicate, context, frame), index, len(items)))
        return found

    def _kept(self, answer: Json, index: int, length: int) -> int:
        """How often the result holds an item. Numbers are places, counted from the end when they are negative."""
        self.meter.weigh(answer)
        if utils.Utils.is_numeric(answer):
            answer = [answer]
        if utils.Utils.is_array_of_numbers(answer):
            return sum(math.floor(place) in {index, index - length} for place in answer)
        return int(self._holds(answer))

    def _holds(self, value: Json) -> bool:
        self.meter.weigh(value)
        return bool(Functions.to_boolean(value))

    def _copying(self, value: Json) -> None:
        """Some nodes copy what they have so far for every member: that takes the square of their number."""
        if isinstance(value, list | dict):
            self.meter.spend(len(value) ** 2 // _COPYING)


class _Transformer(Jsonata.Transformer):  # type: ignore[misc]  # the library ships no types
    """``~> |…|…|``: it changes a copy of the value in place."""

    def call(self, input: Json, args: Json) -> Json:
        meter: Meter = self._jsonata.meter
        meter.weigh(args[0])
        result = super().call(input, args)
        meter.forget()
        meter.weigh(result)
        return result


def _settled(expr: Symbol, result: utils.Utils.JList, meter: Meter) -> Json:
    """The value of a list: a sequence of one is its only member, and an empty one is undefined."""
    # A list is handed on as it is, but for the steps of a path that have variables: they make an object of each member.
    meter.spend(len(result) // (_PASSED if expr.tuple is None else _BOUND))
    if not utils.Utils.is_sequence(result) or result.tuple_stream:
        return result
    if expr.keep_array:
        result.keep_singleton = True
    if not result:
        return None
    return result if len(result) > 1 or result.keep_singleton else result[0]


_FUNCTIONS: Final = Jsonata.Frame(None)
for _name, _function in BUILTINS.items():
    _FUNCTIONS.bind(_name, _function)

#: Kind of node -> what evaluates it.
_NODES: Final[dict[str, Callable[[Evaluator, Symbol, Json, Frame], Json]]] = {
    "path": Evaluator.evaluate_path,
    "binary": Evaluator.evaluate_binary,
    "unary": Evaluator.evaluate_unary,
    "name": Evaluator.evaluate_name,
    "string": lambda evaluator, expr, _input, _frame: evaluator.evaluate_literal(expr),
    "number": lambda evaluator, expr, _input, _frame: evaluator.evaluate_literal(expr),
    "value": lambda evaluator, expr, _input, _frame: evaluator.evaluate_literal(expr),
    "wildcard": lambda evaluator, expr, given, _frame: evaluator.evaluate_wildcard(expr, given),
    "descendant": lambda evaluator, expr, given, _frame: evaluator.evaluate_descendants(expr, given),
    "parent": lambda _evaluator, expr, _input, frame: frame.lookup(expr.slot.label),
    "condition": Evaluator.evaluate_condition,
    "block": Evaluator.evaluate_block,
    "bind": Evaluator.evaluate_bind_expression,
    "regex": lambda _evaluator, expr, _input, _frame: expr.value,
    "function": lambda evaluator, expr, given, frame: evaluator.evaluate_function(expr, given, frame, utils.Utils.NONE),
    "variable": Evaluator.evaluate_variable,
    "lambda": Evaluator.evaluate_lambda,
    "partial": Evaluator.evaluate_partial_application,
    "apply": Evaluator.evaluate_apply_expression,
    "transform": Evaluator.evaluate_transform_expression,
}


def _engine(spend: Callable[[int], None]) -> Callable[[str, RegexFlags], Pattern]:
    """What compiles the regular expressions of a JSONata expression."""

    def compile_pattern(pattern: str, flags: RegexFlags) -> Pattern:
        program = compile_linear(pattern, ignore_case=flags.case_insensitive, lines=flags.multiline)
        return Pattern(pattern, program, spend)

    return compile_pattern
