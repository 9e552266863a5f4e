import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { buildRoot, packageRoot, serverPackages } from '../../common/packagePaths';
import type { NotebookDescription } from '../../grpo/exported/command';
import { readCells } from './cells';
import { programOf } from './program';
import { pythonLiteral } from './python';
import { withSchemas } from './schemas';
import { trlScript } from './script';

const USAGE = 'joylab export NOTEBOOK --to trl|hf-job [-o FOLDER]';
const TEMPLATE = join(packageRoot, 'kernel', 'cells', 'export', 'template');
const STRATEGIST = {
  name: 'joylab/strategist',
  folder: join(packageRoot, 'kernel', 'models', 'strategist', 'checkpoint'),
};

/** `joylab export`: a notebook as a script of TRL's, or as a job of Hugging Face. */
export async function exportCommand(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { to: { type: 'string' }, output: { type: 'string', short: 'o' } },
  });
  const { to, output } = values;
  if (positionals.length !== 1 || (to !== 'trl' && to !== 'hf-job')) throw new Error(`usage: ${USAGE}`);
  const [notebook] = positionals;
  const folder = resolve(output ?? `${basename(notebook, '.ipynb')}-${to}`);
  if (existsSync(folder) && readdirSync(folder).length > 0)
    throw new Error(`${folder} is not empty: give another folder with -o`);
  // Beside its place: a folder is whole or not there.
  const made = `${folder}-${process.pid}`;
  mkdirSync(made, { recursive: true });
  try {
    const notes = exportNotebook(notebook, made, to === 'hf-job');
    if (to === 'hf-job') addJob(made);
    for (const note of notes) process.stderr.write(`Not exported: ${note}.\n`);
    rmSync(folder, { recursive: true, force: true });
    renameSync(made, folder);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
  for (const name of readdirSync(folder)) process.stdout.write(`${join(folder, name)}\n`);
  return 0;
}

/** Writes the script and its files. @param moves the folder is used on another machine; @returns what is not exported */
function exportNotebook(notebook: string, folder: string, moves: boolean): string[] {
  const name = basename(notebook);
  const program = programOf(readCells(notebook), name);
  const file = join(folder, 'notebook.ts');
  writeFileSync(file, program.text);
  writeFileSync(file, withSchemas(program, file));
  const description = describe(file);
  if (description.config.refinement)
    throw new Error(
      'refinement is Joylab’s own, TRL has nothing of the kind: leave it out of the @grpo cell to export',
    );
  const model = modelOf(description, folder, moves);
  const { places, outputDir, notes } = trlScript(description, model, randomBytes(32).toString('hex'));
  const all = [...program.notes, ...notes];
  const texts = { ...places, notebook: name, output: outputDir, notes: all.map((note) => `- ${note}`).join('\n') };
  for (const template of ['train.py', 'joylab_rewards.py', 'README.md'])
    writeFileSync(join(folder, template), filled(template, texts));
  writeFileSync(join(folder, 'dataset.jsonl'), description.rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  writeFileSync(join(folder, 'requirements.txt'), requirements(description));
  return all;
}

/** Runs the program, and asks what it consists of. */
function describe(file: string): NotebookDescription {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(buildRoot, 'kernel', 'cli.js'), 'rewards', file, '--describe'],
    { encoding: 'utf8', maxBuffer: 2 ** 30 },
  );
  if (status === 0) return JSON.parse(stdout) as NotebookDescription;
  throw new Error(`the part of the notebook that trains does not run on its own: ${stderr.trim().split('\n').at(-1)}`);
}

/** Where the script finds the model, as an expression of Python; what comes with Joylab is copied, and what the other machine has not. */
function modelOf({ options }: NotebookDescription, folder: string, moves: boolean): string {
  const { modelName, ggufFile } = options;
  if (ggufFile || modelName.endsWith('.gguf')) throw new Error(`${modelName} is a GGUF file, which TRL does not train`);
  if (existsSync(join(modelName, 'adapter_config.json')))
    throw new Error(`${modelName} is an adapter: export a notebook that begins with a model`);
  const bundled = modelName === STRATEGIST.name;
  const isFolder = existsSync(modelName);
  if (!bundled && !(isFolder && moves)) return pythonLiteral(isFolder ? resolve(modelName) : modelName);
  cpSync(bundled ? STRATEGIST.folder : modelName, join(folder, 'model'), { recursive: true });
  return 'os.path.join(HERE, "model")';
}

/** The list of pip: TRL's, and what environments in Python need. */
function requirements({ environment }: NotebookDescription): string {
  const list = readFileSync(join(packageRoot, 'kernel', 'engines', 'trl', 'requirements.txt'), 'utf8');
  return environment ? `${list}# For environments in Python, such as Atari.\n${serverPackages().join('\n')}\n` : list;
}

function filled(template: string, texts: Record<string, string>): string {
  return readFileSync(join(TEMPLATE, template), 'utf8').replace(/__([a-z]+)__/g, (place, name) => texts[name] ?? place);
}

/** Adds what a job installs and runs: Joylab itself as a package of npm. */
function addJob(folder: string): void {
  for (const name of ['run.sh', 'Dockerfile', 'requirements-job.txt']) cpSync(join(TEMPLATE, name), join(folder, name));
  const readme = join(folder, 'README.md');
  writeFileSync(readme, readFileSync(readme, 'utf8') + readFileSync(join(TEMPLATE, 'job.md'), 'utf8'));
  const packed = spawnSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], {
    cwd: packageRoot,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (packed.status !== 0)
    throw new Error(`Joylab could not be packed for the job (npm pack): ${packed.stderr.trim()}`);
  renameSync(join(folder, packed.stdout.trim().split('\n').at(-1)!), join(folder, 'joylab.tgz'));
}
