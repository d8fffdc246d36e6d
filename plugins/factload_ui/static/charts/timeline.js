// When each step ran. Partitions share as many lanes as ran at once; the slow ones stand out, with their rows/s.

import { d3, drawing, said } from "./frame.js";
import { el, svg, table } from "../dom.js";
import { compact, count, duration, moment, tick as spelled } from "../format.js";

const LANE = 22;
const LEFT = 172;
const RIGHT = 34;
const AXIS = 26;

// The first lane that is free again when a bar begins.
function inLanes(bars) {
  const free = [];
  return bars.map((bar) => {
    let lane = free.findIndex((end) => end <= bar.from);
    if (lane === -1) lane = free.length;
    free[lane] = bar.to;
    return { ...bar, lane };
  });
}

function tracks(load) {
  const begin = Math.min(...load.steps.map((step) => Date.parse(step.started_at)));
  const at = (iso) => (Date.parse(iso) - begin) / 1000;
  const bars = load.steps
    .filter((step) => step.step !== "load_partition")
    .map((step) => ({ track: step.item && step.step === "extract_dimension_map" ? `map of ${step.item}` : step.step, from: at(step.started_at), to: at(step.finished_at), kind: "step", words: `${step.step} ${step.item}`.trim() }));
  const partitions = load.partitions
    .filter((part) => part.started_at && Date.parse(part.started_at) >= begin)
    .map((part) => ({
      track: "load_partition",
      from: at(part.started_at),
      to: at(part.finished_at),
      kind: part.slow ? "slow" : "partition",
      words: `${part.label}: ${count(part.source)} rows, ${count(Math.round(part.rows_per_second))} rows/s${part.slow ? ", slow" : ""}`,
      text: `${compact(part.rows_per_second)}/s`,
    }))
    .sort((a, b) => a.from - b.from);
  const grouped = new Map();
  for (const bar of [...bars, ...inLanes(partitions)]) {
    if (!grouped.has(bar.track)) grouped.set(bar.track, []);
    grouped.get(bar.track).push(bar);
  }
  return [...grouped].map(([name, its]) => ({ name, bars: its, begin: Math.min(...its.map((bar) => bar.from)), lanes: Math.max(...its.map((bar) => bar.lane ?? 0)) + 1 })).sort((a, b) => a.begin - b.begin);
}

function marks(lines, end, width) {
  const left = width < 560 ? 132 : LEFT;
  const scale = d3.scaleLinear([0, end], [left, width - RIGHT]);
  const height = lines.reduce((sum, line) => sum + line.lanes * LANE + 8, 0);
  const ticks = scale.ticks(Math.max(2, Math.floor((width - left) / 110)));
  let top = 4;
  return [
    ticks.map((tick) => [svg("line", { x1: scale(tick), x2: scale(tick), y1: 0, y2: height, class: "grid" }), svg("text", { x: scale(tick), y: height + 17, class: "tick" }, spelled(tick))]),
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
          const mark = svg("rect", { x, y: y + (bar.lane ?? 0) * LANE, width: wide, height: LANE - 5, rx: 3, class: `span ${bar.kind}`, role: "img" });
          const words = `${bar.words}, ${duration(bar.to - bar.from)}`;
          return [said(mark, words), bar.text && wide > 52 ? svg("text", { x: x + 7, y: y + bar.lane * LANE + 12.5, class: `in ${bar.kind}`, "aria-hidden": "true" }, bar.text) : null];
        }),
      );
    }),
  ];
}

const columns = [
  { name: "Partition", value: (part) => part.label },
  { name: "Rows", number: true, value: (part) => count(part.source) },
  { name: "Rejected", number: true, value: (part) => (part.rejected === null ? "–" : count(part.rejected)) },
  { name: "Staged", number: true, value: (part) => (part.staged === null ? "–" : count(part.staged)) },
  { name: "Rows/s", number: true, value: (part) => (part.rows_per_second ? count(Math.round(part.rows_per_second)) : "–") },
  { name: "Attempt", number: true, value: (part) => part.loaded_epoch ?? "–" },
  { name: "Staged at", value: (part) => moment(part.finished_at) },
  { name: "Remark", unseen: true, value: (part) => (part.slow ? el("span", { class: "badge slow" }, "slow") : "") },
];

export function timeline(load) {
  if (!load.steps.length) return el("p", { class: "quiet" }, load.state === "running" ? "No step has ended yet." : "No step is noted.");
  const lines = tracks(load);
  const end = Math.max(...lines.flatMap((line) => line.bars.map((bar) => bar.to)), 0.1);
  const height = lines.reduce((sum, line) => sum + line.lanes * LANE + 8, 0) + AXIS;
  const slow = load.partitions.filter((part) => part.slow).length;
  const known = load.partitions.some((part) => part.rows_per_second);
  return [
    drawing(height, "When each step ran", (width) => marks(lines, end, width)),
    known && el("p", { class: "quiet" }, slow ? `${slow} of ${load.partitions.length} partitions ran slowly (${load.slow_rule}).` : "No partition ran slowly."),
  ];
}

export const partitionTable = (load) =>
  load.partitions.length ? el("details", null, el("summary", null, `All ${count(load.partitions.length)} partitions as a table`), table("Partitions", columns, load.partitions)) : null;
