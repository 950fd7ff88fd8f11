"""The interface is what it says: schemathesis asks what the OpenAPI document allows, and what it does not."""

from __future__ import annotations

import subprocess
import sys

import httpx
import jsonschema
import pytest
from open_inference.openapi.client import InferenceRequest, OpenInferenceClient
from open_inference.openapi.core.api_error import ApiError

import passline
from passline.service.catalogue import open_catalogue
from passline.service.endpoints import Service
from passline.service.guard import State
from passline.service.metrics import Metrics
from passline.service.openapi import openapi
from passline.service.settings import Limits
from service.conftest import running

TOKEN = "0123456789abcdef"


def schemathesis(service, folder, *arguments):
    """What schemathesis finds, all its checks on; the same requests at each run."""
    command = [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()", "run"]
    fixed = ("--checks", "all", "--generation-deterministic", "--no-color", "--max-examples", "4")
    done = subprocess.run(
        [*command, f"{service.address}openapi.json", *fixed, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No issues found" in done.stdout


def test_schemathesis_finds_nothing_in_the_whole_interface_of_a_model(models, folder, tmp_path):
    with running(folder, str(models["students"]), "--max-rows", "50") as service:
        schemathesis(service, tmp_path)
        assert not [entry for entry in service.events() if entry["event"] == "bug"]


def test_schemathesis_finds_nothing_where_several_models_are_served_to_who_has_the_token(models, folder, tmp_path):
    token = tmp_path / "token"
    token.write_text(TOKEN)
    files = [str(models[name]) for name in ("ship", "kinds", "births", "separated")]
    with running(folder, *files, "--max-rows", "50", "--token-file", str(token)) as service:
        schemathesis(service, tmp_path, "--phases", "fuzzing,stateful", "--header", f"Authorization: Bearer {TOKEN}")
        assert not [entry for entry in service.events() if entry["event"] == "bug"]


def test_the_document_is_openapi_and_its_schemas_are_schemas(models):
    catalogue = open_catalogue([str(path) for path in models.values()], Limits())
    found = openapi(catalogue.models, Limits(), True)
    for schema in found["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    catalogue = open_catalogue([str(models["births"])], Limits())
    service = Service(catalogue, Limits(), Metrics(lambda: 0), State(), token=False)
    served = {route.path for route in service.router().routes}
    said = {path.replace("/births/", "/{name}/") for path in openapi(catalogue.models, Limits(), False)["paths"]}
    assert served == said


def test_a_client_of_the_open_inference_protocol_talks_to_it(service, models):
    with httpx.Client(verify=False) as connection:
        talk(OpenInferenceClient(base_url=service.address.rstrip("/"), httpx_client=connection), models)


def talk(client, models):
    client.check_server_liveness()
    client.check_server_readiness()
    assert client.read_server_metadata().name == "passline"
    metadata = client.read_model_metadata("ship")
    assert {(tensor.name, tensor.datatype) for tensor in metadata.inputs} == {
        ("sex", "BYTES"),
        ("passengerClass", "BYTES"),
        ("age", "FP64"),
    }
    client.check_model_readiness("ship")
    columns = {"sex": ["male", "female"], "passengerClass": ["3rd", "1st"], "age": [22.5, 40.0]}
    inputs = [
        {"name": name, "shape": [2], "datatype": "FP64" if name == "age" else "BYTES", "data": data}
        for name, data in columns.items()
    ]
    found = client.model_infer("ship", request=InferenceRequest(id="mine", inputs=inputs))
    assert (found.model_name, found.id, found.outputs[0].name) == ("ship", "mine", "probability")
    data = getattr(found.outputs[0].data, "__root__", found.outputs[0].data)
    assert list(data) == pytest.approx(passline.load(models["ship"]).predict(columns).tolist(), rel=1e-14)
    with pytest.raises(ApiError, match="404"):
        client.read_model_metadata("nobody")


def tensors(**columns):
    return {
        "inputs": [
            {"name": name, "shape": [len(data)], "datatype": "FP64", "data": data} for name, data in columns.items()
        ]
    }


def test_tensors_come_in_any_order_shape_and_type_of_number(ask, models):
    expected = passline.load(models["births"]).predict(
        {"age": [20, 30], "lwt": [120, 99], "race": [1, 3], "smoke": [0, 1]}
    )
    request = {
        "inputs": [
            {"name": "smoke", "shape": [2, 1], "datatype": "INT64", "data": [[0], [1]]},
            {"name": "race", "shape": [2], "datatype": "INT32", "data": [1, 3]},
            {"name": "lwt", "shape": [2, 1], "datatype": "FP32", "data": [120, 99]},
            {"name": "age", "shape": [2], "datatype": "FP64", "data": [20, 30.0], "parameters": {"a": 1}},
        ],
        "outputs": [{"name": "probability"}],
        "parameters": {"b": 2},
    }
    answer = ask("/v2/models/births/infer", request)
    assert answer.status_code == 200, answer.text
    assert answer.json()["outputs"][0]["data"] == pytest.approx(expected.tolist(), rel=1e-14)
    flags = {
        "inputs": [
            {"name": "flag", "shape": [1], "datatype": "BOOL", "data": [True]},
            {"name": "a", "shape": [1], "datatype": "FP64", "data": [0.5]},
            {"name": "code", "shape": [1], "datatype": "BYTES", "data": ["1:5"]},
        ]
    }
    assert ask("/v2/models/kinds/infer", flags).status_code == 200


@pytest.mark.parametrize(
    ("request_", "path"),
    [
        (tensors(hours=[1]) | {"more": 1}, ""),
        (tensors(hours=["1"]), "inputs[0].data[0]"),
        (tensors(hours=[1, None]), "inputs[0].data[1]"),
        (tensors(hours=[1, 1e200]), "inputs[0].data[1]"),
        (tensors(hours=[]), "inputs[0].shape"),
        (tensors(hours=[1] * 2001), "inputs[0].shape"),
        (tensors(hours=[1], other=[1]), "inputs[1].name"),
        (tensors(), "inputs"),
        ({"inputs": tensors(hours=[1])["inputs"] * 2}, "inputs[1].name"),
        ({"inputs": [{"name": "hours", "shape": [2], "datatype": "FP64", "data": [1]}]}, "inputs[0].data"),
        ({"inputs": [{"name": "hours", "shape": [1, 2], "datatype": "FP64", "data": [1, 2]}]}, "inputs[0].shape"),
        ({"inputs": [{"name": "hours", "shape": [1], "datatype": "INT64", "data": [1.5]}]}, "inputs[0].data[0]"),
        ({"inputs": [{"name": "hours", "shape": [1], "datatype": "BYTES", "data": ["a"]}]}, "inputs[0].datatype"),
        ({"inputs": [{"name": "hours", "shape": [1], "datatype": "FP64"}]}, "inputs[0]"),
        (tensors(hours=[1]) | {"outputs": [{"name": "label"}]}, "outputs[0].name"),
    ],
)
def test_tensors_that_are_not_what_the_model_takes_are_422_with_the_path(ask, request_, path):
    answer = ask("/v2/models/students/infer", request_)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["path"] == path
