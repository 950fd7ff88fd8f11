/** The page at /: which model, its fields, and what the service answers to what they say. */

import { ask, bring } from "./asking.js";
import { makeFields, outside } from "./fields.js";
import { sharesTable } from "./shares.js";
import { cut, figure, html, write } from "./dom.js";

// After so many milliseconds without a change the service is asked.
const PATIENCE = 60;
const LONGEST = 80;

const at = (id) => document.getElementById(id);
let asked = 0;
let shown = 0;

function start() {
  at("token-form").addEventListener("submit", (event) => {
    event.preventDefault();
    bring(at("token").value.trim());
    begin();
  });
  at("fields").addEventListener("submit", (event) => event.preventDefault());
  at("model").addEventListener("change", () => show(at("model").selectedOptions[0].textContent));
  begin();
}

async function begin() {
  const { status, body } = await ask("/models");
  at("token-form").hidden = status !== 401;
  if (status === 401) at("token").focus();
  if (status !== 200) return trouble(status === 401 && at("token").value === "" ? "" : body.error);
  at("model").replaceChildren(...body.models.map((name) => html("option", {}, name)));
  at("choice").hidden = body.models.length < 2;
  await show(body.models[0]);
}

async function show(name) {
  const mine = ++shown;
  const { status, body: model } = await ask(`/models/${encodeURIComponent(name)}`);
  if (mine !== shown) return; // another was chosen meanwhile
  if (status !== 200) return trouble(model.error);
  trouble("");
  at("lead").replaceChildren(
    "The probability that ", named(model.outcome), " is ", named(model.positive), ", by ", html("code", { class: "name" }, cut(model.formula, 300)),
    model.rows_used ? `, fitted to ${model.rows_used.toLocaleString("en-GB")} rows.` : ".",
  );
  let waiting = null;
  const fields = makeFields(model.columns, () => {
    at("answer").classList.add("stale");
    clearTimeout(waiting);
    waiting = setTimeout(() => answer(model, fields.row()), PATIENCE);
  });
  at("fields").replaceChildren(...fields.nodes);
  at("panel").hidden = false;
  await answer(model, fields.row());
}

async function answer(model, row) {
  const mine = ++asked;
  const open = model.columns.find(({ name }) => row[name] === null);
  const body = { rows: [row] };
  write(at("request"), command(model.name, body));
  const beyond = outside(model.columns, row);
  at("beyond").hidden = beyond.length === 0;
  const ranges = beyond.map(({ name, min, max }) => `${cut(name, LONGEST)} (${figure(min)} to ${figure(max)})`);
  at("beyond").textContent = `Outside of what the rows of the fit cover: ${ranges.join(", ")}. This is an extrapolation.`;
  if (open) return tell("–", `${cut(open.name, LONGEST)} has no number yet.`, null);
  const [predicted, explained] = await Promise.all(
    ["predict", "explain"].map((what) => ask(`/models/${encodeURIComponent(model.name)}/${what}`, body)),
  );
  if (mine !== asked) return; // a later one is on its way
  if (predicted.status !== 200) return tell("–", problems(predicted.body), null);
  const probability = predicted.body.probabilities[0];
  if (explained.status !== 200) return tell(percent(probability), problems(explained.body), null);
  const [found] = explained.body.rows;
  const words = `Log-odds ${figure(found.logit, 5)}. The average row of the fit has ${figure(explained.body.base, 5)}; the terms below make the difference.`;
  tell(percent(probability), words, found.shares);
}

function tell(big, words, shares) {
  at("probability").textContent = big;
  at("words").textContent = words;
  at("shares").replaceChildren(...(shares === null ? [] : [sharesTable(shares)]));
  at("answer").classList.remove("stale");
}

function trouble(text) {
  at("trouble").hidden = text === "";
  at("trouble").textContent = text;
}

function problems({ error, errors }) {
  return errors.length > 1 ? errors.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join(" · ") : error;
}

function named(text) {
  return html("span", { class: "name" }, cut(text, LONGEST));
}

function percent(probability) {
  const value = 100 * probability;
  if (value === 0 || value === 100) return `${value} %`;
  return value < 0.01 || value > 99.99 ? `${value < 50 ? "under 0.01" : "over 99.99"} %` : `${value.toFixed(2)} %`;
}

function command(name, body) {
  const quoted = JSON.stringify(body).replaceAll("'", "'\\''");
  return `curl ${location.origin}/models/${encodeURIComponent(name)}/explain \\\n  -H 'Content-Type: application/json' \\\n  -d '${quoted}'`;
}

start();
