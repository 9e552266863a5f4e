import { FastLanguageModel, GRPOTrainer, type CausalLM, type GRPOConfig } from '../../../../kernel';
import type { Metrics } from '../../../../kernel/training/metricsBuffer';
import type { Line } from '../store';
import { bundledModel, MODEL, policyLine } from './model';
import {
  EPISODES,
  PLAYING,
  reported,
  score,
  SEARCH,
  type Given,
  type Outcome,
  type Settings,
  type Variant,
} from './variant';

/** Settings of the notebook, and a fence against steps that undo all. */
const DEFAULTS: Required<Settings> = {
  rank: 16,
  args: {
    numGenerations: 8,
    temperature: 1,
    learningRate: 1.5e-3,
    adamBeta2: 0.99,
    warmupSteps: 5,
    lrSchedulerType: 'linear',
    beta: 0,
    targetKl: 0.2,
  },
};
const TARGETS = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'];
/** Settings of GRPO without parents: one group per step. */
const PLAIN: GRPOConfig = { refinement: null, numGenerations: 32, maxSteps: EPISODES / 32 };

/** Steps after which a model that is trained without parents has to write programs that play. */
const FIRST_STEPS = 20;
/** Figure of runs without parents: whether the model keeps writing programs, also where playing costs. */
export const LOWEST_VALID = `valid, lowest after step ${FIRST_STEPS}`;

/** The model edits programs, and is trained while it does. */
export const trained = trainedAs('trained', 'the model edits programs, and is trained while it does', {
  refinement: { maxEpisodes: EPISODES },
});
/** The same search by a model that is not trained, which shows what training adds. */
export const frozen = trainedAs('frozen', 'the same with learningRate: 0', {
  refinement: { maxEpisodes: EPISODES },
  learningRate: 0,
});
/** GRPO without parents, which shows what parents add. */
export const plain = trainedAs('plain', 'GRPO without parents: each program is written from nothing', PLAIN);

function trainedAs(name: string, description: string, fixed: GRPOConfig): Variant {
  return {
    description,
    sources: [
      ...PLAYING,
      ...SEARCH,
      ...MODEL,
      'kernel/grpo',
      'kernel/rewards',
      'kernel/training',
      'test/bench/games/variants/trained.ts',
    ],
    run: (given) => train(name, given, fixed),
  };
}

async function train(name: string, given: Given, fixed: GRPOConfig): Promise<Outcome> {
  const { task, env, seed, settings, log } = given;
  const { rank, args } = { ...DEFAULTS, ...settings };
  const refinement = fixed.refinement && { ...(args.refinement as object), ...(fixed.refinement as object) };
  const steps: Metrics[] = [];
  let chosen = 0;
  let valid = 0;
  const model = adapted(await bundledModel(), rank, seed);
  const trainer = new GRPOTrainer({
    model,
    env,
    processingClass: model.tokenizer,
    rewardFuncs: (sample) => {
      chosen++;
      valid += Number(sample.episode?.failed === false);
      return score(sample);
    },
    args: { ...DEFAULTS.args, ...args, ...fixed, refinement, seed, maxEpisodeSteps: task.trainingSteps },
    onStep({ step, metrics }) {
      steps.push({ ...metrics, valid: valid / chosen });
      chosen = valid = 0;
      log(`step ${step}: ${told(metrics)}`);
    },
  });
  await trainer.train();
  const searched = steps.at(-1)!['refinement/episodes'] ?? EPISODES;
  const best = trainer.programs.best();
  return {
    episodes: searched + (refinement ? chosen : 0),
    figures: { ...figuresOf(steps), ...(refinement ? {} : { [LOWEST_VALID]: lowestValid(steps) }) },
    async report() {
      const lines: Line[] = [];
      if (best) lines.push(await reported(given, name, best.code));
      lines.push(await policyLine(name === 'trained' ? 'policy' : `${name}: policy`, model, given));
      await trainer.dispose();
      return lines;
    },
  };
}

function adapted(model: CausalLM, rank: number | null, seed: number): CausalLM {
  return rank === null
    ? model
    : FastLanguageModel.getPeftModel(model, {
        r: rank,
        loraAlpha: 2 * rank,
        targetModules: TARGETS,
        randomState: seed,
      });
}

/** Returns the lowest share of a group's completions whose strategy played to the end, once the first steps are over. */
function lowestValid(steps: readonly Metrics[]): number {
  return Math.min(...steps.slice(FIRST_STEPS).map(({ valid }) => valid));
}

/** Returns the means of metrics over the run, and over its last third. */
function figuresOf(steps: readonly Metrics[]): Record<string, number> {
  const lastThird = steps.slice(Math.floor((2 * steps.length) / 3));
  const names = ['refinement/improved', 'refinement/duplicates', 'refinement/failed', 'entropy', 'reward'];
  const meanOf = (of: readonly Metrics[], name: string): number => {
    const values = of.map((metrics) => metrics[name]).filter((value) => Number.isFinite(value));
    return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  };
  return Object.fromEntries(
    names.flatMap((name) => [
      [name, meanOf(steps, name)],
      [`${name}, last third`, meanOf(lastThird, name)],
    ]),
  );
}

function told(metrics: Metrics): string {
  const names = [
    'reward',
    'valid',
    'entropy',
    'refinement/best_worth',
    'refinement/improved',
    'refinement/failed',
    'refinement/episodes',
  ];
  return names
    .filter((name) => Number.isFinite(metrics[name]))
    .map((name) => `${name} ${metrics[name].toPrecision(3)}`)
    .join(', ');
}
