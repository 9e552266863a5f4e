import { AsyncLocalStorage } from 'node:async_hooks';
import { CellLine } from './cellLine';
import { duration } from './duration';
import { cellContext } from '../cellContext';

/** Work under way, in words, and the share of it that is done, from 0 to 1, when that is known. */
export interface Stage {
  text: string;
  share?: number;
}

/** A place where the user sees progress. */
export interface ProgressPlace {
  /** Milliseconds before anything is shown: shorter work is not reported. */
  readonly delay: number;
  /** Shows a stage; `null`: there is no work any more. */
  show(stage: Stage | null): void;
}

/** Milliseconds between two updates. */
const INTERVAL = 250;
/** Milliseconds without work after which the line is removed: many short tasks in a row are shown as one. */
const PAUSE = 400;
/** Milliseconds after which the time is shown, and the share from which on it is the time that is left. */
const ESTIMATE = { after: 2000, from: 0.15 };

/** Work of which progress is shown. */
export class Task {
  private readonly startedAt = Date.now();
  private done = 0;
  private share: number | undefined;

  /** @param total the number of items; 0 when it is not known */
  constructor(
    private readonly title: string,
    private readonly total: number,
    private readonly progress: Progress | null,
  ) {}

  /**
   * Notes how many items are done.
   *
   * @param share the share of the work that is done, from 0 to 1, when it is not that of the items
   */
  update(done: number, share = this.total > 0 ? done / this.total : undefined): void {
    this.done = done;
    this.share = share;
    this.progress?.refresh();
  }

  get stage(): Stage {
    const { title, total, done, share } = this;
    const count = total > 0 ? `: ${done} of ${total}` : '';
    return { text: `${title}${count}${this.time()}`, ...(share !== undefined && { share }) };
  }

  /** Returns the time that is left, or, as long as that cannot be estimated, the time that has passed. */
  private time(): string {
    const passed = Date.now() - this.startedAt;
    if (passed < ESTIMATE.after) return '';
    const { share = 0 } = this;
    return share < ESTIMATE.from
      ? ` (${duration(passed / 1000)})`
      : `, about ${duration(Math.max(1, ((passed / 1000) * (1 - share)) / share))} left`;
  }
}

/** The tasks under way at a place, of which the newest is shown. */
class Progress {
  private readonly tasks: Task[] = [];
  private timer: NodeJS.Timeout | null = null;
  private beganAt = 0;
  private idleSince = 0;
  private shownAt = 0;
  private closed = false;

  constructor(private readonly place: ProgressPlace) {}

  begin(title: string, total: number): Task {
    const task = new Task(title, total, this);
    this.tasks.push(task);
    if (!this.timer && !this.closed) {
      this.beganAt = Date.now();
      this.timer = setInterval(() => this.refresh(), INTERVAL).unref();
    }
    this.refresh();
    return task;
  }

  end(task: Task): void {
    this.tasks.splice(this.tasks.indexOf(task), 1);
    this.idleSince = Date.now();
  }

  /** Shows the newest task, when it is time. Called by a timer, and by tasks, which may leave timers no time. */
  refresh(): void {
    if (this.closed) return;
    const now = Date.now();
    const task = this.tasks.at(-1);
    if (!task) {
      if (now - this.idleSince >= PAUSE) this.clear();
    } else if (now - this.beganAt >= this.place.delay && now - this.shownAt >= INTERVAL) {
      this.shownAt = now;
      this.place.show(task.stage);
    }
  }

  /** Shows that there is no work. */
  clear(): void {
    if (this.timer) clearInterval(this.timer);
    this.timer = null;
    if (this.shownAt > 0) this.place.show(null);
    this.shownAt = 0;
  }

  /** Shows nothing from now on: tasks may go on, as after an interrupt. */
  close(): void {
    this.clear();
    this.closed = true;
  }
}

const places = new AsyncLocalStorage<Progress>();
const cells = new WeakMap<object, Progress>();
const contexts = new WeakSet<object>();

/**
 * Returns the result of `work`, and shows its progress when it takes longer:
 * under the running cell, or at the place of {@link progressAt}. Outside of
 * notebooks nothing is shown.
 *
 * @param title what is being done: "Playing strategies"
 * @param total the number of items; 0 when it is not known
 */
export async function withProgress<T>(title: string, total: number, work: (task: Task) => Promise<T>): Promise<T> {
  const progress = places.getStore() ?? progressOfCell();
  if (!progress) return work(new Task(title, total, null));
  const task = progress.begin(title, total);
  try {
    return await work(task);
  } finally {
    progress.end(task);
  }
}

/** Returns the result of `work`, and shows its progress at `place`. */
export async function progressAt<T>(place: ProgressPlace, work: () => Promise<T>): Promise<T> {
  const progress = new Progress(place);
  try {
    return await places.run(progress, work);
  } finally {
    progress.close();
  }
}

/** Returns the progress of the running cell, shown in a line under it, which is removed when the cell has ended; `null` outside of cells. */
function progressOfCell(): Progress | null {
  const { cell } = cellContext();
  if (!cell) return null;
  let progress = cells.get(cell);
  if (!progress) cells.set(cell, (progress = new Progress(new CellLine())));
  const context = cellContext();
  if (!contexts.has(context)) {
    contexts.add(context);
    context.onCell?.((event) => event.kind === 'ended' && cells.get(event.cell)?.close());
  }
  return progress;
}
