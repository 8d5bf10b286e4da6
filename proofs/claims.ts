import { adaptiveClaims } from "./adaptive/claims.ts";
import { batchingClaims } from "./batching/claims.ts";
import { bertClaims } from "./bert/claims.ts";
import { captioningClaims } from "./captioning/claims.ts";
import type { Claim } from "./claim.ts";
import { discreteClaims } from "./discrete/claims.ts";
import { faithfulnessClaims } from "./faithfulness/claims.ts";
import { featureClaims } from "./feature/claims.ts";
import { glimpseClaims } from "./glimpse/claims.ts";
import { guidelineClaims } from "./guidelines/claims.ts";
import { linearClaims } from "./linear/claims.ts";
import { memoryClaims } from "./memory/claims.ts";
import { pointerClaims } from "./pointer/claims.ts";
import { positionClaims } from "./position/claims.ts";
import { quantumClaims } from "./quantum/claims.ts";
import { relevanceClaims } from "./relevance/claims.ts";
import { sequenceClaims } from "./sequence/claims.ts";
import { setClaims } from "./set/claims.ts";
import { sparseClaims } from "./sparse/claims.ts";
import { spikingClaims } from "./spiking/claims.ts";
import { timeClaims } from "./time/claims.ts";
import { toyClaims } from "./toy/claims.ts";
import { transformerClaims } from "./transformer/claims.ts";
import { vitClaims } from "./vit/claims.ts";

/** Every claim, in the order in which `npm run prove` measures them. A folder adds its own list here. */
export const CLAIMS: readonly Claim[] = [
  ...toyClaims,
  ...transformerClaims,
  ...vitClaims,
  ...bertClaims,
  ...pointerClaims,
  ...captioningClaims,
  ...positionClaims,
  ...sequenceClaims,
  ...guidelineClaims,
  ...batchingClaims,
  ...discreteClaims,
  ...adaptiveClaims,
  ...featureClaims,
  ...glimpseClaims,
  ...setClaims,
  ...memoryClaims,
  ...sparseClaims,
  ...linearClaims,
  ...spikingClaims,
  ...quantumClaims,
  ...relevanceClaims,
  ...faithfulnessClaims,
  ...timeClaims,
];
