"""A model as a JavaScript module without dependencies: logit(row), probability(row), terms(row)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from passline.model import ON_THE_EDGE
from passline.ship.infix import Language, group_texts, number
from passline.ship.plan import Category, Plan, Value, about, make_plan, number_of
from passline.table.columns import BOOLEAN_TEXTS, FALSE_WORDS, TRUE_WORDS

if TYPE_CHECKING:
    from passline.model import Model
    from passline.table.coding import Unseen

JAVASCRIPT = Language(
    functions={
        **{name: f"Math.{name}" for name in ("log1p", "exp", "sqrt", "abs", "pow")},
        "ln": "Math.log",
        "hinge cubed": "hingeCubed",
    },
    equal="===",
    nothing="NaN",
    choice="({condition} ? {then} : {otherwise})",
)


def javascript(model: Model, *, unseen: Unseen = "error") -> str:
    """The text of an ES module with the functions ``logit``, ``probability`` and ``terms`` of a row.

    A row is an object, column -> number, string, boolean or null. Where a value is missing (null, NaN) the answers are
    NaN. A column that is not there, a level that was not there at fitting time (unless ``unseen`` is "baseline") and a
    value outside a function's domain throw an Error that names them. ``terms`` gives each term's share of the log-odds,
    under separation that of the limiting model, whose estimates are finite. All text is ASCII and without "<", so that
    it can stand in a page.
    """
    return script(make_plan(model), unseen)


def script(plan: Plan, unseen: Unseen) -> str:
    """The module of a plan."""
    head = f"""\
// A logistic regression as passline predicts with it: the probability of the positive label of a row, an object of
// columns. Missing values (null, NaN) give NaN; what cannot be used throws an Error.

export const about = {_text(about(plan, unseen))};
"""
    return "\n".join([head, _tables(plan, unseen), _design(plan), _RUNTIME])


def _tables(plan: Plan, unseen: Unseen) -> str:
    terms, place = [], 0
    for term in plan.terms:
        last = place + len(term.groups)
        terms.append(f"[{_text(term.text)}, [{', '.join(map(str, range(place, last)))}]]")
        place = last
    weights = [_rows(group.weights.tolist()) for group in plan.groups]
    intercept = "null" if plan.intercept is None else f"[{', '.join(map(number, plan.intercept.tolist()))}]"
    return f"""\
// The levels of each category and their places, the reference first.
const LEVELS = [{_lines(_levels(plan, category) for category in plan.categories)}];

// First the coefficients; further rows are directions in which the estimates are infinite.
const INTERCEPT = {intercept};
const WEIGHTS = [{_lines(weights)}];
const DIRECTIONS = {plan.directions};
const EDGE = {number(ON_THE_EDGE)};
const BASELINE = {"true" if unseen == "baseline" else "false"};

// Each term and which of the weights are its own.
const TERMS = [{_lines(terms)}];
"""


def _rows(weights: list[list[float]]) -> str:
    return "[" + ", ".join(f"[{', '.join(map(number, row))}]" for row in weights) + "]"


def _lines(items: Any) -> str:
    listed = list(items)
    return "\n  " + ",\n  ".join(listed) + ",\n" if listed else ""


def _levels(plan: Plan, category: Category) -> str:
    pairs: list[str] = []
    for place, level in enumerate(category.levels):
        pairs += [f"[{key}, {place}]" for key in _keys(plan, category, level)]
    return f"new Map([{', '.join(pairs)}])"


def _keys(plan: Plan, category: Category, level: str) -> list[str]:
    """What stands for a level: its text, and the number or truth value whose text it is."""
    if plan.inputs[category.input].kind == "number":
        return [number(float(level))]
    keys = [_text(level)]
    if plan.inputs[category.input].kind == "category":
        if level in BOOLEAN_TEXTS:
            keys.append("true" if level == BOOLEAN_TEXTS[1] else "false")
        if (value := number_of(level)) is not None:
            keys.append(number(value))
    return keys


def _design(plan: Plan) -> str:
    """The function from a row to the value and the place of each group of columns."""
    reader = {"number": "number", "boolean": "truth", "category": "label"}
    lines = [f"const c{i} = {reader[each.kind]}(row, {_text(each.column)});" for i, each in enumerate(plan.inputs)]
    if plan.inputs:
        lines.append(f"if ([{', '.join(f'c{i}' for i in range(len(plan.inputs)))}].includes(null)) return null;")
    lines += [f"const v{i} = {_value(value)};" for i, value in enumerate(plan.values)]
    for i, category in enumerate(plan.categories):
        name = plan.inputs[category.input].column
        lines.append(f"const k{i} = place(c{category.input}, LEVELS[{i}], {_text(name)});")
    pairs = [f"[{value}, {where}]" for value, where in group_texts(plan)]
    body = "\n  ".join([*lines, f"return [{', '.join(pairs)}];"])
    return f"""\
// The value and the place of each group of weights; null where a column is missing.
function design(row) {{
  {body}
}}
"""


def _value(value: Value) -> str:
    if value.reads:
        return f"c{value.sources[0]}"
    sources = [f"v{place}" for place in value.sources]
    text = " * ".join(sources) if value.form is None else JAVASCRIPT.write(value.form, sources[0])
    return f"finite({text}, {_text(value.text)}, {_text(value.needs)})"


def _text(value: Any) -> str:
    """A value as a JavaScript literal that can end neither a string, nor a line, nor a script in a page."""
    return json.dumps(value, ensure_ascii=True).replace("<", "\\u003c")


_RUNTIME = """\
function cell(row, name) {
  if (!Object.hasOwn(row, name) || row[name] === undefined) {
    throw new Error(`the row has no column ${JSON.stringify(name)}, which the model needs`);
  }
  return Number.isNaN(row[name]) ? null : row[name];
}

function refuse(name, value, what) {
  const shown = typeof value === "string" ? JSON.stringify(value) : String(value);
  throw new Error(`column ${JSON.stringify(name)} is ${shown}, which is ${what}`);
}

function number(row, name) {
  const value = cell(row, name);
  if (value === null) return null;
  const plain = typeof value === "string" && /^\\s*[+-]?(\\d+\\.?\\d*|\\.\\d+)(e[+-]?\\d+)?\\s*$/i.test(value);
  const found = plain || typeof value === "boolean" ? Number(value) : value;
  if (typeof found !== "number" || !Number.isFinite(found)) refuse(name, value, "no finite number");
  return found;
}

function truth(row, name) {
  const value = cell(row, name);
  if (value === null) return null;
  const word = String(value).trim().toLowerCase();
  if (@TRUE@.includes(word)) return "TRUE";
  if (@FALSE@.includes(word)) return "FALSE";
  return refuse(name, value, "neither true nor false");
}

function label(row, name) {
  const value = cell(row, name);
  const kind = typeof value;
  if (value !== null && kind !== "string" && kind !== "number" && kind !== "boolean") {
    refuse(name, value, "neither a text nor a number");
  }
  return value;
}

function place(value, levels, name) {
  const found = levels.get(value);
  if (found !== undefined) return found;
  if (BASELINE) return 0;
  return refuse(name, value, "a level that was not there when the model was fitted");
}

function finite(value, text, needs) {
  if (!Number.isFinite(value)) throw new Error(`${text} has no finite value: ${needs}`);
  return value;
}

function hingeCubed(u) {
  return u <= 0 ? 0 : u * u * u;
}

function sum(found, k, absolute) {
  const size = absolute ? Math.abs : (x) => x;
  let total = INTERCEPT === null ? 0 : size(INTERCEPT[k]);
  found.forEach(([value, place], i) => {
    total += size(value) * size(WEIGHTS[i][k][place]);
  });
  return total;
}

/** The log-odds of the positive label; infinite where separated rows send it there. */
export function logit(row) {
  const found = design(row);
  if (found === null) return NaN;
  const signs = [];
  for (let k = 1; k <= DIRECTIONS; k += 1) {
    const along = sum(found, k, false);
    signs.push(Math.abs(along) <= EDGE * sum(found, k, true) ? 0 : Math.sign(along));
  }
  if (signs.every((sign) => sign === 0)) return sum(found, 0, false);
  if (signs[0] > 0 && signs.every((sign) => sign >= 0)) return Infinity;
  if (signs[0] < 0 && signs.every((sign) => sign <= 0)) return -Infinity;
  return NaN;
}

/** The probability of the positive label, 1 / (1 + exp(-logit)), without overflow. */
export function probability(row) {
  const eta = logit(row);
  const e = Math.exp(-Math.abs(eta));
  return eta > 0 ? 1 / (1 + e) : e / (1 + e);
}

/** Each term's share of the log-odds, [{term, value}, ...]; under separation that of the limiting model. */
export function terms(row) {
  const found = design(row);
  const shares = INTERCEPT === null ? [] : [{ term: "(Intercept)", value: found === null ? NaN : INTERCEPT[0] }];
  for (const [term, groups] of TERMS) {
    let value = found === null ? NaN : 0;
    if (found !== null) for (const i of groups) value += found[i][0] * WEIGHTS[i][0][found[i][1]];
    shares.push({ term, value });
  }
  return shares;
}
""".replace("@TRUE@", json.dumps(TRUE_WORDS)).replace("@FALSE@", json.dumps(FALSE_WORDS))
