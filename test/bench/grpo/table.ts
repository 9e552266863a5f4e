import { textTable, type Column } from '../../../kernel/display/table';
import type { StepTimes } from './joylabSide';
import { median } from './products';

/** Precisions of TRL: bfloat16, its default, which is slow on processors without it, and float32. */
export const PRECISIONS = ['bfloat16', 'float32'] as const;

/** A value for each precision that is measured. */
export type OfEach<T> = Partial<Record<(typeof PRECISIONS)[number], T>>;

/** Measurements of one model. */
export interface Measured {
  /** The model, and the part of it that is trained. */
  name: string;
  /** Least wanted ratio of the whole step, of generation, of the update. */
  goals: { step: number; generation: number; update: number };
  ours: StepTimes[];
  theirs: OfEach<StepTimes[]>;
  /** Bytes at the peak of each process; theirs with TRL's own settings but for the precision. */
  memory: { ours: number; theirs: OfEach<number> };
  /** Floating-point operations of our update, and seconds of its matrix products alone. */
  products: { flops: number; seconds: number };
}

/** One line of the table. */
export interface Line {
  name: string;
  unit: string;
  goal: number;
  /** Whether the goal is met beside each of the others. */
  met: boolean;
  ours: number;
  /** The value of each side that ours is compared with. */
  theirs: Record<string, number>;
  /** Ratio to each, above 1 in our favour. */
  ratios: Record<string, number>;
}

/** Returns medians and their ratios, above 1 in our favour. */
export function lines({ goals, ours, theirs, memory, products }: Measured): Line[] {
  const of = (times: readonly StepTimes[], value: (time: StepTimes) => number) => median(times.map(value));
  const ofEach = (value: (times: readonly StepTimes[]) => number) => mapped(theirs, value);
  const seconds = (name: 'step' | 'update', label: string) => {
    const own = (times: readonly StepTimes[]) => of(times, (time) => time[name]);
    return line({
      name: label,
      unit: 's',
      goal: goals[name],
      ours: own(ours),
      theirs: ofEach(own),
      ratio: (a, b) => b / a,
    });
  };
  const speed = (times: readonly StepTimes[]) => of(times, ({ tokens, generation }) => tokens / generation);
  const [achieved, plain] = [products.flops / of(ours, (time) => time.update), products.flops / products.seconds].map(
    (rate) => rate / 1e9,
  );
  const megabytes = mapped(memory.theirs, (bytes) => bytes / 1e6);
  return [
    seconds('step', 'whole step'),
    line({
      name: 'generation',
      unit: 'tokens/s',
      goal: goals.generation,
      ours: speed(ours),
      theirs: ofEach(speed),
      ratio: (a, b) => a / b,
    }),
    seconds('update', 'update'),
    line({
      name: 'peak memory',
      unit: 'MB',
      goal: 2,
      ours: memory.ours / 1e6,
      theirs: megabytes,
      ratio: (a, b) => b / a,
    }),
    line({
      name: 'update against plain products',
      unit: 'GFLOP/s',
      goal: 0.6,
      ours: achieved,
      theirs: { products: plain },
      ratio: (a, b) => a / b,
    }),
  ];
}

function line({
  ratio,
  ...given
}: Omit<Line, 'met' | 'ratios'> & { ratio(ours: number, theirs: number): number }): Line {
  const ratios = mapped(given.theirs, (theirs) => ratio(given.ours, theirs));
  return { ...given, ratios, met: Object.values(ratios).every((value) => value >= given.goal) };
}

function mapped<T, U>(values: Record<string, T>, change: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries<T>(values).map(([key, value]) => [key, change(value)]));
}

/** Returns the lines of a model as text. */
export function table(measured: Measured): string {
  const right = (title: string): Column => ({ title });
  const left: Column = { title: '', align: 'left' };
  const precisions = PRECISIONS.filter((name) => measured.theirs[name]);
  const columns = [
    ...precisions.map((name) => right(`to ${name}`)),
    right('goal'),
    left,
    left,
    right('Joylab'),
    ...precisions.map((name) => right(`TRL ${name}`)),
    left,
  ];
  const rows = lines(measured).map(({ name, unit, goal, met, ours, theirs, ratios }) => {
    const share = 'products' in theirs;
    const ratio = (value: number | undefined) =>
      value === undefined ? '' : share ? `${(100 * value).toFixed(0)} %` : `${value.toFixed(2)} ×`;
    const values = (of: Record<string, number>, show: (value: number | undefined) => string) =>
      share ? precisions.map((_, i) => (i === 0 ? show(of.products) : '')) : precisions.map((key) => show(of[key]));
    return [
      ...values(ratios, ratio),
      ratio(goal),
      met ? 'met' : 'missed',
      name,
      figures(ours),
      ...values(theirs, (value) => (value === undefined ? '' : figures(value))),
      share ? `${unit}; on the right the products alone` : unit,
    ];
  });
  return `${measured.name}\n${textTable(columns, rows)}`;
}

/** Returns a number with at least three digits. */
function figures(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(3);
}
