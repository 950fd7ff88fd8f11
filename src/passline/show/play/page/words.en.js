/** What the page says, in English; the lesson's own sentences where it has them. */
import { boundary } from "./descent.js";
import { decimals, figure, whole } from "./dom.js";

/** All words; `table` is null for the lesson, else a table of one's own with its names made plain. */
export function english(table) {
  const unit = table ? "" : " hours";
  const noun = table ? "row" : "student";
  const Noun = table ? "Row" : "Student";
  const yes = table ? `${table.outcome} = ${table.positive}` : "";
  return {
    code: "en",
    other: "中文",
    title: table ? `Where along ${table.x} does ${table.outcome} flip?` : "From how many hours on does one pass?",
    lead: table
      ? `${table.used === table.read ? "" : `${table.used} of `}${table.read} rows of ${table.source}.`
      : "Logistic regression, live: the points, the curve, and every step that PyTorch takes.",
    own: table && {
      title: "Your table",
      text: () =>
        `The probability of ${yes} along ${table.x}. The model begins with random parameters, and each Step moves them by the ` +
        "gradients of all rows; the dashed curve is where an exact method ends at once. Press Step, or open More and play.",
    },
    free: {
      title: "Your turn",
      text: () =>
        "You changed the points or the settings. Each time the page begins again from the same seed and takes as many steps as " +
        "before, so what you see is always what the PyTorch under More gives.",
      action: "Back to the story",
    },
    step: "Step",
    more: "More",
    less: "Less",
    back: "Back",
    of: (n) => `${n} of 6`,
    hours: table ? table.x : "Hours",
    probability: table ? `Probability of ${yes}` : "Probability of Pass",
    failed: table ? `${table.outcome} = ${table.negative}` : "failed",
    passed: table ? yes : "passed",
    flipsAt: "flips at",
    hoursUnit: (n) => (table ? "" : n === 1 ? "hour" : "hours"),
    flat: "flips nowhere: the curve is flat",
    falls: table ? "The curve falls." : "The curve falls: one passes up to there.",
    after: (n, loss) => `${n === 1 ? "after 1 step" : `after ${whole(n)} steps`} · loss now ${loss}`,
    running: "The line of PyTorch that is running",
    chart: (n) =>
      `The probability of ${table ? `${yes} along ${table.x}` : "passing against hours"}, with ${n} ${noun}${n === 1 ? "" : "s"}`,
    student: (i) => `${Noun} ${i}`,
    where({ x, y }) {
      const outcome = y ? this.passed : this.failed;
      return table ? `${table.x} ${figure(x)}, ${outcome}` : `${figure(x)} ${x === 1 ? "hour" : "hours"}, ${outcome}`;
    },
    pointHelp:
      "Drag a point, or with the keyboard: left and right move it, up and down or Enter flip it, Delete removes it. " +
      "Drag one out of the picture to remove it; click near the top or the bottom edge to add one.",
    legend: {
      curve: "the model",
      line: "probability 0.5",
      best: "exact answer (maximum likelihood)",
      firth: "Firth’s curve",
      gap: "the gap: every line in it does as well",
      set: "boundary, 95 % profile set",
    },
    set(pieces) {
      if (pieces.length === 2) {
        return `everything except ${figure(pieces[0][1])} to ${figure(pieces[1][0])}${unit}`;
      }
      const [low, high] = pieces[0];
      return Number.isFinite(low)
        ? `${figure(low)} to ${figure(high)}${unit}`
        : table
          ? "any value"
          : "any number of hours";
    },
    exact: {
      best: ({ w, b }) =>
        `Exact answer: weight ${figure(w, 7)}, bias ${figure(b, 7)}, flips at ${figure(boundary({ w, b }), 7)}${unit}.`,
      firth: ({ w, b }) =>
        `Under Jeffreys’ prior (Firth’s method) the weight is ${figure(w, 6)}, the bias ${figure(b, 6)}, ` +
        `and the curve meets 0.5 at ${figure(boundary({ w, b }), 5)}${unit}.`,
      set: (text) => `95 % profile set of the boundary: ${text}.`,
    },
    notices: {
      beyond: ({ rate }) =>
        `The learning rate ${figure(rate)} is too large: a step leapt beyond all numbers, and nothing was learned. Try 0.01.`,
      rose: ({ from, to, rate }) =>
        `The loss rose from ${figure(from)} to ${figure(to)}: the learning rate ${figure(rate)} is too large. Try a tenth of it.`,
      swings: ({ rate }) =>
        `The loss swings up and down: the learning rate ${figure(rate)} is too large. Try a tenth of it.`,
      uncleared: () => "`zero_grad()` is switched off: each step is the sum of all gradients so far.",
      stuck: () =>
        `Some ${noun}s are predicted wrongly with such certainty that PyTorch cuts their loss off at 100, and their gradient all ` +
        `but vanishes: the descent is stuck. Begin nearer: try another seed${table ? ", or write `scale(...)` around a column of large numbers in the formula" : ""}.`,
      "one-class": () =>
        `All ${noun}s have the same outcome: nothing tells ${table ? "them apart" : "who passes"}. Give at least one of each.`,
      alike: () =>
        table
          ? `All rows have the same ${table.x}: nothing tells them apart.`
          : "All students revised for the same time: no number of hours tells them apart.",
      complete: ({ low, high, w }) =>
        `The points are completely separated: nothing lies between ${figure(low)} and ${figure(high)}${unit}. So no weight is ` +
        `the best (now it is ${figure(w)}): every steeper curve there has a smaller loss.`,
      quasi: ({ low, w }) =>
        `The points are quasi-separated: both outcomes meet only at ${figure(low)}${unit}. So no weight is the best (now it ` +
        `is ${figure(w)}): every steeper curve there has a smaller loss.`,
      heading: ({ where, middle, grows }) =>
        `With more epochs the weight would ${grows ? "grow" : "fall"} for ever, and ${figure(where)}${unit} is where this ` +
        `descent is heading, ever more slowly${middle ? ": here the middle of the gap" : ""}.`,
      converged: () => "Converged: what is left to go is less than a thousandth of a standard error.",
      overlap: () =>
        table
          ? `The outcomes overlap: no value of ${table.x} parts them.`
          : "The outcomes overlap: no number of hours parts those who passed from those who failed.",
      ridge: () => "The points are separated, but the penalty keeps the weight finite: there is one best curve.",
    },
    guide: [
      {
        title: "The model knows nothing yet",
        text: (f) =>
          "Three students revised for one, two and three hours. The first two failed the exam, the third passed. The model is " +
          `\`sigmoid(w · hours + b)\`, and it begins with random parameters: w = ${decimals(f.w0)}, b = ${decimals(f.b0)}. ` +
          `So all three have a probability of about ${decimals(f.p0, 2)}. Press Step.`,
      },
      {
        title: "One step",
        text: (f) =>
          "`loss.backward()` left in each parameter the derivative of the loss by it, and `optimizer.step()` moved each against " +
          `its gradient by the learning rate 0.01: w from ${decimals(f.w0)} to ${decimals(f.w1)}. The loss fell from ` +
          `${decimals(f.loss0)} to ${decimals(f.loss1)}. Take a few more, or a thousand.`,
        action: "1000 steps",
      },
      {
        title: "What the lesson reads off",
        text: (f) =>
          `After 1000 steps two hours fail (${decimals(f.p2)}) and three pass (${decimals(f.p3)}). The curve meets the red line at ` +
          `${figure(f.at1000)} hours: from there on one passes. Is that the answer?`,
        action: "Go on to 10,000 steps",
      },
      {
        title: "It never arrives",
        text: (f) =>
          `After 10,000 steps the weight is ${figure(f.w10000)} and the boundary ${figure(f.at10000)}. Everybody up to 2 hours failed, ` +
          "everybody from 3 on passed, so each steeper curve has a smaller loss: the weight grows for ever, and the boundary creeps " +
          "to 2.5. Every line in the shaded gap would do as well. One answer is finite, Firth’s (dashed): " +
          `${figure(f.firthAt, 5)} hours.`,
        action: "What if zero_grad() is forgotten?",
      },
      {
        title: "Without zero_grad()",
        text: () =>
          "Twenty students now, whose outcomes overlap; and `optimizer.zero_grad()` is left out. Gradients add up, so each step is " +
          "the sum of all gradients so far: the parameters gather speed, rush through the best point, climb the other side and swing " +
          "back. The loss below never comes to rest, and no error is raised.",
        action: "Put zero_grad() back",
      },
      {
        title: "Here there is a best curve",
        text: (f) =>
          `With clearing, the descent comes down and stays. For these twenty there is one best curve: weight ${figure(f.bestW, 7)}, ` +
          `bias ${figure(f.bestB, 7)}, boundary ${figure(f.bestAt, 7)} hours. Now it is yours: drag a point and watch, or open More.`,
        action: "Begin again",
      },
    ],
    controls: {
      heading: "Controls",
      play: "Play",
      pause: "Pause",
      reset: "Reset",
      undo: "Undo",
      pace: "Steps a second",
      paces: { 1: "60", 20: "1,200", 500: "30,000", 0: "as many as possible" },
      seed: "Seed",
      rate: "Learning rate",
      batch: "Batch size (0: all)",
      reduction: "Losses are",
      loss: "Loss",
      optimizer: "Optimizer",
      ridge: "Ridge (l2 a point)",
      clear: "zero_grad() before each step",
      options: {
        sum: "added (sum)",
        mean: "averaged (mean)",
        bce: "binary cross-entropy",
        mse: "squared error",
        sgd: "SGD",
        momentum: "SGD with momentum",
        adam: "Adam",
      },
      wrong: {
        seed: "Seed: a whole number, 0 or more.",
        rate: "Learning rate: a number above 0, such as 0.01.",
        batch: "Batch size: a whole number; 0 for all points.",
        ridge: "Ridge: a number, 0 or more.",
      },
    },
    losses: {
      heading: "Loss",
      step: "Step",
      at: (n, loss) => `step ${whole(n)}: loss ${loss}`,
      help: "Loss against steps",
    },
    surface: {
      heading: "The loss over weight and bias",
      weight: "weight w",
      bias: "bias b",
      alt: (w, b) => `Contours of the loss over weight and bias, with the path walked on it; now at w ${w}, b ${b}`,
    },
    arithmetic: {
      heading: "The next step in numbers",
      hours: table ? `${table.x}, x` : "hours x",
      outcome: "y",
      predicted: "p",
      error: "p − y",
      share: "(p − y) x",
      errorMse: "2 (p − y) p (1 − p)",
      shareMse: "… times x",
      others: (n) => `and ${n} more`,
      gradient: (w, b) => `weight.grad = ${w}\nbias.grad = ${b}`,
      move: (name, from, to, moved) => `${name}: ${from} → ${to}   (${moved})`,
      stopped: "There are no numbers left to step with.",
    },
    points: {
      heading: "Points",
      number: table ? table.x : "hours",
      passedColumn: table ? yes : "passed",
      hoursOf: (i) => `${table ? table.x : "Hours"} of ${noun} ${i}`,
      passedOf: (i) => (table ? `${yes} in row ${i}` : `Student ${i} passed`),
      remove: (i) => `Remove ${noun} ${i}`,
      add: `Add a ${noun}`,
      three: "Three students",
      twenty: "Twenty students",
      paste: `Or paste a table: ${table ? "a number" : "hours"} and 0 or 1, one ${noun} a line`,
      take: "Take these",
      wrong: ({ line, text }) =>
        `Line ${line}: “${text}” is not ${table ? "a number" : "hours"} and 0 or 1. Write one ${noun} a line, such as 2.5, 1.`,
      wrongHours: `${table ? table.x : "Hours"}: a number.`,
      all: (n) => `List all ${whole(n)}`,
      last: `One ${noun} has to stay.`,
    },
    programme: {
      heading: "The PyTorch that does exactly this",
      copy: "Copy",
      copied: "Copied",
      picture: "Save the curve as PNG",
    },
    story: "The whole story, to read",
    foot: "Everything here is computed in this page, in double precision; nothing is sent anywhere.",
  };
}
