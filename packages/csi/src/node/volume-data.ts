import type { MountEntry } from "./mountinfo.ts";

/** The data of a volume, wherever it comes from: how a target comes to show it, and how one that does is known. */
export interface VolumeData {
  /** For messages. */
  readonly name: string;
  readonly isShownBy: (mount: MountEntry) => boolean;
  readonly mount: (target: string, options: { readonly readOnly: boolean }) => Promise<void>;
}
