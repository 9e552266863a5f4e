import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { TextStreamer } from '../../../kernel/models';
import { loadTokenizer, type ChatMessage, type ChatTemplateOptions } from '../../../kernel/models/tokenizer/tokenizer';
import { packageRoot } from '../../../kernel/common/packagePaths';
import { PythonPeer } from '../pythonPeer';

const peer = new PythonPeer('models/tokenizer/tokenizer_peer.py');
after(() => peer.close());

const families = ['llama3', 'qwen', 'smollm', 'llama2', 'mistral', 'gemma'];
const folderOf = (name: string) => join(packageRoot, name);
before(async () => {
  const files = readdirSync(folderOf('kernel/models'), { recursive: true }) as string[];
  const sources = files.filter((name) => name.endsWith('.ts'));
  const corpus = [
    ...sources.map((name) => readFileSync(join(folderOf('kernel/models'), name), 'utf8')),
    readFileSync(folderOf('README.md'), 'utf8'),
  ];
  for (const family of families) {
    const template = readFileSync(folderOf(`test/models/templates/${family}.jinja`), 'utf8');
    await peer.call('make_tokenizer', { folder: peer.path(family), family, corpus, template });
  }
});

const texts = [
  '',
  ' ',
  'Hello, world!',
  ' leading and trailing ',
  "It's DON'T we'll 12345 3.14 1e-7 x2y",
  'const naïve = "→ 🎮";\n  return x;\n\n\n\tif (a  ==   b) {}\r\n',
  '👩‍👩‍👧 ñ ｆｕｌｌ 漢字かな العربية हिन्दी 🏳️‍🌈 e\u0301 \u00a0\u2028\ufeff',
  'a'.repeat(50) + '    '.repeat(5) + '!!!???---',
  '<s>special</s> <|im_start|>user\nHi<|im_end|>\n<think>\nno\n</think><bos><start_of_turn> <|eot_id|>[INST] x [/INST]',
  '▁ marks and <0x41> bytes\0 \u0001 \u{10FFFF}',
  'line one\n\nline two\n\n\nline three\n\n\n\n  indented\n    more\n<table> a',
  '  two leading spaces\n   three',
];

for (const family of families) {
  test(`${family}: encodes and decodes as transformers`, async () => {
    const tokenizer = loadTokenizer(peer.path(family));
    const expected: { ids: number[]; plain: number[]; text: string; skipped: string }[] = await peer.call('encode', {
      folder: peer.path(family),
      texts,
    });
    texts.forEach((text, i) => {
      const about = `${family}, ${JSON.stringify(text)}`;
      assert.deepEqual(tokenizer(text).inputIds, expected[i].ids, about);
      assert.deepEqual(tokenizer(text, { addSpecialTokens: false }).inputIds, expected[i].plain, about);
      assert.equal(tokenizer.decode(expected[i].ids), expected[i].text, about);
      assert.equal(tokenizer.decode(expected[i].ids, { skipSpecialTokens: true }), expected[i].skipped, about);
    });
  });

  test(`${family}: text that is streamed is the text that is decoded`, async () => {
    const tokenizer = loadTokenizer(peer.path(family));
    for (const text of texts) {
      const ids = tokenizer(text).inputIds;
      const pieces: string[] = [];
      const streamer = new TextStreamer(tokenizer, { write: (piece) => pieces.push(piece) });
      for (const id of ids) streamer.put([id]);
      streamer.end();
      assert.equal(pieces.join(''), tokenizer.decode(ids) + '\n', JSON.stringify(text));
      assert.ok(pieces.slice(0, -1).every((piece) => !piece.endsWith('\uFFFD')));
    }
  });
}

const user = (content: string): ChatMessage => ({ role: 'user', content });
const assistant = (content: string, rest: object = {}): ChatMessage => ({ role: 'assistant', content, ...rest });
const system: ChatMessage = { role: 'system', content: 'Be brief. /no_think ' };
const tools = [
  {
    type: 'function',
    function: {
      name: 'get_weather',
      description: 'The weather "now" in a place, naïvely <b>& \u2192</b>',
      parameters: {
        type: 'object',
        properties: {
          place: { type: 'string', enum: ['Zürich', 'Oslo'] },
          days: { type: 'integer', default: 1.5 },
          deep: {
            type: 'array',
            items: {},
            minimum: 1e-10,
            strict: true,
            nothing: null,
            text: "it's\n\t\\ \u200b \u{1F3AE}\u00a0",
          },
        },
        required: ['place'],
      },
    },
  },
];
const call = {
  tool_calls: [
    {
      id: 'abcdefghi',
      type: 'function',
      function: { name: 'get_weather', arguments: { place: 'Zürich', days: 2, flags: [true, null, 1e21, 0.1] } },
    },
  ],
};
const answer: ChatMessage = {
  role: 'tool',
  content: '{"temperature": 21}',
  tool_call_id: 'abcdefghi',
  name: 'get_weather',
};
const conversations: [ChatMessage[], ChatTemplateOptions][] = [
  [[user(' Hi  ')], {}],
  [[user('Hi')], { addGenerationPrompt: true }],
  [[system, user('Hi'), assistant('\n\nHello. '), user('"Bye" \\ \'x\' {{ x }}')], { addGenerationPrompt: true }],
  [[system, user('Hi')], { addGenerationPrompt: true, enableThinking: false }],
  [[user('Hi'), assistant('<think>\nhm\n</think>\n\nHello')], {}],
  [[user('Hi'), assistant('Hello', { reasoning_content: 'hm' })], {}],
  [[user('Hi'), assistant('Hello', { thinking: 'aliased' }), user('So?')], { addGenerationPrompt: true }],
  [[user('Weather?')], { tools, addGenerationPrompt: true }],
  [
    [system, user('Weather?'), assistant('', call), answer, assistant('21 degrees'), user('Thanks')],
    { tools, addGenerationPrompt: true },
  ],
  [[user('Weather?'), assistant('', call), answer, answer], { tools }],
  [[user('Write on:'), assistant('Once upon ')], { continueFinalMessage: true }],
  [[user('Hi'), user('not alternating')], {}],
  [[assistant('starts')], {}],
];

/** Options under Python's names. */
const pythonOptions = (options: ChatTemplateOptions) =>
  Object.fromEntries(
    Object.entries(options).map(([name, value]) => [
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      value,
    ]),
  );

for (const family of families) {
  test(`${family}: conversations are written as transformers writes them`, async () => {
    const tokenizer = loadTokenizer(peer.path(family));
    const expected: { text?: string; ids: number[]; error?: string }[] = await peer.call('chat', {
      folder: peer.path(family),
      conversations: conversations.map(([messages, options]) => [messages, pythonOptions(options)]),
    });
    assert.ok(expected.filter(({ text }) => text !== undefined).length >= 6, JSON.stringify(expected));
    conversations.forEach(([messages, options], i) => {
      const about = `${family}, conversation ${i}`;
      const { text, ids, error } = expected[i];
      if (text === undefined) {
        assert.throws(
          () => tokenizer.applyChatTemplate(messages, options),
          Error,
          `${about}: transformers says ${error}`,
        );
        return;
      }
      assert.equal(tokenizer.applyChatTemplate(messages, { ...options, tokenize: false }), text, about);
      assert.deepEqual(tokenizer.applyChatTemplate(messages, options), ids, about);
    });
  });
}
