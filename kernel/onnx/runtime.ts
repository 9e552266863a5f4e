import { isMainThread } from 'node:worker_threads';

type Runtime = typeof import('onnxruntime-node');

/*
 * The one place where ONNX Runtime is loaded. It would keep telemetry: a device
 * ID and a queue of events in the user's cache folder, a log per process in the
 * temporary one, unless the environment says no when it is loaded.
 */

const SWITCH = 'ORT_DISABLE_TELEMETRY';

// At once, so that threads and processes which are started later have it, too.
process.env[SWITCH] = '1';

let loading: Promise<Runtime> | undefined;

/** Returns ONNX Runtime, loaded at the first call: importing the library stays quick. */
export function loadRuntime(): Promise<Runtime> {
  return (loading ??= load());
}

async function load(): Promise<Runtime> {
  if (!isMainThread) await switchOffInProcess();
  return require('onnxruntime-node') as Runtime;
}

/**
 * Switches telemetry off in the process, from a worker thread. Native code does not
 * see what a thread sets in `process.env`: only the main thread changes the
 * environment of the process. It is asked through the inspector's protocol, which it
 * answers whatever it is doing.
 */
async function switchOffInProcess(): Promise<void> {
  const { Session } = await import('node:inspector/promises');
  const session = new Session();
  // An answer that is waited for does not keep the thread alive by itself.
  const alive = setInterval(() => {}, 1000);
  try {
    session.connectToMainThread();
    const { exceptionDetails } = await session.post('Runtime.evaluate', {
      expression: `require('node:process').env.${SWITCH} = '1'`,
      includeCommandLineAPI: true,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.text);
  } catch (error) {
    throw new Error(
      `ONNX Runtime would keep telemetry of this process, and a thread cannot prevent it (${(error as Error).message}): set ${SWITCH}=1 in the environment`,
      { cause: error },
    );
  } finally {
    clearInterval(alive);
    session.disconnect();
  }
}
