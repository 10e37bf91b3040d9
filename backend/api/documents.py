"""OpenAPI for bodies that are read by hand: only after the key has been checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi.openapi.utils import get_openapi

if TYPE_CHECKING:
    from fastapi import FastAPI
    from pydantic import BaseModel

_REFS = "#/components/schemas/{model}"
_bodies: dict[str, type[BaseModel]] = {}
"""Every body that some route has described, by its title."""
_KEYS = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "relayKey": {"type": "apiKey", "in": "header", "name": "X-Relay-Key"},
}


_ONCE = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "minLength": 1, "maxLength": 256},
    "description": "Makes a repeat of this very request answer as the first did.",
}


def body_schema(model: type[BaseModel], *, once: bool = False) -> dict[str, Any]:
    """Give the ``openapi_extra`` of a route whose body is ``model``.

    ``once`` says that the call takes an Idempotency-Key.
    """
    title = _title(model)
    if _bodies.setdefault(title, model) is not model:
        raise ValueError(f"two bodies are called {title}")
    schema = {"$ref": _REFS.format(model=title)}
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    return {"requestBody": body, "parameters": [_ONCE]} if once else {"requestBody": body}


def describe(app: FastAPI) -> dict[str, Any]:
    """Make the OpenAPI document of an app, with the body models and the kinds of key."""
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for model in _bodies.values():
        schema = model.model_json_schema(ref_template=_REFS)
        schemas |= schema.pop("$defs", {})
        schemas[_title(model)] = schema
    components["securitySchemes"] = _KEYS
    document["security"] = [{name: []} for name in _KEYS]
    return document


def _title(model: type[BaseModel]) -> str:
    return str(model.model_config.get("title") or model.__name__)
