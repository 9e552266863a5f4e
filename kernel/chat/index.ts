import type { CausalLM } from '../models';
import type { ModelServer } from './serving/server';
import type { ServeModelOptions } from './serving/settings';

export {
  ChatModel,
  chatModel,
  type ChatCompletion,
  type ChatModelOptions,
  type ChatUsage,
  type CompleteOptions,
} from './chatModel';
export { ChatModelError, type ChatErrorCode } from './errors';
export type { ModelServer } from './serving/server';
export type { ServeModelOptions } from './serving/settings';

/**
 * Serves a model by OpenAI's protocol of chat completions: streaming,
 * log-probabilities, seeds. One request is answered at a time; others wait.
 *
 * ```ts
 * const server = await serveModel(model);
 * const same = chatModel({ baseUrl: server.baseUrl, model: server.name });
 * ```
 *
 * @throws TypeError where an option is wrong; Error where the port cannot be used, or
 *   the variable of the key is not set
 */
export async function serveModel(model: CausalLM, options: ServeModelOptions = {}): Promise<ModelServer> {
  const { startServer } = await import('./serving/server.js');
  return startServer(model, options);
}
