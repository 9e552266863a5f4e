import type { CausalLM } from '../models/causalLM';
import type { Tokenizer } from '../models/tokenizer/tokenizer';

/** @throws TypeError for what is not a model, or not a tokenizer */
export function checkModel(owner: string, model: CausalLM, processingClass: Tokenizer): void {
  if (typeof model?.generate !== 'function')
    throw new TypeError(`${owner} needs a model: the one that FastLanguageModel.fromPretrained gave.`);
  if (typeof processingClass?.encode !== 'function')
    throw new TypeError(`${owner} needs the model's tokenizer as processingClass.`);
}
