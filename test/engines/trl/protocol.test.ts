import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeFrame, FrameReader, ragged, unragged } from '../../../kernel/engines/trl/protocol';

const rows = [[1, 2, 3], [], [70_000]];
const frame = encodeFrame(
  { type: 'score', id: 7, completions: ['grün', '😀'] },
  { ...ragged(rows), logprobs: Float32Array.of(-0.5) },
);

test('a message comes back with its parts, in whatever pieces it arrives', () => {
  for (const size of [1, 7, 8, 9, 50, frame.length]) {
    const reader = new FrameReader();
    const messages = [];
    const twice = Buffer.concat([frame, frame]);
    for (let at = 0; at < twice.length; at += size) messages.push(...reader.push(twice.subarray(at, at + size)));
    assert.equal(messages.length, 2, `pieces of ${size} bytes`);
    for (const { type, id, completions, logprobs, ...lists } of messages) {
      assert.deepEqual([type, id, completions], ['score', 7, ['grün', '😀']]);
      assert.deepEqual(unragged(lists), rows);
      assert.deepEqual(logprobs, Float32Array.of(-0.5));
    }
  }
});

test('what is no frame is refused before memory is taken for it', () => {
  assert.throws(() => new FrameReader().push(Buffer.from('GET / HTTP/1.1\r\n\r\n')), /a frame of \d+ bytes/);
});
