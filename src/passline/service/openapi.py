"""The interface as an OpenAPI 3.1 document, exact for the models that are served: what its schemas take is answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from passline import __version__
from passline.service.columns import TakenColumn
from passline.service.served import Served
from passline.service.settings import Limits
from passline.service.tensors import NUMBERS, OUTPUT, datatypes

Document = dict[str, Any]

# JSON Schema cannot say that lengths agree: batches of tensors up to here are spelled out, longer ones are likewise.
SPELLED = 3
_TEXT: Document = {"type": "string"}
_NUMBER: Document = {"type": "number"}
_PARAMETERS: Document = {"type": ["object", "null"]}
_REFUSALS = {
    400: "Not HTTP or JSON as it should be, or a body that broke off.",
    403: "Asked by a page of another origin.",
    408: "The body did not arrive in time.",
    409: "The model has no finite answer for a row: the data of its fit were separated.",
    413: "A body that is too long.",
    415: "A body that is not JSON, or compressed.",
    421: "Asked under a Host that is not this service's.",
    422: "JSON that is not what the model takes; the path leads to it.",
    431: "Headers that are too long.",
    500: "A bug of the service.",
    503: "Too much at once: come again.",
}


def openapi(models: Mapping[str, Served], limits: Limits, token: bool) -> Document:
    """The document for these models; ``token``: whether requests have to bring one."""
    paths: Document = {}
    for served in models.values():
        name = served.name
        body = _body(name, limits, ["rows"])
        for what, found in (("predict", "Probabilities"), ("explain", f"Explanation.{name}")):
            summary = f"{what.capitalize()} rows with {name}"
            paths[f"/models/{name}/{what}"] = {"post": _posted(summary, body, _schema(found), token)}
        summary = f"Infer with {name} (Open Inference Protocol, V2)"
        infer = _posted(summary, _tensors(served), _schema(f"Inference.{name}"), token)
        paths[f"/v2/models/{name}/infer"] = {"post": infer}
    for what in ("predict", "explain"):
        needed = ["rows"] if len(models) == 1 else ["rows", "model"]
        bodies = [_body(name, limits, needed) for name in models]
        kinds = ["Probabilities"] if what == "predict" else [f"Explanation.{name}" for name in models]
        summary = f"{what.capitalize()} rows" + ("" if len(models) == 1 else " with the model that the body names")
        paths[f"/{what}"] = {
            "post": _posted(summary, _either(bodies), _either([_schema(kind) for kind in kinds]), token)
        }
    paths |= _read(models, token)
    document: Document = {
        "openapi": "3.1.0",
        "info": {
            "title": "passline",
            "version": __version__,
            "description": "Probabilities of logistic regressions, and what each term adds to them.",
        },
        "paths": paths,
        "components": {"schemas": _schemas(models)},
    }
    if token:
        document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    return document


def _schemas(models: Mapping[str, Served]) -> Document:
    schemas: Document = {
        "Problem": _object(
            {
                "error": {**_TEXT, "description": "The first fault: its path, and what is wrong there."},
                "errors": {"type": "array", "items": _object({"path": _TEXT, "message": _TEXT})},
            }
        ),
        "Probabilities": _object({"probabilities": _list(_schema("Probability"))}),
        "Probability": {"type": "number", "minimum": 0, "maximum": 1},
    }
    for name, served in models.items():
        schemas[f"Row.{name}"] = _object({column.name: column.schema for column in served.columns})
        terms = _object({term.text: _NUMBER for term in served.model.design.terms})
        row = _object({"logit": _NUMBER, "probability": _schema("Probability"), "shares": terms})
        schemas[f"Explanation.{name}"] = _object({"base": _NUMBER, "rows": _list(row)})
        output = _object(
            {
                "name": {"const": OUTPUT},
                "shape": {"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 1},
                "datatype": {"const": "FP64"},
                "data": _list(_schema("Probability")),
            }
        )
        outputs = {"type": "array", "prefixItems": [output], "items": False, "minItems": 1}
        schemas[f"Inference.{name}"] = _object(
            {"model_name": {"const": name}, "id": _TEXT, "outputs": outputs}, ["model_name", "outputs"]
        )
    return schemas


def _read(models: Mapping[str, Served], token: bool) -> Document:
    """What is only read."""
    name = {"name": "name", "in": "path", "required": True, "schema": {"enum": list(models)}}
    strings = {"type": "array", "items": _TEXT}
    tensor = _object({"name": _TEXT, "datatype": _TEXT, "shape": {"type": "array", "items": {"type": "integer"}}})
    tensors = {"type": "array", "items": tensor}
    metadata = _object({"name": _TEXT, "platform": _TEXT, "inputs": tensors, "outputs": tensors})
    server = _object({"name": _TEXT, "version": _TEXT, "extensions": strings})
    live, ready = _object({"live": {"const": True}}), _object({"ready": {"type": "boolean"}})
    paths: Document = {}
    for path, what in (("/healthz", live), ("/readyz", ready), ("/v2/health/live", live), ("/v2/health/ready", ready)):
        paths[path] = _got("Whether the service lives" if what is live else "Whether it takes requests", what)
        if what is ready:
            paths[path]["get"]["responses"]["503"] = _answer(
                "It is stopping, or has too much to do.", _either([ready, _PROBLEM])
            )
    paths["/"] = _got("The model tried by hand, a page", _TEXT, kind="text/html")
    paths["/docs"] = _got("This interface for people, a page", _TEXT, kind="text/html")
    paths["/metrics"] = _got("Counters for Prometheus", _TEXT, token, kind="text/plain")
    paths["/openapi.json"] = _got("This document", {"type": "object"}, token)
    paths["/models"] = _got("The names of the models", _object({"models": strings}), token)
    paths["/models/{name}"] = _got("What a model takes and says", {"type": "object"}, token, [name])
    paths["/v2"] = _got("The server (V2)", server, token)
    paths["/v2/models/{name}"] = _got("What a model takes (V2)", metadata, token, [name])
    ready_model = _object({"name": _TEXT, "ready": {"type": "boolean"}})
    paths["/v2/models/{name}/ready"] = _got("Whether a model is there (V2)", ready_model, token, [name])
    return paths


def _tensors(served: Served) -> Document:
    """The body of an inference request: one tensor a column, all of as many rows."""
    batches = [
        {
            "type": "array",
            "prefixItems": [_either(list(_tensor(column, rows))) for column in served.columns],
            "items": False,
            "minItems": len(served.columns),
        }
        for rows in range(1, SPELLED + 1)
    ]
    wanted = {
        "type": ["array", "null"],
        "items": _object({"name": {"const": OUTPUT}, "parameters": _PARAMETERS}, ["name"]),
    }
    body = {
        "inputs": _either(batches),
        "id": {"type": ["string", "null"]},
        "parameters": _PARAMETERS,
        "outputs": wanted,
    }
    found = _object(body, ["inputs"])
    found["description"] = (
        f"One tensor a column, of shape [rows] or [rows, 1], in any order; spelled out here for up to {SPELLED} rows "
        f"in the model's order, and alike for more, up to {served.reader.most_rows:,}."
    )
    return found


def _tensor(column: TakenColumn, rows: int) -> Iterable[Document]:
    for datatype in datatypes(column):
        value = _of_type(column, datatype)
        flat = {"type": "array", "items": value, "minItems": rows, "maxItems": rows}
        one = {"type": "array", "items": value, "minItems": 1, "maxItems": 1}
        nested = {"type": "array", "items": one, "minItems": rows, "maxItems": rows}
        for shape, data in (([rows], flat), ([rows, 1], flat), ([rows, 1], nested)):
            tensor = {
                "name": {"const": column.name},
                "shape": {"const": shape},
                "datatype": {"const": datatype},
                "data": data,
                "parameters": _PARAMETERS,
            }
            yield _object(tensor, ["name", "shape", "datatype", "data"])


def _of_type(column: TakenColumn, datatype: str) -> Document:
    schema = column.schema
    whole = NUMBERS.get(datatype)
    if "enum" in schema:
        text = datatype == "BYTES"
        values = [value for value in schema["enum"] if isinstance(value, str) == text]
        return {"enum": [v for v in values if whole is None or (float(v).is_integer() and whole[0] <= v <= whole[1])]}
    if whole is None:
        return schema
    low, high = max(whole[0], column.range.low), min(whole[1], column.range.high)
    least = "exclusiveMinimum" if column.range.above and low == column.range.low else "minimum"
    return {"type": "integer", least: low, "maximum": high}


def _body(name: str, limits: Limits, required: list[str]) -> Document:
    """The body of /predict and /explain for one model."""
    rows = {"type": "array", "items": _schema(f"Row.{name}"), "minItems": 1, "maxItems": limits.rows}
    return _object({"rows": rows, "model": {"const": name}}, required)


def _schema(name: str) -> Document:
    return {"$ref": f"#/components/schemas/{name}"}


_PROBLEM: Document = {"$ref": "#/components/schemas/Problem"}


def _posted(summary: str, body: Document, schema: Document, token: bool) -> Document:
    operation: Document = {
        "summary": summary,
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {"200": _answer("The answer.", schema), **_refusals(_REFUSALS, token)},
    }
    return operation | _asked(token)


def _got(
    summary: str,
    schema: Document,
    token: bool = False,
    parameters: list[Document] | None = None,
    kind: str = "application/json",
) -> Document:
    statuses = {status: _REFUSALS[status] for status in (400, 403, 421, 431, 500, 503)}
    if parameters:
        statuses[404] = "There is no such model."
    operation: Document = {
        "summary": summary,
        "responses": {"200": _answer("The answer.", schema, kind), **_refusals(statuses, token)},
    }
    if parameters:
        operation["parameters"] = parameters
    return {"get": operation | _asked(token)}


def _refusals(statuses: Mapping[int, str], token: bool) -> Document:
    told = dict(statuses) | ({401: "No token, or a wrong one."} if token else {})
    return {str(status): _answer(told[status], _PROBLEM) for status in sorted(told)}


def _asked(token: bool) -> Document:
    return {"security": [{"token": []}]} if token else {}


def _answer(description: str, schema: Document, kind: str = "application/json") -> Document:
    return {"description": description, "content": {kind: {"schema": schema}}}


def _object(properties: Document, required: list[str] | None = None) -> Document:
    """An object of these members and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties) if required is None else required,
        "additionalProperties": False,
    }


def _list(items: Document) -> Document:
    return {"type": "array", "items": items}


def _either(schemas: list[Document]) -> Document:
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
