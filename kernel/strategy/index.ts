export { checkCode, type CodeProblem } from './check';
export { extractFunction } from './extract';
export { createLockedDownFunction, StrategyError, type LockedDownFunction, type LockedDownOptions } from './locked';
