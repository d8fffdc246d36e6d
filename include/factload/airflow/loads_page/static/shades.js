// What a day's sign says beside its state: how much of its rows was rejected, as a bar at its foot, and whether they are
// an unusual number of rows, as a dashed edge.

import { el } from "./dom.js";
import { count, share } from "./format.js";
import { STATES } from "./states.js";

/** @import { Day, FeedDays } from "./answers.js" */

// Up to which share of rejected rows a bar is thin, and which is of middle size; beyond it is thick.
const THIN = 0.01;
const MIDDLE = 0.05;

/** @param {number} rejected */
const bar = (rejected) => (rejected <= THIN ? "some" : rejected <= MIDDLE ? "more" : "many");

/** @type {(load: Day | undefined) => string} */
export const looks = (load) =>
  [load?.share ? ` rejects-${bar(load.share)}` : "", load?.odd ? " odd" : ""].join("");

// The same in words.
/** @param {Day} load */
export const said = (load) => [
  load.rejected ? `${count(load.rejected)} rejected (${share(load.share)})` : "",
  load.odd ? "an unusual number of rows" : "",
];

// What of it there is on the page, for its legend.
/** @param {FeedDays[]} feeds */
export function shadesOf(feeds) {
  const days = feeds.flatMap((entry) => entry.days);
  /** @type {(look: string, words: string) => HTMLElement} */
  const example = (look, words) =>
    el(
      "li",
      null,
      el("span", { class: `sign published${look}`, "aria-hidden": "true" }, STATES.published.sign),
      words,
    );
  return [
    days.some((load) => load.share) ? example(" rejects-many", "rejected: up to 1%, up to 5%, more") : null,
    days.some((load) => load.odd) ? example(" odd", "an unusual number of rows") : null,
  ];
}
