"""Reply tokens: what was signed is known again, and nothing else is, whatever is changed."""

from __future__ import annotations

import string

from hypothesis import given
from hypothesis import strategies as st

from backend.model.address import parse_address
from backend.reply_tokens import ReplyTokens, email_id_in, reply_address, same, token_in

ULID = st.text(alphabet="0123456789abcdefghjkmnpqrstvwxyz", min_size=26, max_size=26)
EMAIL_ID = ULID.map("msg_{}".format)
SECRET = st.text(min_size=1, max_size=40)
TENANT = st.text(alphabet=string.ascii_lowercase + string.digits + "_", min_size=1, max_size=40)
LABEL = st.text(alphabet=string.ascii_lowercase + string.digits, min_size=1, max_size=20)
DOMAIN = st.builds("{}.{}".format, LABEL, LABEL)


@given(SECRET, TENANT, DOMAIN, EMAIL_ID)
def test_a_signed_token_is_valid_and_names_its_mail(
    secret: str, tenant: str, domain: str, email_id: str
) -> None:
    tokens = ReplyTokens(current=secret)

    token = tokens.make(tenant_id=tenant, domain=domain, email_id=email_id)

    assert tokens.valid(token, tenant_id=tenant, domain=domain)
    assert email_id_in(token) == email_id


@given(TENANT, EMAIL_ID)
def test_the_local_part_fits_and_needs_no_quoting(tenant: str, email_id: str) -> None:
    token = ReplyTokens(current="k").make(tenant_id=tenant, domain="a.example", email_id=email_id)

    address = parse_address(reply_address(token, "a.example"))

    assert len(address.local) <= 64
    assert address.local == address.local.lower()
    assert token_in(address.local) == token


@given(EMAIL_ID, st.randoms())
def test_case_may_be_folded_any_way(email_id: str, chance: object) -> None:
    tokens = ReplyTokens(current="k")
    token = tokens.make(tenant_id="t", domain="a.example", email_id=email_id)
    pick = chance.choice  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    folded = "".join(pick((c.lower(), c.upper())) for c in token)

    assert tokens.valid(folded, tenant_id="t", domain="A.Example")
    assert same(folded, token)
    assert token_in(f"REPLY+{folded}") == token


def test_no_flipped_bit_of_a_token_leaves_it_valid() -> None:
    tokens = ReplyTokens(current="k", previous="older")
    token = tokens.make(tenant_id="t", domain="a.example", email_id=f"msg_{'0123456789' * 2}abcdef")

    accepted = [
        changed
        for place, letter in enumerate(token)
        for bit in range(8)
        if (changed := token[:place] + chr(ord(letter) ^ 1 << bit) + token[place + 1 :]).lower()
        != token
        and tokens.valid(changed, tenant_id="t", domain="a.example")
    ]

    assert accepted == []


def test_no_other_letter_in_any_place_is_accepted() -> None:
    tokens = ReplyTokens(current="k")
    token = tokens.make(tenant_id="t", domain="a.example", email_id=f"msg_{'z' * 26}")
    others = string.ascii_lowercase + string.digits

    accepted = [
        (place, letter)
        for place in range(len(token))
        for letter in others
        if letter != token[place]
        and tokens.valid(
            token[:place] + letter + token[place + 1 :], tenant_id="t", domain="a.example"
        )
    ]

    assert accepted == []


@given(EMAIL_ID, EMAIL_ID, TENANT, TENANT, DOMAIN, DOMAIN)
def test_a_token_is_worth_nothing_to_another_tenant_domain_or_mail(
    one: str, two: str, tenant: str, other_tenant: str, domain: str, other_domain: str
) -> None:
    tokens = ReplyTokens(current="k")
    token = tokens.make(tenant_id=tenant, domain=domain, email_id=one)
    swapped = f"{token[:4]}{two.removeprefix('msg_')}{token[30:]}"

    assert tokens.valid(token, tenant_id=other_tenant, domain=domain) is (other_tenant == tenant)
    assert tokens.valid(token, tenant_id=tenant, domain=other_domain) is (other_domain == domain)
    assert tokens.valid(swapped, tenant_id=tenant, domain=domain) is (one == two)


@given(SECRET, SECRET, SECRET, EMAIL_ID)
def test_a_secret_lives_through_one_rotation_and_no_more(
    first: str, second: str, third: str, email_id: str
) -> None:
    token = ReplyTokens(current=first).make(tenant_id="t", domain="a.example", email_id=email_id)

    rotated = ReplyTokens(current=second, previous=first)
    twice = ReplyTokens(current=third, previous=second)

    assert rotated.valid(token, tenant_id="t", domain="a.example")
    known = first in (second, third)
    assert twice.valid(token, tenant_id="t", domain="a.example") is known


@given(st.text(max_size=80))
def test_no_text_is_a_token_by_chance(text: str) -> None:
    tokens = ReplyTokens(current="k", previous="p")

    assert not tokens.valid(text, tenant_id="t", domain="a.example")


@given(EMAIL_ID)
def test_without_a_secret_nothing_is_signed_and_nothing_is_valid(email_id: str) -> None:
    signed = ReplyTokens(current="k").make(tenant_id="t", domain="a.example", email_id=email_id)
    silent = ReplyTokens()

    assert silent.make(tenant_id="t", domain="a.example", email_id=email_id) == ""
    assert not silent.valid(signed, tenant_id="t", domain="a.example")


def test_a_secret_does_not_show_when_printed() -> None:
    assert "hush" not in repr(ReplyTokens(current="hush", previous="hush2"))
