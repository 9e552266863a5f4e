import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../../kernel/common/packagePaths';

interface Section {
  type: string;
  rows: { name: string; fallback: unknown; sentence: string }[];
}

const built = join(__dirname, '../..');
const script: Promise<{
  file: string;
  settings(built: string): Section[];
  reference(built: string): string;
  defaultText(fallback: unknown): string;
}> = import(pathToFileURL(join(packageRoot, 'scripts/settings.mjs')).href);

test('the reference of settings is what the declarations say', async () => {
  const { file, reference } = await script;
  assert.equal(readFileSync(file, 'utf8'), reference(built), 'make it again: npm run docs');
});

test('every setting has a sentence, which ends with its default', async () => {
  const { settings, defaultText } = await script;
  for (const { type, rows } of settings(built)) {
    for (const { name, fallback, sentence } of rows) {
      assert.match(sentence, /\.$/, `${type}.${name}`);
      if (fallback === undefined || Array.isArray(fallback)) continue;
      const said = sentence.replaceAll('`', '').replace(/,(?=\d{3})/g, '');
      const text = name === 'memoryLimit' ? '16 MiB' : defaultText(fallback);
      assert.ok(said.includes(`${text} by default`), `${type}.${name}: ${text} by default? ${sentence}`);
    }
  }
});
