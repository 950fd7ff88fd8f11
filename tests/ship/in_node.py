"""Modules of JavaScript, run on rows by one process of node."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

DRIVER = """\
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
const jobs = JSON.parse(readFileSync(process.argv[2], "utf8"));
const shown = (value) => (typeof value === "number" && !Number.isFinite(value) ? String(value) : value);
const asked = (f, row) => {
  try {
    return shown(f(row));
  } catch (error) {
    return { error: error.message };
  }
};
const answers = [];
for (const { module, rows } of jobs) {
  const m = await import(pathToFileURL(module));
  answers.push({
    probability: rows.map((row) => asked(m.probability, row)),
    logit: rows.map((row) => asked(m.logit, row)),
    terms: rows.map((row) => asked((r) => m.terms(r).map(({ term, value }) => [term, shown(value)]), row)),
  });
}
process.stdout.write(JSON.stringify(answers));
"""


def rows_of(columns: dict[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Columns as rows; NaN is null."""
    return [
        {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in zip(columns, values, strict=True)
        }
        for values in zip(*columns.values(), strict=True)
    ]


def in_node(jobs: Sequence[tuple[str, Sequence[dict[str, Any]]]], folder: Path) -> list[dict[str, list[Any]]]:
    """What the functions of each module say of each of its rows: a number, or {"error": message}."""
    node = shutil.which("node")
    assert node, "these tests run JavaScript in node, and there is none on the PATH: install Node.js 18 or newer"
    listed = []
    for place, (text, rows) in enumerate(jobs):
        module = folder / f"model{place}.mjs"
        module.write_text(text, encoding="ascii")
        listed.append({"module": str(module), "rows": rows})
    (folder / "jobs.json").write_text(json.dumps(listed), encoding="utf-8")
    (folder / "driver.mjs").write_text(DRIVER, encoding="utf-8")
    done = subprocess.run(
        [node, folder / "driver.mjs", folder / "jobs.json"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers: list[dict[str, list[Any]]] = json.loads(done.stdout)
    return answers


def numbers(values: Sequence[Any]) -> list[float]:
    """Answers as floats: what is not finite comes as text."""
    return [float(value) for value in values]
