import { isInWorker } from '../../engines/trl/model';
import type { CausalLM } from '../../models/causalLM';
import type { Place } from '../config';

/** Returns where runs of a model train. */
export function placeOf(model: CausalLM): Place {
  if (!isInWorker(model)) return { backend: 'onnx', numProcesses: 1 };
  const { loading, numProcesses } = model.held;
  return { backend: loading.backend, numProcesses };
}
