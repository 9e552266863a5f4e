import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { resolveSettings } from '../../common/settings';
import { withProgress } from '../../display/progress/progress';
import { FolderUpdate } from '../../models/checkpoint/folderUpdate';
import { checkMethod, companionsOf, saveDeclaration, type SaveOptions } from '../../models/checkpoint/save';
import { changeSettings } from '../../models/checkpoint/settingsFile';
import type { ModelInWorker } from './model';

/** Saves the adapter alone, as PEFT has it. */
export function saveAdapter(model: ModelInWorker, folder: string): Promise<void> {
  return saved(model, folder, { method: 'adapter' }, async (update, from) => {
    const config = readFileSync(join(from, 'adapter_config.json'), 'utf8');
    update.text('adapter_config.json', changeSettings(config, { base_model_name_or_path: model.modelName }));
    move(from, ['adapter_model.safetensors'], update);
  });
}

/** Saves the model, its adapter merged, as a Hugging Face folder with its tokenizer. */
export function saveMerged(model: ModelInWorker, folder: string, options: SaveOptions): Promise<void> {
  const { maxShardSize } = resolveSettings(saveDeclaration, options);
  checkMethod(options, model.folder);
  const dtype = options.dtype ?? (options.saveMethod ? 'bfloat16' : model.held.about.dtype);
  return saved(
    model,
    folder,
    { method: options.saveMethod ?? 'merged_16bit', dtype, maxShardSize },
    async (update, from) => {
      const companions = companionsOf(model.folder);
      const made = readdirSync(from).filter((name) => /^config\.json$|^model.*\.(safetensors|json)$/.test(name));
      move(from, made, update);
      update.copy(model.folder, companions);
      update.removeOthers(/^model(-\d+-of-\d+)?\.safetensors(\.index\.json)?$/);
    },
  );
}

/** Lets the worker write beside the folder, and `take` put what it wrote in its place. */
async function saved(
  { held }: ModelInWorker,
  folder: string,
  fields: Record<string, unknown>,
  take: (update: FolderUpdate, from: string) => Promise<void>,
): Promise<void> {
  await FolderUpdate.run(folder, async (update) => {
    const from = mkdtempSync(join(dirname(resolve(folder)), '.joylab-saving-'));
    try {
      await withProgress('Saving the model', 0, () => held.do('save', { ...fields, folder: from }));
      await take(update, from);
    } finally {
      rmSync(from, { recursive: true, force: true });
    }
  });
}

function move(from: string, names: readonly string[], update: FolderUpdate): void {
  for (const name of names) renameSync(join(from, name), update.partial(name));
}
