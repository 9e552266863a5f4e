import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { HubUploads } from './hubUploads';

/** A repository of the server. */
export interface Repository {
  folder: string;
  /** Commits of branches and tags, by name; `main` by default. */
  revisions?: Record<string, string>;
  /** Token without which it cannot be read. */
  token?: string;
  private?: boolean;
}

/** Faults in the delivery of a file's content. */
export interface Trouble {
  /** Bytes after which the connection of each answer ends. */
  cutAfter?: number;
  /** Number of answers that are wrong in one byte. */
  damaged?: number;
  /** Bytes per 10 ms. */
  slow?: number;
  /** Number of answers that stop after 1 MB and leave the connection open. */
  stalled?: number;
}

/**
 * Speaks the part of the hub's protocol that downloads need, for folders of
 * this machine, and with a folder for them that of uploads. As with the hub, large files lie at another address, to which
 * it redirects.
 */
export class HubServer {
  readonly repositories = new Map<string, Repository>();
  readonly trouble = new Map<string, Trouble>();
  /** Path and range of each request for content. */
  readonly served: { path: string; range: string | undefined }[] = [];
  requests = 0;
  /** `null`: nothing can be uploaded. */
  readonly uploads: HubUploads | null;
  private readonly server = createServer(
    (request, response) => void this.answer(request, response).catch(() => response.destroy()),
  );

  /** @param uploads folder for the repositories that uploads make */
  constructor(uploads?: string) {
    this.uploads = uploads
      ? new HubUploads(uploads, (name, { folder, private: isPrivate }) => {
          lists.delete(folder);
          this.repositories.set(name, { folder, private: isPrivate, ...(isPrivate && { token: 'hf_writer' }) });
        })
      : null;
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests++;
    const url = new URL(request.url!, 'http://hub');
    const path = decodeURIComponent(url.pathname);
    if (await this.uploads?.answer(request, response, path)) return;
    const api = /^\/api\/models\/([^/]+\/[^/]+)(?:\/(revision|tree)\/([^?]+))?$/.exec(path);
    const content = /^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(path);
    const name = (api ?? content)?.[1];
    const repository = name === undefined ? undefined : this.repositories.get(name);
    if (!repository) return fail(response, 404, 'RepoNotFound', 'Repository not found');
    const commit = commitOf(repository, (api ? api[3] : content![2]) ?? 'main');
    if (!commit) return fail(response, 404, 'RevisionNotFound', 'Invalid rev id');
    if (api && api[2] !== 'tree')
      return json(response, {
        _id: '0',
        id: name,
        modelId: name,
        sha: commit,
        private: repository.private ?? false,
        gated: false,
        downloads: 0,
        likes: 0,
        tags: [],
        lastModified: '2026-01-01T00:00:00.000Z',
        siblings: [],
      });
    if (api) return json(response, list(repository.folder));
    if (url.searchParams.has('content')) {
      // Where large files lie nobody must send a token of the hub.
      if (request.headers.authorization) return fail(response, 400, 'Unauthorized', 'a token does not belong here');
      return this.file(request, response, repository, commit, content![3]);
    }
    if (repository.token && request.headers.authorization !== `Bearer ${repository.token}`) {
      return fail(
        response,
        request.headers.authorization ? 403 : 401,
        'GatedRepo',
        'Access to this model is restricted.',
      );
    }
    return this.file(request, response, repository, commit, content![3]);
  }

  private async file(
    request: IncomingMessage,
    response: ServerResponse,
    { folder }: Repository,
    commit: string,
    path: string,
  ): Promise<void> {
    const entry = list(folder).find((one) => one.path === path);
    if (!entry) return fail(response, 404, 'EntryNotFound', 'Entry not found');
    const linked = entry.lfs && { 'X-Linked-Etag': `"${entry.lfs.oid}"`, 'X-Linked-Size': entry.size };
    if (linked && !request.url!.endsWith('?content')) {
      const { port } = this.server.address() as AddressInfo;
      response
        .writeHead(302, {
          Location: `http://localhost:${port}${request.url}?content`,
          'X-Repo-Commit': commit,
          ...linked,
        })
        .end();
      return;
    }
    const whole = readFileSync(join(folder, path));
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
    const start = Number(from ?? 0);
    let bytes = whole.subarray(start, to ? Number(to) + 1 : undefined);
    const etag = `"${entry.lfs?.oid ?? entry.oid}"`;
    const range =
      from === undefined ? {} : { 'Content-Range': `bytes ${start}-${start + bytes.length - 1}/${whole.length}` };
    response.writeHead(from === undefined ? 200 : 206, {
      ...range,
      'Content-Length': bytes.length,
      'X-Repo-Commit': commit,
      ETag: etag,
      'Accept-Ranges': 'bytes',
    });
    if (request.method === 'HEAD' || (bytes.length === 1 && whole.length > 1))
      return void response.end(request.method === 'HEAD' ? undefined : bytes);
    this.served.push({ path, range: request.headers.range });
    const trouble = this.trouble.get(path) ?? {};
    if (trouble.damaged) {
      trouble.damaged--;
      bytes = Buffer.from(bytes);
      bytes[bytes.length - 1] ^= 1;
    }
    if (trouble.stalled) {
      trouble.stalled--;
      return void response.write(bytes.subarray(0, 1_000_000));
    }
    if (trouble.slow) {
      for (let at = 0; at < bytes.length && !response.destroyed; at += trouble.slow) {
        response.write(bytes.subarray(at, at + trouble.slow));
        await setTimeout(10);
      }
      return void response.end();
    }
    if (trouble.cutAfter === undefined || trouble.cutAfter >= bytes.length) return void response.end(bytes);
    response.write(bytes.subarray(0, trouble.cutAfter), () => global.setTimeout(() => response.destroy(), 20));
  }
}

function commitOf({ revisions = { main: 'a'.repeat(40) } }: Repository, revision: string): string | undefined {
  return revisions[revision] ?? Object.values(revisions).find((commit) => commit === revision);
}

/** Lists of files by folder: hashing all files takes longer than a request may. */
const lists = new Map<string, ReturnType<typeof makeList>>();

function list(folder: string): ReturnType<typeof makeList> {
  const made = lists.get(folder) ?? makeList(folder);
  lists.set(folder, made);
  return made;
}

/** Returns files as the hub lists them: weights are large files, known by their sha256, others by git's hash. */
function makeList(folder: string) {
  return readdirSync(folder).map((path) => {
    const content = readFileSync(join(folder, path));
    const oid = createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
    const lfs = path.endsWith('.safetensors')
      ? { oid: createHash('sha256').update(content).digest('hex'), size: content.length, pointerSize: 130 }
      : undefined;
    return { type: 'file', oid, size: content.length, path, ...(lfs && { lfs }) };
  });
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
}

function fail(response: ServerResponse, status: number, code: string, message: string): void {
  response.writeHead(status, { 'X-Error-Code': code, 'X-Error-Message': message }).end();
}
