import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { inspect } from 'node:util';
import { chatModel, ChatModelError, type ChatModelOptions } from '../../kernel/chat';
import { completion, faultyServer, json, type Asked } from './faultyServer';
import type { ServerResponse } from 'node:http';

const KEY = 'sk-a-key-that-must-not-be-seen';
const messages = [{ role: 'user', content: 'Hello?' }];
const open: Array<() => Promise<void>> = [];

afterEach(async () => {
  delete process.env.TEST_CHAT_KEY;
  for (const close of open.splice(0)) await close();
});

async function modelOf(
  behave: (asked: Asked, response: ServerResponse) => void,
  options: Partial<ChatModelOptions> = {},
) {
  const server = await faultyServer(behave);
  open.push(server.close);
  return { server, model: chatModel({ baseUrl: server.baseUrl, model: 'gpt', maxRetries: 2, ...options }) };
}

/** Returns the error of one question, which must be a sentence in a line, without the key. */
async function problemOf(model: ReturnType<typeof chatModel>): Promise<ChatModelError> {
  const error = await model.complete(messages).then(
    () => assert.fail('it answered'),
    (thrown) => thrown as ChatModelError,
  );
  assert.ok(error instanceof ChatModelError, String(error));
  assert.match(error.message, /^[^\n]+\.$/);
  assert.ok(!inspect(error).includes(KEY));
  return error;
}

test('an answer comes with what it took; settings of the model come before those of who asks', async () => {
  const { server, model } = await modelOf((_, response) => completion(response), {
    temperature: 0.3,
    systemPrompt: 'Be short.',
    extraBody: { reasoning_effort: 'low' },
  });
  const answer = await model.complete(messages, { temperature: 1, maxTokens: 7, seed: 5, stop: ['END'], topP: 0.9 });
  assert.equal(answer.text, 'hello');
  assert.deepEqual([answer.promptTokens, answer.completionTokens, answer.finishReason], [10, 5, 'stop']);
  assert.deepEqual(server.asked[0].body, {
    model: 'gpt',
    messages: [{ role: 'system', content: 'Be short.' }, ...messages],
    temperature: 0.3,
    top_p: 0.9,
    max_tokens: 7,
    seed: 5,
    stop: ['END'],
    reasoning_effort: 'low',
  });
  assert.equal(server.asked[0].headers.authorization, undefined);
  const { seconds, ...counts } = model.usage;
  assert.deepEqual(counts, { completions: 1, promptTokens: 10, completionTokens: 5, retries: 0 });
  assert.ok(seconds > 0);
});

test('the key comes from the environment variable, and is in no message and nothing that is shown', async () => {
  assert.throws(() => chatModel({ baseUrl: 'http://127.0.0.1:1/v1', model: 'gpt', apiKeyEnv: 'TEST_CHAT_KEY' }), {
    message: /^The environment variable TEST_CHAT_KEY is not set: /,
  });
  process.env.TEST_CHAT_KEY = ` ${KEY}\n`;
  const { server, model } = await modelOf(
    (_, response) => json(response, 401, { error: { message: `Incorrect API key provided: ${KEY}. See the page.` } }),
    { apiKeyEnv: 'TEST_CHAT_KEY' },
  );
  const error = await problemOf(model);
  assert.equal(server.asked[0].headers.authorization, `Bearer ${KEY}`);
  assert.equal(error.code, 'UNAUTHORIZED');
  assert.match(
    error.message,
    /\(401\): Incorrect API key provided: …\. See the page: check the environment variable TEST_CHAT_KEY\.$/,
  );
  assert.equal(server.asked.length, 1, 'a wrong key is not sent again');
  assert.ok(!inspect(model, { depth: 5 }).includes(KEY));
  assert.ok(!JSON.stringify(model).includes(KEY));
});

test('a key that is an option, or in the address, is refused', () => {
  const baseUrl = 'http://127.0.0.1:1/v1';
  assert.throws(() => chatModel({ baseUrl, model: 'gpt', apiKey: KEY } as never), /apiKeyEnv/);
  assert.throws(
    () => chatModel({ baseUrl: `https://me:${KEY}@api.example/v1`, model: 'gpt' }),
    (error: Error) => {
      assert.match(error.message, /apiKeyEnv/);
      return !error.message.includes(KEY);
    },
  );
  assert.throws(() => chatModel({ baseUrl: 'localhost:8000', model: 'gpt' }), /must be an address with http/);
  assert.throws(() => chatModel({ baseUrl } as never), /model must be/);
});

test('a busy server is asked again when it says, and otherwise after growing waits', async () => {
  const times: number[] = [];
  const { model } = await modelOf(({ count }, response) => {
    times.push(Date.now());
    if (count === 1) json(response, 429, { error: { message: 'Slow down' } }, { 'retry-after': '1' });
    else if (count === 2) json(response, 503, {});
    else completion(response);
  });
  assert.equal((await model.complete(messages)).text, 'hello');
  assert.equal(model.usage.retries, 2);
  assert.ok(times[1] - times[0] >= 990, `${times[1] - times[0]} ms`);
  assert.ok(times[2] - times[1] >= 990, `the second wait is twice the first: ${times[2] - times[1]} ms`);
});

test('what does not get better in a few tries is one line', async () => {
  const cases: Array<[ChatModelError['code'], RegExp, (asked: Asked, response: ServerResponse) => void]> = [
    [
      'BUSY',
      /answered 429: Slow down, after 3 tries\.$/,
      (_, response) => json(response, 429, { error: { message: 'Slow\ndown' } }, { 'retry-after': '0' }),
    ],
    [
      'BUSY',
      /answered 500: out of memory, after 3 tries\.$/,
      (_, response) => json(response, 500, { detail: 'out of memory' }),
    ],
    ['CONNECTION_FAILED', /broke off its answer \(.*\), after 3 tries\.$/, (_, response) => response.destroy()],
    [
      'CONNECTION_FAILED',
      /broke off its answer \(.*\), after 3 tries\.$/,
      (_, response) => {
        response.writeHead(200, { 'content-length': 1000 });
        response.write('{"choices": [');
        setTimeout(() => response.destroy(), 20);
      },
    ],
    [
      'PROTOCOL_ERROR',
      /did not answer with JSON but with "\{\\"choices\\": \[\{", after 3 tries\.$/,
      (_, response) => void response.end('{"choices": [{'),
    ],
    [
      'PROTOCOL_ERROR',
      /did not answer with JSON but with nothing, after 3 tries\.$/,
      (_, response) => void response.end(),
    ],
  ];
  for (const [code, message, behave] of cases) {
    const { server, model } = await modelOf(behave);
    const error = await problemOf(model);
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    assert.equal(server.asked.length, 3);
  }
});

test('a slow server is given up after the time-out', async () => {
  const { model } = await modelOf(() => {}, { timeout: 0.2, maxRetries: 1 });
  const started = Date.now();
  const error = await problemOf(model);
  assert.equal(error.code, 'TIMEOUT');
  assert.match(error.message, /did not answer within 0\.2 s, after 2 tries\.$/);
  assert.ok(Date.now() - started < 5000);
});

test('what no further try can mend is told at once', async () => {
  const cases: Array<[ChatModelError['code'], RegExp, (asked: Asked, response: ServerResponse) => void]> = [
    [
      'PROTOCOL_ERROR',
      /answered with a page of HTML: baseUrl is another address/,
      (_, response) => void response.end('<!DOCTYPE html><title>Welcome</title>'),
    ],
    [
      'NOT_FOUND',
      /answered 404 with a page of HTML/,
      (_, response) => void response.writeHead(404).end('<html>not here</html>'),
    ],
    [
      'NOT_FOUND',
      /has no model gpt\. It has: llama, qwen\.$/,
      ({ url }, response) =>
        url.endsWith('/models')
          ? json(response, 200, { data: [{ id: 'llama' }, { id: 'qwen' }] })
          : json(response, 404, { error: { message: 'no such model' } }),
    ],
    [
      'REFUSED',
      /answered 400: the prompt is too long\.$/,
      (_, response) => json(response, 400, { error: { message: 'the prompt is too long.' } }),
    ],
    [
      'REFUSED',
      /is at another address, https:\/\/elsewhere\.example\/\.$/,
      (_, response) => void response.writeHead(302, { location: 'https://elsewhere.example/' }).end(),
    ],
    [
      'PROTOCOL_ERROR',
      /JSON that is no chat completion: \{"hello":1\}\.$/,
      (_, response) => json(response, 200, { hello: 1 }),
    ],
    ['PROTOCOL_ERROR', /JSON that is no chat completion: null\.$/, (_, response) => void response.end('null')],
  ];
  for (const [code, message, behave] of cases) {
    const { server, model } = await modelOf(behave);
    const error = await problemOf(model);
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    assert.equal(server.asked.filter(({ url }) => url.endsWith('/chat/completions')).length, 1);
  }
  const { server, model } = await modelOf(() => {}, { maxRetries: 0 });
  await server.close();
  const error = await problemOf(model);
  assert.match(
    error.message,
    /^Nobody answers at http:\/\/127\.0\.0\.1:\d+\/v1\/chat\/completions \(ECONNREFUSED\)\.$/,
  );
});

test('a model that wants its limit of tokens under the newer name gets it so', async () => {
  const { server, model } = await modelOf(({ body }, response) => {
    if ('max_tokens' in body)
      json(response, 400, {
        error: { message: "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead." },
      });
    else completion(response);
  });
  await model.complete(messages, { maxTokens: 9 });
  await model.complete(messages, { maxTokens: 9 });
  assert.deepEqual(
    server.asked.map(({ body }) => [body.max_tokens, body.max_completion_tokens]),
    [
      [9, undefined],
      [undefined, 9],
      [undefined, 9],
    ],
  );
});

test('a budget of tokens, or of seconds, ends the asking', async () => {
  const { server, model } = await modelOf((_, response) => completion(response), { maxTotalTokens: 20 });
  await model.complete(messages);
  await model.complete(messages);
  const error = await problemOf(model);
  assert.equal(error.code, 'BUDGET');
  assert.match(error.message, /^The budget of 20 tokens for gpt is used up\.$/);
  assert.equal(server.asked.length, 2);
  const { model: slow } = await modelOf((_, response) => void setTimeout(() => completion(response), 60), {
    maxTotalSeconds: 0.05,
  });
  await slow.complete(messages);
  assert.match((await problemOf(slow)).message, /^The budget of 0\.05 s/);
});

test('an abort ends a request, and a wait between two', async () => {
  for (const behave of [
    () => {},
    (_: Asked, response: ServerResponse) => json(response, 429, {}, { 'retry-after': '30' }),
  ]) {
    const { model } = await modelOf(behave);
    const controller = new AbortController();
    const asked = model.complete(messages, { signal: controller.signal });
    setTimeout(() => controller.abort(new Error('enough')), 100);
    const started = Date.now();
    await assert.rejects(asked, { message: 'enough' });
    assert.ok(Date.now() - started < 3000);
  }
});
