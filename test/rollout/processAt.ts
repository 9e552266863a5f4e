import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { pythonPath } from '../../kernel/common/packagePaths';

/** Returns the ID of the process that listens at an address. */
export function processAt(url: string): number {
  const { port } = new URL(url);
  const code = `
import os, sys
port = int(sys.argv[1])
inodes = {line.split()[9] for line in open('/proc/net/tcp') if line.split()[1].endswith(':%04X' % port) and line.split()[3] == '0A'}
for pid in filter(str.isdigit, os.listdir('/proc')):
    try:
        links = [os.readlink(f'/proc/{pid}/fd/{fd}') for fd in os.listdir(f'/proc/{pid}/fd')]
    except OSError:
        continue
    if any(f'socket:[{inode}]' in links for inode in inodes): print(pid); break
`;
  const id = Number(execFileSync(pythonPath(), ['-c', code, port], { encoding: 'utf8' }));
  assert.ok(id > 1, `a process listens at ${url}`); // 0 would be this one's whole group
  return id;
}
