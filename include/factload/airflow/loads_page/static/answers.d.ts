// What the server answers (answers.py beside this folder): dates and moments are ISO text, exact sums decimal text.

export interface Refusal {
  code: string;
  message: string;
}

export interface Gap {
  first: string;
  last: string;
  begins: string;
  ends: string;
}

/** One cell of the calendar. */
export interface Day {
  period: string;
  state: string;
  published?: number;
  rejected?: number;
  share?: number;
  odd?: true;
  older?: true;
  altered?: true;
  verified?: string;
}

/** How old what readers of a feed's rows see is. */
export interface Fresh {
  newest: string | null;
  due: string | null;
  by: string | null;
  state: string;
}

/** One row of the calendar; `said_above` is the page's own: its problem is told once for several feeds. */
export interface FeedDays {
  feed: string;
  dag_id: string;
  workbook: string | null;
  problem: Refusal | null;
  first: string | null;
  fresh: Fresh | null;
  days: Day[];
  absent: Record<string, string>;
  gaps: Gap[];
  said_above?: boolean;
}

export interface Calendar {
  feeds: FeedDays[];
}

/** What stands of a feed's month; totals: measure → exact sum. */
export interface Month {
  first: string;
  days: number;
  rows: number;
  totals: Record<string, string>;
  verified: number;
  altered: number;
}

export interface TrendLoad {
  period: string;
  state: string;
  rows: number;
  seconds: number | null;
  rejected: number;
  reject_share: number | null;
  unusual: string[];
}

export interface Trend {
  rule: string;
  loads: TrendLoad[];
}

/** A cell that a dry run rejects: without its value. */
export interface RejectedCell {
  workbook: string;
  address: string;
  column: string;
  reason: string;
  explanation: string;
}

export interface DryRunReport {
  state: string;
  rows: Rows;
  rejects: Record<string, number> | null;
  warnings: string[] | null;
  problems: { message: string }[] | null;
  rejected: RejectedCell[];
  change: ReportedChange | null;
  difference: Difference | null;
}

export interface BeforeAfter {
  before: string;
  after: string;
}

/** What publishing would change in numbers; `of` says what it is compared with. */
export interface ReportedChange {
  of: string;
  rows: { before: number; after: number };
  totals: Record<string, BeforeAfter>;
}

/** A row that differs. A dry run says which `columns` of it, and nothing that a cell holds. */
export interface Change {
  kind: string;
  workbook: string | null;
  sheet: string | null;
  row: number | null;
  cells: Record<string, string>;
  key?: Record<string, string | null>;
  values?: Record<string, [before: string | null, after: string | null]>;
  columns?: string[];
}

export interface Vanishing {
  members: number;
  first?: string[];
}

export interface DifferingRows {
  before: number;
  after: number;
  added: number;
  removed: number;
  changed: number;
  unchanged: number;
}

/** What publishing staged rows would change against what stands, row by row. */
export interface Difference {
  workbooks: string[];
  key: string[];
  rows: DifferingRows;
  totals: Record<string, BeforeAfter>;
  largest: Change[];
  vanishing: Record<string, Vanishing>;
  notes: string[];
}

export interface Run {
  run_id: string;
  state: string;
  at_work: boolean;
  dry: boolean;
  began: string | null;
  asks: boolean;
  opened: number | null;
  error: string | null;
  waits: { workbook: string; until: string } | null;
  skipped: string | null;
  decision: string | null;
  report: DryRunReport | null;
}

export interface Rows {
  source: number;
  blank: number;
  left_out: number;
  rejected: number;
  staged: number;
  published: number;
}

export interface Total {
  measure: string;
  source: string;
  published: string | null;
  witness: string | null;
}

/** The owner's own number beside the load's. */
export interface Witness {
  workbook: string;
  sheet: string;
  place: string;
  says: string;
  measure: string;
  rows: string;
  number: string;
  found: string;
  difference: string;
  problem: string;
  equal: boolean;
}

export interface SourceFile {
  path: string;
  bytes: number;
  sha256: string;
}

export interface Attempt {
  epoch: number;
  state: string;
  opened_at: string;
  ended_at: string | null;
  workbook: string;
  workbook_bytes: number;
  workbook_sha256: string;
  sources: SourceFile[];
  published_rows: number | null;
  error_code: string | null;
  error_message: string | null;
  warnings: string[];
  released_by: string | null;
  released_at: string | null;
  release_reason: string | null;
  verified_at: string | null;
  verified_as: string | null;
  /** The attempt that a person took back by this one. */
  undoes: number | null;
  undone_by: string | null;
  undo_reason: string | null;
  /** By dimension: members brought up to date, those left as before, and new versions. */
  member_counts: Record<string, { updated: number; left: number; added?: number }>;
}

export interface Partition {
  label: string;
  workbook: string;
  done: boolean;
  slow: boolean;
  source: number;
  rejected: number | null;
  staged: number | null;
  started_at: string | null;
  finished_at: string | null;
  rows_per_second: number | null;
  loaded_epoch: number | null;
  worker: string | null;
}

export interface Step {
  step: string;
  item: string;
  started_at: string;
  finished_at: string;
}

export interface Load {
  load_id: string;
  state: string;
  gone: boolean;
  comparable: boolean;
  epoch: number;
  published_epoch: number | null;
  seconds: number | null;
  paused: number;
  running_seconds: number;
  is_split: boolean;
  kept_until: string | null;
  rows_done: number;
  rows: Rows;
  totals: Total[];
  witness: Witness[];
  slow_rule: string;
  attempts: Attempt[];
  partitions: Partition[];
  steps: Step[];
}

/** All of one day: its load, if there is one, and the last runs that were for it. */
export interface DayAnswer {
  feed: string;
  period: string;
  max_rejects: string;
  table: string;
  workbook: string;
  may_trigger: boolean;
  approval: boolean;
  to_come: boolean;
  expected: boolean;
  gaps: Gap[];
  runs: Run[];
  load: Load | null;
}

export interface LoadAnswer extends DayAnswer {
  load: Load;
}

/** Where a workbook is put, and what is there already. */
export interface Place {
  path: string;
  there: There | null;
}

export interface There {
  sha256: string;
  bytes: number;
  changed: string;
}

/** A workbook that was put into its place. */
export interface Put {
  path: string;
  sha256: string;
  bytes: number;
}

/** Airflow's own question about a held load. */
export interface Question {
  options: string[];
}

export interface Reason {
  reason: string;
  explanation: string;
  rows: number;
}

export interface Reject {
  workbook: string;
  sheet: string;
  row: number;
  column: string;
  cell: string | null;
  raw: string | null;
  reason: string;
  duplicate_of: string | null;
  address: string;
  explanation: string;
}

export interface RejectPage {
  rows: Reject[];
  next: [workbook: string, sheet: string, row: number] | null;
}
