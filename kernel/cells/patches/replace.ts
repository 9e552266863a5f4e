/** Takes a patch back. */
export type Undo = () => void;

/** Replaces a property; returns what puts the one that was there back. */
export function redefine(object: object, key: PropertyKey, descriptor: PropertyDescriptor): Undo {
  const before = Object.getOwnPropertyDescriptor(object, key);
  Object.defineProperty(object, key, { configurable: true, ...descriptor });
  return () => {
    if (before) Object.defineProperty(object, key, before);
    else Reflect.deleteProperty(object, key);
  };
}

/** Gives properties other values, as assignments do; returns what puts back what was there. */
export function replace(object: object, values: Record<PropertyKey, unknown>): Undo {
  return all(
    Reflect.ownKeys(values).map((key) => {
      const { enumerable = true } = Object.getOwnPropertyDescriptor(object, key) ?? {};
      return redefine(object, key, { value: values[key], writable: true, enumerable });
    }),
  );
}

/** Takes patches back, the newest first. */
export function all(undo: readonly Undo[]): Undo {
  return () => {
    for (const it of [...undo].reverse()) it();
  };
}
