import { after, before, test } from 'node:test';
import { openenv, type AtariEnvironment } from '../../kernel/environments';
import type { GRPOConfig, GRPOTrainer } from '../../kernel/grpo';
import { episodeReturn, functionWorks, type Sample } from '../../kernel/rewards';
import { freshModel, newTrainer, outcomeJson, quietHost } from '../grpo/fixtures';
import { compareWithGolden, hasGolden, hashOf, processor, type Golden } from './recording';

/** Another processor sums in another order: each has a golden file of its own. */
const FILE = `training-${processor()}`;
const skip = hasGolden(FILE) ? false : 'nothing was recorded on a processor like this one';

let env: AtariEnvironment;
before(async () => {
  [process.env.JOYLAB_CACHE, process.env.JOYLAB_SECRET] = ['', 'a secret of which golden files know'];
  quietHost();
  env = (await openenv('atari', { game: 'breakout' })) as AtariEnvironment;
});
after(() => env.close());

const score = (sample: Sample) => episodeReturn(sample, { scale: 0.2 });
const survives = ({ episode }: Sample) => (episode ? episode.return + episode.steps / 1000 : null);
const common: GRPOConfig = { numGenerations: 6, maxCompletionLength: undefined, maxEpisodeSteps: 80 };

/** Metrics and final weights, and the metrics by which people see how it went. */
function told(trainer: GRPOTrainer): Golden[string] {
  const rounded = (name: string): number[] => trainer.logHistory.flatMap((entry) => (name in entry ? [Number((entry as Record<string, number>)[name].toFixed(4))] : []));
  return { hash: hashOf(outcomeJson(trainer)), reward: rounded('reward'), loss: rounded('loss'), kl: rounded('kl') };
}

async function train(args: GRPOConfig, rewardFuncs: Array<(sample: Sample) => number | null>, maxSeqLength: number): Promise<Golden[string]> {
  const trainer = newTrainer(await freshModel({ maxSeqLength }), { ...common, ...args }, { env, rewardFuncs, trainDataset: undefined });
  await trainer.train();
  const found = told(trainer);
  await trainer.dispose();
  return found;
}

test('a run of GRPO of ten steps', { skip }, async () => {
  compareWithGolden(FILE, { 'ten steps': await train({ maxSteps: 10 }, [functionWorks, score], 128) });
});

test('a run with refinement', { skip }, async () => {
  const args: GRPOConfig = { maxSteps: 3, numGenerations: 4, learningRate: 1e-3, refinement: { validationEpisodes: 12, replays: 2 } };
  compareWithGolden(FILE, { refinement: await train(args, [functionWorks, survives], 384) });
});
