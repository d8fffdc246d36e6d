// The days that a calendar shows: as many on a phone as on a wide screen, so that its numbers are the same.

import { addDays } from "./format.js";

/** @import { FeedDays } from "./answers.js" */

export const DAY = 29; // pixels, with the space around
export const GAPS = 128; // the column beside the days
const SHOWN = 31; // a month, whichever: of a monthly feed one day at least
const NARROW = 600; // pixels; a page narrower than this has no room for a column beside the days
const NAME = { narrow: 104, least: 84, most: 230, letter: 7.6, space: 26 };
const SETTLED = 250; // milliseconds

export const isNarrow = () => window.innerWidth < NARROW;

// The width of the column of names, for these feeds.
/** @param {FeedDays[]} feeds */
export function nameWidth(feeds) {
  if (isNarrow()) return NAME.narrow;
  const longest = Math.max(0, ...feeds.map((entry) => entry.feed.length));
  return Math.round(Math.min(NAME.most, Math.max(NAME.least, longest * NAME.letter + NAME.space)));
}

/** @param {string} last */
export const daysUpTo = (last) =>
  Array.from({ length: SHOWN }, (_, index) => addDays(last, index - SHOWN + 1));

// `redraw()` when the window has become narrow, or wide.
/** @param {() => void} redraw */
export function onOtherRoom(redraw) {
  let before = isNarrow();
  let settled = 0;
  window.addEventListener("resize", () => {
    clearTimeout(settled);
    settled = setTimeout(() => {
      if (isNarrow() === before) return;
      before = isNarrow();
      redraw();
    }, SETTLED);
  });
}
