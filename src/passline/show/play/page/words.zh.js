/** What the page says, in Simplified Chinese; the terms are those of docs/lesson.zh-CN.md. */
import { boundary } from "./descent.js";
import { decimals, figure, whole } from "./dom.js";

/** All words; `table` is null for the lesson, else a table of one's own with its names made plain. */
export function chinese(table) {
  const unit = table ? "" : " 小时";
  const noun = table ? "行" : "位同学";
  const yes = table ? `${table.outcome} = ${table.positive}` : "";
  return {
    code: "zh-CN",
    other: "English",
    title: table ? `${table.x} 到多少时，${table.outcome} 会翻转？` : "复习多少小时以上才能及格？",
    lead: table
      ? `${table.source}：${table.used === table.read ? "" : `${table.used} / `}${table.read} 行。`
      : "动手看逻辑回归：数据点、曲线，以及 PyTorch 走的每一步。",
    own: table && {
      title: "你的表",
      text: () =>
        `${yes} 的概率随 ${table.x} 的变化。模型的参数从随机值出发，每走一步都按所有行的梯度移动；虚线是精确方法一下子就能到达的曲线。` +
        "请按“走一步”，或者打开“更多”。",
    },
    free: {
      title: "轮到你了",
      text: () =>
        "你改动了数据点或设置。每次改动之后，本页都从同一个种子重新开始，走同样多的步数，所以你看到的总与“更多”里的 PyTorch 程序一致。",
      action: "回到故事",
    },
    step: "走一步",
    more: "更多",
    less: "收起",
    back: "上一步",
    of: (n) => `第 ${n} 步，共 6 步`,
    hours: table ? table.x : "复习小时数",
    probability: table ? `${yes} 的概率` : "及格的概率",
    failed: table ? `${table.outcome} = ${table.negative}` : "不及格",
    passed: table ? yes : "及格",
    flipsAt: "分界在",
    hoursUnit: () => (table ? "" : "小时"),
    flat: "没有分界：曲线是平的",
    falls: table ? "曲线向下。" : "曲线向下：到那里为止算及格。",
    after: (n, loss) => `已走 ${whole(n)} 步 · 当前损失 ${loss}`,
    running: "正在运行的那行 PyTorch",
    chart: (n) => `${table ? `${yes} 的概率随 ${table.x} ` : "及格的概率随复习小时数"}的变化，共 ${n} ${noun}`,
    student: (i) => `第 ${i} ${noun}`,
    where({ x, y }) {
      return `${table ? `${table.x} ` : ""}${figure(x)}${unit}，${y ? this.passed : this.failed}`;
    },
    pointHelp:
      "可以拖动数据点；用键盘时，左右键移动，上下键或回车键翻转结果，Delete 键删除。把点拖出图外即删除；点击图的上缘或下缘可以添加一点。",
    legend: {
      curve: "模型",
      line: "概率 0.5",
      best: "精确答案（最大似然）",
      firth: "Firth 曲线",
      gap: "间隙：其中任何一条分界线都一样好",
      set: "分界的 95 % 剖面似然集合",
    },
    set(pieces) {
      if (pieces.length === 2) return `除 ${figure(pieces[0][1])} 到 ${figure(pieces[1][0])}${unit}之外的全部`;
      const [low, high] = pieces[0];
      return Number.isFinite(low) ? `${figure(low)} 到 ${figure(high)}${unit}` : table ? "任何值" : "任何小时数";
    },
    exact: {
      best: ({ w, b }) =>
        `精确答案：权重 ${figure(w, 7)}，偏置 ${figure(b, 7)}，分界 ${figure(boundary({ w, b }), 7)}${unit}。`,
      firth: ({ w, b }) =>
        `采用 Jeffreys 先验（Firth 方法）时，权重为 ${figure(w, 6)}，偏置为 ${figure(b, 6)}，` +
        `曲线与 0.5 相交于 ${figure(boundary({ w, b }), 5)}${unit}。`,
      set: (text) => `分界的 95 % 剖面似然集合：${text}。`,
    },
    notices: {
      beyond: ({ rate }) => `学习率 ${figure(rate)} 太大：有一步跨出了数的范围，什么也没学到。试试 0.01。`,
      rose: ({ from, to, rate }) =>
        `损失从 ${figure(from)} 升到了 ${figure(to)}：学习率 ${figure(rate)} 太大。试试它的十分之一。`,
      swings: ({ rate }) => `损失忽上忽下：学习率 ${figure(rate)} 太大。试试它的十分之一。`,
      uncleared: () => "`zero_grad()` 已关掉：每一步用的是此前所有梯度之和。",
      stuck: () =>
        `有些${table ? "行" : "同学"}的预测错得太“肯定”：PyTorch 把它们的损失截断在 100，梯度几乎为零，下降就停住了。换个起点：试试别的随机种子` +
        `${table ? "，或者在公式里给数值很大的列加上 `scale(...)`" : ""}。`,
      "one-class": () =>
        table
          ? "所有行的结果都一样，无从区分。两种结果请至少各给一行。"
          : "所有同学的结果都一样，无从知道怎样才能及格。及格与不及格的同学请至少各给一位。",
      alike: () =>
        table ? `所有行的 ${table.x} 都一样，无法区分。` : "所有同学复习的时间都一样，无法用小时数区分他们。",
      complete: ({ low, high, w }) =>
        `这些点完全可分：${figure(low)} 与 ${figure(high)}${unit}之间什么也没有。所以没有“最好的”权重（现在是 ${figure(w)}）：` +
        "在那里越陡的曲线，损失越小。",
      quasi: ({ low, w }) =>
        `这些点准可分：两种结果只在 ${figure(low)}${unit}处相遇。所以没有“最好的”权重（现在是 ${figure(w)}）：在那里越陡的曲线，损失越小。`,
      heading: ({ where, middle, grows }) =>
        `继续训练，权重会无止境地${grows ? "增大" : "减小"}，分界则越走越慢地趋向 ${figure(where)}${unit}` +
        `${middle ? "，这里恰好是间隙的中点" : ""}。`,
      converged: () => "已收敛：剩下的路不到标准误的千分之一。",
      overlap: () =>
        table
          ? `两种结果互有重叠：${table.x} 的任何值都不能把它们完全分开。`
          : "两种结果互有重叠：没有哪个小时数能把及格与不及格的同学完全分开。",
      ridge: () => "这些点可分，但惩罚项使权重保持有限：最好的曲线只有一条。",
    },
    guide: [
      {
        title: "模型还什么都不懂",
        text: (f) =>
          "三位同学分别复习了一、二、三个小时，前两位没及格，第三位及格了。模型是 `sigmoid(w · hours + b)`，参数的起点是随机的：" +
          `w = ${decimals(f.w0)}，b = ${decimals(f.b0)}。所以三位同学的及格概率都在 ${decimals(f.p0, 2)} 左右。请按“走一步”。`,
      },
      {
        title: "走了一步",
        text: (f) =>
          "`loss.backward()` 在每个参数里留下损失对它的导数，`optimizer.step()` 再让每个参数沿梯度的反方向、按学习率 0.01 移动：" +
          `w 从 ${decimals(f.w0)} 变成 ${decimals(f.w1)}，损失从 ${decimals(f.loss0)} 降到 ${decimals(f.loss1)}。可以再走几步，或者走一千步。`,
        action: "走 1000 步",
      },
      {
        title: "这一课读到的结果",
        text: (f) =>
          `一千步之后，两小时不及格（${decimals(f.p2)}），三小时及格（${decimals(f.p3)}）。曲线在 ${figure(f.at1000)} 小时处与红线相交：` +
          "从那里起就能及格。这就是答案吗？",
        action: "继续到 10,000 步",
      },
      {
        title: "永远到不了终点",
        text: (f) =>
          `一万步之后，权重是 ${figure(f.w10000)}，分界是 ${figure(f.at10000)}。两小时及以下的都没及格，三小时及以上的都及格了，` +
          "所以曲线越陡损失越小：权重无止境地增大，分界慢慢趋向 2.5。浅色间隙里的任何一条分界线都一样好。有限的答案有一个，即 Firth 方法（虚线）：" +
          `${figure(f.firthAt, 5)} 小时。`,
        action: "忘了 zero_grad() 会怎样？",
      },
      {
        title: "没有 zero_grad()",
        text: () =>
          "现在换成二十位同学，他们的结果有重叠；并且去掉 `optimizer.zero_grad()`。梯度会累加，每一步用的是此前所有梯度之和：" +
          "参数越跑越快，冲过最好的位置，爬上对面的坡，再荡回来。下面的损失永远停不下来，程序也不会报任何错。",
        action: "恢复 zero_grad()",
      },
      {
        title: "这里有最好的曲线",
        text: (f) =>
          `清零之后，损失一路下降，然后稳住。这二十位同学的最好的曲线只有一条：权重 ${figure(f.bestW, 7)}，偏置 ${figure(f.bestB, 7)}，` +
          `分界 ${figure(f.bestAt, 7)} 小时。接下来交给你：拖动一个点看看，或者打开“更多”。`,
        action: "从头再来",
      },
    ],
    controls: {
      heading: "控制",
      play: "播放",
      pause: "暂停",
      reset: "重置",
      undo: "撤销",
      pace: "每秒步数",
      paces: { 1: "60", 20: "1,200", 500: "30,000", 0: "越多越好" },
      seed: "随机种子",
      rate: "学习率",
      batch: "批大小（0 为全部）",
      reduction: "损失的合并",
      loss: "损失",
      optimizer: "优化器",
      ridge: "岭惩罚（每点 l2）",
      clear: "每步之前 zero_grad()",
      options: {
        sum: "求和（sum）",
        mean: "求平均（mean）",
        bce: "二元交叉熵",
        mse: "平方误差",
        sgd: "SGD",
        momentum: "带动量的 SGD",
        adam: "Adam",
      },
      wrong: {
        seed: "随机种子：不小于 0 的整数。",
        rate: "学习率：大于 0 的数，例如 0.01。",
        batch: "批大小：整数；0 表示全部。",
        ridge: "岭惩罚：不小于 0 的数。",
      },
    },
    losses: {
      heading: "损失",
      step: "步",
      at: (n, loss) => `第 ${whole(n)} 步：损失 ${loss}`,
      help: "损失随步数的变化",
    },
    surface: {
      heading: "损失随权重与偏置的变化",
      weight: "权重 w",
      bias: "偏置 b",
      alt: (w, b) => `损失在权重与偏置平面上的等高线，以及走过的路径；现在 w 为 ${w}，b 为 ${b}`,
    },
    arithmetic: {
      heading: "下一步怎么算",
      hours: table ? `${table.x}，x` : "小时数 x",
      outcome: "y",
      predicted: "p",
      error: "p − y",
      share: "(p − y) x",
      errorMse: "2 (p − y) p (1 − p)",
      shareMse: "… 乘 x",
      others: (n) => `另有 ${n} 位`,
      gradient: (w, b) => `weight.grad = ${w}\nbias.grad = ${b}`,
      move: (name, from, to, moved) => `${name}：${from} → ${to}   （${moved}）`,
      stopped: "已经没有数可以继续算了。",
    },
    points: {
      heading: "数据点",
      number: table ? table.x : "小时数",
      passedColumn: table ? yes : "及格",
      hoursOf: (i) => `第 ${i} ${noun}的${table ? ` ${table.x}` : "小时数"}`,
      passedOf: (i) => `第 ${i} ${noun}${table ? ` ${yes}` : "及格"}`,
      remove: (i) => `删除第 ${i} ${noun}`,
      add: `添加一${noun}`,
      three: "三位同学",
      twenty: "二十位同学",
      paste: `或者粘贴一张表：每行写一个${table ? "数" : "小时数"}与 0 或 1`,
      take: "采用",
      wrong: ({ line, text }) =>
        `第 ${line} 行：“${text}”不是${table ? "一个数" : "小时数"}与 0 或 1。请每行这样写，例如 2.5, 1。`,
      wrongHours: `${table ? table.x : "小时数"}：一个数。`,
      all: (n) => `列出全部 ${whole(n)} 行`,
      last: `至少要留下一${noun}。`,
    },
    programme: {
      heading: "与此完全一致的 PyTorch 程序",
      copy: "复制",
      copied: "已复制",
      picture: "把曲线存为 PNG",
    },
    story: "完整的故事",
    foot: "一切都在本页中以双精度计算，不会发送任何数据。",
  };
}
