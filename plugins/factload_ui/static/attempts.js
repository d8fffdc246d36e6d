// The attempts at a load, newest first: how each ended, why, and who released a held one.

import { card, el, prose, table } from "./dom.js";
import { count, duration, moment, size } from "./format.js";
import { badge, STATES } from "./states.js";

const baseName = (path) => path.split("/").at(-1);
const ended = (attempt) => (attempt.ended_at ? (Date.parse(attempt.ended_at) - Date.parse(attempt.opened_at)) / 1000 : null);
const state = (name) => (STATES[name] ? badge(name) : badge("running"));

function released(attempt) {
  if (!attempt.released_by) return "";
  return `${attempt.released_by}, ${moment(attempt.released_at)}${attempt.release_reason ? `: ${attempt.release_reason}` : ""}`;
}

const columns = [
  { name: "Attempt", value: (attempt) => attempt.epoch },
  { name: "State", value: (attempt) => state(attempt.state) },
  { name: "Began", value: (attempt) => moment(attempt.opened_at) },
  { name: "Took", number: true, value: (attempt) => duration(ended(attempt)) },
  { name: "Workbook", class: "value", value: (attempt) => el("span", { title: attempt.workbook }, `${baseName(attempt.workbook)}, ${size(attempt.workbook_bytes)}`) },
  { name: "SHA-256", value: (attempt) => el("code", { title: attempt.workbook_sha256 }, attempt.workbook_sha256.slice(0, 10)) },
  { name: "Published", number: true, value: (attempt) => (attempt.published_rows ? count(attempt.published_rows) : "–") },
  { name: "Released by", class: "value", value: released },
  { name: "Why it ended", class: "why", value: (attempt) => prose(attempt.error_message ?? attempt.warnings.join(" ")) },
];

// A column that says nothing of any attempt is left out.
const told = (attempts) => columns.filter((column) => attempts.some((attempt) => String(column.value(attempt)) !== ""));

export const attemptsCard = (attempts) => card("Attempts", "attempts", table("Attempts, newest first", told(attempts), attempts));
