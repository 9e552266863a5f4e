/*
 * Writes docs/reference/settings.md from the declarations of settings, as they
 * are built: `npm run docs`.
 */
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const ts = require('typescript');
const root = resolve(fileURLToPath(import.meta.url), '../..');

/** Path of the generated page. */
export const file = join(root, 'docs/reference/settings.md');

/**
 * Returns every setting with the sentence of its declaration, as editors show it.
 *
 * @param built the folder that the kernel was compiled to, such as `dist`
 */
export function settings(built) {
  const { declarations } = require(join(built, 'kernel/settings.js'));
  const sentences = sentencesOf(join(built, 'kernel/settings.d.ts'));
  return Object.entries(declarations).map(([type, declaration]) => {
    const { about, properties } = sentences(type);
    const rows = Object.entries(declaration.settings).map(([name, { fallback, valid }]) => ({
      name,
      fallback,
      valid,
      sentence: properties.get(name) ?? '',
    }));
    return { type, about, rows, declaration };
  });
}

/** Returns a function that reads the documentation of an exported type and of its properties. */
function sentencesOf(path) {
  const program = ts.createProgram([path], {
    types: [],
    skipLibCheck: true,
    module: ts.ModuleKind.Node16,
    lib: ['lib.es5.d.ts'],
  });
  const checker = program.getTypeChecker();
  const exported = new Map(
    checker
      .getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(path)))
      .map((symbol) => [symbol.name, symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol]),
  );
  const text = (symbol) =>
    ts
      .displayPartsToString(symbol.getDocumentationComment(checker))
      .replace(/\s*\n\s*/g, ' ')
      .replace(/\{@link (\S+?)\s*\}/g, '$1');
  return (type) => {
    const symbol = exported.get(type);
    const properties = checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol));
    return { about: text(symbol), properties: new Map(properties.map((property) => [property.name, text(property)])) };
  };
}

/** Returns a default as the sentences write it; an empty text where it depends on something else. */
export function defaultText(fallback) {
  if (fallback === undefined) return '';
  if (typeof fallback === 'number' && fallback > 0 && fallback < 1e-3) return fallback.toExponential();
  if (typeof fallback === 'number' || fallback === null || typeof fallback === 'boolean') return String(fallback);
  return typeof fallback === 'string' ? `'${fallback}'` : JSON.stringify(fallback);
}

/** Returns the text of the page. */
export function reference(built) {
  return `# Settings

Every setting that a notebook can give, by the type in which it is given. This page is made from the declarations: \`npm run docs\`.

${settings(built).map(section).join('\n')}`;
}

function section({ type, about, rows, declaration: { owner, elsewhere = {} } }) {
  const title = owner === type ? type : `${owner}: ${type}`;
  const table = rows.map(
    ({ name, fallback, valid, sentence }) =>
      `| \`${name}\` | ${code(defaultText(fallback))} | ${cell(valid)} | ${cell(withoutDefault(sentence, fallback))} |`,
  );
  const reasons = [...new Set(Object.values(elsewhere))].map((reason) => {
    const names = Object.keys(elsewhere).filter((name) => elsewhere[name] === reason);
    return `- ${names.map(code).join(', ')}: ${reason}.`;
  });
  return `## ${title}

${about}

| setting | default | valid | |
|---|---|---|---|
${table.join('\n')}
${reasons.length > 0 ? `\nNot here, or under another name:\n\n${reasons.join('\n')}\n` : ''}`;
}

/** Returns a sentence without its default, which has a column of its own. */
function withoutDefault(sentence, fallback) {
  const end = [defaultText(fallback), `\`${defaultText(fallback)}\``].find((text) =>
    sentence.endsWith(` ${text} by default.`),
  );
  return fallback === undefined || end === undefined ? sentence : sentence.slice(0, -` ${end} by default.`.length);
}

const code = (text) => (text === '' ? '' : `\`${cell(text)}\``);
const cell = (text) => text.replaceAll('|', '\\|');

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(file, reference(join(root, 'dist')));
