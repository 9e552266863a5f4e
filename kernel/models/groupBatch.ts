import type { Graph } from '../onnx/graph';
import type { Packing } from '../onnx/operators/gather';
import { int64Feed, type Feed } from '../onnx/session';
import type { Value } from '../onnx/value';
import { causalMask } from './cache';

/** A prompt and completions of it, as token IDs. */
export interface Group {
  promptIds: readonly number[];
  completionIds: readonly (readonly number[])[];
}

/**
 * A group as rows of a graph: the prompt's P tokens once, then the completions
 * one after the other, each without its last token (nothing follows it). Of
 * the M tokens of all completions the first are predicted by the prompt's last
 * row, the others by the row before them.
 */
export interface GroupInputs {
  /** Token of each row and its position in its sequence; int64, [rows]. */
  ids: Value;
  positions: Value;
  /** Which rows predict a token: the prompt's last and all of the completions'; int64, [predictions]. */
  predicting: Value;
  /** For each token of each completion: prediction and token ID; int64, [M, 2]. */
  tokens: Value;
  /** Who sees whom in the prompt, [P, P], and in a completion, [T, T]. */
  promptMask: Value;
  completionMask: Value;
  /** Where the completions' rows lie in a rectangle [N, T]. */
  packing: Packing;
}

/** Declares the inputs of a group. */
export function groupInputs(graph: Graph): GroupInputs {
  return {
    ids: graph.input('ids', 'int64', ['P+S']),
    positions: graph.input('positions', 'int64', ['P+S']),
    predicting: graph.input('predicting', 'int64', ['predictions']),
    tokens: graph.input('tokens', 'int64', ['M', 2]),
    promptMask: graph.input('prompt_mask', 'float32', ['P', 'P']),
    completionMask: graph.input('completion_mask', 'float32', ['T', 'T']),
    packing: {
      toPadded: graph.input('to_padded', 'int64', ['N', 'T']),
      toPacked: graph.input('to_packed', 'int64', ['S']),
      filled: graph.input('filled', 'float32', ['N', 'T', 1]),
    },
  };
}

/** A group, as its inputs are fed. */
export function groupFeeds({ promptIds, completionIds }: Group): Record<string, Feed> {
  const P = promptIds.length;
  const ids = [...promptIds];
  const positions = Array.from(promptIds.keys());
  const tokens: number[] = [];
  const spans: { start: number; length: number }[] = [];
  for (const completion of completionIds) {
    const start = ids.length - P;
    completion.forEach((token, t) => tokens.push(t === 0 ? 0 : start + t, token));
    const fed = completion.slice(0, -1);
    fed.forEach((token, t) => {
      ids.push(token);
      positions.push(P + t);
    });
    if (fed.length > 0) spans.push({ start, length: fed.length });
  }
  if (spans.length === 0) {
    // Every completion is one token: a row that predicts nothing keeps the shapes above 0.
    ids.push(completionIds[0][0]);
    positions.push(P);
    spans.push({ start: 0, length: 1 });
  }
  const rows = ids.length - P;
  return {
    ids: int64Feed(ids),
    positions: int64Feed(positions),
    predicting: int64Feed(Array.from({ length: rows + 1 }, (_, i) => P - 1 + i)),
    tokens: int64Feed(tokens, [tokens.length / 2, 2]),
    prompt_mask: causalMask(P),
    ...rectangle(spans, rows),
  };
}

function rectangle(spans: readonly { start: number; length: number }[], rows: number): Record<string, Feed> {
  const N = spans.length;
  const T = Math.max(...spans.map((span) => span.length));
  const toPadded = new Array<number>(N * T).fill(0);
  const toPacked = new Array<number>(rows);
  const filled = new Float32Array(N * T);
  spans.forEach(({ start, length }, n) => {
    for (let t = 0; t < length; t++) {
      toPadded[n * T + t] = start + t;
      toPacked[start + t] = n * T + t;
      filled[n * T + t] = 1;
    }
  });
  return {
    completion_mask: causalMask(T),
    to_padded: int64Feed(toPadded, [N, T]),
    to_packed: int64Feed(toPacked),
    filled: { shape: [N, T, 1], data: filled },
  };
}
