/** The points as a table: hours in fields, outcomes as ticks; two ready tables, and one that is pasted. */
import { figure, html, set } from "./dom.js";
import { LARGEST_HOURS, MOST_POINTS, readTable, THREE, TWENTY } from "./state.js";

// So many rows are in the table at first: each field costs every frame of a descent that plays.
const LISTED = 20;

/** The table, with one number a row or `two`; `act` has now, move, add, remove and points(table). */
export function makeEditor(root, act, two) {
  const rows = html("tbody");
  const heads = Array.from({ length: two ? 4 : 3 }, () => html("th", { scope: "col" }));
  const wrong = html("p", { class: "wrong", role: "alert" });
  const area = html("textarea", { rows: 4, spellcheck: "false", id: "pasted" });
  const label = html("label", { for: "pasted" });
  const buttons = Object.fromEntries(
    ["add", "three", "twenty", "take", "all"].map((name) => [name, html("button", { type: "button", id: `points-${name}` })]),
  );
  const editor = { rows, wrong, act, two, view: null, all: false };
  buttons.add.onclick = () => {
    const { table, frame, frameZ } = editor.view;
    editor.all = true;
    act.add({ x: table ? middle(frame) : 2.5, z: two ? middle(frameZ) : undefined, y: 1 });
  };
  buttons.three.onclick = () => act.points(THREE);
  buttons.twenty.onclick = () => act.points(TWENTY);
  buttons.all.onclick = () => {
    editor.all = true;
    draw(editor.view);
    rows.children[LISTED].querySelector("input").focus();
  };
  buttons.take.onclick = () => {
    const read = readTable(area.value, two);
    wrong.textContent = read.wrong ? editor.view.words.points.wrong(read.wrong) : "";
    if (read.points) act.points(read.points);
  };
  const table = html("table", { class: "points-table" }, html("thead", {}, html("tr", {}, ...heads, html("td"))), rows);
  root.append(
    html("div", { class: "row" }, buttons.add, buttons.three, buttons.twenty),
    html("div", { class: "scroll tall", tabindex: 0, role: "group" }, table),
    html("div", { class: "row" }, buttons.all),
    label,
    area,
    html("div", { class: "row" }, buttons.take),
    wrong,
  );
  function draw(view) {
    editor.view = view;
    const { words } = view;
    const { all, ...named } = buttons;
    for (const [name, button] of Object.entries(named)) button.textContent = words.points[name];
    all.textContent = words.points.all(view.points.length);
    all.hidden = editor.all || view.points.length <= LISTED;
    for (const name of ["three", "twenty"]) buttons[name].hidden = view.table !== null;
    buttons.add.disabled = view.points.length >= MOST_POINTS;
    label.textContent = words.points.paste;
    root.querySelector(".tall").setAttribute("aria-label", words.points.heading);
    const { number, second, passedColumn } = words.points;
    ["#", number, ...(two ? [second] : []), passedColumn].forEach((text, i) => (heads[i].textContent = text));
    drawRows(editor);
  }
  return { draw };
}

function drawRows(editor) {
  const { rows, view } = editor;
  const listed = editor.all ? view.points : view.points.slice(0, LISTED);
  while (rows.childElementCount > listed.length) rows.lastChild.remove();
  while (rows.childElementCount < listed.length) rows.append(makeRow(editor, rows.childElementCount));
  const { words } = view;
  listed.forEach((point, i) => {
    const fields = [...rows.children[i].querySelectorAll("input")];
    const passed = fields.pop();
    fields.forEach((field, k) => {
      const value = k ? point.z : point.x;
      if (document.activeElement !== field || Number(field.value) !== value) field.value = String(value);
      set(field, { "aria-label": k ? words.points.secondOf(i + 1) : words.points.hoursOf(i + 1) });
    });
    passed.checked = point.y === 1;
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
  const fields = (editor.two ? ["x", "z"] : ["x"]).map((name) => {
    const field = html("input", { type: "number", step: "any", inputmode: "decimal" });
    field.oninput = () => {
      const value = field.value.trim() === "" ? NaN : Number(field.value);
      const good = Math.abs(value) <= LARGEST_HOURS;
      set(field, { "aria-invalid": !good && "true" });
      const { wrongHours, wrongSecond } = editor.view.words.points;
      editor.wrong.textContent = good ? "" : name === "x" ? wrongHours : wrongSecond;
      if (good) editor.act.move(i, { [name]: value }, true);
    };
    return field;
  });
  const passed = html("input", { type: "checkbox" });
  const remove = html("button", { type: "button", class: "quiet" }, "×");
  passed.onchange = () => editor.act.move(i, { y: passed.checked ? 1 : 0 }, true);
  remove.onclick = () => editor.act.remove(i);
  const cell = (...children) => html("td", {}, ...children);
  return html("tr", {}, cell(figure(i + 1)), ...fields.map((field) => cell(field)), cell(passed), cell(remove));
}
