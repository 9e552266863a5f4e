import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test, type TestContext } from 'node:test';
import type { CausalLM } from '../../kernel/models';
import { openenv } from '../../kernel/environments';
import type { GRPOConfig, TrainingStep } from '../../kernel/grpo';
import { episodeReturn } from '../../kernel/rewards';
import { freshModel, newTrainer, quietHost, temporaryFolder } from './fixtures';

before(quietHost);

/** What the model writes in these tests: a strategy that draws. */
const COMPLETION =
  '```ts\nfunction strategy({ legal_actions }) { return legal_actions[Math.floor(Math.random() * legal_actions.length)]; }\n```';

/** Trains on 2048 with that strategy. @returns start and actions of each step */
async function playedIn(t: TestContext, args: GRPOConfig, model?: CausalLM): Promise<string[]> {
  const env = await openenv('game2048');
  model ??= await freshModel();
  const ids = model.tokenizer.encode(COMPLETION);
  const { generate } = model;
  const mocked = t.mock.method(model, 'generate', async (options: Parameters<typeof generate>[0]) => {
    const output = await generate.call(model, { ...options, maxNewTokens: 2 });
    output.sequences = output.sequences.map(() => ids);
    output.logprobs = output.sequences.map(() => new Float32Array(ids.length));
    return output;
  });
  const played: string[] = [];
  const onStep = ({ samples }: TrainingStep): void => {
    const { seed, actions } = samples[0].episode!;
    played.push(`${seed}: ${actions.join('')}`);
  };
  const trainer = newTrainer(
    model,
    { maxCompletionLength: ids.length, maxEpisodeSteps: 20, ...args },
    { env, rewardFuncs: [episodeReturn], trainDataset: [{ prompt: [{ role: 'user', content: 'Play.' }] }], onStep },
  );
  await trainer.train();
  await trainer.dispose();
  mocked.mock.restore();
  await env.close();
  return played;
}

test('a run goes on with the secret that its checkpoint holds, and so with the same random numbers of strategies', async (t) => {
  const outputDir = temporaryFolder();
  const whole = await playedIn(t, { maxSteps: 4, saveSteps: 2, outputDir });
  assert.equal(new Set(whole).size, 4, 'each step from another start');
  const resumed = { maxSteps: 4, resumeFromCheckpoint: join(outputDir, 'checkpoint-2') };
  assert.deepEqual(await playedIn(t, resumed), whole.slice(2));
  // As a process with another secret of its own wrote it.
  const file = join(outputDir, 'checkpoint-2', 'run_state.json');
  const saved = JSON.parse(readFileSync(file, 'utf8'));
  assert.match(saved.state.secret, /^.{32,}$/);
  saved.state.secret = 'another secret of another process';
  writeFileSync(file, JSON.stringify(saved));
  const other = await playedIn(t, resumed);
  assert.notDeepEqual(other, whole.slice(2));
  assert.deepEqual(await playedIn(t, resumed), other);
});

test('where a run starts follows from its seed and its model, and not from the seed alone', async (t) => {
  const startsOf = async (args: GRPOConfig, model?: CausalLM) =>
    (await playedIn(t, { maxSteps: 2, ...args }, model)).map((played) => Number(played.split(':')[0]));
  const first = await startsOf({ seed: 42 });
  assert.deepEqual(await startsOf({ seed: 42 }), first, 'the same notebook gives the same run');
  const others = [await startsOf({ seed: 43 }), await startsOf({ seed: 42 }, await freshModel({ adapter: false }))];
  process.env.JOYLAB_SECRET = 'a secret that somebody has given to the run';
  t.after(() => delete process.env.JOYLAB_SECRET);
  others.push(await startsOf({ seed: 42 }));
  assert.equal(new Set([first, ...others].flat()).size, 8);
  assert.deepEqual(await startsOf({ seed: 42 }), others[2]);
  process.env.JOYLAB_SECRET = 'too short';
  await assert.rejects(startsOf({}), /JOYLAB_SECRET must be a text of at least 32 characters/);
});
