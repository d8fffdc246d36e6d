// What fills a gap: the exact command, and the way to Airflow's own form. This page changes nothing by itself.

import { airflowLink } from "./airflow.js";
import { el } from "./dom.js";
import { addDays, longDay, plural } from "./format.js";

// `--to-date` is a moment: the midnight after the last day, or that day's run would be left out. Runs that have
// failed are made again, others are left alone.
export const command = (dagId, first, last) =>
  `airflow backfill create --dag-id ${dagId} --from-date ${first}T00:00:00 --to-date ${addDays(last, 1)}T00:00:00 --reprocess-behavior failed`;

function copyButton(text) {
  const button = el("button", { type: "button" }, "Copy");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  });
  return navigator.clipboard ? button : null;
}

// The two ways to load these days (ISO text, in order).
export function ways(dagId, days) {
  const first = days[0];
  const last = days[days.length - 1];
  const text = command(dagId, first, last);
  const span = days.length === 1 ? longDay(first) : `${longDay(first)} to ${longDay(last)}`;
  return el(
    "div",
    { class: "ways" },
    el("p", null, "In Airflow: ", airflowLink(`dags/${encodeURIComponent(dagId)}`, null, `open ${dagId}`), `, press Trigger, choose Backfill, and fill in ${span}. Put the workbooks into the inbox first.`),
    el("p", null, "Or on the command line:"),
    el("div", { class: "command" }, el("code", { tabindex: "0" }, text), copyButton(text)),
  );
}

// A button that shows both for the missing days of a feed.
export function backfillButton(feed, dagId, days) {
  const dialog = el(
    "dialog",
    { "aria-label": `Backfill ${feed}` },
    el("h2", null, `${plural(days.length, "day")} of ${feed} without a load`),
    ways(dagId, days),
    el("button", { type: "button", onclick: (event) => event.target.closest("dialog").close() }, "Close"),
  );
  return el("span", null, el("button", { type: "button", class: "gap", onclick: () => dialog.showModal() }, `Backfill ${plural(days.length, "day")}`), dialog);
}
