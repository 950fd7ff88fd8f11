/** What the page says of two predictors, in Simplified Chinese, in place of what it says of one. */
import { figure } from "./dom.js";
import { lineOf } from "./words.plane.en.js";

/** The words that differ; `table` holds the names, made plain. */
export function chinesePlane(table) {
  const yes = `${table.outcome} = ${table.positive}`;
  const no = `${table.outcome} = ${table.negative}`;
  const line = (at) => lineOf(at, table);
  return {
    title: `${table.outcome} 在 ${table.x} 与 ${table.z} 的平面上何处翻转？`,
    own: {
      title: "你的表",
      text: () =>
        `底色的深浅是 ${yes} 的概率，红线是概率等于一半的地方。模型的参数从随机值出发，每走一步都按所有行的梯度移动；虚线是精确方法一下子就能到达的直线。` +
        "请按“走一步”，或者打开“更多”。",
    },
    second: table.z,
    flipsAlong: "分界是这条直线",
    flat: "没有分界：平面是平的",
    line,
    sides: ({ v, w, b }) => {
      if (v === 0) return `${table.x} ${w > 0 ? "大于" : "小于"} ${figure(-b / w)} 时，${yes} 更可能。`;
      return `直线${v > 0 ? "上方" : "下方"}，${yes} 更可能。`;
    },
    at: (x, z, p) => `${table.x} ${figure(x)}，${table.z} ${figure(z)}：概率 ${p}`,
    pointer: "把指针移到图上，可以读出那里的概率。",
    chart: (n) => `${yes} 的概率随 ${table.x} 与 ${table.z} 的变化，共 ${n} 行`,
    where: ({ x, z, y }) => `${table.x} ${figure(x)}，${table.z} ${figure(z)}，${y ? yes : no}`,
    pointHelp:
      "可以拖动数据点；用键盘时，方向键移动，回车键或双击翻转结果，Delete 键删除。把点拖出图外即删除；在图上点击可以添加一点。",
    legend: {
      curve: "模型的分界线",
      best: "精确答案（最大似然）",
      firth: "Firth 分界线",
      gap: "间隙：能分开两种结果的直线在这里各不相同",
    },
    exact: {
      best: (at) =>
        `精确答案：权重 ${figure(at.w, 7)} 与 ${figure(at.v, 7)}，偏置 ${figure(at.b, 7)}；分界是 ${line(at)}。`,
      firth: (at) =>
        `采用 Jeffreys 先验（Firth 方法）时，权重为 ${figure(at.w, 6)} 与 ${figure(at.v, 6)}，偏置为 ${figure(at.b, 6)}，分界是 ${line(at)}。`,
    },
    notices: {
      alike: () => `所有行都在 ${table.x} 与 ${table.z} 的同一条直线上，无法区分两者各自的作用。`,
      complete: ({ w, v }) =>
        `这些点完全可分：有一条直线把两种结果分开。所以没有“最好的”权重（现在是 ${figure(w)} 与 ${figure(v)}）：在那里越陡的平面，损失越小。`,
      quasi: ({ w, v }) =>
        `这些点准可分：两种结果只在一条直线上相遇。所以没有“最好的”权重（现在是 ${figure(w)} 与 ${figure(v)}）：在那里越陡的平面，损失越小。`,
      heading: ({ limit }) => `继续训练，权重会无止境地增大，分界则越走越慢地趋向直线 ${line(limit)}。`,
      overlap: () => `两种结果互有重叠：${table.x} 与 ${table.z} 平面上没有直线能把它们完全分开。`,
      ridge: () => "这些点可分，但惩罚项使权重保持有限：最好的直线只有一条。",
    },
    surface: {
      heading: "损失随两个权重的变化（偏置取现在的值）",
      second: `${table.z} 的权重 v`,
      weight: `${table.x} 的权重 w`,
      alt: (w, v) => `损失在两个权重平面上的等高线，以及走过的路径；现在 w 为 ${w}，v 为 ${v}`,
    },
    arithmetic: { second: `${table.z}，z`, secondShare: "(p − y) z", secondShareMse: "… 乘 z" },
    points: {
      second: table.z,
      secondOf: (i) => `第 ${i} 行的 ${table.z}`,
      wrongSecond: `${table.z}：一个数。`,
      paste: "或者粘贴一张表：每行写两个数与 0 或 1",
      wrong: ({ line: at, text }) => `第 ${at} 行：“${text}”不是两个数与 0 或 1。请每行这样写，例如 2.5, 4, 1。`,
    },
    programme: { picture: "把图存为 PNG" },
  };
}
