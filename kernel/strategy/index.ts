export { checkCode, type CodeProblem } from './check';
export { extractFunction } from './extract';
export { createLockedDownFunction, StrategyError, type LockedDownFunction } from './locked';
export type { LockedDownOptions } from './settings';
