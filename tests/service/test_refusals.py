"""Bad input, each with its own answer from a service that runs, and nobody else waits for it."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time

import httpx
import pytest

from service.conftest import answer_on, running

GOOD = {"age": 20, "lwt": 120, "race": 1, "smoke": 0}
JSON = {"Content-Type": "application/json"}


def rows(*changed):
    return {"rows": [GOOD, GOOD, *({**GOOD, **change} for change in changed)], "model": "births"}


def head(path="/predict", method="POST", host="127.0.0.1", **headers):
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def status(answer: bytes) -> int:
    assert answer.startswith(b"HTTP/1.1 "), answer[:100]
    return int(answer[9:12])


@pytest.fixture(autouse=True)
def _still_answers(ask):
    """Whatever is asked, the service answers an ordinary request afterwards."""
    yield
    assert ask("/predict", rows()).status_code == 200


@pytest.mark.parametrize(
    ("document", "path", "told"),
    [
        (rows({"age": "20"}), "rows[2].age", "number"),
        (rows({"age": True}), "rows[2].age", "number"),
        (rows({"age": None}), "rows[2].age", "null"),
        (rows({"age": [1]}), "rows[2].age", "a list"),
        (rows({"age": 10**400}), "rows[2].age", "very many digits"),
        (rows({"age": 1e200}), "rows[2].age", "between"),
        (rows({"lwt": 0}), "rows[2].lwt", "above 0"),
        (rows({"lwt": -1}), "rows[2].lwt", "above 0"),
        (rows({"race": 4}), "rows[2].race", "it knows 1, 2, 3"),
        (rows({"race": "1"}), "rows[2].race", "one of 1, 2, 3"),
        (rows({"height": 1}), "rows[2].height", "no such column"),
        (rows({"bad name": 1}), 'rows[2]["bad name"]', "no such column"),
        ({"rows": [GOOD, {"lwt": 120, "race": 1, "smoke": 0}], "model": "births"}, "rows[1].age", "missing"),
        ({"rows": [GOOD, 7], "model": "births"}, "rows[1]", "an object of columns"),
        ({"rows": [], "model": "births"}, "rows", "empty"),
        ({"rows": {}, "model": "births"}, "rows", "a list of objects"),
        ({"rows": None, "model": "births"}, "rows", "null"),
        ({"model": "births"}, "rows", "missing"),
        ({"rows": [GOOD], "model": "births", "more": 1}, "more", "no such member"),
        ({"rows": [GOOD]}, "model", "this service has several"),
        ({"rows": [GOOD] * 2001, "model": "births"}, "rows", "2,001 rows"),
        ({"rows": [{"flag": 1, "a": 1, "code": "5"}], "model": "kinds"}, "rows[0].flag", "one of false, true"),
        ({"rows": [{"flag": True, "a": 1, "code": "<b>"}], "model": "kinds"}, "rows[0].code", "was not there"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_body_that_is_not_what_the_model_takes_is_422_with_the_path(ask, document, path, told):
    for address in ("/predict", "/explain"):
        answer = ask(address, document)
        assert answer.status_code == 422, answer.text
        found = answer.json()
        assert found["errors"][0]["path"] == path
        assert told in found["error"]
        assert found["error"].startswith(f"{path}: ")


def test_all_faults_of_a_row_are_told_at_once_and_at_most_ten(ask):
    told = ask("/predict", rows({"age": "x", "lwt": 0, "zzz": 1})).json()["errors"]
    assert [fault["path"] for fault in told] == ["rows[2].age", "rows[2].lwt", "rows[2].zzz"]
    assert len(ask("/predict", {"rows": [{}] * 50, "model": "births"}).json()["errors"]) == 10


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "not JSON"),
        (b"rows", "not JSON"),
        (b'{"rows": [{"hours": NaN}], "model": "students"}', "not JSON"),
        (b'{"rows": [{"hours": Infinity}], "model": "students"}', "not JSON"),
        (b'{"rows": [{"hours": -Infinity}], "model": "students"}', "not JSON"),
        (b'{"rows": [{"hours": 1}], "model": "students"}x', "not JSON"),
        (b'{"rows": [{"hours": 1}', "not JSON"),
        (b'{"rows": [{"hours\xff": 1}], "model": "students"}', "not UTF-8"),
        (b'{"rows": [{"hours": "\\ud800"}], "model": "students"}', "not JSON"),
        (b'{"rows": ' + b"[" * 100_000, "too deeply"),
        (b'{"model": "students", "rows": ' + b'{"a":' * 100_000, "too deeply"),
        (b"\xef\xbb\xbf{}", "not JSON"),
    ],
    ids=range(12),
)
@pytest.mark.parametrize("path", ["/predict", "/models/students/predict", "/v2/models/students/infer"])
def test_a_body_that_is_not_json_is_400(ask, path, body, told):
    answer = ask(path, content=body, headers=JSON)
    assert answer.status_code == 400, answer.text
    assert told in answer.json()["error"]


@pytest.mark.parametrize("number", ["1e309", "-1e400", "1" + "0" * 400])
def test_a_number_that_no_double_holds_is_refused(ask, number):
    for path in ("/predict", "/models/students/predict"):
        body = f'{{"rows": [{{"hours": {number}}}], "model": "students"}}'.encode()
        answer = ask(path, content=body, headers=JSON)
        assert answer.status_code == 422, answer.text
        assert "null" not in answer.text


@pytest.mark.parametrize(
    "body",
    [
        '{"rows": [{"flag": true, "a": 1, "a": 2, "code": "5"}]}',
        '{"rows": [{"flag": true, "a": 1, "\\u0061": 2, "code": "5"}]}',
        '{"rows": [{"flag": true, "a": 1, "code": "1:5", "code": "5"}]}',
        '{"rows": [{"flag": true, "a": 1, "code": "1\\u003a5", "code": "1:5"}]}',
        '{"rows": [], "rows": [{"flag": true, "a": 1, "code": "5"}]}',
        '{"model": "kinds", "rows": [{"flag": true, "a": 1, "code": "5"}], "model": "kinds"}',
    ],
)
def test_a_key_that_stands_twice_is_refused_however_it_is_written(ask, body):
    answer = ask("/models/kinds/predict", content=body.encode(), headers=JSON)
    assert answer.status_code == 422
    assert "stands twice" in answer.json()["error"]


def test_the_body_of_another_model_is_refused(ask):
    answer = ask("/models/students/predict", {"rows": [{"hours": 1}], "model": "births"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == "model"
    answer = ask("/predict", {"rows": [GOOD], "model": "nobody"})
    assert answer.status_code == 422
    assert answer.json()["error"].startswith('model: there is no model "nobody"')
    assert ask("/models/nobody/predict", {"rows": [GOOD]}).status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": ""},
        {**JSON, "Content-Encoding": "gzip"},
        {**JSON, "Content-Encoding": "br"},
    ],
)
def test_what_is_not_plain_json_is_415_and_a_gzip_bomb_is_never_opened(ask, headers):
    bomb = gzip.compress(bytes(50_000_000)) if "Content-Encoding" in headers else json.dumps(rows()).encode()
    assert ask("/predict", content=bomb, headers=headers).status_code == 415


def test_a_body_of_a_hundred_megabytes_is_413_whether_its_length_is_told_or_not(ask, service):
    def parts():
        for _ in range(1600):
            yield bytes(65536)

    answer = ask("/predict", content=b" " * 100_000_000, headers=JSON)
    assert answer.status_code == 413
    assert "4,000,000 bytes" in answer.json()["error"]
    assert ask("/predict", content=parts(), headers=JSON).status_code == 413
    # Who announces it and waits for leave is told at once.
    told = service.raw(head(Content_Type="application/json", Content_Length=10**12, Expect="100-continue"))
    assert status(told) == 413


def test_a_million_rows_are_refused(ask):
    body = b'{"model": "students", "rows": [' + b'{"hours":1},' * 999_999 + b'{"hours":1}]}'
    assert ask("/predict", content=body, headers=JSON).status_code == 413
    short = b'{"model": "students", "rows": [' + b"{}," * 999_999 + b"{}]}"
    answer = ask("/predict", content=short, headers=JSON)
    assert answer.status_code == 422
    assert "1,000,000 rows" in answer.json()["error"]


def test_a_slow_body_is_408_and_others_are_answered_meanwhile(ask, service):
    began = head(Content_Type="application/json", Content_Length=100) + b'{"rows": ['
    found = []
    with socket.create_connection(("127.0.0.1", service.port), 10) as connection:
        connection.sendall(began)
        waiting = threading.Thread(target=lambda: found.append(answer_on(connection)))
        waiting.start()
        asked = 0
        while waiting.is_alive():
            assert ask("/predict", rows()).status_code == 200
            asked += 1
            time.sleep(0.01)
            if waiting.is_alive():
                connection.sendall(b" ") if asked % 20 == 0 and asked < 100 else None
        waiting.join()
    assert status(found[0]) == 408
    assert b"connection: close" in found[0]
    assert asked > 3


def test_half_a_body_is_no_request_and_slow_headers_are_408(service):
    began = head(Content_Type="application/json", Content_Length=100) + b'{"rows": ['
    service.raw(began, close=True)
    refused = service.wait("request", where=lambda entry: entry["status"] in (400, 408) and entry["bytes_in"] == 10)
    assert refused["path"] == "/predict"
    assert status(service.raw(b"POST /predict HTTP/1.1\r\nHost: a", b"", patience=10)) == 408
    assert service.raw(b"") == b""  # who says nothing is let go


def test_headers_without_end_are_431_and_what_is_no_http_is_400(service):
    assert status(service.raw(head(X_Long="a" * 40_000))) == 431
    # Behind another request, in one go.
    assert b" 431 " in service.raw(head("/healthz", "GET") + head(X_Long="a" * 40_000), close=True, whole=True)
    assert status(service.raw(b"GET / HTTP/1.1\r\n", *[b"X-A: " + b"b" * 9000 + b"\r\n"] * 5)) == 431
    assert status(service.raw(b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\n")) == 431
    for nonsense in (b"\x16\x03\x01\x02\x00", b"HELLO\r\n\r\n", b"GET / HTTP/1.1\r\nHost 1\r\n\r\n"):
        answer = service.raw(nonsense + b"\r\n" * 2)
        assert status(answer) == 400
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]


def test_a_request_smuggled_by_two_lengths_is_400(service):
    body = b'{"rows": [{"hours": 1}], "model": "students"}'
    both = head(Content_Type="application/json", Content_Length=len(body), Transfer_Encoding="chunked")
    assert status(service.raw(both + body)) == 400
    twice = head(Content_Type="application/json", Content_Length=len(body)).replace(
        b"\r\n\r\n", b"\r\nContent-Length: 3\r\n\r\n"
    )
    assert status(service.raw(twice + body)) == 400


@pytest.mark.parametrize(
    "path", ["/../etc/passwd", "/models/../../secret", "/models/%2e%2e", "/static/..%2f..%2fx", "/nothing", "//"]
)
def test_an_address_that_is_not_there_is_404_and_no_path_leads_out(service, path):
    assert status(service.raw(head(path, "GET"))) == 404


@pytest.mark.parametrize(("path", "allowed"), [("/predict", "POST"), ("/healthz", "GET"), ("/models/births", "GET")])
def test_another_method_is_405_and_says_which_there_is(service, path, allowed):
    method = "GET" if allowed == "POST" else "DELETE"
    answer = service.raw(head(path, method))
    assert status(answer) == 405
    assert allowed.encode() in next(line for line in answer.split(b"\r\n") if line.startswith(b"allow: "))


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "192.0.2.7", "[::2]", ""]
)
def test_a_foreign_host_is_refused(service, host):
    assert status(service.raw(head("/healthz", "GET", host))) == (421 if host else 400)


def test_hosts_of_this_machine_are_known_and_two_hosts_are_one_too_many(service):
    for host in ("127.0.0.1", f"127.0.0.1:{service.port}", "localhost", "LOCALHOST:80", "[::1]:8000"):
        assert status(service.raw(head("/healthz", "GET", host))) == 200
    assert status(service.raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")) == 400
    assert status(service.raw(b"GET /healthz HTTP/1.1\r\n\r\n")) == 400


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1", "http://localhost:1"])
def test_a_foreign_origin_is_refused_and_ones_own_is_not(ask, service, origin):
    own = service.address.rstrip("/")
    assert ask("/predict", rows(), headers={"Origin": own}).status_code == 200
    assert ask("/predict", rows(), headers={"Origin": origin}).status_code == 403


def test_too_many_at_once_are_told_to_come_again(service):
    began = head(Content_Type="application/json", Content_Length=100)
    held = [socket.create_connection(("127.0.0.1", service.port), 10) for _ in range(20)]
    try:
        for connection in held:
            connection.sendall(began)
        time.sleep(0.3)
        with httpx.Client(base_url=service.address, verify=False) as client:
            refused = client.post("/predict", json=rows())
            assert refused.status_code == 503
            assert refused.headers["retry-after"] == "1"
            assert client.get("/healthz").status_code == 200  # whoever looks whether it lives sees that it does
        assert {status(answer_on(connection)) for connection in held} == {408}
    finally:
        for connection in held:
            connection.close()


def test_a_wrong_token_is_401_everywhere_but_where_nothing_of_a_model_is(models, folder, tmp_path):
    token = tmp_path / "token"
    token.write_text("0123456789abcdef-right\n")
    with (
        running(folder, str(models["students"]), "--token-file", str(token)) as service,
        httpx.Client(base_url=service.address, verify=False) as client,
    ):
        for path in ("/", "/docs", "/healthz", "/readyz", "/v2/health/live", "/v2/health/ready"):
            assert client.get(path).status_code == 200
        for path in ("/models", "/openapi.json", "/metrics", "/v2", "/v2/models/students", "/nothing", "/predict"):
            for given in (None, "Bearer", "Bearer 0123456789abcdef-wrong", "Basic 0123456789abcdef-right", "Bearer é"):
                headers = {} if given is None else {"Authorization": given.encode()}
                answer = client.get(path, headers=headers)
                assert answer.status_code == 401
                assert answer.headers["www-authenticate"] == "Bearer"
        right = {"Authorization": "Bearer 0123456789abcdef-right"}
        assert client.get("/models", headers=right).status_code == 200
        assert client.post("/predict", json={"rows": [{"hours": 1}]}, headers=right).status_code == 200
        assert "0123456789abcdef" not in service.log.read_text()
