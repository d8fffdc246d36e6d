// What the charts share: a drawing that is made anew when its place changes its width, and the word at a mark.

import { el, svg } from "../dom.js";

/** @import { Child } from "../elements.js" */

// `draw(width)` gives an SVG's content; it is called whenever the place gets another width. On paper the drawing is
// as wide as its place, whatever that was on the screen.
/**
 * @param {number} height
 * @param {string} label
 * @param {(width: number) => Child} draw
 */
export function drawing(height, label, draw) {
  const place = el("div", { class: "drawing" });
  let before = 0;
  new ResizeObserver(() => {
    const width = Math.floor(place.clientWidth);
    if (width === 0 || width === before) return;
    before = width;
    place.replaceChildren(
      svg(
        "svg",
        { width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": label },
        draw(width),
      ),
    );
  }).observe(place);
  return place;
}

// A mark that says what it stands for: as a title for the pointer, as a label for a screen reader.
/**
 * @template {Element} E
 * @param {E} mark
 * @param {string} words
 */
export const said = (mark, words) => {
  mark.setAttribute("aria-label", words);
  mark.append(svg("title", null, words));
  return mark;
};
