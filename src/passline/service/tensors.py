"""The Open Inference Protocol, V2: requests of tensors, one a column, and what is answered.

Specification: open-inference-protocol, "Predict Protocol - Version 2", HTTP/REST.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from numpy.typing import NDArray

from passline.service.columns import TakenColumn
from passline.service.problems import Fault, Problem, shown, step
from passline.service.rows import MOST_FAULTS, anything, framed, malformed, repeated
from passline.service.served import Served
from passline.table.staged import Frame

OUTPUT = "probability"
# Types of numbers and between which whole numbers their values lie, None where they need not be whole.
NUMBERS: Mapping[str, tuple[int, int] | None] = {
    "FP64": None,
    "FP32": None,
    "INT64": (-(2**63), 2**63 - 1),
    "INT32": (-(2**31), 2**31 - 1),
}

Parameters = dict[str, Any] | None


class Tensor(msgspec.Struct, forbid_unknown_fields=True):
    """One column of the rows: shape [n] or [n, 1]."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any]
    parameters: Parameters = None


class Wanted(msgspec.Struct, forbid_unknown_fields=True):
    """An output that is asked for."""

    name: str
    parameters: Parameters = None


class Request(msgspec.Struct, forbid_unknown_fields=True):
    """The body of an inference request."""

    inputs: list[Tensor]
    id: str | None = None
    parameters: Parameters = None
    outputs: list[Wanted] | None = None


_REQUEST = msgspec.json.Decoder(Request)


def datatypes(column: TakenColumn) -> tuple[str, ...]:
    """The types in which a column's tensor may come, the first as it is described."""
    if column.kind == "boolean":
        return ("BOOL",)
    texts = any(isinstance(value, str) for value in column.codes)
    numbers = not column.levels or any(isinstance(value, float) for value in column.codes)
    return (("BYTES",) if texts else ()) + (tuple(NUMBERS) if numbers else ())


def described(served: Served) -> dict[str, Any]:
    """The answer to ``GET /v2/models/{name}``."""
    inputs = [{"name": c.name, "datatype": datatypes(c)[0], "shape": [-1]} for c in served.columns]
    outputs = [{"name": OUTPUT, "datatype": "FP64", "shape": [-1]}]
    return {"name": served.name, "platform": "passline", "inputs": inputs, "outputs": outputs}


def answer(served: Served, request: Request, probabilities: list[float]) -> dict[str, Any]:
    """The answer to an inference request."""
    output = {"name": OUTPUT, "datatype": "FP64", "shape": [len(probabilities)], "data": probabilities}
    return {"model_name": served.name, **({} if request.id is None else {"id": request.id}), "outputs": [output]}


def read_request(body: bytes) -> Request:
    """An inference request. Raises Problem where it is not JSON, not of that form, or asks for what there is not."""
    try:
        found = _REQUEST.decode(body)
    except msgspec.ValidationError as error:
        anything(body)  # what is not even JSON is told so
        raise malformed(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise malformed(error) from None
    twice = repeated(body)
    if twice is not None:
        raise twice
    for place, output in enumerate(found.outputs or ()):
        if output.name != OUTPUT:
            path = f"outputs[{place}].name"
            raise Problem(422, Fault(path, f"{shown(output.name)}, and the one output is {OUTPUT}"))
    return found


def read_tensors(served: Served, request: Request) -> Frame:
    """The columns of an inference request's tensors. Raises Problem, with the path of each thing that is wrong."""
    place: dict[str, int] = {}
    for i, tensor in enumerate(request.inputs):
        if tensor.name in place:
            raise Problem(422, Fault(f"inputs[{i}].name", f"{shown(tensor.name)} stands twice"))
        place[tensor.name] = i
    faults = [
        Fault("inputs", f"no tensor is called {shown(c.name)}; the model needs {c.wanted} in each row")
        for c in served.columns
        if c.name not in place
    ]
    known = {column.name for column in served.columns}
    faults += [
        Fault(f"inputs[{i}].name", f"the model has no column {shown(name)}")
        for name, i in place.items()
        if name not in known
    ]
    if faults:
        raise Problem(422, faults[:MOST_FAULTS])
    arrays: dict[str, NDArray[Any]] = {}
    rows: int | None = None
    for column in served.columns:
        path = f"inputs[{place[column.name]}]"
        arrays[column.name] = _column(column, request.inputs[place[column.name]], path, served.reader.most_rows)
        if rows is not None and len(arrays[column.name]) != rows:
            raise Problem(
                422, Fault(f"{path}.shape", f"{len(arrays[column.name])} rows, and the tensors before have {rows}")
            )
        rows = len(arrays[column.name])
    values = {c.name: c.levels for c in served.columns if c.levels and c.kind != "number"}
    return framed(served.columns, arrays, values, rows or 0)


def _column(column: TakenColumn, tensor: Tensor, path: str, most: int) -> NDArray[Any]:
    allowed = datatypes(column)
    if tensor.datatype not in allowed:
        listed = ", ".join(allowed)
        raise Problem(422, Fault(f"{path}.datatype", f"{shown(tensor.datatype)}, and {shown(column.name)} is {listed}"))
    match tensor.shape:
        case [n] | [n, 1] if 0 < n <= most:
            pass
        case [n] | [n, 1]:
            raise Problem(422, Fault(f"{path}.shape", f"{n} rows: from 1 to {most:,} are taken at once"))
        case other:
            raise Problem(422, Fault(f"{path}.shape", f"{other[:5]}, and a column's shape is [rows] or [rows, 1]"))
    said = tensor.data
    if len(tensor.shape) == 2 and all(isinstance(value, list) and len(value) == 1 for value in said):
        said = [value[0] for value in said]
    if len(said) != n:
        raise Problem(422, Fault(f"{path}.data", f"{len(said)} values, and the shape says {n}"))
    faults = []
    for row, value in enumerate(said):
        wrong = _fault(column, tensor.datatype, value)
        if wrong is not None:
            faults.append(Fault(step(f"{path}.data", row), wrong))
    if faults:
        raise Problem(422, faults[:MOST_FAULTS])
    return column.array(said)


def _fault(column: TakenColumn, datatype: str, value: Any) -> str | None:
    if (datatype == "BYTES") != isinstance(value, str):
        return f"{shown(value)}, and the tensor is of {datatype}"
    wrong = column.fault(value)
    if wrong is not None or NUMBERS.get(datatype) is None:
        return wrong
    low, high = NUMBERS[datatype] or (0, 0)
    return None if float(value).is_integer() and low <= value <= high else f"{shown(value)} is not of {datatype}"
