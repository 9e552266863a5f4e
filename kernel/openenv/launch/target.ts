import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { invalidArgument, OpenEnvError } from '../errors';
import { getJson, httpUrl } from '../http';
import { MANIFEST, startFolder } from './folder';
import { startImage } from './image';
import type { StartContext, StartOptions } from './program';
import { runSpace, spaceImage, wakeSpace } from './space';

/** The kind of a target: a server's address, a Docker image, a Space, a folder. */
export type TargetKind = 'url' | 'image' | 'space' | 'folder';

/** Options of targets that start a server. */
export interface TargetOptions extends StartOptions {
  /**
   * How a Space is used: `'url'` as it runs at Hugging Face (default), `'image'` its
   * Docker image on this machine, `'uv'` its code on this machine. How a folder is
   * served: `'uv'` with the packages of its `pyproject.toml` (default where uv is
   * installed), `'python'` with Joylab's.
   */
  from?: 'url' | 'image' | 'uv' | 'python';
  /** Tag of a Space's image. Default: "latest". */
  tag?: string;
  /** The ASGI application of a folder or Space, "module:name". Default: what its `openenv.yaml` says. */
  app?: string;
  /** HTTP headers for the server: `{ Authorization: 'Bearer hf_…' }` for a private Space. */
  headers?: Record<string, string>;
}

/** A server in use. `close` stops it where it was started here. */
export interface Server {
  readonly url: string;
  /** How it ended, once it has ended. */
  readonly exit?: string;
  explainLoss?(): Promise<string | undefined>;
  close(): Promise<void>;
}

/** A target that was recognised. */
export interface Target {
  kind: TargetKind;
  /** Its absolute form, which opens the same target from another folder. */
  name: string;
  /** Resolves to the server: found, or started and healthy. */
  start(context: StartContext): Promise<Server>;
}

const START = ['port', 'envVars', 'startTimeout'];
/** Options that each kind of target has beside those of the connection. */
export const TARGET_OPTIONS: Record<TargetKind, readonly string[]> = {
  url: [],
  image: START,
  space: [...START, 'from', 'tag', 'app'],
  folder: [...START, 'from', 'app'],
};
const FROM: Partial<Record<TargetKind, readonly string[]>> = {
  space: ['url', 'image', 'uv'],
  folder: ['uv', 'python'],
};

/**
 * Returns a target by the form of its text; `undefined` when it has none of the forms.
 * Throws `INVALID_ARGUMENT` when `from` does not fit it.
 */
export function readTarget(text: string, options: TargetOptions = {}): Target | undefined {
  const target = recognise(text, options);
  const valid = target && FROM[target.kind];
  if (valid && options.from !== undefined && !valid.includes(options.from)) {
    throw invalidArgument(
      `from is '${options.from}'. For a ${target.kind} it may be: ${valid.map((name) => `'${name}'`).join(', ')}.`,
    );
  }
  return target;
}

function recognise(text: string, options: TargetOptions): Target | undefined {
  if (/^(localhost|[\w-]+(\.[\w-]+)+):\d+$/.test(text)) text = `http://${text}`;
  if (/^(https?|wss?):\/\//.test(text)) {
    const url = httpUrl(text);
    return { kind: 'url', name: url, start: async () => remote(url) };
  }
  const folder = path.resolve(text.replace(/^~(?=\/|$)/, os.homedir()));
  if (/^(\.{0,2}\/|~\/|\.{1,2}$|[A-Za-z]:[\\/])/.test(text) || fs.existsSync(path.join(folder, MANIFEST))) {
    return {
      kind: 'folder',
      // As it was written: a saved notebook is read elsewhere.
      name: text,
      start: (context) =>
        startFolder(folder, options as { from?: 'uv' | 'python' }, context, { name: `The environment ${text}` }),
    };
  }
  if (/^[\w.-]+\/[\w.-]+$/.test(text))
    return { kind: 'space', name: text, start: (context) => startSpace(text, options, context) };
  if (/^[\w.-]+(:\d+)?(\/[\w.-]+)*(:[\w.-]+|@sha256:[0-9a-f]+)$/.test(text))
    return { kind: 'image', name: text, start: (context) => startNamed(text, options, context) };
  return undefined;
}

/**
 * Starts an image. 'myhost:8000' may be an image with the tag 8000 or a server on that
 * host: where a server answers, it is used.
 */
async function startNamed(text: string, options: TargetOptions, context: StartContext): Promise<Server> {
  const port = Number(/^[\w-]+:(\d{2,5})$/.exec(text)?.[1]);
  const url = `http://${text}`;
  if (!(port <= 65535)) return startImage(text, options, context);
  const answers = await getJson(`${url}/health`, {
    timeout: 3000,
    headers: options.headers,
    signal: context.signal,
  }).then(
    () => true,
    () => false,
  );
  if (answers) return remote(url);
  context.signal?.throwIfAborted();
  return startImage(text, options, context).catch((error) => {
    if (error instanceof OpenEnvError)
      throw new OpenEnvError(
        error.code,
        `${error.message} If a server is meant: none answers at ${url}.`,
        error.details,
      );
    throw error;
  });
}

async function startSpace(space: string, options: TargetOptions, context: StartContext): Promise<Server> {
  if (options.from === 'image') return startImage(spaceImage(space, options.tag), options, context);
  if (options.from === 'uv') return runSpace(space, options, context);
  return remote(await wakeSpace(space, options, context));
}

/** Returns a server that was not started here. */
function remote(url: string): Server {
  return { url, close: async () => {} };
}
