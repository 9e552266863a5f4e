import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Environment, FastLanguageModel, functionWorks, GRPOTrainer, openenv, serve, type Sample } from '../../kernel';
import type { StepResult } from '../../kernel/internal';

/** A ball is to be met. Every third episode breaks at its first step. */
class Meet extends Environment<{ move: 'LEFT' | 'RIGHT' }, { ball_x: number; paddle_x: number }> {
  static override schema = {
    action: { type: 'object', properties: { move: { enum: ['LEFT', 'RIGHT'] } }, required: ['move'] },
    observation: {
      type: 'object',
      properties: {
        ball_x: { type: 'integer', minimum: 0, maximum: 20 },
        paddle_x: { type: 'integer', minimum: 0, maximum: 20 },
      },
    },
  };
  static episodes = 0;
  static open = 0;
  static most = 0;
  private number = 0;
  private at = { ball_x: 0, paddle_x: 0 };

  constructor() {
    super();
    Meet.most = Math.max(Meet.most, ++Meet.open);
  }
  reset() {
    this.number = ++Meet.episodes;
    this.at = { ball_x: this.random.int(0, 20), paddle_x: this.random.int(0, 20) };
    return { observation: this.at };
  }
  step({ move }: { move: string }) {
    if (this.number % 3 === 0) throw new Error('the ball is lost');
    this.at.paddle_x = Math.min(20, Math.max(0, this.at.paddle_x + (move === 'LEFT' ? -1 : 1)));
    return { observation: this.at, reward: 1, done: this.at.paddle_x === this.at.ball_x };
  }
  override close(): void {
    Meet.open--;
  }
}

test('GRPO on a server with one place, some of whose episodes fail: those have no reward, and nothing is learned from them', async (t) => {
  const warned = t.mock.method(console, 'warn', () => {});
  const server = await serve(Meet, { capacity: 1 });
  const env = await openenv(server.url);
  await env.reset({ seed: 1 });
  const { model: base, tokenizer } = await FastLanguageModel.fromPretrained({
    modelName: 'joylab/strategist',
    maxSeqLength: 256,
  });
  const model = FastLanguageModel.getPeftModel(base, { r: 4, randomState: 1 });
  const steps: StepResult[] = [];
  const asked: Sample[] = [];
  const points = (sample: Sample) => (asked.push(sample), sample.episode ? sample.episode.steps / 10 : 0);
  const args = {
    maxSteps: 1,
    numGenerations: 16,
    maxCompletionLength: 128,
    maxEpisodeSteps: 20,
    learningRate: 1e-3,
    seed: 3,
  };
  const trainer = new GRPOTrainer({
    model,
    processingClass: tokenizer,
    env,
    rewardFuncs: [functionWorks, points],
    args,
    onStep: (step: any) => void steps.push(step),
  });
  assert.equal((await trainer.train()).status, 'finished');

  const [{ samples, rewards, advantages }] = steps as any[];
  const failed = samples.flatMap(({ environmentError }: Sample, i: number) =>
    environmentError === undefined ? [] : [i],
  );
  const played = samples.filter(({ episode }: Sample) => episode);
  assert.ok(failed.length > 0 && played.length > 0, `${failed.length} failed, ${played.length} were played`);
  for (const i of failed) {
    assert.match(samples[i].environmentError, /EXECUTION_ERROR: the ball is lost/);
    assert.deepEqual(
      [samples[i].episode, rewards.values.map((values: any) => values[i]), advantages[i]],
      [null, [null, null], 0],
    );
  }
  assert.ok(
    !asked.some(({ environmentError }) => environmentError !== undefined),
    'no reward function was asked about what was not played',
  );
  assert.match(
    warned.mock.calls[0].arguments[0],
    /^Meet: \d+ of \d+ episodes could not be played and do not count\. EXECUTION_ERROR: the ball is lost$/,
  );
  assert.equal(Meet.most, 1, 'one session at a time');
  await env.close();
  await server.close();
});
