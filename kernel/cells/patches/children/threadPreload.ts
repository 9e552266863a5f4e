import { ChildProcess } from 'node:child_process';
import { KERNEL_MARK, marked, type MarkedOptions } from '../../../jupyter/kernelMark';

/* Loaded first in the threads of cells, see threads.ts. */

const prototype = ChildProcess.prototype as unknown as { spawn(options: MarkedOptions): number };
const { spawn } = prototype;
const mark = process.env[KERNEL_MARK];

prototype.spawn = function (this: ChildProcess, options) {
  return spawn.call(this, marked(options, mark));
};
