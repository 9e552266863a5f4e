export { trainingBundle } from '../../kernel/display/training/trainingBundle';
export { problem } from '../widgets/problem';
export { checkTraining } from './state';
export { TrainingView } from './view';
