import {
  EXPERIMENT_MIME,
  type ExperimentComparison,
  type ExperimentData,
  type ExperimentResults,
} from '../experimentMime';
import { escapeHtml, formatNumber, htmlTable, textTable, type Column } from '../table';

/** Differences that a sentence names. */
const NAMED = 3;

/** Metrics that are shown side by side. */
const SHOWN = ['loss', 'eval_reward', 'kl', 'completions/mean_length', 'refinement/best_worth'];

/** Compares a run with an experiment that was saved. */
export function compareExperiments(saved: ExperimentData, now: ExperimentData): ExperimentComparison {
  const [before, after] = [saved.results, now.results];
  const differences = differencesOf(saved, now);
  const equal = before.digest === after.digest && before.step === after.step;
  return {
    equal,
    text: sentence(before, after, equal, differences),
    ended: saved.ended,
    rows: rowsOf(before, after),
    differences,
  };
}

function rowsOf(before: ExperimentResults, after: ExperimentResults): ExperimentComparison['rows'] {
  const row = (metric: string, get: (results: ExperimentResults) => number | null | undefined) => ({
    metric,
    saved: get(before) ?? null,
    now: get(after) ?? null,
  });
  return [
    row('steps', ({ step }) => step),
    row('reward, first step', ({ rewards }) => rewards[0]),
    row('reward, best step', ({ rewards }) => best(rewards)),
    row('reward, last step', ({ rewards }) => rewards.at(-1)),
    ...SHOWN.map((metric) => row(metric, ({ last }) => last[metric])),
  ].filter(({ saved, now }) => saved !== null || now !== null);
}

function best(rewards: ReadonlyArray<number | null>): number | null {
  const known = rewards.filter((reward) => reward !== null);
  return known.length > 0 ? known.reduce((a, b) => Math.max(a, b)) : null;
}

function sentence(
  before: ExperimentResults,
  after: ExperimentResults,
  equal: boolean,
  differences: readonly string[],
): string {
  const named = differences.slice(0, NAMED).join('; ');
  const more = differences.length > NAMED ? `; and ${differences.length - NAMED} more` : '';
  if (equal) {
    const although = named ? `, although something else differs: ${named}${more}` : '';
    return `Equal to the saved experiment in all ${after.step} steps${although}.`;
  }
  const where = firstDifference(before, after);
  const why = named
    ? `Likely because of ${named}${more}.`
    : 'Nothing that was saved differs: a reward function or an environment may depend on time, network or chance of its own.';
  return `Differs from the saved experiment${where}. ${why}`;
}

/** Returns where the rewards begin to differ, in words. */
function firstDifference(before: ExperimentResults, after: ExperimentResults): string {
  const earlier = new Map(before.steps.map((step, i) => [step, before.rewards[i]]));
  const both = after.steps.filter((step) => earlier.has(step));
  const first = both.find((step) => earlier.get(step) !== after.rewards[after.steps.indexOf(step)]);
  if (first !== undefined) return ` from step ${first} on`;
  if (before.step !== after.step)
    return `: the rewards are equal in the first ${Math.min(before.step, after.step)} steps, but it has ${before.step}, and this run ${after.step}`;
  return ', though its rewards are equal: other metrics are not';
}

/** Returns what differs beside the numbers, the likeliest reason first. */
function differencesOf(saved: ExperimentData, now: ExperimentData): string[] {
  return [
    ...changes(saved.settings, now.settings),
    ...rewardDifferences(saved, now),
    ...environmentDifferences(saved, now),
    ...(saved.prompts.digest === now.prompts.digest ? [] : ['other prompts']),
    ...(saved.model.name === now.model.name
      ? saved.model.start === now.model.start
        ? []
        : ['the model began with other weights (it was trained before, or its adapter has other random numbers)']
      : [`model ${saved.model.name} → ${now.model.name}`]),
    ...changes(saved.versions, now.versions),
    ...(saved.machine === now.machine ? [] : [`machine ${saved.machine} → ${now.machine}`]),
  ];
}

function rewardDifferences(saved: ExperimentData, now: ExperimentData): string[] {
  const before = new Map(saved.rewards.map((reward) => [reward.name, reward]));
  const names = new Set(now.rewards.map(({ name }) => name));
  return [
    ...now.rewards.flatMap(({ name, weight, source }) => {
      const earlier = before.get(name);
      if (!earlier) return [`reward function ${name} is new`];
      return [
        ...(earlier.source === source ? [] : [`another source of reward function ${name}`]),
        ...(earlier.weight === weight ? [] : [`weight of ${name} ${earlier.weight} → ${weight}`]),
      ];
    }),
    ...saved.rewards.filter(({ name }) => !names.has(name)).map(({ name }) => `without reward function ${name}`),
  ];
}

function environmentDifferences(
  { environment: before }: ExperimentData,
  { environment: now }: ExperimentData,
): string[] {
  if (before?.name !== now?.name) return [`environment ${before?.name ?? 'none'} → ${now?.name ?? 'none'}`];
  return changes(before?.options ?? {}, now?.options ?? {});
}

/** Returns what changed between two objects: "learningRate 0.001 → 0.0005". */
function changes(before: Record<string, unknown>, now: Record<string, unknown>): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  return names
    .filter((name) => JSON.stringify(before[name]) !== JSON.stringify(now[name]))
    .map((name) => `${name} ${shownValue(before[name])} → ${shownValue(now[name])}`);
}

function shownValue(value: unknown): string {
  return value === undefined ? 'none' : typeof value === 'string' ? value : JSON.stringify(value);
}

const columns: Column[] = [{ title: '', align: 'left' }, { title: 'saved' }, { title: 'this run' }];

/** Returns the numbers of a comparison as rows of text: metric, saved, this run. */
export function comparisonRows({ rows }: ExperimentComparison): string[][] {
  return rows.map(({ metric, saved, now }) => [metric, ...pair(saved, now)]);
}

/** Returns two numbers as text, with as many digits as tell them apart. */
function pair(saved: number | null, now: number | null): string[] {
  for (let digits = 2; digits < 12; digits++) {
    const texts = [saved, now].map((value) => formatNumber(value, Number.isInteger(value) ? undefined : digits));
    if (saved === now || texts[0] !== texts[1]) return texts;
  }
  return [String(saved), String(now)];
}

/** Returns a comparison as HTML and as text. */
export function comparisonBundle(comparison: ExperimentComparison): { 'text/html': string; 'text/plain': string } {
  const rows = comparisonRows(comparison);
  return {
    'text/html': `<p>${escapeHtml(comparison.text)}</p>\n${htmlTable(columns, rows)}`,
    'text/plain': `${comparison.text}\n\n${textTable(columns, rows)}`,
  };
}

/** Returns an experiment for the notebook: as data, and in words. */
export function experimentBundle(
  data: ExperimentData,
  comparison: ExperimentComparison | null,
): Record<string, unknown> {
  const { results, rewards, model, environment, settings, versions, machine } = data;
  const facts = [
    ['run', `${results.step} of ${results.maxSteps} steps, seed ${String(settings.seed)}`],
    ['model', model.name],
    [
      'environment',
      environment
        ? [environment.name, ...changes({}, environment.options)].join(', ').replaceAll('none → ', '')
        : 'none',
    ],
    ['rewards', rewards.map(({ name, weight }) => (weight === 1 ? name : `${name} × ${weight}`)).join(', ')],
    [
      'reward, first and last step',
      [results.rewards[0], results.rewards.at(-1)].map((value) => formatNumber(value)).join(', '),
    ],
    [
      'versions',
      Object.entries(versions)
        .map((entry) => entry.join(' '))
        .join(', '),
    ],
    ['machine', machine],
  ];
  const compared = comparison && comparisonBundle(comparison);
  const title = 'Saved with this notebook: settings, seeds, versions, reward sources and results of the run.';
  const names: Column[] = [
    { title: 'experiment', align: 'left' },
    { title: '', align: 'left' },
  ];
  return {
    [EXPERIMENT_MIME]: data,
    'text/html': `<p>${title}</p>\n${htmlTable(names, facts)}${compared ? `\n${compared['text/html']}` : ''}`,
    'text/plain': [title, textTable(names, facts), ...(compared ? [compared['text/plain']] : [])].join('\n\n'),
  };
}
