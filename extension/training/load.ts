// From where this file is compiled to. The style is loaded with the view.
import '../../../../style/training.css';
import '../../../../style/charts.css';
import '../../../../style/wall.css';
import '../../../../style/steps.css';

export { trainingBundle } from '../../kernel/display/training/trainingBundle';
export { problem } from '../widgets/problem';
export { checkTraining } from './state';
export { TrainingView } from './view';
