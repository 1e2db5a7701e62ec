import { Store } from './store.ts'

/** The run whose curve the scan panel shows: the last one started here, or one chosen in the list of runs. */
export const followedRun = new Store<string | undefined>(undefined)
