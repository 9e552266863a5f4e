import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { chatModel, serveModel, type ModelServer } from '../../kernel/chat';
import { FastLanguageModel, type CausalLM } from '../../kernel/models';
import { eventually } from '../eventually';
import { writeTinyModel } from '../models/tinyModel';

const folder = mkdtempSync(join(tmpdir(), 'joylab-served-'));
const messages = [{ role: 'user', content: 'Write a strategy.' }];
let model: CausalLM;
let server: ModelServer;

before(async () => {
  writeTinyModel(join(folder, 'tiny'));
  ({ model } = await FastLanguageModel.fromPretrained({ modelName: join(folder, 'tiny') }));
  server = await serveModel(model);
});

after(async () => {
  await server?.close();
  await model?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

async function ask(body: object, { path = '/chat/completions', headers = {}, at = server } = {}): Promise<any> {
  const response = await fetch(at.baseUrl + path, {
    method: 'POST',
    body: JSON.stringify({ model: at.name, messages, ...body }),
    headers,
  });
  return { status: response.status, ...((await response.json()) as object) };
}

/** Returns the data of the events of a stream. */
async function stream(body: object): Promise<any[]> {
  const response = await fetch(`${server.baseUrl}/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model: server.name, messages, stream: true, ...body }),
  });
  assert.match(response.headers.get('content-type')!, /^text\/event-stream/);
  const events = (await response.text()).trim().split('\n\n');
  assert.equal(events.pop(), 'data: [DONE]');
  return events.map((event) => JSON.parse(event.replace(/^data: /, '')));
}

const textOf = (chunks: any[], index = 0): string =>
  chunks
    .flatMap(({ choices }) => choices)
    .filter((choice) => choice.index === index)
    .map(({ delta }) => delta.content ?? '')
    .join('');

test('an answer is what the model generates with the same settings and seed, with its log-probabilities', async () => {
  const { choices, usage, object } = await ask({
    seed: 7,
    max_tokens: 20,
    temperature: 0.9,
    logprobs: true,
    top_logprobs: 2,
  });
  const inputIds = model.tokenizer.applyChatTemplate(messages, { addGenerationPrompt: true });
  const options = { inputIds, seed: 7, maxNewTokens: 20, temperature: 0.9, topK: 0 };
  const { sequences, logprobs, topLogprobs } = await model.generate({ ...options, topLogprobs: 2 });
  assert.equal(object, 'chat.completion');
  const [{ message, logprobs: told, finish_reason }] = choices;
  assert.equal(message.content, model.tokenizer.decode(sequences[0], { skipSpecialTokens: true }));
  assert.equal(finish_reason, sequences[0].length === 20 ? 'length' : 'stop');
  assert.deepEqual(usage, {
    prompt_tokens: inputIds.length,
    completion_tokens: sequences[0].length,
    total_tokens: inputIds.length + sequences[0].length,
  });
  told.content.forEach((one: any, t: number) => {
    assert.equal(one.logprob, logprobs[0][t]);
    assert.equal(one.token, model.tokenizer.decode([sequences[0][t]]));
    assert.equal(one.top_logprobs.length, 2);
    assert.equal(one.top_logprobs[0].logprob, Math.fround(topLogprobs![0][t][0].logprob));
    assert.ok(one.top_logprobs[0].logprob >= one.top_logprobs[1].logprob);
  });
  assert.deepEqual((await ask({ seed: 7, max_tokens: 20, temperature: 0.9 })).choices[0].message, message);
  assert.notDeepEqual((await ask({ seed: 8, max_tokens: 20, temperature: 0.9 })).choices[0].message, message);
});

test('temperature 0 takes the most likely token, which topLogprobs puts first', async () => {
  const { choices } = await ask({ temperature: 0, max_tokens: 10, logprobs: true, top_logprobs: 1 });
  for (const { token, top_logprobs } of choices[0].logprobs.content) assert.equal(top_logprobs[0].token, token);
});

test('a stream has the same text and log-probabilities in pieces, and its usage where that is asked for', async () => {
  const body = { seed: 7, max_tokens: 20, logprobs: true };
  const whole = await ask(body);
  const chunks = await stream({ ...body, stream_options: { include_usage: true } });
  assert.equal(textOf(chunks), whole.choices[0].message.content);
  assert.ok(chunks.length > 5, `${chunks.length} pieces`);
  assert.equal(chunks[0].choices[0].delta.role, 'assistant');
  assert.deepEqual(
    chunks.flatMap(({ choices }) => choices[0]?.logprobs?.content ?? []),
    whole.choices[0].logprobs.content,
  );
  assert.equal(chunks.at(-2).choices[0].finish_reason, whole.choices[0].finish_reason);
  assert.deepEqual([chunks.at(-1).choices, chunks.at(-1).usage], [[], whole.usage]);
  assert.ok((await stream(body)).every(({ usage }) => usage === undefined));
});

test('several choices differ, and come in a stream, too', async () => {
  const body = { seed: 3, max_tokens: 12, n: 3 };
  const { choices } = await ask(body);
  const texts = choices.map(({ message }: any) => message.content);
  assert.deepEqual(
    choices.map(({ index }: any) => index),
    [0, 1, 2],
  );
  assert.equal(new Set(texts).size, 3);
  const chunks = await stream(body);
  assert.deepEqual(
    [0, 1, 2].map((index) => textOf(chunks, index)),
    texts,
  );
});

test('an answer ends before a stop text, also in a stream, which sends no part of it', async () => {
  const body = { seed: 7, max_tokens: 30 };
  const text: string = (await ask(body)).choices[0].message.content;
  const stop = text.slice(Math.floor(text.length / 2), Math.floor(text.length / 2) + 4);
  const expected = text.slice(0, text.indexOf(stop));
  const { choices } = await ask({ ...body, stop });
  assert.deepEqual([choices[0].message.content, choices[0].finish_reason], [expected, 'stop']);
  assert.equal(textOf(await stream({ ...body, stop: [stop] })), expected);
});

test('content in parts is one text', async () => {
  const parts = [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Write a ' },
        { type: 'text', text: 'strategy.' },
      ],
    },
  ];
  const body = { seed: 7, max_tokens: 9 };
  assert.equal(
    (await ask({ ...body, messages: parts })).choices[0].message.content,
    (await ask(body)).choices[0].message.content,
  );
});

test('models are listed', async () => {
  const list: any = await (await fetch(`${server.baseUrl}/models`)).json();
  assert.deepEqual([list.object, list.data.map(({ id }: any) => id)], ['list', ['tiny']]);
  assert.equal(((await (await fetch(`${server.baseUrl}/models/tiny`)).json()) as any).id, 'tiny');
  assert.equal((await fetch(`${server.baseUrl}/models/other`)).status, 404);
  assert.equal((await fetch(server.baseUrl.replace('/v1', '/health'))).status, 200);
});

test('wrong requests are errors of the form of OpenAI, with the field', async () => {
  const cases: Array<[object, number, string | null, RegExp]> = [
    [{ model: 'gpt-4' }, 404, 'model', /no model "gpt-4" here; there is "tiny"/],
    [{ messages: [] }, 400, 'messages', /messages/],
    [{ messages: 'hello' }, 400, 'messages', /messages/],
    [{ messages: [{ role: 'user', content: [{ type: 'image_url', image_url: {} }] }] }, 400, 'messages', /content/],
    [{ temperature: 3 }, 400, 'temperature', /less than or equal to 2/],
    [{ top_p: 0 }, 400, 'top_p', /> 0/],
    [{ n: 1.5 }, 400, 'n', /integer/],
    [{ max_tokens: 0 }, 400, 'max_tokens', /greater than or equal to 1/],
    [{ top_logprobs: 2 }, 400, 'top_logprobs', /needs logprobs/],
    [{ logprobs: true, top_logprobs: 21 }, 400, 'top_logprobs', /20/],
    [{ tools: [{ type: 'function' }] }, 400, 'tools', /not supported/],
    [{ response_format: { type: 'json_object' } }, 400, 'response_format', /not supported/],
    [{ presence_penalty: 1 }, 400, 'presence_penalty', /not supported/],
    [{ messages: [{ role: 'user', content: 'word '.repeat(5000) }] }, 400, 'messages', /tokens, and the model takes/],
  ];
  for (const [body, status, param, message] of cases) {
    const answer = await ask(body);
    assert.equal(answer.status, status, JSON.stringify(answer));
    assert.equal(answer.error.param, param, JSON.stringify(answer));
    assert.match(answer.error.message, message);
    assert.equal(typeof answer.error.type, 'string');
  }
  assert.equal((await ask({ presence_penalty: 0, tools: [], user: 'me', max_tokens: 1 })).status, 200);
  const noJson = await fetch(`${server.baseUrl}/chat/completions`, { method: 'POST', body: '{"model":' });
  assert.equal(noJson.status, 400);
  assert.match(((await noJson.json()) as any).error.message, /not JSON/);
  assert.equal((await fetch(`${server.baseUrl}/chat/completions`)).status, 405);
  assert.equal((await ask({}, { path: '/completions' })).status, 404);
});

test('pages of other sites, and names that are not of this machine, are refused', async () => {
  const from = (origin: string) => ask({ max_tokens: 1 }, { headers: { origin } });
  assert.equal((await from('https://evil.example')).status, 403);
  assert.equal((await from('http://localhost:8888')).status, 200);
  const allowing = await serveModel(model, { allowedOrigins: ['https://my.example'] });
  try {
    const answer = await fetch(`${allowing.baseUrl}/models`, { headers: { origin: 'https://my.example' } });
    assert.equal(answer.headers.get('access-control-allow-origin'), 'https://my.example');
  } finally {
    await allowing.close();
  }
});

test('where a key is asked for, requests without it are refused', async () => {
  await assert.rejects(serveModel(model, { apiKeyEnv: 'TEST_SERVER_KEY' }), /TEST_SERVER_KEY is not set/);
  process.env.TEST_SERVER_KEY = 'the key of this test';
  await assert.rejects(serveModel(model, { apiKeyEnv: 'TEST_SERVER_KEY' }), /has spaces/);
  process.env.TEST_SERVER_KEY = 'the-key-of-this-test';
  const guarded = await serveModel(model, { apiKeyEnv: 'TEST_SERVER_KEY' });
  try {
    const answer = await ask({}, { at: guarded });
    assert.deepEqual([answer.status, answer.error.code], [401, 'invalid_api_key']);
    assert.equal((await ask({}, { at: guarded, headers: { authorization: 'Bearer wrong' } })).status, 401);
    const { baseUrl, name } = guarded;
    const client = chatModel({ baseUrl, model: name, apiKeyEnv: 'TEST_SERVER_KEY' });
    assert.equal((await client.complete(messages, { maxTokens: 3 })).completionTokens, 3);
    const refused = chatModel({ baseUrl, model: name });
    await assert.rejects(refused.complete(messages), /refused the request \(401\).*name it: apiKeyEnv\.$/);
  } finally {
    await guarded.close();
    delete process.env.TEST_SERVER_KEY;
  }
});

test('a client that goes ends its generation, and others have their turn', async () => {
  const gone = new AbortController();
  const left = fetch(`${server.baseUrl}/chat/completions`, {
    method: 'POST',
    signal: gone.signal,
    body: JSON.stringify({ model: server.name, messages, n: 64, max_tokens: 4000, temperature: 2, seed: 1 }),
  });
  left.catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 300));
  const started = Date.now();
  const next = ask({ max_tokens: 2 });
  gone.abort();
  await assert.rejects(left);
  assert.equal((await next).status, 200);
  assert.ok(Date.now() - started < 10_000, `${Date.now() - started} ms`);
});

test('a server that is closed ends what it generates', async () => {
  const other = await serveModel(model, { name: 'other' });
  const asked = ask({ n: 64, max_tokens: 4000, seed: 1, temperature: 2 }, { at: other });
  asked.catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 200));
  await other.close();
  await assert.rejects(asked);
  await assert.rejects(serveModel(model, { port: Number(new URL(server.baseUrl).port) }), /is in use/);
});

test('joylab serve-model serves a folder until it is ended', async () => {
  const cli = join(__dirname, '../../kernel/cli.js');
  const child = spawn(process.execPath, [cli, 'serve-model', join(folder, 'tiny'), '--port', '0', '--name', 'mine']);
  try {
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    const [, name, baseUrl] = /^(\S+) is served at (http:\S+\/v1)$/.exec(line)!;
    const { text } = await chatModel({ baseUrl, model: name }).complete(messages, { seed: 7, maxTokens: 9 });
    assert.equal(name, 'mine');
    assert.equal(text, (await ask({ seed: 7, max_tokens: 9 })).choices[0].message.content);
    child.kill('SIGTERM');
    await eventually(() => child.exitCode !== null, 'its end');
    assert.equal(child.exitCode, 0);
  } finally {
    child.kill('SIGKILL');
  }
  const wrong = spawn(process.execPath, [cli, 'serve-model']);
  let said = '';
  wrong.stderr.on('data', (data) => (said += data));
  const [code] = await once(wrong, 'close');
  assert.equal(code, 1);
  assert.match(said, /^joylab serve-model: `joylab serve-model` takes one model[^\n]*\n$/);
});
