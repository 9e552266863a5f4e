import { testLeftovers, WAIT } from './leftovers';

testLeftovers('it is told to restart', '', (kernel) => kernel.request('control', 'shutdown_request', { restart: true }));
testLeftovers('it gets SIGTERM', '', (kernel) => kernel.process.kill('SIGTERM'));
testLeftovers('it is killed with its process group', WAIT, (kernel) => process.kill(-kernel.process.pid!, 'SIGKILL'));
testLeftovers('a cell ends it', '', (kernel) => kernel.send('shell', 'execute_request', { code: 'process.exit(3)' }));
testLeftovers('a cell aborts it', '', (kernel) => kernel.send('shell', 'execute_request', { code: 'process.abort()' }));
