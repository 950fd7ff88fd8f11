/** A field for each column of a row: a number with a slider over the range of the fit, or a choice of levels. */

import { cut, html } from "./dom.js";

// Signs of a name that a label shows.
const LONGEST = 80;

/** The fields of a model's columns, to be put into a form: their nodes, and a function that gives the row they say. */
export function makeFields(columns, changed) {
  const controls = columns.map((column, i) => (column.levels ? choice(column, i) : number(column, i)));
  const nodes = columns.map((column, i) =>
    html("div", { class: "field" }, html("label", { for: `field-${i}`, class: "name" }, cut(column.name, LONGEST)), controls[i].node),
  );
  for (const { node } of controls) node.addEventListener("input", changed);
  return { nodes, row: () => Object.fromEntries(columns.map((column, i) => [column.name, controls[i].value()])) };
}

/** The columns of numbers whose value in a row lies outside of what the rows of the fit cover. */
export function outside(columns, row) {
  return columns.filter(({ name, min, max }) => min !== undefined && row[name] !== null && (row[name] < min || row[name] > max));
}

function number({ name, min, max, default: start }, i) {
  const whole = min === 0 && max === 1 && start !== undefined;
  const first = start === undefined ? 0 : whole ? Math.round(start) : Number(start.toPrecision(4));
  const field = html("input", { id: `field-${i}`, type: "number", step: "any", value: first, required: true });
  const value = () => {
    const said = field.value.trim() === "" ? NaN : Number(field.value);
    field.toggleAttribute("aria-invalid", !Number.isFinite(said));
    return Number.isFinite(said) ? said : null;
  };
  if (!(min < max)) return { node: field, value };
  const slider = html("input", {
    type: "range", min, max, step: whole ? 1 : "any", value: first, "aria-label": `${cut(name, LONGEST)}, as a slider`,
  });
  slider.addEventListener("input", () => (field.value = Number(Number(slider.value).toPrecision(4))));
  field.addEventListener("input", () => field.value !== "" && (slider.value = field.value));
  return { node: html("div", { class: "both" }, field, slider), value };
}

function choice({ levels, default: start }, i) {
  // A place is sent, so that no level has to survive being an attribute.
  const options = levels.map((level, place) => html("option", { value: place, selected: level === start }, cut(String(level), LONGEST)));
  const field = html("select", { id: `field-${i}`, class: "name" }, ...options);
  return { node: field, value: () => levels[Number(field.value)] };
}
