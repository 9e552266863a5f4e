export type { GRPOConfig } from './config';
export {
  GRPOTrainer,
  type GRPOTrainerOptions,
  type TrainingStep,
  type TrainOptions,
  type TrainOutput,
} from './trainer';
export type { TrainRow } from './rollouts/prompts';
export { searchPrograms, type ProgramEditor, type SearchProgramsOptions } from './refinement/searchPrograms';
export type { ChildReport, GroupReport, SearchReport } from './refinement/children';
export type { Evaluation, Program } from './refinement/program';
export type { Lineage, Programs, RankedProgram } from './refinement/programs';
export type { RefinementConfig } from './refinement/settings';
export { rewardRegistry, Session } from './session';
export { exportRollouts, type ExportRolloutsOptions } from './history/parquet';
export { compareExperiment, Experiment, saveExperiment, type ExperimentRun } from './experiment/experiment';
export { report, Report, type ReportedRun } from './report/report';
