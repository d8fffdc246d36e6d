// Elements out of plain values. Text goes in as text nodes alone: nothing that a workbook holds becomes markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export const el = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
export const svg = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

// A sentence of the engine: what stands between backquotes is a command or a name.
export const prose = (text) => text.split("`").map((part, index) => (index % 2 ? el("code", null, part) : part));

// What only a screen reader says.
export const spoken = (text) => el("span", { class: "spoken" }, text);

// Put `content` in the place of all that `node` holds.
export const show = (node, ...content) => node.replaceChildren(...content.flat(Infinity).filter(Boolean));

// A table: `columns` are {name, value(row), number?, class?, unseen?: the name is said alone}; `caption` is said, not shown.
export function table(caption, columns, rows, attributes) {
  return el(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    el(
      "table",
      { class: "rows", ...attributes },
      el("caption", { class: "spoken" }, caption),
      el("thead", null, el("tr", null, columns.map((c) => el("th", { scope: "col", class: c.number ? "number" : null }, c.unseen ? spoken(c.name) : c.name)))),
      el(
        "tbody",
        null,
        rows.map((row) =>
          el(
            "tr",
            null,
            columns.map((c, position) =>
              el(position ? "td" : "th", { scope: position ? null : "row", class: [c.number && "number", c.class].filter(Boolean).join(" ") || null }, c.value(row)),
            ),
          ),
        ),
      ),
    ),
  );
}

export const card = (title, id, ...children) =>
  el("section", { class: "card", id, "aria-labelledby": `${id}-title` }, el("h2", { id: `${id}-title` }, title), ...children);
