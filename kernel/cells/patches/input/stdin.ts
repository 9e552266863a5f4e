import { currentInput } from '../../input';
import { redefine, type Undo } from '../replace';

/** Makes the input that the front end gives the standard input of the process. */
export function provideStdin(): Undo {
  return redefine(process, 'stdin', { get: currentInput, enumerable: true });
}
