// The states of a day: how each is called, drawn, and said. Shape and word tell them apart, not colour alone.

import { el } from "./dom.js";

/** @type {Record<string, { name: string, sign: string }>} */
export const STATES = {
  published: { name: "published", sign: "✓" },
  released: { name: "released", sign: "✓*" },
  empty: { name: "published, no row", sign: "0" },
  altered: { name: "not as published", sign: "≠" },
  held: { name: "held", sign: "‖" },
  refused: { name: "refused", sign: "!" },
  failed: { name: "failed", sign: "✕" },
  running: { name: "running", sign: "▸" },
  reconciled: { name: "staged, not published", sign: "▫" },
  waiting: { name: "waiting", sign: "▹" },
  stalled: { name: "stalled", sign: "…" },
  missing: { name: "missing", sign: "" },
  skipped: { name: "skipped", sign: "–" },
  undone: { name: "undone", sign: "↶" },
  superseded: { name: "superseded", sign: "–" },
  unknown: { name: "not known", sign: "?" },
};

/** @type {Record<string, string>} */
export const EXPLANATIONS = {
  published: "The load's rows are what readers of the fact table see.",
  released:
    "Published without its rejected rows, though there are more than the feed allows: a person decided so.",
  releasedChange: "Published, though more changed than the feed allows: a person decided so.",
  releasedFew: "Published, though fewer rows came than the feed asks for: a person decided so.",
  altered:
    "The fact table no longer holds what was published: somebody, or another program, has changed it since.",
  held: "More rows were rejected than the feed allows. This attempt published nothing; the rejects are kept.",
  heldChange: "More has changed than the feed allows. This attempt published nothing.",
  releasedWitness: "Published, though the owner's own number is another one: a person decided so.",
  heldWitness: "The owner's own number is another one. This attempt published nothing.",
  heldFew: "Fewer rows came than the feed asks for. This attempt published nothing.",
  refused: "The workbook or its rows are unfit. This attempt published nothing.",
  failed: "A fault ended the load. This attempt published nothing; the same load can run again.",
  gone: "Its run in Airflow has ended without ending the load: its process was killed, or somebody ended the run. This attempt published nothing; the same load can run again.",
  unopened: "The run of this day ended before it opened a load.",
  running: "The load is at work.",
  reconciled: "All rows are staged and add up, and no run of Airflow is at work to publish them.",
  waiting: "A run of this day is at work, and has opened no load yet.",
  stalled: "The load began more than a day ago and never ended: its process is gone. Run it again.",
  missing: "The schedule was due, and there is no load.",
  undone: "A person took the load's rows back, and nothing stood before. Running it again loads it.",
  skipped: "The run of this day found nothing to load.",
};

// Always in the legend; the others where they are on the page.
export const USUAL = ["published", "held", "refused", "failed", "running", "missing"];

/** @param {string} state */
export const sign = (state) =>
  el("span", { class: `sign ${state}`, "aria-hidden": "true" }, STATES[state].sign);

/** @param {string} state */
export const badge = (state) =>
  el(
    "span",
    { class: `badge ${state}` },
    el("span", { "aria-hidden": "true" }, STATES[state].sign),
    " ",
    STATES[state].name,
  );
