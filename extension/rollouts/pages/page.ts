import type { RolloutsConnection } from '../connection';
import type { Route } from '../route';
import type { Highlighter } from '../source';
import type { TileFrames } from '../tileFrames';

/** What a page of the view works with. */
export interface PageContext {
  readonly connection: RolloutsConnection;
  readonly highlighter: Highlighter;
  readonly route: Route;
  /** The frames of tiles, which stay from page to page. */
  readonly frames: TileFrames;
  /** Order and filter of the group, and the pinned rollout, which stay from page to page. */
  readonly order: Order;
  /** Shows another page. */
  go(change: Partial<Route>): void;
  /** Takes note of what the page shows now by itself. */
  note(change: Partial<Route>): void;
}

/** How a group is sorted, and which of it are shown. */
export interface Order {
  /** "reward", "advantage", "return", "steps", "tokens", "sampled", or the name of a reward function. */
  by: string;
  ascending: boolean;
  /** Words that the program or the ending must have. */
  filter: string;
  /** A rollout that the user keeps, to compare others with it. */
  pinned: { step: number; position: number } | null;
}

/** A page of the view. */
export interface Page {
  readonly node: HTMLElement;
  dispose(): void;
  /** Handles a key that nothing in the page has handled. Returns whether it did. */
  onKey?(event: KeyboardEvent): boolean;
  /** Looks for what the run has made since, if it may go on. */
  refresh?(): Promise<void>;
}
