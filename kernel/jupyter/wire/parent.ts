/** Time between two looks whether the parent process still lives, in milliseconds. */
const INTERVAL = 1000;

/** Calls `gone` once when the process that started this one has ended. Keeps nothing alive. */
export function watchParent(gone: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    gone();
  }, INTERVAL).unref();
}
