import { gpuPython, hasPackages } from '../../engines/trl/python';
import { pythonPath } from '../../common/packagePaths';
import type { TrackerName } from './trackers';

/**
 * Returns a Python that has a tracker's client: that of the shell Jupyter was started in, Joylab's own, or the one for GPUs.
 *
 * @throws where none has it, with what to do
 */
export function trackerPython(tracker: TrackerName): string {
  const places = [() => (process.platform === 'win32' ? 'python' : 'python3'), pythonPath, gpuPython];
  const pythons = places.flatMap((place) => attempt(place) ?? []);
  const found = pythons.find((python) => hasPackages(python, [tracker]));
  if (found !== undefined) return found;
  throw new Error(`no Python has its client: ${pythons.at(-1)} -m pip install ${tracker}`);
}

function attempt(place: () => string | null): string | null {
  try {
    return place();
  } catch {
    return null;
  }
}
