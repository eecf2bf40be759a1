import { status } from "@grpc/grpc-js";
import type { DctClient, DctConnection, Vdb } from "@vdb/dct";
import type { Client } from "kube-runtime";
import type { Call, Handler } from "../grpc/handler.ts";
import type { KeyedLock } from "../grpc/keyed-lock.ts";
import type { Message } from "../grpc/message.ts";
import { invalidArgument, RpcError } from "../grpc/rpc-error.ts";
import { objection } from "../volume-capability.ts";
import { type ClaimName, readClaimAnnotations } from "./claim.ts";
import { describeVolume } from "./describe-volume.ts";
import { findVolume } from "./find-volume.ts";
import { provisionVolume } from "./provision-volume.ts";
import { resolveVolume } from "./resolve-volume.ts";
import { askedCapacityBytes, askedSource, tagsOf } from "./tags.ts";
import { assertReachable, requestedNodes } from "./topology.ts";
import { type SpecDefaults, sourceReferenceIn, volumeSpecOf } from "./volume-spec.ts";

export interface ControllerVolumes {
  /** Reads the claims. */
  readonly kubernetes: Pick<Client, "find">;
  readonly dct: DctConnection;
  readonly defaults: SpecDefaults;
  /** One call at a time for each volume name. */
  readonly locks: KeyedLock;
}

interface Request {
  readonly name: string;
  readonly capacityBytes: number;
  readonly claim: ClaimName;
  readonly nodes: readonly string[];
}

/**
 * Makes the VDB of a claim, exactly one for each volume name, however often it is called and wherever it was interrupted.
 * A VDB that is there already is answered even when its claim is gone: the provisioner then deletes it, and nothing is left.
 */
export const createVolume =
  (volumes: ControllerVolumes): Handler =>
  async (message, call) => {
    const request = decode(message);
    return await volumes.locks.run(request.name, call.signal, async () => {
      const annotations = await readClaimAnnotations(volumes.kubernetes, request.claim, call.signal);
      return await volumes.dct.call(async (dct) => {
        const found = await findVolume(dct, request.name, call);
        const id =
          found === undefined
            ? await makeVolume(volumes, dct, request, annotations, call)
            : sameVolume(volumes, found, request, annotations);
        return await describeVolume(dct, id, request.capacityBytes, call);
      }, call.signal);
    });
  };

function decode(message: Message): Request {
  const name = message.string("name");
  if (name === "") throw invalidArgument("name is missing");
  const capabilities = message.messages("volumeCapabilities");
  if (capabilities.length === 0) throw invalidArgument("volume_capabilities are missing");
  const [problem] = capabilities.flatMap((one) => objection(one) ?? []);
  if (problem !== undefined) throw invalidArgument(problem);
  if (message.message("volumeContentSource") !== undefined)
    throw new RpcError(
      status.UNIMPLEMENTED,
      "the driver does not support volumes from snapshots or other volumes: leave out dataSource",
    );
  const parameters = message.strings("parameters");
  const [namespace, claim] = [parameters["csi.storage.k8s.io/pvc/namespace"], parameters["csi.storage.k8s.io/pvc/name"]];
  if (namespace === undefined || claim === undefined)
    throw invalidArgument("the parameters do not name the claim: run csi-provisioner with --extra-create-metadata");
  const capacityBytes = message.message("capacityRange")?.number("requiredBytes") ?? 0;
  return { name, capacityBytes, claim: { namespace, name: claim }, nodes: requestedNodes(message) };
}

/** A claim's annotations; undefined when the claim is gone. */
type Annotations = Readonly<Record<string, string>> | undefined;

async function makeVolume(
  { defaults }: ControllerVolumes,
  dct: DctClient,
  { name, claim, capacityBytes, nodes }: Request,
  annotations: Annotations,
  call: Call,
): Promise<string> {
  if (annotations === undefined)
    throw new RpcError(
      status.NOT_FOUND,
      `claim ${claim.namespace}/${claim.name} does not exist any more: the driver provisions nothing`,
    );
  const spec = volumeSpecOf(annotations, defaults);
  const places = await resolveVolume(dct, spec, call.signal);
  assertReachable(places.environment, nodes);
  return await provisionVolume(dct, { name, spec, places, tags: tagsOf(claim, spec, capacityBytes) }, call);
}

/** The VDB of an earlier call, unless this call asks for something else under its name. */
function sameVolume({ defaults }: ControllerVolumes, vdb: Vdb, { capacityBytes }: Request, annotations: Annotations): string {
  const made = askedCapacityBytes(vdb);
  if (made !== undefined && made !== capacityBytes)
    throw new RpcError(status.ALREADY_EXISTS, `VDB ${vdb.id} has a volume of ${made} bytes, not of ${capacityBytes}`);
  const wanted = annotations === undefined ? undefined : sourceReferenceIn(annotations, defaults);
  const source = askedSource(vdb);
  if (wanted === undefined || source === undefined || source === wanted) return vdb.id;
  // Not final: the VDB has to stay known to the provisioner, which deletes it together with the claim.
  throw new RpcError(
    status.ABORTED,
    `VDB ${vdb.id} has data of ${source}, and the claim's annotations now name ${wanted}: delete the claim and create it again`,
  );
}
