// The states of a day: how each is called, drawn, and said. Shape and word tell them apart, not colour alone.

import { el } from "./dom.js";

export const STATES = {
  published: { name: "published", sign: "✓" },
  held: { name: "held", sign: "‖" },
  refused: { name: "refused", sign: "!" },
  failed: { name: "failed", sign: "✕" },
  running: { name: "running", sign: "▸" },
  waiting: { name: "waiting", sign: "▹" },
  stalled: { name: "stalled", sign: "…" },
  missing: { name: "missing", sign: "" },
  skipped: { name: "skipped", sign: "–" },
};

export const EXPLANATIONS = {
  published: "The load's rows are what readers of the fact table see.",
  held: "More rows were rejected than the feed allows. Nothing was published; the rejects are kept.",
  refused: "The workbook or its rows are unfit. Nothing was published.",
  failed: "A fault ended the load. Nothing was published; the same load can run again.",
  running: "The load is at work.",
  waiting: "A run of this day is at work, and has opened no load yet.",
  stalled: "The load began more than a day ago and never ended: its process is gone. Run it again.",
  missing: "The schedule was due, and there is no load.",
  skipped: "The run of this day found nothing to load, and the feed says to skip it then.",
};

// Always in the legend; the others where they are on the page.
export const USUAL = ["published", "held", "refused", "failed", "running", "missing"];

export const sign = (state) => el("span", { class: `sign ${state}`, "aria-hidden": "true" }, STATES[state].sign);

export const badge = (state) => el("span", { class: `badge ${state}` }, el("span", { "aria-hidden": "true" }, STATES[state].sign), " ", STATES[state].name);
