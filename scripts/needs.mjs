// What tests and benchmarks need installed, from what they say: `npm test --
// WORD` installs no PyTorch for a file that never asks for it.
import * as fs from 'node:fs';
import * as path from 'node:path';

const IMPORT = /(?:from|import\() ?'(\.{1,2}\/[^']+)'/g;
const SCRIPT = /[\w/]+\.py\b/g;

/** For each thing to install, the words by which a file, its helpers or its Python scripts need it. */
const WORDS = {
  /** JupyterLab, OpenEnv, the Arcade Learning Environment. */
  python: /python|openenv|atari|breakout|jupyter|ipykernel|startLab/i,
  /** The packages that tests compare with. */
  peers:
    /pythonPeer|\b(?:torch|transformers|peft|trl|tokenizers|safetensors|datasets|bitsandbytes|onnxruntime|PIL|trackio|wandb)\b(?! ?[:}=])|jupyter_kernel_test|jupyter_console|papermill|jupytext|app: 'notebook'/,
  browser: /playwright-core/,
  extension: /playwright-core|[lL]abextension|install\/install'/,
};

/** Returns what the files need together: a flag for each of {@link WORDS}. */
export function needsOf(files) {
  const texts = [...closure(files)].map((file) => fs.readFileSync(file, 'utf8'));
  return Object.fromEntries(
    Object.entries(WORDS).map(([name, words]) => [name, texts.some((text) => words.test(text))]),
  );
}

/** Returns the files, what they import from the folder of tests, and the Python scripts that these name. */
function closure(files) {
  const found = new Set(files);
  for (const file of found) {
    const text = fs.readFileSync(file, 'utf8');
    const folder = path.dirname(file);
    const imported = file.endsWith('.ts')
      ? [...text.matchAll(IMPORT)].map(([, name]) => path.resolve(folder, `${name}.ts`)).filter(isTest)
      : [];
    const scripts = [...text.matchAll(SCRIPT)].flatMap(([name]) => [
      path.resolve(folder, name),
      path.resolve(folder, path.basename(name)),
    ]);
    for (const other of [...imported, ...scripts]) if (fs.existsSync(other)) found.add(other);
  }
  return found;
}

function isTest(file) {
  return file.split(path.sep).includes('test');
}
