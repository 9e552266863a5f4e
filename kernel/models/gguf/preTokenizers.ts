/*
 * Byte-level tokenizers split a text before they merge bytes. A tokenizer.json
 * says how; a GGUF file only has a name, and llama.cpp the rule of that name.
 */

const CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const AFTER_NUMBERS = '| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
const LLAMA3 = `${CONTRACTIONS}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}${AFTER_NUMBERS}`;
const QWEN2 = `${CONTRACTIONS}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}${AFTER_NUMBERS}`;
const UPPER = '\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}';
const LOWER = '\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}';
const TEKKEN =
  `[^\\r\\n\\p{L}\\p{N}]?[${UPPER}]*[${LOWER}]+|[^\\r\\n\\p{L}\\p{N}]?[${UPPER}]+[${LOWER}]*|\\p{N}` +
  '| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';

const byteLevel = (useRegex: boolean) => ({
  type: 'ByteLevel',
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: useRegex,
});
const sequence = (...pretokenizers: object[]) => ({ type: 'Sequence', pretokenizers });
const split = (Regex: string) =>
  sequence({ type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false }, byteLevel(false));

interface Rule {
  /** The pre-tokenizer as in a tokenizer.json. */
  preTokenizer: object;
  /** Whether llama.cpp takes a word that is a token without merging. */
  ignoreMerges?: boolean;
  normalizer?: object;
}

/** Rules by the name in `tokenizer.ggml.pre`. */
const RULES: Readonly<Record<string, Rule>> = {
  'gpt-2': { preTokenizer: byteLevel(true) },
  smollm: { preTokenizer: sequence({ type: 'Digits', individual_digits: true }, byteLevel(true)) },
  'llama-bpe': { preTokenizer: split(LLAMA3), ignoreMerges: true },
  dbrx: { preTokenizer: split(LLAMA3) },
  qwen2: { preTokenizer: split(QWEN2), normalizer: { type: 'NFC' } },
  tekken: { preTokenizer: split(TEKKEN), ignoreMerges: true },
};

/** Other names of the same rules. */
const SAME: Readonly<Record<string, string>> = {
  llama3: 'llama-bpe',
  'llama-v3': 'llama-bpe',
  smollm3: 'llama-bpe',
  'smaug-bpe': 'dbrx',
  'deepseek-r1-qwen': 'qwen2',
  starcoder: 'smollm',
};

/** Returns the rule of a name; `undefined` where there is none. */
export function ruleOf(name: string): Rule | undefined {
  return RULES[SAME[name] ?? name];
}

/** Returns the name of a tokenizer.json's rule; `undefined` where llama.cpp has none. */
export function nameOfRule(preTokenizer: unknown, ignoreMerges: boolean): string | undefined {
  const wanted = fingerprint(preTokenizer);
  const found = Object.entries(RULES).filter(([, rule]) => fingerprint(rule.preTokenizer) === wanted);
  return (found.find(([, rule]) => (rule.ignoreMerges ?? false) === ignoreMerges) ?? found[0])?.[0];
}

/** Returns the settings of a pre-tokenizer that change the tokens, as text. */
function fingerprint(value: unknown): string {
  const all = (value as { pretokenizers?: unknown[] } | null)?.pretokenizers ?? [value];
  return JSON.stringify(
    all.map((one) => {
      const { type, pattern, behavior, invert, individual_digits, add_prefix_space, use_regex } = (one ?? {}) as Record<
        string,
        unknown
      >;
      const digits = type === 'Digits' ? individual_digits === true : null;
      const byte = type === 'ByteLevel' ? [add_prefix_space === true, use_regex !== false] : null;
      return [type, pattern, behavior, invert === true, digits, byte];
    }),
  );
}
