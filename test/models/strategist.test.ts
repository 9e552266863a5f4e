import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { strategyPrompt } from '../../kernel/environments/prompt';
import { loadTokenizer } from '../../kernel/models/tokenizer';
import { packageRoot } from '../../kernel/setup/python';
import { checkCode, extractFunction } from '../../kernel/strategy';
import { PythonPeer } from './pythonPeer';

interface Pair {
  name: string;
  stateVariables: { name: string; minimum: number | null; maximum: number | null }[];
  actions: string[];
  prompt: string;
  programs: string[];
}

const checkpoint = join(packageRoot, 'kernel/models/strategist/checkpoint');
let python: PythonPeer;
before(() => void (python = new PythonPeer('models/strategist_peer.py')));
after(() => python.close());

test('the corpus follows from its seed', async () => {
  const first = await python.call<Pair[]>('pairs', { count: 20, seed: 1 });
  assert.deepEqual(await python.call('pairs', { count: 20, seed: 1 }), first);
  assert.notDeepEqual(await python.call('pairs', { count: 20, seed: 2 }), first);
});

test('prompts are the same in TypeScript and in the corpus', async () => {
  const pairs = await python.call<Pair[]>('pairs', { count: 300, seed: 3 });
  for (const { prompt, name, actions, stateVariables } of pairs) {
    // JSON has no infinities: null is an open range.
    const variables = stateVariables.map((v) => ({ name: v.name, minimum: v.minimum ?? -Infinity, maximum: v.maximum ?? Infinity }));
    assert.equal(strategyPrompt({ name, actions, stateVariables: variables }), prompt);
  }
  assert.ok(pairs.some(({ stateVariables }) => stateVariables.some(({ maximum }) => maximum === null)), 'open ranges occur');
});

test('a prompt without variables or ranges is still a sentence', () => {
  assert.equal(
    strategyPrompt({ name: 'maze', stateVariables: [], actions: ['UP'] }),
    'Write a short TypeScript function strategy(state) that plays maze.\nIt returns one action: "UP".',
  );
  assert.match(strategyPrompt({ name: 'maze', stateVariables: [{ name: 'wall' }], actions: ['UP'] }), /\nThe state:\nstate\.wall\nIt/);
});

test('every program of the corpus is a clean strategy', async () => {
  const pairs = await python.call<Pair[]>('pairs', { count: 60, seed: 4, programs: 3 });
  for (const program of pairs.flatMap(({ programs }) => programs)) {
    const code = extractFunction(program);
    assert.ok(code, program);
    assert.deepEqual(checkCode(code), [], program);
  }
  const many = await python.call<Pair[]>('pairs', { count: 500, seed: 5, programs: 4 });
  const programs = many.flatMap((pair) => pair.programs);
  const readable = await python.call<boolean[]>('read', { programs });
  assert.deepEqual(programs.filter((_, i) => !readable[i]), []);
});

test('names come from the prompt', async () => {
  for (const { prompt, programs } of await python.call<Pair[]>('pairs', { count: 300, seed: 6, programs: 4 })) {
    const known = prompt.split('\n');
    for (const program of programs) {
      for (const [, name] of program.matchAll(/state\.(\w+)/g)) {
        assert.ok(known.some((line) => line === `state.${name}` || line.startsWith(`state.${name} `)), `${name} in ${program}`);
      }
      for (const [action] of program.matchAll(/"\w+"/g)) assert.ok(prompt.includes(action), program);
    }
  }
});

test('the corpus knows no games', async () => {
  const { words, games } = await python.call<{ words: string[]; games: string[] }>('words');
  const known = games.filter((game) => words.includes(game));
  // Ordinary nouns that happen to be names of games as well.
  assert.deepEqual(known, ['alien', 'hero']);
});

test('the corpus favours no action', async () => {
  const counts = Object.values(await python.call<Record<string, number>>('directions', { seed: 7, count: 20000 }));
  const mean = counts.reduce((sum, n) => sum + n) / counts.length;
  assert.ok(mean > 300, `${counts}`);
  for (const count of counts) assert.ok(Math.abs(count - mean) < 4 * Math.sqrt(mean), `${counts}`);
});

test('tokens and chat template are those of transformers', async () => {
  const pairs = await python.call<Pair[]>('pairs', { count: 200, seed: 8 });
  const tokenizer = loadTokenizer(checkpoint);
  const render = (content: string): string => tokenizer.applyChatTemplate([{ role: 'user', content }], { tokenize: false, addGenerationPrompt: true });
  const texts = pairs.map(({ prompt, programs }) => `${render(prompt)}${programs[0]}<|end|>`);
  texts.push('état ünïcode 1234567 — “q” 日本語 \n\n  tab\t🙂 if(stateful) restate.x; a_b _xyz __x x1y2 3.14', '', 'const ABCdef = state.if_x;');
  const messages = [pairs[0].prompt, 'a < b && "c"\n'];
  const expected = await python.call('encode', { texts, messages });
  assert.deepEqual(texts.map((text) => tokenizer.encode(text, { addSpecialTokens: false })), expected.ids);
  assert.deepEqual(texts.map((_, i) => tokenizer.decode(expected.ids[i])), expected.texts);
  assert.deepEqual(messages.map(render), expected.chats);
  assert.deepEqual([tokenizer.eosTokenId, tokenizer.padTokenId], expected.ends);
});

test('a name has the same tokens in prompt and code', () => {
  const tokenizer = loadTokenizer(checkpoint);
  const spans = (text: string, name: string): string[] =>
    [...text.matchAll(new RegExp(`state\\.${name}\\b`, 'g'))].map(({ index }) => {
      const before = tokenizer.encode(text.slice(0, index + 'state.'.length)).length;
      return tokenizer.encode(text.slice(0, index + 'state.'.length + name.length)).slice(before).join();
    });
  const subject = { name: 'zork', stateVariables: ['ball_x', 'zibble', 'enemySpeed', 'two_words_dy'].map((name) => ({ name })), actions: ['UPLEFT'] };
  const code = '\nif (state.ball_x > state.zibble + 3) return state.enemySpeed < -state.two_words_dy;\n';
  for (const { name } of subject.stateVariables) {
    const [inPrompt, inCode] = spans(strategyPrompt(subject) + code, name);
    assert.equal(inCode, inPrompt, name);
  }
});
