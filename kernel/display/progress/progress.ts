import { AsyncLocalStorage } from 'node:async_hooks';
import { CellLine } from './cellLine';
import { duration } from './duration';
import { host } from '../host';

/** Work under way, in words, and the part of it that is done, from 0 to 1, where that is known. */
export interface Stage {
  text: string;
  share?: number;
}

/** A place where the user sees progress. */
export interface ProgressPlace {
  /** Milliseconds that pass before anything is shown: what is over sooner needs no words. */
  readonly patience: number;
  /** `null`: nothing is being done any more. */
  show(stage: Stage | null): void;
}

/** Milliseconds between two updates. */
const INTERVAL = 250;
/** Milliseconds without work after which the user is told so: many short works in a row are shown as one. */
const PAUSE = 400;
/** Times are told after so many milliseconds; the one that is left from such a share on. */
const ESTIMATE = { after: 2000, from: 0.15 };

/** Something that takes time. */
export class Task {
  private readonly startedAt = Date.now();
  private done = 0;
  private share: number | undefined;

  /** @param total how many there are to be done; 0 where that is not known */
  constructor(
    private readonly title: string,
    private readonly total: number,
    private readonly progress: Progress | null,
  ) {}

  /** So many are done. `share`: how much of the work that is, where it is another part of the whole. */
  update(done: number, share = this.total > 0 ? done / this.total : undefined): void {
    this.done = done;
    this.share = share;
    this.progress?.look();
  }

  get stage(): Stage {
    const { title, total, done, share } = this;
    const count = total > 0 ? `: ${done} of ${total}` : '';
    return { text: `${title}${count}${this.time()}`, ...(share !== undefined && { share }) };
  }

  /** The time that is left, or, where nothing can be said of it, the time that has passed. */
  private time(): string {
    const passed = Date.now() - this.startedAt;
    if (passed < ESTIMATE.after) return '';
    const { share = 0 } = this;
    return share < ESTIMATE.from
      ? ` (${duration(passed / 1000)})`
      : `, about ${duration(Math.max(1, ((passed / 1000) * (1 - share)) / share))} left`;
  }
}

/** The works under way at a place, of which the newest is shown. */
class Progress {
  private readonly tasks: Task[] = [];
  private timer: NodeJS.Timeout | null = null;
  private beganAt = 0;
  private restsSince = 0;
  private shownAt = 0;
  private closed = false;

  constructor(private readonly place: ProgressPlace) {}

  begin(title: string, total: number): Task {
    const task = new Task(title, total, this);
    this.tasks.push(task);
    if (!this.timer && !this.closed) {
      this.beganAt = Date.now();
      this.timer = setInterval(() => this.look(), INTERVAL).unref();
    }
    this.look();
    return task;
  }

  end(task: Task): void {
    this.tasks.splice(this.tasks.indexOf(task), 1);
    this.restsSince = Date.now();
  }

  /** Called now and then, also by work that leaves timers no time. */
  look(): void {
    if (this.closed) return;
    const now = Date.now();
    const task = this.tasks.at(-1);
    if (!task) {
      if (now - this.restsSince >= PAUSE) this.rest();
    } else if (now - this.beganAt >= this.place.patience && now - this.shownAt >= INTERVAL) {
      this.shownAt = now;
      this.place.show(task.stage);
    }
  }

  /** Nothing is being done. */
  rest(): void {
    if (this.timer) clearInterval(this.timer);
    this.timer = null;
    if (this.shownAt > 0) this.place.show(null);
    this.shownAt = 0;
  }

  /** The place is gone: what still works for it, as after an interrupt, is not shown there any more. */
  close(): void {
    this.rest();
    this.closed = true;
  }
}

const places = new AsyncLocalStorage<Progress>();
const cells = new WeakMap<object, Progress>();
const hosts = new WeakSet<object>();

/**
 * Does `work`, and lets the user know of it where it takes longer: under the
 * running cell, or where {@link progressAt} says. Outside of notebooks nothing
 * is said.
 *
 * @param title what is being done: "Playing strategies"
 * @param total how many there are of them; 0 where that is not known
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

/** Does `work`, and shows at `place` what it does. */
export async function progressAt<T>(place: ProgressPlace, work: () => Promise<T>): Promise<T> {
  const progress = new Progress(place);
  try {
    return await places.run(progress, work);
  } finally {
    progress.close();
  }
}

/** A line under the running cell, for all that the cell does. It is gone when the cell has ended. */
function progressOfCell(): Progress | null {
  const { cell } = host();
  if (!cell) return null;
  let progress = cells.get(cell);
  if (!progress) cells.set(cell, (progress = new Progress(new CellLine())));
  const here = host();
  if (!hosts.has(here)) {
    hosts.add(here);
    here.onCell?.((event) => event.kind === 'ended' && cells.get(event.cell)?.close());
  }
  return progress;
}
