import { mkdirSync, readdirSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { packageRoot } from '../../../common/packagePaths';
import { invalidArgument } from '../../errors';
import { bundle, type FoundClass } from './file';

/** The files of a Space beside its program, with placeholders such as `__name__` for the environment's metadata. */
const TEMPLATE = join(packageRoot, 'kernel', 'openenv', 'serving', 'command', 'template');

/**
 * Writes a folder that can be pushed as a Space: the environment and its server
 * bundled in one file that needs only Node.js, with `openenv.yaml`, Dockerfile and
 * README. Returns the paths of the files.
 *
 * @param folder is created where it does not exist; it must be empty
 */
export async function exportEnvironment(found: FoundClass, folder: string, capacity?: number): Promise<string[]> {
  const target = resolve(folder);
  if (existsSync(target) && readdirSync(target).length > 0)
    throw invalidArgument(`${folder} is not empty. Choose a new folder.`);
  const program = { text: entry(found, capacity), folder: dirname(found.file) };
  const files: Record<string, string> = { 'server.js': await bundle(program, resolve(__dirname, '..', 'index.js')) };
  for (const name of readdirSync(TEMPLATE)) files[name] = filled(readFileSync(join(TEMPLATE, name), 'utf8'), found);
  mkdirSync(target, { recursive: true });
  return Object.entries(files).map(([name, text]) => {
    writeFileSync(join(target, name), text);
    return join(folder, name);
  });
}

/** Returns the program that is bundled. */
function entry({ file, name, exported, schema, metadata }: FoundClass, capacity?: number): string {
  return `
import { serve, surviveLateErrors } from 'joylab';
import { ${exported} as Served } from ${JSON.stringify(file)};
const port = Number(process.env.PORT ?? 8000);
const host = process.env.HOST ?? '0.0.0.0';
serve(Served, { ...${JSON.stringify({ schema, metadata, capacity })}, port, host }).then((server) => {
  surviveLateErrors();
  console.log(${JSON.stringify(`${name} is served at `)} + server.url);
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close().then(() => process.exit(0)));
}, (error) => {
  console.error(error.message);
  process.exit(1);
});
`;
}

function filled(template: string, { name, metadata, schema }: FoundClass): string {
  const values: Record<string, string> = {
    name,
    slug: slug(name),
    title: JSON.stringify(name),
    description: metadata.description ?? 'An OpenEnv environment.',
    action: JSON.stringify(schema.action ?? { type: 'object' }, null, 2),
  };
  return template.replace(/__([a-z]+)__/g, (_, place: string) => values[place]);
}

function slug(name: string): string {
  return name
    .replace(/([a-z\d])([A-Z])/g, '$1_$2')
    .replace(/\W+/g, '_')
    .toLowerCase();
}
