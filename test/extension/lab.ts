import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { dataFolder, installKernel } from '../../kernel/install/install';
import { installLabextension } from '../../kernel/install/labextension';
import { pythonPath } from '../../kernel/common/packagePaths';
import { tell } from './labTest';

/** A running JupyterLab or Notebook 7 of its own: folders, settings and port are private to it. */
export interface Lab {
  /** Folder of its notebooks. */
  folder: string;
  /** Folder of what the server says of itself: its process, its kernels. */
  runtime: string;
  /** Returns the address of a notebook in `folder`, with the token. */
  url(notebook: string): string;
  /** Returns the server's log so far. */
  log(): string;
  close(): Promise<void>;
}

/** Options of {@link startLab}. */
export interface LabOptions {
  theme?: 'light' | 'dark';
  /** JupyterLab, or Notebook 7. */
  app?: 'lab' | 'notebook';
  /** Whether cells are drawn also where they are out of view. */
  drawsAll?: boolean;
  /** Whether notebooks are saved every two minutes, as JupyterLab does. */
  autosave?: boolean;
  /** Names of extensions that are off. */
  disabled?: string[];
}

/** Starts JupyterLab or Notebook with kernel and extension on a free port. */
export async function startLab({
  theme = 'light',
  app = 'lab',
  drawsAll = false,
  autosave = true,
  disabled = [],
}: LabOptions = {}): Promise<Lab> {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'joylab-lab-'));
  const folder = path.join(home, 'notebooks');
  const runtime = path.join(home, 'runtime');
  for (const place of [folder, runtime]) fs.mkdirSync(place);
  const prefix = path.join(home, 'prefix');
  installLabextension(dataFolder(prefix));
  installKernel({ data: dataFolder(prefix) });
  const settings = path.join(home, 'settings');
  writeSettings(settings, { theme, drawsAll, autosave });
  const pageConfig = path.join(home, 'config', 'labconfig');
  fs.mkdirSync(pageConfig, { recursive: true });
  const disabledExtensions = Object.fromEntries(disabled.map((name) => [name, true]));
  fs.writeFileSync(path.join(pageConfig, 'page_config.json'), JSON.stringify({ disabledExtensions }));
  const token = randomBytes(16).toString('hex');
  const child = spawn(pythonPath(), serverArguments(app, folder, token), {
    env: {
      ...process.env,
      JUPYTER_CONFIG_DIR: path.join(home, 'config'),
      JUPYTER_DATA_DIR: path.join(home, 'data'),
      JUPYTER_RUNTIME_DIR: runtime,
      JUPYTER_PATH: path.join(prefix, 'share', 'jupyter'),
      JUPYTERLAB_SETTINGS_DIR: settings,
      JUPYTERLAB_WORKSPACES_DIR: path.join(home, 'workspaces'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      log += chunk;
      tell(String(chunk));
    });
  }
  const port = await waitForServer(child, runtime, () => log);
  return {
    folder,
    runtime,
    url: (notebook) =>
      `http://127.0.0.1:${port}/${app === 'lab' ? 'lab/tree' : 'notebooks'}/${encodeURIComponent(notebook)}?reset&token=${token}`,
    log: () => log,
    close: async () => {
      await stop(child);
      fs.rmSync(home, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function serverArguments(app: 'lab' | 'notebook', folder: string, token: string): string[] {
  return [
    '-m',
    app === 'lab' ? 'jupyterlab' : 'notebook',
    '--no-browser',
    '--ServerApp.ip=127.0.0.1',
    '--ServerApp.port=0',
    `--ServerApp.root_dir=${folder}`,
    `--IdentityProvider.token=${token}`,
    '--LabApp.news_url=None',
    '--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate',
    `--${app === 'lab' ? 'LabApp' : 'JupyterNotebookApp'}.expose_app_in_browser=True`,
    ...(process.getuid?.() === 0 ? ['--allow-root'] : []),
  ];
}

function writeSettings(
  folder: string,
  { theme, drawsAll, autosave }: Pick<LabOptions, 'theme' | 'drawsAll' | 'autosave'>,
): void {
  const write = (name: string, value: object, extension = 'apputils-extension') => {
    const file = path.join(folder, '@jupyterlab', extension, `${name}.jupyterlab-settings`);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, JSON.stringify(value));
  };
  write('notification', { fetchNews: 'false', checkForUpdates: false });
  write('themes', { theme: theme === 'dark' ? 'JupyterLab Dark' : 'JupyterLab Light' });
  if (!autosave) write('plugin', { autosave }, 'docmanager-extension');
  if (drawsAll) write('tracker', { windowingMode: 'none' }, 'notebook-extension');
}

/** Resolves to the server's port, which it writes into a file of its runtime folder, once it answers there. */
async function waitForServer(child: ChildProcess, runtime: string, log: () => string): Promise<number> {
  for (let tries = 0; tries < 3000; tries++) {
    if (child.exitCode !== null) throw new Error(`JupyterLab ended with exit code ${child.exitCode}:\n${log()}`);
    const port = writtenPort(runtime);
    if (port !== undefined) {
      const answer = await fetch(`http://127.0.0.1:${port}/api`).catch(() => null);
      if (answer?.ok) return port;
    }
    await sleep(100);
  }
  child.kill('SIGKILL');
  throw new Error(`JupyterLab did not start within five minutes:\n${log()}`);
}

/** Returns the port, once its file is complete. */
function writtenPort(runtime: string): number | undefined {
  const info = fs.readdirSync(runtime).find((name) => /^jpserver-\d+\.json$/.test(name));
  if (info === undefined) return undefined;
  try {
    return (JSON.parse(fs.readFileSync(path.join(runtime, info), 'utf8')) as { port: number }).port;
  } catch {
    return undefined;
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
  await ended;
  clearTimeout(timer);
}
