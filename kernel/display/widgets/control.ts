import type { Comm } from '../cellContext';
import { openModels, wholeState } from './model';
import { toWire } from './wire';

/**
 * Lets front ends ask for all widgets at once, as after a page was loaded again:
 * Jupyter's target `jupyter.widget.control`.
 */
export function serveWidgets(comms: { registerTarget(target: string, onOpen: (comm: Comm) => void): void }): void {
  comms.registerTarget('jupyter.widget.control', (comm) => {
    comm.onMessage((data) => {
      if (data?.method !== 'request_states') return;
      const states = [...openModels()].map(([id, model]) => [id, described(model[wholeState]())]);
      const { state, buffer_paths, buffers } = toWire(Object.fromEntries(states));
      comm.send({ method: 'update_states', states: state, buffer_paths }, buffers);
    });
  });
}

/** Returns a model's state as the reply has it. */
function described(state: Record<string, unknown>): object {
  return {
    model_name: state._model_name,
    model_module: state._model_module,
    model_module_version: state._model_module_version,
    state,
  };
}
