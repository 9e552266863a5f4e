export { checkCode } from './check';
export { extractFunction } from './extract';
export { createLockedDownFunction, StrategyError, type LockedDownFunction, type LockedDownOptions } from './locked';
export type { CodeProblem } from '../rewards/sample';
