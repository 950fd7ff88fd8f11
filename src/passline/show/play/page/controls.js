/** Play and pause, and the settings of the descent, each with its range and what to say outside it. */
import { html, set } from "./dom.js";
import { checkedSetting, CHOICES } from "./state.js";

// Steps a frame; 0 is as many as fit.
const PACES = ["1", "20", "500", "0"];
const NUMBERS = ["rate", "seed", "batch", "ridge"];
const BUTTONS = ["play", "reset", "undo"];

/** The panel; `act` has play, reset, undo, pace(n) and setting(name, value). */
export function makeControls(root, act) {
  const wrong = html("p", { class: "wrong", role: "alert" });
  const buttons = Object.fromEntries(BUTTONS.map((name) => [name, html("button", { type: "button", id: name })]));
  for (const name of BUTTONS) buttons[name].onclick = () => act[name]();
  const fields = new Map();
  const panel = { wrong, fields, view: null };
  const pace = chooser(PACES);
  pace.onchange = () => act.pace(Number(pace.value));
  fields.set("pace", pace);
  for (const [name, choices] of Object.entries(CHOICES)) fields.set(name, chooser(choices));
  for (const name of NUMBERS)
    fields.set(name, html("input", { type: "text", inputmode: "decimal", autocomplete: "off" }));
  fields.set("clear", html("input", { type: "checkbox" }));
  for (const [name, field] of fields) {
    set(field, { id: `set-${name}` });
    if (name !== "pace")
      field.addEventListener(NUMBERS.includes(name) ? "input" : "change", () => changed(panel, act, name));
  }
  const order = ["pace", "rate", "optimizer", "loss", "reduction", "batch", "ridge", "seed", "clear"];
  const labelled = order.map((name) =>
    html(
      "div",
      { class: name === "clear" ? "field tick" : "field" },
      html("label", { for: `set-${name}` }),
      fields.get(name),
    ),
  );
  root.append(
    html("div", { class: "row" }, ...Object.values(buttons)),
    html("div", { class: "fields" }, ...labelled),
    wrong,
  );
  return {
    draw(view) {
      panel.view = view;
      const { controls } = view.words;
      buttons.play.textContent = view.playing ? controls.pause : controls.play;
      buttons.reset.textContent = controls.reset;
      buttons.undo.textContent = controls.undo;
      buttons.undo.disabled = view.undoable === 0;
      for (const label of root.querySelectorAll("label")) label.textContent = controls[label.htmlFor.slice(4)];
      for (const [name, field] of fields) show(view, name, field);
    },
  };
}

function chooser(values) {
  return html("select", {}, ...values.map((value) => html("option", { value })));
}

function show(view, name, field) {
  const { controls } = view.words;
  if (name === "clear") {
    field.checked = view.settings.clear;
  } else if (NUMBERS.includes(name)) {
    // What is being typed stays as it is typed.
    const same = checkedSetting(name, field.value) === view.settings[name];
    if (!same && !(document.activeElement === field && field.hasAttribute("aria-invalid"))) {
      field.value = String(view.settings[name]);
      field.removeAttribute("aria-invalid");
    }
  } else {
    const texts = name === "pace" ? controls.paces : controls.options;
    for (const option of field.options) option.textContent = texts[option.value];
    field.value = String(name === "pace" ? view.pace : view.settings[name]);
  }
}

function changed({ fields, wrong, view }, act, name) {
  const field = fields.get(name);
  const value = checkedSetting(name, name === "clear" ? String(field.checked) : field.value);
  set(field, { "aria-invalid": value === null && "true" });
  wrong.textContent = value === null ? view.words.controls.wrong[name] : "";
  if (value !== null) act.setting(name, value);
}
