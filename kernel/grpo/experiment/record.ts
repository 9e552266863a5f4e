import { createHash } from 'node:crypto';
import { stringifyExact } from '../../common/exactJson';
import { machineHere, versionsHere } from '../../common/versions';
import type { ExperimentData, ExperimentResults } from '../../display/experimentMime';
import type { RolloutEnvironment } from '../../environments/environment';
import type { CausalLM } from '../../models/causalLM';
import { runtimeSettings } from '../../onnx/threads';
import type { WeightedReward } from '../../rewards/scoring';
import type { TrainerState } from '../../training/callbacks';
import type { ResolvedConfig } from '../config';
import type { TrainRow } from '../rollouts/prompts';

/** Settings from which no number follows: folders, what is shown, kept or reported. */
const WITHOUT_NUMBERS: ReadonlySet<string> = new Set([
  'outputDir',
  'saveStrategy',
  'saveSteps',
  'saveTotalLimit',
  'reportTo',
  'runName',
  'project',
  'logCompletions',
  'numCompletionsToPrint',
  'logUniquePrompts',
  'rolloutsTotalLimit',
]);

/** Metrics that are times, which are never the same. */
const TIME = /^step_time$|_runtime$|_per_second$/;

/** Steps whose mean rewards are kept, at most. */
const KEPT_STEPS = 500;

/** What {@link recordExperiment} reads. */
export interface ExperimentParts {
  trainer: {
    readonly runId: string;
    readonly model: CausalLM;
    readonly env: RolloutEnvironment | null;
    readonly state: TrainerState;
  };
  config: ResolvedConfig;
  rows: readonly TrainRow[];
  rewards: readonly WeightedReward[];
  /** From which the run's random numbers follow; it stays secret. */
  secret: string;
}

/** Returns what made the numbers of a run, and these. */
export function recordExperiment({ trainer, config, rows, rewards, secret }: ExperimentParts): ExperimentData {
  const { runId, model, env, state } = trainer;
  const settings = Object.entries(config).filter(([name, value]) => value !== undefined && !WITHOUT_NUMBERS.has(name));
  return {
    version: 1,
    runId,
    ended: new Date().toISOString(),
    model: { name: model.modelName, start: digest([secret]) },
    environment: env && { name: env.name, environment: env.spec.environment, options: plain(env.spec.options) },
    prompts: { count: rows.length, digest: digest([...new Set(rows)].map(stringifyExact)) },
    settings: plain(Object.fromEntries(settings)),
    rewards: rewards.map(({ name, weight, score }) => ({ name, weight, source: score.toString() })),
    versions: versionsHere(),
    machine: `${machineHere()}, ${runtimeSettings.threads} threads`,
    results: resultsOf(state),
  };
}

function resultsOf({ logHistory: log, globalStep: step, maxSteps }: TrainerState): ExperimentResults {
  const timeless = log.map((entry) => Object.fromEntries(Object.entries(entry).filter(([name]) => !TIME.test(name))));
  const steps = timeless.filter((entry) => entry.reward !== undefined || entry.loss !== undefined);
  const every = Math.ceil(steps.length / KEPT_STEPS);
  const kept = steps.filter((_, i) => i % every === 0 || i === steps.length - 1);
  return {
    step,
    maxSteps,
    steps: kept.map((entry) => entry.step),
    rewards: kept.map(({ reward }) => reward ?? null),
    last: Object.assign({}, ...timeless.slice(-2)),
    digest: digest(timeless.map((entry) => JSON.stringify(entry))),
  };
}

/** Returns 16 characters of a digest. */
function digest(texts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(`${text.length}:${text}`);
  return hash.digest('hex').slice(0, 16);
}

/** Returns an object as JSON has it. */
function plain(value: object): Record<string, unknown> {
  return JSON.parse(stringifyExact(value)) as Record<string, unknown>;
}
