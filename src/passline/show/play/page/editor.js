/** The points as a table: hours in fields, outcomes as ticks; two ready tables, and one that is pasted. */
import { figure, html, set } from "./dom.js";
import { LARGEST_HOURS, MOST_POINTS, readTable, THREE, TWENTY } from "./state.js";

/** The table; `act` has now, move, add, remove and points(table). */
export function makeEditor(root, act) {
  const rows = html("tbody");
  const heads = [html("th", { scope: "col" }), html("th", { scope: "col" }), html("th", { scope: "col" }), html("td")];
  const wrong = html("p", { class: "wrong", role: "alert" });
  const area = html("textarea", { rows: 4, spellcheck: "false", id: "pasted" });
  const label = html("label", { for: "pasted" });
  const buttons = Object.fromEntries(
    ["add", "three", "twenty", "take"].map((name) => [name, html("button", { type: "button", id: `points-${name}` })]),
  );
  const editor = { rows, wrong, act, view: null };
  buttons.add.onclick = () => act.add(editor.view.table ? middle(editor.view.frame) : 2.5, 1);
  buttons.three.onclick = () => act.points(THREE);
  buttons.twenty.onclick = () => act.points(TWENTY);
  buttons.take.onclick = () => {
    const read = readTable(area.value);
    wrong.textContent = read.wrong ? editor.view.words.points.wrong(read.wrong) : "";
    if (read.points) act.points(read.points);
  };
  const table = html("table", { class: "points-table" }, html("thead", {}, html("tr", {}, ...heads)), rows);
  root.append(
    html("div", { class: "row" }, buttons.add, buttons.three, buttons.twenty),
    html("div", { class: "scroll tall", tabindex: 0, role: "group" }, table),
    label,
    area,
    html("div", { class: "row" }, buttons.take),
    wrong,
  );
  return {
    draw(view) {
      editor.view = view;
      const { words } = view;
      for (const [name, button] of Object.entries(buttons)) button.textContent = words.points[name];
      for (const name of ["three", "twenty"]) buttons[name].hidden = view.table !== null;
      buttons.add.disabled = view.points.length >= MOST_POINTS;
      label.textContent = words.points.paste;
      root.querySelector(".tall").setAttribute("aria-label", words.points.heading);
      ["#", words.points.number, words.points.passedColumn].forEach((text, i) => (heads[i].textContent = text));
      drawRows(editor);
    },
  };
}

function drawRows(editor) {
  const { rows, view } = editor;
  while (rows.childElementCount > view.points.length) rows.lastChild.remove();
  while (rows.childElementCount < view.points.length) rows.append(makeRow(editor, rows.childElementCount));
  const { words } = view;
  view.points.forEach(({ x, y }, i) => {
    const [hours, passed] = rows.children[i].querySelectorAll("input");
    if (document.activeElement !== hours || Number(hours.value) !== x) hours.value = String(x);
    passed.checked = y === 1;
    set(hours, { "aria-label": words.points.hoursOf(i + 1) });
    set(passed, { "aria-label": words.points.passedOf(i + 1) });
    set(rows.children[i].querySelector("button"), {
      "aria-label": words.points.remove(i + 1),
      disabled: view.points.length === 1,
    });
  });
}

function middle([low, high]) {
  return Number(((low + high) / 2).toPrecision(3));
}

function makeRow(editor, i) {
  const hours = html("input", { type: "number", step: "any", inputmode: "decimal" });
  const passed = html("input", { type: "checkbox" });
  const remove = html("button", { type: "button", class: "quiet" }, "×");
  const now = () => editor.act.now().points[i];
  hours.oninput = () => {
    const x = hours.value.trim() === "" ? NaN : Number(hours.value);
    const good = Math.abs(x) <= LARGEST_HOURS;
    set(hours, { "aria-invalid": !good && "true" });
    editor.wrong.textContent = good ? "" : editor.view.words.points.wrongHours;
    if (good) editor.act.move(i, x, now().y, true);
  };
  passed.onchange = () => editor.act.move(i, now().x, passed.checked ? 1 : 0, true);
  remove.onclick = () => editor.act.remove(i);
  const cell = (...children) => html("td", {}, ...children);
  return html("tr", {}, cell(figure(i + 1)), cell(hours), cell(passed), cell(remove));
}
