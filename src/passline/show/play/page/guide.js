/** The six guided steps: what each shows, and the figures in its text, which this page computes itself. */
import { advance, begin, boundary, LESSON, probability } from "./descent.js";
import { firth, optimum } from "./exact.js";
import { html, write } from "./dom.js";
import { THREE, TWENTY } from "./state.js";

const WITHOUT = Object.freeze({ ...LESSON, clear: false });

/** What the page shows at each guided step (1 to 6): the points, the settings, the steps. */
export const STAGES = Object.freeze([
  null,
  { points: THREE, settings: LESSON, steps: 0 },
  { points: THREE, settings: LESSON, steps: 1 },
  { points: THREE, settings: LESSON, steps: 1000 },
  { points: THREE, settings: LESSON, steps: 10000 },
  { points: TWENTY, settings: WITHOUT, steps: 400 },
  { points: TWENTY, settings: LESSON, steps: 6000 },
]);

/** The figures of the story, each from a descent or an exact answer of this page. */
export function figures() {
  const run = begin(THREE, LESSON);
  const found = { w0: run.w, b0: run.b, p0: probability(run, 2), loss0: run.trace.losses[0] };
  advance(run, 1);
  Object.assign(found, { w1: run.w, loss1: run.trace.losses[1] });
  advance(run, 999);
  Object.assign(found, { p2: probability(run, 2), p3: probability(run, 3), at1000: boundary(run) });
  advance(run, 9000);
  Object.assign(found, { w10000: run.w, at10000: boundary(run), firthAt: boundary(firth(THREE)) });
  const best = optimum(TWENTY);
  return Object.assign(found, { bestW: best.w, bestB: best.b, bestAt: boundary(best) });
}

/** The card with the step at hand; `act` has stage(n). */
export function makeGuide(root, act) {
  const facts = figures();
  const title = html("h2");
  const count = html("p", { class: "count" });
  const text = html("p");
  const go = html("button", { type: "button", id: "guide-on" });
  const back = html("button", { type: "button", id: "guide-back", class: "quiet" });
  let at = 1;
  let free = false;
  go.onclick = () => act.stage(free ? at : at === 6 ? 1 : at + 1);
  back.onclick = () => act.stage(at - 1);
  root.append(count, title, text, html("div", { class: "row" }, go, back));
  return {
    facts,
    draw({ words, guide, points, settings }) {
      at = guide;
      free = !words.own && !tells(STAGES[guide], points, settings);
      const { title: heading, text: sentence, action } = words.own ?? (free ? words.free : words.guide[guide - 1]);
      count.textContent = words.own || free ? "" : words.of(guide);
      title.textContent = heading;
      write(text, sentence(facts));
      go.hidden = action === undefined;
      go.textContent = action ?? "";
      back.hidden = guide === 1 || free || words.own !== null;
      back.textContent = words.back;
    },
  };
}

/** Whether a guided step is about these points and settings; an address brings equals, not the very same. */
function tells(stage, points, settings) {
  return JSON.stringify([stage.points, stage.settings]) === JSON.stringify([points, settings]);
}

/** The whole story as a list, to be read without touching anything. */
export function makeStory(root, facts) {
  return {
    draw({ words }) {
      root.hidden = words.own !== null;
      if (root.hidden) return;
      const items = words.guide.map(({ title, text }) => {
        const sentence = html("p");
        write(sentence, text(facts));
        return html("li", {}, html("h3", {}, title), sentence);
      });
      root.replaceChildren(html("h2", {}, words.story), html("ol", {}, ...items));
    },
  };
}
