"""Runs exported JavaScript in node, where there is one: the proof of a module, and the tests' way to it."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# Numbers that are not finite come back as text, since JSON has none; what a row throws as {"error": message}.
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
SECONDS = 300

Answer = dict[str, list[Any]]


def in_node(jobs: Sequence[tuple[str, Sequence[Mapping[str, Any]]]]) -> list[Answer] | None:
    """What the functions of each module say of each of its rows; None where node is not there or does not run."""
    node = shutil.which("node")
    if node is None:
        return None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        listed = []
        for place, (text, rows) in enumerate(jobs):
            module = folder / f"model{place}.mjs"
            module.write_text(text, encoding="ascii")
            listed.append({"module": str(module), "rows": rows})
        (folder / "jobs.json").write_text(json.dumps(listed), encoding="utf-8")
        (folder / "driver.mjs").write_text(DRIVER, encoding="utf-8")
        command = [node, str(folder / "driver.mjs"), str(folder / "jobs.json")]
        try:
            done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, timeout=SECONDS)
            answers: list[Answer] = json.loads(done.stdout)
        except (OSError, subprocess.SubprocessError, ValueError):  # another program of that name, or an old one
            return None
    return answers


def rows_of(columns: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Columns as rows; NaN is null."""
    return [
        {name: None if isinstance(v, float) and math.isnan(v) else v for name, v in zip(columns, values, strict=True)}
        for values in zip(*columns.values(), strict=True)
    ]


def numbers(answers: Sequence[Any]) -> list[float]:
    """Answers as numbers: NaN where a row was refused."""
    return [math.nan if isinstance(answer, dict) else float(answer) for answer in answers]
