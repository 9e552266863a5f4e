import { typescript } from '../compile/typescript';

/** The versions that the patches were tried with, by all tests: of Node.js the major ones, of the others those that package.json names. */
export const TRIED: Readonly<Record<string, readonly string[]>> = {
  'Node.js': ['20'],
  TypeScript: ['5.9.3'],
  tslab: ['1.0.22'],
};

/** The versions that run here, as {@link TRIED} writes them. */
export function versionsHere(): Record<string, string> {
  return {
    'Node.js': process.versions.node.split('.')[0],
    TypeScript: typescript().version,
    tslab: (require('tslab/package.json') as { version: string }).version,
  };
}

/** Returns a sentence for each version that was not tried. */
export function untried(versions: Record<string, string>): string[] {
  return Object.entries(versions)
    .filter(([name, version]) => !TRIED[name].includes(version))
    .map(
      ([name, version]) =>
        `${name} ${version} was not tried with what the kernel changes in it (kernel/cells/patches): ${TRIED[name].join(', ')} ${TRIED[name].length > 1 ? 'were' : 'was'}.`,
    );
}

/** Returns a sentence for each version that runs here and was not tried. */
export function untriedVersions(): string[] {
  return untried(versionsHere());
}
