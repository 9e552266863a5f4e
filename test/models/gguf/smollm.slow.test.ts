import assert from 'node:assert/strict';
import { basename, dirname } from 'node:path';
import { after, before, test } from 'node:test';
import { FastLanguageModel, ggufToFolder, TextStreamer } from '../../../kernel/models';
import { llamaPackage } from '../../../kernel/models/gguf/install';
import { readSafetensors } from '../../../kernel/models/checkpoint/safetensors';
import { runtimeSettings } from '../../../kernel/onnx/threads';
import { maxDifference, PythonPeer } from '../pythonPeer';
import { smollm } from './smollm';
import { unreachable } from './unreachable';

// Threads of llama.cpp wait for one another without sleeping, which takes minutes on a machine with other work.
runtimeSettings.threads = 1;

const peer = new PythonPeer('models/gguf/gguf_peer.py');
after(() => peer.close());

let reason: string | false = false;
let file = '';
before(async () => {
  try {
    file = await smollm();
    await llamaPackage();
  } catch (error) {
    reason = unreachable(error);
    return;
  }
  await ggufToFolder(file, peer.path('smollm'));
});

const messages = [{ role: 'user', content: 'What is gravity?' }];
const template = { addGenerationPrompt: true } as const;
const greedy = { maxNewTokens: 40, temperature: 0 };

test('SmolLM2 as a folder has the tokens and logits that transformers has, from the folder and from the file', async (t) => {
  if (reason) return t.skip(reason);
  const { model, tokenizer } = await FastLanguageModel.fromPretrained({ modelName: peer.path('smollm') });
  const texts = [
    tokenizer.applyChatTemplate(messages, { ...template, tokenize: false }),
    'for (let i = 0; i < 128; i++) {\n\treturn state.ball_x - 3.5;\n}',
    "  It's 2026:  naïve café ☃ 🙂\r\n\n",
  ];
  const sources = [{ folder: peer.path('smollm') }, { folder: dirname(file), file: basename(file) }];
  const ids = tokenizer.encode(texts[0]);
  const logits = (await model.logits([ids]))[0];
  for (const source of sources) {
    assert.deepEqual(
      await peer.call('tokens', { ...source, texts }),
      texts.map((text) => tokenizer.encode(text, { addSpecialTokens: false })),
    );
    await peer.call('logits', { ...source, ids, out: peer.path('logits.safetensors') });
    const difference = maxDifference(logits, readSafetensors(peer.path('logits.safetensors')).get('logits')!.data);
    t.diagnostic(`${source.file ?? 'folder'}: logits differ by ${difference}`);
    // 1e-4 on the processors that were tried; sums of float32 differ in their order.
    assert.ok(difference <= 2e-4, `${difference}`);
  }
});

test('SmolLM2 generates with its file; saved as GGUF and loaded again, it writes the same text', async (t) => {
  if (reason) return t.skip(reason);
  const { model, tokenizer } = await FastLanguageModel.fromPretrained({ modelName: file });
  const inputIds = tokenizer.applyChatTemplate(messages, template);
  let streamed = '';
  const streamer = new TextStreamer(tokenizer, { skipPrompt: true, write: (text) => (streamed += text) });
  const text = tokenizer.decode((await model.generate({ ...greedy, inputIds, streamer })).sequences[0]);
  assert.equal(streamed.trimEnd(), text.trimEnd());
  assert.match(text, /^Gravity is /);
  await model.dispose();

  const trained = await FastLanguageModel.fromPretrained({ modelName: peer.path('smollm') });
  assert.deepEqual(trained.tokenizer.applyChatTemplate(messages, template), inputIds);
  const expected = await trained.model.generate({ ...greedy, inputIds });
  await trained.model.savePretrainedGguf(peer.path('saved'), { quantizationMethod: 'f16' });
  const again = await FastLanguageModel.fromPretrained({ modelName: peer.path('saved') });
  const actual = await again.model.generate({
    ...greedy,
    inputIds: again.tokenizer.applyChatTemplate(messages, template),
  });
  assert.equal(again.tokenizer.decode(actual.sequences[0]), trained.tokenizer.decode(expected.sequences[0]));
  await again.model.dispose();
});
