"""Both homes, up once each, with one bank and one restaurant between them. Needs the AWS lock: `make test-aws`."""

import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.issuer import issuing
from tests.support.town import Town as Outside
from tests.support.town import standing as outside_standing

HERE = Path(__file__).parent
READY = bool(find_spec("aws_cdk") and find_spec("moto"))

collect_ignore_glob = [] if READY else ["*"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.heavy)


@pytest.fixture(scope="session")
def outside() -> Iterator[Outside]:
    with outside_standing() as found:
        yield found


if READY:
    from tests.aws.local.town import Town, standing
    from tests.infra.made import Made
    from tests.journeys.parity.aws_house import AwsHouse
    from tests.journeys.parity.embedded_house import EmbeddedHouse, embedded_house
    from tests.journeys.parity.houses import HOLD, House

    # Not for the whole session: it is a dozen processes.
    @pytest.fixture(scope="module")
    def aws(outside: Outside, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
        made, folder = Made(tmp_path_factory), tmp_path_factory.mktemp("town")
        providers = {"Payments": outside.settings["PAYMENTS"], "Restaurant": outside.settings["RESTAURANT"]}
        given = {"Email": "operators@example.com", "HoldSeconds": HOLD}
        with standing(made.read(), made.code(), folder, **given, **providers) as town:
            yield town

    @pytest.fixture(scope="module")
    def embedded(outside: Outside, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedHouse]:
        providers = {name: str(url) for name, url in outside.settings.items()}
        data = tmp_path_factory.mktemp("data")
        with issuing(time.time()) as issuer, embedded_house(data, providers, issuer) as found:
            yield found

    @pytest.fixture(params=["embedded", "aws"])
    def house(request: pytest.FixtureRequest) -> House:
        """Each journey runs in both homes, and asserts the same of both."""
        found = request.getfixturevalue(request.param)
        return AwsHouse(found) if isinstance(found, Town) else found
