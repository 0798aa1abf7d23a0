"""Each caller's idempotency keys are his own, whatever callers are called."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from expediter.api.access import TokenClaims, caller_of
from expediter.app.idempotency import own_id, uuid_of
from expediter.app.operator.keys import caller_by
from expediter.app.operator.services import ApiKey
from expediter.app.ports import Caller

NAMES = st.sampled_from(["a", "b", "a b", "key a", "client a", "user a", "a (exp_00000000)", "None", "operator"])
KEYS = st.uuids().map(str)


def program(name: str, key_id: str = "exp_00000000") -> Caller:
    return caller_by(ApiKey(id=key_id, name=name, hash="", scopes=frozenset(), made_at=0))


PEOPLE = NAMES.map(lambda name: caller_of(TokenClaims(name)))
OPERATORS = NAMES.map(lambda name: caller_of(TokenClaims(name, groups=("operators-support",), name="Olga")))
CLIENTS = NAMES.map(lambda name: caller_of(TokenClaims(name, name)))
CALLERS = st.one_of(PEOPLE, OPERATORS, CLIENTS, NAMES.map(program), st.just(Caller()))


def who(caller: Caller) -> tuple[str | None, str]:
    return caller.user_id, caller.program


@given(CALLERS, CALLERS, KEYS, KEYS)
def test_two_keys_name_one_order_only_when_they_are_one_caller_s_and_the_same(
    one: Caller, other: Caller, key: str, another: str
) -> None:
    assert (own_id(one, key) == own_id(other, key)) == (who(one) == who(other))
    assert (own_id(one, key) == own_id(other, another)) == (who(one) == who(other) and key == another)
    assert str(uuid.UUID(own_id(one, key))) == own_id(one, key)


def test_a_program_keeps_its_keys_when_it_is_given_another_secret_and_a_person_when_his_role_changes() -> None:
    key = str(uuid.uuid4())
    assert own_id(program("shop"), key) == own_id(program("shop", "exp_11111111"), key)
    assert own_id(caller_of(TokenClaims("olga")), key) == own_id(
        caller_of(TokenClaims("olga", groups=("operators",))), key
    )


def test_the_ids_that_are_made_of_keys_never_change() -> None:
    """They are in the files and tables of those who use it."""
    key = "7c0f1a52-6a4e-4bb6-9d0b-3f7e1a2b4c5d"
    assert own_id(caller_of(TokenClaims("ann")), key) == "deff1ca2-63d3-5e42-ba22-cd9d952f5176"
    assert own_id(program("shop"), key) == "53d9002f-0217-54d0-80d6-2d895d12cdfa"
    assert own_id(caller_of(TokenClaims("shop", "shop")), key) == "c86ff760-3a80-5728-9cb3-f26ce691758f"
    assert own_id(Caller(), key) == key


def test_a_uuid_stands_for_itself_and_any_other_text_for_one_uuid_that_never_changes() -> None:
    key = "7C0F1A52-6a4e-4bb6-9d0b-3f7e1a2b4c5d"
    assert uuid_of(key) == key.lower()
    assert uuid_of("my-cart-42") == "fc0e81b1-6daa-5dd6-b563-15e66eca0410"
    assert len({uuid_of(text) for text in ("my-cart-42", "My-Cart-42", f"{{{key}}}", key.replace("-", ""))}) == 4
