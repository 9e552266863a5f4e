import type { RE2JS } from 're2js';

/** Characters of a pattern that counts as fast: longer ones take a while on long texts, in linear time too. */
const SIMPLE = 300;
/** Characters of a server's pattern, at most. */
export const MAXIMUM_PATTERN = 10_000;

/** A pattern of a JSON Schema, compiled. */
export interface Pattern {
  test(text: string): boolean;
}

/**
 * Compiles a pattern for ajv, in the form of its option `code.regExp`. The time that a
 * test takes grows with the text's length alone, whatever the pattern, as in the Rust
 * engine that pydantic uses. Lookarounds and back-references, which no such engine
 * has, are left to JavaScript's own, whose time has no bound: see {@link isLinear}.
 */
export function compilePattern(pattern: string, flags: string): Pattern {
  return linearPattern(pattern) ?? new RegExp(pattern, flags);
}
compilePattern.code = 'compilePattern';

/** Returns whether every test of a pattern takes time linear in the text's length, by a small factor. */
export function isLinear(pattern: string): boolean {
  return pattern.length <= SIMPLE && !/\{\d*,?\d{2,}\}/.test(pattern) && linearPattern(pattern) !== undefined;
}

function linearPattern(pattern: string): RE2JS | undefined {
  // Loaded on first use: few environments have patterns.
  const { RE2JS } = require('re2js') as typeof import('re2js');
  try {
    return RE2JS.compile(RE2JS.translateRegExp(pattern));
  } catch {
    return undefined;
  }
}
