import { zeros, type Tensor } from '../../onnx/tensor';
import { seededRandom } from '../../common/random';

/*
 * The elements that dropout leaves out follow from a seed alone, so that a run
 * that is resumed leaves out the same, and so do two runs of one graph. For
 * each row there are random numbers that are fed, for each column of a layer
 * whole numbers that never change; element (row, column) is left out where the
 * fractional part of their product is less than p. In a row any four columns
 * are independent, and rows are.
 */

/** Random numbers per row and per column. */
export const DROPOUT_NUMBERS = 4;

/** Numbers of rows are multiples of 1 / STEPS, those of columns whole numbers up to LARGEST: products are exact in float32. */
const STEPS = 2 ** 14;
const LARGEST = 127;

/**
 * Returns the numbers of a layer's columns, [width, DROPOUT_NUMBERS].
 *
 * @param layer name of the layer's weight
 */
export function dropoutColumns(layer: string, width: number): Tensor {
  let hash = 0;
  for (const character of layer) hash = (Math.imul(hash, 31) + character.charCodeAt(0)) | 0;
  const random = seededRandom(hash >>> 0);
  const columns = zeros([width, DROPOUT_NUMBERS]);
  for (let i = 0; i < columns.data.length; i++) columns.data[i] = 1 + Math.floor(random.next() * LARGEST);
  // An odd number makes all fractions equally likely.
  for (let i = 0; i < columns.data.length; i += DROPOUT_NUMBERS) columns.data[i] |= 1;
  return columns;
}

/** Rows of a sequence, one after the other from its start. */
export interface DropoutRows {
  /** The same rows of the same stream get the same numbers. */
  stream: number;
  length: number;
}

/** Returns the numbers of rows, [rows, DROPOUT_NUMBERS]. */
export function dropoutRows(sequences: readonly DropoutRows[], seed: number): Tensor {
  const rows = zeros([sequences.reduce((sum, { length }) => sum + length, 0), DROPOUT_NUMBERS]);
  let at = 0;
  for (const { stream, length } of sequences) {
    const random = seededRandom(seed, stream);
    for (let i = 0; i < length * DROPOUT_NUMBERS; i++) rows.data[at++] = Math.floor(random.next() * STEPS) / STEPS;
  }
  return rows;
}
