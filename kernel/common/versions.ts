import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { packageRoot, serverPackages } from './packagePaths';

/** Returns the version of Joylab. */
export function joylabVersion(): string {
  return versionIn(join(packageRoot, 'package.json'));
}

/** Returns the versions of what the numbers of a run depend on, by their names. */
export function versionsHere(): Record<string, string> {
  const own = createRequire(join(packageRoot, 'package.json'));
  const servers = serverPackages().map((line) => line.split('==') as [string, string]);
  return {
    joylab: joylabVersion(),
    node: process.versions.node,
    'onnxruntime-node': versionIn(own.resolve('onnxruntime-node/package.json')),
    ...Object.fromEntries(servers),
  };
}

/** Returns the kind of machine: "linux x64, AMD EPYC 7B13, 2 logical cores". */
export function machineHere(): string {
  const processors = cpus();
  const model = processors[0]?.model.trim().replace(/\s+/g, ' ') || 'unknown processor';
  return `${process.platform} ${process.arch}, ${model}, ${processors.length} logical cores`;
}

function versionIn(path: string): string {
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}
