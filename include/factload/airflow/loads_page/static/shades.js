// What a day's sign says beside its state: how much of its rows was rejected, as a bar at its foot, and whether they are
// an unusual number of rows, as a dashed edge.

import { el } from "./dom.js";
import { count, share } from "./format.js";
import { STATES } from "./states.js";

/** @import { Day, FeedDays } from "./answers.js" */

// From which share of rejected rows on there is a bar, and each is a thicker one.
/** @type {[number, string][]} */
const BARS = [
  [0.1, " rejects-many"],
  [0.02, " rejects-more"],
  [0.005, " rejects-some"],
];

/** @param {Day} load */
const bar = ({ share: rejected = 0 }) => BARS.find(([from]) => rejected >= from)?.[1] ?? "";

/** @type {(load: Day | undefined) => string} */
export const looks = (load) => (load ? bar(load) + (load.odd ? " odd" : "") : "");

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
    days.some(bar) ? example(" rejects-more", "rejected: from 0.5%, 2%, 10% on") : null,
    days.some((load) => load.odd) ? example(" odd", "an unusual number of rows") : null,
  ];
}
