"""The OpenAPI document, made from the table of calls."""

from __future__ import annotations

import functools
from typing import Any

import msgspec
from msgspec import Struct

from rft_widgets import __version__
from rft_widgets.model.problem import Problem
from rft_widgets.server.rest.calling import plain_fields
from rft_widgets.server.rest.refusals import WORDS
from rft_widgets.server.rest.routing import Attachment, Id, Route
from rft_widgets.server.rest.table import ROUTES

BASE = "/api/optimization"
"""Where the table lies on a server, below the server's own base address."""

_REF = "#/components/schemas/{name}"
_INTRODUCTION = """\
The pipeline from recorded traffic to a better model: the same calls as in Python.

Long work answers with 202 and a job; `?wait=` seconds (at most 30) waits for its end, and
`GET /jobs/{job_id}` tells how it stands. What is refused is told in words: `code`, `message`, and
in `hint` what to do about it."""


@functools.cache
def openapi() -> dict[str, Any]:
    """Describe the REST API as an OpenAPI 3.1 document."""
    schemas = _Schemas(ROUTES)
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.verb.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "rft-widgets",
            "version": __version__,
            "description": _INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": BASE, "description": "Below the base address of the server."}],
        "security": [{"token": []}, {"token_in_url": []}, {"cookie": []}],
        "tags": [{"name": tag} for tag in dict.fromkeys(route.tag for route in ROUTES)],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "responses": {
                str(status): {"description": words, "content": _json(schemas.of(Problem))}
                for status, words in WORDS.items()
            },
            "securitySchemes": {
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "`token` and the server's token, such as `token 5f1c...`.",
                },
                "token_in_url": {"type": "apiKey", "in": "query", "name": "token"},
                "cookie": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-XSRFToken",
                    "description": "A browser that is logged in: its cookies, and the value of the "
                    "cookie `_xsrf` in this header of every call that changes something.",
                },
            },
        },
    }


class _Schemas:
    """JSON schemas of every type that a route names."""

    def __init__(self, routes: tuple[Route, ...]) -> None:
        found: dict[int, Any] = {}
        for route in routes:
            for kind in (route.body, route.result_type, route.query):
                if kind not in (None, bytes, Attachment):
                    found[id(kind)] = kind
        found[id(Problem)] = Problem
        made, self.components = msgspec.json.schema_components(
            list(found.values()), ref_template=_REF
        )
        self._made = dict(zip(found, made, strict=True))
        self._id = msgspec.json.schema(Id)
        for name in {route.query.__name__ for route in routes if route.query is not None}:
            self.components.pop(name)  # their fields stand with the calls

    def of(self, kind: Any) -> dict[str, Any]:
        """Schema of a type."""
        return self._made[id(kind)]

    def fields(self, kind: type[Struct]) -> list[dict[str, Any]]:
        """Arguments of a URL, one a field."""
        (_, *_), components = msgspec.json.schema_components([kind], ref_template=_REF)
        schema = components[kind.__name__]
        nullable = plain_fields(kind)
        arguments = []
        for name, field in schema["properties"].items():
            about = field.pop("description", None)
            argument: dict[str, Any] = {
                "name": name,
                "in": "query",
                "required": name in schema["required"],
                "schema": field if name in nullable else _without_null(field),
            }
            arguments.append(argument | ({"description": about} if about else {}))
        return arguments

    def path(self, name: str) -> dict[str, Any]:
        """A name in a path."""
        return {"name": name, "in": "path", "required": True, "schema": self._id}


def _operation(route: Route, schemas: _Schemas) -> dict[str, Any]:
    arguments = [schemas.path(name) for name in route.path_names]
    if route.query is not None:
        arguments += schemas.fields(route.query)
    operation: dict[str, Any] = {
        "operationId": route.name,
        "tags": [route.tag],
        "summary": route.summary.rstrip("."),
    }
    if route.description:
        operation["description"] = route.description
    if arguments:
        operation["parameters"] = arguments
    if route.body is not None:
        operation["requestBody"] = _request_body(route, schemas)
    operation["responses"] = _responses(route, schemas)
    return operation


def _request_body(route: Route, schemas: _Schemas) -> dict[str, Any]:
    if route.body is bytes:
        content: dict[str, Any] = {"application/octet-stream": {"schema": _BINARY}}
        return {"required": False, "content": content}
    content = _json(schemas.of(route.body))
    if route.takes_file:
        content["multipart/form-data"] = {"schema": _form(route.body)}
    return {"required": route.body_required, "content": content}


_BINARY = {"type": "string", "format": "binary"}


def _form(kind: type[Struct]) -> dict[str, Any]:
    (_, *_), components = msgspec.json.schema_components([kind], ref_template=_REF)
    schema: dict[str, Any] = components[kind.__name__]
    properties = {"file": _BINARY} | {
        name: field for name, field in schema["properties"].items() if name != "upload"
    }
    required = ["file", *(name for name in schema["required"] if name != "upload")]
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _responses(route: Route, schemas: _Schemas) -> dict[str, Any]:
    done: dict[str, Any] = {"description": _DONE[route.status]}
    if route.result is Attachment:
        # A file of JSON is no text in a schema: whatever it holds, it may hold.
        done["content"] = {
            media: {"schema": {} if media == "application/json" else _BINARY}
            for media in route.media_types
        }
    elif route.result is not None:
        done["content"] = _json(schemas.of(route.result_type))
    statuses = {400, 401, 403, 409, 422, 503}
    if route.path_names or route.body is not None:
        statuses.add(404)
    if route.body is not None:
        statuses |= {413, 415}
    if route.verb == "PATCH":
        statuses.add(412)
    refused = {
        str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted(statuses)
    }
    return {str(route.status): done} | refused


_DONE = {
    200: "Done.",
    201: "Made.",
    202: "Begun, and perhaps ended: see `status`.",
    204: "Done; there is nothing to tell.",
}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Schema of a text in a URL, where there is no null: left out is what it is."""
    kept = {name: value for name, value in schema.items() if value is not None}
    if "anyOf" in kept:
        options = [one for one in kept.pop("anyOf") if one != {"type": "null"}]
        kept |= options[0] if len(options) == 1 else {"anyOf": options}
    return kept
