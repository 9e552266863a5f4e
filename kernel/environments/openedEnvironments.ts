/**
 * Types of the environments that a notebook has opened, by their target: the
 * kernel adds to it, so that `openenv('http://…')` gives the types of that
 * server's schemas once it was opened.
 */
export interface OpenedEnvironments {}
