import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { chatModel, serveModel, type ModelServer } from '../../kernel/chat';
import { FastLanguageModel } from '../../kernel/models';
import { PythonPeer } from '../models/pythonPeer';
import { writeTinyModel } from '../models/tinyModel';

const folder = mkdtempSync(join(tmpdir(), 'joylab-official-'));
const messages = [{ role: 'user', content: 'Write a strategy.' }];
const openai = new PythonPeer('chat/openai_peer.py');
let server: ModelServer;
let options: object;

before(async () => {
  writeTinyModel(join(folder, 'tiny'));
  const { model } = await FastLanguageModel.fromPretrained({ modelName: join(folder, 'tiny') });
  process.env.TEST_OFFICIAL_KEY = 'the-key';
  server = await serveModel(model, { apiKeyEnv: 'TEST_OFFICIAL_KEY' });
  options = { model: server.name, messages, seed: 7, max_tokens: 20, logprobs: true, top_logprobs: 3 };
});

after(async () => {
  openai.close();
  await server?.close();
  delete process.env.TEST_OFFICIAL_KEY;
  rmSync(folder, { recursive: true, force: true });
});

const call = (name: string, more: object = {}) =>
  openai.call(name, { base_url: server.baseUrl, key: 'the-key', ...more });

test("OpenAI's own client gets from joylab serve-model what our client gets", async () => {
  const ours = chatModel({ baseUrl: server.baseUrl, model: server.name, apiKeyEnv: 'TEST_OFFICIAL_KEY' });
  const mine = await ours.complete(messages, { seed: 7, maxTokens: 20 });
  const theirs = await call('complete', { options });
  assert.equal(theirs.choices[0].message.content, mine.text);
  assert.equal(theirs.choices[0].finish_reason, mine.finishReason);
  assert.equal(theirs.usage.completion_tokens, mine.completionTokens);
  const { content } = theirs.choices[0].logprobs;
  assert.equal(content.map(({ token }: any) => token).join(''), mine.text);
  assert.ok(content.every(({ top_logprobs, logprob }: any) => top_logprobs.length === 3 && logprob <= 0));
  assert.deepEqual(await call('models'), ['tiny']);
});

test("OpenAI's own client puts a stream together as the whole answer", async () => {
  const whole = await call('complete', { options });
  const { pieces, logprobs, finish_reason } = await call('stream', { options });
  assert.ok(pieces.length > 3, `${pieces.length} pieces`);
  assert.equal(pieces.join(''), whole.choices[0].message.content);
  assert.deepEqual(logprobs, whole.choices[0].logprobs.content);
  assert.equal(finish_reason, whole.choices[0].finish_reason);
});

test("OpenAI's own client knows the errors by their kinds", async () => {
  const error = (more: object, key = 'the-key') => call('error', { options: { ...options, ...more }, key });
  assert.deepEqual(await error({ model: 'gpt-4' }), {
    type: 'NotFoundError',
    status: 404,
    code: 'model_not_found',
    param: 'model',
  });
  assert.deepEqual(await error({ temperature: 9 }), {
    type: 'BadRequestError',
    status: 400,
    code: null,
    param: 'temperature',
  });
  assert.deepEqual(await error({}, 'another-key'), {
    type: 'AuthenticationError',
    status: 401,
    code: 'invalid_api_key',
    param: null,
  });
});
