// Loading with cancellation: the newest question wins, and the old answer stays until the new one is here.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { isAbort } from "./api";

export interface Loaded<T> {
  data: T | undefined;
  error: unknown;
  isLoading: boolean;
  reload: () => void;
}

const PAUSE_MS = 250;

/** The same while a person writes: the newest question is asked once it has stood for a moment, not at every key. */
export function useLoadedAfterPause<T>(question: string, load: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  return useLoaded(question, async (signal) => {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    signal.throwIfAborted();
    return load(signal);
  });
}

/** What `load` answers, asked again whenever `question` changes; null asks nothing. */
export function useLoaded<T>(question: string | null, load: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const [state, setState] = useState<{ data?: T; error?: unknown; of?: string | null }>({});
  const [round, setRound] = useState(0);
  const current = useRef(load);
  current.current = load;
  useEffect(() => {
    if (question === null) return setState({});
    const abort = new AbortController();
    current.current(abort.signal).then(
      (data) => abort.signal.aborted || setState({ data, of: question }),
      (error) => isAbort(error) || abort.signal.aborted || setState((old) => ({ data: old.data as T, error, of: question })),
    );
    return () => abort.abort();
  }, [question, round]);
  const reload = useCallback(() => setRound((n) => n + 1), []);
  return { data: state.data, error: state.error, isLoading: question !== null && state.of !== question, reload };
}
