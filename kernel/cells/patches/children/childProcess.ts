import * as childProcess from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Child, ChildResult } from '../../../jupyter/children';
import { KERNEL_MARK, marked, type MarkedOptions } from '../../../jupyter/kernelMark';
import { currentCell, type Cell } from '../../cell';
import { interruptCount, throwIfInterrupted } from '../../interrupt/interrupts';
import { all, replace, type Undo } from '../replace';

/*
 * Output of child processes to the streams that they inherit goes to the
 * cell that started them, and an interrupt of the cell reaches them, as it
 * would in a terminal. They end with the kernel, see jupyter/wire/reaper.ts, unless
 * they were started with `detached: true`.
 */

type Options = childProcess.SpawnSyncOptions & { shell?: boolean | string };
type Result = childProcess.SpawnSyncReturns<string | Buffer | null>;
type Stdio = childProcess.StdioOptions | undefined;

/** `maxBuffer` where the caller names none, as in Node.js. */
const MAXIMUM_BUFFER = 1 << 20;

/** Replaces the functions of `node:child_process` by ones that know about cells. */
export function captureChildren(): Undo {
  const original = { ...childProcess };
  const mark = process.env[KERNEL_MARK];

  function spawnSync(file: string, ...rest: unknown[]): Result {
    const cell = currentCell();
    if (!cell) return original.spawnSync(file, ...(rest as []));
    const { args, options } = parameters(rest);
    const result = runAndWait(cell, file, args, options, mark);
    if (result.error) Error.captureStackTrace(result.error, spawnSync);
    return result;
  }

  function execFileSync(file: string, ...rest: unknown[]): unknown {
    if (!currentCell()) return original.execFileSync(file, ...(rest as []));
    const { args, options } = parameters(rest);
    return outputOf(spawnSync(file, args, options), [file, ...args].join(' '), options);
  }

  function execSync(command: string, options: Options = {}): unknown {
    if (!currentCell()) return original.execSync(command, options as childProcess.ExecSyncOptions);
    return outputOf(spawnSync(command, { ...options, shell: options.shell || true }), command, options);
  }

  const undo = all([replace(require('node:child_process'), { spawnSync, execFileSync, execSync }), followAsync(mark)]);
  syncBuiltinESMExports();
  return () => {
    undo();
    syncBuiltinESMExports();
  };
}

function parameters([first, second]: unknown[]): { args: string[]; options: Options } {
  const options = (Array.isArray(first) ? second : (first ?? second)) as Options | undefined;
  return { args: Array.isArray(first) ? first.map(String) : [], options: options ?? {} };
}

function runAndWait(cell: Cell, file: string, args: string[], options: Options, mark: string | undefined): Result {
  const { encoding, stdio, input, maxBuffer, timeout, cwd, env, ...others } = options;
  const { entries, shown } = redirected(stdio);
  const child: Child = {
    file: String(file),
    args,
    // The wire thread has an environment of its own.
    options: {
      ...others,
      stdio: entries,
      cwd: cwd instanceof URL ? fileURLToPath(cwd) : (cwd ?? process.cwd()),
      env: plainEnvironment({ ...(env ?? process.env), [KERNEL_MARK]: mark }),
    },
    ...(input !== undefined && {
      input:
        typeof input === 'string'
          ? Buffer.from(input, encoding === 'buffer' ? 'utf8' : (encoding ?? 'utf8'))
          : bytesOf(input),
    }),
    shown,
    maxBuffer: maxBuffer ?? MAXIMUM_BUFFER,
    timeout: timeout ?? 0,
  };
  const began = interruptCount();
  const result = cell.output.runChild(child);
  throwIfInterrupted(began);
  return spawnResult(result, encoding);
}

function spawnResult({ output, error, ...rest }: ChildResult, encoding: Options['encoding']): Result {
  const decode = (bytes: Uint8Array | null) => {
    const buffer = bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return buffer && encoding && encoding !== 'buffer' ? buffer.toString(encoding) : buffer;
  };
  const decoded = output.map(decode);
  const failure =
    error && Object.assign(new Error(error.message), error, { syscall: `spawnSync ${error.path ?? ''}`.trim() });
  return {
    ...(failure && { error: failure }),
    ...rest,
    output: decoded,
    stdout: decoded[1] ?? null,
    stderr: decoded[2] ?? null,
  };
}

/** Returns the output as `execSync` and `execFileSync` do. Throws where the child failed. */
function outputOf(result: Result, command: string, options: Options): Result['stdout'] {
  const { error, status, stderr, stdout } = result;
  if (!options.stdio && stderr?.length) process.stderr.write(stderr);
  if (!error && status === 0) return stdout;
  throw Object.assign(error ?? new Error(`Command failed: ${command}${stderr?.length ? `\n${stderr}` : ''}`), result);
}

/** Sends what asynchronous children write to streams that they inherit to their cell. */
function followAsync(mark: string | undefined): Undo {
  const prototype = childProcess.ChildProcess.prototype as unknown as {
    spawn(options: MarkedOptions & { stdio?: Stdio }): number;
  };
  const { spawn } = prototype;
  const followed: typeof spawn = function (this: childProcess.ChildProcess, given) {
    const options = marked(given, mark);
    const cell = currentCell();
    const { entries, shown } = redirected(options?.stdio);
    if (!cell || (shown.every((it) => it === null) && entries[0] !== 'ignore')) return spawn.call(this, options);
    const status = spawn.call(this, { ...options, stdio: entries });
    const streams = this.stdio as unknown[];
    shown.forEach((name, i) => {
      const stream = streams?.[i] as import('node:stream').Readable | null | undefined;
      if (!name || !stream) return;
      stream.setEncoding('utf8').on('data', (text: string) => cell.output.stream(name, text));
      // For the caller it is inherited: there is no stream.
      streams[i] = null;
      if (i <= 2) Object.assign(this, { [i === 1 ? 'stdout' : 'stderr']: null });
    });
    void cell.stopped.catch(() => this.kill('SIGINT'));
    return status;
  };
  return replace(prototype, { spawn: followed });
}

/** `stdio` with pipes in place of the kernel's own output streams, and what those were. */
function redirected(stdio: Stdio): {
  entries: Array<'pipe' | 'ignore' | 'inherit' | 'ipc' | number>;
  shown: Child['shown'];
} {
  const given: unknown[] = Array.isArray(stdio) ? stdio : [stdio, stdio, stdio];
  const all = given.length < 3 ? [...given, undefined, undefined].slice(0, 3) : given;
  const shown = all.map((entry, i) => (i === 0 ? null : streamOf(entry, i)));
  // The kernel's own standard input is nobody's.
  const entries = all.map((entry, i) =>
    i === 0 && isInherited(entry)
      ? 'ignore'
      : shown[i]
        ? 'pipe'
        : ((entry as { fd?: number } | null)?.fd ?? entry ?? (i < 3 ? 'pipe' : 'ignore')),
  );
  return { entries: entries as Array<'pipe' | number>, shown };
}

function isInherited(entry: unknown): boolean {
  return descriptor(entry, 0) === 0;
}

function descriptor(entry: unknown, index: number): unknown {
  return entry === 'inherit'
    ? index
    : typeof entry === 'number'
      ? entry
      : (entry as { fd?: unknown } | null | undefined)?.fd;
}

function streamOf(entry: unknown, index: number): 'stdout' | 'stderr' | null {
  const fd = descriptor(entry, index);
  return fd === 1 ? 'stdout' : fd === 2 ? 'stderr' : null;
}

function plainEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, String(value)]),
  );
}

function bytesOf(input: NodeJS.ArrayBufferView): Uint8Array {
  return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
}
