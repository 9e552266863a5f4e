import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  FastLanguageModel,
  TextStreamer,
  type CausalLM,
  type GenerateOptions,
  type Tokenizer,
} from '../../../kernel/models';

let model: CausalLM;
let tokenizer: Tokenizer;
before(async () => {
  ({ model, tokenizer } = await FastLanguageModel.fromPretrained({
    modelName: 'joylab/strategist',
    maxSeqLength: 256,
  }));
});
after(() => model.dispose());

const prompt = () => tokenizer('function strategy(state) {\n  if (state.').inputIds;

/** Probabilities of the token after `ids` at a temperature. */
async function distribution(ids: number[], temperature: number): Promise<number[]> {
  const [logits] = await model.logits([ids]);
  const last = Array.from(logits.slice(-model.config.vocabSize), (logit) => logit / temperature);
  const highest = Math.max(...last);
  const total = last.reduce((sum, logit) => sum + Math.exp(logit - highest), 0);
  return last.map((logit) => Math.exp(logit - highest) / total);
}

/** Indices by falling probability. */
const ranked = (p: readonly number[]) => Array.from(p.keys()).sort((a, b) => p[b] - p[a]);

/** How often each token comes first in many completions. */
async function countFirst(samples: number, options: GenerateOptions): Promise<number[]> {
  const { sequences } = await model.generate({
    inputIds: prompt(),
    numReturnSequences: samples,
    maxNewTokens: 1,
    seed: 13,
    ...options,
  });
  const counts = new Array<number>(model.config.vocabSize).fill(0);
  for (const [token] of sequences) counts[token]++;
  return counts;
}

/** Pearson's statistic of counts against probabilities, tokens expected less than 5 times taken together; and its degrees of freedom. */
function chiSquare(counts: readonly number[], p: readonly number[]): { statistic: number; freedom: number } {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let [statistic, bins, restCount, restExpected] = [0, 0, 0, 0];
  p.forEach((probability, i) => {
    const expected = probability * total;
    if (expected >= 5) {
      statistic += (counts[i] - expected) ** 2 / expected;
      bins++;
    } else {
      restCount += counts[i];
      restExpected += expected;
    }
  });
  if (restExpected >= 5) {
    statistic += (restCount - restExpected) ** 2 / restExpected;
    bins++;
  }
  return { statistic, freedom: bins - 1 };
}

/** About the 99.9 % point of the chi-square distribution (Wilson and Hilferty). */
const chiSquareLimit = (freedom: number) =>
  freedom * (1 - 2 / (9 * freedom) + 3.09 * Math.sqrt(2 / (9 * freedom))) ** 3;

for (const temperature of [0.7, 1, 1.6]) {
  test(`tokens at temperature ${temperature} are distributed as the softmax says`, async () => {
    const { statistic, freedom } = chiSquare(
      await countFirst(4000, { temperature }),
      await distribution(prompt(), temperature),
    );
    assert.ok(freedom >= 3, `${freedom} degrees of freedom`);
    assert.ok(statistic < chiSquareLimit(freedom), `${statistic} with ${freedom} degrees of freedom`);
  });
}

test('topK, topP and minP take unlikely tokens out and leave the rest in proportion', async () => {
  const temperature = 1.6;
  const p = await distribution(prompt(), temperature);
  const order = ranked(p);
  const upTo = (goal: number) => {
    let sum = 0;
    return order.findIndex((token) => (sum += p[token]) >= goal) + 1;
  };
  const kept: [GenerateOptions, number][] = [
    [{ topK: 6 }, 6],
    [{ topP: 0.6 }, upTo(0.6)],
    [{ minP: 0.1 }, order.filter((token) => p[token] >= 0.1 * p[order[0]]).length],
  ];
  for (const [options, count] of kept) {
    const allowed = new Set(order.slice(0, count));
    const total = order.slice(0, count).reduce((sum, token) => sum + p[token], 0);
    const counts = await countFirst(3000, { temperature, ...options });
    counts.forEach((times, token) =>
      assert.ok(times === 0 || allowed.has(token), `${JSON.stringify(options)} gave token ${token}`),
    );
    const { statistic, freedom } = chiSquare(
      counts,
      p.map((value, token) => (allowed.has(token) ? value / total : 0)),
    );
    assert.ok(
      statistic < chiSquareLimit(freedom),
      `${JSON.stringify(options)}: ${statistic} with ${freedom} degrees of freedom`,
    );
  }
});

test('the same seed gives the same completions, another seed others', async () => {
  const options = { inputIds: prompt(), numReturnSequences: 8, maxNewTokens: 40 };
  const first = await model.generate({ ...options, seed: 3 });
  assert.deepEqual(await model.generate({ ...options, seed: 3 }), first);
  assert.notDeepEqual((await model.generate({ ...options, seed: 4 })).sequences, first.sequences);
  assert.equal(new Set(first.sequences.map(String)).size > 1, true, 'completions of one prompt differ');
});

test('log-probabilities are those of the whole sequence computed at once, at the temperature, for long completions, too', async () => {
  const temperature = 1.3;
  const ids = prompt();
  const { sequences, logprobs } = await model.generate({
    inputIds: ids,
    numReturnSequences: 3,
    maxNewTokens: 100,
    temperature,
    topP: 0.9,
    seed: 2,
    eosTokenId: null,
  });
  for (const [row, completion] of sequences.entries()) {
    assert.equal(completion.length, 100);
    const [logits] = await model.logits([[...ids, ...completion]]);
    completion.forEach((token, t) => {
      const { vocabSize } = model.config;
      const start = (ids.length + t - 1) * vocabSize;
      const scaled = Array.from(logits.subarray(start, start + vocabSize), (logit) => logit / temperature);
      const highest = Math.max(...scaled);
      const expected =
        scaled[token] - highest - Math.log(scaled.reduce((sum, logit) => sum + Math.exp(logit - highest), 0));
      assert.ok(Math.abs(logprobs[row][t] - expected) < 1e-4, `token ${t} of completion ${row}`);
    });
  }
});

test('completions end at an end token, at a stop string, or at the limit, and say which', async () => {
  const content =
    'Write a short TypeScript function strategy(state) that plays catch.\nThe state:\nstate.ball_x from 0 to 9\n' +
    'state.paddle_x from 0 to 9\nIt returns one action: "LEFT", "RIGHT".';
  const chat = [{ role: 'user', content }];
  const inputIds = tokenizer.applyChatTemplate(chat, { tokenize: true, addGenerationPrompt: true });
  const free = await model.generate({ inputIds, numReturnSequences: 16, maxNewTokens: 60, seed: 1 });
  free.sequences.forEach((ids, i) => {
    assert.equal(free.terminated[i], ids.at(-1) === tokenizer.eosTokenId);
    assert.equal(ids.slice(0, -1).includes(tokenizer.eosTokenId!), false);
    assert.ok(free.terminated[i] || ids.length === 60);
    assert.equal(ids.length, free.logprobs[i].length);
  });
  const stopped = await model.generate({
    inputIds,
    numReturnSequences: 16,
    maxNewTokens: 60,
    seed: 1,
    stopStrings: ['return'],
  });
  assert.ok(stopped.sequences.some((ids) => tokenizer.decode(ids).includes('return')));
  stopped.sequences.forEach((ids, i) => {
    assert.deepEqual(ids, free.sequences[i].slice(0, ids.length));
    assert.equal(tokenizer.decode(ids.slice(0, -1)).includes('return'), false);
    if (tokenizer.decode(ids).includes('return')) assert.equal(stopped.terminated[i], true);
  });
});

test('maxSeqLength limits prompt and completion together', async () => {
  const inputIds = Array.from({ length: 250 }, (_, i) => 10 + i);
  const { sequences, terminated } = await model.generate({ inputIds, maxNewTokens: 50, seed: 1, eosTokenId: null });
  assert.equal(sequences[0].length, 6);
  assert.deepEqual(terminated, [false]);
  await assert.rejects(
    model.generate({ inputIds: [...inputIds, ...inputIds] }),
    /the prompt has 500 tokens, the model takes 256/,
  );
});

test('several prompts: completions in their order, padding left out', async () => {
  const [short, long] = ['return', 'if (state.paddle_x > state.ball_x) return'].map((text) => tokenizer(text).inputIds);
  const options = { maxNewTokens: 12, doSample: false, eosTokenId: null };
  const [one] = (await model.generate({ inputIds: short, ...options })).sequences;
  const [two] = (await model.generate({ inputIds: long, ...options })).sequences;
  const batch = tokenizer(['return', 'if (state.paddle_x > state.ball_x) return']);
  assert.deepEqual((await model.generate({ ...batch, ...options, numReturnSequences: 2 })).sequences, [
    one,
    one,
    two,
    two,
  ]);
  const padded = [0, 0, ...short];
  assert.deepEqual(
    (await model.generate({ input_ids: padded, attentionMask: [0, 0, ...short.map(() => 1)], ...options })).sequences,
    [one],
  );
});

test('a streamer prints the completion while it grows', async () => {
  const text = 'function strategy(state) {\n';
  for (const skipPrompt of [true, false]) {
    const pieces: string[] = [];
    const streamer = new TextStreamer(tokenizer, {
      skipPrompt,
      skipSpecialTokens: true,
      write: (piece) => pieces.push(piece),
    });
    const { sequences } = await model.generate({ ...tokenizer(text), maxNewTokens: 30, seed: 5, streamer });
    const completion = tokenizer.decode(sequences[0], { skipSpecialTokens: true });
    assert.equal(pieces.join(''), (skipPrompt ? '' : text) + completion + '\n');
    assert.ok(pieces.length > 5);
  }
  await assert.rejects(
    model.generate({ ...tokenizer(text), numReturnSequences: 2, streamer: new TextStreamer(tokenizer) }),
    /a streamer follows one completion/,
  );
});

test('a character of several tokens is printed when it is complete', () => {
  const pieces: string[] = [];
  const streamer = new TextStreamer(tokenizer, { write: (piece) => pieces.push(piece) });
  for (const id of tokenizer.encode('a → b 🎮 c')) streamer.put([id]);
  streamer.end();
  assert.equal(pieces.join(''), 'a → b 🎮 c\n');
  assert.ok(pieces.every((piece) => !piece.includes('\uFFFD')));
});

test('an abort ends the generation soon, with its reason', async () => {
  const controller = new AbortController();
  const running = model.generate({
    inputIds: prompt(),
    numReturnSequences: 64,
    maxNewTokens: 240,
    eosTokenId: null,
    signal: controller.signal,
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  const start = performance.now();
  controller.abort(new Error('stop now'));
  await assert.rejects(running, /stop now/);
  // A fraction of a second on a quiet machine; all of it takes many times as long as this.
  assert.ok(performance.now() - start < 10_000);
  await assert.rejects(model.generate({ inputIds: prompt(), signal: controller.signal }), /stop now/);
});

test('an unknown option is a TypeError that names the nearest valid one', async () => {
  const inputIds = [1];
  const wrong: [object, RegExp][] = [
    [{ temprature: 0.5 }, /generate has no option temprature\. Did you mean temperature\?/],
    [{ max_new_tokens: 5 }, /no option max_new_tokens\. Did you mean maxNewTokens\?/],
    [{ noRepeatNgramSize: 3 }, /no option noRepeatNgramSize: it is not supported/],
    [{ attention_mask: [1] }, /Did you mean attentionMask\?/],
    [{ zebra: 1 }, /The options are: temperature, .*stopStrings/],
  ];
  for (const [options, message] of wrong)
    await assert.rejects(model.generate({ inputIds, ...options }), { name: 'TypeError', message });
  Object.assign(model.generationConfig, { top_p: 0.5 });
  await assert.rejects(
    model.generate({ inputIds }),
    /the model's generationConfig has no option top_p\. Did you mean topP\?/,
  );
  delete (model.generationConfig as Record<string, unknown>).top_p;
  await model.generate({ ...tokenizer('a'), maxNewTokens: 1 });
  const text = tokenizer as unknown as (text: string, options: object) => unknown;
  assert.throws(
    () => text('a', { add_special_tokens: false }),
    /the tokenizer has no option add_special_tokens\. Did you mean addSpecialTokens\?/,
  );
  assert.throws(() => text('a', { returnTensors: 'pt' }), /token IDs are arrays of numbers/);
  assert.throws(
    () => tokenizer.decode([1], { skip_special_tokens: true } as object),
    /Did you mean skipSpecialTokens\?/,
  );
  assert.throws(
    () => new TextStreamer(tokenizer, { skipPromt: true } as object),
    /TextStreamer has no option skipPromt\. Did you mean skipPrompt\?/,
  );
  const messages = [{ role: 'user', content: 'a' }];
  for (const name of ['add_generation_prompt', 'addGenerationPromt']) {
    assert.throws(
      () => tokenizer.applyChatTemplate(messages, { chatTemplate: '{{ messages }}', [name]: true }),
      /Did you mean addGenerationPrompt\?/,
    );
  }
});

test('bad settings are errors that name the setting and its valid values', async () => {
  const wrong: [GenerateOptions, RegExp][] = [
    [{ temperature: -1 }, /generate: temperature must be a number from 0 \(0 takes the most likely token\), not -1\./],
    [{ topP: 0 }, /topP must be a number above 0 to 1/],
    [{ topK: 1.5 }, /topK must be a whole number from 0/],
    [{ minP: 2 }, /minP must be a number from 0 to 1/],
    [{ repetitionPenalty: 0 }, /repetitionPenalty must be a number above 0/],
    [{ maxNewTokens: 0 }, /maxNewTokens must be a whole number from 1/],
    [{ numReturnSequences: 0 }, /numReturnSequences must be a whole number from 1/],
    [{ inputIds: [] }, /generate needs inputIds/],
    [{ inputIds: [[1], []] }, /prompt 1 is empty/],
    [{ inputIds: [5000] }, /5000 is not a token ID of this model \(0 to \d+\)/],
  ];
  for (const [options, message] of wrong) await assert.rejects(model.generate({ inputIds: [1], ...options }), message);
});
