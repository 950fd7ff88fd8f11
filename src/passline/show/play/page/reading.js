/** What the page says in words around its pictures: the reading, the notices, the exact answers, the legend. */
import { boundary, finite } from "./descent.js";
import { decimals, figure, html, set, write } from "./dom.js";

const byId = (id) => document.getElementById(id);

/** The exact answers in figures. */
export function drawExact({ answers, words: said, settings }) {
  const facts = [];
  const { best, firth, set: pieces } = answers;
  if (best !== null) facts.push(said.exact.best(best));
  if (firth !== null && (best === null || settings.ridge === 0)) facts.push(said.exact.firth(firth));
  if (pieces !== null) facts.push(said.exact.set(said.set(pieces)));
  byId("exact").replaceChildren(...facts.map((fact) => html("li", {}, fact)));
}

/** What the lines and dots of the picture are. */
export function drawLegend({ run, ghosts, interval, answers, settings, words: said }) {
  const parted = answers.kind === "complete" && settings.ridge === 0;
  const shown = [
    ["failed", said.failed],
    ["passed", said.passed],
    ...(ghosts ? [[run.z === null ? "curve" : "half", said.legend.curve]] : []),
    ...(ghosts && answers.best ? [["best", said.legend.best]] : []),
    ...(ghosts && !answers.best && answers.firth ? [["firth", said.legend.firth]] : []),
    ...(ghosts && parted ? [[run.z === null ? "gap" : "gap wide", said.legend.gap]] : []),
    ...(interval && answers.set ? [["set", said.legend.set]] : []),
  ];
  byId("legend").replaceChildren(
    ...shown.map(([name, text]) => html("li", {}, html("span", { class: `swatch ${name}` }), text)),
  );
}

/** Every text that changes with the language alone. */
export function drawTexts({ words: said, language }) {
  document.documentElement.lang = said.code;
  document.title = `passline · ${said.title}`;
  byId("title").textContent = said.title;
  byId("lead").textContent = said.lead;
  byId("running").textContent = said.running;
  byId("language").textContent = said.other;
  set(byId("language"), { lang: language === "en" ? "zh-CN" : "en" });
  byId("foot").textContent = said.foot;
  for (const name of ["controls", "losses", "surface", "arithmetic", "points", "programme"]) {
    byId(`${name}-heading`).textContent = said[name].heading;
  }
  byId("copy").textContent = said.programme.copy;
  byId("picture").textContent = said.programme.picture;
}

/** Where the curve flips, after how many steps, and what is to be said of that. */
export function drawReading(view) {
  const { run, words: said } = view;
  if (run.z === null) drawFlip(run, said);
  else drawFlips(run, said);
  byId("after").textContent = said.after(run.step, decimals(view.loss));
  byId("line").textContent = view.line;
  byId("step").textContent = said.step;
  byId("more-button").textContent = view.more ? said.less : said.more;
  set(byId("more-button"), { "aria-expanded": String(view.more) });
  byId("more").hidden = !view.more;
  const texts = view.told.map((notice) => said.notices[notice.key](notice));
  drawNotices(texts, view.told);
  // What a programme that drives the page reads.
  const told = { steps: run.step, w: run.w, b: run.b, boundary: boundary(run) ?? "" };
  Object.assign(byId("reading").dataset, run.z === null ? told : { ...told, v: run.v });
}

function drawFlip(run, said) {
  const at = boundary(run);
  byId("flips-label").textContent = at === null ? said.flat : said.flipsAt;
  byId("falls").textContent = at !== null && run.w < 0 ? said.falls : "";
  byId("flips").textContent = at === null ? "" : figure(at);
  byId("flips-unit").textContent = at === null ? "" : said.hoursUnit(at);
}

/** With two predictors it flips along a line. */
function drawFlips(run, said) {
  const flat = !finite(run) || (run.w === 0 && run.v === 0);
  byId("flips").parentElement.classList.add("along");
  byId("flips-label").textContent = flat ? said.flat : said.flipsAlong;
  byId("flips").textContent = flat ? "" : said.line(run);
  byId("falls").textContent = flat ? "" : said.sides(run);
}

function drawNotices(texts, told) {
  const list = byId("notices");
  while (list.childElementCount > texts.length) list.lastChild.remove();
  while (list.childElementCount < texts.length) list.append(html("li"));
  texts.forEach((text, i) => {
    write(list.children[i], text);
    list.children[i].dataset.key = told[i].key;
  });
}
