import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { FastLanguageModel, PeftModel, type CausalLM } from '../../../kernel/models';
import { writeTinyModel } from '../tinyModel';

/*
 * Folders as someone might make them who means no good. Each is an error of a
 * sentence or two that names the file, at once, and changes nothing anywhere.
 */

export const folder = mkdtempSync(join(tmpdir(), 'joylab-hostile-'));
export const good = join(folder, 'good');
export const adapter = join(folder, 'adapter');
export const outside = join(folder, 'outside');
export const SINGLE = 'model.safetensors';
export let model: CausalLM;
after(() => rmSync(folder, { recursive: true }));
before(async () => {
  writeTinyModel(good);
  ({ model } = await FastLanguageModel.fromPretrained({ modelName: good }));
  await FastLanguageModel.getPeftModel(model, { r: 2 }).savePretrained(adapter);
  mkdirSync(outside);
  for (const name of ['keep.txt', 'notes.partial', 'model.safetensors.partial'])
    writeFileSync(join(outside, name), 'mine');
  cpSync(join(good, SINGLE), join(outside, SINGLE));
});

export type Damage = (copy: string) => void;
/** Name of a case, the damage to a good folder, and the error. */
export type Case = [string, Damage, RegExp];

export const write =
  (name: string, content: unknown): Damage =>
  (copy) =>
    writeFileSync(join(copy, name), typeof content === 'string' ? content : JSON.stringify(content));
export const edit =
  (name: string, changes: object): Damage =>
  (copy) =>
    writeFileSync(
      join(copy, name),
      JSON.stringify({ ...JSON.parse(readFileSync(join(copy, name), 'utf8')), ...changes }),
    );
export const nested = '['.repeat(100_000) + ']'.repeat(100_000);
export const names = Array.from({ length: 200_000 }, (_, i) => [`t${i}`, `${i}.safetensors`]);

/** Functions that put something else in the place of a file. */
export const instead: Record<string, (path: string) => void> = {
  'a pipe': (path) => void assert.equal(spawnSync('mkfifo', [path]).status, 0),
  'a folder': (path) => mkdirSync(path),
  'a device': (path) => symlinkSync('/dev/zero', path),
  'a socket': (path) => symlinkSync(socket, path),
};
const socket = join(folder, 'socket');
const server = createServer().listen(socket);
after(() => server.close());

/** Asserts that `load` of a copy of `from` with each damage fails as expected. */
export async function assertRefused(
  from: string,
  cases: Case[],
  load: (copy: string) => Promise<unknown>,
): Promise<void> {
  const copy = join(folder, 'copy');
  for (const [name, damage, message] of cases) {
    cpSync(from, copy, { recursive: true });
    damage(copy);
    const state = () => [copy, outside].map((place) => readdirSync(place, { recursive: true }).sort());
    const before = state();
    await assert.rejects(load(copy), (error: Error) => {
      assert.match(error.message, message, name);
      assert.ok(
        error.message.startsWith(folder) && error.message.length < 800,
        `${name}: ${error.message.slice(0, 1000)}`,
      );
      return true;
    });
    assert.deepEqual(state(), before, name);
    rmSync(copy, { recursive: true });
  }
}

export const loadModel = (modelName: string) => FastLanguageModel.fromPretrained({ modelName });
export const loadAdapter = (copy: string) => PeftModel.fromPretrained(model, copy);

/** Returns the cases of damage to a file of settings. */
export function settings(name: string): Case[] {
  const file = `${name.replaceAll('.', '\\.')}`;
  const is = (what: string) => new RegExp(`${file} must hold a JSON object, not ${what}; fetch or save it again`);
  const cases: Case[] = [
    ['null', write(name, null), is('null')],
    ['a list', write(name, []), is('\\[\\]')],
    ['a number', write(name, 5), is('5')],
    ['a text', write(name, '"text"'), is('"text"')],
    ['nothing', write(name, ''), new RegExp(`${file} is not valid JSON`)],
    ['half of it', write(name, '{"a":'), new RegExp(`${file} is not valid JSON`)],
    ['nesting', write(name, `{"a":${nested}}`), new RegExp(`${file} is nested more than 512 levels deep`)],
    [
      'size',
      (copy) => truncateSync(join(copy, name), 65 * 2 ** 20),
      new RegExp(`${file} has 68\\.2 MB, more than such a file may have \\(67\\.1 MB\\)`),
    ],
    ...Object.entries(instead).map(
      ([kind, put]): Case => [
        kind,
        (copy) => (rmSync(join(copy, name)), put(join(copy, name))),
        new RegExp(`${file} is ${kind}, where a file is expected`),
      ],
    ),
  ];
  return cases.map(([what, damage, message]) => [`${name}: ${what}`, damage, message]);
}
