// What elements are made of (dom.js).

/** What may stand in an element; what is null, undefined or false is left out. */
export type Child = Node | string | number | boolean | null | undefined | readonly Child[];

// biome-ignore lint/suspicious/noExplicitAny: each event has a type of its own, which an attribute's name does not tell
type Listener = (event: any) => unknown;

/** Attributes, and under `on…` what hears an event. */
export type Attributes = Record<string, string | number | boolean | null | undefined | Listener>;

/** A column of a table; `unseen`: only a screen reader says its name. */
export interface Column<Row> {
  name: string;
  value: (row: Row) => Child;
  number?: boolean;
  class?: string;
  unseen?: boolean;
}
