import { schema } from "../schema.ts";

const unitMilliseconds: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
export const durationPattern = "^([0-9]{1,9}(ms|s|m|h))+$";
const words = "a duration in h, m, s or ms";

interface DurationLimits {
  readonly description: string;
  readonly minimum: string;
  readonly maximum: string;
  readonly example: string;
}

/** A duration as text, such as `30s` or `1h30m`. The first half of the rule keeps CEL's duration() from failing on what it cannot read. */
const duration = ({ description, minimum, maximum, example }: DurationLimits) =>
  ({
    type: "string",
    description: `${description} Such as 30s, 5m or 1h30m, from ${minimum} to ${maximum}.`,
    maxLength: 64,
    rules: [
      {
        rule:
          `self.matches('${durationPattern}') && duration(self) >= duration('${minimum}')` +
          ` && duration(self) <= duration('${maximum}')`,
        message: `must be ${words}, from ${minimum} to ${maximum}, for example ${example}`,
      },
    ],
  }) as const;

export const durationField = (limits: DurationLimits & { readonly default: string }) =>
  schema({ ...duration(limits), default: limits.default });

/** The same, where left out means that there is none. */
export const optionalDuration = (limits: DurationLimits) => schema(duration(limits));

/** The milliseconds of a duration that the API server has accepted. */
export function durationMilliseconds(text: string): number {
  if (!new RegExp(durationPattern, "u").test(text)) throw new RangeError(`not ${words}: ${JSON.stringify(text)}`);
  let sum = 0;
  for (const [, count = "", unit = "s"] of text.matchAll(/(\d+)(ms|s|m|h)/gu)) {
    sum += Number(count) * (unitMilliseconds[unit] ?? Number.NaN);
  }
  return sum;
}
