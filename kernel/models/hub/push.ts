import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { flag, resolveSettings, text, type Declaration, type Given, type Resolved } from '../../common/settings';
import { cellContext } from '../../display/cellContext';
import { formatBytes, ProgressBar } from '../../display/progress/progressBar';
import { readJson } from '../checkpoint/checkpoint';
import { HubError, pushError } from './errors';
import { isHubName } from './index';
import { hubSettings, type HubSettings } from './settings';

const settings = {
  /** Whether only you see it. `false` makes it public, and is needed to push to a repository that is. `true` by default. */
  private: flag(true),
  /** An access token that may write. The environment variable `HF_TOKEN`, or the token of `hf auth login`, by default. */
  token: text(undefined, 'an access token of the hub'),
  /** What the commit says. 'Upload model' by default. */
  commitMessage: text('Upload model', 'a text'),
};

/** How a model is uploaded to the Hugging Face hub. */
export interface PushOptions extends Given<typeof settings> {}

type ResolvedPush = Resolved<typeof settings>;

/** The options of `model.pushToHub`. */
export const pushDeclaration: Declaration<typeof settings> = {
  owner: 'pushToHub',
  noun: 'option',
  example: '{ private: false }',
  settings,
  elsewhere: {
    createPr: 'commits go to the branch main',
    revision: 'commits go to the branch main',
    useTempDir: 'it is always one',
    useAuthToken: 'it is called token',
  },
};

/** A client of the hub, loaded when it is used: it takes a tenth of a second. */
type Client = typeof import('@huggingface/hub');

/**
 * Writes a model into a folder of its own and uploads that as a commit. The
 * repository is made where there is none.
 *
 * @param repoId 'organisation/model', or 'model' for the account of the token
 * @param write writes the model into a folder
 * @returns the address of its page
 */
export async function pushModel(
  repoId: string,
  options: PushOptions,
  write: (folder: string) => Promise<void>,
): Promise<string> {
  const resolved = resolveSettings(pushDeclaration, options);
  if (!/^[\w.-]+(\/[\w.-]+)?$/.test(repoId))
    throw new HubError(`${JSON.stringify(repoId)} is no name of a model: give 'organisation/model', or 'model'`);
  const push = new Push(repoId, resolved, withToken(resolved.token));
  const folder = mkdtempSync(join(tmpdir(), 'joylab-push-'));
  try {
    return await push.run(folder, write);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function withToken(given: string | undefined): HubSettings & { token: string } {
  const found = hubSettings();
  const token = given ?? found.token;
  if (found.offline) throw new HubError('HF_HUB_OFFLINE forbids to upload: unset it');
  if (!token)
    throw new HubError(
      `uploading needs a token of ${found.endpoint} that may write: set HF_TOKEN, run \`hf auth login\`, or give token`,
    );
  if (!token.startsWith('hf_'))
    throw new HubError('the token is none of the hub: those begin with hf_; check HF_TOKEN, or what token was given');
  return { ...found, token };
}

/** An upload. */
class Push {
  private readonly client: Client = require('@huggingface/hub');
  private readonly signal = cellContext().signal;

  constructor(
    private name: string,
    private readonly options: ResolvedPush,
    private readonly settings: HubSettings & { token: string },
  ) {}

  async run(folder: string, write: (folder: string) => Promise<void>): Promise<string> {
    // Before a model is merged, which may take minutes, it is known whether the token is one.
    const { name } = await this.asked(() => this.client.whoAmI(this.access));
    if (!this.name.includes('/')) this.name = `${name}/${this.name}`;
    await write(folder);
    warnOfLocalBase(folder);
    if (await this.asked(() => this.repository())) addCard(folder);
    await this.asked(() => this.upload(folder));
    return `${this.settings.endpoint}/${this.name}`;
  }

  /** Makes the repository. @returns whether there was none */
  private async repository(): Promise<boolean> {
    const { client, access, name, options } = this;
    const visibility = options.private ? 'private' : 'public';
    try {
      await client.createRepo({ ...access, repo: { type: 'model', name }, visibility });
      return true;
    } catch (error) {
      // A token for one repository may not make any.
      if (![403, 409].includes((error as { statusCode?: number }).statusCode ?? 0)) throw error;
      const there = await client.modelInfo({ ...access, name, revision: 'main' }).catch(() => {
        throw error;
      });
      if (options.private && !there.private)
        throw new HubError(
          `${this.settings.endpoint}/${name} is public: push to another name, or give private: false if everyone may have this model`,
        );
      return false;
    }
  }

  private async upload(folder: string): Promise<void> {
    const files = readdirSync(folder).map((path) => ({ path, size: statSync(join(folder, path)).size }));
    const sizes = new Map(files.map(({ path, size }) => [path, size]));
    const total = files.reduce((sum, { size }) => sum + size, 0);
    const bar = this.settings.progress && total > 1e6 ? new ProgressBar(`uploading ${this.name}`, total) : null;
    const done = new Map<string, number>();
    const events = this.client.uploadFilesWithProgress({
      ...this.access,
      repo: { type: 'model', name: this.name },
      files: files.map(({ path }) => ({ path, content: pathToFileURL(join(folder, path)) })),
      commitTitle: this.options.commitMessage,
      useXet: this.settings.xet,
      abortSignal: this.signal,
    });
    try {
      for await (const event of events) {
        this.signal.throwIfAborted();
        if (event.event !== 'fileProgress' || event.state !== 'uploading') continue;
        const bytes = Math.round(event.progress * sizes.get(event.path)!);
        bar?.add(bytes - (done.get(event.path) ?? 0));
        done.set(event.path, bytes);
      }
    } catch (error) {
      bar?.end(this.signal.aborted ? 'interrupted' : 'failed');
      throw error;
    }
    bar?.end(`${formatBytes(total)} uploaded`);
  }

  /** Does what asks the hub; what goes wrong is said in a sentence. */
  private async asked<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.signal.throwIfAborted();
      throw pushError(error, this.name, this.settings);
    }
  }

  private get access() {
    return { accessToken: this.settings.token, hubUrl: this.settings.endpoint };
  }
}

/** The base model that an adapter in a folder names, or null. */
function baseOf(folder: string): string | null {
  if (!existsSync(join(folder, 'adapter_config.json'))) return null;
  const { base_model_name_or_path: base } = readJson(folder, 'adapter_config.json');
  return typeof base === 'string' ? base : null;
}

/** Others have not what lies on this machine. */
function warnOfLocalBase(folder: string): void {
  const base = baseOf(folder);
  if (base && existsSync(base))
    console.warn(
      `the adapter names ${base}, a folder of this machine, as its base: others can load it with that alone. ` +
        'Load the base by its name at the hub, or upload the whole model by pushToHubMerged.',
    );
}

/** What the hub shows of a model that says nothing itself. */
function addCard(folder: string): void {
  const base = baseOf(folder);
  const lines = [
    `library_name: ${base ? 'peft' : 'transformers'}`,
    ...(base && isHubName(base) && !existsSync(base) ? [`base_model: ${base}`] : []),
    'tags:\n- joylab',
  ];
  writeFileSync(join(folder, 'README.md'), `---\n${lines.join('\n')}\n---\n\nTrained with Joylab.\n`);
}
