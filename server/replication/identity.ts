/** Which history of writes this server tells: replicas ask for it by this id. */
import { randomBytes } from "node:crypto";

export class ReplicationIdentity {
  id = drawn();

  /** Another history begins. */
  drawId(): void {
    this.id = drawn();
  }
}

function drawn(): string {
  return randomBytes(20).toString("hex");
}
