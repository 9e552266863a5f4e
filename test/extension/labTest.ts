import { test, type TestContext } from 'node:test';

const told: string[] = [];

/** Records a line of a browser or a server, for the error of the running test. */
export function tell(line: string): void {
  told.push(line.trimEnd());
  if (told.length > 200) told.shift();
}

/** Runs a test whose error also has the output of browser and server since it began, for failures on other machines. */
export function labTest(name: string, run: (t: TestContext) => Promise<void>): void {
  void test(name, async (t) => {
    told.length = 0;
    try {
      await run(t);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new Error(`${message}\n\nWhat browser and server said:\n${told.join('\n') || 'nothing'}`, { cause: error });
    }
  });
}
