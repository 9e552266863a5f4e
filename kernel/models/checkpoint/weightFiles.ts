import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import { describe, isObject, readJsonFile } from './jsonFile';

/** Name of the file that lists the weights' files where there are several. */
export const INDEX = 'model.safetensors.index.json';

const SINGLE = 'model.safetensors';

/** Returns the path of `model.safetensors`, or those that `model.safetensors.index.json` lists. Throws when there is neither. */
export function weightFiles(folder: string): string[] {
  const single = join(folder, SINGLE);
  if (existsSync(single)) return [single];
  const index = join(folder, INDEX);
  if (!existsSync(index))
    throw new Error(
      `${folder} has neither ${SINGLE} nor ${INDEX}${otherFormats(folder)}; save the model with safe_serialization=True`,
    );
  return shardNames(folder).map((name) => {
    const path = join(folder, name);
    if (!existsSync(path)) throw new Error(`${path}, which ${INDEX} lists, is missing; fetch the model again`);
    if (!belongsTo(path, folder, index))
      throw new Error(`${path}, which ${INDEX} lists, is a link to another folder; put the file in its place`);
    return path;
  });
}

/** Returns the names of files that the index of a folder lists. Throws when one does not name a file in this folder. */
export function shardNames(folder: string): string[] {
  const path = join(folder, INDEX);
  const { weight_map: map } = readJsonFile(path);
  const names = isObject(map) ? [...new Set(Object.values(map))] : [];
  if (names.length === 0)
    throw new Error(
      `${path}: weight_map must be an object that gives each tensor the name of its file, not ${describe(map)}; fetch or save the model again`,
    );
  return names.map((name) => {
    if (
      typeof name !== 'string' ||
      name === '' ||
      name.length > 1000 ||
      isAbsolute(name) ||
      name.split(/[\\/]/).includes('..')
    ) {
      throw new Error(
        `${path}: weight_map has ${describe(name)}, which is not the name of a file in the folder; fetch or save the model again`,
      );
    }
    return name;
  });
}

/** Name of a file that a cache names by its content: the hub's, or that of a tool for versions of data. */
const NAMED_BY_CONTENT = /^[0-9a-f]{30,128}$/;

/**
 * Returns whether a file is one of a folder, whatever links lead to it: it lies in
 * the folder, where the `companion` really lies, or in a cache.
 */
export function belongsTo(path: string, folder: string, companion: string): boolean {
  const real = realpathSync(path);
  const isIn = (parent: string) => {
    const way = relative(parent, real);
    return !isAbsolute(way) && way.split(sep)[0] !== '..';
  };
  return (
    isIn(realpathSync(folder)) ||
    dirname(real) === dirname(realpathSync(companion)) ||
    NAMED_BY_CONTENT.test(basename(real))
  );
}

/** Returns what a folder has instead of safetensors, for the message of an error. */
export function otherFormats(folder: string): string {
  const others = readdirSync(folder).filter(
    (name) =>
      /\.(bin|pt|pth|ckpt|gguf|ggml|h5|msgpack|onnx|npz)$/.test(name) &&
      !/^(training_args|optimizer|scheduler|scaler|rng_state)/.test(name),
  );
  return others.length === 0
    ? ''
    : ` (it has ${others.slice(0, 3).join(', ')}${others.length > 3 ? ' …' : ''}, which cannot be read)`;
}
