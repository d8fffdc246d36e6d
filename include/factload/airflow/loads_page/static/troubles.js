// Feeds that can't be shown for the same reason are told about once, above the calendar.

import { el } from "./dom.js";
import { plural, sentence } from "./format.js";
import { TITLES } from "./notices.js";

/** @import { FeedDays, Refusal } from "./answers.js" */

// The feeds, those whose problem stands above marked so; and what stands there.
/** @param {FeedDays[]} feeds */
export function troubles(feeds) {
  /** @type {Map<string, { feed: string, problem: Refusal }[]>} */
  const sharing = new Map();
  for (const { feed, problem } of feeds) {
    if (problem) sharing.set(problem.message, [...(sharing.get(problem.message) ?? []), { feed, problem }]);
  }
  const shared = [...sharing.values()].filter((its) => its.length > 1);
  const said = new Set(shared.map(([first]) => first.problem.message));
  const banners = shared.map((its) =>
    el(
      "section",
      { class: "banner failed", role: "status" },
      el(
        "strong",
        null,
        `${TITLES[its[0].problem.code] ?? "This can't be shown"}: ${plural(its.length, "feed")}. `,
      ),
      sentence(its[0].problem.message),
    ),
  );
  return {
    feeds: feeds.map((entry) =>
      entry.problem && said.has(entry.problem.message) ? { ...entry, said_above: true } : entry,
    ),
    banners,
  };
}
