import type { RE2JS } from 're2js';

/** Patterns with loops over loops, or long, are small programs: also in linear time they take a while on long texts. */
const SIMPLE = 300;
/** A pattern of a server is that long, at most. */
export const MAXIMUM_PATTERN = 10_000;

/** A pattern of a JSON Schema, compiled. */
export interface Pattern {
  test(text: string): boolean;
}

/**
 * Compiles a pattern for ajv, in the form of its option `code.regExp`. The
 * time that a test takes grows with the text's length alone, whatever the
 * pattern, as in Rust's engine, which pydantic has. What no such engine can
 * do (lookarounds, back-references) is left to JavaScript's own, which may
 * take for ever, see {@link isLinear}.
 */
export function compilePattern(pattern: string, flags: string): Pattern {
  return linearPattern(pattern) ?? new RegExp(pattern, flags);
}
compilePattern.code = 'compilePattern';

/** Returns whether all tests of a pattern are fast. */
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
