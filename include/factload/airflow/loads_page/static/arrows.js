// The keys that lead from day to day in the calendar, whose table is one stop of the Tab key.

export const dayAt = (/** @type {Event} */ event) =>
  /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("a.day"));
export const daysIn = (/** @type {Element} */ node) =>
  /** @type {HTMLElement[]} */ ([...node.querySelectorAll("a.day")]);

// The arrows, Home and End lead from link to link, whichever of them has the focus.
/** @param {KeyboardEvent} event */
export function moveFocus(event) {
  const link = dayAt(event);
  const here = link?.closest("td");
  const line = here?.closest("tr");
  const table = line?.closest("table");
  if (!link || !here || !line || !table) return;
  const inLine = daysIn(line);
  const vertical = (/** @type {number} */ step) => {
    const lines = /** @type {HTMLTableRowElement[]} */ ([
      ...table.querySelectorAll("tbody:not([hidden]) > tr"),
    ]);
    for (let next = lines.indexOf(line) + step; lines[next]; next += step) {
      const found = lines[next].cells[here.cellIndex];
      if (found && daysIn(found).length) return daysIn(found)[0];
    }
    return null;
  };
  /** @type {Record<string, () => HTMLElement | null | undefined>} */
  const moves = {
    ArrowRight: () => inLine[inLine.indexOf(link) + 1],
    ArrowLeft: () => inLine[inLine.indexOf(link) - 1],
    ArrowDown: () => vertical(1),
    ArrowUp: () => vertical(-1),
    Home: () => inLine[0],
    End: () => inLine.at(-1),
  };
  const target = moves[event.key]?.();
  if (!target) return;
  event.preventDefault();
  link.tabIndex = -1;
  target.tabIndex = 0;
  target.focus();
}
