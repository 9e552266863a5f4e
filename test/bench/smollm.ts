/*
 * A pretrained model through the whole way: `npm run bench -- smollm`.
 *
 * SmolLM2-135M-Instruct comes as a GGUF file (from PyPI) and is written as a
 * folder. Supervised training on 200 steps teaches the form of an answer, with
 * random actions; GRPO then has to find out which action is right, from a reward
 * of 1 or 0, for at most 20 minutes. The curve is printed, then the model is
 * saved as GGUF, loaded again, and has to answer all prompts with the same text
 * at temperature 0. Options: `--sft 200`, `--grpo 150`, `--minutes 20`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { GRPOTrainer } from '../../kernel/grpo/trainer';
import { FastLanguageModel, ggufToFolder, type CausalLM } from '../../kernel/models';
import { seededRandom } from '../../kernel/common/random';
import type { RewardInput } from '../../kernel/rewards/sample';
import { SFTTrainer } from '../../kernel/sft/trainer';
import { smollm } from '../models/gguf/smollm';

const { values } = parseArgs({
  options: {
    sft: { type: 'string', default: '200' },
    grpo: { type: 'string', default: '150' },
    minutes: { type: 'string', default: '20' },
  },
});

const ACTIONS = ['LEFT', 'RIGHT', 'UP', 'DOWN'] as const;
const PLACES: Record<(typeof ACTIONS)[number], readonly string[]> = {
  LEFT: ['to the left of', 'on the left side of', 'west of', 'left of'],
  RIGHT: ['to the right of', 'on the right side of', 'east of', 'right of'],
  UP: ['above', 'over', 'north of', 'higher than'],
  DOWN: ['below', 'under', 'south of', 'lower than'],
};
const THINGS = ['ball', 'coin', 'star', 'key'];

const QUESTIONS = ACTIONS.flatMap((action) =>
  PLACES[action].flatMap((place) =>
    THINGS.map((thing) => ({
      action,
      prompt: [{ role: 'user', content: `The ${thing} is ${place} you. Which way do you go to reach it?` }],
    })),
  ),
);

const answer = (action: string) => `Action: ${action}`;

function shuffled<T>(items: readonly T[], seed: number): T[] {
  const random = seededRandom(seed);
  return items
    .map((item) => [random.next(), item] as const)
    .sort((a, b) => a[0] - b[0])
    .map(([, item]) => item);
}

/** Resolves to the answers to all questions at temperature 0, and how many of them are right. */
async function answers(model: CausalLM): Promise<{ texts: string[]; right: number }> {
  const { tokenizer } = model;
  const inputIds = QUESTIONS.map(({ prompt }) => tokenizer.applyChatTemplate(prompt, { addGenerationPrompt: true }));
  const { sequences } = await model.generate({ inputIds, maxNewTokens: 8, temperature: 0 });
  const texts = tokenizer.batchDecode(sequences, { skipSpecialTokens: true });
  return { texts, right: texts.filter((text, i) => text === answer(QUESTIONS[i].action)).length };
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'joylab-smollm-'));
  const started = Date.now();
  const log = (text: string) => console.log(`${((Date.now() - started) / 1000).toFixed(0).padStart(5)} s  ${text}`);
  try {
    await ggufToFolder(await smollm(), join(folder, 'base'));
    const base = await FastLanguageModel.fromPretrained({ modelName: join(folder, 'base'), maxSeqLength: 256 });
    const model = FastLanguageModel.getPeftModel(base.model, { r: 16, loraAlpha: 32 });
    const { tokenizer } = model;
    const say = async (when: string) => log(`${when}: ${(await answers(model)).right} of ${QUESTIONS.length} right`);
    await say('untrained');

    const random = seededRandom(1);
    const rows = Array.from({ length: 4 * Number(values.sft) }, (_, i) => {
      const { prompt } = QUESTIONS[(i * 29) % QUESTIONS.length];
      const content = answer(ACTIONS[Math.floor(random.next() * ACTIONS.length)]);
      return { prompt, completion: [{ role: 'assistant', content }] };
    });
    const sft = new SFTTrainer({
      model,
      processingClass: tokenizer,
      trainDataset: rows,
      args: { maxSteps: Number(values.sft), perDeviceTrainBatchSize: 4, learningRate: 2e-4, loggingSteps: 20, seed: 1 },
      callbacks: [{ onLog: ({ metrics }) => log(`SFT step ${metrics!.step}: loss ${metrics!.loss?.toFixed(3)}`) }],
    });
    await sft.train();
    await sft.dispose();
    await say('after supervised training');

    const limit = Date.now() + 60_000 * Number(values.minutes);
    const grpo = new GRPOTrainer({
      model,
      processingClass: tokenizer,
      trainDataset: shuffled(QUESTIONS, 2),
      rewardFuncs: function right({ completion, action }: RewardInput<{ action: string }>) {
        return completion === answer(action) ? 1 : 0;
      },
      args: {
        maxSteps: Number(values.grpo),
        numGenerations: 8,
        perDeviceTrainBatchSize: 32,
        maxCompletionLength: 8,
        learningRate: 1e-4,
        loggingSteps: 5,
        seed: 1,
      },
      callbacks: [
        {
          onLog: ({ metrics }) =>
            log(
              `GRPO step ${metrics!.step}: reward ${metrics!.reward?.toFixed(3)}, ${metrics!.step_time?.toFixed(1)} s a step`,
            ),
          onStepEnd: ({ control }) => {
            control.shouldTrainingStop = Date.now() > limit;
          },
        },
      ],
    });
    await grpo.train();
    await grpo.dispose();
    const { texts, right } = await answers(model);
    log(`after GRPO: ${right} of ${QUESTIONS.length} right`);

    const file = await model.savePretrainedGguf(folder, { quantizationMethod: 'f16' });
    const again = (await FastLanguageModel.fromPretrained({ modelName: file, maxSeqLength: 256 })).model;
    const played = await answers(again);
    const same = played.texts.filter((text, i) => text === texts[i]).length;
    log(
      `as GGUF (f16, by llama.cpp): ${played.right} right, ${same} of ${texts.length} texts the same at temperature 0`,
    );
    await again.dispose();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

void main();
