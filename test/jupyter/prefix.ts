import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { dataFolder, installKernel } from '../../kernel/install/install';
import { pythonPath } from '../../kernel/common/packagePaths';

/** A folder with this build's kernel for Jupyter programs, which prefer it to others. */
export class JupyterPrefix {
  readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), 'joylab-prefix-'));
  readonly env: NodeJS.ProcessEnv;

  constructor() {
    const data = dataFolder(this.folder);
    installKernel({ data });
    const own = (name: string) => path.join(this.folder, name);
    this.env = {
      ...process.env,
      JUPYTER_PATH: data,
      JUPYTER_CONFIG_DIR: own('config'),
      JUPYTER_RUNTIME_DIR: own('runtime'),
      IPYTHONDIR: own('ipython'),
      JOYLAB_HISTORY: own('history.jsonl'),
      JUPYTER_PLATFORM_DIRS: '1',
    };
  }

  /** Runs a Python module; returns what it prints. Throws, with its error output, when it fails. */
  python(...args: string[]): string {
    const { status, stdout, stderr } = spawnSync(pythonPath(), args, {
      env: this.env,
      cwd: this.folder,
      encoding: 'utf8',
      timeout: 600_000,
    });
    if (status !== 0) throw new Error(`python ${args.join(' ')} failed (${status}):\n${stderr}\n${stdout}`);
    return stdout;
  }

  /** Writes a notebook of code cells. */
  write(name: string, cells: Array<string | { source: string; tags: string[] }>): string {
    const file = path.join(this.folder, name);
    fs.writeFileSync(
      file,
      JSON.stringify({
        nbformat: 4,
        nbformat_minor: 5,
        metadata: { kernelspec: { name: 'joylab', display_name: 'Joylab (TypeScript)', language: 'typescript' } },
        cells: cells.map((cell, i) => {
          const { source, tags } = typeof cell === 'string' ? { source: cell, tags: [] } : cell;
          return { cell_type: 'code', id: `cell-${i}`, source, metadata: { tags }, outputs: [], execution_count: null };
        }),
      }),
    );
    return file;
  }

  read(name: string): any {
    return JSON.parse(fs.readFileSync(path.join(this.folder, name), 'utf8'));
  }

  remove(): void {
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}
