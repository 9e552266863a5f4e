/**
 * Everything that the folders export, for code that builds on Joylab's
 * internals: `import … from 'joylab/internal'`. What is not in `joylab`, too,
 * changes without notice.
 */
export * from './benchmark';
export * from './chat';
export * from './check';
export * from './display';
export * from './environments';
export * from './grpo';
export * from './models';
export * from './openenv';
export * from './rewards';
export * from './rollout';
export * from './sft';
export * from './strategy';
export * from './training';
