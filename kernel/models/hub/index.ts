import { existsSync } from 'node:fs';
import { mkdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { text, type Given } from '../../common/settings';
import { cellContext } from '../../display/cellContext';
import { formatBytes, ProgressBar } from '../../display/progress/progressBar';
import { downloadBlob, partialSize, type RemoteFile } from './blob';
import { INDEX, shardNames } from '../checkpoint/weightFiles';
import { partNames } from '../gguf/parts';
import { CachedModel, isCommit, isComplete, SMALL_FILES } from './cache';
import { answerError, diskFull, HubError, HubUnreachable, networkError } from './errors';
import { hubSettings, type HubSettings } from './settings';

/** Returns whether a name can be that of a model of the hub: 'organisation/model'. */
export function isHubName(name: string): boolean {
  return /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/.test(name);
}

/** Options of a model of the hub besides its name. */
export const hubOptions = {
  /** Branch, tag or commit of the hub. 'main' by default. */
  revision: text('main', 'a branch, a tag or a commit'),
  /** An access token. The environment variable `HF_TOKEN` by default. */
  token: text(undefined, 'an access token of the hub'),
};

export interface HubOptions extends Given<typeof hubOptions> {}

/**
 * Resolves to the folder of a model of the hub, in the hub's cache; missing files are
 * downloaded. Without a network the cache is used.
 *
 * @throws HubError when there is no such model or revision, or no access to it;
 *   HubUnreachable when the hub does not answer and the cache is not complete
 */
export async function hubModel(name: string, { revision = 'main', token }: HubOptions = {}): Promise<string> {
  checkRevision(name, revision);
  const settings = { ...hubSettings(), ...(token && { token }) };
  const cached = new CachedModel(settings.cache, name);
  const known = cached.commitOf(revision);
  const there = known && isComplete(cached.snapshot(known)) ? cached.snapshot(known) : null;
  if (there && isCommit(revision) && cached.unknownFiles(revision).length === 0) return there;
  // What is said where the cache has to do.
  const asItIs = () => {
    warnOfTokenizer(name, cached, known!);
    return there!;
  };
  if (there && settings.offline) return asItIs();
  if (settings.offline) {
    throw new HubError(
      `there is no model ${JSON.stringify(name)}: it is not a folder, ${revision === 'main' ? '' : `revision ${revision} of it `}is not complete in the cache ` +
        `(${settings.cache}), and HF_HUB_OFFLINE forbids to download it`,
    );
  }
  try {
    return await new Snapshot(name, revision, settings, cached).fetch();
  } catch (error) {
    if (there && (error instanceof HubUnreachable || isReadOnly(error))) return asItIs();
    if (!(error instanceof HubUnreachable)) throw error;
    throw new HubUnreachable(`${name} is not complete in the cache (${settings.cache}), and ${error.message}`, {
      cause: error,
    });
  }
}

/**
 * Resolves to the path of a GGUF file of a model of the hub, in the hub's cache; all
 * its parts are downloaded. Rejects as {@link hubModel}.
 */
export async function hubGguf(
  name: string,
  file: string,
  { revision = 'main', token }: HubOptions = {},
): Promise<string> {
  checkRevision(name, revision);
  const settings = { ...hubSettings(), ...(token && { token }) };
  const cached = new CachedModel(settings.cache, name);
  const known = cached.commitOf(revision);
  const there = known && partNames(file).every((part) => existsSync(join(cached.snapshot(known), part)));
  const path = there ? join(cached.snapshot(known), partNames(file)[0]) : null;
  if (path && (settings.offline || isCommit(revision))) return path;
  if (settings.offline)
    throw new HubError(
      `${file} of ${name} is not complete in the cache (${settings.cache}), and HF_HUB_OFFLINE forbids to download it`,
    );
  try {
    return await new Snapshot(name, revision, settings, cached).fetchGguf(file);
  } catch (error) {
    if (path && (error instanceof HubUnreachable || isReadOnly(error))) return path;
    throw error;
  }
}

/** Throws when a revision is not valid: it becomes part of paths, and may come from the settings of an adapter. */
function checkRevision(name: string, revision: string): void {
  if (!/^\w[\w./+-]*$/.test(revision) || revision.includes('..'))
    throw new HubError(`${JSON.stringify(revision)} is no revision of ${name}; valid are branches, tags and commits`);
}

/** Warns of a tokenizer without its settings, which has neither a chat template nor an end token. */
function warnOfTokenizer(name: string, cached: CachedModel, commit: string): void {
  const missing = cached.unknownFiles(commit);
  const isAdapter = missing.includes('config.json');
  if (isAdapter || !missing.includes('tokenizer_config.json')) return;
  console.warn(
    `${name}: the cache has no tokenizer_config.json of it (${cached.snapshot(commit)}), so the chat template and the special tokens may be missing. ` +
      'Load the model once with a network (and without HF_HUB_OFFLINE), which fetches what is missing.',
  );
}

function isReadOnly(error: unknown): boolean {
  return ['EACCES', 'EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '');
}

/** Downloads a model at a revision into the cache. */
class Snapshot {
  private readonly signal = cellContext().signal;
  private readonly client = require('@huggingface/hub') as typeof import('@huggingface/hub');

  constructor(
    private readonly name: string,
    private readonly revision: string,
    private readonly settings: HubSettings,
    private readonly cached: CachedModel,
  ) {}

  async fetch(): Promise<string> {
    const commit = await this.commit();
    const folder = this.cached.snapshot(commit);
    if (!isComplete(folder) || this.cached.unknownFiles(commit).length > 0) {
      const files = await this.files(commit);
      await this.download(commit, pick(files, SMALL_FILES));
      const weights = pick(files, this.weightNames(folder, files));
      await this.download(commit, weights);
      this.cached.setAbsent(
        commit,
        SMALL_FILES.filter((name) => !files.has(name)),
      );
    }
    this.cached.setCommit(this.revision, commit);
    return folder;
  }

  async fetchGguf(file: string): Promise<string> {
    const commit = await this.commit();
    const files = await this.files(commit);
    const parts = partNames(file);
    const missing = parts.find((part) => !files.has(part));
    if (missing) {
      const names = [...files.keys()].filter((name) => name.endsWith('.gguf'));
      throw new HubError(`${this.name} has no file ${missing} (its GGUF files: ${names.join(', ') || 'none'})`);
    }
    await this.download(commit, pick(files, parts));
    this.cached.setCommit(this.revision, commit);
    return join(this.cached.snapshot(commit), parts[0]);
  }

  private async commit(): Promise<string> {
    if (isCommit(this.revision)) return this.revision;
    const { name, revision } = this;
    const { sha } = await this.client.modelInfo({ ...this.access, name, revision, additionalFields: ['sha'] });
    if (!isCommit(sha))
      throw new HubUnreachable(
        `${this.settings.endpoint} does not answer as the hub does (commit ${JSON.stringify(sha)})`,
      );
    return sha;
  }

  private async files(commit: string): Promise<Map<string, RemoteFile>> {
    const files = new Map<string, RemoteFile>();
    for await (const { type, path, size, oid, lfs } of this.client.listFiles({
      ...this.access,
      repo: this.name,
      revision: commit,
    })) {
      const hash = lfs?.oid ?? oid ?? '';
      if (type === 'file' && /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(hash))
        files.set(path, { path, size: lfs?.size ?? size, hash });
    }
    return files;
  }

  /** Returns the names of the weights' files. The small files must be there. */
  private weightNames(folder: string, files: ReadonlyMap<string, RemoteFile>): string[] {
    const single = files.has('adapter_config.json') ? 'adapter_model.safetensors' : 'model.safetensors';
    const names = files.has(single)
      ? [single]
      : single === 'model.safetensors' && files.has(INDEX)
        ? shardNames(folder)
        : [];
    if (names.length === 0) {
      const hint = [...files.keys()].some((name) => name.endsWith('.gguf'))
        ? ', or name one of its GGUF files by ggufFile'
        : '';
      throw new HubError(
        `${this.name} has no weights in the safetensors format (its files: ${[...files.keys()].join(', ')}); choose another model, or a revision that has them${hint}`,
      );
    }
    return names;
  }

  private async download(commit: string, files: readonly RemoteFile[]): Promise<void> {
    const there = ({ path, hash }: RemoteFile) =>
      existsSync(this.cached.blob(hash)) || existsSync(join(this.cached.snapshot(commit), path));
    const missing = files.filter((file) => !there(file));
    const total = missing.reduce((sum, { size }) => sum + size, 0);
    const begun = missing.reduce((sum, { hash }) => sum + partialSize(this.cached.blob(hash)), 0);
    await this.checkRoom(total - begun);
    const bar = this.settings.progress && total > 1e6 ? new ProgressBar(`downloading ${this.name}`, total) : null;
    try {
      for (const file of missing) await this.downloadFile(commit, file, bar);
    } catch (error) {
      bar?.end(
        this.signal.aborted
          ? 'interrupted; the next attempt goes on from here'
          : 'failed; the next attempt goes on from here',
      );
      throw (error as NodeJS.ErrnoException).code === 'ENOSPC'
        ? diskFull(this.name, total, 0, this.settings.cache)
        : error;
    }
    bar?.end(`${formatBytes(total)} downloaded`);
    for (const { path, hash } of files) this.cached.link(commit, path, hash);
  }

  private async downloadFile(commit: string, file: RemoteFile, bar: ProgressBar | null): Promise<void> {
    const { access, client, name, settings, signal } = this;
    await downloadBlob({
      file,
      target: this.cached.blob(file.hash),
      async *read(start) {
        const blob = await client.downloadFile({
          ...access,
          repo: name,
          path: file.path,
          revision: commit,
          xet: settings.xet,
        });
        if (!blob) throw new HubError(`${name} has no file ${file.path} any more`);
        yield* blob.slice(start).stream() as unknown as AsyncIterable<Uint8Array>;
      },
      timeout: settings.downloadTimeout,
      onBytes: (count, options) => bar?.add(count, options),
      signal,
    });
  }

  private async checkRoom(needed: number): Promise<void> {
    await mkdir(this.settings.cache, { recursive: true });
    const { bavail, bsize } = await statfs(this.settings.cache);
    const free = bavail * bsize;
    // Some network drives say 0.
    if (free > 0 && needed > free) throw diskFull(this.name, needed, free, this.settings.cache);
  }

  /** Options of every call of the client. */
  private get access() {
    return { hubUrl: this.settings.endpoint, fetch: this.ask };
  }

  /** `fetch` with the user's token, a timeout, and errors that say what to do. */
  private readonly ask: typeof fetch = async (input, init) => {
    const { endpoint, token, timeout } = this.settings;
    const headers = new Headers(init?.headers);
    headers.set('User-Agent', 'joylab');
    // Content may come from elsewhere; what such servers refuse the client knows to handle.
    const isHub = new URL(String(input instanceof Request ? input.url : input)).origin === new URL(endpoint).origin;
    if (token && isHub) headers.set('Authorization', `Bearer ${token}`);
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new Error(`no answer in ${timeout / 1000} s`)), timeout);
    try {
      const signal = AbortSignal.any([this.signal, late.signal, ...(init?.signal ? [init.signal] : [])]);
      const response = await fetch(input, { ...init, headers, signal });
      if (response.ok || !isHub) return response;
      throw await answerError(response, this.name, this.settings);
    } catch (error) {
      this.signal.throwIfAborted();
      throw error instanceof TypeError || late.signal.aborted ? networkError(error, this.settings) : error;
    } finally {
      clearTimeout(timer);
    }
  };
}

function pick(files: ReadonlyMap<string, RemoteFile>, names: readonly string[]): RemoteFile[] {
  return names.flatMap((name) => files.get(name) ?? []);
}
