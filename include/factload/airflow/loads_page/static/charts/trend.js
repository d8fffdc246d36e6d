// The feed's last loads: rows, duration, reject rate, with the outliers ringed.

import { card, el, svg, table } from "../dom.js";
import { compact, count, duration, longDay, share, shortDay } from "../format.js";
import { badge } from "../states.js";
import { timeEnd, timeTicks } from "../ticks.js";
import { line as lineOf, max, scaleLinear, scalePoint } from "../vendor/d3.min.js";
import { drawing, said } from "./frame.js";

/** @import { Trend, TrendLoad } from "../answers.js" */
/** @import { Column } from "../elements.js" */

const HEIGHT = 138;
const EDGE = { left: 68, right: 10, top: 12, bottom: 28 };
const MARKS = 3; // of the axis, beside its ground
const DATE = 64; // pixels that a date takes

/**
 * @typedef {object} Measure
 * @property {"rows" | "seconds" | "reject_share"} key
 * @property {string} name
 * @property {(load: TrendLoad) => number | null} value
 * @property {(value: number) => string} shown
 * @property {(highest: number) => { end: number, ticks: { at: number, name: string }[] }} axis
 */

/** @type {(name: (value: number) => string) => Measure["axis"]} */
const plain = (name) => (highest) => {
  const scale = scaleLinear([0, highest], [0, 1]).nice(MARKS);
  return { end: scale.domain()[1], ticks: scale.ticks(MARKS).map((at) => ({ at, name: name(at) })) };
};
/** @param {number} value */
const percent = (value) => `${+(value * 100).toPrecision(3)}%`;

/** @type {Measure[]} */
const MEASURES = [
  { key: "rows", name: "Rows", value: (load) => load.rows, shown: count, axis: plain(compact) },
  {
    key: "seconds",
    name: "Duration",
    value: (load) => load.seconds,
    shown: duration,
    axis: (highest) => ({ end: timeEnd(highest, MARKS), ticks: timeTicks(timeEnd(highest, MARKS), MARKS) }),
  },
  {
    key: "reject_share",
    name: "Reject rate",
    value: (load) => load.reject_share,
    shown: share,
    axis: plain(percent),
  },
];

/**
 * @param {Measure} measure
 * @param {TrendLoad[]} loads
 * @param {number} width
 * @param {(period: string) => string} pathOf
 * @param {string} [current]
 */
function marks(measure, loads, width, pathOf, current) {
  const bottom = HEIGHT - EDGE.bottom;
  const place = scalePoint(
    loads.map((load) => load.period),
    [EDGE.left + 8, width - EDGE.right - 8],
  );
  const x = (/** @type {string} */ period) => Number(place(period));
  const highest = max(loads, measure.value) || 1;
  const { end, ticks } = measure.axis(highest);
  const y = scaleLinear([0, end], [bottom, EDGE.top]);
  const known = loads.flatMap((load) => {
    const value = measure.value(load);
    return value === null ? [] : [{ load, value, cx: x(load.period), cy: y(value) }];
  });
  const line = lineOf()(known.map(({ cx, cy }) => [cx, cy]));
  // Each load has the ground from halfway to the one before it to halfway to the next: what is pointed at is nearest.
  const half = place.step() / 2;
  const every = Math.max(1, Math.ceil(loads.length / Math.max(2, Math.floor((width - EDGE.left) / DATE))));
  const dated = loads.filter((_, index) => (loads.length - 1 - index) % every === 0);
  return [
    ticks.map(({ at, name }) => [
      svg("line", { x1: EDGE.left, x2: width - EDGE.right, y1: y(at), y2: y(at), class: "grid" }),
      svg("text", { x: EDGE.left - 8, y: y(at), class: "tick left" }, name),
    ]),
    dated.map((load) =>
      svg(
        "text",
        { x: Math.min(x(load.period), width - EDGE.right - 22), y: HEIGHT - 5, class: "tick" },
        shortDay(load.period),
      ),
    ),
    current && place(current) !== undefined
      ? svg("line", { x1: x(current), x2: x(current), y1: EDGE.top - 6, y2: bottom, class: "current" })
      : null,
    svg("path", { d: line, class: "line" }),
    known.map(({ load, value, ...at }) => {
      const odd = load.unusual.includes(measure.key);
      const link = svg(
        "a",
        {
          href: pathOf(load.period),
          class: `point ${odd ? "odd" : ""} ${load.state}`,
          tabindex: odd ? "0" : "-1",
        },
        svg("rect", { x: at.cx - half, y: 0, width: 2 * half, height: bottom, class: "reach" }),
        odd ? svg("circle", { ...at, r: 7, class: "ring" }) : null,
        svg("circle", { ...at, r: 3.2, class: "dot" }),
      );
      return said(
        link,
        `${longDay(load.period)}: ${measure.shown(value)}${odd ? ", unusual" : ""}${load.state === "published" ? "" : `, ${load.state}`}`,
      );
    }),
  ];
}

/** @type {(pathOf: (period: string) => string) => Column<TrendLoad>[]} */
const columns = (pathOf) => [
  { name: "Period", value: (load) => el("a", { href: pathOf(load.period) }, load.period) },
  { name: "State", value: (load) => badge(load.state) },
  { name: "Rows", number: true, value: (load) => count(load.rows) },
  { name: "Duration", number: true, value: (load) => duration(load.seconds) },
  { name: "Rejected", number: true, value: (load) => count(load.rejected) },
  { name: "Reject rate", number: true, value: (load) => share(load.reject_share) },
  {
    name: "Unusual",
    value: (load) =>
      load.unusual
        .map((key) => MEASURES.find((measure) => measure.key === key)?.name.toLowerCase())
        .join(", "),
  },
];

/**
 * @param {Trend} trend
 * @param {(period: string) => string} pathOf
 * @param {string} [current]
 */
export function trendCards({ loads, rule }, pathOf, current) {
  if (loads.length < 2)
    return card("Trend", "trend", el("p", { class: "quiet" }, "A trend begins with the second load."));
  return card(
    `The last ${loads.length} loads`,
    "trend",
    el(
      "div",
      { class: "three" },
      MEASURES.map((measure) =>
        el(
          "figure",
          null,
          el("figcaption", null, measure.name),
          drawing(HEIGHT, `${measure.name} of the last ${loads.length} loads`, (width) =>
            marks(measure, loads, width, pathOf, current),
          ),
        ),
      ),
    ),
    el("p", { class: "quiet below" }, `Ringed: unusual by the ${rule}.`),
    el(
      "details",
      null,
      el("summary", null, "The same as a table"),
      table("The feed's last loads", columns(pathOf), [...loads].reverse()),
    ),
  );
}
