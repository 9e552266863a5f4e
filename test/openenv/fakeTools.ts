import * as fs from 'node:fs';
import * as path from 'node:path';
import { buildRoot, pythonPath } from '../../kernel/common/packagePaths';

/*
 * Docker, git and uv as far as openenv() uses them, for machines that have
 * none: programs of their names that start real servers on this machine.
 */

/** The server in an image: an environment whose observation has the variable LEVEL. */
const SERVER = `
const { Environment, serve } = require(${JSON.stringify(path.join(buildRoot, 'kernel', 'openenv'))});
class Tiny extends Environment {
  reset() { return { observation: { level: process.env.LEVEL ?? '' } }; }
  step() { return { observation: { level: process.env.LEVEL ?? '' }, reward: 1 }; }
}
serve(Tiny, { port: Number(process.argv[2]) });
`;

/**
 * `docker run` stays in the foreground and forwards SIGTERM; the container is the
 * child of a daemon: it outlives a `docker run` that is killed.
 */
const DOCKER = `#!${process.execPath}
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const [command, ...args] = process.argv.slice(2);
fs.appendFileSync(__dirname + '/log', ['docker', command, ...args].join(' ') + '\\n');
const after = (name) => args[args.indexOf(name) + 1];
const file = (name) => __dirname + '/containers/' + name;
const end = (name, signal) => {
  try { process.kill(Number(fs.readFileSync(file(name), 'utf8')), signal); } catch {}
};
if (command === 'run') {
  if (args.at(-1).startsWith('missing')) {
    console.error('docker: Error response from daemon: pull access denied for missing, repository does not exist.');
    process.exit(125);
  }
  const [, port] = /:(\\d+):8000$/.exec(after('--publish'));
  const variables = Object.fromEntries(args.flatMap((it, i) => (it === '--env' ? [args[i + 1].split('=')] : [])));
  const child = spawn(process.execPath, [__dirname + '/server.js', port], { detached: true, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...variables } });
  fs.writeFileSync(file(after('--name')), String(child.pid));
  process.on('SIGTERM', () => end(after('--name'), 'SIGTERM'));
  child.once('exit', (code) => {
    fs.rmSync(file(after('--name')), { force: true });
    process.exit(code ?? 137);
  });
} else if (command === 'rm') {
  end(args.at(-1), 'SIGKILL');
  fs.rmSync(file(args.at(-1)), { force: true });
}
`;

/** Copies the Space in the folder `space`. */
const GIT = `#!/bin/sh
here="$(dirname "$0")"
echo "git $*" >> "$here/log"
for target in "$@"; do :; done
cp -r "$here/space/." "$target"
`;

/** Runs the command after `--` with the tests' Python. */
const UV = `#!/bin/sh
echo "uv $*" >> "$(dirname "$0")/log"
while [ "$1" != "--" ]; do shift; done
shift
exec "${pythonPath()}" -m "$@"
`;

/** Programs that stand in for Docker, git and uv. */
export interface FakeTools {
  /** A PATH on which they come first. */
  path: string;
  /** Returns their calls so far. */
  calls(): string[];
  /** Returns the process IDs of the running containers. */
  containers(): number[];
}

/**
 * Creates the programs in a folder.
 *
 * @param space files of the Space that git clones
 */
export function fakeTools(folder: string, space: Record<string, string>): FakeTools {
  fs.mkdirSync(path.join(folder, 'containers'), { recursive: true });
  for (const [name, text] of Object.entries({ 'server.js': SERVER, docker: DOCKER, git: GIT, uv: UV, log: '' })) {
    fs.writeFileSync(path.join(folder, name), text, { mode: 0o755 });
  }
  for (const [name, text] of Object.entries(space)) {
    const file = path.join(folder, 'space', name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
  }
  const containers = path.join(folder, 'containers');
  return {
    path: `${folder}${path.delimiter}${process.env.PATH}`,
    calls: () => fs.readFileSync(path.join(folder, 'log'), 'utf8').trim().split('\n').filter(Boolean),
    containers: () =>
      fs
        .readdirSync(containers)
        .map((name) => Number(fs.readFileSync(path.join(containers, name), 'utf8')))
        .filter(Boolean),
  };
}
