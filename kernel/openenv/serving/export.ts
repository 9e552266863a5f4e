import { mkdirSync, readdirSync, existsSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { invalidArgument } from '../errors';
import { bundle, type FoundClass } from './file';

/** The port of a Space. */
const PORT = 8000;

/**
 * Writes a folder that can be pushed as a Space: the environment and its
 * server bundled in one file that needs Node.js alone, with `openenv.yaml`,
 * Dockerfile and README. Gives the paths of the files.
 *
 * @param folder is made where it does not exist; it has to be empty
 */
export async function exportEnvironment(found: FoundClass, folder: string, capacity?: number): Promise<string[]> {
  const target = resolve(folder);
  if (existsSync(target) && readdirSync(target).length > 0)
    throw invalidArgument(`${folder} is not empty. Choose a new folder.`);
  const files: Record<string, string> = {
    'server.js': await bundle(
      { text: entry(found, capacity), folder: dirname(found.file) },
      resolve(__dirname, 'index.js'),
    ),
    'package.json': `${JSON.stringify({ name: slug(found.name), version: '0.1.0', private: true, main: 'server.js', scripts: { start: 'node server.js' }, engines: { node: '>=20.19' } }, null, 2)}\n`,
    'openenv.yaml': manifest(found),
    Dockerfile: dockerfile(),
    'README.md': readme(found),
  };
  mkdirSync(target, { recursive: true });
  return Object.entries(files).map(([name, text]) => {
    writeFileSync(join(target, name), text);
    return join(folder, name);
  });
}

/** The program that is bundled. */
function entry({ file, name, exported, schema, metadata }: FoundClass, capacity?: number): string {
  return `
import { serve, surviveLateErrors } from 'joylab';
import { ${exported} as Served } from ${JSON.stringify(file)};
const port = Number(process.env.PORT ?? ${PORT});
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

/** The part `validation` is for the author to narrow: `openenv validate` measures by it. */
function manifest({ name }: FoundClass): string {
  return `spec_version: 1
name: ${slug(name)}
version: 0.1.0
type: space
runtime: docker
app: server.js
port: ${PORT}
validation:
  reward:
    range: [-1000000.0, 1000000.0] # narrow it to what your rewards can be
    floor_margin: 1.0
  resources:
    cpu: 1.0
    memory_mb: 512
    disk_mb: 1024
    episode_timeout_s: 600.0
  network:
    mode: public
  capabilities:
    verifier:
      kind: reward_channel
  types:
    tags: [game] # what kind of environment it is
`;
}

function dockerfile(): string {
  return `FROM node:22-slim
WORKDIR /app
COPY package.json server.js ./
USER node
ENV PORT=${PORT}
EXPOSE ${PORT}
HEALTHCHECK --interval=30s --timeout=3s CMD ["node", "-e", "fetch('http://localhost:' + process.env.PORT + '/health').then((it) => process.exit(it.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "server.js"]
`;
}

function readme({ name, metadata, schema }: FoundClass): string {
  return `---
title: ${JSON.stringify(name)}
emoji: 🎮
colorFrom: blue
colorTo: green
sdk: docker
app_port: ${PORT}
tags:
  - openenv
---

# ${name}

${metadata.description ?? 'An OpenEnv environment.'}

An [OpenEnv](https://github.com/huggingface/OpenEnv) environment, written in TypeScript. \`server.js\` holds the environment and its server; it needs Node.js 20.19 or newer and nothing else.

\`\`\`bash
node server.js                                                # on port ${PORT}, or $PORT
docker build -t ${slug(name)} . && docker run -p ${PORT}:${PORT} ${slug(name)}
\`\`\`

## Actions

\`\`\`json
${JSON.stringify(schema.action ?? { type: 'object' }, null, 2)}
\`\`\`
`;
}

function slug(name: string): string {
  return name
    .replace(/([a-z\d])([A-Z])/g, '$1_$2')
    .replace(/\W+/g, '_')
    .toLowerCase();
}
