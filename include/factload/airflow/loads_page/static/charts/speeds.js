// How fast each partition was staged, in the order of the sheet: a slow one is a short bar, against the median.

import { svg } from "../dom.js";
import { compact, count } from "../format.js";
import { max, median as medianOf, scaleLinear } from "../vendor/d3.min.js";
import { drawing, said } from "./frame.js";

/** @import { Load } from "../answers.js" */

const HEIGHT = 104;
const EDGE = { left: 46, right: 96, top: 8, bottom: 18 };
const WIDEST = 44;

/** @typedef {{ label: string, slow: boolean, rows_per_second: number }} Timed */

/**
 * @param {Timed[]} timed
 * @param {number} width
 */
function marks(timed, width) {
  const bottom = HEIGHT - EDGE.bottom;
  const median = medianOf(timed, (part) => part.rows_per_second) ?? 0;
  const room = (width - EDGE.left - EDGE.right) / timed.length;
  const wide = Math.min(room * 0.8, WIDEST);
  const step = Math.min(room, WIDEST * 1.25);
  const y = scaleLinear([0, max(timed, (part) => part.rows_per_second) ?? 0], [bottom, EDGE.top]).nice(2);
  const right = EDGE.left + step * timed.length;
  return [
    y
      .ticks(2)
      .map((tick) => [
        svg("line", { x1: EDGE.left, x2: right, y1: y(tick), y2: y(tick), class: "grid" }),
        svg("text", { x: EDGE.left - 8, y: y(tick), class: "tick left" }, compact(tick)),
      ]),
    timed.map((part, index) => {
      const top = y(part.rows_per_second);
      const bar = svg("rect", {
        x: EDGE.left + index * step + (step - wide) / 2,
        y: top,
        width: wide,
        height: Math.max(bottom - top, 1),
        rx: Math.min(3, wide / 3),
        class: `span ${part.slow ? "slow" : "partition"}`,
        role: "img",
      });
      return said(
        bar,
        `${part.label}: ${count(Math.round(part.rows_per_second))} rows/s${part.slow ? ", slow" : ""}`,
      );
    }),
    svg("line", { x1: EDGE.left, x2: right, y1: y(median), y2: y(median), class: "current" }),
    svg("text", { x: right + 8, y: y(median), class: "tick beside" }, `median ${compact(median)}/s`),
    svg("text", { x: EDGE.left, y: HEIGHT - 3, class: "tick start" }, "partitions in the order of the sheet"),
  ];
}

/** @param {Load} load */
export function speeds(load) {
  const timed = /** @type {Timed[]} */ (load.partitions.filter((part) => part.rows_per_second));
  return timed.length > 1
    ? drawing(HEIGHT, "Rows per second of each partition", (width) => marks(timed, width))
    : null;
}
