import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GRPOTrainer } from '../../../kernel/grpo/trainer';
import { FastLanguageModel } from '../../../kernel/models';
import type { Sample } from '../../../kernel/rewards';
import { generationFixtures, fixtureTrainer, loadModel } from '../completionFixtures';
import { base, folder, peer } from './peer';

test('a completion ends at the tokens that the model names, and at the end token of the tokenizer', async () => {
  const [named, tokenizers] = [7, 0];
  for (const eos_token_id of [named, [named, 9], tokenizers]) {
    const other = peer.path(`ends ${eos_token_id}`);
    await peer.call('make_model', { folder: other, eos_token_id });
    const ends: number[] = await peer.call('end_tokens', { folder: other });
    const { model, tokenizer } = await FastLanguageModel.fromPretrained({ modelName: other });
    const completions: number[][] = [];
    const rewardFuncs = ({ completionIds }: Sample) => completions.push(completionIds);
    const args = { maxSteps: 1, numGenerations: 64, maxCompletionLength: 50, seed: 5 };
    await new GRPOTrainer({
      model,
      processingClass: tokenizer,
      rewardFuncs,
      trainDataset: [{ prompt: 'w1 w2 w3' }],
      args,
    }).train();
    for (const ids of completions) {
      assert.deepEqual(
        ids.slice(0, -1).filter((id) => ends.includes(id)),
        [],
      );
      assert.ok(ids.length === 50 || ends.includes(ids.at(-1)!));
    }
    for (const end of ends)
      assert.ok(
        completions.some((ids) => ids.at(-1) === end),
        `a completion ends at ${end}`,
      );
    // Generation by itself ends as that of transformers.
    const { sequences } = await model.generate({
      ...tokenizer('w1 w2 w3'),
      numReturnSequences: 64,
      maxNewTokens: 50,
      seed: 5,
    });
    assert.equal(
      sequences.some((ids) => ids.slice(0, -1).includes(tokenizers)),
      eos_token_id !== tokenizers,
    );
    await model.dispose();
  }
});

test('transformers and PEFT read a checkpoint', async () => {
  const outputDir = peer.path('checkpoints');
  const args = { ...base, outputDir, saveSteps: 5, beta: 0.1 };
  const model = await loadModel(folder, true);
  const trainer = fixtureTrainer(model, args, generationFixtures(args));
  await trainer.train();
  const checkpoint = `${outputDir}/checkpoint-5`;
  const state = await peer.call('trainer_state', { path: `${checkpoint}/trainer_state.json` });
  assert.deepEqual([state.global_step, state.max_steps, state.epoch], [5, 5, 1]);
  assert.deepEqual(state.log_history, trainer.logHistory);
  const norm = Math.sqrt(
    [...model.trainableParameters().values()].reduce((sum, { data }) => sum + data.reduce((a, b) => a + b * b, 0), 0),
  );
  assert.ok(Math.abs((await peer.call<number>('load_adapter', { folder, adapter: checkpoint })) - norm) < 1e-4 * norm);
});
