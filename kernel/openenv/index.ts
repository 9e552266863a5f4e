export { OpenEnvClient, type ClientOptions } from './client';
export type { TargetOptions } from './launch/target';
export type { Tool } from './mcp';
export { OpenEnvError, type OpenEnvErrorCode } from './errors';
export type { EnvironmentMetadata, EnvironmentSchema, EpisodeState, ResetArguments, StepResult } from './protocol';
export { ServerProcess, type LaunchOptions } from './server';
export {
  Environment,
  RandomSource,
  serve,
  type EnvironmentClass,
  type EnvironmentServer,
  type EnvironmentSettings,
  type EnvironmentTool,
  type ResetOptions,
  type ServeOptions,
  type Turn,
} from './serving';
