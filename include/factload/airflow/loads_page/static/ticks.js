// The marks of an axis of time: at whole seconds, minutes and hours, and called what they are.

const STEPS = [
  0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800,
  21_600, 43_200,
];
const DAY = 86_400;

/**
 * @param {number} seconds
 * @param {number} step
 */
function spelled(seconds, step) {
  if (seconds === 0) return "0 s";
  if (step < 1) return `${seconds.toFixed(step < 0.1 ? 2 : 1)} s`;
  /** @type {[number, string][]} */
  const parts = [
    [Math.floor(seconds / 3600), "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ];
  return parts
    .filter(([number]) => number)
    .map(([number, unit]) => `${number} ${unit}`)
    .join(" ");
}

// About `most` marks from 0 to `end` seconds: {at, name}.
/**
 * @param {number} end
 * @param {number} most
 */
export function timeTicks(end, most) {
  const step = STEPS.find((each) => end / each <= most) ?? DAY * Math.ceil(end / most / DAY);
  return Array.from({ length: Math.floor(end / step + 1e-9) + 1 }, (_, index) => ({
    at: index * step,
    name: spelled(index * step, step),
  }));
}

// The first of these steps at or above `end`: where an axis of about `most` marks ends.
/**
 * @param {number} end
 * @param {number} most
 */
export function timeEnd(end, most) {
  const step = STEPS.find((each) => end / each <= most) ?? DAY * Math.ceil(end / most / DAY);
  return Math.max(step, Math.ceil(end / step - 1e-9) * step);
}
