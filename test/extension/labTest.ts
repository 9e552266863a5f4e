import { test, type TestContext } from 'node:test';

const told: string[] = [];

/** Notes what a browser or a server says, for the error of the test that runs. */
export function tell(line: string): void {
  told.push(line.trimEnd());
  if (told.length > 200) told.shift();
}

/** A test whose error also has what browser and server said since it began: on another machine there is nothing else to go by. */
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
