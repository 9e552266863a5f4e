import type { Contents } from '@jupyterlab/services';
import template from './template.json';

/** Saves the Atari notebook for a game under a name that is free in a folder, and returns its path. */
export async function createNotebook(contents: Contents.IManager, folder: string, game: string): Promise<string> {
  const { content } = await contents.get(folder);
  const taken = new Set((content as Contents.IModel[]).map(({ name }) => name));
  let name = `atari-${game}.ipynb`;
  for (let i = 1; taken.has(name); i++) name = `atari-${game}-${i}.ipynb`;
  const path = folder === '' ? name : `${folder.replace(/\/$/, '')}/${name}`;
  await contents.save(path, { type: 'notebook', format: 'json', content: notebookFor(game) });
  return path;
}

/** Returns the notebook for a game. */
function notebookFor(game: string): object {
  const { title } = template.games.find(({ name }) => name === game) ?? { title: game };
  return JSON.parse(template.notebook.replaceAll('{{name}}', game).replaceAll('{{title}}', title));
}
