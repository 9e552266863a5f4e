import { join } from 'node:path';
import { readJson } from '../../models/checkpoint/checkpoint';
import type { CausalLM } from '../../models/causalLM';
import { sequenceLength } from '../../models/config';
import { loraSettings } from '../../models/lora/lora';
import { loadTokenizer } from '../../models/tokenizer/tokenizer';
import { defaultsOf } from '../../common/settings';
import type { WorkerLora } from './adapter';
import { configOf } from './configFile';
import { HeldModel, type Loading } from './held';
import type { Launch } from './launch';
import { TrlModel, TrlPeftModel } from './model';

/** A model to open in a worker. */
export interface ModelToOpen extends Omit<Loading, 'maxSeqLength'> {
  /** What was asked for. */
  modelName: string;
  maxSeqLength?: number;
  launch: Launch;
}

/** Has a worker load a model, and returns it with its tokenizer, which is read here. */
export async function openInWorker({ modelName, launch, ...given }: ModelToOpen): Promise<CausalLM> {
  const { folder, adapter } = given;
  const config = configOf(folder);
  const maxSeqLength = sequenceLength(given.maxSeqLength, config);
  const tokenizer = loadTokenizer(folder);
  const held = new HeldModel({ ...given, maxSeqLength }, launch);
  await endEarlier(held);
  await held.load();
  if (held.about.note) console.log(held.about.note);
  const base = new TrlModel(
    { config, weights: new Map(), quantized: new Map(), tokenizer, maxSeqLength, folder, modelName },
    held,
  );
  return adapter === null ? base : new TrlPeftModel(base, loraOf(adapter), held.about.trainable);
}

/** Models in workers, by what was loaded. */
const opened = new Map<string, HeldModel>();

/** Ends the worker that holds the same model: a cell that is run again would need twice the memory. */
async function endEarlier(held: HeldModel): Promise<void> {
  const key = JSON.stringify([held.loading, held.launch]);
  const earlier = opened.get(key);
  opened.set(key, held);
  if (!earlier?.isOpen || !earlier.survives) return;
  await earlier.close();
  console.log(
    'The model is loaded anew: the worker that held it before was ended, to free its memory. Where that model is used again, it is started again.',
  );
}

/** What is shown of an adapter that the worker has loaded; PEFT reads it there. */
function loraOf(folder: string): WorkerLora {
  const raw = readJson(folder, 'adapter_config.json');
  const config = { ...defaultsOf(loraSettings), targetParameters: null };
  if (typeof raw.r !== 'number') throw new Error(`${join(folder, 'adapter_config.json')} has no rank r`);
  return { ...config, r: raw.r, loraAlpha: Number(raw.lora_alpha ?? raw.r) };
}
