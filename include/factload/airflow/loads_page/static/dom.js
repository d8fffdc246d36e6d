// Elements out of plain values. Text goes in as text nodes alone: nothing that a workbook holds becomes markup.

/** @import { Attributes, Child, Column } from "./elements.js" */

const SVG = "http://www.w3.org/2000/svg";

// The children in one row, without those that are left out. The browser makes text of numbers.
const flat = (/** @type {Child[]} */ children, /** @type {(child: unknown) => boolean} */ isKept) =>
  /** @type {Node[]} */ (/** @type {unknown[]} */ (children).flat(Infinity).filter(isKept));

/**
 * @template {Element} E
 * @param {E} node
 * @param {Attributes | null | undefined} attributes
 * @param {Child[]} children
 */
function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...flat(children, (child) => child !== null && child !== undefined && child !== false));
  return node;
}

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Attributes | null} [attributes]
 * @param {...Child} children
 */
export const el = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
/**
 * @template {keyof SVGElementTagNameMap} T
 * @param {T} tag
 * @param {Attributes | null} [attributes]
 * @param {...Child} children
 */
export const svg = (tag, attributes, ...children) =>
  fill(document.createElementNS(SVG, tag), attributes, children);

// A sentence of the engine: what stands between backquotes is a command or a name.
/** @param {string} text */
export const prose = (text) =>
  text.split("`").map((part, index) => (index % 2 ? el("code", null, part) : part));

// What only a screen reader says.
/** @param {string} text */
export const spoken = (text) => el("span", { class: "spoken" }, text);

// Put `content` in the place of all that `node` holds.
/**
 * @param {Element} node
 * @param {...Child} content
 */
export const show = (node, ...content) => node.replaceChildren(...flat(content, Boolean));

// A table: `columns` are {name, value(row), number?, class?, unseen?: the name is said alone}; `caption` is said, not shown.
// `asCards`: on a narrow page each row is a card, with the columns' names before the values. What is no table to the
// browser any more is still one to a screen reader, by its roles.
/**
 * @template Row
 * @param {string} caption
 * @param {Column<Row>[]} columns
 * @param {Row[]} rows
 * @param {Attributes & { asCards?: boolean }} [options]
 */
export function table(caption, columns, rows, { asCards = false, ...attributes } = {}) {
  /** @param {string} name */
  const role = (name) => (asCards ? name : null);
  /** @type {(c: Column<Row>, position: number, row: Row) => HTMLElement} */
  const cell = (c, position, row) =>
    el(
      position ? "td" : "th",
      {
        scope: position ? null : "row",
        role: role(position ? "cell" : "rowheader"),
        class: [c.number && "number", c.class].filter(Boolean).join(" ") || null,
        "data-name": asCards && !c.unseen ? c.name : null,
      },
      asCards ? el("span", null, c.value(row)) : c.value(row),
    );
  return el(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    el(
      "table",
      { class: asCards ? "rows cards" : "rows", role: role("table"), ...attributes },
      el("caption", { class: "spoken" }, caption),
      el(
        "thead",
        { role: role("rowgroup") },
        el(
          "tr",
          { role: role("row") },
          columns.map((c) =>
            el(
              "th",
              { scope: "col", role: role("columnheader"), class: c.number ? "number" : null },
              c.unseen ? spoken(c.name) : c.name,
            ),
          ),
        ),
      ),
      el(
        "tbody",
        { role: role("rowgroup") },
        rows.map((row) =>
          el(
            "tr",
            { role: role("row") },
            columns.map((c, position) => cell(c, position, row)),
          ),
        ),
      ),
    ),
  );
}

/**
 * @param {Child} title
 * @param {string} id
 * @param {...Child} children
 */
export const card = (title, id, ...children) =>
  el(
    "section",
    { class: "card", id, "aria-labelledby": `${id}-title` },
    el("h2", { id: `${id}-title` }, title),
    ...children,
  );
