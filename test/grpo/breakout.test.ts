import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { inflateSync } from 'node:zlib';
import { setCellContext, type Comm } from '../../kernel/display/cellContext';
import { TRAINING_COMM, type TrainingMessage } from '../../kernel/display/mime';
import { openenv, type AtariEnvironment } from '../../kernel/environments';
import type { TrainingStep } from '../../kernel/grpo';
import { functionWorks, episodeReturn } from '../../kernel/rewards';
import type { Sample } from '../../kernel/rewards/sample';
import { referenceReturns } from '../../kernel/rollout';
import { freshModel, newTrainer, outcome, quietHost } from './fixtures';

let env: AtariEnvironment;

before(async () => {
  process.env.JOYLAB_CACHE = '';
  quietHost();
  env = (await openenv('atari', { game: 'breakout' })) as AtariEnvironment;
});
after(() => env.close());

const score = (sample: Sample) => episodeReturn(sample, { scale: 0.2 });
const args = { maxSteps: 2, numGenerations: 6, maxCompletionLength: undefined, maxEpisodeSteps: 80 };
const options = () => ({ env, rewardFuncs: [functionWorks, score], trainDataset: undefined });

test('strategies play: a group from one start, each step from another, the same in each run', async () => {
  const runs: TrainingStep[][] = [[], []];
  const outcomes = [];
  for (const steps of runs) {
    const trainer = newTrainer(await freshModel(), args, { ...options(), onStep: (step) => void steps.push(step) });
    await trainer.train();
    outcomes.push(outcome(trainer));
    await trainer.dispose();
  }
  const [steps] = runs;
  assert.deepEqual(outcomes[0], outcomes[1]);
  assert.deepEqual(
    steps.map(({ samples }) => samples),
    runs[1].map(({ samples }) => samples),
  );
  const seeds = steps.map(({ samples }) => new Set(samples.flatMap(({ episode }) => episode?.seed ?? [])));
  assert.deepEqual(
    seeds.map(({ size }) => size),
    [1, 1],
  );
  assert.notDeepEqual([...seeds[0]], [...seeds[1]]);
  const played = steps.flatMap(({ samples }) => samples.flatMap(({ episode }) => episode ?? []));
  assert.ok(played.length >= 10, 'the model writes functions that can be played');
  assert.ok(played.every(({ steps }) => steps <= 80));
  for (const { samples, rewards } of steps) {
    assert.deepEqual(
      rewards.values[1],
      samples.map(({ episode }) => (episode?.return ?? 0) * 0.2),
    );
  }
});

test('a visible view gets the newest group with its frames', async () => {
  const messages: Array<{ message: TrainingMessage; buffers: Uint8Array[] }> = [];
  let open: ((comm: Comm, data: object, buffers: Uint8Array[]) => void) | undefined;
  let say: (data: object, buffers: Uint8Array[]) => void = () => {};
  const comm: Comm = {
    commId: 'view',
    send: (message, buffers = []) => void messages.push({ message: message as TrainingMessage, buffers }),
    onMessage: (handler) => void (say = handler),
    onClose() {},
    close() {},
  };
  setCellContext({
    signal: new AbortController().signal,
    registerCommTarget: (target, onOpen) => void (target === TRAINING_COMM && (open = onOpen)),
    display(bundle) {
      if (!open) return;
      // As the extension does when the output appears.
      open(comm, { runId: (Object.values(bundle)[0] as { runId: string }).runId }, []);
      open = undefined;
      say({ type: 'visible', visible: true }, []);
    },
  });
  const trainer = newTrainer(await freshModel(), { ...args, maxSteps: 1 }, options());
  await trainer.train();
  quietHost();
  const { message, buffers } = messages.find(({ message }) => message.type === 'group')!;
  assert.ok(message.type === 'group' && message.step === 1);
  const { episodes, scores = [], of } = message;
  assert.deepEqual(
    [episodes.length, scores.length, of],
    [args.numGenerations, args.numGenerations, args.numGenerations],
  );
  const rewards = scores.map(({ reward }) => reward ?? -Infinity);
  assert.deepEqual(
    rewards,
    [...rewards].sort((a, b) => b - a),
    'the best is the first',
  );
  const played = episodes.findIndex((episode) => episode !== null);
  const { width, height, frameCount, every, frames, encoding, actions } = episodes[played]!;
  assert.deepEqual([width, height, every, frames, encoding], [160, 210, 4, '', 'changes']);
  assert.equal(frameCount, 1 + Math.floor(actions.length / 4));
  const shown = unpacked(buffers[played]);
  assert.equal(shown.length, frameCount);

  // Opened, it has every frame, and the state beside it.
  const { index } = scores[played];
  say({ type: 'open', step: 1, index }, []);
  for (const end = Date.now() + 30_000; messages.at(-1)!.message.type !== 'episode' && Date.now() < end; )
    await new Promise((resolve) => setTimeout(resolve, 10));
  const answer = messages.at(-1)!;
  assert.ok(answer.message.type === 'episode' && answer.message.episode);
  const opened = answer.message.episode;
  assert.equal(opened.frameCount, 1 + actions.length);
  assert.equal(opened.states!.lives?.length ?? Object.values(opened.states!)[0].length, opened.frameCount);
  const all = inflateSync(answer.buffers[0]);
  const last = Buffer.alloc(width * height);
  for (let i = 0; i < all.length; i++) last[i % last.length] ^= all[i];
  if (actions.length % 4 === 0) assert.ok(last.equals(shown.at(-1)!), 'both pack the same pixels');
});

/** Returns the frames that `ChangedFrames` has packed. */
function unpacked(bytes: Uint8Array): Buffer[] {
  const inflated = inflateSync(bytes);
  const words = new Uint32Array(inflated.buffer, inflated.byteOffset, inflated.length / 4);
  const frame = words.slice(0, (160 * 210) / 4);
  const frames = [Buffer.from(frame.slice().buffer)];
  for (let at = frame.length; at < words.length; ) {
    const end = at + 1 + 2 * words[at];
    for (at++; at < end; at += 2) frame[words[at]] ^= words[at + 1];
    frames.push(Buffer.from(frame.slice().buffer));
  }
  return frames;
}

for (const [what, measured] of [
  ['the measurement of chance', false],
  ['the play', true],
] as const)
  test(`an interruption of ${what} is answered, and the run goes on with the same numbers`, async (t) => {
    const long = { ...args, maxEpisodeSteps: measured ? 1000 : 500 };
    if (measured) await referenceReturns(env);
    const trainer = newTrainer(await freshModel(), long, options());
    const abort = new AbortController();
    const vectorSources = env.vectorSources.bind(env);
    // When it is about to play.
    const asked = t.mock.method(env, 'vectorSources', async (count?: number) => {
      const sources = await vectorSources(count);
      abort.abort();
      return sources;
    });
    const output = await trainer.train({ signal: abort.signal });
    assert.equal(output.status, 'paused');
    assert.equal(asked.mock.callCount(), 1);
    asked.mock.restore();
    await trainer.train();
    const whole = newTrainer(await freshModel(), long, options());
    await whole.train();
    assert.deepEqual(outcome(trainer), outcome(whole));
  });
