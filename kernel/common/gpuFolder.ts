import * as path from 'node:path';
import { userDataFolder } from './jupyterFolder';

/** The Python environment that `joylab setup gpu` makes for the worker of PyTorch and TRL. */
export function gpuFolder(): string {
  return path.join(userDataFolder(), 'joylab', 'gpu');
}
