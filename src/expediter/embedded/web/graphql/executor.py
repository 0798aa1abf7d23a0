"""Executes GraphQL documents with the resolvers of the API. Checked documents are cached by their text.

Each field of a mutation is a unit of work, committed before the next one begins. So a field that fails undoes no other.
A field that fails, or whose value cannot be represented, is null, and an error stands beside the data.
"""

import logging
import re
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import msgspec
from graphql import (
    ASTValidationRule,
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLSyntaxError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
    OverlappingFieldsCanBeMergedRule,
    build_schema,
    execute,
    get_operation_ast,
    parse,
    specified_rules,
    subscribe,
    validate,
)

from expediter import contracts
from expediter.api.access import NEEDS, Need, require, require_to_see
from expediter.api.errors import DocumentInvalid, DocumentTooComplex, InternalError, RequestUnparsable, ValueOutOfRange
from expediter.api.graphql import RESOLVERS, Resolver, order_json
from expediter.api.repeats import ONCE, asked_in
from expediter.app import orders
from expediter.app.operator.audit import OPERATIONS as AUDIT
from expediter.app.operator.audit import record_operation
from expediter.app.operator.repeats import once
from expediter.app.operator.services import OperatorServices
from expediter.app.ports import Caller, Work
from expediter.asl.protocol import Json
from expediter.domain.errors import OrderError, OrderInvalid, TooBusy
from expediter.domain.order import Order
from expediter.embedded.setting_values import LOOPBACK
from expediter.embedded.time_slices import RoundRobin, pause
from expediter.embedded.web.backend import Backend
from expediter.embedded.web.feed import UntilEnded
from expediter.embedded.web.graphql import limits
from expediter.embedded.web.graphql.merging import FieldsMerge
from expediter.embedded.web.graphql.selection import selected

_log = logging.getLogger(__name__)

#: Directives and scalars that AppSync declares itself.
PRELUDE = """
directive @aws_subscribe(mutations: [String!]!) on FIELD_DEFINITION
directive @aws_auth(cognito_groups: [String!]!) on FIELD_DEFINITION
directive @aws_api_key on FIELD_DEFINITION | OBJECT
directive @aws_iam on FIELD_DEFINITION | OBJECT
directive @aws_lambda on FIELD_DEFINITION | OBJECT
directive @aws_oidc on FIELD_DEFINITION | OBJECT
directive @aws_cognito_user_pools(cognito_groups: [String!]) on FIELD_DEFINITION | OBJECT
scalar AWSDate
scalar AWSTime
scalar AWSDateTime
scalar AWSTimestamp
scalar AWSEmail
scalar AWSJSON
scalar AWSPhone
scalar AWSURL
scalar AWSIPAddress
"""

MOST_TOKENS = 2000
#: Documents in the cache, and the characters of each at most: a document of 2,000 tokens takes 700 KB.
KEPT_DOCUMENTS, KEPT_LENGTH = 64, 4_000
#: Subscriptions at the same time on all websockets.
MOST_SUBSCRIPTIONS = 10_000
#: The times that AppSync's AWSDateTime can represent: a year has four digits.
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_NOTHING = DocumentNode(definitions=())
#: Errors found in one document at most.
MOST_ERRORS = 10

Formatted: TypeAlias = dict[str, Json]
Info: TypeAlias = GraphQLResolveInfo[Caller]


class GraphqlRequest(msgspec.Struct, frozen=True, rename="camel"):
    """What a client sends (https://graphql.github.io/graphql-over-http/draft/#sec-Request-Parameters)."""

    query: str
    operation_name: str | None = None
    variables: dict[str, Any] | None = None
    extensions: dict[str, Any] | None = None


class Prepared(NamedTuple):
    """A document ready to be executed, or the errors that forbid it."""

    document: DocumentNode
    errors: tuple[GraphQLError, ...] = ()

    def operation(self, name: str | None) -> OperationType | None:
        """The type of this operation. None when the document is wrong or the name does not select one operation."""
        found = get_operation_ast(self.document, name)
        return found.operation if isinstance(found, OperationDefinitionNode) else None

    def is_single(self, name: str | None) -> bool:
        """Whether this operation has one field only. Then the result of the field is that of the operation."""
        found = get_operation_ast(self.document, name)
        if not isinstance(found, OperationDefinitionNode):
            return False
        fields = found.selection_set.selections
        return len(fields) == 1 and isinstance(fields[0], FieldNode)


class _Pause(ASTValidationRule):
    """Validation yields to the loop too: the rules look at each node of the document."""

    def enter(self, *_: object) -> None:
        pause()


class Graphql:
    """The schema bound to one home."""

    def __init__(self, home: Backend) -> None:
        self._schema = bound_schema(home)
        rules = [FieldsMerge if rule is OverlappingFieldsCanBeMergedRule else rule for rule in specified_rules]
        if home.settings.host not in LOOPBACK:
            rules.append(NoSchemaIntrospectionCustomRule)
        self._rules = [*rules, _Pause]
        self._kept: OrderedDict[str, Prepared] = OrderedDict()
        self._round_robin = RoundRobin()

    async def prepare(self, text: str) -> Prepared:
        """The document in this text, which was asked for lately or is checked now."""
        if text in self._kept:
            self._kept.move_to_end(text)
            return self._kept[text]
        prepared = await self._round_robin.run(partial(self._prepare, text))
        if len(text) <= KEPT_LENGTH:
            self._kept[text] = prepared
            if len(self._kept) > KEPT_DOCUMENTS:
                self._kept.popitem(last=False)
        return prepared

    async def execute(self, prepared: Prepared, request: GraphqlRequest, caller: Caller) -> Formatted:
        """The answer to a query or a mutation."""
        if prepared.errors:
            return {"errors": [formatted_error(error) for error in prepared.errors]}
        operation, variables, name = (
            prepared.operation(request.operation_name),
            request.variables,
            request.operation_name,
        )
        if operation is OperationType.SUBSCRIPTION:
            return refusal(DocumentInvalid("A subscription needs a websocket (graphql-transport-ws)."))
        code = partial(execute, self._schema, prepared.document, None, caller, variables, name, field_resolver=_found)
        result = await self._round_robin.run(code) if operation is OperationType.QUERY else code()
        return formatted(result if isinstance(result, ExecutionResult) else await result)

    async def subscribe(
        self, prepared: Prepared, request: GraphqlRequest, caller: Caller
    ) -> AsyncIterator[ExecutionResult] | Formatted:
        """The answers to a subscription, or the errors that forbid it."""
        if prepared.errors:
            return {"errors": [formatted_error(error) for error in prepared.errors]}
        result = subscribe(self._schema, prepared.document, None, caller, request.variables, request.operation_name)
        stream = result if isinstance(result, ExecutionResult | AsyncIterator) else await result
        if isinstance(stream, ExecutionResult):
            return {"errors": [formatted_error(error) for error in stream.errors or ()]}
        return stream

    def _prepare(self, text: str) -> Prepared:
        try:
            document = parse(text, max_tokens=MOST_TOKENS)
            limits.check(document)
            errors = validate(self._schema, document, self._rules, MOST_ERRORS, allow_empty_selection_sets=False)
            return Prepared(document, tuple(errors))
        except GraphQLSyntaxError as error:
            fault = RequestUnparsable(f"The document is not GraphQL: {error.message}")
            return Prepared(_NOTHING, (GraphQLError("", None, error.source, error.positions, original_error=fault),))
        except RecursionError:
            return Prepared(_NOTHING, (_refused(DocumentTooComplex("The document is nested too deeply.")),))
        except (DocumentTooComplex, DocumentInvalid) as error:
            return Prepared(_NOTHING, (_refused(error),))


# ── the schema with its resolvers ─────────────────────────────────────────────────────────────────────────────────


def bound_schema(home: Backend) -> GraphQLSchema:
    """schema.graphql with RESOLVERS for its root fields. The context is the Caller."""
    schema = build_schema(PRELUDE + contracts.read("schema.graphql").decode())
    date_time = schema.type_map["AWSDateTime"]
    if isinstance(date_time, GraphQLScalarType):
        date_time.serialize = _date_time  # type: ignore[method-assign]  # graphql-core's own way to set it
    id_ = schema.type_map["ID"]
    if isinstance(id_, GraphQLScalarType):
        id_.coerce_input_value = _id
    for name, resolver in RESOLVERS.items():
        kind, _, field_name = name.partition(".")
        need = NEEDS[name]
        root = schema.get_root_type(OperationType(kind.lower()))
        if root is None:
            raise LookupError(f"schema.graphql has no {kind}")
        field = root.fields[field_name]
        if kind == "Subscription":
            field.subscribe, field.resolve = _following(home, resolver, need), _shown
        else:
            field.resolve = _writing(home, resolver, name) if kind == "Mutation" else _reading(home, resolver, need)
    return schema


def _reading(home: Backend, resolver: Resolver, need: Need) -> Callable[..., Json]:
    def resolve(_: object, info: Info, **args: Json) -> Json:
        require(info.context.scopes, need)
        return home.read(lambda work: resolver(work, info.context, args, ""))

    return resolve


def _writing(home: Backend, resolver: Resolver, name: str) -> Callable[..., Json]:
    async def resolve(_: object, info: Info, **args: Json) -> Json:
        require(info.context.scopes, NEEDS[name])
        require_to_see(info.context.scopes, selected(info))
        fresh = home.new_id()

        def handle(work: Work) -> Json:
            return resolver(work, info.context, args, fresh)

        def audited(services: OperatorServices) -> Json:
            result = handle(services.work)
            record_operation(services, info.context, name, args.get("id") or args["input"]["id"])
            return result

        def audited_once(services: OperatorServices) -> Json:
            asked = asked_in(info.context, name, args)
            answer = once(services, asked.key, asked.hash, lambda: msgspec.json.encode(audited(services)))
            return msgspec.json.decode(answer.body)

        if name in ONCE:
            return await home.write_as_operator(audited_once, name)
        return await (home.write_as_operator(audited, name) if name in AUDIT else home.write(handle, name))

    return resolve


def _following(home: Backend, resolver: Resolver, need: Need) -> Callable[..., AsyncIterator[Order]]:
    def resolve(_: object, info: Info, **args: Json) -> AsyncIterator[Order]:
        require(info.context.scopes, need)
        if home.feed.listeners >= MOST_SUBSCRIPTIONS:
            raise TooBusy

        def look(work: Work) -> Order:
            resolver(work, info.context, args, "")  # may this caller follow it?
            return orders.find(work, info.context, args["id"])

        now = home.read(look)  # no change is published between this line and the next: nothing else runs on the loop
        return UntilEnded(home.feed.subscribe(now.id), now)

    return resolve


def _found(source: dict[str, Json], info: Info) -> Json:
    """A field of a resolver's result. A page of a hundred large orders has tens of thousands, so each may pause."""
    pause()
    return source[info.field_name]


def _date_time(value: str) -> str:
    """The value as an AWSDateTime. Raises GraphQLError when its year has not four digits."""
    if not _DATE_TIME.fullmatch(value):
        raise GraphQLError(f"AWSDateTime cannot represent {value}")
    return value


def _id(value: object) -> str:
    """An ID from a variable: a text, or an integer, which stands for its digits. Raises GraphQLError for anything else.

    A float is none: 9007199254740993.0 is read as ...992.0, so two ids would be one.
    """
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value)
    raise GraphQLError("ID takes a text or an integer")


def _shown(order: Order, _: Info, **__: Json) -> Json:
    return order_json(order)


# ── answers ───────────────────────────────────────────────────────────────────────────────────────────────────────


def formatted(result: ExecutionResult) -> Formatted:
    """The response as JSON (https://spec.graphql.org/September2025/#sec-Response-Format)."""
    answer: Formatted = {}
    if result.errors:
        answer["errors"] = [formatted_error(error) for error in result.errors]
    if result.data is not None or not result.errors or any(error.path for error in result.errors):
        answer["data"] = result.data
    return answer


def formatted_error(error: GraphQLError) -> Formatted:
    """One error. Its name is ``extensions.code`` and, as in AppSync, ``errorType``; faults: ``extensions.errors``."""
    cause = _cause(error)
    faults = {"errors": cause.faults} if isinstance(cause, OrderInvalid) else {}
    extensions = {"code": cause.name, **faults}
    return {**error.formatted, "message": str(cause), "errorType": cause.name, "extensions": extensions}


def refusal(error: OrderError) -> Formatted:
    """The answer to a request that is refused."""
    return {"errors": [formatted_error(_refused(error))]}


def _cause(error: GraphQLError) -> OrderError:
    first: GraphQLError = error
    original = error.original_error
    while isinstance(original, GraphQLError):
        first, original = original, original.original_error
    if isinstance(original, OrderError):
        return original
    if original is None:
        # An error with a path but without nodes comes from the type of a value.
        return DocumentInvalid(error.message) if first.nodes or not error.path else ValueOutOfRange()
    _log.error("a resolver failed", exc_info=original)
    return InternalError()


def _refused(error: OrderError) -> GraphQLError:
    return GraphQLError(str(error), original_error=error)
