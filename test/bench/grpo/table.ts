import { textTable } from '../../../kernel/display/table';
import type { StepTimes } from './joylabSide';
import { median } from './products';

/** What was measured of one model. */
export interface Measured {
  /** The model and what of it is trained. */
  name: string;
  /** Least ratio wanted of the whole step, of generation, of the update. */
  goals: { step: number; generation: number; update: number };
  ours: StepTimes[];
  theirs: StepTimes[];
  /** Bytes at the peak of each process; theirs with TRL's own settings. */
  memory: { ours: number; theirs: number };
  /** Floating-point operations of our update, and seconds of its matrix products alone. */
  products: { flops: number; seconds: number };
}

/** One line of the table. */
export interface Line {
  name: string;
  unit: string;
  /** How many times better we are. */
  ratio: number;
  goal: number;
  ours: number;
  theirs: number;
}

/** Medians and their ratios, a ratio above 1 always being in our favour. */
export function lines({ goals, ours, theirs, memory, products }: Measured): Line[] {
  const of = (times: readonly StepTimes[], value: (time: StepTimes) => number) => median(times.map(value));
  const seconds = (name: 'step' | 'update', label: string): Line => {
    const [a, b] = [of(ours, (time) => time[name]), of(theirs, (time) => time[name])];
    return { name: label, unit: 's', ratio: b / a, goal: goals[name], ours: a, theirs: b };
  };
  const speeds = [ours, theirs].map((times) => of(times, ({ tokens, generation }) => tokens / generation));
  const update = of(ours, (time) => time.update);
  const [achieved, plain] = [products.flops / update, products.flops / products.seconds].map((rate) => rate / 1e9);
  return [
    seconds('step', 'whole step'),
    { name: 'generation', unit: 'tokens/s', ratio: speeds[0] / speeds[1], goal: goals.generation, ours: speeds[0], theirs: speeds[1] },
    seconds('update', 'update'),
    { name: 'peak memory', unit: 'MB', ratio: memory.theirs / memory.ours, goal: 2, ours: memory.ours / 1e6, theirs: memory.theirs / 1e6 },
    { name: 'update against plain products', unit: 'GFLOP/s', ratio: achieved / plain, goal: 0.6, ours: achieved, theirs: plain },
  ];
}

/** The lines of a model as text. */
export function table(measured: Measured): string {
  const columns = [{ title: 'ratio' }, { title: 'goal' }, { title: '', align: 'left' as const }, { title: 'Joylab' }, { title: 'TRL' }, { title: '', align: 'left' as const }];
  const rows = lines(measured).map(({ name, unit, ratio, goal, ours, theirs }) => {
    const share = unit === 'GFLOP/s';
    const times = (value: number) => (share ? `${(100 * value).toFixed(0)} %` : `${value.toFixed(2)} ×`);
    return [times(ratio), times(goal), name, figures(ours), figures(theirs), share ? `${unit}; on the right the products alone` : unit];
  });
  return `${measured.name}\n${textTable(columns, rows)}`;
}

/** A number with three digits at least. */
function figures(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(3);
}
