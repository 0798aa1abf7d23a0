"""Remembers the answers to forms, so that a form that is sent twice acts once.

Each form has a token of its own. The same form with the same content can come again (a double click, a page that is
sent again). Then it does nothing and gets the first answer, also while the first is still under way. With other content
it is another act. Answers are kept in memory: forms of an earlier process have no session any more.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from functools import partial

from expediter.api.request import Response

#: Answers that are remembered at most. The oldest are forgotten first.
MOST_FORMS = 1_000


class SentForms:
    def __init__(self) -> None:
        self._answers: OrderedDict[bytes, asyncio.Task[Response]] = OrderedDict()

    async def once(self, path: str, body: bytes, act: Callable[[], Coroutine[None, None, Response]]) -> Response:
        """The answer to the form ``body`` (its token is in it) that was sent to ``path``. Acts unless the form was
        answered before.

        Raises what the act raises. A form whose act failed may be sent again.
        """
        form = hashlib.sha256(path.encode() + b"\n" + body).digest()
        if form not in self._answers:
            # A task of its own: it goes on when the browser that sent the form first has gone away.
            self._answers[form] = task = asyncio.create_task(act())
            task.add_done_callback(partial(self._acted, form))
        return await asyncio.shield(self._answers[form])

    def _acted(self, form: bytes, task: asyncio.Task[Response]) -> None:
        if task.cancelled() or task.exception() is not None:
            self._answers.pop(form, None)
        while len(self._answers) > MOST_FORMS:
            self._answers.popitem(last=False)
