import { status } from "@grpc/grpc-js";
import type { DctClient, DctConnection, Vdb } from "@vdb/dct";
import type { Client } from "kube-runtime";
import type { Call, Handler } from "../grpc/handler.ts";
import type { KeyedLock } from "../grpc/keyed-lock.ts";
import type { Message } from "../grpc/message.ts";
import { invalidArgument, RpcError } from "../grpc/rpc-error.ts";
import { objection } from "../volume-capability.ts";
import { capacityRangeOf } from "./capacity-range.ts";
import { type ClaimName, readClaimAnnotations } from "./claim.ts";
import { type ContentSource, contentReference, contentSourceOf, resolveContent } from "./content-source.ts";
import { describeVolume } from "./describe-volume.ts";
import { findVolume } from "./find-volume.ts";
import { provisionVolume } from "./provision-volume.ts";
import { type Origin, resolvePlaces, resolveSource } from "./resolve-volume.ts";
import { askedCapacityBytes, askedSource, tagsOf } from "./tags.ts";
import { assertReachable, requestedNodes } from "./topology.ts";
import {
  type PlaceSpec,
  placeSpecOf,
  type SpecDefaults,
  sourceReference,
  sourceReferenceIn,
  volumeSpecOf,
} from "./volume-spec.ts";

export interface ControllerVolumes {
  /** Reads the claims. */
  readonly kubernetes: Pick<Client, "find">;
  readonly dct: DctConnection;
  /** As they are at this call. */
  readonly defaults: (signal: AbortSignal) => Promise<SpecDefaults>;
  /** One call at a time for each volume name, VDB, snapshot name and snapshot. */
  readonly locks: KeyedLock;
}

interface Request {
  readonly name: string;
  readonly capacityBytes: number;
  readonly claim: ClaimName;
  readonly nodes: readonly string[];
  readonly content: ContentSource | undefined;
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
      const [annotations, defaults] = await Promise.all([
        readClaimAnnotations(volumes.kubernetes, request.claim, call.signal),
        volumes.defaults(call.signal),
      ]);
      return await volumes.dct.call(async (dct) => {
        const found = await findVolume(dct, request.name, call);
        const id =
          found === undefined
            ? await makeVolume(defaults, dct, request, annotations, call)
            : sameVolume(defaults, found, request, annotations);
        call.tell({ delphixID: id });
        return await describeVolume(dct, id, call);
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
  const content = contentSourceOf(message);
  const parameters = message.strings("parameters");
  const [namespace, claim] = [parameters["csi.storage.k8s.io/pvc/namespace"], parameters["csi.storage.k8s.io/pvc/name"]];
  if (namespace === undefined || claim === undefined)
    throw invalidArgument("the parameters do not name the claim: run csi-provisioner with --extra-create-metadata");
  const { requiredBytes } = capacityRangeOf(message);
  return { name, capacityBytes: requiredBytes, claim: { namespace, name: claim }, nodes: requestedNodes(message), content };
}

type Known = Readonly<Record<string, string>>;
/** A claim's annotations; undefined when the claim is gone. */
type Annotations = Known | undefined;

async function makeVolume(
  defaults: SpecDefaults,
  dct: DctClient,
  { name, claim, capacityBytes, nodes, content }: Request,
  annotations: Annotations,
  call: Call,
): Promise<string> {
  if (annotations === undefined)
    throw new RpcError(
      status.NOT_FOUND,
      `claim ${claim.namespace}/${claim.name} does not exist any more: the driver provisions nothing`,
    );
  const { origin, spec, source } =
    content === undefined
      ? await namedData(dct, annotations, defaults, call)
      : await contentData(dct, content, capacityBytes, annotations, defaults, call);
  const places = await resolvePlaces(dct, origin, spec, call.signal);
  assertReachable(places.environment, nodes);
  const tags = tagsOf({ claim, source, capacityBytes, ownership: spec.ownership });
  return await provisionVolume(dct, { name, spec, places, tags }, call);
}

interface Data {
  readonly origin: Origin;
  readonly spec: PlaceSpec;
  /** As it is written on the VDB. */
  readonly source: string;
}

async function namedData(dct: DctClient, annotations: Known, defaults: SpecDefaults, { signal }: Call): Promise<Data> {
  const spec = volumeSpecOf(annotations, defaults);
  return { origin: await resolveSource(dct, spec, signal), spec, source: sourceReference(spec) };
}

/** The claim's annotations, before them nothing: a dataSource decides whose data it is. */
async function contentData(
  dct: DctClient,
  content: ContentSource,
  capacityBytes: number,
  annotations: Known,
  defaults: SpecDefaults,
  { signal }: Call,
): Promise<Data> {
  const { origin, inherited } = await resolveContent(dct, content, capacityBytes, signal);
  const spec = placeSpecOf(annotations, { ...defaults, ...inherited });
  return { origin, spec, source: contentReference(content) };
}

/** The VDB of an earlier call, unless this call asks for something else under its name. */
function sameVolume(defaults: SpecDefaults, vdb: Vdb, { capacityBytes, content }: Request, annotations: Annotations): string {
  const made = askedCapacityBytes(vdb); // more than was asked for, once the volume has been expanded
  if (made !== undefined && made < capacityBytes)
    throw new RpcError(status.ALREADY_EXISTS, `VDB ${vdb.id} has a volume of ${made} bytes, not of ${capacityBytes}`);
  if (content !== undefined && askedSource(vdb) !== contentReference(content))
    throw new RpcError(status.ALREADY_EXISTS, `VDB ${vdb.id} was not made of ${contentReference(content)}`);
  if (content !== undefined) return vdb.id;
  const wanted = annotations === undefined ? undefined : sourceReferenceIn(annotations, defaults);
  const source = askedSource(vdb);
  if (wanted === undefined || source === undefined || source === wanted) return vdb.id;
  // Not final: the VDB has to stay known to the provisioner, which deletes it together with the claim.
  throw new RpcError(
    status.ABORTED,
    `VDB ${vdb.id} has data of ${source}, and the claim's annotations, or the defaults for them, now name ${wanted}: delete the claim and create it again`,
  );
}
