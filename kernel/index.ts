/**
 * Joylab's public API: what `import … from 'joylab'` gives in a cell. Each
 * folder's index lists what it offers.
 */
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
