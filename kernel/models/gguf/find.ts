import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { hubGguf, isHubName, type HubOptions } from '../hub';
import { readJsonFile } from '../checkpoint/jsonFile';
import { POINTER } from './model';
import { ggufFiles } from './parts';

/** Resolves to the path of the GGUF file that options name; null where they name a model of another format. */
export async function findGguf(options: HubOptions & { modelName: string; ggufFile?: string }): Promise<string | null> {
  const { modelName, ggufFile } = options;
  if (ggufFile !== undefined) return named(modelName, ggufFile, options);
  if (!existsSync(modelName)) {
    if (modelName.endsWith('.gguf')) throw new Error(`there is no file ${modelName}`);
    return null;
  }
  const path = resolve(modelName);
  if (!statSync(path).isDirectory()) return path.endsWith('.gguf') ? path : null;
  if (existsSync(join(path, POINTER))) return pointedAt(join(path, POINTER));
  if (existsSync(join(path, 'config.json')) || existsSync(join(path, 'adapter_config.json'))) return null;
  const files = ggufFiles(readdirSync(path));
  if (files.length > 1) throw new Error(`${path} has several GGUF files; give ggufFile, one of: ${files.join(', ')}`);
  return files.length === 1 ? join(path, files[0]) : null;
}

async function named(modelName: string, file: string, options: HubOptions): Promise<string> {
  if (!file.endsWith('.gguf') || file.split(/[\\/]/).includes('..'))
    throw new Error(`ggufFile must be the name of a file that ends in .gguf, not ${JSON.stringify(file)}`);
  if (existsSync(modelName)) {
    const path = resolve(modelName, file);
    if (existsSync(path)) return path;
    const files = statSync(modelName).isDirectory() ? ggufFiles(readdirSync(modelName)) : [];
    throw new Error(`there is no file ${path} (GGUF files there: ${files.join(', ') || 'none'})`);
  }
  if (isHubName(modelName)) return hubGguf(modelName, file, options);
  throw new Error(
    `there is no model ${JSON.stringify(modelName)}: with ggufFile, modelName is a folder or a model of the hub ('organisation/model')`,
  );
}

function pointedAt(pointer: string): string {
  const { file } = readJsonFile(pointer);
  if (typeof file !== 'string' || !existsSync(file))
    throw new Error(`${pointer} names the GGUF file ${String(file)}, which is not there any more`);
  return file;
}
