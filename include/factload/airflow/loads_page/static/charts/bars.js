// Bars of one scale, in a table: the number beside each bar says the same.

import { el, svg } from "../dom.js";
import { scaleLinear } from "../vendor/d3.min.js";

const WIDTH = 1000; // of the drawing; the page stretches it
const THINNEST = 4; // what isn't nothing can be seen

/** @type {(domain: [number, number]) => (value: number) => number} */
export const scaleOf = (domain) => scaleLinear(domain, [0, WIDTH]);

/**
 * @param {string} kind
 * @param {number} from
 * @param {number} to
 * @param {(value: number) => number} scale
 */
export function bar(kind, from, to, scale) {
  const [start, end] = [scale(Math.min(from, to)), scale(Math.max(from, to))];
  const thin = Math.max(end - start, to === from ? 0 : THINNEST);
  const x = Math.min(start, WIDTH - thin);
  return svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} 18`, preserveAspectRatio: "none", class: "bar", "aria-hidden": "true" },
    svg("rect", { x: 0, y: 8.5, width: WIDTH, height: 1, class: "ground" }),
    svg("rect", { x, y: 0, width: thin, height: 18, class: `fill ${kind.replace(" ", "-")}` }),
  );
}

/** @typedef {{ name: string, kind: string, shown: string }} Bar an exact decimal, with its thousands apart */

// Several numbers of each of several things, one below the other; each thing has a scale of its own.
/**
 * @param {string} caption
 * @param {[of: string, bars: Bar[]][]} things
 */
export function compared(caption, things) {
  /** @param {string} shown */
  const value = (shown) => Number(shown.replaceAll(",", ""));
  return el(
    "table",
    { class: "waterfall compared" },
    el("caption", { class: "spoken" }, caption),
    el(
      "thead",
      { class: "spoken" },
      el(
        "tr",
        null,
        ["Of", "Bar", "Number"].map((name) => el("th", { scope: "col" }, name)),
      ),
    ),
    things.map(([of, bars]) => {
      const values = bars.map((each) => value(each.shown));
      const scale = scaleOf([Math.min(0, ...values), Math.max(0, ...values) || 1]);
      return el(
        "tbody",
        null,
        bars.map(({ name, kind, shown }) =>
          el(
            "tr",
            null,
            el("th", { scope: "row" }, of, el("small", null, name)),
            el("td", { class: "bars" }, bar(kind, 0, value(shown), scale)),
            el("td", { class: "number" }, shown),
          ),
        ),
      );
    }),
  );
}
