// How many days a page has room for, beside the names of its feeds.

import { addDays } from "./format.js";

export const DAY = 30; // pixels, with the space around
const MOST = { days: 42, width: 1440 }; // the page grows no wider
const NARROW = 600; // a page narrower than this has no room for a column beside the days
const EDGES = { wide: 86, narrow: 52 }; // of the page and the card
const GAPS = 136; // the column beside the days
const NAME = { least: 84, most: 230, letter: 7.6, space: 26 };
const SETTLED = 250; // milliseconds

export const isNarrow = () => window.innerWidth < NARROW;

// The width of the column of names, for these names and whoever has no name yet.
export function nameWidth(feeds) {
  if (isNarrow()) return NAME.least;
  const longest = Math.max(0, ...feeds.map((entry) => entry.feed.length));
  return Math.round(Math.min(NAME.most, Math.max(NAME.least, longest * NAME.letter + NAME.space)));
}

function roomFor(name) {
  const room = Math.min(window.innerWidth, MOST.width) - name - (isNarrow() ? EDGES.narrow : EDGES.wide + GAPS);
  return Math.max(7, Math.min(MOST.days, Math.floor(room / DAY)));
}

// As many days as there may be room for, up to `last`.
export function daysUpTo(last) {
  const number = roomFor(NAME.least);
  return Array.from({ length: number }, (_, index) => addDays(last, index - number + 1));
}

// Those of them that there is room for beside the names.
export const daysBeside = (feeds, days) => days.slice(-roomFor(nameWidth(feeds)));

// `redraw()` when the window has got another width, with room for other days.
export function onOtherRoom(redraw) {
  const room = () => `${isNarrow()} ${roomFor(NAME.least)}`;
  let before = room();
  let settled;
  window.addEventListener("resize", () => {
    clearTimeout(settled);
    settled = setTimeout(() => {
      if (room() === before) return;
      before = room();
      redraw();
    }, SETTLED);
  });
}
