import { useEffect, useReducer, useState } from "react";
import { type Failure, toFailure } from "./failure";

/** A module that is loaded when it is wanted. */
export interface Later<Module> {
  /** Null until it has come. */
  module: Module | null;
  /** Why it did not: most likely there is no network. */
  failure: Failure | null;
  retry(): void;
}

/** As `React.lazy`, but what does not come is a failure of its own place and not of the whole page. */
export function useLater<Module>(load: () => Promise<Module>): Later<Module> {
  const [module, setModule] = useState<Module | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [attempt, retry] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    let isWanted = true;
    setFailure(null);
    load().then(
      (loaded) => isWanted && setModule(loaded),
      (error) => isWanted && setFailure(toFailure(error)),
    );
    return () => {
      isWanted = false;
    };
  }, [load, attempt]);
  return { module, failure, retry };
}
