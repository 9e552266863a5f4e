import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { check, closeAll, those } from './checking';
import { BROKEN, SOLVED } from './environments';

after(closeAll);

for (const [id, { type, options }] of Object.entries(BROKEN)) {
  test(`an environment that breaks ${id} fails that check and no other`, async () => {
    const report = await check(type, options ?? SOLVED);
    assert.deepEqual(those(report, 'fail'), [id], String(report));
    const { evidence, remediation } = report.result(id as never);
    assert.ok(evidence.length > 0 && evidence.every((sentence) => sentence.length > 10));
    assert.ok(remediation && remediation.length > 10);
    assert.equal(
      report.verdict,
      ['statistical.headroom', 'statistical.training_signal'].includes(id) ? 'warn' : 'fail',
    );
  });
}
