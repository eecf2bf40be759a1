/** What the copy does not have of the source, or has and should not, in the words of the condition HygieneApplied. */
export interface Hygiene {
  readonly reason: "Clean" | "Adjusted" | "NeedsAttention";
  readonly message: string;
}

const list = (names: string): ReadonlySet<string> => new Set(names.split(/\s+/u));

/** Where a server lies, listens, logs and archives: every source sets it, no copy can keep it or needs it. */
const routine = list(
  `data_directory config_file hba_file ident_file external_pid_file listen_addresses port unix_socket_directories
   unix_socket_directory unix_socket_group unix_socket_permissions bonjour bonjour_name ssl krb_server_keyfile archive_mode
   archive_command archive_library archive_timeout archive_cleanup_command hot_standby summarize_wal log_destination
   logging_collector log_directory log_filename log_file_mode log_rotation_age log_rotation_size log_truncate_on_rotation
   syslog_facility syslog_ident event_source stats_temp_directory huge_pages recovery_init_sync_method io_method
   restart_after_crash`,
);

/** That the source is part of a group of servers: its copy is none. */
const replication = list(
  `restore_command promote_trigger_file trigger_file standby_mode primary_conninfo primary_slot_name synchronous_standby_names
   synchronized_standby_slots sync_replication_slots max_logical_replication_workers recovery_end_command
   recovery_min_apply_delay`,
);

/**
 * Pure. `dropped`: names as the start script notes them, `setting` or `setting:library`. `off`: what is switched off inside the
 * databases; `notes`: what a person has to look at.
 */
export function hygieneOf(
  dropped: readonly string[],
  off: readonly (string | undefined)[] = [],
  notes: readonly (string | undefined)[] = [],
): Hygiene {
  const leftOut = sentence("the copy leaves out", [
    told(
      "libraries that the image lacks",
      libraries(dropped, (library) => library !== "pg_cron"),
    ),
    told(
      "libraries that would run the source's jobs",
      libraries(dropped, (library) => library === "pg_cron"),
    ),
    told("replication", dropped.filter(isReplication)),
    told("settings that the image's server does not know", dropped.filter(isUnknown)),
  ]);
  const attention = notes.filter((note) => note !== undefined);
  const parts = [...attention, sentence("switched off in the copy", off), leftOut].filter((part) => part !== undefined);
  if (parts.length > 0)
    return { reason: attention.length > 0 ? "NeedsAttention" : "Adjusted", message: withinBounds(parts.join(". ")) };
  return {
    reason: "Clean",
    message: "the copy leaves out nothing of note: at most addresses, paths, logging, certificates, archiving",
  };
}

function sentence(beginning: string, findings: readonly (string | undefined)[]): string | undefined {
  const found = findings.filter((finding) => finding !== undefined);
  return found.length === 0 ? undefined : `${beginning}: ${found.join("; ")}`;
}

const mostLetters = 4000;

/** Names in databases may be of any characters. */
function withinBounds(text: string): string {
  const line = text.replaceAll(/\p{Cc}+/gu, " ");
  return line.length > mostLetters ? `${line.slice(0, mostLetters).toWellFormed()}…` : line;
}

const isLibrary = (name: string): boolean => name.includes(":");
export const isReplication = (name: string): boolean => replication.has(name) || name.startsWith("recovery_target");
export const isRoutine = (name: string): boolean => routine.has(name) || name.startsWith("ssl_");
const isUnknown = (name: string): boolean => !isLibrary(name) && !isReplication(name) && !isRoutine(name);

/** `shared_preload_libraries:a` becomes `a (shared_preload_libraries)`. */
function libraries(dropped: readonly string[], wanted: (library: string) => boolean): readonly string[] {
  return dropped.filter(isLibrary).flatMap((entry) => {
    const colon = entry.indexOf(":");
    const library = entry.slice(colon + 1);
    return wanted(library) ? [`${library} (${entry.slice(0, colon)})`] : [];
  });
}

/** A message must not grow without end. */
export function told(what: string, names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  const more = names.length > 20 ? ` and ${names.length - 20} more` : "";
  return `${what}: ${names.slice(0, 20).join(", ")}${more}`;
}
