// Numbers, dates and durations as people read them. Periods are dates without a time; moments are shown in the zone
// that is chosen in Airflow.

import { chosenZone } from "./zone.js";

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
/** @param {Intl.DateTimeFormatOptions} options */
const date = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", ...options });
const LONG = date({ weekday: "short", day: "numeric", month: "long", year: "numeric" });
const SHORT = date({ day: "numeric", month: "short" });
const MONTH = date({ month: "long", year: "numeric" });
const ZONE = chosenZone();
const MOMENT = date({
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  timeZone: ZONE,
});

/** @param {number} value */
export const count = (value) => whole.format(value);
/** @param {number} value */
export const compact = (value) => short.format(value);
/**
 * @param {number} value
 * @param {string} one
 */
export const plural = (value, one, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;

// The engine's errors begin in lower case: they may stand behind a colon.
/** @param {string} text */
export const sentence = (text) => text.slice(0, 1).toUpperCase() + text.slice(1);

/** @param {number | null | undefined} value */
export function share(value) {
  if (value === null || value === undefined) return "–";
  const percent = value * 100;
  if (percent === 0 || percent === 100) return `${percent}%`;
  if (percent < 0.0005) return "<0.001%"; // rounding makes nothing of no row, and all of most
  if (percent >= 99.95) return ">99.9%";
  return `${percent.toFixed(percent >= 0.0995 ? 1 : 3)}%`;
}

// An exact decimal, as text, with its thousands apart. It never becomes a number: it may have more digits than one.
/** @param {string} text */
export function decimal(text) {
  const [, sign, digits, rest] = /^(-?)(\d+)(.*)$/.exec(text) ?? [null, "", text, ""];
  return sign + digits.replace(/\B(?=(\d{3})+$)/g, ",") + rest;
}

// Two exact decimals with as many digits behind the point as the longer one needs: equal ones look equal.
/**
 * @param {string} one
 * @param {string} other
 */
export function alike(one, other) {
  /** @param {string} text */
  const trimmed = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
  const parts = [one, other].map((text) => trimmed(text).split("."));
  const digits = Math.max(...parts.map(([, fraction = ""]) => fraction.length));
  return parts.map(
    ([integer, fraction = ""]) => integer + (digits ? `.${fraction.padEnd(digits, "0")}` : ""),
  );
}

/** @param {number | null | undefined} seconds */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds === 0) return "0 s";
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  const [minutes, rest] = [Math.floor(Math.round(seconds) / 60), Math.round(seconds) % 60];
  if (minutes < 60) return rest ? `${minutes} min ${rest} s` : `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** @param {number} bytes */
export function size(bytes) {
  if (bytes < 100_000) return `${Math.max(1, Math.round(bytes / 1e3))} kB`;
  const [unit, name] = bytes < 1e9 ? [1e6, "MB"] : [1e9, "GB"];
  return `${(bytes / unit).toFixed(bytes / unit < 10 ? 1 : 0)} ${name}`;
}

/** @param {string} iso */
export const asDate = (iso) => new Date(`${iso}T00:00:00Z`);
/** @param {Date} when */
export const isoOf = (when) => when.toISOString().slice(0, 10);
const DAY = 86_400_000;
/** @type {(iso: string, days: number) => string} */
export const addDays = (iso, days) => isoOf(new Date(asDate(iso).getTime() + days * DAY));
/** @type {(first: string, last: string) => number} */
export const daysBetween = (first, last) =>
  Math.round((asDate(last).getTime() - asDate(first).getTime()) / DAY);

// The newest day that somebody may call today: the one here, or in UTC, whichever is later.
export function today() {
  const now = new Date();
  const here = new Date(now.getTime() - now.getTimezoneOffset() * 60_000);
  return isoOf(here > now ? here : now);
}

/** @type {Map<string, string>} */
const spelledOut = new Map(); // a calendar says the same day once for every feed
/** @param {string} iso */
export function longDay(iso) {
  const known = spelledOut.get(iso) ?? LONG.format(asDate(iso));
  spelledOut.set(iso, known);
  return known;
}

/** @param {string} iso */
export const shortDay = (iso) => SHORT.format(asDate(iso));
/** @param {string} iso */
export const month = (iso) => MONTH.format(asDate(iso));
/** @param {string | null | undefined} iso */
export const moment = (iso) => (iso ? `${MOMENT.format(new Date(iso))} ${ZONE}` : "–");

// A workbook's name, without the folders before it.
/** @param {string} path */
export const baseName = (path) => path.split("/").at(-1);

// Whether it is a day that there is, as 2026-11-05.
/** @param {string} text */
export const isDay = (text) =>
  /^\d{4}-\d\d-\d\d$/.test(text) &&
  !Number.isNaN(Date.parse(`${text}T00:00:00Z`)) &&
  isoOf(asDate(text)) === text;
