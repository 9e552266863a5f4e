/*
 * What is in a GGUF file, llama.cpp's format for models: settings ("metadata"),
 * then tensors, their values in blocks of one of ggml's types.
 */

/** A type of a tensor's values: blocks of `values` values in `bytes` bytes. */
export interface BlockType {
  /** Its number in the file. */
  id: number;
  values: number;
  bytes: number;
}

const type = (id: number, values: number, bytes: number): BlockType => ({ id, values, bytes });

/** ggml's types by their names. */
export const TYPES = {
  F32: type(0, 1, 4),
  F16: type(1, 1, 2),
  Q4_0: type(2, 32, 18),
  Q4_1: type(3, 32, 20),
  Q5_0: type(6, 32, 22),
  Q5_1: type(7, 32, 24),
  Q8_0: type(8, 32, 34),
  Q2_K: type(10, 256, 84),
  Q3_K: type(11, 256, 110),
  Q4_K: type(12, 256, 144),
  Q5_K: type(13, 256, 176),
  Q6_K: type(14, 256, 210),
  IQ2_XXS: type(16, 256, 66),
  IQ2_XS: type(17, 256, 74),
  IQ3_XXS: type(18, 256, 98),
  IQ1_S: type(19, 256, 50),
  IQ4_NL: type(20, 32, 18),
  IQ3_S: type(21, 256, 110),
  IQ2_S: type(22, 256, 82),
  IQ4_XS: type(23, 256, 136),
  I8: type(24, 1, 1),
  I16: type(25, 1, 2),
  I32: type(26, 1, 4),
  I64: type(27, 1, 8),
  F64: type(28, 1, 8),
  IQ1_M: type(29, 256, 56),
  BF16: type(30, 1, 2),
  TQ1_0: type(34, 256, 54),
  TQ2_0: type(35, 256, 66),
  MXFP4: type(39, 32, 17),
} satisfies Record<string, BlockType>;

export type TypeName = keyof typeof TYPES;

/** Returns the name of a type; `undefined` for one that is newer than this list. */
export function typeName(id: number): TypeName | undefined {
  return (Object.keys(TYPES) as TypeName[]).find((name) => TYPES[name].id === id);
}

/** A setting as it is read: 64-bit integers that no number holds exactly are bigints. */
export type GgufValue = string | number | bigint | boolean | GgufValue[];

/** The kinds of settings, by their numbers in the file. */
export const KINDS = [
  'u8',
  'i8',
  'u16',
  'i16',
  'u32',
  'i32',
  'f32',
  'bool',
  'string',
  'array',
  'u64',
  'i64',
  'f64',
] as const;

export type Kind = (typeof KINDS)[number];

/** A setting as it is written: a value of a kind, or a list of such. */
export interface Setting {
  kind: Exclude<Kind, 'array' | 'u64' | 'i64'>;
  value: string | number | boolean | readonly (string | number | boolean)[];
}

export const u32 = (value: number): Setting => ({ kind: 'u32', value });
export const f32 = (value: number): Setting => ({ kind: 'f32', value });
export const bool = (value: boolean): Setting => ({ kind: 'bool', value });
export const text = (value: string): Setting => ({ kind: 'string', value });
export const list = (kind: Setting['kind'], value: readonly (string | number | boolean)[]): Setting => ({
  kind,
  value,
});

/** A tensor of a file, row-major: the last dimension is contiguous. */
export interface TensorInfo {
  name: string;
  shape: readonly number[];
  type: TypeName;
}

/** Returns the bytes of a tensor. */
export function tensorBytes({ shape, type }: Pick<TensorInfo, 'shape' | 'type'>): number {
  const { values, bytes } = TYPES[type];
  return (shape.reduce((product, size) => product * size, 1) / values) * bytes;
}

export const MAGIC = 'GGUF';
export const VERSION = 3;
export const ALIGNMENT = 32;
