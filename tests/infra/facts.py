"""What is asked of the template. Each fact is a function of the template as JSON that raises AssertionError when it
does not hold. They are run on the real template, and on every mutant of it."""

from collections.abc import Callable

from tests.infra.facts_api import APIS
from tests.infra.facts_release import RELEASE
from tests.infra.facts_rights import RIGHTS
from tests.infra.facts_system import CONTRACTS, SYSTEM
from tests.infra.facts_users import USERS
from tests.infra.facts_watch import WATCH
from tests.infra.reading import Template

#: The ones that take longest come last: a mutant is dropped by the first that notices it.
FACTS: tuple[Callable[[Template], None], ...] = (*SYSTEM, *APIS, *WATCH, *USERS, *RELEASE, *RIGHTS, *CONTRACTS)
