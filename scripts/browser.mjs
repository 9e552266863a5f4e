// The browser that the tests drive.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import * as fs from 'node:fs';
import { SetupError, runQuietly, step } from './steps.mjs';

const COMMANDS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/**
 * Finds a Chromium, or installs one (the distribution's as root, else Playwright's
 * own), and sets `$JOYLAB_CHROMIUM`. Throws a SetupError when there is none.
 */
export async function prepareBrowser() {
  let browser = findBrowser();
  if (!browser) {
    await step('Installing a browser for the tests', installBrowser);
    browser = findBrowser();
  }
  if (!browser)
    throw new SetupError(
      'The tests need Chromium: install it (Debian and Ubuntu: `apt install chromium`) or name one in $JOYLAB_CHROMIUM, and run the command again.',
    );
  process.env.JOYLAB_CHROMIUM = browser;
}

function findBrowser() {
  if (process.env.JOYLAB_CHROMIUM) return process.env.JOYLAB_CHROMIUM;
  for (const command of COMMANDS) {
    const result = spawnSync('sh', ['-c', `command -v ${command}`], { encoding: 'utf8' });
    if (result.status === 0) return result.stdout.trim();
  }
  const downloaded = createRequire(import.meta.url)('playwright-core').chromium.executablePath();
  return downloaded && fs.existsSync(downloaded) ? downloaded : null;
}

async function installBrowser() {
  if (process.getuid?.() === 0 && spawnSync('sh', ['-c', 'command -v apt-get']).status === 0) {
    await runQuietly('apt-get', ['update']);
    await runQuietly('apt-get', ['install', '-y', '--no-install-recommends', 'chromium']);
    return;
  }
  const cli = path.join(path.dirname(createRequire(import.meta.url).resolve('playwright-core/package.json')), 'cli.js');
  await runQuietly(process.execPath, [cli, 'install', 'chromium']);
}
