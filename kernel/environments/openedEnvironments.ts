/**
 * Types of the environments that a notebook has opened, by their target. The
 * kernel adds members, so that `openenv('http://…')` has the types of that
 * server's schemas once it was opened.
 */
export interface OpenedEnvironments {}
