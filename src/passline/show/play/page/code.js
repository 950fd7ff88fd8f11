/** The PyTorch that does exactly what the page does: the whole programme, and the five lines of one step. */

import { hasTwo } from "./descent.js";

/** The lines of one step, in the order in which they run. */
export function stepLines(settings, two = false) {
  const [given, outcome] = namesOf(two);
  const lines = [`predicted = model(${given})`, `loss = criterion(predicted, ${outcome})`];
  if (settings.clear) lines.push("optimizer.zero_grad()");
  return [...lines, "loss.backward()", "optimizer.step()"];
}

/** A programme that ends at the page's weight and bias, in double precision as here. */
export function programme({ points, settings, steps }) {
  const two = hasTwo(points);
  const [given, outcome] = namesOf(two);
  const float = (value) => (/[.e]/.test(String(value)) ? String(value) : `${value}.0`);
  const column = (...names) =>
    points.map((point) => `[${names.map((name) => float(point[name])).join(", ")}]`).join(", ");
  const batched = settings.batch > 0 && settings.batch < points.length;
  return [
    "import torch",
    "",
    `${given} = torch.tensor([${two ? column("x", "z") : column("x")}], dtype=torch.float64)`,
    `${outcome} = torch.tensor([${column("y")}], dtype=torch.float64)`,
    "",
    "",
    "class PassModel(torch.nn.Module):",
    "    def __init__(self):",
    "        super().__init__()",
    `        self.linear = torch.nn.Linear(${two ? 2 : 1}, 1)`,
    "",
    `    def forward(self, ${given}):`,
    `        return torch.sigmoid(self.linear(${given}))`,
    "",
    "",
    `torch.manual_seed(${settings.seed})`,
    "model = PassModel().double()",
    `criterion = torch.nn.${{ bce: "BCELoss", mse: "MSELoss" }[settings.loss]}(reduction="${settings.reduction}")`,
    `optimizer = torch.optim.${optimizer(settings)}`,
    ...(batched ? ["batches = []"] : []),
    `for step in range(${steps}):`,
    ...loop(settings, batched, two).map((line) => `    ${line}`),
    "",
    ...(two
      ? [
          "w, v = model.linear.weight[0].tolist()",
          "b = model.linear.bias.item()",
          'print(f"weights {w:.6f} and {v:.6f}, bias {b:.6f}; flips where {w:.6f} * x + {v:.6f} * z + {b:.6f} = 0")',
        ]
      : [
          "w, b = (parameter.item() for parameter in model.parameters())",
          'print(f"weight {w:.6f}, bias {b:.6f}, flips at {-b / w:.6f} hours")',
        ]),
    "",
  ].join("\n");
}

function optimizer({ optimizer: name, rate }) {
  return {
    sgd: `SGD(model.parameters(), lr=${rate})`,
    momentum: `SGD(model.parameters(), lr=${rate}, momentum=0.9)`,
    adam: `Adam(model.parameters(), lr=${rate})`,
  }[name];
}

/** What the tensors are called. */
function namesOf(two) {
  return two ? ["inputs", "outcome"] : ["hours", "passed"];
}

function loop(settings, batched, two) {
  const [given, outcome] = namesOf(two);
  const [predict, loss, ...rest] = stepLines(settings, two);
  const rows = batched ? "rows" : null;
  const lines = batched
    ? [
        "if not batches:",
        `    batches = list(torch.randperm(len(${given})).split(${settings.batch}))`,
        "rows = batches.pop(0)",
      ]
    : [];
  const of = (line, name) => (rows ? line.replace(name, `${name}[${rows}]`) : line);
  lines.push(of(predict, given), of(loss, outcome));
  if (settings.ridge > 0) {
    const count = settings.reduction === "sum" ? "len(predicted) * " : "";
    lines.push(`loss = loss + ${count}${settings.ridge} / 2 * model.linear.weight.square().sum()`);
  }
  return [...lines, ...rest];
}
