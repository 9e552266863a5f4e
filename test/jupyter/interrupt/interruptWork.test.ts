import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { text, TestKernel } from '../client';

let kernel: TestKernel;
before(async () => {
  kernel = await TestKernel.start();
  await kernel.run(`import { FastLanguageModel, GRPOTrainer, openenv, rollout, strategyPrompt } from 'joylab';
let kept = 0;`);
  await kernel.run(`let { model, tokenizer } = await FastLanguageModel.fromPretrained({ modelName: 'joylab/strategist', maxSeqLength: 256 });
model = FastLanguageModel.getPeftModel(model, { r: 4, targetModules: 'all-linear', randomState: 1 });`);
  await kernel.run(`const env = await openenv('atari', { game: 'breakout' });
const dataset = [{ prompt: [{ role: 'user' as const, content: strategyPrompt(env) }] }];
const codes = Array.from({ length: 64 }, (_, i) => 'function strategy(state) { return (state.ball_x + ' + i + ') % 7 > 3 ? "LEFT" : "RIGHT"; }');`);
});
after(() => kernel.stop());

/** Each works for minutes or for ever, and prints when a part of its work is done. */
const WORK: Record<string, string> = {
  'a training run': `const score = ({ episode }: any) => {
  console.log('scoring');
  return episode ? episode.return : null;
};
const trainer = new GRPOTrainer({ model, processingClass: tokenizer, env, rewardFuncs: [score], trainDataset: dataset, args: { maxSteps: 500, numGenerations: 8, maxCompletionLength: 64 } });
console.log('started');
await trainer.train();`,
  'a rollout': `console.log('started');
for (let seed = 0; ; seed++) {
  await rollout(env, codes, { seeds: codes.map(() => seed), maxSteps: 500 });
  console.log('scoring');
}`,
  'a generation': `console.log('started');
for (;;) {
  await model.generate({ ...tokenizer('function strategy(state) {'), maxNewTokens: 48, numReturnSequences: 8 });
  console.log('scoring');
}`,
};

for (const [name, code] of Object.entries(WORK)) {
  for (const how of ['message', 'signal'] as const) {
    for (const place of ['started\n', 'scoring\n']) {
      test(`${name} stops by ${how} after "${place.trim()}"; control is answered, the state survives`, {
        timeout: 300_000,
      }, async () => {
        const kept = Number(await kernel.run('kept'));
        const id = kernel.send('shell', 'execute_request', { code: `kept++;\n${code}` });
        const output = () => text(kernel.iopub.filter((it) => it.parentHeader.msg_id === id));
        await kernel.until(() => output().includes(place), place);
        assert.equal((await kernel.request('control', 'usage_request')).content.pid, kernel.process.pid);
        if (how === 'signal') kernel.process.kill('SIGINT');
        else await kernel.request('control', 'interrupt_request');
        const { reply } = await kernel.finish(id);
        assert.equal(reply.content.ename, 'KeyboardInterrupt');
        const printed = output();
        assert.equal(await kernel.run('kept'), String(kept + 1));
        assert.equal(output(), printed, 'nothing goes on in the background');
      });
    }
  }
}
