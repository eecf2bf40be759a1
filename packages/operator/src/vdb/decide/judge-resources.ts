import { leastMemory, leastStorage, type PostgresVDB } from "@vdb/api";
import { valueOf } from "../objects/quantity.ts";

type Amounts = Readonly<Record<string, string | number>>;

/** What is given in bytes, with the least that makes sense. */
const least: Readonly<Record<string, string>> = { memory: leastMemory, "ephemeral-storage": leastStorage };

/**
 * Pure: what is wrong with spec.resources and spec.storageSize, the first of it with its path; undefined when nothing is. The CRD
 * refuses most of it: not what is wrong with cpu, which no rule of it can look at, and the CRD in the cluster may be another.
 */
export function resourcesTrouble({ resources = {}, storageSize }: PostgresVDB["spec"]): string | undefined {
  const given = (["requests", "limits"] as const).flatMap((which) =>
    Object.entries(amountsOf(resources[which])).map(([name, amount]) => ({
      path: `spec.resources.${which}.${name}`,
      name,
      amount,
    })),
  );
  const size = storageSize === undefined ? [] : [{ path: "spec.storageSize", name: "ephemeral-storage", amount: storageSize }];
  const wrong = [...given, ...size].map(({ path, name, amount }) => amountTrouble(path, amount, least[name]));
  return wrong.find((trouble) => trouble !== undefined) ?? excess(amountsOf(resources.requests), amountsOf(resources.limits));
}

const amountsOf = (amounts: Amounts = {}): Amounts => amounts;

function amountTrouble(path: string, amount: string | number, atLeast: string | undefined): string | undefined {
  const value = valueOf(amount);
  const is = `${path} ${amount}`;
  if (value === undefined) return `${is} is not a quantity: write for example ${atLeast === undefined ? "500m" : "1Gi"}`;
  if (value < 0) return `${is} must not be negative`;
  if (atLeast === undefined || value === 0 || value >= (valueOf(atLeast) ?? 0)) return undefined;
  return `${is} must be at least ${atLeast}, for example 1Gi${likelyMeaning(String(amount))}`;
}

/** As the CRD words it. */
function likelyMeaning(amount: string): string {
  if (/^\d+m$/u.test(amount)) return ` (m is for thousandths of a byte: did you mean ${amount.replace("m", "Mi")}?)`;
  if (/^\d+$/u.test(amount)) return ` (without a unit it is bytes: did you mean ${amount}Mi or ${amount}Gi?)`;
  return "";
}

function excess(requests: Amounts, limits: Amounts): string | undefined {
  for (const [name, asked] of Object.entries(requests)) {
    const most = limits[name];
    if (most !== undefined && (valueOf(asked) ?? 0) > (valueOf(most) ?? 0))
      return `spec.resources.requests.${name} ${asked} exceeds spec.resources.limits.${name} ${most}: lower the request or raise the limit`;
  }
  return undefined;
}
