// Where the rows went: source → blank → left out → rejected → staged → published. A table whose bars are drawn to one scale.

import { el } from "../dom.js";
import { count, share } from "../format.js";
import { bar, scaleOf } from "./bars.js";

/** @import { Rows } from "../answers.js" */

/** @type {Record<string, string>} */
const EXPLANATIONS = {
  source: "rows of the sheet with any value",
  blank: "nothing in a column that is read",
  "left out": "no data: totals, subtotals, notes below them",
  rejected: "handed back with a reason",
  staged: "ready to publish",
  published: "seen by readers",
};

/**
 * @param {number} source
 * @param {number} blank
 * @param {number} leftOut
 * @param {number} rejected
 * @param {number} staged
 */
function sum(source, blank, leftOut, rejected, staged) {
  if (!source) return "No row is counted.";
  const known = blank + leftOut + rejected + staged;
  if (known !== source) return `${count(known)} of ${count(source)} rows are accounted for so far.`;
  const left = leftOut ? `${count(leftOut)} left out + ` : "";
  return `${count(source)} = ${count(blank)} blank + ${left}${count(rejected)} rejected + ${count(staged)} staged: every row is accounted for.`;
}

/** @param {Rows} rows */
export function waterfall({ source, blank, left_out: leftOut, rejected, staged, published }) {
  const scale = scaleOf([0, Math.max(source, 1)]);
  /** @type {[kind: string, from: number, to: number, rows: number][]} */
  const lines = [
    ["source", 0, source, source],
    ["blank", source - blank, source, blank],
    ["left out", source - blank - leftOut, source - blank, leftOut],
    ["rejected", source - blank - leftOut - rejected, source - blank - leftOut, rejected],
    ["staged", 0, staged, staged],
    ["published", 0, published, published],
  ];
  const shown = lines.filter(([kind, , , rows]) => kind !== "left out" || rows);
  return el(
    "div",
    null,
    el(
      "table",
      { class: "waterfall" },
      el("caption", { class: "spoken" }, "Where the rows went"),
      el(
        "thead",
        { class: "spoken" },
        el(
          "tr",
          null,
          ["Step", "Bar", "Rows", "Share of source"].map((name) => el("th", { scope: "col" }, name)),
        ),
      ),
      el(
        "tbody",
        null,
        shown.map(([kind, from, to, rows]) =>
          el(
            "tr",
            null,
            el("th", { scope: "row" }, kind, el("small", null, EXPLANATIONS[kind])),
            el("td", { class: "bars" }, bar(kind, Math.max(from, 0), to, scale)),
            el("td", { class: "number" }, count(rows)),
            el("td", { class: "number quiet" }, source ? share(rows / source) : "–"),
          ),
        ),
      ),
    ),
    el("p", { class: "proof" }, sum(source, blank, leftOut, rejected, staged)),
  );
}
