import type { DatabasesTold } from "../postgres/databases-told.ts";
import type { Password } from "./password.ts";

/**
 * What the operator remembers of a database to spare work, never to decide: all of it is found again after a restart by
 * looking, and a memory that is lost costs a repeated look.
 */
export interface Memory {
  /** What was last found to be in force in which container. */
  inForce: string | undefined;
  /** In which container the operator last looked into the databases, and what it found there. */
  databases: { readonly containerId: string; readonly found: DatabasesTold } | undefined;
  /** When the operator last asked in which container whether the certificate is in force. */
  certificate: { readonly containerId: string; readonly askedAt: number } | undefined;
  /** The password that was last read, and from which Secret at what time of the monotonic clock. */
  password: { readonly from: string; readonly readAt: number; readonly found: Password } | undefined;
  /** The generation that the Deployment had after our own write: a higher one means that another client has changed it. */
  deploymentGeneration: number | undefined;
}

export interface Memories {
  readonly of: (uid: string) => Memory;
  readonly forget: (uid: string) => void;
}

export function createMemories(): Memories {
  const memories = new Map<string, Memory>();
  return {
    of: (uid) => {
      const known = memories.get(uid) ?? {
        inForce: undefined,
        databases: undefined,
        certificate: undefined,
        password: undefined,
        deploymentGeneration: undefined,
      };
      memories.set(uid, known);
      return known;
    },
    forget: (uid) => void memories.delete(uid),
  };
}
