// How far a load that runs has come.

import { airflowLink } from "./airflow.js";
import { el } from "./dom.js";
import { count, duration } from "./format.js";

/** @import { Load } from "./answers.js" */

const IDLE = 600; // seconds without a word after which a running load is worth a look

// Seconds since a step of the newest attempt ended, or since it was opened.
/** @param {Load} load */
function idle(load) {
  const last = Math.max(
    ...load.steps.map((step) => Date.parse(step.finished_at)),
    Date.parse(load.attempts[0].opened_at),
  );
  return load.running_seconds - (last - Date.parse(load.attempts[0].opened_at)) / 1000;
}

// The progress by rows; the function that comes with it brings it up to date, without taking anybody's focus.
/**
 * @param {string} dagId
 * @returns {[HTMLElement, (load: Load) => void]}
 */
export function progressCard(dagId) {
  const words = el("strong", { role: "status" });
  const since = el("span", { class: "quiet" });
  const bar = el("progress", { "aria-label": "Progress by rows" });
  const quiet = el(
    "p",
    { class: "proof", hidden: true },
    "No step has ended for ten minutes. See what its run does: ",
    airflowLink(`dags/${encodeURIComponent(dagId)}`, null, "open the DAG"),
    ".",
  );
  /** @param {Load} load */
  const update = (load) => {
    const done = load.partitions.filter((part) => part.done).length;
    const reading = !load.is_split; // what partitions there are is an earlier attempt's
    const all = !reading && done === load.partitions.length;
    const staged = `${count(load.rows_done)} of ${count(load.rows.source)} rows, ${count(done)} of ${count(load.partitions.length)} partitions`;
    const next = reading
      ? "Reading the workbook …"
      : all
        ? `${staged}; reconciling and publishing …`
        : staged;
    if (words.textContent !== next) words.textContent = next;
    quiet.hidden = idle(load) < IDLE;
    since.textContent = `for ${duration(Math.round(load.running_seconds))}`;
    if (reading) bar.removeAttribute("value");
    else Object.assign(bar, { max: Math.max(load.rows.source, 1), value: load.rows_done });
  };
  return [
    el(
      "section",
      { class: "card progress", "aria-label": "Progress" },
      el("div", { class: "between" }, words, since),
      bar,
      quiet,
    ),
    update,
  ];
}
