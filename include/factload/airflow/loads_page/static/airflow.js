// Ways out of the frame into Airflow's own pages, and how those show a moment.

import { el } from "./dom.js";
import { chosenZone } from "./zone.js";

/** @import { Attributes, Child } from "./elements.js" */

// Where Airflow itself is: one level above this plugin.
export const home = () => new URL("..", document.baseURI);

// A link to a page of Airflow. The frame may not navigate the page around it, so that page is asked to, as if its
// own Back button had been used: Airflow's router follows without loading anything anew.
/**
 * @param {string} path
 * @param {Attributes | null} attributes
 * @param {...Child} children
 */
export function airflowLink(path, attributes, ...children) {
  const target = new URL(path, home());
  /** @param {MouseEvent} event */
  const follow = (event) => {
    if (window.parent === window || event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    const around = /** @type {Window & typeof globalThis} */ (window.parent);
    around.history.pushState(null, "", target.href);
    around.dispatchEvent(new around.PopStateEvent("popstate"));
  };
  return el("a", { href: target.href, ...attributes, onclick: follow }, ...children);
}

/** @type {(dagId: string, runId: string) => string} */
export const runPath = (dagId, runId) =>
  `dags/${encodeURIComponent(dagId)}/runs/${encodeURIComponent(runId)}`;

/** @type {(dagId: string, runId: string, task: string) => string} */
export const taskPath = (dagId, runId, task) => `${runPath(dagId, runId)}/tasks/${task}`;

// A moment as it is typed into Airflow's forms, and in which zone.
/** @param {string} iso */
export function inAirflowsZone(iso) {
  const zone = chosenZone();
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  const part = Object.fromEntries(
    format.formatToParts(new Date(iso)).map(({ type, value }) => [type, value]),
  );
  return { zone, text: `${part.year}/${part.month}/${part.day} ${part.hour}:${part.minute}` };
}
