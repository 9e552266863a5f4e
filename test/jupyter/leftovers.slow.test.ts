import { testLeftovers, WAIT } from './leftovers';

testLeftovers('it is told to restart', '', (kernel) =>
  kernel.request('control', 'shutdown_request', { restart: true }),
);
testLeftovers('it gets SIGTERM', '', (kernel) => kernel.process.kill('SIGTERM'));
testLeftovers('it is killed with its process group', WAIT, (kernel) => process.kill(-kernel.process.pid!, 'SIGKILL'));
testLeftovers('it crashes', '', (kernel) => kernel.process.kill('SIGABRT'));
