/** The PyTorch that does exactly what the page does: the whole programme, and the five lines of one step. */

/** The lines of one step, in the order in which they run. */
export function stepLines(settings) {
  const lines = ["predicted = model(hours)", "loss = criterion(predicted, passed)"];
  if (settings.clear) lines.push("optimizer.zero_grad()");
  return [...lines, "loss.backward()", "optimizer.step()"];
}

/** A programme that ends at the page's weight and bias, in double precision as here. */
export function programme({ points, settings, steps }) {
  const column = (name) =>
    points.map((point) => `[${point[name]}.0]`.replace(/(\.\d+|e[-+]?\d+)\.0\]/, "$1]")).join(", ");
  const batched = settings.batch > 0 && settings.batch < points.length;
  return [
    "import torch",
    "",
    `hours = torch.tensor([${column("x")}], dtype=torch.float64)`,
    `passed = torch.tensor([${column("y")}], dtype=torch.float64)`,
    "",
    "",
    "class PassModel(torch.nn.Module):",
    "    def __init__(self):",
    "        super().__init__()",
    "        self.linear = torch.nn.Linear(1, 1)",
    "",
    "    def forward(self, hours):",
    "        return torch.sigmoid(self.linear(hours))",
    "",
    "",
    `torch.manual_seed(${settings.seed})`,
    "model = PassModel().double()",
    `criterion = torch.nn.${{ bce: "BCELoss", mse: "MSELoss" }[settings.loss]}(reduction="${settings.reduction}")`,
    `optimizer = torch.optim.${optimizer(settings)}`,
    ...(batched ? ["batches = []"] : []),
    `for step in range(${steps}):`,
    ...loop(settings, batched).map((line) => `    ${line}`),
    "",
    "w, b = (parameter.item() for parameter in model.parameters())",
    'print(f"weight {w:.6f}, bias {b:.6f}, flips at {-b / w:.6f} hours")',
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

function loop(settings, batched) {
  const [predict, loss, ...rest] = stepLines(settings);
  const rows = batched ? "rows" : null;
  const lines = batched
    ? [
        "if not batches:",
        `    batches = list(torch.randperm(len(hours)).split(${settings.batch}))`,
        "rows = batches.pop(0)",
      ]
    : [];
  const of = (line, name) => (rows ? line.replace(name, `${name}[${rows}]`) : line);
  lines.push(of(predict, "hours"), of(loss, "passed"));
  if (settings.ridge > 0) {
    const count = settings.reduction === "sum" ? "len(predicted) * " : "";
    lines.push(`loss = loss + ${count}${settings.ridge} / 2 * model.linear.weight.square().sum()`);
  }
  return [...lines, ...rest];
}
