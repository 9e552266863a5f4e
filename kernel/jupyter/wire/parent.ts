/** Milliseconds between two checks of the parent process. */
const INTERVAL = 1000;

/** Calls `gone` once, when the process that started this one has ended. Its timer does not keep the thread alive. */
export function watchParent(gone: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    gone();
  }, INTERVAL).unref();
}
