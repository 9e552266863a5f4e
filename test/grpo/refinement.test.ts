import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { setCellContext, type MimeBundle } from '../../kernel/display/cellContext';
import { openenv, type AtariEnvironment } from '../../kernel/environments';
import {
  type GRPOTrainer,
  searchPrograms,
  type GRPOConfig,
  type SearchReport,
  type TrainingStep,
} from '../../kernel/grpo';
import { rewardRegistry } from '../../kernel/grpo/session';
import { functionWorks, type Sample } from '../../kernel/rewards';
import type { GRPOTrainerOptions } from '../../kernel/grpo/trainer';
import { freshModel, newTrainer, outcomeJson, quietHost, temporaryFolder } from './fixtures';

let env: AtariEnvironment;

before(async () => {
  quietHost();
  env = (await openenv('atari', { game: 'breakout' })) as AtariEnvironment;
});
after(() => env.close());
afterEach(() => {
  quietHost();
  rewardRegistry.clear();
  rewardRegistry.recentRollouts.clear();
});

const score = ({ episode }: Sample) => (episode ? episode.return + episode.steps / 1000 : null);
const config: GRPOConfig = {
  maxSteps: 4,
  numGenerations: 4,
  maxCompletionLength: undefined,
  maxEpisodeSteps: 60,
  learningRate: 1e-3,
  refinement: { validationEpisodes: 12, replays: 2 },
};
const maxSeqLength = 384;

async function refining(args: GRPOConfig = {}, more: Partial<GRPOTrainerOptions> = {}): Promise<GRPOTrainer> {
  return newTrainer(
    await freshModel({ maxSeqLength }),
    { ...config, ...args },
    { env, rewardFuncs: [functionWorks, score], trainDataset: undefined, ...more },
  );
}

let whole: Promise<string> | undefined;
/** What an uninterrupted run comes to. */
function uninterrupted(): Promise<string> {
  return (whole ??= (async () => {
    const trainer = await refining();
    await trainer.train();
    const json = outcomeJson(trainer);
    await trainer.dispose();
    return json;
  })());
}

test('groups edit a parent: its prompt, its play from the same start, its gain; the same in each run', async () => {
  const steps: TrainingStep[] = [];
  const trainer = await refining({}, { onStep: (step) => void steps.push(step) });
  await trainer.train();
  assert.equal(outcomeJson(trainer), await uninterrupted());
  assert.ok(
    steps.every(
      ({ samples, advantages, rewards }) =>
        samples.length === 16 && advantages.length === 16 && rewards.values.every(({ length }) => length === 16),
    ),
  );
  const [first, ...later] = steps;
  assert.ok(first.samples.every(({ parent, prompt }) => parent === null && !prompt.includes('Change this program')));
  for (const { samples } of later) {
    const groups = [0, 4, 8, 12].map((start) => samples.slice(start, start + 4));
    assert.equal(groups.filter(([{ parent }]) => parent === null).length, 1, 'a quarter is fresh');
    for (const group of groups.filter(([{ parent }]) => parent)) {
      const parent = group[0].parent!;
      for (const sample of group) {
        assert.equal(sample.parent!.id, parent.id);
        assert.ok(
          sample.prompt.includes(`Change this program, which scored ${Number(parent.worth.toPrecision(4))} `) &&
            sample.prompt.includes(`\`\`\`ts\n${parent.code}\n\`\`\`\n`),
        );
        assert.ok(sample.episode === null || sample.episode.seed === parent.episode!.seed, 'from the same start');
      }
    }
  }
  const seeds = steps.map(({ samples }) => new Set(samples.flatMap(({ episode }) => episode?.seed ?? [])));
  assert.ok(seeds[0].size > 1 && ![...seeds[0]].some((seed) => seeds[1].has(seed)));
  const names = ['improved', 'duplicates', 'failed', 'best_worth', 'archive_size', 'episodes'];
  for (const name of names)
    assert.ok(
      trainer.logHistory.slice(1).every((entry) => `refinement/${name}` in entry),
      name,
    );
  assert.ok(trainer.logHistory.every(({ loss, grad_norm }) => Number.isFinite(loss) && Number.isFinite(grad_norm)));
  const episodes = trainer.logHistory.map((entry) => entry['refinement/episodes']);
  assert.ok(episodes.every((count, i) => count > (episodes[i - 1] ?? 0) && count <= (i + 1) * (16 + 3 + 2)));
  const winner = trainer.programs.winner!;
  assert.equal(trainer.programs.best()!.id, winner.id);
  assert.ok(winner.starts > 0);
  await trainer.dispose();
});

test('interrupted in the middle of a step and in the validation, a run has the same numbers', async () => {
  let abort = new AbortController();
  let calls = 0;
  const interrupting = (sample: Sample) => {
    // In the scores of the third step's replays and of the validation.
    if (++calls === 16 * 2 + 20 || calls === 150) abort.abort();
    return score(sample);
  };
  Object.defineProperty(interrupting, 'name', { value: 'score' });
  const trainer = await refining(
    {},
    { rewardFuncs: [functionWorks, interrupting], onStep: ({ step }) => void (step === 3 && abort.abort()) },
  );
  const pauses: number[] = [];
  for (let output = await trainer.train({ signal: abort.signal }); output.status !== 'finished'; ) {
    pauses.push(output.globalStep);
    abort = new AbortController();
    output = await trainer.train({ signal: abort.signal });
  }
  assert.ok(pauses.length >= 2 && pauses.includes(3), `paused after steps ${pauses}`);
  assert.equal(outcomeJson(trainer), await uninterrupted());
  await trainer.dispose();
});

test('gone on from a checkpoint, a run has the same numbers and programs; a broken search is refused', async () => {
  const args = { outputDir: temporaryFolder(), saveSteps: 2 };
  const abort = new AbortController();
  const killed = await refining(args, { onStep: ({ step }) => void (step === 3 && abort.abort()) });
  await killed.train({ signal: abort.signal });
  await killed.dispose();
  const resumed = await refining(args);
  await resumed.train({ resumeFromCheckpoint: true });
  assert.equal(outcomeJson(resumed), await uninterrupted());
  const saved = (resumed as any).ownState.save({ entropyState: null });
  for (const broken of [
    5,
    { ...saved.search, programs: [{}] },
    { ...saved.search, known: { x: 'y' } },
    { ...saved.search, winner: 3 },
  ]) {
    assert.throws(
      () => (resumed as any).ownState.check({ ...saved, search: broken }),
      /the state's search (must be an object|has (programs|known|winner) = )/,
    );
  }
  await resumed.dispose();
});

test('two generations of a step: the second goes on from the first, also after an interruption between them', async () => {
  const args = {
    maxSteps: 2,
    learningRate: 0,
    perDeviceTrainBatchSize: 8,
    stepsPerGeneration: 1,
    gradientAccumulationSteps: 2,
  };
  const trainer = await refining(args);
  await trainer.train();
  assert.deepEqual(
    [...new Set(trainer.programs.ranking(99).map(({ generation }) => generation))].filter(
      (generation) => generation > 3,
    ),
    [],
  );
  assert.ok(trainer.programs.ranking(99).some(({ generation }) => generation === 1));
  const abort = new AbortController();
  let calls = 0;
  const interrupting = (sample: Sample) => (++calls === 10 && abort.abort(), score(sample));
  Object.defineProperty(interrupting, 'name', { value: 'score' });
  const interrupted = await refining(args, { rewardFuncs: [functionWorks, interrupting] });
  assert.equal((await interrupted.train({ signal: abort.signal })).status, 'paused');
  await interrupted.train();
  assert.equal(outcomeJson(interrupted), outcomeJson(trainer));
  await trainer.dispose();
  await interrupted.dispose();
});

test('learningRate 0 is search alone: nothing is learned, and what an update would say is absent', async () => {
  const trainer = await refining({ learningRate: 0, maxSteps: 2 });
  const weights = () =>
    JSON.stringify([...trainer.model.trainableParameters()].map(([, { data }]) => Array.from(data.slice(0, 5))));
  const before = weights();
  await trainer.train();
  assert.equal(weights(), before);
  for (const entry of trainer.logHistory)
    assert.ok(
      'reward' in entry &&
        'refinement/best_worth' in entry &&
        !('loss' in entry) &&
        !('grad_norm' in entry) &&
        !('entropy' in entry),
    );
  assert.ok(trainer.programs.winner);
  await trainer.dispose();
});

test('a reward replaced during a run scores the programs again', async () => {
  await rewardRegistry.register('score', score);
  const trainer = await refining(
    { maxSteps: 3, learningRate: 0, refinement: { validationEpisodes: 0 } },
    {
      rewardFuncs: undefined,
      onStep: async ({ step }) =>
        void (
          step === 2 &&
          (await rewardRegistry.register('score', (sample) => (sample.episode ? 1000 + score(sample)! : null)))
        ),
    },
  );
  await trainer.train();
  const best = trainer.logHistory.map((entry) => entry['refinement/best_worth']);
  assert.ok(best[1] < 100 && best[2] > 1000, best.join(' '));
  assert.ok(
    trainer.programs.ranking(99).every(({ evaluations }) => evaluations.every(({ fitness }) => fitness >= 1000)),
  );
  await trainer.dispose();
});

test('the winner is shown with its ancestors when the run ends; completions have parent and gain', async () => {
  const shown: MimeBundle[] = [];
  setCellContext({
    display: (bundle) => void shown.push(bundle),
    signal: new AbortController().signal,
    registerCommTarget() {},
  });
  const trainer = await refining({ maxSteps: 2, learningRate: 0, logCompletions: true });
  await trainer.train();
  const texts = shown.map((bundle) => String(bundle['text/plain']));
  const lineage = texts.findIndex((text) =>
    text.startsWith(`Lineage of program ${trainer.programs.best()!.id}\n\nProgram `),
  );
  // Pages that nbconvert makes give `pre` the font of text.
  assert.match(String(shown[lineage]['text/html']), /<pre style="[^"]*monospace/);
  const table = texts.find((text) => text.startsWith('Completions of step 2'))!;
  assert.match(table.split('\n')[2], /prompt +completion .* parent +gain/);
  assert.match(table, /program \d+/);
  await trainer.dispose();
});

test('maxEpisodes ends a run: what it plays is no more; the search by an editor plays the same starts', async () => {
  const trainer = await refining({
    maxSteps: -1,
    learningRate: 0,
    refinement: { validationEpisodes: 10, maxEpisodes: 60, replays: 2 },
  });
  const steps: number[] = [];
  await trainer.train();
  assert.equal(trainer.globalStep, 2, 'of up to 21 episodes');
  await trainer.dispose();
  const seeds = new Set<number>();
  const seen = (sample: Sample) => (seeds.add(sample.episode?.seed ?? -1), score(sample));
  const reports: SearchReport[] = [];
  const editor = (parent: { code: string } | null, seed: number) =>
    parent
      ? parent.code.replace(/< .*\)/, `< state.ball_x + ${seed % 30})`)
      : `function strategy(state) {\n  if (state.paddle_x < ${seed % 160}) return "RIGHT";\n  return "LEFT";\n}`;
  const options = {
    env,
    rewardFuncs: [seen],
    editor,
    args: { ...config, maxSteps: 3 },
    onStep: (step: number, report: SearchReport) => void (steps.push(step), reports.push(report)),
  };
  const programs = await searchPrograms(options);
  assert.deepEqual(steps, [1, 2, 3]);
  assert.ok(reports[2].metrics['refinement/episodes'] <= 3 * 21);
  assert.ok(programs.winner && programs.best()!.code.includes('function strategy'));
  const again = await searchPrograms(options);
  assert.deepEqual(again.ranking(99), programs.ranking(99));
});

test('wrong settings are refused, with what is valid', async () => {
  const refine = (refinement: unknown, more: object = {}) => refining({ refinement: refinement as never, ...more });
  await assert.rejects(
    refine('yes'),
    /GRPOConfig: refinement must be true, or an object such as .*, or null, not "yes"/,
  );
  await assert.rejects(
    refine({ objective: 'best' }),
    /GRPOConfig\.refinement: objective must be one of "mean", "positive", "rank", "max@k", "entropic", not "best"/,
  );
  await assert.rejects(refine({ islands: 3 }), /GRPOConfig\.refinement has no setting islands\. .*numIslands/);
  await assert.rejects(refine({ archiveSize: 2, numIslands: 3 }), /archiveSize = 2 is less than numIslands = 3/);
  await assert.rejects(
    refine({ initialPrograms: ['x'] }),
    /initialPrograms must be a list of sources, .*, not \["x"\]/,
  );
  await assert.rejects(refining({}, { env: undefined, trainDataset: [{ prompt: 'x' }] }), /refinement needs env/);
  const short = newTrainer(await freshModel({ maxSeqLength: 160 }), config, {
    env,
    rewardFuncs: [score],
    trainDataset: undefined,
  });
  await assert.rejects(
    short.train(),
    /With refinement a prompt holds a program, too: the longest prompt has \d+ tokens, and maxSeqLength is 160\. Load the model with maxSeqLength: \d+ or more/,
  );
  const trainer = await refine({ maxEpisodes: 20 });
  await assert.rejects(
    trainer.train(),
    /maxEpisodes = 20 leaves no step: a generation plays up to 21 episodes, and the validation 80/,
  );
});
