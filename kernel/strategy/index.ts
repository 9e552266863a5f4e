export { checkCode, type CodeProblem } from './check';
export { extractFunction } from './extract';
export { createLockedDownFunction, StrategyError, type LockedDownFunction } from './locked';
export { countOperations, type CountedCall, type CountOptions } from './operations';
export type { LockedDownOptions } from './settings';
