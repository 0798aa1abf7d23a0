"""A real provider: oidc-provider, certified by the OpenID Foundation, as a process of its own on loopback.

`make test-heavy` installs it where there is node; without it these tests say so and are skipped.
"""

import base64
import hashlib
import json
import re
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import jwt
import pytest

from tests.support.issuer import rsa_key

HERE = Path(__file__).parent / "provider"
#: Where `make` installs it: in the virtualenv of the Python that runs.
MODULES = Path(sys.prefix) / "oidc/node_modules"
RETURN = "/console/sign-in/return"


class Provider:
    """The provider, with the keys of these numbers; the first signs."""

    def __init__(self, port: int, *numbers: int) -> None:
        self.port = port
        # Another site than the console's 127.0.0.1, as providers are: cookies have to survive the way back.
        self.url = f"http://localhost:{port}"
        self._start(numbers)

    @classmethod
    def on_a_free_port(cls) -> Self:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port: int = probe.getsockname()[1]
        return cls(port, 0)

    def settings(self) -> dict[str, str]:
        return {"OIDC_ISSUER": self.url, "OIDC_AUDIENCE": "expediter"}

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()

    def restart(self, *numbers: int) -> None:
        """With these keys, at the same address; whoever was signed in has to sign in again."""
        self.kill()
        self._start(numbers)

    def _start(self, numbers: tuple[int, ...]) -> None:
        keys = {"keys": [_private(number) for number in numbers or (0,)]}
        script = MODULES.parent / "provider.mjs"
        shutil.copy(HERE / "provider.mjs", script)
        command = ["node", str(script), str(self.port), json.dumps(keys)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self._process.stdout
        while "listening" not in (line := self._process.stdout.readline()):
            assert line, "the provider did not start"

    # ── what a customer's application does ────────────────────────────────────────────────────────────────────────

    async def token(self, user: str, kind: str = "access_token") -> str:
        """A token of this user, by the authorization code flow with PKCE."""
        verifier = secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        back = f"http://127.0.0.1:1{RETURN}"
        asked = {
            "client_id": "expediter",
            "response_type": "code",
            "redirect_uri": back,
            "scope": "openid profile",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        async with httpx.AsyncClient(base_url=self.url) as browser:
            came_back = await self.sign_in(browser, f"/auth?{urlencode(asked)}", user)
            form = {
                "grant_type": "authorization_code",
                "code": parse_qs(urlsplit(came_back).query)["code"][0],
                "redirect_uri": back,
                "client_id": "expediter",
                "code_verifier": verifier,
            }
            given: dict[str, str] = (await browser.post("/token", data=form)).raise_for_status().json()
        return given[kind]

    async def program(self, scope: str) -> str:
        """A token of the program ``till``, by its client's credentials."""
        async with httpx.AsyncClient(auth=("till", "a-secret-of-the-tests")) as client:
            form = {"grant_type": "client_credentials", "scope": scope}
            answer = await client.post(f"{self.url}/token", data=form)
        token: str = answer.raise_for_status().json()["access_token"]
        return token

    async def sign_in(self, browser: httpx.AsyncClient, address: str, user: str) -> str:
        """Signs the user in and agrees to everything; where the provider sends the browser back to."""
        answer = await browser.get(address)
        for _ in range(12):
            if answer.is_redirect:
                address = answer.headers["Location"]
                if RETURN in address:
                    return address
                answer = await browser.get(address)
                continue
            action = re.findall(r'<form[^>]*action="([^"]+)"', answer.text)[0]
            prompt = re.findall(r'name="prompt" value="(\w+)"', answer.text)[0]
            answer = await browser.post(action, data={"prompt": prompt, "login": user, "password": "any"})
        raise AssertionError(answer.text)


@pytest.fixture
def provider() -> Iterator[Provider]:
    if shutil.which("node") is None or not MODULES.is_dir():
        pytest.skip("oidc-provider is not installed: make test-heavy installs it where node and npm are")
    running = Provider.on_a_free_port()
    try:
        yield running
    finally:
        running.kill()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def _private(number: int) -> dict[str, Any]:
    """The key of this number as a private JSON Web Key."""
    key: dict[str, Any] = jwt.algorithms.RSAAlgorithm.to_jwk(rsa_key(number), as_dict=True)
    return {**key, "kid": f"key-{number}", "use": "sig", "alg": "RS256"}
