"""Every answer of our SES holds what botocore's own model of SES v2 says it holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from botocore.session import get_session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.aws.reading import Reader

MODEL: Any = get_session().get_service_model("sesv2")
TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "double": (int, float),
    "timestamp": (int, float),
    "list": (list,),
    "structure": (dict,),
    "map": (dict,),
}


def faults(shape: Any, found: Any, where: str) -> Iterator[str]:
    """Name what a JSON value has that its shape has not, or the other way round."""
    value: Any = found
    if not isinstance(found, TYPES[shape.type_name]):
        yield f"{where}: {value!r} is not a {shape.type_name}"
    elif shape.type_name == "structure":
        yield from (f"{where}.{name}: unknown" for name in value if name not in shape.members)
        yield from (
            f"{where}.{name}: missing" for name in shape.required_members if name not in value
        )
        for name in set(value) & set(shape.members):
            yield from faults(shape.members[name], value[name], f"{where}.{name}")
    elif shape.type_name == "list":
        for place, item in enumerate(value):
            yield from faults(shape.member, item, f"{where}[{place}]")
    elif getattr(shape, "enum", None) and value not in shape.enum:
        yield f"{where}: {value!r} is not one of {shape.enum}"


DESTINATION = {
    "Enabled": True,
    "MatchingEventTypes": ["SEND", "BOUNCE"],
    "SnsDestination": {"TopicArn": "arn:aws:sns:us-east-1:123456789012:x"},
}
SIMPLE = {
    "FromEmailAddress": "Desk <desk@client.example>",
    "Destination": {"ToAddresses": ["Kim <kim@x.example>"]},
    "Content": {
        "Simple": {
            "Subject": {"Data": "Hello"},
            "Body": {"Text": {"Data": "Text"}, "Html": {"Data": "<p>Text</p>"}},
            "Headers": [{"Name": "X-Relay-Attempt", "Value": "att_1"}],
            "Attachments": [{"RawContent": b"a,b", "FileName": "a.csv", "ContentType": "text/csv"}],
        }
    },
}
# In order: some need what an earlier one made.
CALLS: list[tuple[str, dict[str, Any], bool]] = [
    ("GetAccount", {}, True),
    ("CreateEmailIdentity", {"EmailIdentity": "shape.example"}, True),
    ("CreateEmailIdentity", {"EmailIdentity": "someone@shape.example"}, True),
    (
        "PutEmailIdentityMailFromAttributes",
        {"EmailIdentity": "shape.example", "MailFromDomain": "b.shape.example"},
        False,
    ),
    (
        "PutEmailIdentityDkimAttributes",
        {"EmailIdentity": "shape.example", "SigningEnabled": False},
        False,
    ),
    ("GetEmailIdentity", {"EmailIdentity": "shape.example"}, True),
    ("GetEmailIdentity", {"EmailIdentity": "client.example"}, True),
    ("GetEmailIdentity", {"EmailIdentity": "someone@shape.example"}, True),
    ("ListEmailIdentities", {"PageSize": 2}, True),
    ("DeleteEmailIdentity", {"EmailIdentity": "someone@shape.example"}, False),
    ("CreateConfigurationSet", {"ConfigurationSetName": "shapes"}, False),
    ("GetConfigurationSet", {"ConfigurationSetName": "shapes"}, True),
    (
        "CreateConfigurationSetEventDestination",
        {
            "ConfigurationSetName": "shapes",
            "EventDestinationName": "one",
            "EventDestination": DESTINATION,
        },
        False,
    ),
    ("GetConfigurationSetEventDestinations", {"ConfigurationSetName": "shapes"}, True),
    ("PutSuppressedDestination", {"EmailAddress": "A+b@x.example", "Reason": "BOUNCE"}, False),
    ("GetSuppressedDestination", {"EmailAddress": "A+b@x.example"}, True),
    ("ListSuppressedDestinations", {"Reasons": ["BOUNCE"], "PageSize": 1}, True),
    ("DeleteSuppressedDestination", {"EmailAddress": "A+b@x.example"}, False),
    ("SendEmail", SIMPLE, True),
]


def method(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)[1:]


def test_every_answer_fits_its_shape(world: Reader) -> None:
    client = world.clients.service("sesv2")
    seen: list[bytes] = []
    client.meta.events.register(
        "after-call.sesv2", lambda http_response, **_: seen.append(http_response.content)
    )
    found: list[str] = []
    for name, request, has_content in CALLS:
        getattr(client, method(name))(**request)
        raw = json.loads(seen[-1])
        shape = MODEL.operation_model(name).output_shape
        found += faults(shape, raw, name)
        if has_content and not raw:
            found.append(f"{name}: the answer is empty")

    assert found == []


def test_what_was_put_is_what_is_got(world: Reader) -> None:
    client = world.clients.service("sesv2")
    client.create_configuration_set(ConfigurationSetName="kept")
    client.create_configuration_set_event_destination(
        ConfigurationSetName="kept", EventDestinationName="d", EventDestination=DESTINATION
    )
    answer = client.get_configuration_set_event_destinations(ConfigurationSetName="kept")

    assert answer["EventDestinations"] == [{"Name": "d"} | DESTINATION]


def test_suppressed_addresses_are_found_by_exact_spelling_only(world: Reader) -> None:
    client = world.clients.service("sesv2")
    client.put_suppressed_destination(EmailAddress="Kim@Case.example", Reason="COMPLAINT")

    found = client.get_suppressed_destination(EmailAddress="Kim@Case.example")
    assert found["SuppressedDestination"]["Reason"] == "COMPLAINT"
    for call in (client.get_suppressed_destination, client.delete_suppressed_destination):
        with pytest.raises(client.exceptions.NotFoundException):
            call(EmailAddress="kim@case.example")


def test_lists_are_paged(world: Reader) -> None:
    client = world.clients.service("sesv2")
    for number in range(5):
        client.put_suppressed_destination(EmailAddress=f"p{number}@page.example", Reason="BOUNCE")
    found: list[str] = []
    token: dict[str, Any] = {}
    while True:
        page = client.list_suppressed_destinations(PageSize=2, **token)
        found += [row["EmailAddress"] for row in page["SuppressedDestinationSummaries"]]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}

    assert [who for who in found if who.endswith("@page.example")] == [
        f"p{number}@page.example" for number in range(5)
    ]


REFUSED: list[tuple[str, dict[str, Any], str, int]] = [
    ("CreateEmailIdentity", {"EmailIdentity": "client.example"}, "AlreadyExistsException", 400),
    ("CreateEmailIdentity", {"EmailIdentity": "no domain"}, "BadRequestException", 400),
    ("GetEmailIdentity", {"EmailIdentity": "none.example"}, "NotFoundException", 404),
    ("GetConfigurationSet", {"ConfigurationSetName": "none"}, "NotFoundException", 404),
    ("CreateConfigurationSet", {"ConfigurationSetName": "relay"}, "AlreadyExistsException", 400),
    ("CreateConfigurationSet", {"ConfigurationSetName": "a b"}, "BadRequestException", 400),
    (
        "PutEmailIdentityMailFromAttributes",
        {"EmailIdentity": "client.example", "MailFromDomain": "other.example"},
        "BadRequestException",
        400,
    ),
    (
        "SendEmail",
        SIMPLE | {"Content": {"Template": {"TemplateName": "none", "TemplateData": "{}"}}},
        "NotFoundException",
        404,
    ),
    ("SendEmail", SIMPLE | {"FromEmailAddress": "x@none.example"}, "MessageRejected", 400),
    ("SendEmail", SIMPLE | {"Content": {"Raw": {"Data": b""}}}, "BadRequestException", 400),
    (
        "SendEmail",
        SIMPLE | {"Destination": {"ToAddresses": ["é@x.example"]}},
        "BadRequestException",
        400,
    ),
    (
        "SendEmail",
        SIMPLE | {"EmailTags": [{"Name": "with space", "Value": "x"}]},
        "BadRequestException",
        400,
    ),
]


@pytest.mark.parametrize(("name", "request_", "code", "status"), REFUSED)
def test_errors_have_the_form_boto3_reads(
    world: Reader, name: str, request_: dict[str, Any], code: str, status: int
) -> None:
    client = world.clients.service("sesv2")
    with pytest.raises(ClientError) as caught:
        getattr(client, method(name))(**request_)

    response = caught.value.response
    assert response["Error"]["Code"] == code
    assert response["Error"]["Message"]
    assert response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert isinstance(caught.value, getattr(client.exceptions, code))


def test_simple_content_becomes_a_whole_message(world: Reader) -> None:
    world.clients.service("sesv2").send_email(
        **SIMPLE, EmailTags=[{"Name": "world", "Value": "simple"}]
    )
    (row,) = world.accepted("simple")

    assert row["sender"] == "desk@client.example"
    assert row["headers"]["Subject"] == "Hello"
    assert row["headers"]["X-Relay-Attempt"] == "att_1"
    assert row["headers"]["Content-Type"].startswith("multipart/mixed")


def test_what_ses_does_not_know_is_named(world: Reader) -> None:
    answer = world.http.get("/v2/email/contact-lists")

    assert answer.status_code == 404
    assert "contact-lists" in answer.json()["message"]
