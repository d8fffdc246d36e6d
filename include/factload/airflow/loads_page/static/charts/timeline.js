// When each step ran. Partitions share as many lanes as ran at once; the slow ones stand out, with their rows/s.

import { el, svg, table } from "../dom.js";
import { compact, count, duration, moment } from "../format.js";
import { timeTicks } from "../ticks.js";
import { drawing, said } from "./frame.js";

/** @import { Load, Partition } from "../answers.js" */
/** @import { Child, Column } from "../elements.js" */

const LANE = 22;
const LEFT = 172;
const RIGHT = 34;
const AXIS = 26;
const PAUSE = 600; // seconds without any step that the axis leaves out
const BREAK = 34; // pixels that stand for one

/**
 * @typedef {object} Bar
 * @property {string} track
 * @property {number} from
 * @property {number} to
 * @property {string} kind
 * @property {string} words
 * @property {string} [text]
 * @property {number} [lane]
 */

/** @typedef {{ name: string, bars: Bar[], begin: number, lanes: number }} Line */
/** @typedef {{ from: number, to: number }} Stretch */
/** @typedef {{ scale: (at: number) => number, begins: (Stretch & { x: number })[] }} Placed */

// The first lane that is free again when a bar begins.
/** @param {Bar[]} bars */
function inLanes(bars) {
  /** @type {number[]} */
  const free = [];
  return bars.map((bar) => {
    let lane = free.findIndex((end) => end <= bar.from);
    if (lane === -1) lane = free.length;
    free[lane] = bar.to;
    return { ...bar, lane };
  });
}

/** @param {Load} load */
function tracks(load) {
  const begin = Math.min(...load.steps.map((step) => Date.parse(step.started_at)));
  const at = (/** @type {string | null} */ iso) => (Date.parse(iso ?? "") - begin) / 1000;
  const bars = load.steps
    .filter((step) => step.step !== "load_partition")
    .map((step) => ({
      track: step.item && step.step === "extract_dimension_map" ? `map of ${step.item}` : step.step,
      from: at(step.started_at),
      to: at(step.finished_at),
      kind: "step",
      words: `${step.step} ${step.item}`.trim(),
    }));
  const partitions = load.partitions
    .filter((part) => part.started_at && Date.parse(part.started_at) >= begin)
    .map((part) => ({
      track: "load_partition",
      from: at(part.started_at),
      to: at(part.finished_at),
      kind: part.slow ? "slow" : "partition",
      words: `${part.label}: ${count(part.source)} rows, ${count(Math.round(part.rows_per_second ?? 0))} rows/s${part.slow ? ", slow" : ""}`,
      text: `${compact(part.rows_per_second ?? 0)}/s`,
    }))
    .sort((a, b) => a.from - b.from);
  /** @type {Map<string, Bar[]>} */
  const grouped = new Map();
  for (const bar of [...bars, ...inLanes(partitions)])
    grouped.set(bar.track, [...(grouped.get(bar.track) ?? []), bar]);
  return [...grouped]
    .map(([name, its]) => ({
      name,
      bars: its,
      begin: Math.min(...its.map((bar) => bar.from)),
      lanes: Math.max(...its.map((bar) => bar.lane ?? 0)) + 1,
    }))
    .sort((a, b) => a.begin - b.begin);
}

// Stretches of time with work in them, {from, to}; between them nothing ran for longer than a pause.
/** @param {Bar[]} bars */
function stretches(bars) {
  /** @type {Stretch[]} */
  const found = [];
  for (const bar of [...bars].sort((a, b) => a.from - b.from)) {
    const newest = found.at(-1);
    if (newest && bar.from - newest.to <= PAUSE) newest.to = Math.max(newest.to, bar.to);
    else found.push({ from: bar.from, to: bar.to });
  }
  if (found.length) found[0].from = 0;
  return found;
}

// Seconds → pixels, without the pauses.
/**
 * @param {Stretch[]} work
 * @param {number} left
 * @param {number} right
 * @returns {Placed}
 */
function scaleOf(work, left, right) {
  const worked = Math.max(
    work.reduce((sum, { from, to }) => sum + to - from, 0),
    0.1,
  );
  const perSecond = (right - left - BREAK * (work.length - 1)) / worked;
  let x = left;
  const begins = work.map(({ from, to }) => {
    const here = { from, to, x };
    x += (to - from) * perSecond + BREAK;
    return here;
  });
  /** @param {number} at */
  const scale = (at) => {
    const stretch = begins.findLast(({ from }) => from <= at) ?? begins[0];
    return stretch.x + (Math.min(at, stretch.to) - stretch.from) * perSecond;
  };
  return { scale, begins };
}

/**
 * @param {Placed} placed
 * @param {number} width
 * @param {number} height
 */
function axis({ scale, begins }, width, height) {
  const [first, ...later] = begins;
  const most = Math.max(2, Math.floor((scale(first.to) - first.x) / 110));
  /** @type {(x: number, name: string, kind?: string) => Child} */
  const line = (x, name, kind = "tick") => [
    svg("line", { x1: x, x2: x, y1: 0, y2: height, class: "grid" }),
    svg("text", { x, y: height + 17, class: kind }, name),
  ];
  return [
    timeTicks(first.to, most).map(({ at, name }) => line(scale(at), name)),
    later.map(({ from, x }, index) => {
      const pause = from - begins[index].to;
      const middle = x - BREAK / 2;
      return [
        svg(
          "rect",
          { x: middle - 5, y: 0, width: 10, height, class: "pause" },
          svg("title", null, `nothing ran for ${duration(pause)}`),
        ),
        svg(
          "text",
          { x: Math.min(x, width - 40), y: height + 17, class: "tick" },
          `${duration(pause)} later`,
        ),
      ];
    }),
  ];
}

/**
 * @param {Line[]} lines
 * @param {Stretch[]} work
 * @param {number} width
 */
function marks(lines, work, width) {
  const left = width < 560 ? 132 : LEFT;
  const placed = scaleOf(work, left, width - RIGHT);
  const { scale } = placed;
  const height = lines.reduce((sum, line) => sum + line.lanes * LANE + 8, 0);
  let top = 4;
  return [
    axis(placed, width, height),
    lines.map((line) => {
      const y = top;
      top += line.lanes * LANE + 8;
      return svg(
        "g",
        null,
        svg("text", { x: left - 12, y: y + LANE / 2 + 1, class: "track" }, line.name),
        line.bars.map((bar) => {
          const x = scale(bar.from);
          const wide = Math.max(scale(bar.to) - x, 3);
          const mark = svg("rect", {
            x,
            y: y + (bar.lane ?? 0) * LANE,
            width: wide,
            height: LANE - 5,
            rx: 3,
            class: `span ${bar.kind}`,
            role: "img",
          });
          const words = `${bar.words}, ${duration(bar.to - bar.from)}`;
          return [
            said(mark, words),
            bar.text && wide > 52
              ? svg(
                  "text",
                  {
                    x: x + 7,
                    y: y + (bar.lane ?? 0) * LANE + 12.5,
                    class: `in ${bar.kind}`,
                    "aria-hidden": "true",
                  },
                  bar.text,
                )
              : null,
          ];
        }),
      );
    }),
  ];
}

/** @type {Column<Partition>[]} */
const columns = [
  { name: "Partition", value: (part) => part.label },
  { name: "Rows", number: true, value: (part) => count(part.source) },
  { name: "Rejected", number: true, value: (part) => (part.rejected === null ? "–" : count(part.rejected)) },
  { name: "Staged", number: true, value: (part) => (part.staged === null ? "–" : count(part.staged)) },
  {
    name: "Rows/s",
    number: true,
    value: (part) => (part.rows_per_second ? count(Math.round(part.rows_per_second)) : "–"),
  },
  { name: "Attempt", number: true, value: (part) => part.loaded_epoch ?? "–" },
  { name: "Worker", value: (part) => part.worker ?? "–" },
  { name: "Staged at", value: (part) => moment(part.finished_at) },
  {
    name: "Remark",
    unseen: true,
    value: (part) => (part.slow ? el("span", { class: "badge slow" }, "slow") : ""),
  },
];

/** @param {Load} load */
export function timeline(load) {
  if (!load.steps.length)
    return el(
      "p",
      { class: "quiet" },
      load.state === "running" ? "No step has ended yet." : "No step is noted.",
    );
  const lines = tracks(load);
  const work = stretches(lines.flatMap((line) => line.bars));
  const height = lines.reduce((sum, line) => sum + line.lanes * LANE + 8, 0) + AXIS;
  const slow = load.partitions.filter((part) => part.slow).length;
  const known = load.partitions.some((part) => part.rows_per_second);
  return [
    drawing(height, "When each step ran", (width) => marks(lines, work, width)),
    known &&
      el(
        "p",
        { class: "quiet" },
        slow
          ? `${slow} of ${load.partitions.length} partitions ran slowly (${load.slow_rule}).`
          : "No partition ran slowly.",
      ),
  ];
}

/** @param {Load} load */
export const partitionTable = (load) =>
  load.partitions.length
    ? el(
        "details",
        null,
        el(
          "summary",
          null,
          load.partitions.length === 1
            ? "The partition as a table"
            : `All ${count(load.partitions.length)} partitions as a table`,
        ),
        table("Partitions", columns, load.partitions),
      )
    : null;
