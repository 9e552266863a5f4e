import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';

/** A repository that uploads have made. */
export interface Uploaded {
  folder: string;
  private: boolean;
  /** Titles of its commits. */
  commits: string[];
}

/** An answer in place of the usual one. */
export interface Refusal {
  status: number;
  error: string;
}

/**
 * The part of the hub's protocol that uploads need: who is asking, making
 * repositories, which files are large (weights), their storage by their
 * sha256 (LFS, in one piece), and commits.
 */
export class HubUploads {
  readonly repositories = new Map<string, Uploaded>();
  /** By a part of the address: what is answered instead. */
  readonly refusals = new Map<string, Refusal>();
  /** Paths that were asked for. */
  readonly asked: string[] = [];
  private readonly objects = new Map<string, Buffer>();

  /** @param folder where repositories are kept; @param onChange a repository is new or has changed */
  constructor(
    private readonly folder: string,
    private readonly onChange: (name: string, repository: Uploaded) => void,
  ) {}

  /** Answers a request that belongs to an upload. @returns whether it does */
  async answer(request: IncomingMessage, response: ServerResponse, path: string): Promise<boolean> {
    const [, name, what] =
      /^\/(?:api\/models\/)?([^/]+\/[^/]+?)(\/preupload\/main|\/commit\/main|\.git\/info\/lfs\/objects\/batch)$/.exec(
        path,
      ) ?? [];
    const stored = /^\/storage\/([0-9a-f]{64})$/.exec(path)?.[1];
    if (!name && !stored && path !== '/api/whoami-v2' && path !== '/api/repos/create') return false;
    this.asked.push(path);
    const body = await bodyOf(request);
    const refusal = [...this.refusals].find(([part]) => path.includes(part))?.[1];
    if (refusal) json(response, { error: refusal.error }, refusal.status);
    else if (stored) this.store(response, stored, body);
    else if (request.headers.authorization !== 'Bearer hf_writer') json(response, { error: 'Invalid token' }, 401);
    else if (path === '/api/whoami-v2') json(response, { type: 'user', id: '1', name: 'joy', orgs: [], auth: {} });
    else if (path === '/api/repos/create') this.create(response, JSON.parse(String(body)));
    else if (!this.repositories.has(name!)) json(response, { error: 'Repository not found' }, 404);
    else if (what === '/preupload/main') preupload(response, JSON.parse(String(body)));
    else if (what === '/commit/main') this.commit(response, name!, String(body));
    else this.batch(request, response, JSON.parse(String(body)));
    return true;
  }

  private create(
    response: ServerResponse,
    { name, organization, visibility }: { name: string; organization: string; visibility: string },
  ): void {
    const id = `${organization}/${name}`;
    if (this.repositories.has(id)) return json(response, { error: 'You already created this model repo' }, 409);
    const repository = { folder: join(this.folder, id), private: visibility === 'private', commits: [] };
    mkdirSync(repository.folder, { recursive: true });
    this.repositories.set(id, repository);
    this.onChange(id, repository);
    json(response, { url: `http://hub/${id}`, id });
  }

  private batch(
    request: IncomingMessage,
    response: ServerResponse,
    { objects }: { objects: { oid: string; size: number }[] },
  ): void {
    const upload = (oid: string) => ({ upload: { href: `http://${request.headers.host}/storage/${oid}` } });
    json(response, {
      transfer: 'basic',
      objects: objects.map(({ oid, size }) => ({ oid, size, ...(!this.objects.has(oid) && { actions: upload(oid) }) })),
    });
  }

  private store(response: ServerResponse, oid: string, body: Buffer): void {
    if (createHash('sha256').update(body).digest('hex') !== oid) return json(response, { error: 'damaged' }, 400);
    this.objects.set(oid, body);
    response.writeHead(200).end();
  }

  private commit(response: ServerResponse, name: string, body: string): void {
    const repository = this.repositories.get(name)!;
    for (const line of body.split('\n')) {
      const { key, value } = JSON.parse(line);
      if (key === 'header') repository.commits.push(value.summary);
      if (key === 'file') writeFileSync(join(repository.folder, value.path), Buffer.from(value.content, 'base64'));
      if (key === 'lfsFile') writeFileSync(join(repository.folder, value.path), this.objects.get(value.oid)!);
    }
    this.onChange(name, repository);
    json(response, { commitOid: 'b'.repeat(40), commitUrl: `http://hub/${name}/commit/b`, hookOutput: '' });
  }

  /** The text of a file of a repository. */
  read(name: string, path: string): string {
    return readFileSync(join(this.repositories.get(name)!.folder, path), 'utf8');
  }
}

function preupload(response: ServerResponse, { files }: { files: { path: string }[] }): void {
  json(response, {
    files: files.map(({ path }) => ({ path, uploadMode: path.endsWith('.safetensors') ? 'lfs' : 'regular' })),
  });
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

function json(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
}
