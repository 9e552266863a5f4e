export { checkEnv } from './check';
export type { CheckId } from './checks';
export { EnvironmentReport, type CheckResult, type ReportData, type Verdict } from './report';
export type { CheckOptions } from './settings';
