import { type PostgresSetting, type PostgresVDBSpec, type VdbContent, type VdbHygiene, valueOfSetting } from "@vdb/api";
import type { Cleaning } from "../../postgres/database-statements.ts";
import { settingLine } from "../../postgres/settings.ts";

/**
 * Pure: whether nothing of the source acts in the data any more, or what does is the user's own: data that was open, and what a
 * rewind took from such data. New data is not clean.
 */
export const isCleaned = (content: Partial<VdbContent> | undefined): boolean =>
  content?.cleanedTime !== undefined || content?.openedTime !== undefined || content?.takenOpen === true;

/** Pure: what is switched off in new data. */
export const cleaningOf = (hygiene: VdbHygiene | undefined): Cleaning => ({
  eventTriggers: hygiene?.eventTriggers !== "Keep",
  cronJobs: hygiene?.cronJobs !== "Keep",
  dropSubscriptions: hygiene?.subscriptions === "Drop",
});

type Settings = Pick<PostgresVDBSpec, "postgresConfig" | "hygiene">;

/**
 * Pure: the settings for a server on data that is not clean yet. pg_cron would run the source's jobs as soon as it is loaded,
 * before the operator can switch them off.
 */
export function settingsBeforeCleaning({ postgresConfig = [], hygiene }: Settings): readonly PostgresSetting[] {
  return cleaningOf(hygiene).cronJobs ? postgresConfig.map(withoutCron) : postgresConfig;
}

/** Pure: the same of lines as they are stored, with which a server has run on earlier data. */
export function linesBeforeCleaning(stored: string, hygiene: VdbHygiene | undefined): string {
  if (!cleaningOf(hygiene).cronJobs) return stored;
  return stored.replaceAll(/^(\S+) = '(.*)'$/gmu, (line: string, name: string, value: string) => {
    const kept = withoutCron({ name, value }).value;
    return kept === value ? line : settingLine(name, kept);
  });
}

/** Pure: whether the server has to start again with the settings that it did not get before. */
export const waitForCleaning = (spec: Settings): boolean =>
  settingsBeforeCleaning(spec).some(({ value }, index) => value !== spec.postgresConfig?.[index]?.value);

function withoutCron(setting: PostgresSetting): PostgresSetting {
  if (setting.name.toLowerCase() !== "shared_preload_libraries") return setting;
  const libraries = valueOfSetting(setting.value).split(",");
  const kept = libraries.filter((library) => !isCron.test(library.trim()));
  return kept.length === libraries.length ? setting : { ...setting, value: kept.join(",") };
}

const isCron = /^"?(?:.*\/)?pg_cron(?:\.so)?"?$/u;
