"""What became of the forms that were sent.

A form has a token of its own, made with its page. Sent a second time as it is (a double click, a page that is sent
again), it does nothing more and is answered as the first time, also while the first is still under way. With other
content it is another act. Answers are kept in memory: a form of an earlier process has no session any more.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from functools import partial

from expediter.api.request import Response

#: Forms whose answers are remembered; those that were sent first are forgotten when there are more.
MOST_FORMS = 1_000


class SentForms:
    def __init__(self) -> None:
        self._answers: OrderedDict[bytes, asyncio.Task[Response]] = OrderedDict()

    async def once(self, path: str, body: bytes, act: Callable[[], Coroutine[None, None, Response]]) -> Response:
        """The answer to the form ``body`` (its token is in it) sent to ``path``; acts unless it was answered before.

        Raises what the act raises; a form whose act failed may be sent again.
        """
        form = hashlib.sha256(path.encode() + b"\n" + body).digest()
        if form not in self._answers:
            # A task of its own: it goes on when the browser that sent the form first is gone.
            self._answers[form] = task = asyncio.create_task(act())
            task.add_done_callback(partial(self._acted, form))
        return await asyncio.shield(self._answers[form])

    def _acted(self, form: bytes, task: asyncio.Task[Response]) -> None:
        if task.cancelled() or task.exception() is not None:
            self._answers.pop(form, None)
        while len(self._answers) > MOST_FORMS:
            self._answers.popitem(last=False)
