"""The table of limits in docs/reference/limits.md: each value comes from the code that holds it."""

from expediter.app.intake import BATCH as MESSAGES
from expediter.app.operator import keys
from expediter.domain.money import LARGEST_TOTAL
from expediter.domain.order import LARGEST_QUANTITY
from expediter.embedded.engine import dispatcher
from expediter.embedded.engine.http_client import Limits
from expediter.embedded.mail import outbox
from expediter.embedded.sqlite import units
from expediter.embedded.stores import queue
from expediter.embedded.web import app as web_app
from expediter.embedded.web import connections, descriptors, feed, shares
from expediter.embedded.web.access import authenticator, code_flow, issuer, tokens
from expediter.embedded.web.console import handlers, session
from expediter.embedded.web.graphql import executor as documents
from expediter.embedded.web.graphql import limits as graphql_limits
from expediter.embedded.web.graphql import websocket
from expediter.embedded.web.http1 import connection, request_head

KIB, MIB = 1024, 1024 * 1024

#: What is bounded, its value, and what happens beyond it.
LIMITS: tuple[tuple[str, str, str], ...] = (
    ("body of a request", f"{request_head.LARGEST_BODY // KIB} KiB", "413 `BodyTooLarge`"),
    (
        "headers of a request",
        f"{request_head.LARGEST_HEADERS // KIB} KiB, {request_head.MOST_HEADERS} of them",
        "431 `HeadersTooLarge`",
    ),
    ("address of a request", f"{request_head.LONGEST_ADDRESS // KIB} KiB", "414 `AddressTooLong`"),
    ("total of an order", f"{LARGEST_TOTAL:,} minor units", "422"),
    ("quantities of an order, added up", f"{LARGEST_QUANTITY:,}", "422"),
    (
        "time for a whole request, and between two on one connection",
        f"{connections.PATIENCE:g} s",
        "408 `RequestTooSlow` if one had begun; the connection is closed",
    ),
    (
        "time for the handshake of a websocket",
        f"{connections.PATIENCE:g} s",
        "the connection is cut off; a handshake that cannot succeed is refused at once",
    ),
    (
        "what is read after a refusal",
        f"{connection.DISCARDED // MIB} MiB, {connections.PATIENCE:g} s",
        "it is dropped; beyond that the connection is cut off",
    ),
    (
        "time for the `connection_init` of a websocket after its handshake",
        f"{websocket.PATIENCE} s",
        "the websocket is closed (4408); when connections run out, earlier",
    ),
    ("time in which something of an answer is read", f"{connections.PATIENCE:g} s", "the connection is cut off"),
    ("requests sent ahead on one connection", "one is read at a time", "the others wait unread"),
    (
        "bytes of requests that are not yet whole",
        f"{connections.HELD // MIB} MiB",
        "the one longest at it is closed",
    ),
    (
        "connections",
        f"{descriptors.WANTED - descriptors.OWN:,}, or as many as the system's limit of open files leaves",
        "the one that is idle longest is closed, first of a caller with more than a fair share; if none is idle, 503",
    ),
    (
        "answers of 429 to one address",
        f"{shares.REFUSALS} at once, then {shares.REFUSALS_EACH_SECOND:g} a second",
        f"they come later, by {shares.LONGEST_REFUSAL:g} s at most; nothing is read on those connections meanwhile",
    ),
    (
        "answers to probes of one address",
        f"{shares.PROBES} at once, then {shares.PROBES_EACH_SECOND:,g} a second",
        f"they come later, by {shares.LONGEST_PROBE:g} s at most",
    ),
    ("websockets", f"{web_app.MOST_SOCKETS:,}", "503"),
    (
        "websockets that have not shown a token",
        f"{shares.STRANGERS} of one address, {shares.ALL_STRANGERS} in all",
        "429 `TooManyRequests`",
    ),
    (
        "websockets with a token",
        (
            f"{shares.SOCKETS_OF_USER} of one user, {shares.SOCKETS_OF_USERS} of all users; "
            f"{shares.SOCKETS_OF_PROGRAM} of one program or operator, and of the plain token"
        ),
        "429 `TooManyRequests`; where the token comes after the handshake, the websocket is closed (4429)",
    ),
    (
        "websockets of one address where no token is needed",
        f"{shares.SOCKETS_OF_ADDRESS}",
        "429 `TooManyRequests`",
    ),
    ("live pages", f"{handlers.MOST_STREAMS:,}", "503"),
    (
        "live pages of one session of the console; of one operator, or of one address where no token is needed",
        f"{shares.OF_SESSION}; {shares.OF_OPERATOR}",
        "429 `TooManyRequests`",
    ),
    (
        "live pages of customers",
        f"{shares.OF_LINK} of one order, {shares.OF_ADDRESS} of one address, {shares.OF_LINKS} in all",
        "429 `TooManyRequests`",
    ),
    (
        "requests of one address without a right token or session, customers' pages and websockets among them",
        f"{shares.BURST} at once, then {shares.EACH_SECOND:g} a second",
        "429 `TooManyRequests`",
    ),
    (
        "requests of one user who has signed in",
        (
            f"{shares.OF_USER} at once, then {shares.OF_USER_EACH_SECOND:g} a second; none while "
            f"{shares.RESERVED * units.QUEUE_LIMIT:,.0f} requests wait to be written"
        ),
        "429 `TooManyRequests`, 503 `TooBusy`",
    ),
    (
        "requests of one key or operator who has signed in, at the console too",
        f"{shares.OF_PROGRAM:,} at once, then {shares.OF_PROGRAM_EACH_SECOND:,g} a second",
        "429 `TooManyRequests`",
    ),
    (
        "requests with the plain token; of one address where no token is needed",
        (
            f"as one key, and what others leave: nothing while they asked in the last {shares.PRESENT:g} s and "
            "requests have to wait"
        ),
        "429 `TooManyRequests`",
    ),
    (
        "requests of one address to `/tasks` and `/webhooks`",
        f"{shares.OF_PROGRAM:,} at once, then {shares.OF_PROGRAM_EACH_SECOND:,g} a second",
        "429 `TooManyRequests`",
    ),
    (
        "requests of a caller that has used up half of what it may send at once",
        (
            f"none while {shares.CROWDED * units.QUEUE_LIMIT:,.0f} requests wait to be written and others asked in the "
            f"last {shares.PRESENT:g} s, or while {shares.RESERVED * units.QUEUE_LIMIT:,.0f} wait"
        ),
        "429 `TooManyRequests`",
    ),
    (
        "files of the console, to one address",
        f"{shares.OF_PROGRAM:,} at once, then {shares.OF_PROGRAM_EACH_SECOND:,g} a second",
        "429 `TooManyRequests`",
    ),
    (
        "requests of one address that are read in one turn of the loop",
        f"{connections.IN_A_TURN}, one that is refused with 429 counts as {connections.REFUSED}",
        "they wait for the next turn; other addresses have their own",
    ),
    (
        "sign-ins of one address that fail",
        f"{shares.FREE}, then one after {shares.FIRST_WAIT} s, 2 s, 4 s … {shares.LONGEST_WAIT} s",
        "429 `TooManyRequests`",
    ),
    (
        "wrong tokens that are written into the audit",
        f"{shares.NOTED_OF_ADDRESS} of one address, {shares.NOTED} in all; then one in 60 s, and in 10 s",
        "they are counted in `/metrics`",
    ),
    ("keys of programs in force", f"{keys.MOST_KEYS:,}", "422"),
    ("a token of the issuer", f"{tokens.LONGEST:,} characters", "401"),
    ("checked tokens that are kept", f"{authenticator.KEPT:,}", "the one shown longest ago is checked anew"),
    (
        "keys of the issuer, and looks for unknown ones",
        f"{issuer.MOST_KEYS}; {issuer.ASKED} at once, then one every {1 / issuer.ASKED_EACH_SECOND:g} s",
        "others are not taken; 401, or 503 while the issuer is away",
    ),
    (
        "sign-ins at the issuer under way",
        (
            f"{code_flow.MOST_OF_ADDRESS} of one address, {code_flow.MOST:,} in all; "
            f"{code_flow.LONGEST // 60_000} min each"
        ),
        "the oldest one, of that address first, has to begin again",
    ),
    ("a session at the console", f"{session.LASTS // 3600} h", "the operator signs in again"),
    (
        "subscriptions",
        (
            f"{websocket.MOST_OPERATIONS} a websocket, {shares.FOLLOWED_BY_USER} of one user, "
            f"{shares.FOLLOWED_BY_PROGRAM:,} of one program, operator or address, "
            f"{documents.MOST_SUBSCRIPTIONS:,} in all"
        ),
        "an error for that subscription",
    ),
    ("changed orders that wait for one listener", f"{feed.WAITING:,}", "states in between are left out"),
    (
        "a GraphQL document",
        f"{documents.MOST_TOKENS:,} tokens, cost {graphql_limits.COSTLIEST:,}, depth {graphql_limits.DEEPEST}",
        "`RequestUnparsable` or `DocumentTooComplex`",
    ),
    (
        "what is below one field of a mutation or subscription",
        f"cost {graphql_limits.COSTLIEST_AT_ONCE:,}",
        "`DocumentTooComplex`",
    ),
    ("requests that wait to be written", f"{units.QUEUE_LIMIT:,}", "503 `TooBusy`"),
    (
        "time that a request waits to be written while others push",
        f"{units.WAIT_LIMIT:g} s",
        "503 `TooBusy`",
    ),
    ("lateness of the event loop", f"{web_app.TOO_LATE:g} s", "503 for everything but probes and metrics"),
    (
        "places in a commit",
        f"{units.BATCH_LIMIT} for requests, as many for work; {units.LARGE_BATCH_LIMIT} each under load",
        "the next commit",
    ),
    ("messages processed at the same time", f"{dispatcher.INTAKES} batches of {MESSAGES}", "they wait in the file"),
    ("messages on the queue", "the disk", "503 `StoreUnavailable` when it is full"),
    ("receives of a message that fails", str(queue.MAX_RECEIVES), "the dead-letter queue"),
    ("timers that fire at the same time", str(dispatcher.TIMERS), "the next ones follow as these are written"),
    (
        "calls through one gateway, under way or waiting",
        f"{Limits().connections} and {dispatcher.CALLS:,}",
        f"messages wait in the file; from {dispatcher.TOO_MANY_CALLS:,} on timers wait too",
    ),
    ("mails under way", str(outbox.AT_ONCE), "they wait in the file"),
)
